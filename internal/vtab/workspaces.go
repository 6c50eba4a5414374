package vtab

import (
	"regexp"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/bytecode"
	"github.com/lakeql/lakeql/provider"
)

// A resource can be called without a deployment_name; its rows are then those of the configured
// workspace. If a join compares deployment_name, an order of the tables that calls a resource before its
// name is known loses the rows of all other workspaces. BestIndex gives such an order a very high cost,
// so that SQLite chooses it only if no other order exists.
//
// No other order exists if the statement names no workspace (p.deployment_name = b.deployment_name); then
// the configured workspace is meant. checkOrder refuses every other plan of that kind.

// dear is the cost of a call that lacks a parameter which the query compares.
const dear = 1e12

// workspaceTerms are a plan's conditions on deployment_name.
type workspaceTerms struct {
	// by counts the comparisons with known values, later those with tables that are read after this
	// one.
	by, later int
	// fixed is set if one of them is with a constant or an IN.
	fixed bool
}

// early reports whether a plan calls before all parameters are known that the query compares.
func (t *table) early(named map[string]bool, given map[string]int) bool {
	return slices.ContainsFunc(t.fields, func(f field) bool {
		_, ok := given[f.name]
		return f.hidden && named[f.name] && !ok
	})
}

// workspaces returns a plan's conditions on deployment_name.
func (t *table) workspaces(idx *sqlite3.IndexInfo) workspaceTerms {
	var k workspaceTerms
	for i, c := range idx.Constraint {
		if c.Column < 0 || c.Op != sqlite3.INDEX_CONSTRAINT_EQ || t.tenant == "" || t.fields[c.Column].name != t.tenant || !t.fields[c.Column].hidden {
			continue
		}
		if c.Usable {
			k.by++
		} else {
			k.later++
		}
		_, err := idx.RHSValue(i)
		k.fixed = k.fixed || err == nil || idx.In(i, -1)
	}
	if k != (workspaceTerms{}) {
		t.program.tables.ordered = t.program.tables.ordered || k.by == 0
	}
	return k
}

// checkOrder refuses a plan that calls a resource before its deployment_name is known, unless the
// resources are compared with each other only: then the others use the name. It also refuses a call
// without a deployment_name if the query compares the name later, outside of a view or subquery
// that SQLite computes first.
func checkOrder(p *Program) error {
	if !p.tables.ordered && !p.tables.compares {
		return nil
	}
	all, err := p.Bytecode()
	if err != nil {
		return err
	}
	var waiting, apart []string
	variable := ""
	by, later, mutual := 0, 0, true
	for _, place := range all.Filters() {
		chosen, ok := p.env.choices.find(place.Choice)
		if !ok || chosen.table == ofTarget {
			continue
		}
		t, k := p.tables.list[chosen.table], chosen.workspace
		if k == (workspaceTerms{}) {
			if p.tables.compares && t.withoutWorkspace(chosen) {
				apart = append(apart, t.resource.FullName())
				variable = t.tenant
			}
			continue
		}
		by, later, mutual = by+k.by, later+k.later, mutual && k.by < 2 && !k.fixed
		if k.by == 0 {
			waiting = append(waiting, t.resource.FullName())
			variable = t.tenant
		}
	}
	if mutual && by >= later {
		waiting = nil
	}
	if waiting = append(waiting, apart...); len(waiting) == 0 {
		return nil
	}
	return provider.Usagef("missing parameters: the query compares the %s of %s, which is not known when it is called", variable, strings.Join(waiting, ", ")).
		At(p.position).
		Hintf("compare it beside the resource itself: in the ON of an outer join, within a view or subquery; or put the tables in another order")
}

// withoutWorkspace reports whether a plan calls without a deployment_name that the query reads.
func (t *table) withoutWorkspace(chosen choice) bool {
	n, ok := t.index[t.tenant]
	return ok && t.fields[n].hidden && chosen.uses(n) && !slices.Contains(chosen.fields, n)
}

// comparesTenant reports whether a text compares the variable of a tenant. A false alarm, such as in a
// string, does no harm: see withoutWorkspace.
func comparesTenant(text, variable string) bool {
	if !strings.Contains(strings.ToLower(text), strings.ToLower(variable)) {
		return false
	}
	name := regexp.QuoteMeta(variable)
	return regexp.MustCompile(`(?i)\b` + name + `\W?\s*(=|<|>|!|in\b|is\b|not\b|like\b)|[=<>]\s*(\W?\w+\W?\.\s*)*\W?` + name + `\b|\busing\s*\([^)]*` + name).MatchString(text)
}

// checkCompared refuses a program that compares the deployment_name of rows that were called
// without one, as in one alternative of an OR. Those rows are the configured workspace's alone; the
// rows of others would be missing without a message.
func checkCompared(p *Program, code *bytecode.Program) error {
	for _, place := range code.Filters() {
		chosen, ok := p.env.choices.find(place.Choice)
		if !ok || chosen.table == ofTarget {
			continue
		}
		t := p.tables.list[chosen.table]
		column, ok := t.index[t.tenant]
		if !ok || !t.fields[column].hidden || slices.Contains(chosen.fields, column) {
			continue
		}
		if code.Compares(place.Cursor, column) {
			return provider.Usagef("%s: %s is compared where it does not say which workspace to ask", t.resource.FullName(), t.tenant).
				At(p.position).
				Hintf("give it by = or IN in every alternative of an OR, or by a join")
		}
	}
	return nil
}
