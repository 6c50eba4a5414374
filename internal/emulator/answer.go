package emulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
	"github.com/lakeql/lakeql/provider"
)

// answer is a resource as the call's documents have it: itself, in a wrapper, or what of it has a
// place there.
func (c *call) answer(r resource.Record) any {
	m := c.route.method
	if m.Response == nil || m.Response.Schema == nil {
		return json.RawMessage("{}")
	}
	whole := c.emulator.shapes.Response(m)
	if !provider.IsJSON(m.Response.MediaType) {
		return c.plainText(r)
	}
	k := c.route.target.Kind
	if k != nil && whole.SchemaName == "Operation" {
		if c.fails() {
			return c.home.operations.BeginFailing(c.operationName(r))
		}
		return c.home.operations.Begin(c.operationName(r), k.Item().AppendTo(nil, r))
	}
	if m.Verb == http.MethodGet { // a change answers with what it begins
		r = resource.Settled(r, c.emulator.opts.Clock())
	}
	if k == nil || whole.Same(k.Item()) {
		return json.RawMessage(whole.AppendTo(nil, r))
	}
	if name := documents.Wrapper(m, whole); name != "" {
		if c.route.target.Action == documents.ActionOther && !whole.Field(name).Same(k.Item()) {
			return c.invented(nil) // it is about something else
		}
		return json.RawMessage(whole.AppendTo(nil, resource.Record{name: r}))
	}
	shown := resource.Record{}
	for i := range whole.Properties {
		name := whole.Properties[i].Name
		f := whole.Field(name)
		value, ok := r[name]
		switch {
		case ok && f.Takes(value):
			shown[name] = value
		case f.Same(k.Item()) || f.Same(k.Listed()):
			shown[name] = r
		case name == "id" && len(k.IDs) == 1, c.route.target.Action == documents.ActionCreate && len(k.IDs) == 1 && strings.HasSuffix(name, "_id") && !k.Has(name):
			shown[name] = r[k.Field(k.IDs[0])]
		case slices.Contains(whole.Required, name):
			if made, ok := c.home.company().Inventor(m.Name).Value(f, name, 1, true); ok {
				shown[name] = made
			}
		}
	}
	if len(shown) == 0 && len(whole.Properties) > 0 && c.route.target.Action == documents.ActionOther {
		return c.invented(r)
	}
	return json.RawMessage(whole.AppendTo(nil, shown))
}

// invented answers with values that fit the documents, and with what the request itself said.
func (c *call) invented(known resource.Record) any {
	m := c.route.method
	if m.Response == nil || m.Response.Schema == nil {
		return json.RawMessage("{}")
	}
	whole := c.emulator.shapes.Response(m)
	if !provider.IsJSON(m.Response.MediaType) {
		return c.plainText(known)
	}
	if whole.Type == "array" {
		return json.RawMessage("[]")
	}
	r := c.home.company().Inventor(c.request()).Record(whole)
	maps.Copy(r, c.object())
	for name := range c.params {
		r[name] = c.params[name]
	}
	for name := range c.query {
		r[name] = c.query.Get(name)
	}
	maps.Copy(r, known)
	if pg := m.Paging; pg != nil {
		delete(r, pg.ResponseToken) // there is no page that an invented token would lead to
	}
	return json.RawMessage(whole.AppendTo(nil, r))
}

// plainText answers where the documents have text and no JSON.
func (c *call) plainText(r resource.Record) any {
	text := fmt.Sprintf("# %s\n", c.route.method.FullName())
	for _, name := range slices.Sorted(maps.Keys(r)) {
		if s := resource.Text(r[name]); s != "" {
			text += fmt.Sprintf("# %s: %s\n", name, apierror.Printable(s))
		}
	}
	return &answer{status: http.StatusOK, header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, body: []byte(text)}
}

// request names the call for drawing values, so that the same call gets the same answer.
func (c *call) request() string {
	return c.route.method.FullName() + "\n" + strings.Join(c.segments, "/")
}
