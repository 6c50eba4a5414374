package engine

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
)

// madeNames are those of the tables and views that statements of a text make, change or drop. What a later
// one means by such a name is not known before its turn.
type madeNames []string

// add takes in what a statement changes.
func (n *madeNames) add(st statement.Statement) {
	switch st := st.(type) {
	case *statement.Create:
		*n = append(*n, st.Name.Text)
	case *statement.Drop:
		*n = append(*n, st.Name.Text)
	}
}

// in reports whether a statement speaks of one of the names.
func (n madeNames) in(st statement.Statement) bool {
	for _, name := range n {
		if mentions(st, name) {
			return true
		}
	}
	return false
}

// lacked reports whether an error says that there is no table of one of the names, as a view may want
// one.
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
