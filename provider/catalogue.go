package provider

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Catalogue finds providers, services, resources, methods and schemas by name. It looks for an exact
// match first, then for one without regard to case, then for a former name. An unknown name is an
// [Error] that suggests the nearest. A Catalogue may be used by several goroutines.
type Catalogue struct {
	loader Loader

	mu        sync.Mutex
	providers []*Provider
	services  map[string]*Service
	resources map[string]*Resource
	schemas   map[string]*Schema
	former    map[string][]FormerName // by provider
}

// NewCatalogue makes a catalogue that reads through loader and keeps what it has read.
func NewCatalogue(loader Loader) *Catalogue {
	return &Catalogue{
		loader:    loader,
		services:  map[string]*Service{},
		resources: map[string]*Resource{},
		schemas:   map[string]*Schema{},
		former:    map[string][]FormerName{},
	}
}

// Providers returns all providers, sorted by name.
func (c *Catalogue) Providers() ([]*Provider, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.providers == nil {
		found, err := c.loader.Providers()
		if err != nil {
			return nil, err
		}
		c.providers = found
	}
	return c.providers, nil
}

// Provider finds a provider by name.
func (c *Catalogue) Provider(name string) (*Provider, error) {
	all, err := c.Providers()
	if err != nil {
		return nil, err
	}
	return find(all, func(p *Provider) string { return p.Name }, "provider", "", name)
}

// Service finds a service and lists its resources.
func (c *Catalogue) Service(providerName, name string) (*Service, error) {
	found, _, err := c.Lookup(providerName, name)
	return found.Service, err
}

// Resource finds a resource with its methods.
func (c *Catalogue) Resource(providerName, serviceName, name string) (*Resource, error) {
	found, _, err := c.Lookup(providerName, serviceName, name)
	return found.Resource, err
}

// ResourceOf finds a resource by its full name, provider.service.resource.
func (c *Catalogue) ResourceOf(fullName string) (*Resource, error) {
	found, _, err := c.Lookup(strings.SplitN(fullName, ".", 3)...)
	return found.Resource, err
}

// Method finds a method of a resource.
func (c *Catalogue) Method(providerName, serviceName, resourceName, name string) (*Method, error) {
	found, _, err := c.Lookup(providerName, serviceName, resourceName, name)
	return found.Method, err
}

// MethodOf finds a method by its full name, provider.service.resource.method.
func (c *Catalogue) MethodOf(fullName string) (*Method, error) {
	found, _, err := c.Lookup(strings.SplitN(fullName, ".", 4)...)
	return found.Method, err
}

// Tenants lists the tenant declarations, one for each provider that has tenants.
func (c *Catalogue) Tenants() ([]*Tenant, error) {
	all, err := c.Providers()
	if err != nil {
		return nil, err
	}
	var tenants []*Tenant
	for _, p := range all {
		if p.Tenant != nil {
			tenants = append(tenants, p.Tenant)
		}
	}
	return tenants, nil
}

// TenantVariable returns the server variable of a method that names the tenant; empty if there is none.
func (c *Catalogue) TenantVariable(m *Method) string {
	name, _ := serviceOf(m.Resource)
	p, err := c.Provider(name)
	if err != nil || p.Tenant == nil {
		return "" // the method was found in a provider that is there
	}
	for _, v := range m.ServerVariables() {
		if v.Name == p.Tenant.Variable {
			return v.Name
		}
	}
	return ""
}

// Named is the target of a dotted name. Fields for parts that the name lacks are nil.
type Named struct {
	Provider *Provider
	Service  *Service
	Resource *Resource
	Method   *Method
	// Former is the full name in earlier documents; empty if the name has not changed.
	Former string
}

// Lookup resolves a name of one to four parts to a provider, service, resource or method, and its
// parents. If err is not nil, unknown is the index of the part that does not resolve; found holds the
// parts before it.
//
// Names of today win over former ones. A service or resource that is found by a former name has that
// name, and the methods that it reached; a method that is found by one is today's.
func (c *Catalogue) Lookup(parts ...string) (found Named, unknown int, err error) {
	for i, name := range parts {
		switch i {
		case 0:
			found.Provider, err = c.Provider(name)
		case 1:
			found.Service, err = c.service(found.Provider, name)
		case 2:
			found.Resource, err = c.resource(found.Service, name)
		case 3:
			found.Method, err = c.method(&found, name)
		}
		if i > 0 && CodeOf(err) == Unknown {
			err = c.formerly(&found, parts, i+1, err)
		}
		if err != nil {
			return found, i, err
		}
	}
	return found, len(parts), nil
}

func (c *Catalogue) service(p *Provider, name string) (*Service, error) {
	info, err := find(p.Services, func(s *ServiceInfo) string { return s.Name }, "service", p.Name, name)
	if err != nil {
		return nil, err
	}
	return memo(&c.mu, c.services, p.Name+"."+info.Name, func() (*Service, error) {
		return c.loader.Service(p.Name, info.Name)
	})
}

func (c *Catalogue) resource(s *Service, name string) (*Resource, error) {
	if s.former {
		return nil, unknown("resource", s.Provider+"."+s.Name, name)
	}
	info, err := find(s.Resources, func(r *ResourceInfo) string { return r.Name }, "resource", s.Provider+"."+s.Name, name)
	if err != nil {
		return nil, err
	}
	key := s.Provider + "." + s.Name + "." + info.Name
	return memo(&c.mu, c.resources, key, func() (*Resource, error) {
		r, err := c.loader.Resource(s.Provider, s.Name, info.Name)
		if err != nil {
			return nil, err
		}
		for _, m := range r.Methods {
			m.Resource = key
		}
		return r, nil
	})
}

// method finds a method of the resource. Below a former name of a resource, former names of methods
// come first; a name of today is taken as well.
func (c *Catalogue) method(found *Named, name string) (*Method, error) {
	r := found.Resource
	if r.former == nil {
		return find(r.Methods, func(m *Method) string { return m.Name }, "method", r.FullName(), name)
	}
	found.Former = r.FullName() + "." + name
	f, err := find(r.former, func(f formerMethod) string { return f.name.method() }, "method", r.FullName(), name)
	if err != nil {
		f, err = find(r.former, func(f formerMethod) string { return f.today.Name }, "method", r.FullName(), name)
	}
	return f.today, err
}

// Resolve follows a schema's reference, if it is one, to the shared schema of the method's
// service. A description or readOnly beside the reference is kept.
func (c *Catalogue) Resolve(m *Method, s *Schema) (*Schema, error) {
	providerName, serviceName := serviceOf(m.Resource)
	for range 32 { // a chain of references is short; a longer one goes in circles
		if s == nil || s.Ref == "" {
			return s, nil
		}
		ref := s.Ref
		target, err := memo(&c.mu, c.schemas, providerName+"."+serviceName+"."+ref, func() (*Schema, error) {
			return c.loader.Schema(providerName, serviceName, ref)
		})
		if err != nil {
			return nil, err
		}
		s = referred(s, target)
	}
	return nil, Internalf("schema %s of %s.%s refers to itself", s.Ref, providerName, serviceName)
}

// AttributePrefix may stand before the name of a body attribute, as in StackQL's INSERT
// statements. It distinguishes an attribute from a parameter of the same name.
const AttributePrefix = "data__"

// Attribute is an attribute of a request body that a caller can set.
type Attribute struct {
	Name     string
	Schema   *Schema // its reference resolved
	Required bool
}

// Attributes lists the attributes of a method's request body in the document's order, without read-only
// ones.
func (c *Catalogue) Attributes(m *Method) ([]Attribute, error) {
	if m.Body == nil {
		return nil, nil
	}
	body, err := c.Resolve(m, m.Body.Schema)
	if err != nil || body == nil {
		return nil, err
	}
	var all []Attribute
	for _, p := range body.Properties {
		schema, err := c.Resolve(m, p.Schema)
		if err != nil {
			return nil, err
		}
		if schema == nil { // the document does not say of what
			schema = &Schema{}
		}
		if !schema.ReadOnly {
			all = append(all, Attribute{p.Name, schema, slices.Contains(body.Required, p.Name)})
		}
	}
	return all, nil
}

// referred returns a copy of the target with the description and readOnly that stand beside the reference.
func referred(place, target *Schema) *Schema {
	if place.Description == "" && !place.ReadOnly && !place.Deprecated && place.NameTemplate == "" {
		return target
	}
	merged := *target
	merged.Description = cmp.Or(place.Description, target.Description)
	merged.NameTemplate = cmp.Or(place.NameTemplate, target.NameTemplate)
	merged.ReadOnly = place.ReadOnly || target.ReadOnly
	merged.Deprecated = place.Deprecated || target.Deprecated
	return &merged
}

func serviceOf(resource string) (provider, service string) {
	parts := strings.SplitN(resource, ".", 3)
	if len(parts) < 2 {
		return "", ""
	}
	return parts[0], parts[1]
}

// memo reads a value once. The lock is not held while reading: two callers may read the same
// thing, and the first to finish wins.
func memo[T any](mu *sync.Mutex, kept map[string]*T, key string, read func() (*T, error)) (*T, error) {
	mu.Lock()
	v, ok := kept[key]
	mu.Unlock()
	if ok {
		return v, nil
	}
	v, err := read()
	if err != nil {
		return nil, err
	}
	mu.Lock()
	defer mu.Unlock()
	if first, ok := kept[key]; ok {
		return first, nil
	}
	kept[key] = v
	return v, nil
}

// find looks an item up by name; kind and parent serve the error message.
func find[T any](items []T, nameOf func(T) string, kind, parent, name string) (T, error) {
	for _, item := range items {
		if nameOf(item) == name {
			return item, nil
		}
	}
	for _, item := range items {
		if strings.EqualFold(nameOf(item), name) {
			return item, nil
		}
	}
	names := make([]string, len(items))
	for i, item := range items {
		names[i] = nameOf(item)
	}
	var none T
	return none, unknown(kind, parent, name).Hintf("%s", hinted("did you mean %s?", Nearest(names, name, 3)))
}

// unknown is the error for a name that nothing in parent has.
func unknown(kind, parent, name string) *Error {
	where := ""
	if parent != "" {
		where = " in " + parent
	}
	return Errorf(Unknown, "unknown %s %s%s", kind, Quote(name), where)
}

// Nearest returns at most limit of the names, the most similar to name first. Similar names need few
// edits, or contain one another. If there are few names, Nearest returns all of them.
func Nearest(names []string, name string, limit int) []string {
	type scored struct {
		name            string
		score, distance int // a name that holds the other is near, and of several the one of about its length
	}
	wanted := strings.ToLower(name)
	all := make([]scored, 0, len(names))
	for _, n := range names {
		lower := strings.ToLower(n)
		distance := Distance(lower, wanted)
		score := distance
		if wanted != "" && (strings.Contains(lower, wanted) || strings.Contains(wanted, lower)) {
			score = min(score, 1)
		}
		if len(names) <= limit || score <= max(len(wanted), len(lower))/2 {
			all = append(all, scored{n, score, distance})
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	near := make([]string, 0, limit)
	for _, s := range all[:min(limit, len(all))] {
		near = append(near, s.name)
	}
	return near
}

// Distance returns the Levenshtein distance of two words: the bytes to change, add or take away.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
