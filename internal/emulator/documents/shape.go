// Package documents derives facts from the API's documents that they do not state: which kinds of
// resources exist, and what each operation does with them. Verbs, paths and the shapes of answers show it.
//
// A [Kind] is a sort of resource. A [Target] is the effect of an operation on a resource of a kind. A
// [Shape] is a schema with its references followed, by which values are read and written.
package documents

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

// Shapes follows the references of a catalogue's schemas. It may be used by several goroutines.
type Shapes struct {
	catalogue *provider.Catalogue

	known sync.Map // *provider.Schema to *Shape
}

// NewShapes makes the shapes of a catalogue.
func NewShapes(catalogue *provider.Catalogue) *Shapes { return &Shapes{catalogue: catalogue} }

// Shape is a schema of the documents whose references are followed one level at a time, so that it
// may be recursive. Methods of a nil Shape treat everything below it as open.
type Shape struct {
	*provider.Schema

	SchemaName string // of a shared schema; else empty
	method     *provider.Method
	all        *Shapes
}

// Of returns the shape of a schema in a method's documents. It is nil if the schema is nil.
func (s *Shapes) Of(m *provider.Method, schema *provider.Schema) *Shape {
	if schema == nil {
		return nil
	}
	if known, ok := s.known.Load(schema); ok {
		return known.(*Shape) // the map holds nothing else
	}
	made := &Shape{SchemaName: schema.Ref, method: m, all: s}
	if resolved, err := s.catalogue.Resolve(m, schema); err == nil && resolved != nil {
		made.Schema = resolved
	} else {
		made.Schema = &provider.Schema{}
	}
	known, _ := s.known.LoadOrStore(schema, made)
	return known.(*Shape)
}

// Response returns the shape of a method's answer, or nil if it has none.
func (s *Shapes) Response(m *provider.Method) *Shape {
	if m.Response == nil {
		return nil
	}
	return s.Of(m, m.Response.Schema)
}

// Body returns the shape of a method's request body, or nil if it has none.
func (s *Shapes) Body(m *provider.Method) *Shape {
	if m.Body == nil {
		return nil
	}
	return s.Of(m, m.Body.Schema)
}

// Field returns the shape of an attribute, or nil if there is no such attribute.
func (s *Shape) Field(name string) *Shape {
	if s == nil {
		return nil
	}
	for i := range s.Properties {
		if s.Properties[i].Name == name {
			return s.all.Of(s.method, s.Properties[i].Schema)
		}
	}
	return nil
}

// Has reports whether the shape has an attribute.
func (s *Shape) Has(name string) bool { return s.Field(name) != nil }

// Elem returns the shape of an array's items.
func (s *Shape) Elem() *Shape { return s.all.Of(s.method, s.Items) }

// Values returns the shape of a map's values.
func (s *Shape) Values() *Shape { return s.all.Of(s.method, s.Additional) }

// Same reports whether two shapes are one shared schema.
func (s *Shape) Same(other *Shape) bool {
	return s != nil && other != nil && (s == other || s.SchemaName != "" && s.SchemaName == other.SchemaName && s.method.Resource != "" &&
		serviceName(s.method) == serviceName(other.method))
}

// serviceName returns provider.service of a method.
func serviceName(m *provider.Method) string {
	parts := strings.SplitN(m.Resource, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// ListField finds the attribute that holds the items of a list's answer, and their shape. The name
// is empty if the answer itself is the array.
func (s *Shape) ListField(objectKey string) (name string, items *Shape, ok bool) {
	if s == nil {
		return "", nil, false
	}
	if s.Type == "array" {
		return "", s.Elem(), true
	}
	if key := strings.TrimPrefix(objectKey, "$."); key != "" && key != objectKey {
		if f := s.Field(key); f != nil && f.Type == "array" {
			return key, f.Elem(), true
		}
	}
	return "", nil, false
}

// AppendTo appends a value as JSON. It leaves out attributes that the shape does not have and
// writes the others in the shape's order.
func (s *Shape) AppendTo(b []byte, value any) []byte {
	switch v := value.(type) {
	case map[string]any:
		return s.appendObject(b, v)
	case []any:
		b = append(b, '[')
		var items *Shape
		if s != nil && s.Items != nil {
			items = s.Elem()
		}
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = items.AppendTo(b, item)
		}
		return append(b, ']')
	case string:
		if s != nil && s.Type == "integer" && isNumber(v) {
			return append(b, v...)
		}
		return appendText(b, v)
	case int64:
		if s != nil && s.Type == "string" {
			return s.AppendTo(b, textOf(v, s.Format == "date-time"))
		}
		return strconv.AppendInt(b, v, 10)
	case int:
		return s.AppendTo(b, int64(v))
	case bool:
		return strconv.AppendBool(b, v)
	case json.Number:
		return append(b, v...)
	}
	return append(b, resource.JSON(value)...)
}

func (s *Shape) appendObject(b []byte, object map[string]any) []byte {
	b = append(b, '{')
	first := true
	put := func(name string, in *Shape, value any) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendText(b, name), ':')
		b = in.AppendTo(b, value)
	}
	if s != nil && len(s.Properties) > 0 {
		for i := range s.Properties {
			p := &s.Properties[i]
			value, ok := object[p.Name]
			if !ok || value == nil {
				continue
			}
			in := s.all.Of(s.method, p.Schema)
			if in.Takes(value) {
				put(p.Name, in, value)
			}
		}
		return append(b, '}')
	}
	var values *Shape
	if s != nil && s.Additional != nil {
		values = s.Values()
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		put(name, values, object[name])
	}
	return append(b, '}')
}

// AppendPage appends a page of a list as JSON: the items in the attribute of [Shape.ListField], and
// other attributes of the answer. Like the API, it leaves out an empty array that is not required.
func (s *Shape) AppendPage(b []byte, objectKey string, rows []any, more resource.Record) []byte {
	key, items, _ := s.ListField(objectKey)
	appendRows := func() {
		b = append(b, '[')
		for i, row := range rows {
			if i > 0 {
				b = append(b, ',')
			}
			b = items.AppendTo(b, row)
		}
		b = append(b, ']')
	}
	if key == "" {
		appendRows()
		return b
	}
	b = append(b, '{')
	for i := range s.Properties {
		name := s.Properties[i].Name
		value, ok := more[name]
		isRows := name == key
		switch {
		case isRows && len(rows) == 0 && !slices.Contains(s.Required, name), !isRows && !ok, !isRows && !s.Field(name).Takes(value):
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(appendText(b, name), ':')
		if isRows {
			appendRows()
		} else {
			b = s.Field(name).AppendTo(b, value)
		}
	}
	return append(b, '}')
}

// Takes reports whether a value has the shape's type. Two operations may use one name for values of
// different types; then an answer leaves the attribute out.
func (s *Shape) Takes(value any) bool {
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

// textOf writes a number as text: an id as its digits, a time in milliseconds in RFC 3339.
func textOf(n int64, isTime bool) string {
	if isTime {
		return time.UnixMilli(n).UTC().Format(time.RFC3339)
	}
	return strconv.FormatInt(n, 10)
}

// appendText appends a JSON string. Most strings need no escapes.
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
