package emulator

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
	"github.com/lakeql/lakeql/provider"
)

// handler carries out one operation. Its result is sent as JSON.
type handler func(*apiRequest) (any, error)

// apiRequest is a request for a documented operation that is valid by its documents.
type apiRequest struct {
	input

	ctx       context.Context // of the request
	emulator  *Emulator
	workspace *workspace
	home      *workspace // holds the operation's resources: the workspace, or the account
	route     *route
	segments  []string // of the path, unescaped
	subject   string   // the caller
	base      string   // http://dbc-1.localhost:40123
	fault     *Fault   // the rule that hit the request; nil: none
}

func (req *apiRequest) now() time.Time { return req.emulator.opts.Clock() }

// fails reports whether a fault rule makes the operation of the request fail.
func (req *apiRequest) fails() bool { return req.fault != nil && req.fault.Kind == FaultFail }

// shaped writes a record in the shape of the operation's answer.
func (req *apiRequest) shaped(r resource.Record) json.RawMessage {
	return req.shapes.Response(req.method).AppendTo(nil, r)
}

// input holds the values of a request: path, query and body.
type input struct {
	params map[string]string // of the path, by name
	query  url.Values
	body   []byte
	parsed resource.Record // see object

	contentType string // of the body

	kind   *documents.Kind // of the resource that the request is about; nil: none
	method *provider.Method
	shapes *documents.Shapes
}

// value returns the value of a name in the path, the query or the body.
func (in *input) value(name string) string {
	if text, ok := in.params[name]; ok {
		return text
	}
	if in.query.Has(name) {
		return in.query.Get(name)
	}
	body := in.object()
	if value, ok := body[name]; ok {
		return resource.Text(value)
	}
	if inner := in.content(); inner != nil {
		return resource.Text(inner[name])
	}
	return ""
}

// values returns the values of several names.
func (in *input) values(names []string) []string {
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = in.value(name)
	}
	return values
}

// object returns the body. It is empty if the body is not a JSON object.
func (in *input) object() resource.Record {
	if in.parsed == nil {
		in.parsed = resource.Record{}
		if len(in.body) == 0 {
			return in.parsed
		}
		if value, err := resource.Decode(in.body); err == nil {
			if object, ok := value.(resource.Record); ok {
				in.parsed = object
			}
		}
	}
	return in.parsed
}

// content returns the resource in the body: the body itself, or the attribute that holds the
// resource.
func (in *input) content() resource.Record {
	body := in.object()
	k := in.kind
	if k == nil || in.method.Body == nil {
		return body
	}
	whole := in.shapes.Body(in.method)
	item := k.Item()
	for name, value := range body {
		object, ok := value.(resource.Record)
		if !ok {
			continue
		}
		f := whole.Field(name)
		if f.Same(item) || f.Same(k.Listed()) || !k.Has(name) && shared(f, item) > max(1, shared(whole, item)) {
			return object
		}
	}
	return body
}

// shared counts the attributes that two shapes have in common.
func shared(a, b *documents.Shape) int {
	n := 0
	if a != nil {
		for i := range a.Properties {
			if b.Has(a.Properties[i].Name) {
				n++
			}
		}
	}
	return n
}

// mask returns the paths of the update mask. Without a mask the change has all attributes of the
// body.
func (in *input) mask() []string {
	text := in.query.Get("update_mask")
	if text == "" {
		if s, ok := in.object()["update_mask"].(string); ok {
			text = s
		}
	}
	if text == "" || text == "*" {
		return nil
	}
	return strings.Split(text, ",")
}

// mayName reports whether a request may choose an attribute that identifies a new resource: a name,
// or an id that the documents require. The service chooses other ids.
func (in *input) mayName(field string) bool {
	if field != "id" && field != "uuid" && !strings.HasSuffix(field, "_id") {
		return true
	}
	body := in.method.Body
	return body != nil && (slices.Contains(body.RequiredAttributes, field) || slices.Contains(in.shapes.Body(in.method).Required, field))
}
