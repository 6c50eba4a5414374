package dispatch

import (
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// shape describes where the rows of an answer are and which columns they have.
type shape struct {
	whole   form   // of the answer
	key     string // attribute of the answer that holds the rows; empty: the answer itself
	listed  bool   // the rows are the items of a list
	item    form   // of a row
	echoes  string // a parameter that an answer of one resource has as an attribute
	columns []provider.Column
	secret  []bool
	schemas []*provider.Schema // of the columns that come from the body's schema, resolved
	index   map[string]int     // of the columns that are attributes
	scalar  bool               // the items are no objects: one column holds each
	empty   bool               // the answer has nothing to show
	stream  bool               // the answer is no JSON: its bytes are the value
	bytes   bool               // also where they are no text
	// onlyHeaders is set where all of the answer is in its headers.
	onlyHeaders bool
	headers     []string // names of the headers that the last columns hold
}

// shapeOf reads a method's rows from its response: the body's schema, and the headers that carry
// part of the answer. It is read once; do not change it.
func (c *Client) shapeOf(m *provider.Method) (*shape, error) {
	return c.documents().shapes.get(shapeKey{m, c.Bytes}, func() (*shape, error) { return c.readShape(m) })
}

func (c *Client) readShape(m *provider.Method) (*shape, error) {
	s, err := c.bodyShape(m)
	if err != nil || m.Response == nil || len(m.Response.Headers) == 0 {
		return s, err
	}
	s.onlyHeaders, s.empty = s.empty, false
	for _, h := range m.Response.Headers {
		s.headers = append(s.headers, h.Name)
		s.columns = append(s.columns, provider.Column{Name: h.Name, Type: h.Schema.Type, Format: h.Schema.Format, Description: h.Schema.Description})
		s.secret = append(s.secret, h.Schema.Secret())
	}
	return s, nil
}

// Columns of a stream: its bytes, as text if they are UTF-8, else as base64 or as they are, and which
// it is.
const (
	contentsColumn = "contents"
	encodingColumn = "contents_encoding"
)

func (c *Client) bodyShape(m *provider.Method) (*shape, error) {
	s := &shape{}
	switch {
	case m.Response == nil || m.Response.Schema == nil:
		s.empty = true
		return s, nil
	case !provider.IsJSON(m.Response.MediaType):
		s.stream, s.bytes = true, c.Bytes
		s.columns = []provider.Column{
			{Name: contentsColumn, Type: "string", Description: "What was answered."},
			{Name: encodingColumn, Type: "string", Description: "utf-8, or base64 where the bytes are no text."},
		}
		s.secret = []bool{false, false}
		return s, nil
	}
	schema, err := c.Catalogue.Resolve(m, m.Response.Schema)
	if err != nil {
		return nil, err
	}
	s.whole = formOf(schema)
	name := m.Name
	if key := strings.TrimPrefix(m.Response.ObjectKey, "$."); key != "" && key != "$" {
		property, ok := schema.Property(key)
		if !ok {
			return nil, provider.Internalf("%s: the document's object key %s is no attribute of the response", m.FullName(), m.Response.ObjectKey)
		}
		s.key, name = key, key
		if schema, err = c.Catalogue.Resolve(m, property); err != nil {
			return nil, err
		}
	}
	if schema.Type == "array" {
		s.listed = true
		if schema, err = c.Catalogue.Resolve(m, schema.Items); err != nil {
			return nil, err
		}
		if schema == nil { // the document does not say of what
			schema = &provider.Schema{}
		}
	}
	s.item = formOf(schema)
	if len(schema.Properties) == 0 {
		if schema.Type == "object" && schema.Additional == nil && s.key == "" {
			s.empty = true
			return s, nil
		}
		s.scalar = true
		s.columns = []provider.Column{{Name: name, Type: schema.Type, Format: schema.Format, Description: schema.Description}}
		s.secret, s.schemas = []bool{schema.Secret()}, []*provider.Schema{schema}
		return s, nil
	}
	if m.SQLVerb == provider.Select && !s.listed && s.key == "" {
		s.echoes = echoed(m, s.item)
	}
	s.index = map[string]int{}
	for _, p := range schema.Properties {
		property, err := c.Catalogue.Resolve(m, p.Schema)
		if err != nil {
			return nil, err
		}
		s.index[p.Name] = len(s.columns)
		s.columns = append(s.columns, provider.Column{Name: p.Name, Type: property.Type, Format: property.Format, Description: property.Description, Former: strings.Join(p.Schema.Former, " ")})
		s.secret = append(s.secret, property.Secret())
		s.schemas = append(s.schemas, property)
	}
	return s, nil
}

// echoed returns a required parameter that is also an attribute of the answer; empty if none is.
func echoed(m *provider.Method, f form) string {
	for _, p := range m.Params {
		if p.Required && f.names[p.Name] {
			return p.Name
		}
	}
	return ""
}
