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

// serve carries out an operation without a handler, by its target.
func serve(req *apiRequest) (any, error) {
	p := req.route.target
	if p.Kind == nil {
		return req.invented(nil), nil
	}
	if err := req.checkParents(p); err != nil {
		return nil, err
	}
	switch p.Action {
	case documents.ActionList:
		return listRecords(req)
	case documents.ActionGet:
		return getRecord(req)
	case documents.ActionCreate:
		return createRecord(req)
	case documents.ActionUpdate:
		return updateRecord(req, false)
	case documents.ActionPut:
		return updateRecord(req, true)
	case documents.ActionDelete:
		return deleteRecord(req)
	default:
		return actOnRecord(req)
	}
}

// stored finds the resource of a target.
func (req *apiRequest) stored(p documents.Target) (name string, r resource.Record, err error) {
	above, ids := req.values(p.Above), req.values(p.IDs)
	in, id := p.Kind.Locate(above, ids)
	name = in + "/" + id
	it, ok := req.home.collections.Get(name)
	if ok {
		return name, resource.Settled(it.Record, req.now()), nil
	}
	if !it.Gone && p.Kind.Always() {
		return name, req.home.inventory.Invent(p.Kind, in, above, id), nil
	}
	return name, nil, req.missing(p, ids)
}

func (req *apiRequest) missing(p documents.Target, ids []string) error {
	what := strings.Join(ids, ", ")
	if what == "" {
		return apierror.NotFound("%s does not exist.", apierror.Printable(company.Title(documents.Noun(p.Kind.Name))))
	}
	return apierror.New(http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "%s %q does not exist in %s.", company.Title(documents.Noun(p.Kind.Name)), apierror.Printable(what), req.home.name)
}

// checkParents refuses a target below a resource that does not exist.
func (req *apiRequest) checkParents(p documents.Target) error {
	segments := strings.Split(p.Kind.Name, "/")
	used := 0
	for i, s := range segments {
		if s != "{}" {
			continue
		}
		used++
		parent, ok := req.emulator.kinds()[strings.Join(segments[:i], "/")]
		if !ok || len(parent.IDs) != 1 || parent.Always() || used > len(p.Above) {
			continue
		}
		values := req.values(p.Above[:used])
		in, id := parent.Locate(values[:used-1], values[used-1:])
		if _, ok := req.home.collections.Get(in + "/" + id); !ok {
			return req.missing(documents.Target{Kind: parent}, values[used-1:])
		}
	}
	return nil
}

func getRecord(req *apiRequest) (any, error) {
	_, r, err := req.stored(req.route.target)
	if err != nil {
		return nil, err
	}
	if granted, ok := r["privilege_assignments"].([]any); ok && req.query.Get("principal") != "" {
		r = maps.Clone(r)
		r["privilege_assignments"] = slices.DeleteFunc(slices.Clone(granted), func(g any) bool {
			return !slices.Contains(resource.ValuesAt(g, []string{"principal"}), req.query.Get("principal"))
		})
	}
	return req.answer(r), nil
}

func createRecord(req *apiRequest) (any, error) {
	p := req.route.target
	r := req.newRecord(p.Kind, req.content())
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	ids := req.newIDs(p.Kind, r)
	in, id := p.Kind.Locate(req.values(p.Above), ids)
	if parents, ok := p.Kind.CatalogParams(); ok {
		if err := req.checkCatalog(req.values(parents)); err != nil {
			return nil, err
		}
		in, id = p.Kind.Locate(nil, []string{strings.Join(append(req.values(parents), resource.Text(r["name"])), ".")})
	}
	if p.Kind.Has("full_name") {
		if full := fullName(r); full != "" {
			r["full_name"] = full
		}
	}
	for i, value := range req.values(p.Above) {
		if value == "" {
			return nil, apierror.Invalid("%s is required.", p.Above[i])
		}
	}
	if _, taken := req.home.collections.Get(in + "/" + id); taken {
		return nil, apierror.New(http.StatusConflict, "RESOURCE_ALREADY_EXISTS", "%s %q already exists.", company.Title(documents.Noun(p.Kind.Name)), apierror.Printable(strings.Join(ids, ", ")))
	}
	req.finishRecord(p.Kind, r)
	req.home.collections.Put(in+"/"+id, r)
	return req.answer(r), nil
}

func updateRecord(req *apiRequest, orMake bool) (any, error) {
	p := req.route.target
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	name, old, err := req.stored(p)
	if err != nil && !orMake && !p.Kind.Always() {
		return nil, err
	}
	content := req.content()
	var r resource.Record
	if err != nil {
		r = req.newRecord(p.Kind, content)
		for i, field := range p.Kind.Fields() {
			r[field] = req.value(p.IDs[i])
		}
		if template := p.Kind.NameTemplate(); template != "" {
			r["name"] = req.fillTemplate(template, p.Kind, req.values(p.IDs))
		}
	} else {
		r = merged(old, content, req.mask())
		for _, field := range append(p.Kind.Fields(), p.Kind.IDs...) { // a change keeps ids
			if value, ok := old[field]; ok {
				r[field] = value
			}
		}
		if p.Kind.NameTemplate() != "" {
			r["name"] = old["name"]
		}
	}
	now := req.now().UTC()
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
	if err := req.rename(p, &name, r, content); err != nil {
		return nil, err
	}
	if change, ok := changers[p.Kind.Name]; ok {
		change(req, r, content)
	}
	if len(p.Kind.IDs) == 0 && req.method.Verb == http.MethodPost { // creates the only resource of its path
		req.goes(p.Kind.Name, r)
	}
	req.home.collections.Put(name, r)
	return req.answer(r), nil
}

// rename changes the name of a resource to the new_name of a request, if there is one.
func (req *apiRequest) rename(p documents.Target, name *string, r, content resource.Record) error {
	to := resource.Text(content["new_name"])
	if to == "" || len(p.Kind.IDs) != 1 {
		return nil
	}
	full := resource.Text(r["full_name"])
	if full != "" {
		full = full[:strings.LastIndexByte(full, '.')+1] + to
	}
	key := to
	if _, listed := p.Kind.CatalogParams(); !listed && p.Kind.Fields()[0] == "full_name" {
		key = full
	}
	renamed := resource.Parent(*name) + "/" + resource.Key(key)
	if _, taken := req.home.collections.Get(renamed); taken && renamed != *name {
		return apierror.New(http.StatusConflict, "RESOURCE_ALREADY_EXISTS", "%s %q already exists.", company.Title(documents.Noun(p.Kind.Name)), apierror.Printable(to))
	}
	req.home.collections.Remove(*name)
	*name = renamed
	r["name"] = to
	delete(r, "new_name")
	if full != "" {
		r["full_name"] = full
	}
	return nil
}

// merged copies a record and applies a change to the copy, limited to the paths of a mask.
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

// copyPath copies the attribute at a path, or deletes it if the source does not have it.
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

func deleteRecord(req *apiRequest) (any, error) {
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	name, r, err := req.stored(req.route.target)
	if err != nil {
		return nil, err
	}
	req.home.collections.Remove(name)
	return req.answer(r), nil
}

// actOnRecord answers an operation that acts on an item. It keeps attributes of the item that the
// request contains.
func actOnRecord(req *apiRequest) (any, error) {
	p := req.route.target
	if len(p.IDs) == 0 {
		return req.invented(nil), nil
	}
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	name, old, err := req.stored(p)
	if err != nil {
		if p.Kind.Always() {
			return req.invented(nil), nil
		}
		return nil, err
	}
	content := resource.Record{}
	for field, value := range req.object() {
		if p.Kind.Has(field) && !slices.Contains(p.Kind.Fields(), field) && p.Kind.Item().Field(field).Takes(value) {
			content[field] = value
		}
	}
	r := old
	if len(content) > 0 {
		r = merged(old, content, nil)
		req.home.collections.Put(name, r)
	}
	return req.answer(r), nil
}

// changeOne makes a handler from a change of the item that a request is about. The answer is the
// changed item, as far as the documents have it.
func changeOne(change func(req *apiRequest, r resource.Record) (resource.Record, error)) handler {
	return func(req *apiRequest) (any, error) {
		req.home.changing.Lock()
		defer req.home.changing.Unlock()
		name, old, err := req.stored(req.route.target)
		if err != nil {
			return nil, err
		}
		r, err := change(req, resource.Settled(old, req.now()))
		if err != nil {
			return nil, err
		}
		req.home.collections.Put(name, r)
		return req.answer(r), nil
	}
}
