package dispatch

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lakeql/lakeql/provider"
)

// build makes the request without its host.
func (c *Client) build(call Call) (*Request, error) {
	m := call.Method
	for name := range call.Args {
		if _, ok := m.Param(name); !ok {
			return nil, usage(name, nil, "%s has no such parameter", m.FullName())
		}
	}
	path := m.Path
	query := url.Values{}
	header := http.Header{}
	for i := range m.Params {
		p := &m.Params[i]
		value, err := c.argument(m, p, call.Args[p.Name])
		if err != nil {
			return nil, err
		}
		if value == nil {
			if p.Required {
				return nil, usage(p.Name, nil, "missing: %s requires it", m.FullName())
			}
			continue
		}
		switch p.In {
		case provider.InPath:
			escaped, err := pathSegment(p, value)
			if err != nil {
				return nil, err
			}
			path = strings.ReplaceAll(path, "{"+p.Name+"}", escaped)
		case provider.InQuery:
			addQuery(query, p.Name, value)
		case provider.InHeader:
			text := plain(value)
			if strings.ContainsFunc(text, unicode.IsControl) {
				return nil, usage(p.Name, nil, "%s cannot stand in a header", provider.Quote(text))
			}
			header.Set(p.Name, text)
		}
	}
	if strings.ContainsAny(path, "{}") {
		return nil, &provider.Error{Code: provider.Internal, Message: fmt.Sprintf("%s: the path %s has a parameter that the document does not declare", m.FullName(), m.Path)}
	}
	req := &Request{call: call}
	if err := c.encodeBody(req); err != nil {
		return nil, err
	}
	shape, err := c.shapeOf(m)
	if err != nil {
		return nil, err
	}
	req.shape = shape
	unescaped, err := url.PathUnescape(path)
	if err != nil {
		return nil, &provider.Error{Code: provider.Internal, Message: fmt.Sprintf("%s: path %s: %v", m.FullName(), path, err)}
	}
	header.Set("Accept", "application/json")
	if req.hasBody {
		header.Set("Content-Type", "application/json")
	}
	header.Set("User-Agent", c.UserAgent)
	req.http = &http.Request{
		Method: m.Verb,
		URL:    &url.URL{Path: unescaped, RawPath: path, RawQuery: query.Encode()},
		Header: header,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	return req, nil
}

// encodeBody checks the body and writes it as JSON, with attributes sorted by name as the
// official SDK has them.
func (c *Client) encodeBody(req *Request) error {
	m, value := req.call.Method, req.call.Body
	if m.Body == nil {
		if value != nil {
			return usage("", nil, "%s takes no request body", m.FullName())
		}
		return nil
	}
	if value == nil {
		if len(m.Body.RequiredAttributes) > 0 {
			return usage(m.Body.RequiredAttributes[0], nil, "missing: %s requires it", m.FullName())
		}
		if !m.Body.Required {
			return nil
		}
		value = map[string]any{}
	}
	checked, err := c.check(m, m.Body.Schema, value, nil)
	if err != nil {
		if e, ok := errors.AsType[*provider.Error](err); ok && e.Code == provider.Usage && len(e.Path) == 0 {
			e.Message = "the request body: " + e.Message
		}
		return err
	}
	req.body, err = json.Marshal(checked)
	if err != nil {
		return &provider.Error{Code: provider.Internal, Message: "encode the request body", Err: err}
	}
	req.hasBody = true
	return nil
}

// argument checks the value of a path, query or header parameter. Such values travel as text, so
// a number or boolean is welcome where the document says string.
func (c *Client) argument(m *provider.Method, p *provider.Parameter, value any) (any, error) {
	if value == nil || p.Schema == nil {
		return value, nil
	}
	schema, err := c.Catalogue.Resolve(m, p.Schema)
	if err != nil {
		return nil, err
	}
	if schema.Type == "string" {
		switch value.(type) {
		case json.Number, bool:
			value = plain(value)
		}
	}
	checked, err := c.check(m, schema, value, nil)
	if e, ok := errors.AsType[*provider.Error](err); ok && e.Code == provider.Usage {
		return nil, usage(p.Name, e.Path, "%s", strings.TrimPrefix(e.Message, e.Path.String()+": "))
	}
	return checked, err
}

// percentEscape matches a character written as a percent-escape.
var percentEscape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// pathSegment escapes the value of a path parameter, so that it stays within its segment, and
// refuses what servers or proxies on the way could read as more than a name.
func pathSegment(p *provider.Parameter, value any) (string, error) {
	text := plain(value)
	if text == "" {
		return "", usage(p.Name, nil, "empty where a path needs a name")
	}
	if !utf8.ValidString(text) {
		return "", usage(p.Name, nil, "%s is not valid UTF-8", provider.Quote(text))
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		return "", usage(p.Name, nil, "%s has a character that does not print, at byte %d", provider.Quote(text), i)
	}
	if percentEscape.MatchString(text) {
		e := usage(p.Name, nil, "%s holds a percent-escape", provider.Quote(text))
		e.Hint = "write the characters themselves: they are escaped on the way"
		return "", e
	}
	segments := []string{text}
	if p.MultiSegment {
		segments = strings.Split(strings.TrimPrefix(text, "/"), "/")
	}
	for i, segment := range segments {
		switch {
		case segment == "." || segment == "..":
			return "", usage(p.Name, nil, "%s would lead to another path", provider.Quote(text))
		case strings.ContainsAny(segment, `/\`):
			e := usage(p.Name, nil, "%s holds a slash, which ends a path segment", provider.Quote(text))
			e.Hint = "give the last part of a resource name here, or the whole of it as name or parent"
			return "", e
		}
		segments[i] = url.PathEscape(segment)
	}
	escaped := strings.Join(segments, "/")
	if p.MultiSegment && strings.HasPrefix(text, "/") {
		escaped = "/" + escaped
	}
	return escaped, nil
}

// addQuery writes a value into the query: lists as repeated keys, objects as dotted ones.
func addQuery(query url.Values, name string, value any) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			query.Add(name, plain(item))
		}
	case map[string]any:
		keys := make([]string, 0, len(value))
		for key := range value {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			addQuery(query, name+"."+key, value[key])
		}
	default:
		query.Add(name, plain(value))
	}
}

// plain writes a scalar as text.
func plain(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	default:
		return fmt.Sprint(value)
	}
}
