package localstore

import (
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
)

const (
	// pipelineSlices is the table in which pipelines record how old the rows of each table and
	// workspace are.
	pipelineSlices = "lakeql_slice"
	// statusView shows that to people.
	statusView = "pipeline_status"
)

// NoteStale notes each pipeline table in the program that has old rows, or none, of some workspace
// because its last query failed. It notes nothing for a program that reads the status itself.
func (s *Stores) NoteStale(p *vtab.Program, note func(format string, args ...any)) error {
	for _, st := range s.all {
		if !p.Has(st.schema) {
			continue
		}
		stmt, _, err := p.DB.Prepare("SELECT table_name, sum(stale), count(*) FROM " + st.schema + "." + pipelineSlices + " GROUP BY 1 HAVING sum(stale) > 0 ORDER BY 1")
		if err != nil {
			continue // no pipeline has filled it
		}
		for stmt.Step() {
			if name := stmt.ColumnText(0); isAbout(p, name) {
				note("%s: the rows of %d of %d workspaces are old or missing, because their last query failed; %s tells which", name, stmt.ColumnInt(1), stmt.ColumnInt(2), statusView)
			}
		}
		if err := stmt.Close(); err != nil {
			return st.fault(err)
		}
	}
	return nil
}

// isAbout reports whether a program names a table of a pipeline, and does not read how old its rows
// are.
func isAbout(p *vtab.Program, table string) bool {
	found := false
	for _, q := range p.Queries {
		if q.Mentions("stale") || q.Mentions(statusView) {
			return false
		}
		found = found || q.Mentions(table)
	}
	return found
}

// ofPipeline reports whether a view is one that a pipeline has made in its store.
func ofPipeline(o *Object) bool {
	if o.Kind != statement.View || o.Definition != "" {
		return false
	}
	all, err := o.store.objects()
	if err != nil || find(all, statusView) == nil {
		return false
	}
	name := strings.TrimSuffix(strings.ToLower(o.Name), "_history")
	return name == statusView || find(all, name) != nil && find(all, name+"_history") != nil
}
