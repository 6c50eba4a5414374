package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// A store knows a pipeline by its name, and its versions by their hashes: the version of the last run, and
// the version of the installed schedule. Alternating runs of two versions would change columns back and
// forth, and two folders with one name would make each other's rows stale. This file detects both.

// versions are the versions of a pipeline in a store; nil if the store does not have it.
type versions struct {
	ran, scheduled *Definition
	follows        bool // the schedule reads the folder at each run
}

// versions reads the versions of a pipeline.
func (s *Store) versions(ctx context.Context, c conn, pipeline string) (v versions, err error) {
	read := func(query string) (*Definition, error) {
		var body string
		found, err := one(ctx, c, query, []any{pipeline}, &body)
		if err != nil || !found {
			return nil, err
		}
		return decodeDefinition([]byte(body))
	}
	// A run that could not be planned asked no query.
	if v.ran, err = read("SELECT d.body FROM lakeql_run r JOIN lakeql_definition d ON d.hash = r.hash WHERE r.pipeline = ?1 AND EXISTS (SELECT 1 FROM lakeql_task t WHERE t.run_id = r.id) ORDER BY r.id DESC LIMIT 1"); err != nil {
		return v, err
	}
	v.scheduled, err = read("SELECT d.body FROM lakeql_schedule s JOIN lakeql_definition d ON d.hash = s.hash WHERE s.pipeline = ?1")
	if err == nil && v.scheduled != nil {
		_, err = one(ctx, c, "SELECT follow IS NOT NULL FROM lakeql_schedule WHERE pipeline = ?1", []any{pipeline}, &v.follows)
	}
	return v, err
}

// origin is where a definition comes from: its folder, as it is on this machine.
func (d *Definition) origin() (folder, host string) {
	folder, err := filepath.Abs(d.Folder)
	if err != nil {
		folder = d.Folder
	}
	if target, err := filepath.EvalSymlinks(folder); err == nil {
		folder = target
	}
	host, _ = os.Hostname() // it is only told, and compared with itself
	return folder, host
}

// checkFolder refuses a pipeline whose name belongs to another folder in the store: each would make the
// rows of the other one stale. The same path on another machine is the same folder, as in containers,
// unless it has none of the tables. A folder with exactly the same definition is also the same.
func (s *Store) checkFolder(ctx context.Context, c conn, d *Definition) error {
	if d.Folder == "" || d.Adopt { // the store's own copy; or somebody has decided
		return nil
	}
	v, err := s.versions(ctx, c, d.Name)
	if err != nil {
		return err
	}
	var theirs []string
	for _, other := range []*Definition{v.ran, v.scheduled} {
		if other == nil {
			continue
		}
		if other.Hash() == d.Hash() {
			return nil
		}
		for i := range other.Tables {
			theirs = append(theirs, other.Tables[i].Name)
		}
	}
	slices.Sort(theirs)
	theirs = slices.Compact(theirs)
	if len(theirs) == 0 {
		return nil
	}
	var folder, host string
	known, err := one(ctx, c, "SELECT folder, host FROM lakeql_pipeline WHERE name = ?1", []any{d.Name}, &folder, &host)
	if err != nil {
		return err
	}
	ownFolder, ownHost := d.origin()
	shares := slices.ContainsFunc(theirs, func(name string) bool { return d.table(name) != nil })
	if known && folder == ownFolder && (host == ownHost || shares) || !known && shares {
		return nil
	}
	where := "another folder"
	if known {
		where = "the folder " + provider.Printable(folder) + " on " + provider.Printable(host)
	}
	return provider.Usagef("the pipeline %s in the store %s is that of %s, with the tables %s: a run of this folder would make their rows stale", d.Name, provider.Printable(s.place), where, strings.Join(theirs, ", ")).
		Hintf("give one of the two another name (name: in %s) or another store (--store); if this folder is to take the place of the other one, as after a move, add --adopt", ConfigFile)
}

// keepFolder keeps which folder a pipeline is from.
func (s *Store) keepFolder(ctx context.Context, t tx, d *Definition) error {
	if d.Folder == "" {
		return nil
	}
	folder, host := d.origin()
	_, err := t.exec(ctx, "INSERT INTO lakeql_pipeline (name, folder, host) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET folder = excluded.folder, host = excluded.host", d.Name, folder, host)
	return err
}

// Differences lists the effects of a run of a pipeline, or of its schedule, on readers of its tables: columns
// that the last run's queries returned and these do not, and an installed schedule of another version.
func (s *Store) Differences(ctx context.Context, d *Definition) ([]string, error) {
	v, err := s.versions(ctx, s.db, d.Name)
	if err != nil {
		return nil, storeError(s.place, err)
	}
	all := droppedColumns(v.ran, d)
	if v.scheduled != nil && !v.follows && v.scheduled.Hash() != d.Hash() {
		text := "the installed schedule runs another version of this pipeline"
		if differ := differentTables(v.scheduled, d); len(differ) > 0 {
			text += ", with other queries for the tables " + strings.Join(differ, ", ") + ": their columns and rows change with each run"
		}
		all = append(all, text+"; bring it up to date with lakeql pipeline schedule install")
	}
	return all, nil
}

// droppedColumns lists the columns of a version that the next one does not have; before may be nil.
func droppedColumns(before, now *Definition) (all []string) {
	if before == nil {
		return nil
	}
	for i := range before.Tables {
		old := &before.Tables[i]
		table := now.table(old.Name)
		if table == nil {
			all = append(all, fmt.Sprintf("the pipeline does not have the table %s any more: its rows stay in the store, marked stale, until lakeql pipeline forget", old.Name))
			continue
		}
		var gone []string
		for _, c := range old.Columns {
			if table.column(c.Name) < 0 {
				gone = append(gone, c.Name)
			}
		}
		what := "column %s any more, which reads as NULL"
		if len(gone) > 1 {
			what = "columns %s any more, which read as NULL"
		}
		if len(gone) > 0 {
			all = append(all, fmt.Sprintf("the query of the table %s does not give the "+what+" from now on; %s_at(time) has the earlier values", old.Name, strings.Join(gone, ", "), old.Name))
		}
	}
	return all
}

// differentTables lists the tables that two versions fill by other queries, or that one of them lacks.
func differentTables(a, b *Definition) (all []string) {
	same := func(x, y *Table) bool {
		return x != nil && y != nil && x.Query == y.Query && slices.Equal(x.Columns, y.Columns)
	}
	for _, d := range []*Definition{a, b} {
		for i := range d.Tables {
			if name := d.Tables[i].Name; !same(a.table(name), b.table(name)) && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	return all
}

// noteSchedule keeps, for whoever reads the tables of a pipeline, which of them the schedule fills otherwise than the
// last run.
func (s *Store) noteSchedule(ctx context.Context, t tx, pipeline string) error {
	if _, err := t.exec(ctx, "UPDATE lakeql_table SET note = NULL WHERE pipeline = ?1 AND note IS NOT NULL", pipeline); err != nil {
		return err
	}
	v, err := s.versions(ctx, t, pipeline)
	if err != nil || v.ran == nil || v.scheduled == nil || v.follows {
		return err
	}
	for _, name := range differentTables(v.ran, v.scheduled) {
		note := fmt.Sprintf("the installed schedule of %s and its last run are different versions of the pipeline, and fill this table by different queries: its columns and rows change with each run, until lakeql pipeline schedule install", pipeline)
		if _, err := t.exec(ctx, "UPDATE lakeql_table SET note = ?1 WHERE name = ?2 AND pipeline = ?3", note, name, pipeline); err != nil {
			return err
		}
	}
	return nil
}
