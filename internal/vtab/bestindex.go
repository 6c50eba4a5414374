package vtab

import (
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/provider"
)

// BestIndex chooses the method for the parameters that a plan supplies: of the methods whose required
// parameters are all supplied, the one that requires most. It refuses a plan that supplies too few for
// every method. So SQLite orders a join by its data flow.
func (t *table) BestIndex(idx *sqlite3.IndexInfo) error {
	given := map[string]int{} // constraints that may be used, by field name
	named, compared := map[string]bool{}, map[string]bool{}
	for i, c := range idx.Constraint {
		if c.Column < 0 {
			continue
		}
		name := t.fields[c.Column].name
		switch {
		case c.Op == sqlite3.INDEX_CONSTRAINT_EQ && t.fields[c.Column].takes(idx.Collation(i)): // a parameter is sent as it is
		case c.Op == sqlite3.INDEX_CONSTRAINT_LIMIT || c.Op == sqlite3.INDEX_CONSTRAINT_OFFSET:
			continue
		default:
			compared[name] = true
			continue
		}
		named[name] = true
		if _, ok := given[name]; !ok && c.Usable {
			given[name] = i
		}
	}
	for _, f := range t.fields { // no row has a value for it, and so none would be left
		if f.hidden && compared[f.name] && !named[f.name] {
			return t.fail(provider.Usagef("%s: %s is a parameter, which has no value but the one given", t.resource.FullName(), f.name).
				Hintf("give it by = or IN, or by a join"))
		}
	}
	has := func(name string) bool {
		_, ok := given[name]
		return ok || t.supplied(name)
	}
	best, known := -1, 0
	for n, a := range t.methods {
		if len(a.lacking(has)) > 0 || !a.takes(t, named) || !a.isAsked(t, named) {
			continue
		}
		// Methods with more required parameters come first; then methods that use more of the supplied
		// values; then a list before a method that needs an optional parameter.
		knows := a.known(given)
		better := best >= 0 && len(a.required) == len(t.methods[best].required) &&
			(knows > known || knows == known && a.isList() && !t.methods[best].isList())
		if best < 0 || better {
			best, known = n, knows
		}
	}
	if best >= 0 {
		early := t.early(named, given)
		t.use(idx, best, given)
		if early {
			idx.EstimatedCost = dear
		}
		return nil
	}
	if lacking := t.lacks(func(name string) bool { return named[name] || has(name) }); len(lacking) > 0 {
		t.lacking = lacking
	}
	t.together = nil
	for name := range named {
		if t.fields[t.index[name]].hidden {
			t.together = append(t.together, name)
		}
	}
	slices.Sort(t.together)
	return sqlite3.CONSTRAINT
}

// takes reports whether an = comparison with a collation determines the parameter of the column.
func (f field) takes(collation string) bool {
	return collation == "BINARY" || f.isTime() && collation == timeCollation
}

// takes reports whether the method has every parameter that the query compares. A parameter that it
// does not have would not be sent, and no row would meet the comparison.
func (a *access) takes(t *table, named map[string]bool) bool {
	for name := range named {
		if t.fields[t.index[name]].hidden && !slices.Contains(a.params, name) {
			return false
		}
	}
	return true
}

// known counts the given parameters that the method takes.
func (a *access) known(given map[string]int) int {
	n := 0
	for name := range given {
		if slices.Contains(a.params, name) {
			n++
		}
	}
	return n
}

func (a *access) isList() bool {
	return a.method.Paging != nil || a.method.Response != nil && a.method.Response.ObjectKey != ""
}

// lacking names the required parameters that are not given, neither alone nor in a resource name.
func (a *access) lacking(given func(name string) bool) []string {
	whole := a.method.NameParam
	byName := whole != nil && given(whole.Name)
	var lacking []string
	for _, name := range a.required {
		object, _, dotted := strings.Cut(name, ".")
		if param, ok := a.method.Param(name); ok && slices.ContainsFunc(param.Spellings(), given) || dotted && given(object) {
			continue
		}
		if !given(name) && (!byName || !slices.Contains(whole.Params(), name)) {
			lacking = append(lacking, name)
		}
	}
	return lacking
}

// use marks the constraints that become arguments of Filter.
func (t *table) use(idx *sqlite3.IndexInfo, method int, given map[string]int) {
	a := t.methods[method]
	chosen := choice{table: t.number, method: method, used: uint64(idx.ColumnsUsed), workspace: t.workspaces(idx)}
	for _, name := range a.params {
		i, ok := given[name]
		if !ok {
			continue
		}
		chosen.fields = append(chosen.fields, t.index[name])
		chosen.listed = chosen.listed || name == t.tenant && idx.In(i, -1)
		// The call has used the values that it needs; the attribute of that name in the answer may
		// differ (etag = '' means any). A value that only filters is compared again.
		omit := t.fields[t.index[name]].hidden || slices.Contains(a.required, name)
		idx.ConstraintUsage[i] = sqlite3.IndexConstraintUsage{ArgvIndex: len(chosen.fields), Omit: omit}
		delete(given, name)
	}
	idx.IdxNum, idx.IdxStr = t.program.env.choices.number(chosen), choiceText
	idx.EstimatedRows, idx.EstimatedCost = 1000, 1000
	if a.single {
		idx.EstimatedRows, idx.EstimatedCost = 1, 10
	}
}
