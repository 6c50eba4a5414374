package document

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/names"
	"github.com/lakeql/lakeql/internal/openapigen/prose"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// jsonType is the media type of nearly everything.
const jsonType = "application/json"

// allowed names the rules of lint that an operation breaks on purpose. This one's description has the words of a
// published page, with the markup of the documentation that they come from.
func allowed(o *operation) []string {
	if o.key() == "Postgres.GenerateDatabaseCredential" {
		return []string{"docstring"}
	}
	return nil
}

// operationNode is an operation below its path.
func (s *service) operationNode(o *operation) (*object, error) {
	node := newObject().
		set("operationId", o.id).
		set("description", s.describe(o)).
		setUnlessEmpty("x-lakeql-allow", allowed(o)).
		setUnlessEmpty("deprecated", o.Deprecated)
	if o.wholeName != "" {
		node.set("x-lakeql-name", newObject().set("parameter", o.wholeName).set("template", o.template).flow())
	}
	node.setUnlessEmpty("x-lakeql-select", slices.Contains(s.facts.Selects, o.key()))
	node.setUnlessEmpty("x-lakeql-body-from-path", bodyFromPath(o))
	if o.Body.Kind == sdk.BareBody {
		node.setUnlessEmpty("x-lakeql-body-name", o.Body.Field.JSON)
	}
	node.setUnlessEmpty("x-lakeql-paging", s.pagingNode(o))
	async, err := s.asyncNode(o)
	if err != nil {
		return nil, err
	}
	node.setUnlessEmpty("x-lakeql-operation", async)
	waiter, err := s.waiterNode(o)
	if err != nil {
		return nil, err
	}
	completion, err := s.completionNode(o)
	if err != nil {
		return nil, err
	}
	return node.
		setUnlessEmpty("x-lakeql-waiter", waiter).
		setUnlessEmpty("x-lakeql-completion", completion).
		setUnlessEmpty("parameters", s.parameters.of(o)).
		setUnlessEmpty("requestBody", s.bodyNode(o)).
		set("responses", newObject().set("200", s.responseNode(o))), nil
}

// describe is the operation's sentence: ours, or one made of its name.
func (s *service) describe(o *operation) string {
	if words := cmp.Or(s.descriptions.Methods[o.key()], s.table.Own[names.KeyOf(o.Operation)].Description); words != "" {
		return words
	}
	var owners []string
	for _, p := range o.params {
		owners = append(owners, p.Name)
	}
	return prose.Operation(o.Group, o.Name, o.Verb == http.MethodGet || o.Verb == http.MethodHead, owners)
}

// bodyFromPath names the path's parameters that are also attributes of the body: the SDK takes
// both from one field.
func bodyFromPath(o *operation) []string {
	var both []string
	for _, p := range o.params {
		if p.InBody && o.Body.Kind == sdk.WholeBody {
			both = append(both, p.Name)
		}
	}
	return both
}

// bodyNode is the request body; required says that it is always sent.
func (s *service) bodyNode(o *operation) *object {
	switch o.Body.Kind {
	case sdk.NoBody:
		return nil
	case sdk.StreamBody:
		return newObject().set("required", true).set("content", content(o.ContentType, s.schemas.of(o.Body.Field.Type, "")))
	case sdk.EmptyObject:
		return newObject().set("required", true).set("content", content(jsonType, newObject().set("type", "object")))
	case sdk.WholeBody, sdk.BareBody:
		return newObject().set("required", true).set("content", content(jsonType, s.schemas.of(bodyType(o), "")))
	}
	return nil
}

// content is {media type: {schema: …}}.
func content(mediaType string, schema *object) *object {
	return newObject().set(mediaType, newObject().set("schema", schema.flow()))
}

// responseNode is the response to a success.
func (s *service) responseNode(o *operation) *object {
	headers := newObject()
	for _, f := range o.Response.Headers {
		headers.set(f.Header, newObject().
			set("description", cmp.Or(s.descriptions.Field(o.Response.Message, f.Header), prose.Field(f.Header, ""))).
			set("schema", s.schemas.of(f.Type, "").flow()))
	}
	node := newObject().set("description", "success").setUnlessEmpty("headers", headers)
	switch o.Response.Kind {
	case sdk.ObjectResponse, sdk.ArrayResponse:
		node.set("content", content(jsonType, s.schemas.of(o.Response.Type, "")))
	case sdk.StreamResponse:
		node.set("content", content(o.Accept, newObject().set("type", "string").set("format", "binary")))
	case sdk.NoResponse, sdk.HeaderResponse:
	}
	return node
}

// pagingNode says how a list goes on, where StackQL's config.pagination cannot.
func (s *service) pagingNode(o *operation) *object {
	if o.Paging == nil {
		name := s.names[names.KeyOf(o.Operation)]
		if o.Unpaged == nil || name.ObjectKey != "" || name.SQLVerb != "select" {
			return nil
		}
		return newObject().
			set("kind", "merge").
			set("request", o.Unpaged.Request).
			set("response", o.Unpaged.Response).
			set("lists", s.listsOf(o)).
			flow()
	}
	p := o.Paging
	switch p.Kind {
	case sdk.OffsetPaging, sdk.PagePaging, sdk.RequestPaging:
		return newObject().
			set("kind", string(p.Kind)).
			setUnlessEmpty("request", p.Request).
			set("response", p.Response).
			set("items", p.Items).
			setUnlessEmpty("first", p.First).
			setUnlessEmpty("limit", p.Limit).
			setUnlessEmpty("limitValue", p.LimitValue).
			setUnlessEmpty("dedupe", p.Dedupe).
			flow()
	case sdk.TokenPaging, sdk.SinglePage: // said by the method's configuration, or needs no word
	}
	return nil
}

// listsOf names the lists that continue in the next response: those in the facts, or else every list
// at the top of the response.
func (s *service) listsOf(o *operation) []string {
	if lists, ok := s.facts.Lists[o.key()]; ok {
		return lists
	}
	var lists []string
	if message, ok := s.api.Message(o.Response.Type); ok {
		for _, f := range message.JSONFields() {
			if f.Type.Kind == sdk.List {
				lists = append(lists, f.JSON)
			}
		}
	}
	return lists
}

// asyncNode describes the operation that is polled after this one.
func (s *service) asyncNode(o *operation) (*object, error) {
	if o.Async == nil {
		return nil, nil
	}
	poll, err := s.find(o, o.Async.Poll)
	if err != nil {
		return nil, err
	}
	node := newObject().set("poll", poll.id).set("bind", newObject().set("name", "name").flow())
	if m, ok := s.api.Message(o.Async.Result); ok && len(m.JSONFields()) > 0 {
		node.set("result", s.schemas.names[*o.Async.Result])
	}
	return node.flow(), nil
}

// waiterNode describes how to wait for the end of the operation.
func (s *service) waiterNode(o *operation) (*object, error) {
	if o.Waiter == nil {
		return nil, nil
	}
	poll, err := s.find(o, o.Waiter.Poll)
	if err != nil {
		return nil, err
	}
	bind := newObject()
	for _, b := range o.Waiter.Bind {
		from := "request."
		if b.Response {
			from = "response."
		}
		bind.set(b.Param, from+strings.Join(b.Path, "."))
	}
	return newObject().
		set("poll", poll.id).
		set("bind", bind.flow()).
		set("state", strings.Join(o.Waiter.State, ".")).
		setUnlessEmpty("message", strings.Join(o.Waiter.Message, ".")).
		set("success", o.Waiter.Success).
		setUnlessEmpty("failure", o.Waiter.Failure).
		set("timeout", fmt.Sprintf("%ds", o.Waiter.TimeoutMinutes*60)), nil
}

// completionNode describes how to complete the items of a list.
func (s *service) completionNode(o *operation) (*object, error) {
	fact, ok := s.facts.Completions[o.key()]
	if !ok {
		return nil, nil
	}
	get, err := s.find(o, fact.Get)
	if err != nil {
		return nil, err
	}
	bind := newObject()
	for _, param := range slices.Sorted(maps.Keys(fact.Bind)) {
		bind.set(param, fact.Bind[param])
	}
	return newObject().
		set("get", get.id).
		set("bind", bind.flow()).
		set("more", fact.More).
		setUnlessEmpty("if", fact.If).
		flow(), nil
}

// find finds an operation of the same group.
func (s *service) find(o *operation, name string) (*operation, error) {
	for _, other := range s.operations {
		if other.Group == o.Group && other.Name == name {
			return other, nil
		}
	}
	return nil, fmt.Errorf("%s: %s needs %s, which the document does not have", o.Pos, o.ID(), name)
}
