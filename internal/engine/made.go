package engine

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
)

// madeNames are the tables and views that the statements of a text make or drop. A later statement with
// such a name is checked only just before it runs.
type madeNames []string

// add adds the name that a statement makes or drops.
func (n *madeNames) add(st statement.Statement) {
	switch st := st.(type) {
	case *statement.Create:
		*n = append(*n, st.Name.Text)
	case *statement.Drop:
		*n = append(*n, st.Name.Text)
	}
}

// in reports whether a statement mentions one of the names.
func (n madeNames) in(st statement.Statement) bool {
	for _, name := range n {
		if mentions(st, name) {
			return true
		}
	}
	return false
}

// lacked reports whether an error says that a table of one of the names does not exist. A view may
// need it.
func (n madeNames) lacked(err error) bool {
	table, ok := vtab.MissingTable(err)
	return ok && slices.ContainsFunc(n, func(name string) bool { return strings.EqualFold(name, table) })
}

func mentions(st statement.Statement, name string) bool {
	query := func(q *statement.Query) bool { return q != nil && q.Mentions(name) }
	switch st := st.(type) {
	case *statement.Query:
		return query(st)
	case *statement.Create:
		return strings.EqualFold(st.Name.Text, name) || query(st.As)
	case *statement.Refresh:
		return strings.EqualFold(st.Name.Text, name)
	case *statement.Drop:
		return strings.EqualFold(st.Name.Text, name)
	case *statement.Insert:
		return query(st.Whole)
	case *statement.Update:
		return query(st.Whole)
	case *statement.Delete:
		return query(st.Whole)
	case *statement.Explain:
		return mentions(st.Statement, name)
	case *statement.NativeQuery:
		return strings.Contains(strings.ToLower(st.Text), strings.ToLower(name))
	}
	return false
}
