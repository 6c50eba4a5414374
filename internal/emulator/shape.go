package emulator

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/resource"
	"github.com/lakeql/lakeql/provider"
)

// shapes gives schemas with their references followed.
type shapes struct {
	catalogue *provider.Catalogue

	known sync.Map // *provider.Schema to *shape
}

// shape is a schema of the documents, ready for walking values by it. Recursive schemas make no
// difference, as what is below is found on the way.
type shape struct {
	*provider.Schema

	ref    string // name of the shared schema, where it is one
	method *provider.Method
	all    *shapes
}

// of gives the shape of a schema that belongs to a method. It is nil where the documents leave
// everything open, or refer to what they do not have.
func (s *shapes) of(m *provider.Method, schema *provider.Schema) *shape {
	if schema == nil {
		return nil
	}
	if known, ok := s.known.Load(schema); ok {
		return known.(*shape) // nothing else is put in
	}
	made := &shape{ref: schema.Ref, method: m, all: s}
	if resolved, err := s.catalogue.Resolve(m, schema); err == nil && resolved != nil {
		made.Schema = resolved
	} else {
		made.Schema = &provider.Schema{}
	}
	known, _ := s.known.LoadOrStore(schema, made)
	return known.(*shape)
}

// field gives the shape of an attribute, nil where there is none.
func (s *shape) field(name string) *shape {
	if s == nil {
		return nil
	}
	for i := range s.Properties {
		if s.Properties[i].Name == name {
			return s.all.of(s.method, s.Properties[i].Schema)
		}
	}
	return nil
}

// has reports whether the shape has an attribute.
func (s *shape) has(name string) bool { return s.field(name) != nil }

// items is the shape of a list's items, values that of a map's values.
func (s *shape) items() *shape  { return s.all.of(s.method, s.Items) }
func (s *shape) values() *shape { return s.all.of(s.method, s.Additional) }

// same reports whether two shapes are one shared schema.
func (s *shape) same(other *shape) bool {
	return s != nil && other != nil && (s == other || s.ref != "" && s.ref == other.ref && s.method.Resource != "" &&
		serviceName(s.method) == serviceName(other.method))
}

// serviceName is provider.service of a method.
func serviceName(m *provider.Method) string {
	parts := strings.SplitN(m.Resource, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// listField is the attribute that holds the rows of an answer, and its items' shape; the name is
// empty where the answer itself is the list.
func (s *shape) listField(objectKey string) (name string, items *shape, ok bool) {
	if s == nil {
		return "", nil, false
	}
	if s.Type == "array" {
		return "", s.items(), true
	}
	if key := strings.TrimPrefix(objectKey, "$."); key != "" && key != objectKey {
		if f := s.field(key); f != nil && f.Type == "array" {
			return key, f.items(), true
		}
	}
	return "", nil, false
}

// appendTo writes a value as JSON in this shape: attributes that the shape does not have are left
// out, and others come in its order.
func (s *shape) appendTo(b []byte, value any) []byte {
	switch v := value.(type) {
	case map[string]any:
		return s.appendObject(b, v)
	case []any:
		b = append(b, '[')
		var items *shape
		if s != nil && s.Items != nil {
			items = s.items()
		}
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = items.appendTo(b, item)
		}
		return append(b, ']')
	case string:
		if s != nil && s.Type == "integer" && isNumber(v) {
			return append(b, v...)
		}
		return appendText(b, v)
	case int64:
		if s != nil && s.Type == "string" {
			return s.appendTo(b, textOf(v, s.Format == "date-time"))
		}
		return strconv.AppendInt(b, v, 10)
	case int:
		return s.appendTo(b, int64(v))
	case bool:
		return strconv.AppendBool(b, v)
	case json.Number:
		return append(b, v...)
	}
	return append(b, resource.JSON(value)...)
}

func (s *shape) appendObject(b []byte, object map[string]any) []byte {
	b = append(b, '{')
	first := true
	put := func(name string, in *shape, value any) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendText(b, name), ':')
		b = in.appendTo(b, value)
	}
	if s != nil && len(s.Properties) > 0 {
		for i := range s.Properties {
			p := &s.Properties[i]
			value, ok := object[p.Name]
			if !ok || value == nil {
				continue
			}
			in := s.all.of(s.method, p.Schema)
			if in.takes(value) {
				put(p.Name, in, value)
			}
		}
		return append(b, '}')
	}
	var values *shape
	if s != nil && s.Additional != nil {
		values = s.values()
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		put(name, values, object[name])
	}
	return append(b, '}')
}

// takes reports whether a value can be written in the shape. Two operations may use one name for
// things of different types; then an answer goes without it.
func (s *shape) takes(value any) bool {
	if s == nil {
		return true
	}
	switch v := value.(type) {
	case resource.Record:
		return s.Type == "object" || s.Type == ""
	case []any:
		return s.Type == "array" || s.Type == ""
	case string:
		if s.Type == "integer" {
			return isNumber(v)
		}
		return (s.Type == "string" || s.Type == "") && (len(s.Enum) == 0 || slices.Contains(s.Enum, any(v)))
	case bool:
		return s.Type == "boolean" || s.Type == ""
	case int, int64:
		return s.Type == "integer" || s.Type == "number" || s.Type == "" || s.Type == "string" && len(s.Enum) == 0
	}
	return s.Type == "integer" || s.Type == "number" || s.Type == ""
}

func isNumber(text string) bool {
	_, err := strconv.ParseInt(text, 10, 64)
	return err == nil
}

// textOf words a number: an id as its digits, a time in milliseconds as RFC 3339 has it.
func textOf(n int64, isTime bool) string {
	if isTime {
		return time.UnixMilli(n).UTC().Format(time.RFC3339)
	}
	return strconv.FormatInt(n, 10)
}

// appendText writes a JSON string. Most need no escapes.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return append(b, resource.JSON(text)...)
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}
