package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// ChangeGroup is the changes that a run made in a table, in one workspace, or the first answers of several.
type ChangeGroup struct {
	Table      string
	Workspace  string // empty: of several
	Workspaces int
	Run        int64
	At         time.Time // of the last of them
	// First reports that the rows are those of first answers: nothing was compared.
	First                   bool
	Added, Changed, Removed int64
	Examples                []RowChange // changed rows before removed and added ones
}

// RowChange is a change of one row.
type RowChange struct {
	ID               int64 // in the history of its table
	Table, Workspace string
	Run              int64
	At               time.Time
	Change           string // added, changed, or removed
	Key              []NamedValue
	// Label is what people call the row, if the key does not say it, such as the name beside an id.
	Label   NamedValue
	Columns []ColumnChange // of a changed row, by name
}

// NamedValue is a value of a column, as rows have it.
type NamedValue struct {
	Name  string
	Value any
}

// ColumnChange is a column whose value changed.
type ColumnChange struct {
	Name     string
	From, To json.RawMessage
}

// scanned is how many entries of the history of each table are looked at for the latest changes.
const scanned = 2000

// entry is a line of a table's history without its values.
type entry struct {
	id   int64
	kind string
}

// candidate is a group of changes, and the entries of the history that it was found by.
type candidate struct {
	ChangeGroup

	entries []entry
}

// Latest returns the latest changes, at most so many groups, newest first, each with at most so many rows of a
// kind as examples. more reports whether there are older ones.
func (r *Reader) Latest(ctx context.Context, groups, examples int) (latest []ChangeGroup, more bool, err error) {
	tables, err := r.tables(ctx)
	if err != nil {
		return nil, false, storeError(r.s.place, err)
	}
	var found []*candidate
	for i := range tables {
		of, cut, err := r.scan(ctx, tables[i].Name)
		if err != nil {
			return nil, false, storeError(r.s.place, err)
		}
		found, more = append(found, of...), more || cut
	}
	slices.SortFunc(found, func(a, b *candidate) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Workspace, b.Workspace))
	})
	var chosen []*candidate
	first := map[string]map[string]bool{} // workspaces with first answers, by run and table
	for _, c := range found {
		if len(chosen) >= groups {
			more = true
			break
		}
		name := fmt.Sprint(c.Run, " ", c.Table)
		if _, known := first[name]; !known {
			group, of, err := r.firstAnswers(ctx, c)
			if err != nil {
				return nil, false, storeError(r.s.place, err)
			}
			if first[name] = of; len(of) > 0 {
				chosen = append(chosen, group)
			}
		}
		if first[name][c.Workspace] {
			continue
		}
		if err := r.count(ctx, c); err != nil {
			return nil, false, storeError(r.s.place, err)
		}
		chosen = append(chosen, c)
	}
	for _, c := range chosen {
		at := slices.IndexFunc(tables, func(t storedTable) bool { return t.Name == c.Table })
		if c.Examples, err = r.examples(ctx, &tables[at], c.entries, examples); err != nil {
			return nil, false, storeError(r.s.place, err)
		}
		latest = append(latest, c.ChangeGroup)
	}
	return latest, more, nil
}

// scan groups the last entries of the history of a table. cut reports whether there are others.
func (r *Reader) scan(ctx context.Context, table string) (found []*candidate, cut bool, err error) {
	type slice struct {
		run       int64
		workspace string
	}
	of := map[slice]*candidate{}
	n := 0
	err = each(ctx, r.s.db, "SELECT history_id, run_id, change, changed_at, deployment_name FROM "+quote(historyTable(table))+" ORDER BY history_id DESC LIMIT ?1", []any{scanned}, func(scan func(...any) error) error {
		var e entry
		var at moment
		var s slice
		if err := scan(&e.id, &s.run, &e.kind, &at, &s.workspace); err != nil {
			return err
		}
		n++
		if e.kind == columnsRow {
			return nil
		}
		c := of[s]
		if c == nil {
			c = &candidate{ChangeGroup: ChangeGroup{Table: table, Workspace: s.workspace, Workspaces: 1, Run: s.run, At: at.Time}}
			of[s], found = c, append(found, c)
		}
		c.entries = append(c.entries, e)
		return nil
	})
	return found, n == scanned, err
}

// firstAnswers are the first answers that workspaces gave in the run and for the table of a group.
func (r *Reader) firstAnswers(ctx context.Context, c *candidate) (*candidate, map[string]bool, error) {
	group := &candidate{ChangeGroup: ChangeGroup{Table: c.Table, Run: c.Run, At: c.At, First: true}}
	of := map[string]bool{}
	err := each(ctx, r.s.db, "SELECT t.deployment_name, t.added FROM lakeql_task t JOIN lakeql_run r ON r.id = t.run_id WHERE t.run_id = ?1 AND t.table_name = ?2 AND t.state = 'done' AND "+firstAnswer, []any{c.Run, c.Table}, func(scan func(...any) error) error {
		var added int64
		err := scan(&group.Workspace, &added)
		of[group.Workspace] = true
		group.Added += added
		return err
	})
	if group.Workspaces = len(of); len(of) > 1 {
		group.Workspace = ""
	}
	return group, of, err
}

// count takes the counts of a group from its task, because the history was not read as a whole.
func (r *Reader) count(ctx context.Context, c *candidate) error {
	there, err := one(ctx, r.s.db, "SELECT added, changed, removed FROM lakeql_task WHERE run_id = ?1 AND table_name = ?2 AND deployment_name = ?3 AND state = 'done'",
		[]any{c.Run, c.Table, c.Workspace}, &c.Added, &c.Changed, &c.Removed)
	if there || err != nil {
		return err
	}
	for _, e := range c.entries { // the run is older than the retention of another table
		switch e.kind {
		case addedRow:
			c.Added++
		case changedRow:
			c.Changed++
		case removedRow:
			c.Removed++
		}
	}
	return nil
}

// examples reads some rows of a group: of each kind at most so many, the newest.
func (r *Reader) examples(ctx context.Context, t *storedTable, entries []entry, most int) ([]RowChange, error) {
	var ids []any
	for _, kind := range []string{changedRow, removedRow, addedRow} {
		n := 0
		for _, e := range entries {
			if e.kind == kind && n < most {
				ids = append(ids, e.id)
				n++
			}
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	marks := make([]string, len(ids))
	for i := range ids {
		marks[i] = fmt.Sprintf("?%d", i+1)
	}
	found, err := r.rowChanges(ctx, t, "WHERE history_id IN ("+strings.Join(marks, ", ")+")", ids...)
	if err != nil {
		return nil, err
	}
	order := map[int64]int{}
	for i, id := range ids {
		order[id.(int64)] = i //nolint:forcetypeassert // made of entries above
	}
	slices.SortFunc(found, func(a, b RowChange) int { return cmp.Compare(order[a.ID], order[b.ID]) })
	return found, nil
}

// rowChanges reads entries of the history of a table.
func (r *Reader) rowChanges(ctx context.Context, t *storedTable, where string, args ...any) ([]RowChange, error) {
	selected := []string{"history_id", "run_id", "change", "changed_at", deploymentName, r.s.d.selected(Column{"changed_columns", JSON})}
	var key []Column
	for _, name := range t.Key {
		if i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name }); i >= 0 {
			key = append(key, t.Columns[i])
			selected = append(selected, r.s.d.selected(t.Columns[i]))
		}
	}
	label := t.label()
	if label != nil {
		selected = append(selected, r.s.d.selected(*label))
	}
	var all []RowChange
	err := each(ctx, r.s.db, "SELECT "+strings.Join(selected, ", ")+" FROM "+quote(historyTable(t.Name))+" "+where, args, func(scan func(...any) error) error {
		c := RowChange{Table: t.Name}
		var at moment
		var differ any
		values := make([]any, len(key)+1)
		into := []any{&c.ID, &c.Run, &c.Change, &at, &c.Workspace, &differ}
		for i := range len(selected) - len(into) {
			into = append(into, &values[i])
		}
		if err := scan(into...); err != nil {
			return err
		}
		if label != nil {
			c.Label = NamedValue{label.Name, r.s.d.shown(label.describe(), values[len(key)])}
		}
		c.At = at.Time
		for i, column := range key {
			c.Key = append(c.Key, NamedValue{column.Name, r.s.d.shown(column.describe(), values[i])})
		}
		c.Columns = changedColumns(r.s.d.shown(provider.Column{Type: "object"}, differ))
		all = append(all, c)
		return nil
	})
	return all, err
}

// changedColumns reads the columns of a changed row.
func changedColumns(differ any) (all []ColumnChange) {
	text, ok := differ.(json.RawMessage)
	if !ok {
		return nil
	}
	var changed map[string]struct{ From, To json.RawMessage }
	if json.Unmarshal(text, &changed) != nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		all = append(all, ColumnChange{name, changed[name].From, changed[name].To})
	}
	return all
}

// Cursor is a place in the changes of several tables, newest first.
type Cursor struct {
	At    time.Time
	Table string
	ID    int64
}

// History returns changes of a table and a workspace (empty: of all), newest first, from after a place on (nil:
// from the newest), and whether there are more than limit.
func (r *Reader) History(ctx context.Context, table, workspace string, after *Cursor, limit int) (found []RowChange, more bool, err error) {
	tables, err := r.tables(ctx)
	if err != nil {
		return nil, false, storeError(r.s.place, err)
	}
	if table != "" {
		t, err := r.table(ctx, table)
		if err != nil {
			return nil, false, err
		}
		tables = []storedTable{*t}
	}
	for i := range tables {
		t := &tables[i]
		where := "WHERE change <> 'columns' AND (CAST(?1 AS text) = '' OR deployment_name = ?1)"
		args := []any{workspace, limit + 1}
		if workspace != "" { // so that the index of workspaces is used
			where = "WHERE change <> 'columns' AND deployment_name = ?1"
		}
		if after != nil {
			args = append(args, stamp(after.At))
			switch cmp.Compare(t.Name, after.Table) {
			case -1:
				where += " AND changed_at < ?3"
			case 0:
				args = append(args, after.ID)
				where += " AND changed_at <= ?3 AND (changed_at < ?3 OR history_id < ?4)"
			case 1:
				where += " AND changed_at <= ?3"
			}
		}
		of, err := r.rowChanges(ctx, t, where+" ORDER BY changed_at DESC, history_id DESC LIMIT ?2", args...)
		if err != nil {
			return nil, false, storeError(r.s.place, err)
		}
		found = append(found, of...)
	}
	slices.SortFunc(found, func(a, b RowChange) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Table, b.Table), cmp.Compare(b.ID, a.ID))
	})
	if more = len(found) > limit; more {
		found = found[:limit]
	}
	return found, more, nil
}
