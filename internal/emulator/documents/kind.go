package documents

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/resource"
	"github.com/lakeql/lakeql/provider"
)

// Kind describes all resources of one sort, in all collections.
type Kind struct {
	Name string // the path of its collections, such as /apps/{}/deployments; the account's begin with @
	Get  *provider.Method
	List *provider.Method
	Made *provider.Method // creates such a resource; set only if a method does so
	// creates is true if a method creates such resources. Others always exist, such as settings.
	creates bool
	Above   []string // parameters that name the collection, as Get has them, or List
	IDs     []string // parameters that name an item of it

	all *Shapes
}

// Item is the shape of a whole resource: as Get answers, or else as List or Made does.
func (k *Kind) Item() *Shape {
	switch {
	case k.Get != nil:
		return k.unwrapped(k.Get)
	case k.List != nil:
		return k.Listed()
	case k.Made != nil:
		return k.unwrapped(k.Made)
	}
	return nil
}

// unwrapped is the shape of the resource in an answer, without a wrapper such as {"budget": {…}}.
func (k *Kind) unwrapped(m *provider.Method) *Shape {
	r := m.Response
	if r == nil {
		return nil
	}
	whole := k.all.Of(m, r.Schema)
	if name := Wrapper(m, whole); name != "" {
		return whole.Field(name)
	}
	return whole
}

// Wrapper names the attribute of an answer that holds the resource. It is empty if the answer is
// the resource itself.
func Wrapper(m *provider.Method, whole *Shape) string {
	if whole == nil {
		return ""
	}
	if key, ok := strings.CutPrefix(m.Response.ObjectKey, "$."); ok && whole.Field(key) != nil && whole.Field(key).Type == "object" {
		return key
	}
	if len(whole.Properties) == 1 && whole.Type == "object" {
		only := whole.Field(whole.Properties[0].Name)
		if only != nil && only.Type == "object" && only.Additional == nil && len(only.Properties) > 1 {
			return whole.Properties[0].Name
		}
	}
	return ""
}

// Listed is the shape of an item of a list, which may have fewer attributes than the whole
// resource.
func (k *Kind) Listed() *Shape {
	if k.List == nil {
		return nil
	}
	r := k.List.Response
	_, items, _ := k.all.Of(k.List, r.Schema).ListField(r.ObjectKey)
	return items
}

// Has reports whether resources of the kind have an attribute, in [Kind.Item] or [Kind.Listed].
func (k *Kind) Has(name string) bool { return k.Item().Has(name) || k.Listed().Has(name) }

// Field names the attribute that holds the id of a parameter: name for clean_room_name.
func (k *Kind) Field(id string) string {
	if other, ok := idFields[id]; ok && k.Has(other) {
		return other
	}
	switch {
	case k.Has(id):
		return id
	case strings.HasSuffix(id, "_name") && k.Has("name"), id == "name_arg":
		return "name"
	case id == "id" && k.Has(strings.ReplaceAll(Noun(k.Name), " ", "_")+"_id"):
		return strings.ReplaceAll(Noun(k.Name), " ", "_") + "_id"
	case strings.HasSuffix(id, "id") && k.Has("id"):
		return "id"
	case k.Has("uuid"):
		return "uuid"
	case k.Has("name") && len(k.IDs) == 1 && k.NameTemplate() == "":
		return "name"
	}
	return id // no answer shows it, but the record holds it
}

// AboveField names the attribute that holds a parameter of the collection. It differs from
// [Kind.Field]: a pipeline's event has an attribute id that is not the pipeline's.
func (k *Kind) AboveField(name string) string {
	if other, ok := idFields[name]; ok && k.Has(other) {
		return other
	}
	return name
}

// idFields maps parameters to attributes of another name.
var idFields = map[string]string{
	"budget_id":                     "budget_configuration_id",
	"log_delivery_configuration_id": "config_id",
	"ip_access_list_id":             "list_id",
	"private_endpoint_rule_id":      "rule_id",
}

// Fields names the attributes that hold the ids of an item.
func (k *Kind) Fields() []string {
	names := make([]string, len(k.IDs))
	for i, id := range k.IDs {
		names[i] = k.Field(id)
	}
	return names
}

// Numbered reports whether the id of an item is a number.
func (k *Kind) Numbered() bool {
	if len(k.IDs) != 1 {
		return false
	}
	for _, in := range []*Shape{k.Item(), k.Listed()} {
		if f := in.Field(k.Field(k.IDs[0])); f != nil {
			return f.Type == "integer"
		}
	}
	return false
}

// NameTemplate is the form of the attribute name in kinds that have resource names, such as
// accounts/{account_id}/budget-policies/{policy_id}. It is empty in other kinds.
func (k *Kind) NameTemplate() string {
	if k.Get == nil || k.Get.NameParam == nil || k.Get.NameParam.Name != "name" {
		return ""
	}
	return k.Get.NameParam.Template
}

// CatalogParams names the parameters that select the collection in lists of Unity Catalog: a
// catalog, or a catalog and a schema. It is false for other kinds.
func (k *Kind) CatalogParams() (params []string, ok bool) {
	params, ok = catalogParams[k.Name]
	return params, ok
}

// catalogParams are the parameters of [Kind.CatalogParams] by kind. The ids of these kinds are full
// names: the last part names the item, and the parts before it name the collection.
var catalogParams = map[string][]string{
	"/unity-catalog/schemas":   {"catalog_name"},
	"/unity-catalog/tables":    {"catalog_name", "schema_name"},
	"/unity-catalog/volumes":   {"catalog_name", "schema_name"},
	"/unity-catalog/functions": {"catalog_name", "schema_name"},
}

// Collection returns the name of a collection of the kind. The ids above it are those of Above.
func (k *Kind) Collection(above []string) string {
	if len(above) == 0 {
		return k.Name
	}
	return k.Name + "|" + resource.JoinKey(above)
}

// Locate returns the collection of an item and its key there, from the ids above it and its own.
func (k *Kind) Locate(above, ids []string) (collection, id string) {
	if parents, ok := k.CatalogParams(); ok && len(ids) == 1 {
		parts := strings.Split(ids[0], ".")
		if len(parts) == len(parents)+1 {
			return k.Collection(parts[:len(parents)]), resource.Key(parts[len(parents)])
		}
		return k.Collection(parts), "-" // not a full name, so there is no such item
	}
	if len(k.IDs) == 0 {
		return k.Collection(above), "-" // the only item of its path
	}
	return k.Collection(above), resource.JoinKey(ids)
}

// SplitCollection is the reverse of [Kind.Collection].
func SplitCollection(collection string) (kindName string, above []string) {
	kindName, rest, nested := strings.Cut(collection, "|")
	if !nested {
		return kindName, nil
	}
	return kindName, resource.SplitKey(rest)
}

// Always reports whether resources of the kind exist without being created, such as settings.
func (k *Kind) Always() bool { return !k.creates && k.List == nil }

// leads reports whether the shape has an attribute at a path, through lists and without regard to
// case. Below a shape that the documents leave open every path is possible.
func (s *Shape) leads(path []string) bool {
	if s == nil {
		return false
	}
	if s.Type == "array" {
		return s.Elem().leads(path)
	}
	if len(path) == 0 || len(s.Properties) == 0 && s.Type != "string" && s.Type != "integer" && s.Type != "boolean" {
		return true
	}
	for i := range s.Properties {
		if strings.EqualFold(s.Properties[i].Name, path[0]) {
			return s.all.Of(s.method, s.Properties[i].Schema).leads(path[1:])
		}
	}
	return false
}

// Leads reports whether resources of the kind have an attribute at a path, without regard to case.
func (k *Kind) Leads(path []string) bool { return k.Item().leads(path) || k.Listed().leads(path) }

// TypedID returns an id in the type of its attribute: a number or text.
func (k *Kind) TypedID(field, id string) any {
	f := k.Item().Field(field)
	if f == nil {
		f = k.Listed().Field(field)
	}
	if f != nil && f.Type == "integer" {
		if n, err := strconv.ParseInt(id, 10, 64); err == nil {
			return n
		}
	}
	return id
}

// Noun names an item of a kind in messages: "deployment" for /apps/{}/deployments.
func Noun(kindName string) string {
	segments := strings.Split(kindName, "/")
	for _, s := range slices.Backward(segments) {
		if s == "" || s == "{}" || s == "@" {
			continue
		}
		s = strings.ToLower(strings.NewReplacer("_", " ", "-", " ").Replace(s))
		switch {
		case strings.HasSuffix(s, "ies"):
			return strings.TrimSuffix(s, "ies") + "y"
		case strings.HasSuffix(s, "ches"), strings.HasSuffix(s, "shes"), strings.HasSuffix(s, "xes"):
			return strings.TrimSuffix(s, "es")
		}
		return strings.TrimSuffix(s, "s")
	}
	return "resource"
}

// FillTemplate puts values in the place of a resource name's parameters, as in projects/{project_id}. A
// parameter without a value stays as it is.
func FillTemplate(template string, value func(param string) (string, bool)) string {
	segments := strings.Split(template, "/")
	for i, s := range segments {
		name, isParam := strings.CutPrefix(s, "{")
		if !isParam {
			continue
		}
		if v, ok := value(strings.TrimSuffix(name, "}")); ok {
			segments[i] = v
		}
	}
	return strings.Join(segments, "/")
}
