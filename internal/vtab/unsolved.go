package vtab

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/bind"
)

// fromAccount reports whether the configured account supplies a parameter, if there is one.
func (t *table) fromAccount(name string) bool {
	return slices.ContainsFunc(t.methods, func(a *access) bool {
		p, ok := a.method.Param(name)
		return ok && p.FromConfig == bind.FromAccount
	})
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
		if len(t.lacking) > 0 {
			parts = append(parts, fmt.Sprintf("%s needs %s", t.resource.FullName(), strings.Join(t.lacking, ", ")))
			for _, name := range t.lacking {
				if t.fromAccount(name) {
					return t.resource.FullName() + " needs " + name + ", and no account is configured",
						"set DATABRICKS_ACCOUNT_ID, or account_id in the profile, or compare " + name + " with one"
				}
				hints = append(hints, name+" = '…'")
			}
		}
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
	return "missing parameters: " + strings.Join(parts, "; "), "add WHERE " + strings.Join(hints, " AND ") + ", or join with what gives them"
}
