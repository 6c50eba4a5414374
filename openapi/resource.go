package openapi

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// components returns a part of the document's components.
func (r *reader) components(part string) fields {
	return r.mapping(r.mapping(r.lookup(r.doc.root, "components")).get(part))
}

func (r *reader) resources() fields { return r.components("x-stackQL-resources") }

func (r *reader) schemas() fields { return r.components("schemas") }

// resource reads a resource with its methods, or with its query if it is a view.
func (r *reader) resource(s *service, name string, n *yaml.Node) *provider.Resource {
	node := r.mapping(n)
	config := r.mapping(node.get("config"))
	res := &provider.Resource{
		Provider:    s.provider,
		Service:     s.name,
		Name:        name,
		ID:          r.text(node.get("id")),
		Title:       r.text(node.get("title")),
		Description: r.text(node.get("description")),
		View:        r.view(config),
	}
	res.Methods = r.methods(res, node, config)
	return res
}

// methods reads a resource's methods: those of each SQL verb in the order of the verb's list,
// which is the order of preference, then those that no verb lists in the order of their
// definition. A method that two verbs list can be reached by either, and is shown under both.
func (r *reader) methods(res *provider.Resource, node, config fields) []*provider.Method {
	inherited := r.inheritedPaging(config)
	defined := r.mapping(node.get("methods"))
	polls := sync.OnceValue(func() map[string]polled { return r.methodsByOperation(res) })
	read := make(map[string]*provider.Method, len(defined))
	for _, e := range defined {
		m := r.method(res, e, inherited, polls)
		if r.err != nil {
			return nil
		}
		read[e.key] = m
	}
	var all []*provider.Method
	reached := map[string]bool{}
	listed := r.mapping(node.get("sqlVerbs"))
	for _, verb := range provider.SQLVerbs() {
		for _, name := range r.listedMethods(verb, listed, defined) {
			m := *read[name]
			m.SQLVerb = verb
			all = append(all, &m)
			reached[name] = true
		}
	}
	for _, e := range defined {
		if !reached[e.key] {
			read[e.key].SQLVerb = provider.Exec
			all = append(all, read[e.key])
		}
	}
	return all
}

// listedMethods names the methods that an SQL verb lists, each once.
func (r *reader) listedMethods(verb provider.SQLVerb, listed, defined fields) []string {
	var names []string
	for _, item := range r.list(listed.get(string(verb))) {
		ref := r.text(r.mapping(item).get("$ref"))
		name, ok := methodName(ref, defined)
		if !ok {
			r.fail(item, "sqlVerbs.%s refers to %s, which is no method of the resource", verb, provider.Quote(ref))
			return nil
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// methodName finds the method that an entry of sqlVerbs means. In use are
// #/components/x-stackQL-resources/r/methods/m, the same behind a file's name, and #/methods/m.
func methodName(ref string, methods fields) (name string, ok bool) {
	_, inner, ok := strings.Cut(ref, "#")
	if !ok {
		inner = ref
	}
	steps, err := ParsePointer("#" + inner)
	if err != nil || len(steps) < 2 || steps[len(steps)-2] != "methods" {
		return "", false
	}
	name = steps[len(steps)-1]
	return name, methods.get(name) != nil
}

// method reads a method of a resource and the operation that it refers to.
func (r *reader) method(res *provider.Resource, e entry, inherited *provider.Paging, polls polls) *provider.Method {
	node := r.mapping(e.value)
	op := r.operation(e, r.mapping(node.get("operation")).get("$ref"))
	if r.err != nil {
		return nil
	}
	m := &provider.Method{
		Resource:     res.FullName(),
		Name:         e.key,
		OperationID:  r.text(op.fields.get("operationId")),
		Description:  r.text(op.fields.get("description")),
		Deprecated:   r.flag(op.fields.get("deprecated")),
		Verb:         strings.ToUpper(op.verb),
		Path:         op.path,
		Servers:      r.servers(op),
		Params:       r.params(op),
		NameParam:    r.nameParam(op.fields.get("x-lakeql-name")),
		Body:         r.body(op.fields.get("requestBody"), r.mapping(node.get("request"))),
		Response:     r.response(r.mapping(op.fields.get("responses")), r.mapping(node.get("response"))),
		Paging:       inherited,
		Selectable:   r.flag(op.fields.get("x-lakeql-select")),
		BodyFromPath: r.texts(op.fields.get("x-lakeql-body-from-path")),
		BodyName:     r.text(op.fields.get("x-lakeql-body-name")),
	}
	if special := r.specialPaging(op.fields.get("x-lakeql-paging")); special != nil {
		m.Paging = special
	}
	if own, given := r.paging(r.mapping(node.get("config"))); given {
		m.Paging = own
	}
	m.Wait = r.wait(m, op, polls)
	m.Completion = r.completion(m, op, polls)
	return m
}

// operation is an OpenAPI operation with the path item that it belongs to.
type operation struct {
	path, verb   string
	item, fields fields
}

// operation resolves a reference such as #/paths/~1api~12.0~1jobs~1create/post.
func (r *reader) operation(method entry, ref *yaml.Node) operation {
	if ref == nil {
		r.fail(method.node, "method %s has no operation.$ref", provider.Quote(method.key))
		return operation{}
	}
	steps, err := ParsePointer(r.text(ref))
	switch {
	case err != nil:
		r.fail(ref, "%s", err)
	case len(steps) != 3 || steps[0] != "paths":
		r.fail(ref, "operation %s is not of the form #/paths/…/verb", provider.Quote(ref.Value))
	}
	if r.err != nil {
		return operation{}
	}
	path, item := r.pathItem(steps[1])
	for _, e := range item {
		if strings.EqualFold(e.key, steps[2]) && isVerb(e.key) {
			// A fragment behind the path distinguishes two operations that send the same request.
			path, _, _ = strings.Cut(path, "#")
			return operation{path: path, verb: e.key, item: item, fields: r.mapping(r.follow(e.value))}
		}
	}
	r.fail(ref, "operation %s is not in the document", provider.Quote(ref.Value))
	return operation{}
}

// pathItem returns a path, percent-encoded in the reference or not, and its fields.
func (r *reader) pathItem(name string) (string, fields) {
	paths := r.lookup(r.doc.root, "paths")
	for _, spelling := range spellings(name) {
		if item := r.lookup(paths, spelling); item != nil {
			return spelling, r.mapping(r.follow(item))
		}
	}
	return "", nil
}

func isVerb(key string) bool {
	switch strings.ToLower(key) {
	case "get", "put", "post", "delete", "options", "head", "patch", "trace":
		return true
	}
	return false
}

// servers returns the operation's servers, else the path's, else the document's.
func (r *reader) servers(op operation) []provider.Server {
	var servers []provider.Server
	for _, n := range []*yaml.Node{op.fields.get("servers"), op.item.get("servers"), r.lookup(r.doc.root, "servers")} {
		for _, item := range r.list(n) {
			servers = append(servers, r.server(item))
		}
		if len(servers) > 0 {
			break
		}
	}
	return servers
}

func (r *reader) server(n *yaml.Node) provider.Server {
	node := r.mapping(n)
	server := provider.Server{URL: r.text(node.get("url"))}
	for _, e := range r.mapping(node.get("variables")) {
		variable := provider.Variable{Name: e.key}
		for _, f := range r.mapping(e.value) {
			if f.key == "description" {
				variable.Description = r.text(f.value)
				continue
			}
			if f.key == "default" {
				variable.Default = r.text(f.value)
			}
			variable.Notes = append(variable.Notes, provider.Note{Key: f.key, Value: r.note(f.value)})
		}
		server.Variables = append(server.Variables, variable)
	}
	return server
}

// params returns the path's parameters, then the operation's. A parameter of the operation replaces
// the path's of the same name.
func (r *reader) params(op operation) []provider.Parameter {
	var params []provider.Parameter
	for i, n := range []*yaml.Node{op.item.get("parameters"), op.fields.get("parameters")} {
		for _, item := range r.list(n) {
			p := r.param(item)
			p.Shared = i == 0
			if r.err != nil {
				return nil
			}
			if at := indexParam(params, p); at >= 0 {
				params[at] = p
				continue
			}
			params = append(params, p)
		}
	}
	return params
}

func indexParam(params []provider.Parameter, p provider.Parameter) int {
	for i := range params {
		if params[i].Name == p.Name && params[i].In == p.In {
			return i
		}
	}
	return -1
}

func (r *reader) param(n *yaml.Node) provider.Parameter {
	at := r.follow(n)
	node := r.mapping(at)
	p := provider.Parameter{
		Name:         r.text(node.get("name")),
		In:           provider.Location(r.text(node.get("in"))),
		Required:     r.flag(node.get("required")),
		Deprecated:   r.flag(node.get("deprecated")),
		Description:  r.text(node.get("description")),
		MultiSegment: r.flag(node.get("x-lakeql-multi-segment")),
		Escaped:      r.flag(node.get("x-lakeql-escaped")),
		RequestID:    r.flag(node.get("x-lakeql-request-id")),
		Default:      r.text(node.get("x-lakeql-default")),
		FromConfig:   r.text(node.get("x-lakeql-from-config")),
		Former:       r.texts(node.get("x-lakeql-former")),
		Schema:       r.schema(node.get("schema")),
	}
	if example := node.get("example"); example != nil {
		p.Example = r.note(example)
	}
	if p.Schema == nil {
		if content := r.mapping(node.get("content")); len(content) > 0 {
			p.Schema = r.schema(r.mapping(content[0].value).get("schema"))
		}
	}
	switch p.In {
	case provider.InPath:
		p.Required = true // a path cannot be built without it, whatever the document says
	case provider.InQuery, provider.InHeader, "cookie":
	default:
		r.fail(at, "parameter %s is in %s, not in path, query, header or cookie", provider.Quote(p.Name), provider.Quote(string(p.In)))
	}
	if p.Name == "" {
		r.fail(at, "a parameter has no name")
	}
	return p
}

func (r *reader) nameParam(n *yaml.Node) *provider.NameParam {
	node := r.mapping(n)
	if node == nil {
		return nil
	}
	p := &provider.NameParam{Name: r.text(node.get("parameter")), Template: r.text(node.get("template"))}
	if p.Name == "" || p.Template == "" {
		r.fail(n, "x-lakeql-name needs parameter and template")
	}
	return p
}

// body reads a request body in the media type that the method names.
func (r *reader) body(n *yaml.Node, request fields) *provider.Body {
	if isNull(target(n)) {
		return nil
	}
	node := r.mapping(r.follow(n))
	mediaType, content := r.content(node.get("content"), r.text(request.get("mediaType")))
	schema := content.get("schema")
	body := &provider.Body{MediaType: mediaType, Required: r.flag(node.get("required"))}
	if first := r.firstAlternative(schema); first != nil {
		body.Schema, body.RequiredAttributes = first, first.Required
		return body
	}
	body.Schema, body.RequiredAttributes = r.schema(schema), r.requiredAttributes(schema)
	return body
}

// response reads the response that the method names, or else the first that means success.
func (r *reader) response(responses, config fields) *provider.Response {
	key := r.text(config.get("openAPIDocKey"))
	for _, e := range responses {
		if e.key != key && (key != "" || !strings.HasPrefix(e.key, "2")) {
			continue
		}
		node := r.mapping(r.follow(e.value))
		mediaType, content := r.content(node.get("content"), r.text(config.get("mediaType")))
		return &provider.Response{
			Description: r.text(node.get("description")),
			MediaType:   mediaType,
			Schema:      r.schema(content.get("schema")),
			ObjectKey:   r.text(config.get("objectKey")),
			Headers:     r.headers(node.get("headers")),
		}
	}
	return nil
}

// headers reads the headers of a response.
func (r *reader) headers(n *yaml.Node) []provider.Property {
	var headers []provider.Property
	for _, e := range r.mapping(n) {
		node := r.mapping(r.follow(e.value))
		schema := r.schema(node.get("schema"))
		if schema == nil {
			schema = &provider.Schema{Type: "string"}
		}
		schema.Description = cmp.Or(r.text(node.get("description")), schema.Description)
		headers = append(headers, provider.Property{Name: e.key, Schema: schema})
	}
	return headers
}

const jsonType = "application/json"

// content picks a media type: the wanted one, with or without parameters such as charset; where
// none is wanted JSON, or else the first.
func (r *reader) content(n *yaml.Node, wanted string) (mediaType string, content fields) {
	all := r.mapping(n)
	find := func(mediaType string) (entry, bool) {
		for _, e := range all {
			base, _, _ := strings.Cut(e.key, ";")
			if strings.EqualFold(e.key, mediaType) || strings.EqualFold(strings.TrimSpace(base), mediaType) {
				return e, true
			}
		}
		return entry{}, false
	}
	e, ok := find(wanted)
	switch {
	case ok:
	case wanted != "" || len(all) == 0:
		return wanted, nil
	default:
		if e, ok = find(jsonType); !ok {
			e = all[0]
		}
	}
	return e.key, r.mapping(e.value)
}
