package emulator

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// item is the shape of a kind's resources in full: what is got, or else what is listed or made.
func (k *kind) item() *shape {
	switch {
	case k.get != nil:
		return k.unwrapped(k.get)
	case k.list != nil:
		return k.listed()
	case k.made != nil:
		return k.unwrapped(k.made)
	}
	return nil
}

// unwrapped is the shape of an answer without the attribute that it is put into: {"budget": {…}}.
func (k *kind) unwrapped(rt *route) *shape {
	r := rt.method.Response
	if r == nil {
		return nil
	}
	whole := k.all.of(rt.method, r.Schema)
	if name := wrapper(rt, whole); name != "" {
		return whole.field(name)
	}
	return whole
}

// wrapper is the attribute of an answer that holds the resource; empty where the answer is it.
func wrapper(rt *route, whole *shape) string {
	if whole == nil {
		return ""
	}
	if key, ok := strings.CutPrefix(rt.method.Response.ObjectKey, "$."); ok && whole.field(key) != nil && whole.field(key).Type == "object" {
		return key
	}
	if len(whole.Properties) == 1 && whole.Type == "object" {
		only := whole.field(whole.Properties[0].Name)
		if only != nil && only.Type == "object" && only.Additional == nil && len(only.Properties) > 1 {
			return whole.Properties[0].Name
		}
	}
	return ""
}

// listed is the shape of the items of lists, which may show less than the whole.
func (k *kind) listed() *shape {
	if k.list == nil {
		return nil
	}
	r := k.list.method.Response
	_, items, _ := k.all.of(k.list.method, r.Schema).listField(r.ObjectKey)
	return items
}

// has reports whether resources of the kind have an attribute, in full or as they are listed.
func (k *kind) has(name string) bool { return k.item().has(name) || k.listed().has(name) }

// field names the attribute that holds an id: clean_room_name is a clean room's name.
func (k *kind) field(id string) string {
	if other, ok := idFields[id]; ok && k.has(other) {
		return other
	}
	switch {
	case k.has(id):
		return id
	case strings.HasSuffix(id, "_name") && k.has("name"), id == "name_arg":
		return "name"
	case id == "id" && k.has(strings.ReplaceAll(nounOf(k.name), " ", "_")+"_id"):
		return strings.ReplaceAll(nounOf(k.name), " ", "_") + "_id"
	case strings.HasSuffix(id, "id") && k.has("id"):
		return "id"
	case k.has("uuid"):
		return "uuid"
	case k.has("name") && len(k.ids) == 1 && k.nameTemplate() == "":
		return "name"
	}
	return id // no answer shows it, but the store needs it
}

// idFields are ids that have another name as attributes.
var idFields = map[string]string{
	"budget_id":                     "budget_configuration_id",
	"log_delivery_configuration_id": "config_id",
	"ip_access_list_id":             "list_id",
	"private_endpoint_rule_id":      "rule_id",
}

// fields name the attributes that hold the ids.
func (k *kind) fields() []string {
	names := make([]string, len(k.ids))
	for i, id := range k.ids {
		names[i] = k.field(id)
	}
	return names
}

// numbered reports whether ids are numbers.
func (k *kind) numbered() bool {
	if len(k.ids) != 1 {
		return false
	}
	for _, in := range []*shape{k.item(), k.listed()} {
		if f := in.field(k.field(k.ids[0])); f != nil {
			return f.Type == "integer"
		}
	}
	return false
}

// nameTemplate is the form of the resource names of a kind that has such: accounts/{account_id}/….
func (k *kind) nameTemplate() string {
	if k.get == nil || k.get.method.NameParam == nil || k.get.method.NameParam.Name != "name" {
		return ""
	}
	return k.get.method.NameParam.Template
}

// dotted are the kinds whose ids are the names of Unity Catalog: the last part names the item, and
// what is before it the collection, which lists name by these parameters.
var dotted = map[string][]string{
	"/unity-catalog/schemas":   {"catalog_name"},
	"/unity-catalog/tables":    {"catalog_name", "schema_name"},
	"/unity-catalog/volumes":   {"catalog_name", "schema_name"},
	"/unity-catalog/functions": {"catalog_name", "schema_name"},
}

// collection names a collection of the kind in the store.
func (k *kind) collection(above []string) string {
	if len(above) == 0 {
		return k.name
	}
	return k.name + "|" + resource.JoinKey(above)
}

// locate gives the collection and the id of an item by what stands above it and its own ids.
func (k *kind) locate(above, ids []string) (collection, id string) {
	if parents, ok := dotted[k.name]; ok && len(ids) == 1 {
		parts := strings.Split(ids[0], ".")
		if len(parts) == len(parents)+1 {
			return k.collection(parts[:len(parents)]), resource.Key(parts[len(parents)])
		}
		return k.collection(parts), "-" // no such name, so nothing is there
	}
	if len(k.ids) == 0 {
		return k.collection(above), "-" // alone at its path
	}
	return k.collection(above), resource.JoinKey(ids)
}

// aboveOf takes apart what collection put together.
func aboveOf(collection string) (kindName string, above []string) {
	kindName, rest, nested := strings.Cut(collection, "|")
	if !nested {
		return kindName, nil
	}
	return kindName, resource.SplitKey(rest)
}

// always reports whether resources of the kind are there without being made, such as settings.
func (k *kind) always() bool { return !k.creates && k.list == nil }

// pagingParams are the parameters by which lists are paged, ordered and cut to some attributes.
func pagingParams() []string {
	return []string{
		"page_token", "page_size", "max_results", "limit", "offset", "count", "startIndex", "page", "next_page_token",
		"attributes", "excludedAttributes", "sortBy", "sortOrder", "order", "order_by",
	}
}

func isPaging(name string) bool { return slices.Contains(pagingParams(), name) }
