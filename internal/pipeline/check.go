package pipeline

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/lakeql/lakeql/internal/pipeline/sqlfile"
	"github.com/lakeql/lakeql/provider"
)

// probe stands for the workspace where a query is looked at and not asked.
const probe = "workspace"

// Check finds the columns of a pipeline's tables, without any call, and everything that would keep its
// queries from running: all of it, joined.
func Check(ctx context.Context, d *Definition, asker Asker) error {
	var errs []error
	config := filepath.Join(d.Folder, ConfigFile)
	for _, name := range d.Workspaces.Names {
		errs = append(errs, inFile(config, inWorkspaces(asker.CheckWorkspace(name))))
	}
	if d.Workspaces.Query != "" {
		query, err := d.fill(ctx, d.Workspaces.Query, "")
		if err == nil {
			_, err = asker.Columns(ctx, query)
		}
		errs = append(errs, inFile(config, inWorkspaces(err)))
	}
	for i := range d.Tables {
		t := &d.Tables[i]
		query, err := d.fill(ctx, t.Query, probe)
		var columns []provider.Column
		if err == nil {
			columns, err = asker.Columns(ctx, query)
		}
		if err == nil {
			err = t.resolve(columns)
		}
		if err != nil {
			errs = append(errs, inFile(filepath.Join(d.Folder, t.File), t.shift(err)))
		}
	}
	return errors.Join(errs...)
}

// Probe returns the query of a table as it is asked of some workspace.
func (d *Definition) Probe(ctx context.Context, t *Table) (string, error) {
	return d.fill(ctx, t.Query, probe)
}

// CheckStore reports why the tables of a pipeline cannot be in a store.
func (s *Store) CheckStore(ctx context.Context, d *Definition) error {
	stored, err := s.tables(ctx, s.db)
	if err != nil {
		return storeError(s.place, err)
	}
	if err := s.checkFolder(ctx, s.db, d); err != nil {
		return storeError(s.place, err)
	}
	_, err = s.fitTables(ctx, s.db, d, stored)
	return storeError(s.place, err)
}

// shift returns the place of an error in the file, where it has one in the query.
func (t *Table) shift(err error) error { return sqlfile.Shift(err, t.Lines) }
