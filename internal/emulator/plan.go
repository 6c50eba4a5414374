package emulator

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// task is what an operation does with resources. The documents do not say it outright, but verbs,
// paths and the shapes of answers tell.
type task int

const (
	roleAct    task = iota // something else, of which the emulator gives the answer and not the effect
	roleList               // the items of a collection
	roleGet                // one item
	roleCreate             // a new item
	roleUpdate             // changes an item
	rolePut                // makes an item, or changes it
	roleDelete             // an item goes
)

// plan is a role, and the resources it has to do with.
type plan struct {
	role task
	kind *kind // nil: an act on nothing that is kept
	// above names the values that tell the collection, ids those that tell the item in it. They are
	// parameters or attributes of the body.
	above, ids []string
}

// kind is what the resources of one sort have in common, wherever they are.
type kind struct {
	name string // path of its collections: /apps/{}/deployments; with @ before it for the account's
	get  *route
	list *route
	// creates is set where an operation makes such resources. Others are always there: settings,
	// permissions.
	creates bool
	above   []string // as the plan of get has it, or that of list
	ids     []string

	made *route // creates, where nothing gets or lists

	all *shapes
}

// planner finds the plans of all routes.
type planner struct {
	shapes *shapes
	kinds  map[string]*kind
	index  map[string]*route // by verb and path, as path gives it
}

// planRoutes gives every route its plan.
func planRoutes(routes []*route, all *shapes) map[string]*kind {
	p := &planner{shapes: all, kinds: map[string]*kind{}, index: make(map[string]*route, len(routes))}
	for _, rt := range routes {
		key := rt.method.Verb + " " + pathOf(rt.method)
		if _, taken := p.index[key]; !taken {
			p.index[key] = rt
		}
	}
	var later []*route
	for _, rt := range routes { // what is read tells what there is
		if rt.method.Verb != "GET" && lastSegment(rt.method.Path) != "search" || !p.read(rt) {
			later = append(later, rt)
		}
	}
	for _, rt := range later {
		p.write(rt)
	}
	return p.kinds
}

// pathOf is the path of a method without what tells versions and accounts apart, parameters
// without their names: /apps/{}/deployments.
func pathOf(m *provider.Method) string {
	var b strings.Builder
	if isAccount(m) {
		b.WriteByte('@')
	}
	for _, s := range segmentsOf(m) {
		b.WriteByte('/')
		if literal, _, isParam := strings.Cut(s, "{"); isParam {
			b.WriteString(literal + "{}")
		} else {
			b.WriteString(s)
		}
	}
	path := b.String()
	if other, ok := samePaths[path]; ok {
		return other
	}
	return path
}

// samePaths are paths that lead to the resources of another path.
var samePaths = map[string]string{
	"/marketplace-provider/listing":                       "/marketplace-provider/listings",
	"/marketplace-provider/provider":                      "/marketplace-provider/providers",
	"/marketplace-consumer/search-listings":               "/marketplace-consumer/listings/search",
	"/marketplace-exchange/exchanges-for-listing":         "/marketplace-exchange/exchange-listings",
	"/marketplace-exchange/exchanges-for-listing/{}":      "/marketplace-exchange/exchange-listings/{}",
	"/token-management/on-behalf-of/tokens":               "/token-management/tokens",
	"/token/list":                                         "/token-management/tokens/list",
	"/token/create":                                       "/token-management/tokens/create",
	"/token/delete":                                       "/token-management/tokens/delete",
	"/token/{}":                                           "/token-management/tokens/{}",
	"/serving-endpoints/pt":                               "/serving-endpoints",
	"/mlflow/databricks/registered-models/get":            "/mlflow/registered-models/get",
	"/automl/create-forecasting-experiment":               "/automl/forecasting-experiments",
	"/automl/get-forecasting-experiment/{}":               "/automl/forecasting-experiments/{}",
	"/clean-rooms/{}/assets/{}/{}/revisions":              "/clean-rooms/{}/revisions/{}/{}",
	"/clean-rooms/{}/assets/{}/{}/revisions/{}":           "/clean-rooms/{}/revisions/{}/{}/{}",
	"/policies/clusters/list-compliance":                  "/policies/cluster-compliance/list",
	"/policies/clusters/get-compliance":                   "/policies/cluster-compliance/get",
	"/policies/jobs/list-compliance":                      "/policies/job-compliance/list",
	"/policies/jobs/get-compliance":                       "/policies/job-compliance/get",
	"@/workspaces/{}/metastores/{}":                       "@/workspaces/{}/metastore",
	"@/workspaces/{}/permissionassignments/principals/{}": "@/workspaces/{}/permissionassignments/{}",
}

func isAccount(m *provider.Method) bool {
	return strings.HasPrefix(m.Resource, "databricks_account.")
}

// segmentsOf are the segments of a path after the version and without the account's id.
func segmentsOf(m *provider.Method) []string {
	segments := strings.Split(strings.TrimPrefix(m.Path, "/"), "/")
	if len(segments) > 2 && segments[0] == "api" {
		segments = segments[1:]
		if strings.Trim(segments[0], "0123456789.") == "" {
			segments = segments[1:]
		}
	}
	if i := slices.Index(segments, "{account_id}"); i > 0 && segments[i-1] == "accounts" {
		segments = slices.Concat(segments[:i-1], segments[i+1:])
	}
	return segments
}

func lastSegment(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// read plans an operation that only reads. It is false where it is no list and has no name.
func (p *planner) read(rt *route) bool {
	path, params := pathOf(rt.method), ownParams(rt)
	parent, last := path[:strings.LastIndexByte(path, '/')], lastSegment(path)
	var answer *shape
	key := ""
	if r := rt.method.Response; r != nil {
		answer, key = p.shapes.of(rt.method, r.Schema), r.ObjectKey
	}
	if _, _, ok := answer.listField(key); ok {
		if last == "list" || last == "search" {
			path = parent
		}
		k := p.kind(path)
		if k.list == nil || k.get == nil {
			k.above = params
		}
		if k.list == nil || last != "search" {
			k.list = rt
		}
		rt.plan = plan{role: roleList, kind: k, above: params}
		return true
	}
	if last == "get" && rt.method.Verb == "GET" {
		ids := requiredQuery(rt.method)
		p.gets(p.kind(parent), rt, params, ids)
		return true
	}
	if rt.method.Verb != "GET" {
		return false
	}
	// The parameters at the end are the id. Where they are several, a list tells where they begin.
	at, n := path, 0
	for strings.HasSuffix(at, "/{}") {
		at = strings.TrimSuffix(at, "/{}")
		n++
		if _, ok := p.index["GET "+at]; ok {
			break
		}
	}
	if strings.HasSuffix(at, "{}") && !strings.HasSuffix(at, "/{}") { // …/files{file_path}
		return false
	}
	n = min(n, len(params))
	p.gets(p.kind(at), rt, params[:len(params)-n], params[len(params)-n:])
	return true
}

func (p *planner) gets(k *kind, rt *route, above, ids []string) {
	if k.get == nil {
		k.get, k.above, k.ids = rt, above, ids
	}
	rt.plan = plan{role: roleGet, kind: k, above: above, ids: ids}
}

// kind gives the kind of a path, made on first use.
func (p *planner) kind(path string) *kind {
	k, ok := p.kinds[path]
	if !ok {
		k = &kind{name: path, all: p.shapes}
		p.kinds[path] = k
	}
	return k
}

// callRoles are what the last segments of paths mean that name calls: /clusters/edit.
var callRoles = map[string]task{
	"create": roleCreate, "add": roleCreate, "put": rolePut,
	"edit": roleUpdate, "update": roleUpdate, "reset": roleUpdate,
	"delete": roleDelete, "remove": roleDelete,
}

// write plans an operation that changes something.
func (p *planner) write(rt *route) {
	m := rt.method
	path, params := pathOf(m), ownParams(rt)
	parent, last := path[:strings.LastIndexByte(path, '/')], lastSegment(path)
	if what, ok := callRoles[last]; ok && !strings.HasSuffix(parent, "{}") {
		k := p.kind(parent)
		if what == roleCreate || what == rolePut {
			k.creates = true
		}
		if len(k.ids) == 0 {
			k.ids = p.callIDs(parent)
		}
		rt.plan = plan{role: what, kind: k, above: params, ids: k.ids}
		return
	}
	if m.Verb == "POST" {
		if k := p.made(path); k != nil {
			k.creates = true
			if k.made == nil {
				k.made = rt
			}
			rt.plan = plan{role: roleCreate, kind: k, above: k.above, ids: k.ids}
			if k.name == path && len(k.ids) == 0 {
				rt.plan.role = rolePut
			}
			return
		}
	}
	if k, ok := p.kinds[path]; ok && k.get != nil && len(k.ids) == 0 { // alone at its path
		rt.plan = plan{role: changeRole(m.Verb), kind: k, above: k.above}
		return
	}
	for at, n := path, 0; strings.HasSuffix(at, "/{}"); {
		at = strings.TrimSuffix(at, "/{}")
		n++
		if k, ok := p.kinds[at]; ok && (len(k.ids) == n || k.get == nil) {
			cut := max(0, len(params)-n)
			k.ids = orElse(k.ids, params[cut:])
			rt.plan = plan{role: changeRole(m.Verb), kind: k, above: params[:cut], ids: params[cut:]}
			if m.Verb == "PUT" && !k.creates {
				if _, posts := p.index["POST "+at]; !posts {
					rt.plan.role = rolePut
				}
			}
			return
		}
	}
	p.act(rt, path, params)
}

// act plans an operation on an item that neither makes nor deletes it: the longest part of the
// path that is an item is what it is about.
func (p *planner) act(rt *route, path string, params []string) {
	segments := strings.Split(path, "/")
	for n := len(segments); n > 1; n-- {
		if segments[n-1] != "{}" {
			continue
		}
		k, ok := p.kinds[strings.Join(segments[:n-1], "/")]
		if !ok || len(k.ids) != 1 {
			continue
		}
		used := strings.Count(strings.Join(segments[:n], "/"), "{}")
		rt.plan = plan{role: roleAct, kind: k, above: params[:used-1], ids: params[used-1 : used]}
		return
	}
	// A call on an item that the body names: /clusters/start.
	if k, ok := p.kinds[path[:strings.LastIndexByte(path, '/')]]; ok && k.get != nil && rt.method.Body != nil {
		if body := p.shapes.of(rt.method, rt.method.Body.Schema); len(k.ids) > 0 && body.has(k.ids[0]) {
			rt.plan = plan{role: roleAct, kind: k, above: k.above, ids: k.ids}
		}
	}
}

// made finds the kind that is made by a POST to a path: what is listed or got there, or got below
// it by parameters that the body holds.
func (p *planner) made(path string) *kind {
	k, known := p.kinds[path]
	if known && k.get != nil {
		return k
	}
	for _, verb := range []string{"PATCH", "DELETE"} { // made and changed, and not got
		if other, ok := p.index[verb+" "+path+"/{}"]; ok && !acts[path] {
			k := p.kind(path)
			params := ownParams(other)
			k.above, k.ids = params[:len(params)-1], params[len(params)-1:]
			return k
		}
	}
	if known && k.list != nil {
		k.ids = []string{"id"}
		return k
	}
	var best *kind
	for name, k := range p.kinds {
		if k.get == nil || !strings.HasPrefix(name, path+"/{}") {
			continue
		}
		if best == nil || len(name) < len(best.name) || len(name) == len(best.name) && name < best.name {
			best = k
		}
	}
	return best
}

// callIDs finds what names an item in calls that are not got: what its deletion or change requires.
func (p *planner) callIDs(parent string) []string {
	for _, last := range []string{"delete", "remove", "update", "edit"} {
		for _, verb := range []string{"POST", "DELETE", "PATCH"} {
			other, ok := p.index[verb+" "+parent+"/"+last]
			if !ok {
				continue
			}
			if ids := requiredQuery(other.method); len(ids) > 0 {
				return ids
			}
			if b := other.method.Body; b != nil && len(b.RequiredAttributes) > 0 {
				return b.RequiredAttributes[:1]
			}
		}
	}
	return []string{"id"}
}

// acts are paths whose calls look like changes of an item and are none: what they take is no id.
var acts = map[string]bool{
	"/unity-catalog/constraints": true,
}

func changeRole(verb string) task {
	switch verb {
	case "DELETE":
		return roleDelete
	case "PUT":
		return rolePut
	case "PATCH", "POST":
		return roleUpdate
	}
	return roleAct
}

// ownParams are a route's path parameters but for the account.
func ownParams(rt *route) []string {
	var names []string
	for _, name := range rt.params {
		if name != "account_id" {
			names = append(names, name)
		}
	}
	return names
}

func requiredQuery(m *provider.Method) []string {
	var names []string
	for i := range m.Params {
		if m.Params[i].In == provider.InQuery && m.Params[i].Required {
			names = append(names, m.Params[i].Name)
		}
	}
	return names
}

func orElse(a, b []string) []string {
	if len(a) > 0 {
		return a
	}
	return b
}
