package pipeline

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lakeql/lakeql/internal/parquet"
	"github.com/lakeql/lakeql/provider"
)

// Export writes the rows of tables (all tables, if names is empty) below a folder, as files that DuckDB, Spark
// and others read as partitioned tables: <table>/deployment_name=<workspace>/run-<run>.parquet. The run is the
// one that the rows come from. A file of a run is not changed, so exports accumulate the state of the tables
// after each run, except if its rows have become stale: then Export writes it again. options can make it one
// file a table, add the history, or take other formats. It returns a row for each file. A file is never
// incomplete. Export writes nothing outside of the folder, and nothing through a link in it.
func (s *Store) Export(ctx context.Context, folder string, names []string, options ExportOptions) (provider.Rows, error) {
	if err := options.Valid(); err != nil {
		return nil, err
	}
	all, err := s.tables(ctx, s.db)
	if err != nil {
		return nil, storeError(s.place, err)
	}
	for _, name := range names {
		if _, err := s.table(ctx, name); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // files for other programs to read
		return nil, fileError(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fileError(err)
	}
	defer func() { _ = root.Close() }() // nothing of it is open any more
	e := export{store: s, root: root, options: options}
	for i := range all {
		if len(names) > 0 && !slices.Contains(names, all[i].Name) {
			continue
		}
		if err := e.table(ctx, &all[i]); err != nil {
			return nil, err
		}
	}
	return provider.NewRows(columns("table deployment_name run:integer rows:integer written:boolean file"), e.written), nil
}

// workspacesOf lists the workspaces that have rows in a table, of runs after one.
func (s *Store) workspacesOf(ctx context.Context, table string, after int64) ([]string, error) {
	var all []string
	err := each(ctx, s.db, "SELECT deployment_name FROM lakeql_slice WHERE table_name = ?1 AND run_id > ?2 ORDER BY 1", []any{table, after}, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		all = append(all, name)
		return err
	})
	return all, err
}

// exportSlice writes the rows of a table and a workspace, and locks them meanwhile. It returns nil if there
// are no rows any more.
func (s *Store) exportSlice(ctx context.Context, root *os.Root, t *storedTable, workspace string, format ExportFormat) (row []any, err error) {
	err = s.db.transact(ctx, func(c tx) error {
		if err := s.d.bePatient(ctx, c); err != nil {
			return err
		}
		e := exported{table: t, workspace: workspace, format: format}
		var observed moment
		found, err := one(ctx, c, "SELECT run_id, observed_at, stale FROM lakeql_slice WHERE table_name = ?1 AND deployment_name = ?2 AND run_id IS NOT NULL"+s.d.forUpdate(), []any{t.Name, workspace}, &e.run, &observed, &e.stale)
		if err != nil || !found {
			return err
		}
		e.observed = observed.Time
		path, err := e.path(root)
		if err != nil {
			return err
		}
		row = []any{t.Name, workspace, e.run, nil, false, filepath.Join(root.Name(), path)}
		there, err := e.isThere(root, path)
		if err != nil || there {
			return err
		}
		n, err := s.writeSlice(ctx, c, root, path, &e)
		row[3], row[4] = n, true
		return err
	})
	return row, storeError(s.place, err)
}

// exported is the content of one file: the rows of a table and a workspace, as a run read them.
type exported struct {
	table     *storedTable
	workspace string
	run       int64
	observed  time.Time
	stale     bool
	format    ExportFormat
}

// partition matches the names of workspaces that can be part of a path.
var partition = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
})

// path returns the path of the file below the folder, and makes the file's own folder. The names come from
// the store, which anybody may have written; a link may lead anywhere.
func (e *exported) path(root *os.Root) (string, error) {
	if !names().MatchString(e.table.Name) {
		return "", provider.Usagef("export: the store names a table %s, which no pipeline makes: nothing is written for it", provider.Quote(e.table.Name))
	}
	if !partition().MatchString(e.workspace) {
		return "", provider.Usagef("export: the table %s has rows of a workspace %s, which is no deployment name: nothing is written for it", e.table.Name, provider.Quote(e.workspace))
	}
	return ownPath(root, filepath.Join(e.table.Name, deploymentName+"="+e.workspace, fmt.Sprintf("run-%d.%s", e.run, e.format.extension())))
}

// ownPath returns a path below the folder, and makes the folders of it. None of its parts may be a link.
func ownPath(root *os.Root, path string) (string, error) {
	parts := strings.Split(path, string(filepath.Separator))
	for i := range parts {
		part := filepath.Join(parts[:i+1]...)
		info, err := root.Lstat(part)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return "", fileError(err)
		}
		if isFile := part == path; isFile && !info.Mode().IsRegular() || !isFile && !info.IsDir() {
			return "", provider.Usagef("export: %s is a link or something else that lakeql has not made", provider.Printable(filepath.Join(root.Name(), part))).
				Hintf("remove it, or export into another folder")
		}
	}
	if dir := filepath.Dir(path); dir != "." {
		return path, fileError(root.MkdirAll(dir, 0o755))
	}
	return path, nil
}

// isThere reports whether the file is there already and says the same of its rows.
func (e *exported) isThere(root *os.Root, path string) (bool, error) {
	file, err := root.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fileError(err)
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return false, fileError(err)
	}
	stale, err := e.format.staleIn(file, info.Size())
	return err == nil && stale == strconv.FormatBool(e.stale), nil
}

// staleColumn is the column that marks old rows, in tables and in exports.
const staleColumn = "stale"

func fileError(err error) error {
	if err == nil {
		return nil
	}
	return provider.Usagef("export: %v", err).Because(err)
}

// writeSlice writes the rows of a table and a workspace.
func (s *Store) writeSlice(ctx context.Context, c tx, root *os.Root, path string, e *exported) (int64, error) {
	described := []parquet.Column{
		{Name: "run_id", Type: parquet.Integer, Required: true},
		{Name: "observed_at", Type: parquet.Timestamp, Required: true},
		{Name: staleColumn, Type: parquet.Boolean, Required: true, Value: strconv.FormatBool(e.stale)},
	}
	query := "FROM " + quote(rowsTable(e.table.Name)) + " WHERE deployment_name = ?1 ORDER BY key_hash"
	return s.writeFile(ctx, c, root, path, e.format, described, []any{e.run, e.observed, e.stale}, e.table.Columns, query, e.workspace)
}

// writeFile writes the rows of a query under a temporary name, and renames the file when it is complete. constant
// are the values of the columns in described, which come first; the query begins at FROM and has the others.
func (s *Store) writeFile(ctx context.Context, c tx, root *os.Root, path string, format ExportFormat, described []parquet.Column, constant []any, columns []Column, query string, args ...any) (int64, error) {
	var selected []string
	for _, col := range columns {
		described = append(described, parquet.Column{Name: col.Name, Type: string(col.Type)})
		selected = append(selected, s.d.selected(col))
	}
	rows, err := c.query(ctx, "SELECT "+strings.Join(selected, ", ")+" "+query, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	unfinished := filepath.Join(filepath.Dir(path), ".export-"+rand.Text())
	file, err := root.OpenFile(unfinished, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return 0, fileError(err)
	}
	defer func() { _ = root.Remove(unfinished) }() // after the renaming there is nothing to remove
	n, err := format.write(file, described, func() ([]any, error) {
		values, err := s.d.nextValues(rows, columns)
		return append(slices.Clone(constant), values...), err
	})
	if err != nil {
		_ = file.Close() // the error at hand counts
		return n, err
	}
	if err := errors.Join(file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return n, fileError(err)
	}
	return n, fileError(root.Rename(unfinished, path))
}

// nextValues reads a row of a table as values of its columns; io.EOF behind the last.
func (d *dialect) nextValues(rows resultRows, columns []Column) ([]any, error) {
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
	return row, d.restore(columns, row)
}
