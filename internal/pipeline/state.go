package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// A slice is the rows that a table has of one workspace. It is stale if the last run that should renew it
// did not. It has left if runs do not query it any more, because the workspace or the table is not in the
// pipeline: its rows stay, stale, until somebody forgets them. lakeql_slice has the current state, and
// lakeql_state its history: the contents of a table at a time are complete only if no slice that was queried
// was stale then.

// The errors of slices whose query has not come to an end, and of those that have left.
const (
	notAnswered   = "its query was not answered yet"
	leftAccount   = "left: the account does not list the workspace any more"
	leftWorkspace = "left: the pipeline does not list the workspace any more"
	leftTable     = "left: the pipeline has no query for the table any more"
)

// recordStates keeps which slices became stale, or fresh, or left, at a time. where selects slices, as s; its
// parameters are ?2, ?3, ….
func (s *Store) recordStates(ctx context.Context, t tx, at time.Time, where string, args ...any) error {
	const state = "CASE WHEN NOT %[1]s.asked THEN 2 WHEN %[1]s.stale THEN 1 ELSE 0 END"
	_, err := t.exec(ctx, fmt.Sprintf(`INSERT INTO lakeql_state (table_name, deployment_name, changed_at, stale, asked)
		SELECT s.table_name, s.deployment_name, CAST(?1 AS %s), s.stale, s.asked FROM lakeql_slice s WHERE %s AND `+fmt.Sprintf(state, "s")+` IS DISTINCT FROM
		(SELECT `+fmt.Sprintf(state, "h")+` FROM lakeql_state h WHERE h.table_name = s.table_name AND h.deployment_name = s.deployment_name ORDER BY h.changed_at DESC, h.id DESC LIMIT 1)`,
		s.d.typeOf(Timestamp), where), append([]any{stamp(at)}, args...)...)
	return err
}

// failSlice makes the rows of a table and a workspace stale.
func (s *Store) failSlice(ctx context.Context, t tx, table, workspace string, why any, at time.Time) error {
	if _, err := t.exec(ctx, `INSERT INTO lakeql_slice (table_name, deployment_name, stale, error) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (table_name, deployment_name) DO UPDATE SET stale = excluded.stale, error = excluded.error`, table, workspace, true, why); err != nil {
		return err
	}
	return s.recordStates(ctx, t, at, "s.table_name = ?2 AND s.deployment_name = ?3", table, workspace)
}

// failPipeline makes all rows of a pipeline stale: a run could not even find its workspaces.
func (s *Store) failPipeline(ctx context.Context, t tx, pipeline, why string, at time.Time) error {
	if _, err := t.exec(ctx, "UPDATE lakeql_slice SET stale = ?1, error = ?2 WHERE asked AND table_name IN (SELECT name FROM lakeql_table WHERE pipeline = ?3)", true, why, pipeline); err != nil {
		return err
	}
	return s.recordStates(ctx, t, at, "s.table_name IN (SELECT name FROM lakeql_table WHERE pipeline = ?2)", pipeline)
}

// askSlices makes the slices that a run queries, stale until their answer arrives, and marks the slices
// that it does not query as left.
func (s *Store) askSlices(ctx context.Context, t tx, run *Run, d *Definition, at time.Time) error {
	left := leftWorkspace
	if d.Workspaces.All {
		left = leftAccount
	}
	const asks = "EXISTS (SELECT 1 FROM lakeql_task t WHERE t.run_id = ?1 AND t.table_name = lakeql_slice.table_name AND t.deployment_name = lakeql_slice.deployment_name)"
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{`INSERT INTO lakeql_slice (table_name, deployment_name, stale, error)
			SELECT t.table_name, t.deployment_name, TRUE, ` + literal(notAnswered) + ` FROM lakeql_task t WHERE t.run_id = ?1
			ON CONFLICT (table_name, deployment_name) DO NOTHING`, []any{run.ID}},
		{"UPDATE lakeql_slice SET asked = TRUE, error = " + literal(notAnswered) + " WHERE NOT asked AND " + asks, []any{run.ID}},
		{"UPDATE lakeql_slice SET stale = TRUE, asked = FALSE, error = CASE WHEN table_name IN (SELECT table_name FROM lakeql_task WHERE run_id = ?1) THEN " + literal(left) + " ELSE " + literal(leftTable) + " END WHERE asked AND table_name IN (SELECT name FROM lakeql_table WHERE pipeline = ?2) AND NOT " + asks, []any{run.ID, run.Pipeline}},
	} {
		if _, err := t.exec(ctx, step.statement, step.args...); err != nil {
			return err
		}
	}
	return s.recordStates(ctx, t, at, "s.table_name IN (SELECT name FROM lakeql_table WHERE pipeline = ?2)", run.Pipeline)
}

// LeftWorkspaces returns the workspaces that an earlier run queried and this one does not, because the account or
// the pipeline does not list them any more.
func (s *Store) LeftWorkspaces(ctx context.Context, run *Run) ([]string, error) {
	names, err := texts(ctx, s.db, `SELECT DISTINCT h.deployment_name FROM lakeql_state h JOIN lakeql_table t ON t.name = h.table_name
		WHERE t.pipeline = ?1 AND NOT h.asked AND h.changed_at >= ?2 AND EXISTS (SELECT 1 FROM lakeql_task k WHERE k.run_id = ?3)
		AND NOT EXISTS (SELECT 1 FROM lakeql_task k WHERE k.run_id = ?3 AND k.deployment_name = h.deployment_name) ORDER BY 1`, run.Pipeline, stamp(run.Begun), run.ID)
	return names, storeError(s.place, err)
}

// Left returns the workspaces that no pipeline of the store queries any more.
func (s *Store) Left(ctx context.Context) ([]string, error) {
	names, err := texts(ctx, s.db, "SELECT deployment_name FROM lakeql_slice GROUP BY 1 HAVING max(CASE WHEN asked THEN 1 ELSE 0 END) = 0 ORDER BY 1")
	return names, storeError(s.place, err)
}

// skipSlices marks the slices as stale whose queries a run should make and did not.
func (s *Store) skipSlices(ctx context.Context, t tx, run int64, at time.Time) error {
	const skips = "SELECT 1 FROM lakeql_task t WHERE t.run_id = ?%d AND t.state = 'skipped' AND t.table_name = %[2]s.table_name AND t.deployment_name = %[2]s.deployment_name"
	if _, err := t.exec(ctx, "UPDATE lakeql_slice SET stale = TRUE, error = ?2 WHERE asked AND EXISTS ("+fmt.Sprintf(skips, 1, "lakeql_slice")+")",
		run, fmt.Sprintf("run %d ended before its query was answered", run)); err != nil {
		return err
	}
	return s.recordStates(ctx, t, at, "EXISTS ("+fmt.Sprintf(skips, 2, "s")+")", run)
}

// pruneStates forgets the states of a table before a time, but for the last one of each slice.
func pruneStates(ctx context.Context, t tx, table string, from time.Time) error {
	_, err := t.exec(ctx, `DELETE FROM lakeql_state AS old WHERE table_name = ?1 AND changed_at < ?2 AND EXISTS (SELECT 1 FROM lakeql_state later
		WHERE later.table_name = old.table_name AND later.deployment_name = old.deployment_name AND later.changed_at <= ?2 AND later.id > old.id)`, table, stamp(from))
	return err
}

// Note is a gap in the rows of a table.
type Note struct {
	Table, Text string
	// Missing: a workspace failed or was not asked yet, so that rows are old or missing. Rows of what has left
	// are not.
	Missing bool
	// Absent: a column reads as NULL, because the query does not return it any more.
	Absent bool
}

// Notes lists the gaps of some tables; nil: of all tables.
func (s *Store) Notes(ctx context.Context, tables []string) ([]Note, error) {
	var all []Note
	err := each(ctx, s.db, "SELECT table_name, kind, note FROM lakeql_note ORDER BY table_name, kind, about", nil, func(scan func(...any) error) error {
		var n Note
		var kind string
		err := scan(&n.Table, &kind, &n.Text)
		n.Missing, n.Absent = kind == "failed" || kind == "empty", kind == "columns"
		if len(tables) == 0 || slices.Contains(tables, n.Table) {
			all = append(all, n)
		}
		return err
	})
	return all, storeError(s.place, err)
}

// CheckSince reports why the changes of a table since a time (zero: since the beginning of its history) are
// not known. note describes their gaps; it is empty if they are complete.
func (s *Store) CheckSince(ctx context.Context, table string, since time.Time) (note string, err error) {
	t, err := s.table(ctx, table)
	if err != nil || since.IsZero() {
		return "", err
	}
	now, err := s.now(ctx, s.db)
	switch {
	case err != nil:
		return "", storeError(s.place, err)
	case since.After(now) && since.After(time.Now()): // clocks differ
		return "", provider.Usagef("the time %s is in the future: nothing is known of it", stamp(since))
	case since.Before(t.KnownSince):
		return fmt.Sprintf("its history begins at %s: changes since %s are told from then on", stamp(t.KnownSince), stamp(since)), nil
	}
	return "", nil
}
