package emulator

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// nameFrom is where resource names begin in the paths of Lakebase: /api/2.0/postgres/ goes before.
const nameFrom = 3

// maxProjects is how many projects a page may hold, as the API's reference says. It says nothing
// for the other lists.
const maxProjects = 100

// postgresHandlers are the operations of Lakebase that are carried out.
func postgresHandlers() map[string]handler {
	const (
		root    = "/api/2.0/postgres"
		project = root + "/projects/{}"
		branch  = project + "/branches/{}"
	)
	table := map[string]handler{
		"GET " + root + "/projects":     listOf("projects", maxProjects),
		"GET " + project:                getResource,
		"GET " + project + "/branches":  listOf("branches", 0),
		"GET " + branch:                 getResource,
		"POST " + root + "/credentials": generateCredential,
	}
	for _, kind := range []string{"endpoints", "databases", "roles"} {
		table["GET "+branch+"/"+kind] = listOf(kind, 0)
		table["GET "+branch+"/"+kind+"/{}"] = getResource
	}
	maps.Copy(table, lakebaseWrites())
	return table
}

func getResource(c *call) (any, error) {
	name := c.name()
	it, ok := c.workspace.collections.Get(name)
	if parent := resource.Parent(resource.Parent(name)); !ok || parent != "" && !c.workspace.alive(parent) {
		return nil, c.workspace.missing(name)
	}
	return it.Data, nil
}

// listOf lists a collection, whose items are under key.
func listOf(key string, maximum int) handler {
	return func(c *call) (any, error) {
		in := c.name()
		if parent := resource.Parent(in); parent != "" && !c.workspace.alive(parent) {
			return nil, c.workspace.missing(parent)
		}
		withDeleted := c.query.Get("show_deleted") == "true"
		name := c.workspace.name + "/" + in
		if withDeleted {
			name += "?show_deleted" // a token says where to go on in one list, not in the other
		}
		pg, err := c.emulator.tokens.Read(c.query, name, maximum)
		if err != nil {
			return nil, err
		}
		items := c.workspace.collections.List(in, pg.After, pg.Size+1, withDeleted) // one more tells whether there is more
		next := ""
		if len(items) > pg.Size {
			items = items[:pg.Size]
			next = c.emulator.tokens.Token(name, items[len(items)-1].ID)
		}
		return writePage(key, items, next), nil
	}
}

// writePage puts a page together from items that are JSON already. An empty list and the token
// after the last page are left out, as the API does.
func writePage(key string, items []resource.Item, next string) json.RawMessage {
	size := len(key) + len(next) + 64
	for _, it := range items {
		size += len(it.Data) + 1
	}
	b := append(make([]byte, 0, size), '{')
	if len(items) > 0 {
		b = append(append(b, resource.JSON(key)...), ':', '[')
		for i, it := range items {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, it.Data...)
		}
		b = append(b, ']')
	}
	if next != "" {
		b = append(append(b, `,"next_page_token":`...), resource.JSON(next)...)
	}
	return append(b, '}')
}

// exists reports whether a resource is there and not deleted.
func (w *workspace) exists(name string) bool {
	it, ok := w.collections.Get(name)
	return ok && !it.Deleted
}

// missing is the error for a resource that does not exist. It says which link of the name is
// broken, and what there is instead.
func (w *workspace) missing(name string) *apierror.Error {
	segments := strings.Split(name, "/")
	for i := 2; i < len(segments); i += 2 {
		if parent := strings.Join(segments[:i], "/"); !w.exists(parent) {
			name = parent
			break
		}
	}
	in := resource.Parent(name)
	where := "workspace " + w.name
	if parent := resource.Parent(in); parent != "" {
		where = singular(resource.ID(resource.Parent(parent))) + " " + parent
	}
	kind := singular(resource.ID(in))
	return apierror.NotFound("%s %q does not exist; %s has %s.", kind, apierror.Printable(name), apierror.Printable(where), w.have(in))
}

// have words what a collection holds.
func (w *workspace) have(in string) string {
	const most = 10
	items := w.collections.List(in, "", most+1, false)
	if len(items) == 0 {
		return "no " + resource.ID(in)
	}
	ids := make([]string, 0, most)
	for _, it := range items[:min(most, len(items))] {
		ids = append(ids, it.ID)
	}
	text := resource.ID(in) + " " + strings.Join(ids, ", ")
	if len(items) > most {
		text += ", …"
	}
	return text
}

func singular(collection string) string {
	if collection == "branches" {
		return "branch"
	}
	return strings.TrimSuffix(collection, "s")
}

// ensureEndpoint makes an endpoint that does not exist, and above it what is needed. A new project
// comes with branch production and endpoint primary, a new branch with a database and its roles.
func (c *call) ensureEndpoint(name string) error {
	w := c.workspace
	w.changing.Lock()
	defer w.changing.Unlock()
	segments := strings.Split(name, "/")
	projectName, branchName := strings.Join(segments[:2], "/"), strings.Join(segments[:4], "/")
	if it, ok := w.collections.Get(projectName); ok && it.Deleted {
		return w.missing(name)
	}
	m := maker{store: w.collections, company: company.Company{Seed: c.emulator.opts.Seed, Workspace: w.name}, now: c.emulator.opts.Clock().UTC()}
	if !w.exists(projectName) {
		m.project(projectName)
	}
	if !w.exists(branchName) {
		m.branch(branchName)
	}
	if w.exists(name) {
		return nil
	}
	kind := company.ReadWrite
	if slices.Contains(w.endpointTypes(branchName), company.ReadWrite) {
		kind = company.ReadOnly // a branch has one endpoint that writes
	}
	m.endpoint(name, kind)
	return nil
}

func (w *workspace) endpointTypes(branchName string) []string {
	var types []string
	for _, it := range w.collections.List(branchName+"/endpoints", "", 1000, false) {
		var e company.Endpoint
		if json.Unmarshal(it.Data, &e) == nil {
			types = append(types, e.Status.EndpointType)
		}
	}
	return types
}

// checkIDs looks at the ids in a name, which the documents' pattern for names leaves open.
func checkIDs(name string) error {
	for i, segment := range strings.Split(name, "/") {
		if i%2 == 1 && !isResourceID(segment) {
			return apierror.Invalid("%q in %q is not an id: 1 to 63 characters, a lower-case letter first, then letters, digits and hyphens.", apierror.Printable(segment), apierror.Printable(name))
		}
	}
	return nil
}

func isResourceID(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	return s != "" && len(s) <= 63 && strings.Contains(letters, s[:1]) && strings.Trim(s, letters+"0123456789-") == ""
}
