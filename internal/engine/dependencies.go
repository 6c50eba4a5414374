package engine

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// change is a row of a write: its call, and the values that show which rows must wait for it.
type change struct {
	req    *dispatch.Request
	target string              // what the call changes; empty where it makes something new
	values map[string][]string // texts, by column or the path of an attribute inside it
	words  map[string][]string // the names in them, likewise
	echo   []any               // what RETURNING has if the call answers nothing
}

// newChange collects the texts of a binding, and the names in them. Numbers and booleans are not names of
// new resources.
func newChange(req *dispatch.Request, b *bind.Binding) change {
	c := change{req: req, target: targetOf(req, b), values: map[string][]string{}, words: map[string][]string{}}
	for name, value := range b.All() {
		text, _ := value.(string)
		c.keep(strings.TrimPrefix(name, bind.AttributePrefix), bind.Unpack(value), text)
	}
	return c
}

// dependsOn reports whether a row must wait for an earlier one: both change the same thing, or a
// text of the earlier one, which the two do not share, occurs in another column of this one.
func (c change) dependsOn(earlier change) bool {
	if c.target != "" && c.target == earlier.target {
		return true
	}
	for path, values := range earlier.values {
		for _, value := range values {
			if slices.Contains(c.values[path], value) {
				continue
			}
			for other, words := range c.words {
				if other != path && slices.Contains(words, value) {
					return true
				}
			}
		}
	}
	return false
}

// keep adds a value: its text, or the texts inside it. A text is split into names at slashes, dots,
// quotes and the like.
func (c change) keep(path string, value any, text string) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			text, _ := inner.(string)
			c.keep(path+"."+name, inner, text)
		}
	case []any:
		for _, inner := range value {
			text, _ := inner.(string)
			c.keep(path+".*", inner, text)
		}
	default:
		if text == "" {
			return
		}
		c.values[path] = append(c.values[path], text)
		c.words[path] = append(append(c.words[path], text), strings.FieldsFunc(text, func(r rune) bool {
			return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
		})...)
	}
}

// targetOf identifies the thing that a call changes: by the parameters of its path or, if it has
// none, by the required attributes of its body. The path of an INSERT's POST is the parent of a new
// thing; it has no target.
func targetOf(req *dispatch.Request, b *bind.Binding) string {
	call := b.Call()
	m := call.Method
	if m.SQLVerb == provider.Insert && m.Verb == http.MethodPost {
		return ""
	}
	var parts []string
	for _, p := range m.Params {
		if p.In == provider.InPath {
			parts = append(parts, fmt.Sprintf("%q", fmt.Sprint(call.Args[p.Name])))
		}
	}
	if len(parts) == 0 && m.Body != nil {
		body, _ := call.Body.(map[string]any)
		for _, name := range m.Body.RequiredAttributes {
			switch value := bind.Unpack(body[name]).(type) {
			case map[string]any, []any: // what it becomes
			default:
				parts = append(parts, fmt.Sprintf("%q", fmt.Sprint(value)))
			}
		}
	}
	return req.Host() + " " + strings.Join(parts, " ")
}
