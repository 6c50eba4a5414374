package dispatch

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lakeql/lakeql/provider"
)

// shape says how the rows of an answer are found and what they hold.
type shape struct {
	key     string // attribute of the answer that holds the rows; empty: the answer itself
	columns []provider.Column
	secret  []bool
	scalar  bool // the items are no objects: one column holds each
	empty   bool // the answer has nothing to show
	stream  bool // the answer is no JSON: its bytes are the value
	// onlyHeaders is set where all of the answer is in its headers.
	onlyHeaders bool
	headers     []string // names of the headers that the last columns hold
}

// shapeOf reads a method's rows from its response: the body's schema, and the headers that carry
// part of the answer.
func (c *Client) shapeOf(m *provider.Method) (*shape, error) {
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

// Columns of a stream: its bytes, as text if they are UTF-8, else as base64, and which it is.
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
		s.stream = true
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
		if schema == nil { // the document does not say of what
			schema = &provider.Schema{}
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
	next   *following        // the next page; nil behind the last
	seen   map[string]bool   // places that were followed
	given  map[string]bool   // items that were given, where some come twice
	header http.Header       // of the page at hand
	body   []byte            // of a stream
	ended  error             // why there is nothing more: io.EOF, or what went wrong
}

func (p *pages) Columns() []provider.Column { return p.req.shape.columns }

func (p *pages) Close() error {
	p.end(&provider.Error{Code: provider.Internal, Message: "rows are read after they were closed"})
	return nil
}

// end keeps why the rows end, so that whoever asks again is not told that all were given.
func (p *pages) end(why error) {
	p.items, p.next = nil, nil
	if p.ended == nil {
		p.ended = why
	}
}

func (p *pages) Next(ctx context.Context) ([]any, error) {
	if p.ended == nil && ctx.Err() != nil {
		p.end(canceled(ctx, p.req))
	}
	for p.ended == nil {
		if len(p.items) > 0 {
			item := p.items[0]
			p.items = p.items[1:]
			if p.again(item) {
				continue
			}
			row, err := p.row(item)
			if err != nil {
				p.end(err)
				break
			}
			return row, nil
		}
		if p.next == nil {
			p.end(io.EOF)
		} else if err := p.turn(ctx); err != nil {
			p.end(err)
		}
	}
	return nil, p.ended
}

// fetch sends the request and takes the answer apart.
func (p *pages) fetch(ctx context.Context) error {
	answered, err := p.client.exchange(ctx, p.req)
	if err != nil {
		return err
	}
	body, s := answered.body, p.req.shape
	p.header = answered.header
	switch {
	case s.stream && strings.HasPrefix(p.header.Get("Content-Type"), "text/html"):
		return p.unreadable(body, nil) // a login page, say, is no file
	case s.stream:
		p.items = []json.RawMessage{nil} // the row is made of the body, which is no JSON
		p.body = body
		return nil
	case s.onlyHeaders:
		p.items = []json.RawMessage{json.RawMessage("{}")}
		return nil
	case s.empty:
		if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
			return p.unreadable(body, nil) // a login page, say, is not the work done
		}
		return nil
	case len(bytes.TrimSpace(body)) == 0:
		return callError(p.req, provider.API, "the answer is empty where rows should be")
	case s.key == "" && p.req.call.Method.Paging == nil:
		return p.take(body)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil || object == nil {
		return p.unreadable(body, err)
	}
	if paging := p.req.call.Method.Paging; paging != nil && paging.Kind == provider.ByMerging {
		if p.next, err = p.following(object, 0); err != nil {
			return err
		}
		if body, err = p.merge(ctx, object); err != nil {
			return err
		}
		return p.take(body)
	}
	if s.key == "" {
		err = p.take(body)
	} else if items, ok := object[s.key]; ok { // the API leaves empty lists out
		err = p.take(items)
	}
	if err != nil {
		return err
	}
	p.next, err = p.following(object, len(p.items))
	return err
}

// take keeps the items of a JSON array, or the one object, as the page at hand.
func (p *pages) take(raw json.RawMessage) error {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) > 0 && raw[0] == '[':
		var items []json.RawMessage // new: rows that were given may hold parts of the page before
		if err := json.Unmarshal(raw, &items); err != nil {
			return p.unreadable(raw, err)
		}
		p.items = items
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
	for i, name := range s.headers {
		at := len(s.columns) - len(s.headers) + i
		if text := p.header.Get(name); text != "" {
			row[at] = headerValue(text, s.columns[at].Type)
		}
	}
	switch {
	case s.stream && utf8.Valid(p.body):
		row[0], row[1] = string(p.body), "utf-8"
		return row, nil
	case s.stream:
		row[0], row[1] = base64.StdEncoding.EncodeToString(p.body), "base64"
		return row, nil
	case s.scalar:
		row[0] = convert(item, s.columns[0].Type, s.secret[0])
		return row, nil
	}
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal(item, &attributes); err != nil {
		return nil, p.unreadable(item, err)
	}
	for i, column := range s.columns[:len(s.columns)-len(s.headers)] {
		if raw, ok := attributes[column.Name]; ok {
			row[i] = convert(raw, column.Type, s.secret[i])
		}
	}
	return row, nil
}

// headerValue gives a header's value as what the document says it is.
func headerValue(text, typ string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && typ == "integer" {
		return n
	}
	return text
}

// again reports whether an item was given before. Where positions count items, those that come
// or go between two pages shift the rest.
func (p *pages) again(item json.RawMessage) bool {
	paging := p.req.call.Method.Paging
	if paging == nil || paging.Dedupe == "" {
		return false
	}
	var attributes map[string]json.RawMessage
	if json.Unmarshal(item, &attributes) != nil {
		return false
	}
	id := string(attributes[paging.Dedupe])
	if p.given[id] {
		return true
	}
	if p.given == nil {
		p.given = map[string]bool{}
	}
	p.given[id] = true
	return false
}

// convert gives a JSON value as the Go value of its row. Where the answer has another type than
// the document says, the answer counts: nothing is bent or lost.
func convert(raw json.RawMessage, typ string, secret bool) any {
	switch {
	case raw[0] == 'n':
		return nil
	case secret:
		return provider.Secret(unquote(raw))
	}
	switch raw[0] {
	case 't', 'f':
		return raw[0] == 't'
	case '"':
		text := unquote(raw)
		if typ == "integer" { // 64-bit integers come as text from some services
			if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
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
	if f, err := strconv.ParseFloat(text, 64); err == nil && keeps(f, text) {
		return f
	}
	return raw
}

// keeps reports whether a float64 says all that the text of a number says: written as short as
// tells it from other numbers, it is the same number.
func keeps(f float64, text string) bool {
	if len(text) <= 15 && !strings.ContainsAny(text, "eE") {
		return true // any 15 digits fit
	}
	digits, exponent := decimal(text)
	kept, keptExponent := decimal(strconv.FormatFloat(f, 'e', -1, 64))
	return digits == kept && exponent == keptExponent
}

// decimal gives the sign and digits of a JSON number, without zeros at either end, and the power
// of ten of the first digit. Zero has no digits.
func decimal(text string) (digits string, exponent int) {
	text, sign := strings.CutPrefix(text, "-")
	mantissa, power := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, power = text[:i], text[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	exponent = len(whole) - (len(whole+fraction) - len(digits))
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return "", 0
	}
	n, err := strconv.Atoi(cmp.Or(power, "0"))
	if err != nil {
		return text, 0 // out of all range: equal to nothing that is written from a float64
	}
	if sign {
		digits = "-" + digits
	}
	return digits, exponent + n
}
