package emulator

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/list"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// patchSCIM changes a resource by SCIM's operations (RFC 7644 §3.5.2).
func patchSCIM(req *apiRequest) (any, error) {
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	name, old, err := req.stored(req.route.target)
	if err != nil {
		return nil, err
	}
	r := maps.Clone(old)
	operations, _ := req.object()["Operations"].([]any)
	for _, o := range operations {
		operation, _ := o.(map[string]any)
		if err := patchOnce(r, operation); err != nil {
			return nil, err
		}
	}
	if kind := req.route.target.Kind.Name; strings.HasSuffix(kind, "/Groups") {
		nameMembers(req, kind, r)
	}
	req.home.collections.Put(name, r)
	return req.answer(r), nil
}

// nameMembers gives the members of a group, which requests name by their ids, the names of users, groups and
// service principals that have these ids. A member that comes twice stays once.
func nameMembers(req *apiRequest, kind string, group resource.Record) {
	members, _ := group["members"].([]any)
	if len(members) == 0 {
		return
	}
	root := strings.TrimSuffix(kind, "Groups")
	seen := map[string]bool{}
	named := make([]any, 0, len(members))
	for _, m := range members {
		member, isObject := m.(map[string]any)
		id := resource.Text(member["value"])
		if isObject && seen[id] {
			continue
		}
		seen[id] = true
		if isObject {
			m = nameMember(req, root, id, member)
		}
		named = append(named, m)
	}
	group["members"] = named
}

func nameMember(req *apiRequest, root, id string, member resource.Record) resource.Record {
	for _, kind := range []string{"Users", "Groups", "ServicePrincipals"} {
		if it, ok := req.home.collections.Get(root + kind + "/" + id); ok {
			member = maps.Clone(member)
			member["display"], member["$ref"], member["type"] = it.Record["displayName"], kind+"/"+id, "direct"
		}
	}
	return member
}

// finishGroup names the members of a new group.
func finishGroup(kind string) func(*apiRequest, resource.Record) {
	return func(req *apiRequest, r resource.Record) { nameMembers(req, kind, r) }
}

// listPath is a path to items of an array: members[value eq "123"].
var listPath = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(\w+)\[(.+)\]$`) })

func patchOnce(r, operation map[string]any) error {
	op, _ := operation["op"].(string)
	path, _ := operation["path"].(string)
	value := operation["value"]
	if path == "" {
		object, ok := value.(map[string]any)
		if !ok {
			return apierror.Invalid("An operation without a path needs an object of attributes as its value.")
		}
		for name, v := range object {
			if err := patchOnce(r, map[string]any{"op": op, "path": name, "value": v}); err != nil {
				return err
			}
		}
		return nil
	}
	if m := listPath().FindStringSubmatch(path); m != nil {
		fits, err := list.ParseSCIM(m[2], func([]string) bool { return true })
		if err != nil {
			return err
		}
		items, _ := r[m[1]].([]any)
		r[m[1]] = slices.DeleteFunc(slices.Clone(items), func(item any) bool {
			object, ok := item.(map[string]any)
			return ok && fits(object)
		})
		return nil
	}
	names := strings.Split(path, ".")
	switch op {
	case "remove":
		copyPath(r, nil, names)
		return nil
	case "add":
		held, isList := r[path].([]any)
		more, addsList := value.([]any)
		if isList || addsList {
			if !addsList {
				more = []any{value}
			}
			r[path] = append(slices.Clone(held), more...)
			return nil
		}
	}
	from := map[string]any{}
	at := from
	for _, n := range names[:len(names)-1] {
		inner := map[string]any{}
		at[n] = inner
		at = inner
	}
	at[names[len(names)-1]] = value
	copyPath(r, from, names)
	return nil
}

func scimHandlers() map[string]handler {
	table := map[string]handler{}
	for _, root := range []string{"/api/2.0/preview/scim/v2/", "/api/2.0/accounts/{}/scim/v2/"} {
		for _, kind := range []string{"Users", "Groups", "ServicePrincipals"} {
			table["PATCH "+root+kind+"/{}"] = patchSCIM
		}
	}
	return table
}

func finishUser(_ *apiRequest, r resource.Record) {
	if _, said := r["active"]; !said {
		r["active"] = true
	}
	if resource.Text(r["displayName"]) == "" {
		r["displayName"] = r["userName"]
	}
}
