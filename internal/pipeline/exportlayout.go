package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// ExportOptions choose the files of an export.
type ExportOptions struct {
	Format ExportFormat // empty: Parquet
	// ByTable writes one file for each table, <table>.parquet, in place of the one before.
	ByTable bool
	// History writes the changes of rows, too: <table>_history/run_id=<run>/changes.parquet for each run, or
	// <table>_history.parquet.
	History bool
	// SinceRun leaves out the rows and the changes of this run and earlier ones.
	SinceRun int64
}

// Valid returns an error for options that do not fit together, or a format that does not exist.
func (o ExportOptions) Valid() error {
	if o.SinceRun < 0 {
		return provider.Usagef("--since-run %d is not the number of a run", o.SinceRun)
	}
	if o.ByTable && o.SinceRun > 0 {
		return provider.Usagef("--by table replaces a whole file, and --since-run has a part of the rows: give one of them")
	}
	return o.Format.valid()
}

// export writes the files of one export.
type export struct {
	store   *Store
	root    *os.Root
	options ExportOptions
	written [][]any
}

// table writes the files of a table.
func (e *export) table(ctx context.Context, t *storedTable) error {
	if !names().MatchString(t.Name) {
		return provider.Usagef("export: the store names a table %s, which no pipeline makes: nothing is written for it", provider.Quote(t.Name))
	}
	if e.options.ByTable {
		if err := e.whole(ctx, t.Name, columnsBefore(t, "deployment_name text,run_id integer,observed_at timestamp,stale boolean"), fmt.Sprintf(
			"FROM (SELECT r.*, s.run_id, s.observed_at, s.stale FROM %s r JOIN lakeql_slice s ON s.table_name = %s AND s.deployment_name = r.deployment_name WHERE s.run_id IS NOT NULL) rows_of ORDER BY deployment_name, key_hash",
			quote(rowsTable(t.Name)), literal(t.Name))); err != nil || !e.options.History {
			return err
		}
		return e.whole(ctx, t.Name+"_history", columnsBefore(t, "deployment_name text,run_id integer,"+changeColumns),
			"FROM "+quote(historyTable(t.Name))+" WHERE "+endedRun+" ORDER BY history_id")
	}
	workspaces, err := e.store.workspacesOf(ctx, t.Name, e.options.SinceRun)
	if err != nil {
		return storeError(e.store.place, err)
	}
	for _, w := range workspaces {
		row, err := e.store.exportSlice(ctx, e.root, t, w, e.options.Format)
		if err != nil {
			return err
		}
		if row != nil {
			e.written = append(e.written, row)
		}
	}
	if !e.options.History {
		return nil
	}
	return e.history(ctx, t)
}

// changeColumns are the columns of a history before those of its table.
const changeColumns = "change text,changed_at timestamp,changed_columns json"

// endedRun selects the changes of runs that make no more of them.
const endedRun = "run_id NOT IN (SELECT id FROM lakeql_run WHERE ended_at IS NULL)"

// columnsBefore are columns, declared as name and type, and those of a table.
func columnsBefore(t *storedTable, declared string) (all []Column) {
	for text := range strings.SplitSeq(declared, ",") {
		name, typ, _ := strings.Cut(text, " ")
		all = append(all, Column{name, Type(typ)})
	}
	return append(all, t.Columns...)
}

// whole writes the one file of a table, or of its history.
func (e *export) whole(ctx context.Context, name string, columns []Column, query string) error {
	path, err := ownPath(e.root, name+"."+e.options.Format.extension())
	if err != nil {
		return err
	}
	var n int64
	err = e.store.db.transact(ctx, func(c tx) (err error) {
		if err := e.store.d.bePatient(ctx, c); err != nil {
			return err
		}
		n, err = e.store.writeFile(ctx, c, e.root, path, e.options.Format, nil, nil, columns, query)
		return err
	})
	if err != nil {
		return storeError(e.store.place, err)
	}
	e.written = append(e.written, []any{name, nil, nil, n, true, filepath.Join(e.root.Name(), path)})
	return nil
}

// history writes the changes of a table that are not in the folder yet, a file for each run that has ended. These
// changes stay as they are.
func (e *export) history(ctx context.Context, t *storedTable) error {
	var runs []int64
	err := each(ctx, e.store.db, "SELECT DISTINCT run_id FROM "+quote(historyTable(t.Name))+" WHERE run_id > ?1 AND "+endedRun+" ORDER BY 1", []any{e.options.SinceRun}, func(scan func(...any) error) error {
		var run int64
		err := scan(&run)
		runs = append(runs, run)
		return err
	})
	if err != nil {
		return storeError(e.store.place, err)
	}
	name := t.Name + "_history"
	for _, run := range runs {
		path, err := ownPath(e.root, filepath.Join(name, fmt.Sprintf("run_id=%d", run), "changes."+e.options.Format.extension()))
		if err != nil {
			return err
		}
		row := []any{name, nil, run, nil, false, filepath.Join(e.root.Name(), path)}
		if _, err := e.root.Stat(path); err != nil {
			var n int64
			err := e.store.db.transact(ctx, func(c tx) (err error) {
				if err := e.store.d.bePatient(ctx, c); err != nil {
					return err
				}
				n, err = e.store.writeFile(ctx, c, e.root, path, e.options.Format, nil, nil, columnsBefore(t, "deployment_name text,"+changeColumns),
					"FROM "+quote(historyTable(t.Name))+" WHERE run_id = ?1 ORDER BY history_id", run)
				return err
			})
			if err != nil {
				return storeError(e.store.place, err)
			}
			row[3], row[4] = n, true
		}
		e.written = append(e.written, row)
	}
	return nil
}
