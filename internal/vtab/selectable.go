package vtab

import (
	"net/http"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// SelectMethods lists the methods that a SELECT of a resource may call: those that the verb lists, and
// those that documents mark as selectable, whose call is a POST. Beside listed ones, a marked one must
// return rows of the same columns.
func (e *Env) SelectMethods(r *provider.Resource) ([]*provider.Method, error) {
	listed := r.MethodsFor(provider.Select)
	if len(listed) == 0 {
		return r.SelectMethods(), nil
	}
	known := map[string]bool{}
	for _, m := range listed {
		columns, err := e.Client.Columns(m)
		if err != nil {
			return nil, err
		}
		for _, c := range columns {
			known[c.Name] = true
		}
	}
	methods := slices.Clone(listed)
	for _, m := range r.Selectable() {
		columns, err := e.Client.Columns(m)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(columns, func(c provider.Column) bool { return !known[c.Name] }) {
			methods = append(methods, m)
		}
	}
	return methods, nil
}

// addBody makes the attributes of the request's body parameters of a selectable method.
func (e *Env) addBody(a *access) error {
	if !a.method.Selectable {
		return nil
	}
	attributes, err := e.Catalogue.Attributes(a.method)
	if err != nil {
		return err
	}
	for _, attribute := range attributes {
		if slices.Contains(a.params, attribute.Name) {
			continue
		}
		a.params, a.body = append(a.params, attribute.Name), append(a.body, attribute.Name)
		if attribute.Required {
			a.required = append(a.required, attribute.Name)
		}
	}
	return nil
}

// isListed reports whether the SELECT verb lists the method.
func (a *access) isListed() bool { return a.method.SQLVerb == provider.Select }

// isAsked reports whether a query may call the method: beside listed ones, a marked one is called only
// if the query compares an attribute that no column has. Otherwise a condition on a column, such as the
// name of a model, would choose another call.
func (a *access) isAsked(t *table, named map[string]bool) bool {
	if a.isListed() || !slices.ContainsFunc(t.methods, (*access).isListed) {
		return true
	}
	return slices.ContainsFunc(a.body, func(name string) bool { return named[name] && t.fields[t.index[name]].hidden })
}

// noSelect is the error for a resource whose calls a SELECT must not make. It writes out the EXEC with
// the values of the query.
func (p *Program) noSelect(r *provider.Resource, pos provider.Position) error {
	m, ok := p.instead(r)
	if !ok {
		message := "no SELECT reaches " + r.FullName()
		if dropped, err := p.env.Catalogue.Dropped(r, provider.Select); err == nil && dropped != "" {
			message += ": " + dropped
		}
		return provider.Usagef("%s", message).
			At(pos).
			Hintf("see SHOW METHODS IN %s", r.FullName())
	}
	return provider.Usagef("no SELECT reaches %s: %s may change something, so it needs EXEC", r.FullName(), m.Name).
		At(pos).
		Hintf("%s", p.exec(m))
}

// instead finds the one method that EXEC would run in place of a SELECT. It returns rows, and creates
// nothing that can be changed or deleted later.
func (p *Program) instead(r *provider.Resource) (found *provider.Method, ok bool) {
	kept := slices.ContainsFunc(r.Methods, func(m *provider.Method) bool {
		return m.SQLVerb == provider.Update || m.SQLVerb == provider.Replace || m.SQLVerb == provider.Delete
	})
	for _, m := range r.Methods {
		if m.SQLVerb != provider.Exec && (m.SQLVerb != provider.Insert || kept) || m.Response == nil {
			continue
		}
		if columns, err := p.env.Client.Columns(m); err != nil || len(columns) == 0 {
			continue
		}
		if found != nil {
			return nil, false
		}
		found = m
	}
	return found, found != nil
}

// takers finds the methods that return rows, that only EXEC runs, and whose bodies have an attribute.
func (p *Program) takers(r *provider.Resource, attribute string) []*provider.Method {
	var found []*provider.Method
	for _, m := range r.Methods {
		if m.SQLVerb != provider.Exec || m.Verb != http.MethodPost {
			continue
		}
		columns, err := p.env.Client.Columns(m)
		if err != nil || len(columns) == 0 {
			continue
		}
		attributes, err := p.env.Catalogue.Attributes(m)
		if err != nil || !slices.ContainsFunc(attributes, func(a provider.Attribute) bool { return strings.EqualFold(a.Name, attribute) }) {
			continue
		}
		found = append(found, m)
	}
	return found
}

// execInstead returns the hint to run the methods with EXEC, with the statement if there is one method.
func (p *Program) execInstead(methods []*provider.Method) string {
	if len(methods) == 1 {
		return methods[0].Name + " takes it, and needs EXEC: " + p.exec(methods[0])
	}
	names := make([]string, len(methods))
	for i, m := range methods {
		names[i] = m.Name
	}
	return strings.Join(names, ", ") + " take it, and need EXEC"
}

// exec writes the EXEC of a method, with the values that the query compares its parameters with, and
// gaps for others that it requires. Values that may be credentials are masks.
func (p *Program) exec(m *provider.Method) string {
	a := parameters(m)
	attributes, err := p.env.Catalogue.Attributes(m)
	if err != nil {
		return "EXEC " + m.FullName()
	}
	for _, attribute := range attributes {
		a.params = append(a.params, attribute.Name)
		if attribute.Required {
			a.required = append(a.required, attribute.Name)
		}
	}
	var compared []statement.Equality
	for _, q := range p.Queries {
		compared = append(compared, q.Equalities()...)
	}
	given := map[string]string{}
	var names []string
	for _, name := range a.params {
		i := slices.IndexFunc(compared, func(e statement.Equality) bool { return strings.EqualFold(e.Column, name) })
		if i >= 0 {
			given[name] = p.constants(m, name)(compared[i].Value)
			names = append(names, name)
		}
	}
	for _, name := range a.lacking(func(name string) bool { return given[name] != "" }) {
		given[name] = "'…'"
		names = append(names, name)
	}
	parts := make([]string, 0, len(names))
	for _, name := range names {
		part := "@" + name + " = " + given[name]
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return strings.TrimSuffix("EXEC "+m.FullName()+" "+strings.Join(parts, ", "), " ")
}
