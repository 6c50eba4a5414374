package dispatch

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"github.com/lakeql/lakeql/provider"
)

const jsonType = "application/json"

// build makes the request without its host.
func (c *Client) build(call Call) (*Request, error) {
	m := call.Method
	for name := range call.Args {
		if _, ok := m.Param(name); !ok {
			return nil, usage(name, nil, "%s has no such parameter", m.FullName())
		}
	}
	segments := map[string]string{}
	query := url.Values{}
	header := http.Header{}
	for i := range m.Params {
		p := &m.Params[i]
		value, err := c.argument(m, p, call.Args[p.Name])
		if err != nil {
			return nil, err
		}
		if value == nil && p.RequestID {
			value = uuid.NewString()
		}
		if value == nil && p.Default != "" {
			value = p.Default
		}
		if value == nil {
			if p.Required {
				return nil, usage(p.Name, nil, "missing: %s requires it", m.FullName())
			}
			continue
		}
		switch p.In {
		case provider.InPath:
			if segments[p.Name], err = escapePath(m, p, plain(value)); err != nil {
				return nil, err
			}
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
	path, ok := expand(m.Path, segments)
	if !ok {
		return nil, provider.Internalf("%s: the path %s has a parameter that the document does not declare", m.FullName(), m.Path)
	}
	if p := m.Paging; p != nil && p.Limit != "" && !query.Has(p.Limit) {
		query.Set(p.Limit, strconv.Itoa(p.LimitValue))
	}
	if p := m.Paging; p != nil && p.First != 0 && !query.Has(p.RequestToken) {
		query.Set(p.RequestToken, strconv.Itoa(p.First))
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
		return nil, provider.Internalf("%s: path %s: %v", m.FullName(), path, err)
	}
	header.Set("Accept", jsonType)
	if m.Response != nil {
		header.Set("Accept", cmp.Or(m.Response.MediaType, jsonType))
	}
	if req.hasBody {
		header.Set("Content-Type", cmp.Or(m.Body.MediaType, jsonType))
	}
	header.Set("User-Agent", c.UserAgent)
	target := &url.URL{Path: unescaped, RawPath: path, RawQuery: query.Encode()}
	if len(m.Servers) > 0 && len(m.ServerVariables()) == 0 {
		if server, err := url.Parse(m.Servers[0].URL); err == nil {
			target.Scheme, target.Host = server.Scheme, server.Host
		}
	}
	req.http = &http.Request{
		Method: m.Verb,
		URL:    target,
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
	value, err := c.complete(req.call, value)
	if err != nil {
		return err
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
	if text, ok := value.(string); ok && !provider.IsJSON(m.Body.MediaType) {
		req.body, req.hasBody = []byte(text), true // a stream: bytes as they are
		return nil
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
		return provider.Internalf("encode the request body").Because(err)
	}
	req.hasBody = true
	return nil
}

// complete adds the attributes to the body that a user need not write: parameters of the path that are
// also sent in the body, and new request ids.
func (c *Client) complete(call Call, body any) (any, error) {
	m := call.Method
	schema, err := c.Catalogue.Resolve(m, m.Body.Schema)
	if err != nil || schema == nil {
		return body, err
	}
	added := map[string]any{}
	for _, name := range m.BodyFromPath {
		added[name] = call.Args[name]
	}
	for _, p := range schema.Properties {
		if p.Schema.RequestID {
			added[p.Name] = uuid.NewString()
		}
	}
	if len(added) == 0 {
		return body, nil
	}
	if body == nil {
		return added, nil
	}
	given, ok := body.(map[string]any)
	if !ok {
		return body, nil // check says what is wrong with it
	}
	for name, value := range given {
		if value != nil || added[name] == nil {
			added[name] = value
		}
	}
	return added, nil
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
		named := usage(p.Name, e.Path, "%s", strings.TrimPrefix(e.Message, e.Path.String()+": "))
		named.Hint = e.Hint
		return nil, named
	}
	return checked, err
}

// addQuery writes a value into the query: lists as repeated keys, objects as dotted ones.
func addQuery(query url.Values, name string, value any) {
	switch value := value.(type) {
	case nil:
	case []any:
		for _, item := range value {
			if item != nil {
				query.Add(name, plain(item))
			}
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

// plain writes a scalar as text, and any other value as JSON.
func plain(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	case []any, map[string]any:
		if encoded, err := json.Marshal(value); err == nil {
			return string(encoded)
		}
	}
	return fmt.Sprint(value)
}
