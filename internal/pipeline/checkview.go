package pipeline

import (
	"context"
	"time"
)

// CheckOverview is the state of a check, with its last results.
type CheckOverview struct {
	Pipeline, Name, Severity, State            string
	Owner, Control, Description, Docs, Message string
	Since, At                                  time.Time // from when on it has its state, and when it was run last
	Rows                                       int64     // that fail; -1: the check has a number, or is broken
	Failing                                    []FailingRow
	Results                                    []CheckResult // the last ones, the newest last
}

// FailingRow is a row that a check found.
type FailingRow struct {
	Message string
	Since   time.Time
}

// CheckResult is the result of a check after a run.
type CheckResult struct {
	Run                     int64
	At                      time.Time
	State                   string
	Rows                    int64 // that failed; -1: the check has a number, or was broken
	Added, Changed, Removed int64
}

// worstFirst orders checks: those that do not pass, by severity.
const (
	worstFirst = "CASE state WHEN 'pass' THEN 1 ELSE 0 END, " + bySeverity + ", pipeline, name"
	bySeverity = "CASE severity WHEN 'critical' THEN 0 WHEN 'error' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END"
)

// Checks returns the checks, the worst first, each with at most so many results and failing rows.
func (r *Reader) Checks(ctx context.Context, results, rows int) (all []CheckOverview, err error) {
	of := map[[2]string]int{}
	err = each(ctx, r.s.db, `SELECT pipeline, name, severity, state, owner, control, description, docs, message, since, checked_at, coalesce(row_count, -1)
		FROM lakeql_check WHERE `+ofPipeline("pipeline", "?1")+" ORDER BY "+worstFirst, []any{r.pipeline}, func(scan func(...any) error) error {
		var c CheckOverview
		var since, at moment
		err := scan(&c.Pipeline, &c.Name, &c.Severity, &c.State, &c.Owner, &c.Control, &c.Description, &c.Docs, &c.Message, &since, &at, &c.Rows)
		c.Since, c.At = since.Time, at.Time
		of[[2]string{c.Pipeline, c.Name}] = len(all)
		all = append(all, c)
		return err
	})
	if err != nil {
		return nil, storeError(r.s.place, err)
	}
	find := func(pipeline, name string) *CheckOverview {
		if i, known := of[[2]string{pipeline, name}]; known {
			return &all[i]
		}
		return &CheckOverview{} // its check is not there any more
	}
	err = each(ctx, r.s.db, `SELECT pipeline, check_name, run_id, checked_at, state, coalesce(row_count, -1), added, changed, removed FROM (
		SELECT p.*, row_number() OVER (PARTITION BY p.pipeline, p.check_name ORDER BY p.id DESC) AS n FROM lakeql_check_result p WHERE `+ofPipeline("p.pipeline", "?1")+`) numbered
		WHERE n <= ?2 ORDER BY id`, []any{r.pipeline, results}, func(scan func(...any) error) error {
		var pipeline, name string
		var at moment
		var result CheckResult
		err := scan(&pipeline, &name, &result.Run, &at, &result.State, &result.Rows, &result.Added, &result.Changed, &result.Removed)
		result.At = at.Time
		c := find(pipeline, name)
		c.Results = append(c.Results, result)
		return err
	})
	if err != nil {
		return nil, storeError(r.s.place, err)
	}
	err = each(ctx, r.s.db, `SELECT pipeline, check_name, message, first_seen FROM (
		SELECT p.*, row_number() OVER (PARTITION BY p.pipeline, p.check_name ORDER BY p.first_seen DESC, p.row_key) AS n FROM lakeql_check_row p WHERE `+ofPipeline("p.pipeline", "?1")+`) numbered
		WHERE n <= ?2 ORDER BY first_seen DESC, row_key`, []any{r.pipeline, rows}, func(scan func(...any) error) error {
		var pipeline, name string
		var row FailingRow
		var since moment
		err := scan(&pipeline, &name, &row.Message, &since)
		row.Since = since.Time
		c := find(pipeline, name)
		c.Failing = append(c.Failing, row)
		return err
	})
	return all, storeError(r.s.place, err)
}
