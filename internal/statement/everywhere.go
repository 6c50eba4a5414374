package statement

import (
	"slices"
	"strings"
)

// everyTenant is the value that stands for all tenants in a comparison: deployment_name = '*'.
const everyTenant = "'*'"

// wildcard is a comparison of a name with '*'. It means all tenants if the name is a tenant's variable, which
// the catalogue knows.
type wildcard struct {
	name  string // in lower case
	edits []Edit
}

// Everywhere reports whether the query compares a name with '*'. See [Query.Tenants].
func (q *Query) Everywhere(name string) bool {
	return slices.ContainsFunc(q.wildcards, func(w wildcard) bool { return w.name == strings.ToLower(name) })
}

// Tenants returns the edits for the comparisons that mean all tenants: deployment_name = '*' becomes
// deployment_name IN (list), whichever way round it is written. lists has the query for each name of
// which that is so.
func (q *Query) Tenants(lists map[string]string) []Edit {
	var edits []Edit
	for name, list := range lists {
		for _, w := range q.wildcards {
			if w.name != strings.ToLower(name) {
				continue
			}
			for _, e := range w.edits {
				e.Text = strings.ReplaceAll(e.Text, everyTenant, list)
				edits = append(edits, e)
			}
		}
	}
	return edits
}

// wildcards finds the comparison of a name with '*' between two tokens.
func (n dotted) wildcards(tokens []token, from, to int) []wildcard {
	edits := n.everyTenant(tokens, from, to)
	if len(edits) == 0 {
		return nil
	}
	return []wildcard{{strings.ToLower(unquoteName(tokens[n.last].raw)), edits}}
}

// everyTenant returns the edits for comparisons of the name with '*', which replace '*' by the list. An
// expression that contains the name or '*' only as a part is no such comparison.
func (n dotted) everyTenant(tokens []token, from, to int) []Edit {
	at := func(i int) token {
		if i < from || i >= to {
			return token{}
		}
		return tokens[i]
	}
	start := tokens[from].start
	begin, end := tokens[n.first].start-start, tokens[n.last].end()-start
	value := n.last + 2 // of name = '*'
	if at(value).typ == '=' && at(value).start == at(n.last+1).end() {
		value++
	}
	switch {
	case at(n.last+1).typ == '=' && at(value).raw == everyTenant:
		if n.mayFollow(at(n.first-1)) && mayEnd(at(value+1)) {
			return []Edit{{end, at(value).end() - start, " IN (" + everyTenant + ")"}}
		}
		return nil
	case at(n.last+1).is("IN") && at(n.last+2).typ == '(' && at(n.last+3).raw == everyTenant && at(n.last+4).typ == ')':
		if n.mayFollow(at(n.first - 1)) {
			return []Edit{{at(n.last+3).start - start, at(n.last+3).end() - start, everyTenant}}
		}
		return nil
	}
	value = n.first - 2 // of '*' = name
	if at(value).typ == '=' && at(value).end() == at(n.first-1).start {
		value--
	}
	if at(n.first-1).typ != '=' || at(value).raw != everyTenant || !n.mayFollow(at(value-1)) || !mayEnd(at(n.last+1)) {
		return nil
	}
	gap := ""
	if before := at(value - 1); before.typ == wordToken && before.end() == at(value).start {
		gap = " " // as in WHERE'*' = name
	}
	return []Edit{{at(value).start - start, begin, gap}, {end, end, " IN (" + everyTenant + ")"}}
}

// mayFollow reports whether a comparison of the name may begin after a token: the token is neither an
// operator that binds more tightly, nor SET, whose = compares nothing.
func (n dotted) mayFollow(before token) bool {
	switch strings.ToUpper(before.raw) {
	case "", "(", "ALL", "AND", "BY", "CASE", "DISTINCT", "ELSE", "HAVING", "NOT", "ON", "OR", "RETURNING", "SELECT", "THEN", "WHEN", "WHERE":
		return true
	case ",":
		return n.clause != "SET"
	}
	return false
}

// mayEnd reports whether a comparison may end before a token: no operator stands there.
func mayEnd(next token) bool {
	switch strings.ToUpper(next.raw) {
	case "COLLATE", "IS", "IN", "LIKE", "GLOB", "MATCH", "REGEXP", "NOT", "BETWEEN", "ISNULL", "NOTNULL":
		return false
	}
	return next.ends() || next.typ == ')' || next.typ == ',' || next.typ == wordToken
}
