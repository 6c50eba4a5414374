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
	"github.com/lakeql/lakeql/internal/emulator/lakebase"
	"github.com/lakeql/lakeql/internal/emulator/resource"
	"github.com/lakeql/lakeql/provider"
)

// answer writes a resource in the shape of the operation's documents: the resource itself, the resource
// in a wrapper, or some of its attributes.
func (req *apiRequest) answer(r resource.Record) any {
	m := req.method
	if m.Response == nil || m.Response.Schema == nil {
		return json.RawMessage("{}")
	}
	whole := req.shapes.Response(m)
	if !provider.IsJSON(m.Response.MediaType) {
		return req.plainText(r)
	}
	k := req.kind
	if k != nil && isOperation(whole) {
		if req.fails() {
			return req.home.operations.BeginFailing(operationName(req, r), operationSubject(req))
		}
		response := lakebase.Empty()
		if req.route.target.Action != documents.ActionDelete {
			response = k.Item().AppendTo(nil, r)
		}
		return req.home.operations.Begin(operationName(req, r), operationSubject(req), response)
	}
	if m.Verb == http.MethodGet { // a change answers with the state in which it begins
		r = resource.Settled(r, req.now())
	}
	if k == nil || whole.Same(k.Item()) {
		return json.RawMessage(whole.AppendTo(nil, r))
	}
	if name := documents.Wrapper(m, whole); name != "" {
		if req.route.target.Action == documents.ActionOther && !whole.Field(name).Same(k.Item()) {
			return req.invented(nil) // the answer is about something else
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
		case name == "id" && len(k.IDs) == 1, req.route.target.Action == documents.ActionCreate && len(k.IDs) == 1 && strings.HasSuffix(name, "_id") && !k.Has(name):
			shown[name] = r[k.Field(k.IDs[0])]
		case slices.Contains(whole.Required, name):
			if made, ok := req.home.company().Inventor(m.Name).Value(f, name, 1, true); ok {
				shown[name] = made
			}
		}
	}
	if len(shown) == 0 && len(whole.Properties) > 0 && req.route.target.Action == documents.ActionOther {
		return req.invented(r)
	}
	return json.RawMessage(whole.AppendTo(nil, shown))
}

// isOperation reports whether an answer is a long-running operation. Other resources may be called
// operations too.
func isOperation(s *documents.Shape) bool { return s.SchemaName == "Operation" && s.Has("done") }

// invented makes up an answer of the documents' shape that repeats the values of the request.
func (req *apiRequest) invented(known resource.Record) any {
	m := req.method
	if m.Response == nil || m.Response.Schema == nil {
		return json.RawMessage("{}")
	}
	whole := req.shapes.Response(m)
	if !provider.IsJSON(m.Response.MediaType) {
		return req.plainText(known)
	}
	if whole.Type == "array" {
		return json.RawMessage("[]")
	}
	r := req.home.company().Inventor(req.seedName()).Record(whole)
	maps.Copy(r, req.object())
	for name := range req.params {
		r[name] = req.params[name]
	}
	for name := range req.query {
		r[name] = req.query.Get(name)
	}
	maps.Copy(r, known)
	if pg := m.Paging; pg != nil {
		delete(r, pg.ResponseToken) // no page belongs to an invented token
	}
	return json.RawMessage(whole.AppendTo(nil, r))
}

// plainText answers an operation whose answer is text and not JSON.
func (req *apiRequest) plainText(r resource.Record) any {
	text := fmt.Sprintf("# %s\n", req.method.FullName())
	for _, name := range slices.Sorted(maps.Keys(r)) {
		if s := resource.Text(r[name]); s != "" {
			text += fmt.Sprintf("# %s: %s\n", name, apierror.Printable(s))
		}
	}
	return &response{status: http.StatusOK, header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, body: []byte(text)}
}

// seedName names the values of an invented answer, so that the same request gets the same answer.
func (req *apiRequest) seedName() string {
	return req.method.FullName() + "\n" + strings.Join(req.segments, "/")
}
