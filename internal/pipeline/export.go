package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/pipeline/parquet"
	"github.com/lakeql/lakeql/provider"
)

// Export writes the rows of tables (none named: of all) below a folder, as Parquet files that DuckDB and Spark
// read as partitioned tables: <table>/deployment_name=<workspace>/run-<run>.parquet. The run is the one that
// the rows are of; a file of it that is there stays as it is, so that exports add up to what tables held
// after each run. It gives a row for each file. No file is ever there in part.
func (s *Store) Export(ctx context.Context, folder string, names []string) (provider.Rows, error) {
	all, err := s.tables(ctx, s.db)
	if err != nil {
		return nil, storeError(s.place, err)
	}
	for _, name := range names {
		if _, err := s.table(ctx, name); err != nil {
			return nil, err
		}
	}
	var written [][]any
	for i := range all {
		if len(names) > 0 && !slices.Contains(names, all[i].Name) {
			continue
		}
		workspaces, err := s.workspacesOf(ctx, all[i].Name)
		if err != nil {
			return nil, storeError(s.place, err)
		}
		for _, w := range workspaces {
			row, err := s.exportSlice(ctx, folder, &all[i], w)
			if err != nil {
				return nil, err
			}
			if row != nil {
				written = append(written, row)
			}
		}
	}
	return provider.NewRows(columns("table deployment_name run:integer rows:integer written:boolean file"), written), nil
}

// workspacesOf lists the workspaces whose rows a table has.
func (s *Store) workspacesOf(ctx context.Context, table string) ([]string, error) {
	var all []string
	err := each(ctx, s.db, "SELECT deployment_name FROM lakeql_slice WHERE table_name = ?1 AND run_id IS NOT NULL ORDER BY 1", []any{table}, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		all = append(all, name)
		return err
	})
	return all, err
}

// exportSlice writes the rows of a table and a workspace, while nobody changes them. It gives nothing where
// there are none any more.
func (s *Store) exportSlice(ctx context.Context, folder string, t *storedTable, workspace string) (row []any, err error) {
	err = s.db.transact(ctx, func(c tx) error {
		if err := s.d.bePatient(ctx, c); err != nil {
			return err
		}
		var run int64
		var observed moment
		found, err := one(ctx, c, "SELECT run_id, observed_at FROM lakeql_slice WHERE table_name = ?1 AND deployment_name = ?2 AND run_id IS NOT NULL"+s.d.forUpdate(), []any{t.Name, workspace}, &run, &observed)
		if err != nil || !found {
			return err
		}
		dir := filepath.Join(folder, t.Name, deploymentName+"="+workspace)
		path := filepath.Join(dir, fmt.Sprintf("run-%d.parquet", run))
		row = []any{t.Name, workspace, run, nil, false, path}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return fileError(err)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // files for other programs to read
			return fileError(err)
		}
		n, err := s.writeFile(ctx, c, path, t, workspace, run, observed.Time)
		row[3], row[4] = n, true
		return err
	})
	return row, storeError(s.place, err)
}

func fileError(err error) error {
	if err == nil {
		return nil
	}
	return provider.Usagef("export: %v", err).Because(err)
}

// writeFile writes a file under another name, and gives it its own when it is whole.
func (s *Store) writeFile(ctx context.Context, c tx, path string, t *storedTable, workspace string, run int64, observed time.Time) (int64, error) {
	described := []parquet.Column{{Name: "run_id", Type: parquet.Integer, Required: true}, {Name: "observed_at", Type: parquet.Timestamp, Required: true}}
	var selected []string
	for _, col := range t.Columns {
		described = append(described, parquet.Column{Name: col.Name, Type: string(col.Type)})
		selected = append(selected, s.d.selected(col))
	}
	rows, err := c.query(ctx, "SELECT "+strings.Join(selected, ", ")+" FROM "+quote(rowsTable(t.Name))+" WHERE deployment_name = ?1 ORDER BY key_hash", workspace)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	file, err := os.CreateTemp(filepath.Dir(path), ".export-*")
	if err != nil {
		return 0, fileError(err)
	}
	defer func() { _ = os.Remove(file.Name()) }() // after the renaming there is nothing to remove
	n, err := parquet.Write(file, described, func() ([]any, error) {
		values, err := nextValues(rows, t.Columns)
		return append([]any{run, observed}, values...), err
	})
	if err != nil {
		_ = file.Close() // the error at hand counts
		return n, err
	}
	if err := errors.Join(file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return n, fileError(err)
	}
	return n, fileError(os.Rename(file.Name(), path))
}

// nextValues reads a row of a table as values of its columns; io.EOF behind the last.
func nextValues(rows resultRows, columns []Column) ([]any, error) {
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	row, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range row {
		into[i] = &row[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	return row, restore(columns, row)
}
