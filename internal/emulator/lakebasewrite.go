package emulator

import (
	"encoding/json"
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

// lakebaseWrites are the operations that make, change and delete resources of Lakebase. Each
// answers with an operation.
func lakebaseWrites() map[string]handler {
	const (
		root    = "/api/2.0/postgres"
		project = root + "/projects/{}"
		branch  = project + "/branches/{}"
	)
	table := map[string]handler{
		"POST " + root + "/projects":    createLakebase(projectRules()),
		"PATCH " + project:              updateLakebase(projectRules()),
		"DELETE " + project:             deleteProject,
		"POST " + project + "/undelete": undeleteProject,

		"POST " + project + "/branches": createLakebase(branchRules()),
		"PATCH " + branch:               updateLakebase(branchRules()),
		"DELETE " + branch:              deleteLakebase(branchRules()),

		"POST " + root + "/catalogs":           createLakebase(catalogRules()),
		"GET " + root + "/catalogs/{}":         getResource,
		"DELETE " + root + "/catalogs/{}":      deleteLakebase(catalogRules()),
		"POST " + root + "/synced_tables":      createLakebase(syncedTableRules()),
		"GET " + root + "/synced_tables/{}":    getResource,
		"DELETE " + root + "/synced_tables/{}": deleteLakebase(syncedTableRules()),
		"GET " + root + "/{}":                  getOperation,
	}
	for kind, rules := range map[string]lakebaseRules{"endpoints": endpointRules(), "databases": databaseRules(), "roles": roleRules()} {
		table["POST "+branch+"/"+kind] = createLakebase(rules)
		table["PATCH "+branch+"/"+kind+"/{}"] = updateLakebase(rules)
		table["DELETE "+branch+"/"+kind+"/{}"] = deleteLakebase(rules)
	}
	return table
}

// lakebaseRules are what differs between the kinds of resources.
type lakebaseRules struct {
	idParam string
	// newID gives an id where the request may leave it out.
	newID func(spec resource.Record) string
	// check refuses a spec that breaks a limit. It sees what was asked for, whole or by mask.
	check func(c *call, name string, spec resource.Record, creating bool) error
	// make puts a new resource, and what comes with it, into the store.
	make func(c *call, m *maker, name string, body resource.Record)
	// refuse says why a resource cannot be deleted.
	refuse func(c *call, name string, resource resource.Record) error
}

// createLakebase makes a resource below the path that is called.
func createLakebase(rules lakebaseRules) handler {
	return func(c *call) (any, error) {
		w := c.workspace
		w.changing.Lock()
		defer w.changing.Unlock()
		in := c.name()
		if parent := resource.Parent(in); parent != "" && !w.alive(parent) {
			return nil, w.missing(parent)
		}
		body := c.object()
		spec := resource.Object(body, "spec")
		id := c.query.Get(rules.idParam)
		if id == "" && rules.newID != nil {
			id = rules.newID(spec)
		}
		name := in + "/" + id
		if in != "synced_tables" && in != "catalogs" { // those have the names of Unity Catalog
			if err := checkIDs(name); err != nil {
				return nil, err
			}
		}
		if it, taken := w.collections.Get(name); taken {
			if it.Deleted {
				return nil, apierror.New(http.StatusConflict, "ALREADY_EXISTS", "%s %q was deleted and is not purged yet; undelete it, or delete it with purge.", company.Title(singular(resource.ID(in))), apierror.Printable(name))
			}
			if c.query.Get("replace_existing") != "true" {
				return nil, apierror.New(http.StatusConflict, "ALREADY_EXISTS", "%s %q already exists.", company.Title(singular(resource.ID(in))), apierror.Printable(name))
			}
		}
		if err := rules.check(c, name, spec, true); err != nil {
			return nil, err
		}
		if c.fails() {
			return c.beginFailing(name + "/operations/" + resource.NewID()), nil
		}
		if _, taken := w.collections.Get(name); taken {
			w.clear(name)
		}
		rules.make(c, c.maker(), name, body)
		it, _ := w.collections.Get(name)
		return c.begin(name+"/operations/"+resource.NewID(), it.Data), nil
	}
}

func (c *call) maker() *maker {
	co := *c.workspace.company()
	co.Scale = 0
	return &maker{store: c.workspace.collections, company: co, now: c.emulator.opts.Clock().UTC()}
}

// resource reads a resource of Lakebase for changing it.
func (w *workspace) resource(name string) (resource.Record, bool) {
	it, ok := w.collections.Get(name)
	if !ok || !w.alive(name) {
		return nil, false
	}
	value, err := decode(it.Data)
	object, isObject := value.(map[string]any)
	return object, err == nil && isObject
}

// alive reports whether a resource and all that it is in are there and not deleted.
func (w *workspace) alive(name string) bool {
	segments := strings.Split(name, "/")
	for i := 2; i <= len(segments); i += 2 {
		if !w.exists(strings.Join(segments[:i], "/")) {
			return false
		}
	}
	return len(segments) >= 2
}

// existing finds the resource that a call is about.
func (c *call) existing() (name string, r resource.Record, err error) {
	name = c.name()
	r, ok := c.workspace.resource(name)
	if !ok {
		return "", nil, c.workspace.missing(name)
	}
	return name, r, nil
}

// updateLakebase changes what the update mask names.
func updateLakebase(rules lakebaseRules) handler {
	return func(c *call) (any, error) {
		w := c.workspace
		w.changing.Lock()
		defer w.changing.Unlock()
		name, r, err := c.existing()
		if err != nil {
			return nil, err
		}
		spec, err := c.masked(resource.Object(c.object(), "spec"))
		if err != nil {
			return nil, err
		}
		if err := rules.check(c, name, spec, false); err != nil {
			return nil, err
		}
		if c.fails() {
			return c.beginFailing(name + "/operations/" + resource.NewID()), nil
		}
		now := c.emulator.opts.Clock().UTC()
		r["status"] = applied(resource.Object(r, "status"), spec, now)
		r["update_time"] = now.Format(time.RFC3339Nano)
		c.becomesDefault(name, spec)
		w.collections.PutJSON(name, resource.JSON(r))
		return c.begin(name+"/operations/"+resource.NewID(), resource.JSON(r)), nil
	}
}

// becomesDefault moves the mark of a project's default branch.
func (c *call) becomesDefault(name string, spec resource.Record) {
	to := resource.Text(spec["default_branch"])
	if to == "" {
		return
	}
	for _, it := range c.workspace.collections.List(name+"/branches", "", resource.MaxItems, false) {
		branchName := name + "/branches/" + it.ID
		b, ok := c.workspace.resource(branchName)
		if !ok {
			continue
		}
		status := maps.Clone(resource.Object(b, "status"))
		status["default"] = branchName == to
		b["status"] = status
		c.workspace.collections.PutJSON(branchName, resource.JSON(b))
	}
}

// oneofs are attributes of which a spec has one at a time. A mask names them together.
var oneofs = map[string][]string{
	"expiration": {"ttl", "expire_time", "no_expiry"},
	"suspension": {"suspend_timeout_duration", "no_suspension"},
}

// masked is the part of a spec that the update mask names. An attribute that the mask names and
// the body lacks is null in it: it is to be as if never said.
func (c *call) masked(spec resource.Record) (resource.Record, error) {
	body := c.emulator.shapes.Body(c.route.method)
	part := resource.Record{}
	for _, path := range c.mask() {
		segments := strings.Split(strings.TrimSpace(path), ".")
		if len(segments) == 1 && segments[0] == "spec" {
			maps.Copy(part, spec)
			continue
		}
		at := body.Field("spec")
		if segments[0] != "spec" {
			return nil, invalidMask(path, at)
		}
		from, to := spec, part
		for i, s := range segments[1:] {
			if s == "project_default_settings" {
				s = "default_endpoint_settings"
			}
			last := i == len(segments)-2
			names, isOneof := oneofs[s]
			switch {
			case last && isOneof:
				for _, name := range names {
					to[name] = from[name]
				}
			case !at.Has(s):
				return nil, invalidMask(path, body.Field("spec"))
			case last:
				to[s] = from[s]
			default:
				from = resource.Object(from, s)
				inner := resource.Object(to, s)
				to[s] = inner
				to, at = inner, at.Field(s)
			}
		}
	}
	if len(c.mask()) == 0 {
		maps.Copy(part, spec)
	}
	return part, nil
}

func invalidMask(path string, spec *documents.Shape) error {
	names := []string{}
	if spec != nil {
		for _, p := range spec.Properties {
			names = append(names, "spec."+p.Name)
		}
	}
	return apierror.Invalid("update_mask names %q, which is nothing that can be changed here; there is %s.", apierror.Printable(path), strings.Join(names, ", "))
}

// applied is a status after a spec was carried out.
func applied(status, spec resource.Record, now time.Time) resource.Record {
	status = maps.Clone(status)
	for name, value := range spec {
		switch name {
		case "ttl":
			if d, err := time.ParseDuration(resource.Text(value)); err == nil && value != nil {
				status["expire_time"] = now.Add(d).Format(time.RFC3339Nano)
			}
		case "expire_time", "no_expiry":
			if value != nil && name == "expire_time" {
				status[name] = value
			} else if value == true {
				delete(status, "expire_time")
			}
		case "no_suspension":
			if value == true {
				delete(status, "suspend_timeout_duration")
			}
		case "source_branch_lsn", "source_branch_time", "source_branch":
			if value != nil {
				status[name] = value
			}
		case "default_endpoint_settings":
			status[name] = applied(resource.Object(status, name), resource.Object(spec, name), now)
		case "create_database_if_missing":
		default:
			if value == nil {
				delete(status, name)
			} else {
				status[name] = value
			}
		}
	}
	return status
}

// deleteLakebase deletes a resource with all that is below it.
func deleteLakebase(rules lakebaseRules) handler {
	return func(c *call) (any, error) {
		w := c.workspace
		w.changing.Lock()
		defer w.changing.Unlock()
		name, r, err := c.existing()
		if err != nil {
			return nil, err
		}
		if rules.refuse != nil {
			if err := rules.refuse(c, name, r); err != nil {
				return nil, err
			}
		}
		if c.fails() {
			return c.beginFailing(name + "/operations/" + resource.NewID()), nil
		}
		w.clear(name)
		return c.begin(name+"/operations/"+resource.NewID(), json.RawMessage("{}")), nil
	}
}

// clear takes a resource away, and what is in it.
func (w *workspace) clear(name string) {
	below := map[string][]string{"projects": {"branches"}, "branches": {"endpoints", "databases", "roles"}}
	for _, kind := range below[resource.ID(resource.Parent(name))] {
		in := name + "/" + kind
		for _, it := range w.collections.List(in, "", resource.MaxItems, true) {
			w.clear(in + "/" + it.ID)
		}
	}
	w.collections.Remove(name)
}

// keptFor is how long a deleted project can be undeleted.
const keptFor = 7 * 24 * time.Hour

// deleteProject marks a project as deleted; purged, it goes for good.
func deleteProject(c *call) (any, error) {
	w := c.workspace
	w.changing.Lock()
	defer w.changing.Unlock()
	name := c.name()
	it, ok := w.collections.Get(name)
	purge := c.query.Get("purge") == "true"
	if !ok || it.Deleted && !purge {
		return nil, w.missing(name)
	}
	if c.fails() {
		return c.beginFailing(name + "/operations/" + resource.NewID()), nil
	}
	if purge {
		w.clear(name)
		return c.begin(name+"/operations/"+resource.NewID(), json.RawMessage("{}")), nil
	}
	now := c.emulator.opts.Clock().UTC()
	r, _ := w.resource(name)
	r["update_time"], r["delete_time"], r["purge_time"] = now.Format(time.RFC3339Nano), now.Format(time.RFC3339Nano), now.Add(keptFor).Format(time.RFC3339Nano)
	w.collections.Change(name, resource.Item{Data: resource.JSON(r), Deleted: true})
	return c.begin(name+"/operations/"+resource.NewID(), json.RawMessage("{}")), nil
}

func undeleteProject(c *call) (any, error) {
	w := c.workspace
	w.changing.Lock()
	defer w.changing.Unlock()
	name := strings.TrimSuffix(c.name(), "/undelete")
	it, ok := w.collections.Get(name)
	if !ok {
		return nil, w.missing(name)
	}
	if !it.Deleted {
		return nil, apierror.New(http.StatusBadRequest, "FAILED_PRECONDITION", "Project %q is not deleted.", apierror.Printable(name))
	}
	if c.fails() {
		return c.beginFailing(name + "/operations/" + resource.NewID()), nil
	}
	value, err := decode(it.Data)
	r, isObject := value.(map[string]any)
	if err != nil || !isObject {
		return nil, err
	}
	delete(r, "delete_time")
	delete(r, "purge_time")
	r["update_time"] = c.emulator.opts.Clock().UTC().Format(time.RFC3339Nano)
	if len(w.collections.List(name+"/branches", "", 1, false)) == 0 { // the story's deleted project has none
		c.maker().branch(name + "/branches/" + company.Production)
	}
	w.collections.PutJSON(name, resource.JSON(r))
	return c.begin(name+"/operations/"+resource.NewID(), resource.JSON(r)), nil
}

// slug makes an id of a name in Postgres.
func slug(name string) string {
	id := strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-", r) {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	id = strings.TrimLeft(strings.Trim(id, "-"), "0123456789-")
	return id[:min(len(id), 63)]
}

func oneOf(names ...string) func(resource.Record) int {
	return func(spec resource.Record) int {
		n := 0
		for _, name := range names {
			if value, ok := spec[name]; ok && value != nil && value != false {
				n++
			}
		}
		return n
	}
}

func anyOf(spec resource.Record, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { _, ok := spec[n]; return ok })
}
