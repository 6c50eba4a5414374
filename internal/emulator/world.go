package emulator

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// world is all that a workspace or an account begins with: Lakebase, which company works out, what
// the seeds have of the other services, and made-up resources where they have none.
type world struct {
	*company

	kinds func() map[string]*documents.Kind
}

// seed is what the company has of one kind.
type seed struct {
	ids  func(co *company, above []string) resource.Sequence
	make func(co *company, above []string, id string) resource.Record
}

// seeds are the kinds that the company has a story for.
func seedOf(kindName string) (seed, bool) {
	for _, table := range []map[string]seed{jobSeeds, catalogSeeds, computeSeeds, peopleSeeds, accountSeeds, folderSeeds, modelSeeds} {
		if s, ok := table[kindName]; ok {
			return s, true
		}
	}
	return seed{}, false
}

// empty are kinds of which there is nothing before somebody makes it.
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

// IDs gives the ids of a collection in the store.
func (w *world) IDs(collection string) resource.Sequence {
	if !isRecords(collection) {
		return w.company.ids(collection)
	}
	kindName, above := documents.SplitCollection(collection)
	if s, ok := seedOf(kindName); ok {
		return s.ids(w.company, above)
	}
	k, ok := w.kinds()[kindName]
	if !ok || empty[kindName] {
		return resource.Sequence{}
	}
	if len(k.IDs) == 0 {
		if k.Get == nil {
			return numbered(3) // a list of what has no name
		}
		return resource.Sequence{Names: []string{single}}
	}
	return w.invented(k, collection)
}

// numbered is a list of n ids, for items that have none of their own.
func numbered(n int) resource.Sequence {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = resource.Pad(i + 1)
	}
	return resource.Sequence{Names: ids}
}

// single is the id of a resource that is alone at its path.
const single = "-"

// invented makes up a few ids.
func (w *world) invented(k *documents.Kind, collection string) resource.Sequence {
	const few = 3
	v := inventor{co: w.company, draw: w.draw(collection)}
	var ids []string
	for range few {
		parts := make([]string, len(k.IDs))
		for i, field := range k.Fields() {
			switch {
			case k.Numbered():
				parts[i] = strconv.Itoa(1_000_000_000 + v.draw.below(1<<30))
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

// identity makes up one id. Where an attribute usually refers to one thing of the company, several
// items have to differ all the same.
func (v *inventor) identity(f *documents.Shape, param, field string) string {
	if f != nil && len(f.Enum) > 0 {
		return v.choose(f.Enum)
	}
	switch {
	case strings.HasSuffix(param, "name") && !strings.HasSuffix(field, "id"), field == "name", field == "path", strings.HasSuffix(param, "key"):
		return v.word()
	case param == "version":
		return strconv.Itoa(1 + v.draw.below(9))
	case strings.HasSuffix(param, "arn"):
		return "arn:aws:iam::482910573321:instance-profile/" + v.word()
	}
	return v.draw.uuid()
}

// Item works out one resource of a collection.
func (w *world) Item(collection, id string) resource.Item {
	if !isRecords(collection) {
		return w.company.item(collection, id)
	}
	kindName, above := documents.SplitCollection(collection)
	if s, ok := seedOf(kindName); ok {
		return resource.Item{ID: id, Record: s.make(w.company, above, id)}
	}
	return resource.Item{ID: id, Record: w.invent(w.kinds()[kindName], collection, above, id)}
}

func (w *world) invent(k *documents.Kind, collection string, above []string, id string) resource.Record {
	v := inventor{co: w.company, draw: w.draw(collection + "/" + id)}
	r := v.record(k.Listed())
	for name, value := range v.record(k.Item()) {
		r[name] = value
	}
	names := k.Above
	if parents, ok := k.CatalogParams(); ok {
		names = parents
		r["full_name"] = strings.Join(append(slices.Clone(above), id), ".")
	}
	for i, name := range names {
		if i < len(above) { // not by k.field: an event of a pipeline has an id of its own
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

// resourceName fills a template with what stands above an item and its ids.
func (w *world) resourceName(template string, k *documents.Kind, above, ids []string) string {
	segments := strings.Split(template, "/")
	for i, s := range segments {
		name, isParam := strings.CutPrefix(s, "{")
		if !isParam {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		switch at, in := slices.Index(k.IDs, name), slices.Index(k.Above, name); {
		case at >= 0 && at < len(ids):
			segments[i] = ids[at]
		case in >= 0 && in < len(above):
			segments[i] = above[in]
		case name == "account_id":
			segments[i] = w.accountID()
		}
	}
	return strings.Join(segments, "/")
}

// isRecords reports whether a collection holds records, and not Lakebase's resources.
func isRecords(collection string) bool {
	return strings.HasPrefix(collection, "/") || strings.HasPrefix(collection, "@")
}

// fixed is a seed of records that are written down, by their ids.
func fixed(all func(co *company) map[string]resource.Record) seed {
	return seed{
		ids: func(co *company, _ []string) resource.Sequence { return sortedKeys(all(co)) },
		make: func(co *company, _ []string, id string) resource.Record {
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
