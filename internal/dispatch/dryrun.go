package dispatch

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Describe gives the request as a row without sending it, for --dryrun: verb, URL, headers and
// body. Credentials are masked, those in the body as well.
func (c *Client) Describe(req *Request) (provider.Rows, error) {
	columns := []provider.Column{
		{Name: "verb", Type: "string"},
		{Name: "url", Type: "string"},
		{Name: "headers", Type: "object"},
		{Name: "body", Type: "object"},
	}
	headers := map[string]string{"Authorization": provider.Secret("").String()}
	for name, values := range req.http.Header {
		headers[name] = strings.Join(values, ", ")
	}
	if req.http.Host != "" {
		headers["Host"] = req.http.Host
	}
	encoded, err := json.Marshal(headers)
	if err != nil {
		return nil, &provider.Error{Code: provider.Internal, Message: "encode the headers", Err: err}
	}
	row := []any{req.http.Method, req.http.URL.String(), json.RawMessage(encoded), nil}
	if req.hasBody {
		body, err := parse(string(req.body))
		if err != nil {
			return nil, &provider.Error{Code: provider.Internal, Message: "read the body again", Err: err}
		}
		m := req.call.Method
		if body, _, err = c.mask(m, m.Body.Schema, body); err != nil {
			return nil, err
		}
		if encoded, err = json.Marshal(body); err != nil {
			return nil, &provider.Error{Code: provider.Internal, Message: "encode the body", Err: err}
		}
		row[3] = json.RawMessage(encoded)
	}
	return provider.NewRows(columns, [][]any{row}), nil
}

// HasSecret reports whether a request body for the method holds a credential.
func (c *Client) HasSecret(m *provider.Method, body any) (bool, error) {
	if m.Body == nil {
		return false, nil
	}
	_, found, err := c.mask(m, m.Body.Schema, body)
	return found, err
}

// mask copies a value with a mask in place of each credential, and reports whether there was one.
func (c *Client) mask(m *provider.Method, schema *provider.Schema, value any) (any, bool, error) {
	schema, err := c.Catalogue.Resolve(m, schema)
	if err != nil || schema == nil || value == nil {
		return value, false, err
	}
	if schema.Secret() {
		return provider.Secret(""), true, nil
	}
	found := false
	switch value := value.(type) {
	case []any:
		copied := slices.Clone(value)
		for i := range copied {
			masked, secret, err := c.mask(m, schema.Items, copied[i])
			if err != nil {
				return nil, false, err
			}
			copied[i], found = masked, found || secret
		}
		return copied, found, nil
	case map[string]any:
		copied := make(map[string]any, len(value))
		for name, attribute := range value {
			property, ok := schema.Property(name)
			if !ok {
				property = schema.Additional
			}
			masked, secret, err := c.mask(m, property, attribute)
			if err != nil {
				return nil, false, err
			}
			copied[name], found = masked, found || secret
		}
		return copied, found, nil
	}
	return value, false, nil
}

// Columns describes the rows that a method gives.
func (c *Client) Columns(m *provider.Method) ([]provider.Column, error) {
	s, err := c.shapeOf(m)
	if err != nil {
		return nil, err
	}
	return s.columns, nil
}
