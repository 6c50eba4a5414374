package openapi

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// inheritedPaging returns the paging of methods that declare none: the resource's, or else the
// service's.
func (r *reader) inheritedPaging(resource fields) *provider.Paging {
	if p, given := r.paging(resource); given {
		return p
	}
	p, _ := r.paging(r.mapping(r.lookup(r.doc.root, "x-stackQL-config")))
	return p
}

// paging reads how lists go on, and whether config says so at all. Only tokens in the body of the
// response are understood; a Link header is not, and neither is StackQL's request location
// "request", where the next page's URL takes the place of the request's own.
func (r *reader) paging(config fields) (p *provider.Paging, given bool) {
	n := config.get("pagination")
	if isNull(n) {
		return nil, false
	}
	node := r.mapping(n)
	request, response := r.mapping(node.get("requestToken")), r.mapping(node.get("responseToken"))
	p = &provider.Paging{
		RequestToken:  strings.TrimPrefix(r.text(request.get("key")), "$."),
		ResponseToken: strings.TrimPrefix(r.text(response.get("key")), "$."),
	}
	switch in := r.text(request.get("location")); in {
	case "query", "header":
		p.RequestIn = provider.Location(in)
	case "", "body":
	case "request":
		return nil, true
	default:
		r.fail(request.get("location"), "requestToken.location is %s, not query, header, body or request", provider.Quote(in))
	}
	in := r.text(response.get("location"))
	if p.RequestToken == "" || p.ResponseToken == "" || in != "" && in != "body" {
		return nil, true
	}
	return p, true
}

// specialPaging reads x-lakeql-paging, which describes a list whose pages are not requested by token;
// nil if there is none.
func (r *reader) specialPaging(n *yaml.Node) *provider.Paging {
	if isNull(n) {
		return nil
	}
	node := r.mapping(n)
	p := &provider.Paging{
		Kind:          provider.PagingKind(r.text(node.get("kind"))),
		RequestToken:  r.text(node.get("request")),
		ResponseToken: r.text(node.get("response")),
		Items:         r.text(node.get("items")),
		First:         r.number(node.get("first")),
		Limit:         r.text(node.get("limit")),
		LimitValue:    r.number(node.get("limitValue")),
		Lists:         r.texts(node.get("lists")),
		Dedupe:        r.text(node.get("dedupe")),
	}
	switch p.Kind {
	case provider.ByOffset, provider.ByPage, provider.ByMerging:
		p.RequestIn = provider.InQuery
		if p.RequestToken == "" {
			r.fail(n, "x-lakeql-paging of kind %s needs request", p.Kind)
		}
	case provider.ByNextRequest:
	default:
		r.fail(n, "x-lakeql-paging has the kind %s, not offset, page, next-request or merge", provider.Quote(string(p.Kind)))
	}
	if p.ResponseToken == "" {
		r.fail(n, "x-lakeql-paging needs response")
	}
	return p
}

// number reads a whole number; 0 where there is none.
func (r *reader) number(n *yaml.Node) int {
	if isNull(n) {
		return 0
	}
	value, err := strconv.Atoi(r.text(n))
	if err != nil {
		r.fail(n, "%s is not a whole number", provider.Quote(r.text(n)))
	}
	return value
}

// view reads config.views.select; nil where the resource is no view.
func (r *reader) view(config fields) *provider.View {
	n := r.mapping(config.get("views")).get("select")
	if isNull(n) {
		return nil
	}
	docs := r.mapping(config.get("docs"))
	view := &provider.View{
		Fields:         r.viewFields(docs, "fields"),
		RequiredParams: r.viewFields(docs, "requiredParams"),
	}
	for ; !isNull(n) && r.err == nil; n = r.mapping(n).get("fallback") {
		if len(view.Definitions) == maxReferences {
			r.fail(n, "the view has more than %d definitions, or no end of them", maxReferences)
			return nil
		}
		node := r.mapping(n)
		ddl := r.text(node.get("ddl"))
		if ddl == "" {
			r.fail(n, "the view has no ddl")
			return nil
		}
		view.Definitions = append(view.Definitions, provider.ViewDefinition{
			Dialect: dialect(r.text(node.get("predicate"))),
			SQL:     ddl,
		})
	}
	return view
}

// dialect takes the name out of a predicate such as
// sqlDialect == "sqlite3" && requiredParams == [ data__Identifier ].
func dialect(predicate string) string {
	_, rest, _ := strings.Cut(predicate, "sqlDialect")
	_, rest, ok := strings.Cut(rest, "==")
	rest = strings.TrimSpace(rest)
	if !ok || rest == "" || rest[0] != '"' && rest[0] != '\'' {
		return ""
	}
	name, _, _ := strings.Cut(rest[1:], rest[:1])
	return name
}

func (r *reader) viewFields(docs fields, key string) []provider.ViewField {
	var all []provider.ViewField
	for _, item := range r.list(docs.get(key)) {
		node := r.mapping(item)
		all = append(all, provider.ViewField{
			Name:        r.text(node.get("name")),
			Type:        r.text(node.get("type")),
			Description: r.text(node.get("description")),
		})
	}
	return all
}
