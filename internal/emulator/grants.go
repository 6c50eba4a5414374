package emulator

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// grantHandlers are the operations on the privileges of objects of Unity Catalog.
func grantHandlers() map[string]handler {
	const root = "/api/2.1/unity-catalog/"
	return map[string]handler{
		"GET " + root + "permissions/{}/{}":           getGrants,
		"PATCH " + root + "permissions/{}/{}":         changeGrants,
		"GET " + root + "effective-permissions/{}/{}": getEffectiveGrants,
		"GET " + root + "shares/{}/permissions":       ofShare(getGrants),
		"PATCH " + root + "shares/{}/permissions":     ofShare(changeGrants),
	}
}

// ofShare makes an operation on the privileges of an object one on those of a share, which has its own path.
func ofShare(h handler) handler {
	return func(req *apiRequest) (any, error) {
		req.params["securable_type"], req.params["full_name"] = shareKind, req.params["name"]
		return h(req)
	}
}

// shareKind is the type of shares among the objects with privileges. Nobody has any on a share at first.
const shareKind = "share"

// usage is the privilege that everybody has on the company's own objects, by type of object.
func usage(kind string) string {
	switch kind {
	case "catalog":
		return "USE_CATALOG"
	case "schema":
		return "USE_SCHEMA"
	case "table":
		return "SELECT"
	case "volume":
		return "READ_VOLUME"
	case "function":
		return "EXECUTE"
	}
	return ""
}

// heldGrants returns the name of an object's grants and the privileges by principal. An object that
// a client created has none. Objects of the company have the privileges of its owner and of
// everybody.
func heldGrants(req *apiRequest) (name string, grants map[string][]string, err error) {
	kindName, object := strings.ToLower(req.params["securable_type"]), req.params["full_name"]
	name = "/grants/" + resource.JoinKey([]string{kindName, object})
	grants = map[string][]string{}
	own := true
	if k := req.emulator.kinds()["/unity-catalog/"+strings.ReplaceAll(kindName, "_", "-")+"s"]; k != nil && (usage(kindName) != "" || kindName == shareKind) {
		in, id := k.Locate(nil, []string{object})
		if _, ok := req.home.collections.Get(in + "/" + id); !ok {
			return "", nil, apierror.New(http.StatusNotFound, strings.ToUpper(kindName)+"_DOES_NOT_EXIST", "%s '%s' does not exist.", company.Title(kindName), apierror.Printable(object))
		}
		own = req.home.collections.GeneratedIDs(in).Has(id)
	}
	if it, ok := req.home.collections.Get(name); ok {
		for principal, held := range it.Record {
			grants[principal], _ = held.([]string)
		}
		return name, grants, nil
	}
	if own && kindName != shareKind {
		grants[company.Owner().Email] = []string{"ALL_PRIVILEGES"}
		if everybody := usage(kindName); everybody != "" {
			grants["account users"] = []string{everybody}
		}
	}
	return name, grants, nil
}

// shownGrants writes grants as answers have them, of one principal if the request names one.
func shownGrants(req *apiRequest, grants map[string][]string, show func(privilege string) any) any {
	all := []any{}
	for _, principal := range slices.Sorted(maps.Keys(grants)) {
		if only := req.query.Get("principal"); only != "" && only != principal {
			continue
		}
		privileges := []any{}
		for _, p := range grants[principal] {
			privileges = append(privileges, show(p))
		}
		all = append(all, resource.Record{"principal": principal, "privileges": privileges})
	}
	return req.shaped(resource.Record{"privilege_assignments": all})
}

func asText(privilege string) any { return privilege }

func getGrants(req *apiRequest) (any, error) {
	_, grants, err := heldGrants(req)
	if err != nil {
		return nil, err
	}
	return shownGrants(req, grants, asText), nil
}

func getEffectiveGrants(req *apiRequest) (any, error) {
	_, grants, err := heldGrants(req)
	if err != nil {
		return nil, err
	}
	return shownGrants(req, grants, func(p string) any { return resource.Record{"privilege": p} }), nil
}

// changeGrants adds and removes privileges.
func changeGrants(req *apiRequest) (any, error) {
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	name, grants, err := heldGrants(req)
	if err != nil {
		return nil, err
	}
	changes, _ := req.object()["changes"].([]any)
	for _, c := range changes {
		change, _ := c.(map[string]any)
		principal := resource.Text(change["principal"])
		if principal == "" {
			return nil, apierror.Invalid("changes.principal is required.")
		}
		held := slices.Clone(grants[principal])
		remove, _ := change["remove"].([]any) // first: clients replace privileges by removing all
		for _, p := range remove {
			held = slices.DeleteFunc(held, func(h string) bool { return h == resource.Text(p) || p == "ALL_PRIVILEGES" })
		}
		add, _ := change["add"].([]any)
		for _, p := range add {
			if !slices.Contains(held, resource.Text(p)) {
				held = append(held, resource.Text(p))
			}
		}
		if grants[principal] = held; len(held) == 0 {
			delete(grants, principal)
		}
	}
	r := resource.Record{}
	for principal, held := range grants {
		r[principal] = held
	}
	req.home.collections.Put(name, r)
	return shownGrants(req, grants, asText), nil
}
