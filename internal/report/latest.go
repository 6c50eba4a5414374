package report

import (
	"github.com/lakeql/lakeql/internal/pipeline"
)

// changed is a group of changes: of a run, in a table and a workspace.
type changed struct {
	Table, Workspace        string // empty: several
	Tables, Where           string // which, or how many
	Run                     int64
	At                      stamp
	First                   string // rows of first answers; empty: it is a change
	Added, Changed, Removed string // empty: none
	Rows                    []changedRow
	More                    string // rows that are not shown
}

// changedRow is a changed row.
type changedRow struct {
	Change, Sign     string
	Table, Workspace string
	At               stamp
	Run              int64
	Key              []named
	Label            string // what people call it; empty: the key says it
	Columns          []columnChange
	More             int // columns that are not shown
}

type named struct {
	Name  string
	Value value
}

type columnChange struct {
	Name     string
	From, To value
}

// mostChanged is how many columns of a changed row are shown.
const mostChanged = 6

// group draws a group of changes.
func (d *drawing) group(g *pipeline.ChangeGroup) changed {
	c := changed{Table: d.short(g.Table, longestText), Workspace: d.short(g.Workspace, longestText), Run: g.Run, At: d.stamp(g.At)}
	c.Where = c.Workspace
	if g.Workspace == "" {
		c.Where = count(int64(g.Workspaces), "workspace")
	}
	if g.First {
		c.First = count(g.Added, "row")
		return c
	}
	some := func(n int64) string {
		if n == 0 {
			return ""
		}
		return number(n)
	}
	c.Added, c.Changed, c.Removed = some(g.Added), some(g.Changed), some(g.Removed)
	for i := range g.Examples {
		c.Rows = append(c.Rows, d.row(&g.Examples[i]))
	}
	if more := g.Added + g.Changed + g.Removed - int64(len(c.Rows)); more > 0 {
		c.More = count(more, "more row")
	}
	return c
}

// latest draws the latest changes. It folds the first answers of each run into one group, which stands where the first of them stood.
func (d *drawing) latest(groups []pipeline.ChangeGroup) (all []changed) {
	type sum struct {
		place, tables, workspaces int
		rows                      int64
	}
	of := map[int64]*sum{}
	for i := range groups {
		g := &groups[i]
		if !g.First {
			all = append(all, d.group(g))
			continue
		}
		s := of[g.Run]
		if s == nil {
			s = &sum{place: len(all)}
			of[g.Run] = s
			all = append(all, d.group(g))
		}
		s.tables++
		s.workspaces = max(s.workspaces, g.Workspaces)
		s.rows += g.Added
		if c := &all[s.place]; s.tables > 1 {
			c.Table, c.Tables, c.First = "", count(int64(s.tables), "table"), count(s.rows, "row")
			if s.workspaces > 1 {
				c.Workspace, c.Where = "", count(int64(s.workspaces), "workspace")
			}
		}
	}
	return all
}

// row draws a changed row.
func (t text) row(r *pipeline.RowChange) changedRow {
	drawn := changedRow{
		Change: r.Change, Sign: map[string]string{"added": "+", "changed": "~", "removed": "−"}[r.Change],
		Table: t.short(r.Table, longestText), Workspace: t.short(r.Workspace, longestText), At: t.stamp(r.At), Run: r.Run,
	}
	for _, k := range r.Key {
		drawn.Key = append(drawn.Key, named{t.short(k.Name, longestText), t.value(k.Value)})
	}
	if label := t.value(r.Label.Value); !label.Null {
		drawn.Label = label.Text
	}
	for i, c := range r.Columns {
		if i == mostChanged {
			drawn.More = len(r.Columns) - i
			break
		}
		drawn.Columns = append(drawn.Columns, columnChange{t.short(c.Name, longestText), t.value(c.From), t.value(c.To)})
	}
	return drawn
}
