package engine

import (
	"path/filepath"
	"testing"

	"github.com/lakeql/lakeql/internal/statement"
)

// TestSQLiteStays translates every statement in the tests of other packages. A statement without
// PostgreSQL's spelling must stay unchanged.
func TestSQLiteStays(t *testing.T) {
	checked := 0
	for _, folder := range []string{"bind", "bytecode", "connect", "differential", "localstore", "pipeline", "redact", "shell", "vtab"} {
		for _, text := range statementsOfTests(t, filepath.Join("..", folder)) {
			statements, err := statement.Parse(text)
			if err != nil {
				continue
			}
			for _, st := range statements {
				for _, q := range queriesIn(st) {
					checked++
					if q.Written() != q.Text {
						t.Errorf("%s\nbecomes %s", q.Written(), q.Text)
					}
				}
			}
		}
	}
	if checked < 150 {
		t.Errorf("only %d queries were checked", checked)
	}
}

// queriesIn lists the queries of a statement.
func queriesIn(st statement.Statement) []*statement.Query {
	var q *statement.Query
	switch st := st.(type) {
	case *statement.Query:
		q = st
	case *statement.Insert:
		q = st.Whole
	case *statement.Update:
		q = st.Whole
	case *statement.Delete:
		q = st.Whole
	case *statement.Create:
		q = st.As
	case *statement.Explain:
		return queriesIn(st.Statement)
	}
	if q == nil {
		return nil
	}
	return []*statement.Query{q}
}
