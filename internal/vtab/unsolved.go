package vtab

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/bind"
)

// fromAccount reports whether a configured account would supply a parameter.
func (t *table) fromAccount(name string) bool {
	return slices.ContainsFunc(t.methods, func(a *access) bool {
		p, ok := a.method.Param(name)
		return ok && p.FromConfig == bind.FromAccount
	})
}

// lack lists the missing parameters of one way to read a table.
type lack struct {
	method string // its name
	params []string
}

// lacks lists the ways to read the table that lack parameters, those with the fewest first. It leaves out
// a way that lacks all parameters of another way.
func (t *table) lacks(has func(name string) bool) []lack {
	var all []lack
	for _, a := range t.methods {
		if params := a.lacking(has); len(params) > 0 { // else it is the order of the tables that is at fault
			all = append(all, lack{a.method.Name, params})
		}
	}
	slices.Reverse(all) // the most demanding comes first in methods
	var ways []lack
	for _, l := range all {
		covers := func(other lack) bool {
			return !slices.ContainsFunc(other.params, func(name string) bool { return !slices.Contains(l.params, name) })
		}
		if !slices.ContainsFunc(ways, covers) {
			ways = append(ways, l)
		}
	}
	return ways
}

// unsolved explains that no order of the joins supplies every table with the parameters that it
// needs.
func (ts *tables) unsolved() (message, hint string) {
	if target := ts.program.Target; target != nil && len(target.lacking) > 0 {
		return fmt.Sprintf("%s needs %s, to tell one resource from others", target.access.method.FullName(), strings.Join(target.lacking, ", ")),
			"compare each by = or IN in the WHERE; nothing was sent"
	}
	var parts, hints []string
	for _, t := range ts.list {
		if len(t.lacking) == 0 {
			continue
		}
		var ways, terms []string
		for _, l := range t.lacking {
			way := strings.Join(l.params, ", ")
			if len(t.lacking) > 1 {
				way = strings.Join(l.params, " and ") + " to " + l.method
			}
			ways = append(ways, way)
			terms = append(terms, strings.Join(l.params, " = '…' AND ")+" = '…'")
			for _, name := range l.params {
				if len(t.lacking) == 1 && t.fromAccount(name) {
					return t.resource.FullName() + " needs " + name + ", and no account is configured",
						"set DATABRICKS_ACCOUNT_ID, or account_id in the profile, or compare " + name + " with one"
				}
			}
		}
		parts = append(parts, fmt.Sprintf("%s needs %s", t.resource.FullName(), strings.Join(ways, ", or ")))
		hints = append(hints, strings.Join(terms, ", or "))
	}
	if len(parts) == 0 {
		for _, t := range ts.list {
			if len(t.together) > 1 {
				return fmt.Sprintf("no method of %s takes %s together", t.resource.FullName(), strings.Join(t.together, ", ")),
					"see SHOW METHODS IN " + t.resource.FullName()
			}
		}
		return "the tables cannot be joined so that each gets the parameters it needs", ""
	}
	return "missing parameters: " + strings.Join(parts, "; "), "add WHERE " + strings.Join(hints, " AND ") + ", or join with a table that supplies them"
}
