package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/provider"
)

// Forgetting selects what a store is to forget of a pipeline: with Columns, columns of tables; otherwise with
// Workspaces, the rows and the history of these workspaces in Tables (none: in all tables); otherwise Tables.
type Forgetting struct {
	Pipeline   string
	Workspaces []string // deployment names
	Tables     []string
	Columns    []string // <table>.<column>
}

// Forgotten counts what is forgotten of a table.
type Forgotten struct {
	Table     string
	Workspace string // empty: of all workspaces
	Column    string // empty: of all columns
	State     string // left; or queried, if the pipeline still queries it
	// Rows and History count the rows, or those with a value in the column.
	Rows, History int64
}

// The states of what may be forgotten.
const (
	queriedState = "queried"
	leftState    = "left"
)

// Left reports whether the pipeline does not query it any more. Otherwise its next run stores it again.
func (f *Forgotten) Left() bool { return f.State == leftState }

// ForgottenRows shows counts of forgotten rows.
func ForgottenRows(all []Forgotten) provider.Rows {
	rows := make([][]any, len(all))
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	for i, f := range all {
		rows[i] = []any{f.Table, text(f.Workspace), text(f.Column), f.State, f.Rows, f.History}
	}
	return provider.NewRows(columns("table deployment_name column state rows:integer history_rows:integer"), rows)
}

// Forgettable counts what [Store.Forget] would delete. It returns an error for anything that the store does not
// have, or that it must not forget now.
func (s *Store) Forgettable(ctx context.Context, f Forgetting) ([]Forgotten, error) {
	all, err := s.forgettable(ctx, s.db, f)
	return all, storeError(s.place, err)
}

// Forget deletes rows and their history in one transaction, and returns their counts. A workspace or table that
// comes back is a new one. Files that were exported stay.
func (s *Store) Forget(ctx context.Context, f Forgetting) (all []Forgotten, err error) {
	err = s.db.transact(ctx, func(t tx) error {
		if s.d.postgres { // no run is planned meanwhile: see ensureTables
			if _, err := t.exec(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", migrationLock)); err != nil {
				return err
			}
		}
		if all, err = s.forgettable(ctx, t, f); err != nil {
			return err
		}
		for _, part := range all {
			switch {
			case part.Column != "":
				err = s.forgetColumn(ctx, t, part.Table, part.Column)
			case part.Workspace != "":
				err = s.forgetWorkspace(ctx, t, part.Table, part.Workspace)
			default:
				err = s.dropTable(ctx, t, part.Table)
				if err == nil {
					err = s.forgetSlices(ctx, t, part.Table, "", "")
				}
			}
			if err != nil {
				return err
			}
		}
		_, err = t.exec(ctx, "DELETE FROM lakeql_workspace WHERE deployment_name NOT IN (SELECT deployment_name FROM lakeql_slice)")
		return err
	})
	return all, storeError(s.place, err)
}

// forgettable counts what is to be forgotten, and refuses what cannot be.
func (s *Store) forgettable(ctx context.Context, c conn, f Forgetting) ([]Forgotten, error) {
	if err := s.checkPipeline(ctx, c, f.Pipeline); err != nil {
		return nil, err
	}
	stored, err := s.tablesWhere(ctx, c, "WHERE pipeline = ?1", f.Pipeline)
	if err != nil {
		return nil, err
	}
	if len(f.Columns) > 0 {
		return s.forgettableColumns(ctx, c, f, stored)
	}
	for _, name := range f.Tables {
		if _, err := s.ownTable(f.Pipeline, stored, name); err != nil {
			return nil, err
		}
	}
	stored = slices.DeleteFunc(stored, func(t storedTable) bool { return len(f.Tables) > 0 && !slices.Contains(f.Tables, t.Name) })
	var all []Forgotten
	if len(f.Workspaces) == 0 {
		for _, t := range stored {
			part := Forgotten{Table: t.Name}
			if err := s.countForgotten(ctx, c, &part, ""); err != nil {
				return nil, err
			}
			all = append(all, part)
		}
	}
	for _, workspace := range f.Workspaces {
		before := len(all)
		for _, t := range stored {
			part := Forgotten{Table: t.Name, Workspace: workspace}
			if err := s.countForgotten(ctx, c, &part, ""); err != nil {
				return nil, err
			}
			if part.State != "" {
				all = append(all, part)
			}
		}
		if len(all) == before {
			return nil, provider.Errorf(provider.Unknown, "the pipeline %s has no rows of a workspace %s in the store %s", f.Pipeline, provider.Quote(workspace), provider.Printable(s.place)).
				Hintf("lakeql pipeline status --workspaces lists its workspaces")
		}
	}
	return all, s.checkIdle(ctx, c, f.Pipeline, all)
}

// forgettableColumns is forgettable for columns.
func (s *Store) forgettableColumns(ctx context.Context, c conn, f Forgetting, stored []storedTable) ([]Forgotten, error) {
	var all []Forgotten
	for _, name := range f.Columns {
		table, column, _ := strings.Cut(name, ".")
		t, err := s.ownTable(f.Pipeline, stored, table)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(t.Columns, func(c Column) bool { return strings.EqualFold(c.Name, column) })
		if i < 0 {
			var known []string
			for _, c := range t.Columns {
				known = append(known, c.Name)
			}
			return nil, provider.Errorf(provider.Unknown, "the table %s has no column %s", table, provider.Quote(column)).
				Hintf("it has %s", strings.Join(known, ", "))
		}
		column = t.Columns[i].Name
		if slices.Contains(t.Key, column) {
			return nil, provider.Usagef("the column %s is part of the key of the table %s: its rows cannot be told apart without it", column, table).
				Hintf("forget the whole table: --table %s", table)
		}
		var n int64
		if _, err := one(ctx, c, "SELECT count(*) FROM lakeql_slice WHERE table_name = ?1 AND asked AND ' ' || columns || ' ' LIKE ?2 ESCAPE '!'", []any{table, "% " + strings.ReplaceAll(column, "_", "!_") + " %"}, &n); err != nil {
			return nil, err
		}
		if n > 0 {
			return nil, provider.Usagef("the query of the table %s still returns the column %s, in %d workspaces", table, column, n).
				Hintf("leave it out of the query, run the pipeline, and forget the column then")
		}
		part := Forgotten{Table: table, Column: column}
		if err := s.countForgotten(ctx, c, &part, quote(column)+" IS NOT NULL"); err != nil {
			return nil, err
		}
		part.State = leftState // no query returns it
		all = append(all, part)
	}
	return all, s.checkIdle(ctx, c, f.Pipeline, all)
}

// ownTable finds a table of a pipeline.
func (s *Store) ownTable(pipeline string, stored []storedTable, name string) (*storedTable, error) {
	var known []string
	for i := range stored {
		if stored[i].Name == name {
			return &stored[i], nil
		}
		known = append(known, stored[i].Name)
	}
	e := provider.Errorf(provider.Unknown, "the pipeline %s has no table %s in the store %s", pipeline, provider.Quote(name), provider.Printable(s.place))
	if e.Hint = "it has " + strings.Join(known, ", "); len(known) == 0 {
		e.Hint = "it has none"
	}
	return nil, e
}

// countForgotten counts the rows of a part, those with a condition if there is one, and finds its state; that
// stays empty if the store has nothing of it.
func (s *Store) countForgotten(ctx context.Context, c conn, part *Forgotten, where string) error {
	ofWorkspace := " WHERE deployment_name = ?1"
	args := []any{part.Workspace}
	if part.Workspace == "" {
		ofWorkspace, args = " WHERE TRUE", nil
	}
	if where != "" {
		where = " AND " + where
	}
	for table, n := range map[string]*int64{rowsTable(part.Table): &part.Rows, historyTable(part.Table): &part.History} {
		if _, err := one(ctx, c, "SELECT count(*) FROM "+quote(table)+ofWorkspace+where, args, n); err != nil {
			return err
		}
	}
	var all, asked int64
	of := "table_name = " + literal(part.Table)
	if part.Workspace != "" {
		of += " AND deployment_name = " + literal(part.Workspace)
	}
	if _, err := one(ctx, c, "SELECT count(*), count(*) FILTER (WHERE asked) FROM lakeql_slice WHERE "+of, nil, &all, &asked); err != nil {
		return err
	}
	switch {
	case asked > 0:
		part.State = queriedState
	case all+part.Rows+part.History > 0 || part.Workspace == "":
		part.State = leftState
	}
	return nil
}

// TablesOf returns the names of the tables of a pipeline: those of names, or all if there are none. A table that the
// pipeline does not have is an error. Without a pipeline it returns names as they are.
func (s *Store) TablesOf(ctx context.Context, pipeline string, names []string) ([]string, error) {
	if pipeline == "" {
		return names, nil
	}
	if err := s.checkPipeline(ctx, s.db, pipeline); err != nil {
		return nil, storeError(s.place, err)
	}
	stored, err := s.tablesWhere(ctx, s.db, "WHERE pipeline = ?1", pipeline)
	if err != nil {
		return nil, storeError(s.place, err)
	}
	for _, name := range names {
		if _, err := s.ownTable(pipeline, stored, name); err != nil {
			return nil, err
		}
	}
	if len(names) > 0 {
		return names, nil
	}
	for _, t := range stored {
		names = append(names, t.Name)
	}
	if len(names) == 0 {
		return nil, provider.Errorf(provider.Unknown, "the pipeline %s has no tables in the store %s yet", pipeline, provider.Printable(s.place)).
			Hintf("run it: lakeql pipeline run")
	}
	return names, nil
}

// CheckPipeline returns an error for a pipeline that the store does not know.
func (s *Store) CheckPipeline(ctx context.Context, name string) error {
	return storeError(s.place, s.checkPipeline(ctx, s.db, name))
}

func (s *Store) checkPipeline(ctx context.Context, c conn, name string) error {
	var known []string
	if err := each(ctx, c, "SELECT pipeline FROM lakeql_table UNION SELECT pipeline FROM lakeql_run UNION SELECT pipeline FROM lakeql_schedule ORDER BY 1", nil, func(scan func(...any) error) error {
		var n string
		err := scan(&n)
		known = append(known, provider.Printable(n))
		return err
	}); err != nil {
		return err
	}
	if slices.Contains(known, name) {
		return nil
	}
	e := provider.Errorf(provider.Unknown, "the store %s has no pipeline %s", provider.Printable(s.place), provider.Quote(name))
	if e.Hint = "it has " + strings.Join(known, ", "); len(known) == 0 {
		e.Hint = "nothing was run into it yet: lakeql pipeline run"
	}
	return e
}

// checkIdle refuses to forget what a run is about that is not over.
func (s *Store) checkIdle(ctx context.Context, c conn, pipeline string, all []Forgotten) error {
	open, err := s.runs(ctx, c, "WHERE ended_at IS NULL AND pipeline = ?1", pipeline)
	if err != nil || len(open) == 0 {
		return err
	}
	for _, part := range all {
		var n int64
		query, args := "SELECT count(*) FROM lakeql_task WHERE run_id = ?1 AND table_name = ?2", []any{open[0].ID, part.Table}
		if part.Workspace != "" {
			query, args = query+" AND deployment_name = ?3", append(args, part.Workspace)
		}
		if _, err := one(ctx, c, query, args, &n); err != nil {
			return err
		}
		if n == 0 && open[0].State != Planning {
			continue
		}
		what := "the table " + part.Table
		if part.Workspace != "" {
			what += " of " + provider.Printable(part.Workspace)
		}
		return provider.Usagef("run %d of %s is not over, and queries %s", open[0].ID, pipeline, what).
			Hintf("wait for its end, or stop it: lakeql pipeline stop")
	}
	return nil
}

// forgetWorkspace deletes the rows of a workspace in a table.
func (s *Store) forgetWorkspace(ctx context.Context, t tx, table, workspace string) error {
	for _, name := range []string{rowsTable(table), historyTable(table)} {
		if _, err := t.exec(ctx, "DELETE FROM "+quote(name)+" WHERE deployment_name = ?1", workspace); err != nil {
			return err
		}
	}
	return s.forgetSlices(ctx, t, table, " AND deployment_name = ?2", workspace)
}

// forgetSlices deletes the states of a table, those with a condition on a workspace if there is one.
func (s *Store) forgetSlices(ctx context.Context, t tx, table, where, workspace string) error {
	args := []any{table}
	if where != "" {
		args = append(args, workspace)
	}
	for _, name := range []string{"lakeql_slice", "lakeql_state"} {
		if _, err := t.exec(ctx, "DELETE FROM "+name+" WHERE table_name = ?1"+where, args...); err != nil {
			return err
		}
	}
	return nil
}

// dropTable removes a table with its views, rows, and history. The states of its workspaces stay.
func (s *Store) dropTable(ctx context.Context, t tx, table string) error {
	if err := s.dropViews(ctx, t, table); err != nil {
		return err
	}
	for _, name := range []string{rowsTable(table), historyTable(table)} {
		if _, err := t.exec(ctx, "DROP TABLE "+quote(name)); err != nil {
			return err
		}
	}
	_, err := t.exec(ctx, "DELETE FROM lakeql_table WHERE name = ?1", table)
	return err
}

// dropViews removes the views of a table. Other views that somebody has made of them keep PostgreSQL from it.
func (s *Store) dropViews(ctx context.Context, t tx, table string) error {
	statements := []string{"DROP VIEW IF EXISTS " + quote(table), "DROP VIEW IF EXISTS " + quote(table+"_history")}
	if s.d.postgres {
		statements = append(statements, "DROP FUNCTION IF EXISTS "+quote(table+"_at")+"(timestamptz)")
	}
	for _, statement := range statements {
		if _, err := t.exec(ctx, statement); err != nil {
			if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "2BP01" { // dependent_objects_still_exist
				return provider.Usagef("views that others have made in the store depend on the table %s: %v", table, err).
					Hintf("drop them before").
					Because(err)
			}
			return err
		}
	}
	return nil
}

// forgetColumn removes a column of a table that no query returns any more. In the history it goes from the
// changes, too. A change of this column alone is none afterwards.
func (s *Store) forgetColumn(ctx context.Context, t tx, table, column string) error {
	stored, err := s.tablesWhere(ctx, t, "WHERE name = ?1", table)
	if err != nil || len(stored) == 0 {
		return err
	}
	left := &stored[0]
	if err := s.dropViews(ctx, t, table); err != nil {
		return err
	}
	without := "changed_columns - " + literal(column)
	if !s.d.postgres {
		without = "json_remove(changed_columns, " + literal(`$."`+column+`"`) + ")"
	}
	history, rows := quote(historyTable(table)), quote(rowsTable(table))
	left.Columns = slices.DeleteFunc(left.Columns, func(c Column) bool { return c.Name == column })
	all, _ := json.Marshal(left.Columns) // has no value that cannot be JSON
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{"UPDATE " + history + " SET changed_columns = " + without + " WHERE changed_columns IS NOT NULL", nil},
		{"UPDATE " + history + " SET changed_columns = NULL, change = ?1 WHERE change = ?2 AND CAST(changed_columns AS text) = '{}'", []any{columnsRow, changedRow}},
		// Rows with a value are compared again if the column comes back: an equal hash would leave it NULL.
		{"UPDATE " + rows + " SET row_hash = ?1 WHERE " + quote(column) + " IS NOT NULL", []any{s.d.value(hash{})}},
		{"ALTER TABLE " + rows + " DROP COLUMN " + quote(column), nil},
		{"ALTER TABLE " + history + " DROP COLUMN " + quote(column), nil},
		{"UPDATE lakeql_slice SET columns = trim(replace(' ' || columns || ' ', ?1, ' ')) WHERE table_name = ?2", []any{" " + column + " ", table}},
		{"UPDATE lakeql_table SET columns = ?1 WHERE name = ?2", []any{string(all), table}},
	} {
		if _, err := t.exec(ctx, step.statement, step.args...); err != nil {
			return err
		}
	}
	return s.createViews(ctx, t, left)
}
