package reference

import (
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"sync"
)

var dialect = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`sqlDialect\s*==\s*['"](.*?)['"]`)
})

// view reads a view, whose texts go to the page as they are.
func readView(views any) *View {
	v := &View{Fields: viewParams(views, "fields"), Required: viewParams(views, "requiredParams")}
	const most = 100 // an alias may lead in a circle
	for at := plain(views, "select"); truthy(at) && len(v.Definitions) < most; at = plain(at, "fallback") {
		name := "Default"
		if found := dialect().FindStringSubmatch(plainWords(at, "predicate")); found != nil && found[1] != "" {
			name = strings.ToUpper(found[1][:1]) + found[1][1:]
		}
		v.Definitions = append(v.Definitions, Definition{Dialect: name, SQL: raw(at, "ddl")})
	}
	return v
}

func viewParams(views any, key string) []Param {
	items, ok := plain(views, key).(*array)
	if !ok {
		return nil
	}
	var all []Param
	for _, item := range items.items {
		o := orEmpty(item)
		all = append(all, Param{Name: raw(o, "name"), Type: raw(o, "type"), Description: raw(o, "description")})
	}
	return all
}

// raw is a value as a template of JavaScript writes it.
func raw(v any, key string) string {
	o, _ := v.(*object)
	value, has := o.lookup(key)
	if !has {
		return "undefined"
	}
	return text(value)
}

// Limits on a value that stands beside a description.
const (
	maxDepthOfJSON = 50
	maxJSON        = 1 << 20
)

// writeJSON writes a value as JSON.stringify does.
func writeJSON(b *strings.Builder, v any, depth int) {
	if depth > maxDepthOfJSON || b.Len() > maxJSON {
		return
	}
	switch v := v.(type) {
	case *object:
		b.WriteByte('{')
		for i, key := range v.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, key, depth+1)
			b.WriteByte(':')
			writeJSON(b, v.values[i], depth+1)
		}
		b.WriteByte('}')
	case *array:
		b.WriteByte('[')
		for i, item := range v.items {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, item, depth+1)
		}
		b.WriteByte(']')
	case string:
		var quoted strings.Builder
		e := json.NewEncoder(&quoted)
		e.SetEscapeHTML(false)
		if e.Encode(v) == nil {
			b.WriteString(strings.TrimSuffix(quoted.String(), "\n"))
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			b.WriteString("null")
			return
		}
		b.WriteString(numberText(v))
	default:
		b.WriteString(text(v))
	}
}
