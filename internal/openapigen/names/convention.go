package names

import (
	"maps"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/prose"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// byConvention names an operation as StackQL would: the resource is the plural of the noun in
// the operation's name, or of its group where there is none; the method is the verb.
func (t *Table) byConvention(o *sdk.Operation) Name {
	words := prose.Words(o.Name)
	verb, noun := words[0], words[1:]
	if name, ok := t.permissions(o, verb, noun); ok {
		return name
	}
	name := Name{Resource: t.resource(o, noun)}
	name.Method, name.SQLVerb = methodOf(o.Verb, verb)
	if name.SQLVerb == "exec" && len(noun) > 0 && !t.known(o, name.Resource) {
		// No thing that can be listed: the noun belongs to what is done.
		name.Resource, name.Method = t.resource(o, nil), strings.Join(words, "_")
	}
	return name
}

// methodOf returns the method and SQL verb of an operation that begins with a verb.
func methodOf(httpVerb, verb string) (method, sqlVerb string) {
	switch verb {
	case "get", "list":
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
func (t *Table) permissions(o *sdk.Operation, verb string, noun []string) (Name, bool) {
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
func (t *Table) resource(o *sdk.Operation, noun []string) string {
	if len(noun) == 0 {
		noun = prose.Words(o.Group)
	}
	plural := slices.Clone(noun)
	plural[len(plural)-1] = prose.Plural(plural[len(plural)-1])
	wanted := strings.Join(plural, "_")
	known := t.resources(o)
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

// known reports whether a resource is something that StackQL, or an operation of the group that
// lists, gets or creates, knows.
func (t *Table) known(o *sdk.Operation, resource string) bool {
	return slices.Contains(t.resources(o), resource)
}

// resources lists the resources of the operation's service in StackQL's provider.
func (t *Table) resources(o *sdk.Operation) []string {
	found := map[string]bool{}
	for key, name := range t.StackQL {
		if key.Provider == ProviderOf(o) && key.Service == o.Service {
			found[name.Resource] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
