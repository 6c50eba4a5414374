package emulator

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// serve carries out an operation that has no handler of its own, by its plan.
func serve(c *call) (any, error) {
	p := c.route.target
	if p.Kind == nil {
		return c.invented(nil), nil
	}
	if err := c.checkParents(p); err != nil {
		return nil, err
	}
	switch p.Action {
	case documents.ActionList:
		return listRecords(c)
	case documents.ActionGet:
		return getRecord(c)
	case documents.ActionCreate:
		return createRecord(c)
	case documents.ActionUpdate:
		return updateRecord(c, false)
	case documents.ActionPut:
		return updateRecord(c, true)
	case documents.ActionDelete:
		return deleteRecord(c)
	default:
		return actOnRecord(c)
	}
}

// stored finds the resource that a call is about.
func (c *call) stored(p documents.Target) (name string, r resource.Record, err error) {
	above, ids := c.values(p.Above), c.values(p.IDs)
	in, id := p.Kind.Locate(above, ids)
	name = in + "/" + id
	it, ok := c.home.collections.Get(name)
	if ok {
		return name, resource.Settled(it.Record, c.emulator.opts.Clock()), nil
	}
	if !it.Gone && p.Kind.Always() {
		return name, c.home.inventory.Invent(p.Kind, in, above, id), nil
	}
	return name, nil, c.missing(p, ids)
}

func (c *call) missing(p documents.Target, ids []string) error {
	what := strings.Join(ids, ", ")
	if what == "" {
		return apierror.NotFound("%s does not exist.", apierror.Printable(company.Title(documents.Noun(p.Kind.Name))))
	}
	return apierror.New(http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "%s %q does not exist in %s.", company.Title(documents.Noun(p.Kind.Name)), apierror.Printable(what), c.home.name)
}

// checkParents refuses calls below something that does not exist.
func (c *call) checkParents(p documents.Target) error {
	segments := strings.Split(p.Kind.Name, "/")
	used := 0
	for i, s := range segments {
		if s != "{}" {
			continue
		}
		used++
		parent, ok := c.emulator.kinds()[strings.Join(segments[:i], "/")]
		if !ok || len(parent.IDs) != 1 || parent.Always() || used > len(p.Above) {
			continue
		}
		values := c.values(p.Above[:used])
		in, id := parent.Locate(values[:used-1], values[used-1:])
		if _, ok := c.home.collections.Get(in + "/" + id); !ok {
			return c.missing(documents.Target{Kind: parent}, values[used-1:])
		}
	}
	return nil
}

func getRecord(c *call) (any, error) {
	_, r, err := c.stored(c.route.target)
	if err != nil {
		return nil, err
	}
	if granted, ok := r["privilege_assignments"].([]any); ok && c.query.Get("principal") != "" {
		r = maps.Clone(r)
		r["privilege_assignments"] = slices.DeleteFunc(slices.Clone(granted), func(g any) bool {
			return !slices.Contains(resource.ValuesAt(g, []string{"principal"}), c.query.Get("principal"))
		})
	}
	return c.answer(r), nil
}

func createRecord(c *call) (any, error) {
	p := c.route.target
	r := c.newRecord(p.Kind, c.content())
	c.home.changing.Lock()
	defer c.home.changing.Unlock()
	ids := c.newIDs(p.Kind, r)
	in, id := p.Kind.Locate(c.values(p.Above), ids)
	if parents, ok := p.Kind.CatalogParams(); ok {
		if err := c.checkCatalog(c.values(parents)); err != nil {
			return nil, err
		}
		in, id = p.Kind.Collection(c.values(parents)), resource.Key(ids[0])
		r["full_name"] = strings.Join(append(c.values(parents), ids[0]), ".")
	}
	for i, value := range c.values(p.Above) {
		if value == "" {
			return nil, apierror.Invalid("%s is required.", p.Above[i])
		}
	}
	if _, taken := c.home.collections.Get(in + "/" + id); taken {
		return nil, apierror.New(http.StatusConflict, "RESOURCE_ALREADY_EXISTS", "%s %q already exists.", company.Title(documents.Noun(p.Kind.Name)), apierror.Printable(strings.Join(ids, ", ")))
	}
	c.finishRecord(p.Kind, r)
	c.home.collections.Put(in+"/"+id, r)
	return c.answer(r), nil
}

// checkCatalog refuses what would be in a catalog or schema that does not exist.
func (c *call) checkCatalog(above []string) error {
	catalogs, schemas := c.emulator.kinds()["/unity-catalog/catalogs"], c.emulator.kinds()["/unity-catalog/schemas"]
	if catalogs == nil || schemas == nil {
		return nil
	}
	if _, ok := c.home.collections.Get(catalogs.Collection(nil) + "/" + resource.Key(above[0])); !ok {
		return apierror.New(http.StatusNotFound, "CATALOG_DOES_NOT_EXIST", "Catalog '%s' does not exist.", apierror.Printable(above[0]))
	}
	if len(above) > 1 {
		if _, ok := c.home.collections.Get(schemas.Collection(above[:1]) + "/" + resource.Key(above[1])); !ok {
			return apierror.New(http.StatusNotFound, "SCHEMA_DOES_NOT_EXIST", "Schema '%s' does not exist.", apierror.Printable(strings.Join(above, ".")))
		}
	}
	return nil
}

func updateRecord(c *call, orMake bool) (any, error) {
	p := c.route.target
	c.home.changing.Lock()
	defer c.home.changing.Unlock()
	name, old, err := c.stored(p)
	if err != nil && !orMake && !p.Kind.Always() {
		return nil, err
	}
	content := c.content()
	var r resource.Record
	if err != nil {
		r = c.newRecord(p.Kind, content)
		for i, field := range p.Kind.Fields() {
			r[field] = c.value(p.IDs[i])
		}
		if template := p.Kind.NameTemplate(); template != "" {
			r["name"] = c.fillTemplate(template, p.Kind, c.values(p.IDs))
		}
	} else {
		r = merged(old, content, c.mask())
		for _, field := range append(p.Kind.Fields(), p.Kind.IDs...) { // what identifies stays
			if value, ok := old[field]; ok {
				r[field] = value
			}
		}
		if p.Kind.NameTemplate() != "" {
			r["name"] = old["name"]
		}
	}
	now := c.emulator.opts.Clock().UTC()
	for _, field := range []string{"updated_at", "update_time", "updated_time", "last_updated_timestamp", "last_modified", "update_timestamp"} {
		f := p.Kind.Item().Field(field)
		switch {
		case f == nil:
		case f.Type == "integer":
			r[field] = now.UnixMilli()
		default:
			r[field] = now.Format(time.RFC3339)
		}
	}
	if err := c.rename(p, &name, r, content); err != nil {
		return nil, err
	}
	if change, ok := changers[p.Kind.Name]; ok {
		change(c, r, content)
	}
	if len(p.Kind.IDs) == 0 && c.route.method.Verb == http.MethodPost { // made, though it is alone at its path
		c.goes(p.Kind.Name, r)
	}
	c.home.collections.Put(name, r)
	return c.answer(r), nil
}

// rename gives a resource the new_name that a change asks for.
func (c *call) rename(p documents.Target, name *string, r, content resource.Record) error {
	to := resource.Text(content["new_name"])
	if to == "" || len(p.Kind.IDs) != 1 {
		return nil
	}
	renamed := resource.Parent(*name) + "/" + resource.Key(to)
	if _, taken := c.home.collections.Get(renamed); taken && renamed != *name {
		return apierror.New(http.StatusConflict, "RESOURCE_ALREADY_EXISTS", "%s %q already exists.", company.Title(documents.Noun(p.Kind.Name)), apierror.Printable(to))
	}
	c.home.collections.Remove(*name)
	*name = renamed
	r["name"] = to
	delete(r, "new_name")
	if full := resource.Text(r["full_name"]); full != "" {
		r["full_name"] = full[:strings.LastIndexByte(full, '.')+1] + to
	}
	return nil
}

// mask gives the paths that a change is limited to; none: whatever the body has.
func (c *call) mask() []string {
	text := c.query.Get("update_mask")
	if text == "" {
		if s, ok := c.object()["update_mask"].(string); ok {
			text = s
		}
	}
	if text == "" || text == "*" {
		return nil
	}
	return strings.Split(text, ",")
}

// merged is a record with changes on top. Records are shared, so the old one stays as it is.
func merged(old, content resource.Record, mask []string) resource.Record {
	r := maps.Clone(old)
	if r == nil {
		r = resource.Record{}
	}
	if len(mask) == 0 {
		maps.Copy(r, content)
		return r
	}
	for _, path := range mask {
		copyPath(r, content, strings.Split(strings.TrimSpace(path), "."))
	}
	return r
}

// copyPath takes one attribute over, or takes it away where the change has none.
func copyPath(to, from map[string]any, path []string) {
	value, ok := from[path[0]]
	if len(path) == 1 {
		if ok {
			to[path[0]] = value
		} else {
			delete(to, path[0])
		}
		return
	}
	inner := map[string]any{}
	if held, ok := to[path[0]].(resource.Record); ok {
		inner = maps.Clone(held)
	}
	source, _ := value.(map[string]any)
	copyPath(inner, source, path[1:])
	to[path[0]] = inner
}

func deleteRecord(c *call) (any, error) {
	c.home.changing.Lock()
	defer c.home.changing.Unlock()
	name, r, err := c.stored(c.route.target)
	if err != nil {
		return nil, err
	}
	c.home.collections.Remove(name)
	return c.answer(r), nil
}

// actOnRecord answers a call that does something with an item. What it says of the item is kept;
// where it is about nothing else, the item is the answer.
func actOnRecord(c *call) (any, error) {
	p := c.route.target
	if len(p.IDs) == 0 {
		return c.invented(nil), nil
	}
	c.home.changing.Lock()
	defer c.home.changing.Unlock()
	name, old, err := c.stored(p)
	if err != nil {
		if p.Kind.Always() {
			return c.invented(nil), nil
		}
		return nil, err
	}
	content := resource.Record{}
	for field, value := range c.object() {
		if p.Kind.Has(field) && !slices.Contains(p.Kind.Fields(), field) && p.Kind.Item().Field(field).Takes(value) {
			content[field] = value
		}
	}
	r := old
	if len(content) > 0 {
		r = merged(old, content, nil)
		c.home.collections.Put(name, r)
	}
	return c.answer(r), nil
}
