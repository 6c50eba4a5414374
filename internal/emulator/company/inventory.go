package company

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// Inventory is the resources with which a workspace or the account begins. It generates them for a
// [resource.Collections].
type Inventory struct {
	*Company

	// Kinds returns the kinds of the documents. It is called for kinds without a dataset only,
	// because reading all documents takes long.
	Kinds func() map[string]*documents.Kind
}

// dataset is the company's resources of one kind. The ids above are those of the collection.
type dataset struct {
	ids  func(co *Company, above []string) resource.Sequence
	make func(co *Company, above []string, id string) resource.Record
}

// datasetOf finds the dataset of a kind.
func datasetOf(kindName string) (dataset, bool) {
	for _, table := range []map[string]dataset{jobData, catalogData, computeData, peopleData, accountData, folderData, modelData} {
		if s, ok := table[kindName]; ok {
			return s, true
		}
	}
	return dataset{}, false
}

// empty are the kinds of which nothing exists before a client creates it.
var empty = map[string]bool{
	"/sql/statements":                                    true,
	"/contexts":                                          true,
	"/marketplace-consumer/installations":                true,
	"/unity-catalog/constraints":                         true,
	"/mlflow/transition-requests":                        true,
	"/mlflow/comments":                                   true,
	"/environments/v1/operations":                        true,
	"/permissions":                                       true,
	"@/servicePrincipals/{}/credentials/secrets":         true,
	"/accounts/servicePrincipals/{}/credentials/secrets": true,
}

// IDs returns the ids of a collection.
func (w *Inventory) IDs(collection string) resource.Sequence {
	if !isRecords(collection) {
		return w.lakebaseIDs(collection)
	}
	kindName, above := documents.SplitCollection(collection)
	if s, ok := datasetOf(kindName); ok {
		return s.ids(w.Company, above)
	}
	k, ok := w.Kinds()[kindName]
	if !ok || empty[kindName] {
		return resource.Sequence{}
	}
	if len(k.IDs) == 0 {
		if k.Get == nil {
			return numbered(3) // a list of items that have no id
		}
		return resource.Sequence{Names: []string{single}}
	}
	if ids, ok := identityIDs[kindName]; ok {
		return ids(w.Company, above)
	}
	return w.invented(k, collection)
}

// numbered makes n ids for items without natural ids.
func numbered(n int) resource.Sequence {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = resource.Pad(i + 1)
	}
	return resource.Sequence{Names: ids}
}

// single is the id of the only resource of its path.
const single = "-"

// invented makes up a few ids of a collection.
func (w *Inventory) invented(k *documents.Kind, collection string) resource.Sequence {
	const few = 3
	v := w.Inventor(collection)
	var ids []string
	for range few {
		parts := make([]string, len(k.IDs))
		for i, field := range k.Fields() {
			switch {
			case k.Numbered():
				parts[i] = strconv.Itoa(1_000_000_000 + v.draw.Below(1<<30))
			default:
				f := k.Item().Field(field)
				if f == nil {
					f = k.Listed().Field(field)
				}
				parts[i] = v.identity(f, k.IDs[i], field)
			}
		}
		if id := resource.JoinKey(parts); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return resource.Sequence{Names: ids}
}

// Item makes one resource of a collection.
func (w *Inventory) Item(collection, id string) resource.Item {
	if !isRecords(collection) {
		return w.lakebaseItem(collection, id)
	}
	kindName, above := documents.SplitCollection(collection)
	if s, ok := datasetOf(kindName); ok {
		return resource.Item{ID: id, Record: s.make(w.Company, above, id)}
	}
	r := w.Invent(w.Kinds()[kindName], collection, above, id)
	if _, ok := identityIDs[kindName]; ok {
		identify(w.Company, kindName, id, r)
	}
	return resource.Item{ID: id, Record: r}
}

// Invent makes up a resource of a kind without a dataset.
func (w *Inventory) Invent(k *documents.Kind, collection string, above []string, id string) resource.Record {
	v := w.Inventor(collection + "/" + id)
	r := v.Record(k.Listed())
	for name, value := range v.Record(k.Item()) {
		r[name] = value
	}
	names := k.Above
	if parents, ok := k.CatalogParams(); ok {
		names = parents
		r["full_name"] = strings.Join(append(slices.Clone(above), id), ".")
	}
	for i, name := range names {
		if i < len(above) { // not Field, see AboveField
			field := k.AboveField(name)
			r[field] = k.TypedID(field, above[i])
			r[name] = r[field]
		}
	}
	if id == single {
		if template := k.NameTemplate(); template != "" {
			r["name"] = w.resourceName(template, k, above, nil)
		}
		return r
	}
	parts := resource.SplitKey(id)
	for i, field := range k.Fields() {
		if i < len(parts) {
			r[field] = k.TypedID(field, parts[i])
			r[k.IDs[i]] = r[field]
		}
	}
	if template := k.NameTemplate(); template != "" {
		r["name"] = w.resourceName(template, k, above, parts)
	}
	if _, ok := k.CatalogParams(); !ok && r["full_name"] != nil && len(k.IDs) == 1 && k.Field(k.IDs[0]) == "name" {
		r["full_name"] = r["name"]
	}
	return r
}

// resourceName fills a template with the ids above an item and its own.
func (w *Inventory) resourceName(template string, k *documents.Kind, above, ids []string) string {
	return documents.FillTemplate(template, func(name string) (string, bool) {
		switch at, in := slices.Index(k.IDs, name), slices.Index(k.Above, name); {
		case at >= 0 && at < len(ids):
			return ids[at], true
		case in >= 0 && in < len(above):
			return above[in], true
		}
		return w.AccountID(), name == "account_id"
	})
}

// isRecords reports whether a collection holds records. Lakebase's resources are JSON.
func isRecords(collection string) bool {
	return strings.HasPrefix(collection, "/") || strings.HasPrefix(collection, "@")
}

// fixed is a dataset of records that are written down, by their ids.
func fixed(all func(co *Company) map[string]resource.Record) dataset {
	return dataset{
		ids: func(co *Company, _ []string) resource.Sequence { return sortedKeys(all(co)) },
		make: func(co *Company, _ []string, id string) resource.Record {
			return all(co)[id]
		},
	}
}

func sortedKeys(all map[string]resource.Record) resource.Sequence {
	ids := make([]string, 0, len(all))
	for id := range all {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return resource.Sequence{Names: ids}
}
