package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// shape says how the rows of an answer are found and what they hold.
type shape struct {
	key     string // attribute of the answer that holds the rows; empty: the answer itself
	columns []provider.Column
	secret  []bool
	scalar  bool // the items are no objects: one column holds each
	empty   bool // the answer has nothing to show
}

// shapeOf reads a method's rows from its response schema.
func (c *Client) shapeOf(m *provider.Method) (*shape, error) {
	s := &shape{}
	if m.Response == nil || m.Response.Schema == nil {
		s.empty = true
		return s, nil
	}
	schema, err := c.Catalogue.Resolve(m, m.Response.Schema)
	if err != nil {
		return nil, err
	}
	name := m.Name
	if key := strings.TrimPrefix(m.Response.ObjectKey, "$."); key != "" && key != "$" {
		property, ok := schema.Property(key)
		if !ok {
			return nil, &provider.Error{Code: provider.Internal, Message: fmt.Sprintf("%s: the document's object key %s is no attribute of the response", m.FullName(), m.Response.ObjectKey)}
		}
		s.key, name = key, key
		if schema, err = c.Catalogue.Resolve(m, property); err != nil {
			return nil, err
		}
	}
	if schema.Type == "array" {
		if schema, err = c.Catalogue.Resolve(m, schema.Items); err != nil {
			return nil, err
		}
	}
	if len(schema.Properties) == 0 {
		if schema.Type == "object" && schema.Additional == nil && s.key == "" {
			s.empty = true
			return s, nil
		}
		s.scalar = true
		s.columns = []provider.Column{{Name: name, Type: schema.Type, Format: schema.Format, Description: schema.Description}}
		s.secret = []bool{schema.Secret()}
		return s, nil
	}
	for _, p := range schema.Properties {
		property, err := c.Catalogue.Resolve(m, p.Schema)
		if err != nil {
			return nil, err
		}
		s.columns = append(s.columns, provider.Column{Name: p.Name, Type: property.Type, Format: property.Format, Description: property.Description})
		s.secret = append(s.secret, property.Secret())
	}
	return s, nil
}

// pages are the rows of a call, fetched page by page as they are read.
type pages struct {
	client *Client
	req    *Request
	items  []json.RawMessage // of the page at hand, not yet given
	token  string            // of the next page
	seen   map[string]bool   // tokens that were followed
	closed bool
}

func (p *pages) Columns() []provider.Column { return p.req.shape.columns }

func (p *pages) Close() error {
	p.items, p.token, p.closed = nil, "", true
	return nil
}

func (p *pages) Next(ctx context.Context) ([]any, error) {
	for len(p.items) == 0 {
		if p.token == "" {
			return nil, io.EOF
		}
		if err := p.turn(ctx); err != nil {
			_ = p.Close()
			return nil, err
		}
	}
	item := p.items[0]
	p.items = p.items[1:]
	return p.row(item)
}

// turn fetches the next page.
func (p *pages) turn(ctx context.Context) error {
	if p.seen[p.token] {
		return callError(p.req, provider.API, fmt.Sprintf("the page token %s came twice: the list would never end", provider.Quote(p.token)))
	}
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	p.seen[p.token] = true
	next := *p.req
	next.http = p.req.http.Clone(ctx)
	paging := p.req.call.Method.Paging
	if paging.RequestIn == provider.InQuery {
		query := next.http.URL.Query()
		query.Set(paging.RequestToken, p.token)
		next.http.URL.RawQuery = query.Encode()
	} else if err := next.setAttribute(paging.RequestToken, p.token); err != nil {
		return err
	}
	p.req = &next
	return p.fetch(ctx)
}

// setAttribute changes an attribute of the request body, where some lists take their page token.
func (r *Request) setAttribute(name, value string) error {
	attributes := map[string]json.RawMessage{}
	if r.hasBody {
		if err := json.Unmarshal(r.body, &attributes); err != nil {
			return &provider.Error{Code: provider.Internal, Message: "set the page token in the request body", Err: err}
		}
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return &provider.Error{Code: provider.Internal, Message: "encode the page token", Err: err}
	}
	attributes[name] = encoded
	if r.body, err = json.Marshal(attributes); err != nil {
		return &provider.Error{Code: provider.Internal, Message: "encode the request body", Err: err}
	}
	r.hasBody = true
	return nil
}

// fetch sends the request and takes the answer apart.
func (p *pages) fetch(ctx context.Context) error {
	body, err := p.client.exchange(ctx, p.req)
	if err != nil {
		return err
	}
	p.token = ""
	if p.req.shape.empty {
		return nil
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return callError(p.req, provider.API, "the answer is empty where rows should be")
	}
	if p.req.shape.key == "" && p.req.call.Method.Paging == nil {
		return p.take(body)
	}
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(body, &answer); err != nil || answer == nil {
		return p.unreadable(body, err)
	}
	if paging := p.req.call.Method.Paging; paging != nil {
		if raw, ok := answer[paging.ResponseToken]; ok {
			p.token = strings.Trim(unquote(raw), " ")
			if string(raw) == "null" {
				p.token = ""
			}
		}
	}
	if p.req.shape.key == "" {
		return p.take(body)
	}
	items, ok := answer[p.req.shape.key]
	if !ok {
		return nil // the API leaves empty lists out
	}
	return p.take(items)
}

// take keeps the items of a JSON array, or the one object, as the page at hand.
func (p *pages) take(raw json.RawMessage) error {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) > 0 && raw[0] == '[':
		if err := json.Unmarshal(raw, &p.items); err != nil {
			return p.unreadable(raw, err)
		}
	case bytes.Equal(raw, []byte("null")):
	case !json.Valid(raw):
		return p.unreadable(raw, json.Unmarshal(raw, new(any)))
	default:
		p.items = []json.RawMessage{raw}
	}
	return nil
}

// unreadable is the error that an answer is not what the document says.
func (p *pages) unreadable(body []byte, cause error) error {
	text := strings.TrimSpace(string(body))
	message := "the answer is not the JSON that the document describes"
	if strings.HasPrefix(text, "<") {
		message = "answered with an HTML page instead of JSON"
	} else if cause != nil {
		message += ": " + cause.Error()
	}
	e := callError(p.req, provider.API, message)
	e.Hint = "check that the host is that of a workspace"
	e.Err = cause
	return e
}

// row takes an item apart into the values of its columns.
func (p *pages) row(item json.RawMessage) ([]any, error) {
	s := p.req.shape
	row := make([]any, len(s.columns))
	if s.scalar {
		row[0] = convert(item, s.columns[0].Type, s.secret[0])
		return row, nil
	}
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal(item, &attributes); err != nil {
		return nil, p.unreadable(item, err)
	}
	for i, column := range s.columns {
		if raw, ok := attributes[column.Name]; ok {
			row[i] = convert(raw, column.Type, s.secret[i])
		}
	}
	return row, nil
}

// convert gives a JSON value as the Go value of its row. Where the answer has another type than
// the document says, the answer counts: nothing is bent or lost.
func convert(raw json.RawMessage, typ string, secret bool) any {
	switch raw[0] {
	case 'n':
		return nil
	case 't', 'f':
		return raw[0] == 't'
	case '"':
		text := unquote(raw)
		if secret {
			return provider.Secret(text)
		}
		if typ == "integer" { // 64-bit integers come as text from some services
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				return n
			}
		}
		return text
	case '{', '[':
		return raw
	}
	return number(raw, typ)
}

// exactInFloat bounds the integers that float64 holds without a gap.
const exactInFloat = 1 << 53

// number gives an int64 for integers, a float64 for other numbers and for what the document calls
// a number, and the JSON itself where neither would keep the value.
func number(raw json.RawMessage, typ string) any {
	text := string(raw)
	if !strings.ContainsAny(text, ".eE") {
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil:
			return raw
		case typ == "number" && n > -exactInFloat && n < exactInFloat:
			return float64(n)
		default:
			return n
		}
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return f
	}
	return raw
}
