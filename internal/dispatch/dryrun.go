package dispatch

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Describe returns each request as a row without sending it, for --dryrun: verb, URL, headers and
// body. Credentials are masked, those in the body as well.
func (c *Client) Describe(requests ...*Request) (provider.Rows, error) {
	columns := []provider.Column{
		{Name: "verb", Type: "string"},
		{Name: "url", Type: "string"},
		{Name: "headers", Type: "object"},
		{Name: "body", Type: "object"},
	}
	rows := make([][]any, len(requests))
	for i, req := range requests {
		var err error
		if rows[i], err = c.describe(req); err != nil {
			return nil, err
		}
	}
	return provider.NewRows(columns, rows), nil
}

func (c *Client) describe(req *Request) ([]any, error) {
	if req.connects() {
		return c.describeConnection(req), nil
	}
	headers := map[string]string{"Authorization": provider.Secret("").String()}
	for name, values := range req.http.Header {
		headers[name] = strings.Join(values, ", ")
	}
	if req.http.Host != "" {
		headers["Host"] = req.http.Host
	}
	m, u := req.call.Method, *req.http.URL
	query := u.Query()
	for i := range m.Params {
		p := &m.Params[i]
		switch {
		case !c.holdsSecret(m, p.Schema):
		case p.In == provider.InHeader && req.http.Header.Get(p.Name) != "":
			headers[http.CanonicalHeaderKey(p.Name)] = provider.Secret("").String()
		case p.In == provider.InQuery && query.Has(p.Name):
			query.Set(p.Name, provider.Secret("").String())
			u.RawQuery = query.Encode()
		}
	}
	encoded, err := json.Marshal(headers)
	if err != nil {
		return nil, provider.Internalf("encode the headers").Because(err)
	}
	row := []any{req.http.Method, u.String(), json.RawMessage(encoded), nil}
	switch {
	case !req.hasBody:
	case !provider.IsJSON(m.Body.MediaType): // a stream
		if row[3] = string(req.body); c.holdsSecret(m, m.Body.Schema) || LooksSecret(string(req.body)) {
			row[3] = provider.Secret("").String()
		}
	default:
		body, err := parse(string(req.body))
		if err != nil {
			return nil, provider.Internalf("read the body again").Because(err)
		}
		if body, _, err = c.MaskWritten(m, m.Body.Schema, body); err != nil {
			return nil, err
		}
		if encoded, err = json.Marshal(body); err != nil {
			return nil, provider.Internalf("encode the body").Because(err)
		}
		row[3] = json.RawMessage(encoded)
	}
	return row, nil
}

// holdsSecret reports whether a value of a schema may be a credential or hold one.
func (c *Client) holdsSecret(m *provider.Method, schema *provider.Schema) bool {
	seen := map[string]bool{}
	var search func(*provider.Schema) bool
	search = func(schema *provider.Schema) bool {
		if schema == nil || schema.Ref != "" && seen[schema.Ref] {
			return false
		}
		if schema.Ref != "" {
			seen[schema.Ref] = true
		}
		schema, err := c.Catalogue.Resolve(m, schema)
		if err != nil || schema == nil {
			return err != nil // it is not known what it holds
		}
		return schema.Secret() || search(schema.Items) || search(schema.Additional) ||
			slices.ContainsFunc(schema.Properties, func(p provider.Property) bool { return search(p.Schema) })
	}
	return search(schema)
}

// Columns describes the rows that a method returns.
func (c *Client) Columns(m *provider.Method) ([]provider.Column, error) {
	s, err := c.shapeOf(m)
	if err != nil {
		return nil, err
	}
	return slices.Clone(s.columns), nil
}
