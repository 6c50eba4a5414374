package document

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/names"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
	"github.com/lakeql/lakeql/openapi"
)

// method is a method of a resource: a name for an operation.
type method struct {
	names.Name
	operation *operation
}

// sqlVerbs lists the verbs of a resource, in StackQL's order.
func sqlVerbs() []string { return []string{"select", "insert", "update", "replace", "delete"} }

// resourcesNode is components.x-stackQL-resources.
func (s *service) resourcesNode() (*object, error) {
	resources := map[string][]method{}
	for _, o := range s.operations {
		name, ok := s.names[names.KeyOf(o.Operation)]
		if !ok {
			return nil, fmt.Errorf("%s: %s has no name", o.Pos, o.ID())
		}
		resources[name.Resource] = append(resources[name.Resource], method{name, o})
	}
	nodes, err := s.viewNodes()
	if err != nil {
		return nil, err
	}
	for name, methods := range resources {
		if nodes[name] != nil {
			return nil, fmt.Errorf("view %s has the name of a resource of %s.%s", name, s.provider, s.sdk.Name)
		}
		nodes[name] = s.resourceNode(name, methods)
	}
	all := newObject()
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		all.set(name, nodes[name])
	}
	return all, nil
}

func (s *service) resourceNode(name string, methods []method) *object {
	slices.SortFunc(methods, func(a, b method) int {
		return cmp.Or(
			cmp.Compare(verbRank(a.SQLVerb), verbRank(b.SQLVerb)),
			cmp.Compare(requiredParams(b.operation), requiredParams(a.operation)), // the most particular first
			strings.Compare(a.Method, b.Method))
	})
	listed := newObject()
	verbs := map[string][]*object{}
	for _, m := range methods {
		listed.set(m.Method, methodNode(m))
		verbs[m.SQLVerb] = append(verbs[m.SQLVerb], ref("#/components/x-stackQL-resources/"+name+"/methods/"+m.Method))
	}
	sql := newObject()
	for _, v := range sqlVerbs() {
		sql.set(v, verbs[v])
	}
	return newObject().
		set("id", s.provider+"."+s.sdk.Name+"."+name).
		set("name", name).
		set("title", name).
		set("methods", listed).
		set("sqlVerbs", sql)
}

func verbRank(verb string) int {
	if i := slices.Index(sqlVerbs(), verb); i >= 0 {
		return i
	}
	return len(sqlVerbs())
}

// requiredParams counts the required parameters in path and query.
func requiredParams(o *operation) int {
	n := len(o.params)
	for _, q := range o.Query {
		if q.Required {
			n++
		}
	}
	return n
}

func methodNode(m method) *object {
	o := m.operation
	node := newObject().set("operation", ref("#/paths/"+openapi.EscapePointer(o.path)+"/"+o.verb))
	if o.Body.Kind != sdk.NoBody {
		node.set("request", newObject().set("mediaType", cmp.Or(o.ContentType, jsonType)).flow())
	}
	mediaType := jsonType
	if o.Response.Kind == sdk.StreamResponse {
		mediaType = o.Accept
	}
	node.set("response", newObject().
		set("mediaType", mediaType).
		set("openAPIDocKey", "200").
		setUnlessEmpty("objectKey", m.ObjectKey).
		flow())
	config := newObject()
	if bodyType(o) != nil {
		// Attributes of the body go by their own names, without a prefix.
		config.set("requestBodyTranslate", newObject().set("algorithm", "naive").flow())
	}
	if p := tokenPaging(m); p != nil {
		config.set("pagination", newObject().
			set("requestToken", newObject().set("key", p.Request).set("location", tokenLocation(o, p)).flow()).
			set("responseToken", newObject().set("key", "$."+p.Response).set("location", "body").flow()))
	}
	return node.setUnlessEmpty("config", config)
}

// tokenPaging is the paging by token of a list. The SDK does not iterate over a few lists that
// have one all the same; their first page alone would be less than was asked for.
func tokenPaging(m method) *sdk.Paging {
	o := m.operation
	switch {
	case o.Paging != nil && o.Paging.Kind == sdk.TokenPaging:
		return o.Paging
	case o.Paging == nil && m.ObjectKey != "":
		return o.Unpaged
	}
	return nil
}

// tokenLocation returns where the token is sent: query or body.
func tokenLocation(o *operation, p *sdk.Paging) string {
	for _, q := range o.Query {
		if q.Name == p.Request {
			return "query"
		}
	}
	return "body"
}
