package provider

import (
	"fmt"
	"slices"
	"strings"
)

// FormerName is a name that a method had in earlier documents, or the name of a method that only
// earlier documents have. Statements may use it; listings do not show it.
type FormerName struct {
	Name string `json:"name"` // service.resource.method
	// SQLVerb is the SQL statement that reached the method under the name.
	SQLVerb SQLVerb `json:"sql_verb"`
	// Today is the full name of the method; empty if no document has it any more.
	Today string `json:"today,omitempty"`
	// Request is the HTTP verb and path of a method without a present name. Reason explains why it has no
	// name.
	Request string `json:"request,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// Parts returns the service, resource and method of the name.
func (f FormerName) Parts() (service, resource, method string) {
	parts := append(strings.SplitN(f.Name, ".", 3), "", "")
	return parts[0], parts[1], parts[2]
}

func (f FormerName) method() string {
	_, _, method := f.Parts()
	return method
}

// below returns the part of the name behind the parents, and whether the name is below them. Names
// match without regard to case.
func (f FormerName) below(parents ...string) (string, bool) {
	parts := strings.SplitN(f.Name, ".", 3)
	if len(parents) >= len(parts) {
		return "", false
	}
	for i, parent := range parents {
		if !strings.EqualFold(parts[i], parent) {
			return "", false
		}
	}
	return parts[len(parents)], true
}

// today returns the first n parts of the method's full name; empty if it has no name.
func (f FormerName) today(n int) string {
	if f.Today == "" {
		return ""
	}
	return strings.Join(strings.SplitN(f.Today, ".", 4)[:n], ".")
}

// formerMethod is a method of a resource under a former name.
type formerMethod struct {
	name  FormerName
	today *Method
}

// FormerNames returns the former names of a provider's methods.
func (c *Catalogue) FormerNames(p *Provider) ([]FormerName, error) {
	c.mu.Lock()
	all, ok := c.former[p.Name]
	c.mu.Unlock()
	if ok {
		return all, nil
	}
	all, err := c.loader.FormerNames(p.Name)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.former[p.Name] = all
	return all, nil
}

// formerService finds a service by a former name. Its resources have their former names, and as
// their ids the full names of today.
func (c *Catalogue) formerService(p *Provider, name string) (*Service, error) {
	all, err := c.FormerNames(p)
	if err != nil {
		return nil, err
	}
	var found *Service
	for _, f := range all {
		if _, ok := f.below(name); !ok {
			continue
		}
		service, resource, _ := f.Parts()
		if found == nil {
			found = &Service{Provider: p.Name, Name: service, former: true}
		}
		listed := slices.ContainsFunc(found.Resources, func(r *ResourceInfo) bool { return r.Name == resource && r.ID == f.today(3) })
		if f.Today != "" && !listed {
			found.Resources = append(found.Resources, &ResourceInfo{Name: resource, ID: f.today(3)})
		}
	}
	return found, nil
}

// formerResource finds a resource by a former name: its methods have the SQL verbs by which the
// name reached them.
func (c *Catalogue) formerResource(p *Provider, service, name string) (*Resource, error) {
	return c.formerMethods(p, func(f FormerName) bool {
		_, ok := f.below(service, name)
		return ok
	})
}

// Formerly returns the methods that an SQL verb reached by the name of a resource in earlier documents
// and does not reach now, as a resource of the same name. A former name also reaches what the verb
// reaches by the names that its methods have today. Without such methods, a verb that reaches none reaches
// the methods that do the same under another verb. It is nil without any.
func (c *Catalogue) Formerly(r *Resource, verb SQLVerb) (*Resource, error) {
	p, err := c.Provider(r.Provider)
	if err != nil {
		return nil, err
	}
	if r.former != nil {
		return c.besideFormer(p, r, verb)
	}
	found, err := c.formerMethods(p, func(f FormerName) bool {
		_, ok := f.below(r.Service, r.Name)
		return ok && f.SQLVerb == verb
	})
	if err != nil {
		return nil, err
	}
	if found == nil {
		return r.sameAs(verb), nil
	}
	for i, f := range slices.Backward(found.former) {
		own := f.today.Resource == r.FullName() && f.today.SQLVerb == verb // the verb reaches it today
		if own || found.Methods[i].SQLVerb != verb {
			found.former, found.Methods = slices.Delete(found.former, i, i+1), slices.Delete(found.Methods, i, i+1)
		}
	}
	if len(found.Methods) == 0 {
		return r.sameAs(verb), nil
	}
	found.shared = true
	return found, nil
}

// besideFormer returns what a verb reaches by the names that the methods of a former resource have today,
// if it reaches none of those methods.
func (c *Catalogue) besideFormer(p *Provider, r *Resource, verb SQLVerb) (*Resource, error) {
	if len(r.MethodsFor(verb)) > 0 {
		return nil, nil
	}
	found := &Resource{Provider: r.Provider, Service: r.Service, Name: r.Name, ID: r.ID}
	seen := map[string]bool{}
	for _, f := range r.former {
		if seen[f.today.Resource] {
			continue
		}
		seen[f.today.Resource] = true
		today, err := c.ResourceOf(f.today.Resource)
		if err != nil {
			return nil, err
		}
		for _, m := range today.MethodsFor(verb) {
			m = c.moved(p, m)
			found.former = append(found.former, formerMethod{FormerName{Name: r.Service + "." + r.Name + "." + m.Name, SQLVerb: verb, Today: m.FullName()}, m})
			found.Methods = append(found.Methods, m)
		}
	}
	if len(found.Methods) == 0 {
		return nil, nil
	}
	return found, nil
}

// sameAs returns the methods of a resource that do what an SQL verb says and are listed under another one,
// as a resource of the same name: an EXEC that deletes, a REPLACE that changes a part. It is nil without
// such methods, or if the verb reaches a method.
func (r *Resource) sameAs(verb SQLVerb) *Resource {
	if len(r.MethodsFor(verb)) > 0 {
		return nil
	}
	found := &Resource{Provider: r.Provider, Service: r.Service, Name: r.Name, ID: r.ID, shared: true}
	for _, m := range r.Methods {
		deletes := verb == Delete && m.SQLVerb == Exec && (m.Verb == "DELETE" || m.Name == "delete")
		updates := verb == Update && (m.SQLVerb == Exec || m.SQLVerb == Replace) && m.Verb == "PATCH"
		if deletes || updates {
			found.former = append(found.former, formerMethod{FormerName{Name: r.Service + "." + r.Name + "." + m.Name, SQLVerb: verb, Today: m.FullName()}, m})
			found.Methods = append(found.Methods, m.reachedBy(verb))
		}
	}
	if len(found.Methods) == 0 {
		return nil
	}
	return found
}

// formerMethods makes a resource from the methods whose former names match.
func (c *Catalogue) formerMethods(p *Provider, match func(FormerName) bool) (*Resource, error) {
	all, err := c.FormerNames(p)
	if err != nil {
		return nil, err
	}
	var found *Resource
	for _, f := range all {
		if f.Today == "" || !match(f) {
			continue
		}
		m, err := c.MethodOf(f.Today)
		if err != nil {
			return nil, err
		}
		if found == nil {
			service, resource, _ := f.Parts()
			found = &Resource{Provider: p.Name, Service: service, Name: resource, ID: f.today(3)}
		}
		m = c.moved(p, m)
		found.former = append(found.former, formerMethod{f, m})
		found.Methods = append(found.Methods, m.reachedBy(f.SQLVerb))
	}
	return found, nil
}

// moved returns the method as statements reach it by a name in another provider: the workspace that the
// name calls for has no effect if the method is none of a workspace.
func (c *Catalogue) moved(p *Provider, m *Method) *Method {
	if p.Tenant == nil || c.TenantVariable(m) != "" {
		return m
	}
	reached := *m
	reached.Ignored = []string{p.Tenant.Variable}
	return &reached
}

// reachedBy returns the method as an SQL verb reaches it. A SELECT reaches no method with a body,
// because a condition could not fill that.
func (m *Method) reachedBy(verb SQLVerb) *Method {
	if m.SQLVerb == verb || verb == Select && m.Body != nil {
		return m
	}
	reached := *m
	reached.SQLVerb = verb
	return &reached
}

// Renamed reports the present name behind the former name of a resource, for a statement with a verb.
// If the verb is empty or reaches no method, it reports those of all methods. It is empty if the name
// has not changed.
func (r *Resource) Renamed(verb SQLVerb) string {
	var today []string
	used := r.shared
	for i, f := range r.former {
		name := f.today.Resource
		switch {
		case verb != "" && r.Methods[i].SQLVerb != verb && (verb != Select || !slices.Contains(r.SelectMethods(), r.Methods[i])):
			continue
		case verb != "" && f.today.SQLVerb != verb && (verb != Select || !f.today.Selectable):
			name, used = f.today.statement(), true
		}
		if !slices.Contains(today, name) {
			today = append(today, name)
		}
	}
	switch {
	case len(today) == 0 && r.former != nil && verb != "":
		return r.Renamed("")
	case len(today) == 0:
		return ""
	case used:
		return fmt.Sprintf("%s, as this %s uses it, is %s today", r.FullName(), strings.ToUpper(string(verb)), strings.Join(today, " and "))
	default:
		return r.FullName() + " is " + strings.Join(today, " and ") + " today"
	}
}

// statement begins the statement that reaches the method.
func (m *Method) statement() string {
	switch m.SQLVerb {
	case Select:
		return "SELECT FROM " + m.Resource
	case Insert:
		return "INSERT INTO " + m.Resource
	case Update, Replace:
		return strings.ToUpper(string(m.SQLVerb)) + " " + m.Resource
	case Delete:
		return "DELETE FROM " + m.Resource
	case Exec:
	}
	return "EXEC " + m.FullName()
}

// Renamed reports the present name behind the former name of a service; empty if the name has not
// changed.
func (s *Service) Renamed() string {
	var today []string
	for _, r := range s.Resources {
		if name, _ := cutLast(r.ID); s.former && !slices.Contains(today, name) {
			today = append(today, name)
		}
	}
	if len(today) == 0 {
		return ""
	}
	return s.Provider + "." + s.Name + " is " + strings.Join(today, " and ") + " today"
}

// Renamed reports the present name behind a former name. For a present name that had another meaning,
// it reports that meaning; else it is empty.
func (n Named) Renamed() string {
	switch {
	case n.Former == "" && n.Method != nil && n.Method.Meant != "":
		return n.Method.FullName() + " has another meaning than in earlier versions, where it was " + n.Method.Meant
	case n.Former == "":
		return ""
	case n.Method != nil:
		return n.Former + " is " + n.Method.FullName() + " today"
	case n.Resource != nil:
		return n.Resource.Renamed("")
	default:
		return n.Service.Renamed()
	}
}

// cutLast takes the last part off a name with dots.
func cutLast(name string) (before, last string) {
	i := strings.LastIndexByte(name, '.')
	return name[:max(i, 0)], name[i+1:]
}

// TodaysResources lists the full names of the resources that have the methods of a former name today.
func (r *Resource) TodaysResources() []string {
	var names []string
	for _, f := range r.former {
		if !slices.Contains(names, f.today.Resource) {
			names = append(names, f.today.Resource)
		}
	}
	return names
}

// Dropped lists the requests that an SQL verb made by the name of a resource and that no document has
// now; empty without any.
func (c *Catalogue) Dropped(r *Resource, verb SQLVerb) (string, error) {
	p, err := c.Provider(r.Provider)
	if err != nil {
		return "", err
	}
	all, err := c.FormerNames(p)
	if err != nil {
		return "", err
	}
	var dropped []FormerName
	for _, f := range all {
		if _, ok := f.below(r.Service, r.Name); ok && f.Today == "" && f.SQLVerb == verb {
			dropped = append(dropped, f)
		}
	}
	return requestsOf(dropped), nil
}

// requestsOf lists the requests of names that no document has now; empty without any.
func requestsOf(dropped []FormerName) string {
	if len(dropped) == 0 {
		return ""
	}
	requests := make([]string, len(dropped))
	for i, f := range dropped {
		requests[i] = f.Request
	}
	were := "its request was "
	if len(requests) > 1 {
		were = "its requests were "
	}
	return were + strings.Join(requests, ", ") + ". " + dropped[0].Reason
}

// IsFormer reports whether the name of the resource is one of earlier documents.
func (r *Resource) IsFormer() bool { return r.former != nil }

// IsFormer reports whether the name of the service is one of earlier documents.
func (s *Service) IsFormer() bool { return s.former }

// formerly resolves the first n parts of a name, of which the last is not one of today. unknown is the
// error to return if it is no former name either.
func (c *Catalogue) formerly(found *Named, name []string, n int, unknown error) error {
	all, err := c.FormerNames(found.Provider)
	if err != nil {
		return err
	}
	parts := name[:n]
	var dropped []FormerName
	for _, f := range all {
		if last, ok := f.below(parts[1 : len(parts)-1]...); !ok || !strings.EqualFold(last, parts[len(parts)-1]) {
			continue
		}
		if f.Today == "" {
			if n > 2 { // of a service nothing is left to say
				dropped = append(dropped, f)
			}
			continue
		}
		found.Former = strings.Join(append([]string{found.Provider.Name}, strings.SplitN(f.Name, ".", 4)[:len(parts)-1]...), ".")
		switch len(parts) {
		case 2:
			found.Service, err = c.formerService(found.Provider, parts[1])
		case 3:
			found.Resource, err = c.formerResource(found.Provider, parts[1], parts[2])
		case 4:
			found.Method, err = c.MethodOf(f.Today)
		}
		return err
	}
	near := near(*found, parts, all)
	if len(dropped) > 0 {
		return droppedError(name, dropped, near)
	}
	return Change(unknown, func(e *Error) { e.Hint = hinted("did you mean %s?", near) })
}

// droppedError is the error for a name of which no document has the operation any more.
func droppedError(name []string, dropped []FormerName, near []string) *Error {
	kind, shown := "resource", name[:3]
	if i := slices.IndexFunc(dropped, func(f FormerName) bool { return strings.EqualFold(f.method(), strings.Join(name[3:], ".")) }); i >= 0 {
		kind, shown, dropped = "method", name, dropped[i:i+1]
	}
	hint := hinted("the nearest names of today: %s", near)
	if hint == "" {
		hint = "see SHOW RESOURCES IN " + strings.Join(name[:2], ".")
	}
	return Errorf(Unknown, "unknown %s %s: %s", kind, Quote(strings.Join(shown, ".")), requestsOf(dropped)).Hintf("%s", hint)
}

// hinted returns names as a hint; empty without names.
func hinted(format string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf(format, strings.Join(names, ", "))
}

// near returns the names of today that are most similar to the last part of a name, by themselves or by
// a former name, which is then shown with them.
func near(found Named, parts []string, all []FormerName) []string {
	place := strings.Join(append([]string{found.Provider.Name}, parts[1:len(parts)-1]...), ".")
	var names []string
	today := map[string]string{} // of each former name, as it is shown
	switch {
	case len(parts) == 2:
		for _, s := range found.Provider.Services {
			names = append(names, s.Name)
		}
	case len(parts) == 3 && !found.Service.former:
		for _, r := range found.Service.Resources {
			names = append(names, r.Name)
		}
	case len(parts) == 4 && found.Resource.former == nil:
		for _, m := range found.Resource.Methods {
			names = append(names, m.Name)
		}
	}
	for _, f := range all {
		last, ok := f.below(parts[1 : len(parts)-1]...)
		if !ok || f.Today == "" || slices.Contains(names, last) {
			continue
		}
		names, today[last] = append(names, last), f.today(len(parts))
		if parent, name := cutLast(today[last]); strings.EqualFold(parent, place) {
			today[last] = name
		}
	}
	var shown []string
	formerly := map[string]string{}
	for _, name := range Nearest(names, parts[len(parts)-1], 3) {
		if now, ok := today[name]; ok {
			formerly[now], name = " (formerly "+name+")", now
		}
		if !slices.Contains(shown, name) {
			shown = append(shown, name)
		}
	}
	for i, name := range shown {
		shown[i] += formerly[name]
	}
	return shown
}
