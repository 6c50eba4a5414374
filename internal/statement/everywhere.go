package statement

import "strings"

// deploymentName is the parameter that names a workspace, and everyWorkspace what it is compared with
// where a query is about all of them.
const (
	deploymentName = "deployment_name"
	everyWorkspace = "'*'"
)

// RewriteEverywhere is [Query.Rewrite] with another right-hand side for the comparisons that mean all
// workspaces: deployment_name = '*' becomes deployment_name IN (workspaces), whichever way round it
// is written.
func (q *Query) RewriteEverywhere(replacement func(Table) (string, error), workspaces string) (string, error) {
	patches := make([]patch, len(q.wildcards))
	for i, p := range q.wildcards {
		p.text = strings.ReplaceAll(p.text, everyWorkspace, workspaces)
		patches[i] = p
	}
	return q.rewrite(replacement, patches)
}

// wildcards finds the comparison of a name with '*' between two tokens, and what has to be put where,
// with everyWorkspace in place of the workspaces. An expression of which the name or '*' is only a part
// is no such comparison.
func (n dotted) wildcards(tokens []token, from, to int) []patch {
	if !strings.EqualFold(unquoteName(tokens[n.last].raw), deploymentName) {
		return nil
	}
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
	case at(n.last+1).typ == '=' && at(value).raw == everyWorkspace:
		if n.mayFollow(at(n.first-1)) && mayEnd(at(value+1)) {
			return []patch{{end, at(value).end() - start, " IN (" + everyWorkspace + ")"}}
		}
		return nil
	case at(n.last+1).is("IN") && at(n.last+2).typ == '(' && at(n.last+3).raw == everyWorkspace && at(n.last+4).typ == ')':
		if n.mayFollow(at(n.first - 1)) {
			return []patch{{at(n.last+3).start - start, at(n.last+3).end() - start, everyWorkspace}}
		}
		return nil
	}
	value = n.first - 2 // of '*' = name
	if at(value).typ == '=' && at(value).end() == at(n.first-1).start {
		value--
	}
	if at(n.first-1).typ != '=' || at(value).raw != everyWorkspace || !n.mayFollow(at(value-1)) || !mayEnd(at(n.last+1)) {
		return nil
	}
	gap := ""
	if before := at(value - 1); before.typ == wordToken && before.end() == at(value).start {
		gap = " " // as in WHERE'*' = name
	}
	return []patch{{at(value).start - start, begin, gap}, {end, end, " IN (" + everyWorkspace + ")"}}
}

// mayFollow reports whether a comparison of the name may begin behind a token: no operator stands there
// that binds more tightly, nor SET, whose = compares nothing.
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
