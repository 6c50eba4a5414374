package documents

import (
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Action is the effect of an operation on a resource.
type Action int

// The actions.
const (
	ActionOther  Action = iota // none of the following
	ActionList                 // lists the items of a collection
	ActionGet                  // gets one item
	ActionCreate               // creates an item
	ActionUpdate               // changes an item
	ActionPut                  // creates an item or changes it
	ActionDelete               // deletes an item
)

// Target is the effect of an operation and the resource that it affects.
type Target struct {
	Action Action
	Kind   *Kind // nil: the operation is about no resource that is kept
	// Above names the values that identify the collection, and IDs those that identify the item in
	// it. They are parameters or attributes of the body.
	Above, IDs []string
}

// classifier collects the kinds and targets of all methods.
type classifier struct {
	shapes  *Shapes
	kinds   map[string]*Kind
	targets map[*provider.Method]Target
	index   map[string]*provider.Method // by verb and [Path]
}

// Classify finds the kinds of resources that methods are about, by their names, and the target of
// each method.
func Classify(methods []*provider.Method, all *Shapes) (map[string]*Kind, map[*provider.Method]Target) {
	p := &classifier{
		shapes: all, kinds: map[string]*Kind{}, targets: make(map[*provider.Method]Target, len(methods)),
		index: make(map[string]*provider.Method, len(methods)),
	}
	for _, m := range methods {
		key := m.Verb + " " + Path(m)
		if _, taken := p.index[key]; !taken {
			p.index[key] = m
		}
	}
	var later []*provider.Method
	for _, m := range methods { // methods that read show which kinds there are
		if m.Verb != "GET" && lastSegment(m.Path) != "search" || !p.read(m) {
			later = append(later, m)
		}
	}
	for _, m := range later {
		p.write(m)
	}
	return p.kinds, p.targets
}

// read classifies a method that reads. It is false if the method neither lists nor gets by a name.
func (p *classifier) read(m *provider.Method) bool {
	path, params := Path(m), ownParams(m)
	parent, last := path[:strings.LastIndexByte(path, '/')], lastSegment(path)
	var answer *Shape
	key := ""
	if r := m.Response; r != nil {
		answer, key = p.shapes.Response(m), r.ObjectKey
	}
	if _, _, ok := answer.ListField(key); ok {
		if last == "list" || last == "search" {
			path = parent
		}
		k := p.kind(path)
		if k.List == nil || k.Get == nil {
			k.Above = params
		}
		if k.List == nil || last != "search" {
			k.List = m
		}
		p.targets[m] = Target{Action: ActionList, Kind: k, Above: params}
		return true
	}
	if last == "get" && m.Verb == "GET" {
		ids := requiredQuery(m)
		p.gets(p.kind(parent), m, params, ids)
		return true
	}
	if m.Verb != "GET" {
		return false
	}
	// The parameters at the end identify the item. If there are several, the path of a list ends
	// before the first.
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
	p.gets(p.kind(at), m, params[:len(params)-n], params[len(params)-n:])
	return true
}

func (p *classifier) gets(k *Kind, m *provider.Method, above, ids []string) {
	if k.Get == nil {
		k.Get, k.Above, k.IDs = m, above, ids
	}
	p.targets[m] = Target{Action: ActionGet, Kind: k, Above: above, IDs: ids}
}

// kind returns the kind of a path and adds it if it is new.
func (p *classifier) kind(path string) *Kind {
	k, ok := p.kinds[path]
	if !ok {
		k = &Kind{Name: path, all: p.shapes}
		p.kinds[path] = k
	}
	return k
}

// callActions are the actions of paths that end in a verb, such as /clusters/edit.
var callActions = map[string]Action{
	"create": ActionCreate, "add": ActionCreate, "put": ActionPut,
	"edit": ActionUpdate, "update": ActionUpdate, "reset": ActionUpdate,
	"delete": ActionDelete, "remove": ActionDelete,
}

// write classifies a method that changes something.
func (p *classifier) write(m *provider.Method) {
	path, params := Path(m), ownParams(m)
	parent, last := path[:strings.LastIndexByte(path, '/')], lastSegment(path)
	if what, ok := callActions[last]; ok && !strings.HasSuffix(parent, "{}") {
		k := p.kind(parent)
		if what == ActionCreate || what == ActionPut {
			k.creates = true
		}
		if len(k.IDs) == 0 {
			k.IDs = p.callIDs(parent)
		}
		p.targets[m] = Target{Action: what, Kind: k, Above: params, IDs: k.IDs}
		return
	}
	if m.Verb == "POST" {
		if k := p.made(path); k != nil {
			k.creates = true
			if k.Made == nil {
				k.Made = m
			}
			role := ActionCreate
			if k.Name == path && len(k.IDs) == 0 {
				role = ActionPut
			}
			p.targets[m] = Target{Action: role, Kind: k, Above: k.Above, IDs: k.IDs}
			return
		}
	}
	if k, ok := p.kinds[path]; ok && k.Get != nil && len(k.IDs) == 0 { // the only item of its path
		p.targets[m] = Target{Action: actionOf(m.Verb), Kind: k, Above: k.Above}
		return
	}
	for at, n := path, 0; strings.HasSuffix(at, "/{}"); {
		at = strings.TrimSuffix(at, "/{}")
		n++
		if k, ok := p.kinds[at]; ok && (len(k.IDs) == n || k.Get == nil) {
			cut := max(0, len(params)-n)
			k.IDs = orElse(k.IDs, params[cut:])
			role := actionOf(m.Verb)
			if _, posts := p.index["POST "+at]; m.Verb == "PUT" && !k.creates && !posts {
				role = ActionPut
			}
			p.targets[m] = Target{Action: role, Kind: k, Above: params[:cut], IDs: params[cut:]}
			return
		}
	}
	p.act(m, path, params)
}

// act classifies a method that neither creates, changes nor deletes an item. It is about the item
// at the longest part of the path.
func (p *classifier) act(m *provider.Method, path string, params []string) {
	segments := strings.Split(path, "/")
	for n := len(segments); n > 1; n-- {
		if segments[n-1] != "{}" {
			continue
		}
		k, ok := p.kinds[strings.Join(segments[:n-1], "/")]
		if !ok || len(k.IDs) != 1 {
			continue
		}
		used := strings.Count(strings.Join(segments[:n], "/"), "{}")
		p.targets[m] = Target{Action: ActionOther, Kind: k, Above: params[:used-1], IDs: params[used-1 : used]}
		return
	}
	// The body names the item: /clusters/start.
	if k, ok := p.kinds[path[:strings.LastIndexByte(path, '/')]]; ok && k.Get != nil && m.Body != nil {
		if body := p.shapes.Body(m); len(k.IDs) > 0 && body.Has(k.IDs[0]) {
			p.targets[m] = Target{Action: ActionOther, Kind: k, Above: k.Above, IDs: k.IDs}
		}
	}
}

// made finds the kind that a POST to a path creates: the kind of this path, or the nearest kind
// below it whose parameters the body holds.
func (p *classifier) made(path string) *Kind {
	k, known := p.kinds[path]
	if known && k.Get != nil {
		return k
	}
	for _, verb := range []string{"PATCH", "DELETE"} { // created and changed, but never read
		if other, ok := p.index[verb+" "+path+"/{}"]; ok && !acts[path] {
			k := p.kind(path)
			params := ownParams(other)
			k.Above, k.IDs = params[:len(params)-1], params[len(params)-1:]
			return k
		}
	}
	if known && k.List != nil {
		k.IDs = []string{"id"}
		return k
	}
	var best *Kind
	for name, k := range p.kinds {
		if k.Get == nil || !strings.HasPrefix(name, path+"/{}") {
			continue
		}
		if best == nil || len(name) < len(best.Name) || len(name) == len(best.Name) && name < best.Name {
			best = k
		}
	}
	return best
}

// callIDs names the ids of an item that no method gets: the parameters that its deletion or change
// requires.
func (p *classifier) callIDs(parent string) []string {
	for _, last := range []string{"delete", "remove", "update", "edit"} {
		for _, verb := range []string{"POST", "DELETE", "PATCH"} {
			other, ok := p.index[verb+" "+parent+"/"+last]
			if !ok {
				continue
			}
			if ids := requiredQuery(other); len(ids) > 0 {
				return ids
			}
			if b := other.Body; b != nil && len(b.RequiredAttributes) > 0 {
				return b.RequiredAttributes[:1]
			}
		}
	}
	return []string{"id"}
}

// acts are paths whose methods look like changes of an item but take no id.
var acts = map[string]bool{
	"/unity-catalog/constraints": true,
}

func actionOf(verb string) Action {
	switch verb {
	case "DELETE":
		return ActionDelete
	case "PUT":
		return ActionPut
	case "PATCH", "POST":
		return ActionUpdate
	}
	return ActionOther
}

func orElse(a, b []string) []string {
	if len(a) > 0 {
		return a
	}
	return b
}
