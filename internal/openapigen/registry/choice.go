package registry

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// orderSelects sorts the methods of SELECT in the order in which StackQL should try them: it takes the first
// method whose required parameters are supplied, whatever else is supplied. Methods with more required
// parameters come first. Of equal ones, a method with parameters that no row holds comes first, because no
// other method accepts them; then lists. If a list and another method require the same, the list goes last,
// and the other method also requires its identifying parameter: database_instances.find_by_uid its uid. So
// StackQL calls the same methods as lakeql.
func orderSelects(s *service) error {
	methods, err := s.methods()
	if err != nil {
		return err
	}
	selects := map[*resource][]*method{} // in document order
	for _, m := range methods {
		if m.SQLVerb == provider.Select {
			selects[m.resource] = append(selects[m.resource], m)
		}
	}
	for r, candidates := range selects {
		if len(candidates) < 2 {
			continue
		}
		if err := s.order(r, candidates); err != nil {
			return fmt.Errorf("%s: %w", r.FullName(), err)
		}
	}
	return nil
}

// order sorts the methods of one resource.
func (s *service) order(r *resource, candidates []*method) error {
	columns := map[string]bool{}
	for _, m := range candidates {
		if err := s.addColumns(m, columns); err != nil {
			return err
		}
	}
	hidden := func(m *method) int {
		return len(slices.DeleteFunc(requiredOf(m.Method), func(name string) bool { return columns[name] }))
	}
	slices.SortStableFunc(candidates, func(a, b *method) int {
		required, others := requiredOf(a.Method), requiredOf(b.Method)
		if slices.Equal(required, others) {
			return cmp.Compare(listRank(a), listRank(b))
		}
		return cmp.Or(cmp.Compare(len(others), len(required)), cmp.Compare(hidden(b), hidden(a)), cmp.Compare(listRank(b), listRank(a)))
	})
	for i, m := range candidates {
		for _, later := range candidates[i+1:] {
			if !slices.Equal(requiredOf(m.Method), requiredOf(later.Method)) {
				continue
			}
			if err := s.requireOwn(m, later); err != nil {
				return err
			}
		}
	}
	verbs := child(r.node, "sqlVerbs", "select")
	if verbs == nil || len(verbs.Content) != len(candidates) {
		return fmt.Errorf("sqlVerbs and methods differ")
	}
	for i, m := range candidates {
		verbs.Content[i] = reference("#/components/x-stackQL-resources/" + r.Name + "/methods/" + m.Name)
	}
	return nil
}

// addColumns adds the names of the columns of a method's rows.
func (s *service) addColumns(m *method, columns map[string]bool) error {
	if m.Response == nil || m.Response.Schema == nil {
		return nil
	}
	row, err := s.catalogue.Resolve(m.Method, m.Response.Schema)
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimPrefix(m.Response.ObjectKey, "$."), ".") {
		if inner, ok := row.Property(name); ok {
			if row, err = s.catalogue.Resolve(m.Method, inner); err != nil {
				return err
			}
		}
	}
	if row.Items != nil {
		if row, err = s.catalogue.Resolve(m.Method, row.Items); err != nil {
			return err
		}
	}
	for _, p := range row.Properties {
		columns[p.Name] = true
	}
	return nil
}

// listRank sorts lists after methods that return one resource, and lists with more parameters before others.
func listRank(m *method) int {
	if m.Paging == nil && (m.Response == nil || m.Response.ObjectKey == "") {
		return 0
	}
	return 1000 - len(m.Params)
}

// requiredOf names the parameters that a method requires beside its server's variables, sorted.
func requiredOf(m *provider.Method) []string {
	var names []string
	for _, p := range m.Params {
		if p.Required {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}

// requireOwn makes the first optional parameter required that the other method does not have.
func (s *service) requireOwn(m, other *method) error {
	for _, p := range m.Params {
		if _, shared := other.Param(p.Name); shared || p.Required {
			continue
		}
		parameters := child(m.operation, "parameters")
		for i, n := range parameters.Content {
			given := s.resolve(n)
			if name := child(given, "name"); name == nil || name.Value != p.Name {
				continue
			}
			required := clone(given)
			set(required, "required", asNode(true))
			parameters.Content[i] = required
			return nil
		}
	}
	return fmt.Errorf("%s and %s take the same parameters, so that StackQL would never call the second", m.FullName(), other.Name)
}

// orderInserts puts those methods of INSERT last whose parameters are attributes of another method's body.
// Otherwise INSERT INTO recipients (name, …) would rotate a token, because that requires only a name. EXEC
// reaches these methods.
func orderInserts(s *service) error {
	resources, err := s.resources()
	if err != nil {
		return err
	}
	for _, r := range resources {
		inserts := r.MethodsFor(provider.Insert)
		verbs := child(r.node, "sqlVerbs", "insert")
		for i, m := range inserts {
			for j := i + 1; j < len(inserts); j++ {
				taken, err := s.attributes(inserts[j])
				if err != nil {
					return err
				}
				if required := requiredOf(m); len(required) > 0 && subset(required, taken) {
					verbs.Content[i], verbs.Content[j] = verbs.Content[j], verbs.Content[i]
				}
			}
		}
	}
	return nil
}

// attributes lists the attributes that an INSERT by a method may set in its body.
func (s *service) attributes(m *provider.Method) ([]string, error) {
	if m.Body == nil {
		return nil, nil
	}
	schema, err := s.catalogue.Resolve(m, m.Body.Schema)
	if err != nil || schema == nil {
		return nil, err
	}
	var names []string
	for _, p := range schema.Properties {
		names = append(names, p.Name)
	}
	return names, nil
}

func subset(names, of []string) bool {
	for _, name := range names {
		if !slices.Contains(of, name) {
			return false
		}
	}
	return true
}
