package names

import (
	"maps"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/prose"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// convention names new operations as StackQL would.
type convention struct {
	*Table
	// resources has the resource of each type that an operation with a name gets or lists.
	resources map[resourceKey]string
	// listed has the resources of each provider.service.
	listed map[string]map[string]bool
}

func (t *Table) convention() *convention {
	return &convention{Table: t, resources: map[resourceKey]string{}, listed: map[string]map[string]bool{}}
}

// resourceKey is a type of the SDK in a provider.
type resourceKey struct {
	provider string
	typ      sdk.Type
}

// learn notes the resource of the type that an operation gets or lists.
func (c *convention) learn(api *sdk.API, o *sdk.Operation, name Name) {
	place := ProviderOf(o) + "." + o.Service
	if c.listed[place] == nil {
		c.listed[place] = map[string]bool{}
	}
	c.listed[place][name.Resource] = true
	if t := typeOf(api, o); t != nil && name.SQLVerb == "select" {
		c.resources[resourceKey{ProviderOf(o), *t}] = name.Resource
	}
}

// rank orders operations: get and list come first.
func (c *convention) rank(o *sdk.Operation) int {
	switch verb := prose.Words(o.Name)[0]; verb {
	case "list":
		return 0
	case "get":
		return 1
	case "create":
		return 2
	}
	return 3
}

// typeOf returns the main type of an operation: the type that it lists, returns, or sends as its body;
// nil without one.
func typeOf(api *sdk.API, o *sdk.Operation) *sdk.Type {
	if o.Paging != nil && o.Paging.Items != "" {
		if m, ok := api.Message(o.Response.Type); ok {
			for _, f := range m.JSONFields() {
				if f.JSON == o.Paging.Items && f.Type.Kind == sdk.List && f.Type.Elem.Kind == sdk.Named {
					return f.Type.Elem
				}
			}
		}
		return nil
	}
	if o.Body.Kind == sdk.BareBody && o.Body.Field.Type.Kind == sdk.Named {
		return o.Body.Field.Type
	}
	if o.Async != nil {
		return o.Async.Result
	}
	if o.Response.Type != nil && o.Response.Type.Kind == sdk.Named {
		return o.Response.Type
	}
	return nil
}

// name names an operation: the resource is that of the type that it is about, else the plural of the noun
// in the operation's name, or of its group if there is no noun; the method is the verb.
func (c *convention) name(api *sdk.API, o *sdk.Operation) Name {
	words := prose.Words(o.Name)
	verb, noun := words[0], words[1:]
	if name, ok := c.permissions(o, verb, noun); ok {
		return name
	}
	name := Name{Resource: c.resource(o, noun)}
	name.Method, name.SQLVerb = methodOf(o.Verb, verb)
	if t := typeOf(api, o); t != nil {
		if known := c.resources[resourceKey{ProviderOf(o), *t}]; known != "" {
			name.Resource = known
			return name
		}
	}
	if name.SQLVerb == "exec" && len(noun) > 0 && !c.known(o, name.Resource) {
		// Nothing lists, gets or creates the noun: it belongs to the action.
		name.Resource, name.Method = c.resource(o, nil), strings.Join(words, "_")
	}
	return name
}

// methodOf returns the method and SQL verb of an operation that begins with a verb.
func methodOf(httpVerb, verb string) (method, sqlVerb string) {
	switch verb {
	case "get", "list":
		if httpVerb == "POST" {
			return verb, "exec"
		}
		return verb, "select"
	case "create":
		return verb, "insert"
	case "delete":
		return verb, "delete"
	case "update", "patch":
		if httpVerb == "PUT" {
			return "replace", "replace"
		}
		return "update", "update"
	case "set", "replace":
		return verb, "replace"
	}
	return verb, "exec"
}

// permissions names GetPermissions and the like: cluster_permissions.get.
func (c *convention) permissions(o *sdk.Operation, verb string, noun []string) (Name, bool) {
	what := strings.Join(noun, "_")
	if what != "permissions" && what != "permission_levels" {
		return Name{}, false
	}
	group := prose.Words(o.Group)
	group[len(group)-1] = prose.Singular(group[len(group)-1])
	name := Name{Resource: strings.Join(append(group, what), "_")}
	name.Method, name.SQLVerb = methodOf(o.Verb, verb)
	return name, true
}

// resource is the resource of a noun: one that StackQL has in the service, bare or with a prefix
// (postgres_branches), or the noun's plural, with the prefix that all others of the service have.
func (c *convention) resource(o *sdk.Operation, noun []string) string {
	if len(noun) == 0 {
		noun = prose.Words(o.Group)
	}
	plural := slices.Clone(noun)
	plural[len(plural)-1] = prose.Plural(plural[len(plural)-1])
	wanted := strings.Join(plural, "_")
	known := c.resourcesOf(o)
	if slices.Contains(known, wanted) {
		return wanted
	}
	prefix := o.Service + "_"
	prefixed := len(known) > 0
	for _, r := range known {
		if r == prefix+wanted {
			return r
		}
		prefixed = prefixed && strings.HasPrefix(r, prefix)
	}
	if prefixed {
		return prefix + wanted
	}
	return wanted
}

// known reports whether an operation of the service with a name is in a resource.
func (c *convention) known(o *sdk.Operation, resource string) bool {
	return c.listed[ProviderOf(o)+"."+o.Service][resource]
}

// resourcesOf lists the resources of the operation's service in StackQL's provider.
func (c *convention) resourcesOf(o *sdk.Operation) []string {
	found := map[string]bool{}
	for key, name := range c.StackQL {
		if key.Provider == ProviderOf(o) && key.Service == o.Service {
			found[name.Resource] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
