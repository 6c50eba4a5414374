package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
	"github.com/lakeql/lakeql/provider"
)

// generator makes answers from the schemas of the documents: every attribute, two items a list,
// two keys a map. No two values are the same, and all are the same each time.
type generator struct {
	catalogue *provider.Catalogue
	method    *provider.Method
	beyond    map[string]bool // what the SDK cannot decode: Type.attribute
	count     int
	above     []string // the shared schemas around the one at hand
}

// full is an answer with all attributes. Answers to later requests, such as a further page, are empty.
func (s *suite) full(o *sdk.Operation, m *provider.Method) (answer, error) {
	a := empty(o)
	a.header = http.Header{}
	for _, f := range o.Response.Headers {
		a.header.Set(f.Header, headerValue(f))
	}
	switch o.Response.Kind {
	case sdk.StreamResponse:
		a.body = []byte(content)
		return a, nil
	case sdk.HeaderResponse:
		a.body = nil
		return a, nil
	case sdk.NoResponse:
		return a, nil
	case sdk.ObjectResponse, sdk.ArrayResponse:
	}
	if m.Response == nil || m.Response.Schema == nil {
		return a, fmt.Errorf("the document has no schema of the response")
	}
	g := &generator{catalogue: s.catalogue, method: m, beyond: s.beyond[o.Service]}
	value, _, err := g.value(m.Response.Schema)
	if err != nil {
		return a, err
	}
	if object, ok := value.(map[string]any); ok && m.Paging != nil && m.Paging.Kind == provider.ByNextRequest {
		object["total_count"] = 1 // the list is held to it
	}
	if a.body, err = json.Marshal(value); err != nil {
		return a, err
	}
	if object, ok := value.(map[string]any); ok && merges(m) {
		delete(object, m.Paging.ResponseToken)
		a.rest, err = json.Marshal(object)
	}
	return a, err
}

// merges reports whether a method's answer is one object whose lists continue in the next answer. The next
// answer is then the first one again, without a token: the continued lists come twice, and everything else
// stays the same.
func merges(m *provider.Method) bool {
	return m.Paging != nil && m.Paging.Kind == provider.ByMerging
}

// headerValue makes the value of a header that an answer carries data in.
func headerValue(f *sdk.Field) string {
	switch {
	case f.Type.Kind == sdk.Int64:
		return strconv.Itoa(len(content))
	case f.Header == "last-modified":
		return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC).Format(http.TimeFormat)
	}
	return "application/x-" + f.Header
}

// value makes a value of a schema. It is false where the schema is inside itself.
func (g *generator) value(schema *provider.Schema) (any, bool, error) {
	if schema.Ref != "" {
		if slices.Contains(g.above, schema.Ref) {
			return nil, false, nil
		}
		g.above = append(g.above, schema.Ref)
		defer func() { g.above = g.above[:len(g.above)-1] }()
	}
	schema, err := g.catalogue.Resolve(g.method, schema)
	if err != nil {
		return nil, false, err
	}
	switch schema.Type {
	case "array":
		return g.list(schema)
	case "object":
		return g.object(schema)
	}
	g.count++
	switch schema.Type {
	case "":
		return map[string]any{fmt.Sprintf("any-%d", g.count): []any{json.Number("1"), "two"}}, true, nil
	case "string":
		return g.text(schema), true, nil
	case "integer":
		n := int64(g.count)
		if schema.Format == "int64" {
			n += 1<<53 + 1 // more than a float64 holds
		}
		return json.Number(strconv.FormatInt(n, 10)), true, nil
	case "number":
		return json.Number(fmt.Sprintf("%d.25", g.count)), true, nil
	case "boolean":
		return true, true, nil
	}
	return nil, false, fmt.Errorf("a schema has the type %q", schema.Type)
}

// text makes a text of the schema's format.
func (g *generator) text(schema *provider.Schema) string {
	if n := len(schema.Enum); n > 0 {
		return fmt.Sprint(schema.Enum[g.count%n])
	}
	switch schema.Format {
	case "date-time":
		return time.Date(2026, 1, 31, 12, 0, g.count, 5_000_000, time.UTC).Format("2006-01-02T15:04:05.000Z")
	case "duration":
		return fmt.Sprintf("%d.500s", g.count)
	case "field-mask":
		return fmt.Sprintf("spec.a%d,spec.b", g.count)
	case "byte":
		return fmt.Sprintf("dGV4dC0%d", g.count%10)
	}
	return fmt.Sprintf("tëxt %d <\"é\\\n>", g.count)
}

func (g *generator) list(schema *provider.Schema) (any, bool, error) {
	items := []any{}
	for range 2 {
		item, ok, err := g.value(schema.Items)
		if err != nil || !ok {
			return nil, false, err
		}
		items = append(items, item)
	}
	return items, true, nil
}

func (g *generator) object(schema *provider.Schema) (any, bool, error) {
	attributes := map[string]any{}
	for _, p := range schema.Properties {
		if len(g.above) > 0 && g.beyond[g.above[len(g.above)-1]+"."+p.Name] {
			continue
		}
		value, ok, err := g.value(p.Schema)
		if err != nil {
			return nil, false, err
		}
		switch {
		case ok:
			attributes[p.Name] = value
		case slices.Contains(schema.Required, p.Name):
			return nil, false, nil
		}
	}
	if schema.Additional == nil {
		return attributes, true, nil
	}
	for range 2 {
		value, ok, err := g.value(schema.Additional)
		if err != nil || !ok {
			return nil, false, err
		}
		g.count++
		attributes[fmt.Sprintf("key-%d", g.count)] = value
	}
	return attributes, true, nil
}
