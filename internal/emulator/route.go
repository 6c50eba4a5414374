package emulator

import (
	"maps"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/provider"
)

// router finds the documented method of a request. It is a tree of path segments, in which a
// literal segment has precedence over a parameter.
type router struct {
	root *node
	all  []*route // in the order of the catalogue
}

type node struct {
	literals map[string]*node
	param    *node
	actions  map[string]*node  // parameters with a suffix in the same segment: {index_id}:query
	routes   map[string]*route // by verb, where a path ends
	tails    []tail            // paths that end below here with a parameter of many segments
}

// tail is the end of a path such as …/files{file_path} or …/{name}:cancel: a literal, then the rest with
// its slashes, then a suffix.
type tail struct {
	literal, suffix string
	route           *route
}

// route is a documented method and how it is carried out.
type route struct {
	method  *provider.Method
	also    []*provider.Method // the same operation under other resources' names
	params  []string           // names of the path's parameters, in order
	handler handler            // nil: serve carries it out
	target  documents.Target   // what it does with which resource
}

// routes holds the parts of the documents that the front needs: the method of each path, and the kinds
// of resources.
type routes struct {
	router *router
	kinds  map[string]*documents.Kind // by name
}

// lakebaseService is the name of Lakebase in the documents.
const lakebaseService = "postgres"

// newRoutes reads the methods of a catalogue: all, or only those of Lakebase, which is many times as
// fast.
func newRoutes(catalogue *provider.Catalogue, all *documents.Shapes, onlyLakebase bool) (*routes, error) {
	if !onlyLakebase {
		if err := readAhead(catalogue); err != nil {
			return nil, err
		}
	}
	r, err := newRouter(catalogue, handlers(), onlyLakebase)
	if err != nil {
		return nil, err
	}
	methods := make([]*provider.Method, len(r.all))
	for i, rt := range r.all {
		methods[i] = rt.method
	}
	kinds, targets := documents.Classify(methods, all)
	for _, rt := range r.all {
		rt.target = targets[rt.method]
	}
	return &routes{router: r, kinds: kinds}, nil
}

// hasService reports whether a provider of a catalogue has a service.
func hasService(catalogue *provider.Catalogue, name string) (bool, error) {
	providers, err := catalogue.Providers()
	if err != nil {
		return false, err
	}
	for _, p := range providers {
		for _, s := range p.Services {
			if s.Name == name {
				return true, nil
			}
		}
	}
	return false, nil
}

// readAhead reads all services in parallel. The catalogue keeps what it read.
func readAhead(catalogue *provider.Catalogue) error {
	providers, err := catalogue.Providers()
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, p := range providers {
		for _, info := range p.Services {
			group.Go(func() error { return eachResource(catalogue, p, info, func(*provider.Resource) error { return nil }) })
		}
	}
	return group.Wait()
}

// newRouter makes the router of a catalogue's methods. If two methods have the same verb and path,
// which is one operation under the names of two resources, the first has the route.
func newRouter(catalogue *provider.Catalogue, handlers map[string]handler, onlyLakebase bool) (*router, error) {
	r := &router{root: &node{}}
	add := func(m *provider.Method) error {
		m = withUndocumented(m)
		segments := strings.Split(strings.TrimPrefix(m.Path, "/"), "/")
		shape := make([]string, len(segments))
		rt := &route{method: m}
		at := r.root
		for i, segment := range segments {
			literal, rest, isParam := strings.Cut(segment, "{")
			param, suffix, _ := strings.Cut(rest, "}")
			switch {
			case !isParam:
				at = at.literal(segment)
				shape[i] = segment
			case i == len(segments)-1 && multiSegment(m, param):
				rt.params = append(rt.params, param)
				rt.handler = handlers[m.Verb+" /"+strings.Join(append(shape[:i], literal+"{}"+suffix), "/")]
				at.tails = append(at.tails, tail{literal: literal, suffix: suffix, route: rt})
				r.all = append(r.all, rt)
				return nil
			case literal != "" || suffix != "" && !strings.HasPrefix(suffix, ":") || strings.ContainsAny(suffix, "{}"):
				return provider.Internalf("%s has the path %s, and segments like %q cannot be served", m.FullName(), m.Path, segment)
			default:
				at = at.parameter(suffix)
				rt.params = append(rt.params, param)
				shape[i] = "{}" + suffix
			}
		}
		rt.handler = handlers[m.Verb+" /"+strings.Join(shape, "/")]
		if at.routes == nil {
			at.routes = map[string]*route{}
		}
		if first, taken := at.routes[m.Verb]; taken {
			first.also = append(first.also, m)
			return nil
		}
		at.routes[m.Verb] = rt
		r.all = append(r.all, rt)
		return nil
	}
	err := eachMethod(catalogue, onlyLakebase, func(m *provider.Method) error {
		if err := add(m); err != nil || !strings.HasPrefix(m.Path, permissionsPath) {
			return err
		}
		below := *m // types of objects such as sql/warehouses
		below.Path = "/api/2.0/permissions/sql" + strings.TrimPrefix(m.Path, "/api/2.0/permissions")
		return add(&below)
	})
	if err != nil {
		return nil, err
	}
	for service, methods := range undocumentedMethods() {
		has, err := hasService(catalogue, service)
		if err != nil {
			return nil, err
		}
		if !has || onlyLakebase {
			continue
		}
		for _, m := range methods {
			if err := add(m); err != nil {
				return nil, err
			}
		}
	}
	for _, rt := range r.all {
		if rt.handler == nil {
			rt.handler = permissionHandler(rt)
		}
	}
	return r, nil
}

func eachMethod(catalogue *provider.Catalogue, onlyLakebase bool, do func(*provider.Method) error) error {
	providers, err := catalogue.Providers()
	if err != nil {
		return err
	}
	for _, p := range providers {
		for _, info := range p.Services {
			if onlyLakebase && info.Name != lakebaseService {
				continue
			}
			err := eachResource(catalogue, p, info, func(r *provider.Resource) error {
				for _, m := range r.Methods {
					if err := do(m); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func eachResource(catalogue *provider.Catalogue, p *provider.Provider, info *provider.ServiceInfo, do func(*provider.Resource) error) error {
	service, err := catalogue.Service(p.Name, info.Name)
	if err != nil {
		return err
	}
	for _, r := range service.Resources {
		resource, err := catalogue.Resource(p.Name, service.Name, r.Name)
		if err != nil {
			return err
		}
		if err := do(resource); err != nil {
			return err
		}
	}
	return nil
}

func multiSegment(m *provider.Method, param string) bool {
	p, ok := m.Param(param)
	return ok && p.MultiSegment
}

func (n *node) literal(segment string) *node {
	if n.literals == nil {
		n.literals = map[string]*node{}
	}
	next, ok := n.literals[segment]
	if !ok {
		next = &node{}
		n.literals[segment] = next
	}
	return next
}

// parameter returns the node below a parameter with a suffix, which may be empty.
func (n *node) parameter(suffix string) *node {
	if suffix == "" {
		if n.param == nil {
			n.param = &node{}
		}
		return n.param
	}
	if n.actions == nil {
		n.actions = map[string]*node{}
	}
	if n.actions[suffix] == nil {
		n.actions[suffix] = &node{}
	}
	return n.actions[suffix]
}

// match finds the route of a request and the values of its path parameters.
func (r *router) match(verb, escapedPath string) (*route, map[string]string, error) {
	segments, err := splitPath(escapedPath)
	if err != nil {
		return nil, nil, err
	}
	ends := r.root.find(verb, segments, nil)
	if ends.route == nil {
		e := apierror.New(http.StatusNotFound, "ENDPOINT_NOT_FOUND", "No API found for '%s %s'", apierror.Printable(verb), apierror.Printable(apiPath(escapedPath)))
		if len(ends.verbs) > 0 { // unlike the API, for those who debug
			e.Header = http.Header{"Allow": {strings.Join(slices.Sorted(maps.Keys(ends.verbs)), ", ")}}
		}
		return nil, nil, e
	}
	params := make(map[string]string, len(ends.values))
	for i, name := range ends.route.params {
		params[name] = ends.values[i]
	}
	return ends.route, params, nil
}

// end is where a walk down the tree ended: at a route, or at a path with other verbs.
type end struct {
	route  *route
	values []string
	verbs  map[string]*route
}

func (n *node) find(verb string, segments, values []string) end {
	if len(segments) == 0 {
		if rt, ok := n.routes[verb]; ok {
			return end{route: rt, values: values}
		}
		return end{verbs: n.routes}
	}
	var other end
	if next, ok := n.literals[segments[0]]; ok {
		if found := next.find(verb, segments[1:], values); found.route != nil {
			return found
		} else if found.verbs != nil {
			other = found
		}
	}
	if value, suffix, ok := cutAction(segments[0]); ok && n.actions[suffix] != nil {
		if found := n.actions[suffix].find(verb, segments[1:], append(values, value)); found.route != nil {
			return found
		} else if other.verbs == nil {
			other = found
		}
	}
	if n.param != nil {
		if found := n.param.find(verb, segments[1:], append(values, segments[0])); found.route != nil {
			return found
		} else if other.verbs == nil {
			other = found
		}
	}
	for _, t := range n.tails {
		if t.route.method.Verb != verb {
			continue
		}
		rest := segments
		if t.literal != "" {
			if segments[0] != t.literal || len(segments) == 1 {
				continue
			}
			rest = append([]string{""}, segments[1:]...) // the value begins with the slash
		}
		value, ok := strings.CutSuffix(strings.Join(rest, "/"), t.suffix)
		if !ok || value == "" {
			continue
		}
		return end{route: t.route, values: append(values, value)}
	}
	return other
}

// cutAction cuts index:query into the value of a parameter and its suffix, :query.
func cutAction(segment string) (value, suffix string, ok bool) {
	i := strings.LastIndexByte(segment, ':')
	if i < 1 {
		return "", "", false
	}
	return segment[:i], segment[i:], true
}

// splitPath splits an escaped path into unescaped segments. It refuses segments that a proxy or a
// file system may read as another path: empty ones, . and .., escaped or not.
func splitPath(escaped string) ([]string, error) {
	rest, ok := strings.CutPrefix(escaped, "/")
	if !ok {
		return nil, apierror.Invalid("The path %q does not begin with a slash.", apierror.Printable(escaped))
	}
	if rest == "" {
		return nil, nil
	}
	segments := strings.Split(rest, "/")
	for i, s := range segments {
		u, err := url.PathUnescape(s)
		if err != nil {
			return nil, apierror.Invalid("The path segment %q is not escaped properly.", apierror.Printable(s))
		}
		if u == "" || u == "." || u == ".." {
			return nil, apierror.Invalid("The path has the segment %q, which names nothing.", u)
		}
		segments[i] = u
	}
	return segments, nil
}

// apiPath is a path as the API's messages have it: without /api/2.0.
func apiPath(path string) string {
	rest, ok := strings.CutPrefix(path, "/api/")
	if !ok {
		return path
	}
	version, rest, ok := strings.Cut(rest, "/")
	if !ok || strings.Trim(version, "0123456789.") != "" {
		return path
	}
	return "/" + rest
}
