package localstore

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

const (
	// pipelineSlices is the table in which pipelines record how old the rows of each table and
	// workspace are.
	pipelineSlices = "lakeql_slice"
	// pipelineNotes is the view of pipelines with the gaps of each table.
	pipelineNotes = "lakeql_note"
	// statusView shows that to people.
	statusView = "pipeline_status"
)

// NoteStale notes the gaps of each pipeline table in the program: rows that are old or missing, because
// the last query of a workspace failed or the pipeline does not query it any more; columns that the query
// no longer returns; a schedule that runs another version of the pipeline. It notes nothing for a program
// that reads the status itself. It passes rows that are old or missing to missing, and the rest to note.
func (s *Stores) NoteStale(p *vtab.Program, note, missing Note) error {
	for _, st := range s.all {
		if err := st.NoteStale(p, note, missing); err != nil {
			return err
		}
	}
	return nil
}

// NoteStale implements [Backend].
func (st *store) NoteStale(p *vtab.Program, note, missing Note) error {
	if !p.Has(st.schema) {
		return nil
	}
	stmt, err := sandbox.Prepare(p.DB, "SELECT table_name, about, note, kind FROM "+st.schema+"."+pipelineNotes+" ORDER BY table_name, kind, about")
	if err != nil { // version 0.1.0 filled it
		stmt, err = sandbox.Prepare(p.DB, "SELECT table_name, '', 'the rows of ' || sum(stale) || ' of ' || count(*) || ' workspaces are old or missing, because their last query failed; "+statusView+" tells which', 'failed' FROM "+st.schema+"."+pipelineSlices+" GROUP BY 1 HAVING sum(stale) > 0 ORDER BY 1")
	}
	if err != nil {
		return nil //nolint:nilerr // no pipeline has filled it
	}
	for stmt.Step() {
		Gap{stmt.ColumnText(0), stmt.ColumnText(1), stmt.ColumnText(2), stmt.ColumnText(3)}.Tell(p, note, missing)
	}
	if err := stmt.Close(); err != nil {
		return st.fault(err)
	}
	return nil
}

// Gap is a row of lakeql_note: what a table of a pipeline lacks.
type Gap struct {
	Table  string
	Column string // that it is about; empty: the whole table
	Text   string
	Kind   string
}

// Tell passes the gap to one of the functions if a program reads the table, and the column: to missing if
// rows are old or missing.
func (g Gap) Tell(p *vtab.Program, note, missing Note) {
	if !isAbout(p, g.Table) || g.Column != "" && !readsColumn(p, g.Column) {
		return
	}
	if g.Kind == "failed" || g.Kind == "empty" { // no row, or none of some workspace
		note = missing
	}
	note("%s: %s", provider.Printable(g.Table), provider.Printable(g.Text))
}

// readsColumn reports whether a program names a column, or may read all of them.
func readsColumn(p *vtab.Program, column string) bool {
	for _, q := range p.Queries {
		if q.Mentions(column) || strings.Contains(q.Text, "*") {
			return true
		}
	}
	return false
}

// isAbout reports whether a program names a table of a pipeline, and does not read how old its rows
// are.
func isAbout(p *vtab.Program, table string) bool {
	return !readsAge(p) && slices.ContainsFunc(p.Queries, func(q *statement.Query) bool { return q.Mentions(table) })
}

// readsAge reports whether a program reads how old the rows of a pipeline are.
func readsAge(p *vtab.Program) bool {
	return slices.ContainsFunc(p.Queries, func(q *statement.Query) bool { return q.Mentions("stale") || q.Mentions(statusView) })
}

// ofPipeline reports whether a pipeline has made the view in its store.
func ofPipeline(o *Object) bool {
	if o.Kind != statement.View || o.Definition != "" {
		return false
	}
	all, err := o.Backend.Objects()
	if err != nil || find(all, statusView) == nil {
		return false
	}
	name := strings.TrimSuffix(strings.ToLower(o.Name), "_history")
	return name == statusView || find(all, name) != nil && find(all, name+"_history") != nil
}
