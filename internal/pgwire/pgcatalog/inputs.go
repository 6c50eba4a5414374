package pgcatalog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// input is what a query may say in WHERE to choose the call: a parameter, or an attribute of its body.
type input struct {
	provider.Column
	required bool   // no method can do without it
	other    string // another spelling of the name; empty: there is none
}

// inputs lists the inputs of the methods that a SELECT of a resource may call.
func (c *Catalogue) inputs(r *provider.Resource, methods []*provider.Method) ([]input, error) {
	if r.View != nil {
		return c.viewInputs(r)
	}
	var all []input
	times := map[string]int{} // that a method requires it
	for _, m := range methods {
		own, err := c.inputsOf(m)
		if err != nil {
			return nil, err
		}
		for _, in := range own {
			if in.required {
				times[in.Name]++
			}
			if !slices.ContainsFunc(all, func(known input) bool { return known.Name == in.Name }) {
				all = append(all, in)
			}
		}
	}
	for i := range all {
		all[i].required = times[all[i].Name] == len(methods)
	}
	return all, nil
}

// viewInputs lists the parameters of a view. The connection's settings supply the tenant, such as the workspace.
func (c *Catalogue) viewInputs(r *provider.Resource) ([]input, error) {
	tenants, err := c.documents.Tenants()
	if err != nil {
		return nil, err
	}
	var all []input
	for _, p := range r.View.RequiredParams {
		tenant := slices.ContainsFunc(tenants, func(t *provider.Tenant) bool { return t.Variable == p.Name })
		all = append(all, input{Column: provider.Column{Name: p.Name, Type: cmp.Or(p.Type, "string"), Description: p.Description}, required: !tenant})
	}
	return all, nil
}

func (c *Catalogue) inputsOf(m *provider.Method) ([]input, error) {
	var all []input
	add := func(name, description string, schema *provider.Schema, required bool, other string) error {
		column := provider.Column{Name: name, Type: "string", Description: description}
		resolved, err := c.documents.Resolve(m, schema)
		if err != nil {
			return err
		}
		if resolved != nil {
			column.Type, column.Format = resolved.Type, resolved.Format
			if column.Description == "" {
				column.Description = resolved.Description
			}
		}
		all = append(all, input{Column: column, required: required, other: other})
		return nil
	}
	for _, p := range m.Params {
		if err := add(p.Name, p.Description, p.Schema, p.Required && p.FromConfig == "" && p.Default == "", p.Spelling()); err != nil {
			return nil, err
		}
	}
	if m.Selectable || m.SQLVerb != provider.Select {
		attributes, err := c.documents.Attributes(m)
		if err != nil {
			return nil, err
		}
		for _, a := range attributes {
			if err := add(a.Name, "", a.Schema, a.Required, ""); err != nil {
				return nil, err
			}
		}
	}
	for _, v := range m.ServerVariables() {
		if err := add(v.Name, v.Description, nil, false, ""); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// withInputs adds to the columns of SELECT * those that it leaves out, and says in the comments which ones a
// query requires.
func withInputs(columns []provider.Column, inputs []input) []provider.Column {
	columns = slices.Clone(columns)
	for _, in := range inputs {
		at := slices.IndexFunc(columns, func(c provider.Column) bool { return c.Name == in.Name })
		if at < 0 {
			at = len(columns)
			columns = append(columns, in.Column)
		}
		said := columns[at].Description
		if in.other != "" {
			said = "Also spelled " + in.other + ". " + said
		}
		if in.required {
			said = "Required in WHERE. " + said
		}
		columns[at].Description = strings.TrimSpace(said)
	}
	return columns
}

// comment is a table's description, with what a query of it has to say.
func (c *Catalogue) comment(r *provider.Resource, methods []*provider.Method, inputs []input) (string, error) {
	var needs [][]string // of each call
	if r.View != nil {
		needs = [][]string{requiredNames(inputs)}
	}
	for _, m := range methods {
		own, err := c.inputsOf(m)
		if err != nil {
			return "", err
		}
		needs = append(needs, requiredNames(own))
	}
	var ways []string
	for i, names := range needs {
		covered := func(other []string) bool {
			return !slices.ContainsFunc(other, func(name string) bool { return !slices.Contains(names, name) })
		}
		more := slices.ContainsFunc(needs, func(other []string) bool { return len(other) < len(names) && covered(other) })
		again := slices.ContainsFunc(needs[:i], func(other []string) bool { return len(other) == len(names) && covered(other) })
		if !more && !again { // a call that takes less is there
			ways = append(ways, strings.Join(names, " and "))
		}
	}
	if len(ways) == 0 || slices.Contains(ways, "") {
		return r.Description, nil
	}
	slices.Sort(ways)
	return strings.TrimSpace(r.Description + " WHERE needs " + strings.Join(ways, ", or ") + "."), nil
}

// requiredNames are the names of the required inputs, with their other spellings.
func requiredNames(inputs []input) []string {
	var names []string
	for _, in := range inputs {
		switch {
		case !in.required:
		case in.other != "":
			names = append(names, in.Name+" ("+in.other+")")
		default:
			names = append(names, in.Name)
		}
	}
	return names
}
