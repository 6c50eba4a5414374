package pipeline

import (
	"context"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// Progress is how far a run has come.
type Progress struct {
	Run  Run
	Now  time.Time // by the store's clock
	Done int64     // queries, by what became of them
	Fail int64
	Skip int64
	Busy int64 // under way
	Wait int64 // not begun, or to be asked again
	// Held is the number of waiting queries that a workspace has throttled.
	Held int64
	// Rows, Calls and Throttled count finished queries, and failed attempts.
	Rows, Calls, Throttled int64
	// Added, Changed and Removed are the history that was written.
	Added, Changed, Removed int64
}

// Total is how many queries the run has.
func (p *Progress) Total() int64 { return p.Done + p.Fail + p.Skip + p.Busy + p.Wait }

// Over reports whether the run has come to its end.
func (p *Progress) Over() bool { return !p.Run.Ended.IsZero() }

// Progress returns the progress of a run.
func (s *Store) Progress(ctx context.Context, run int64) (*Progress, error) {
	r, err := s.Run(ctx, run)
	if err != nil {
		return nil, err
	}
	p := &Progress{Run: *r}
	if p.Now, err = s.now(ctx, s.db); err != nil {
		return nil, storeError(s.place, err)
	}
	err = each(ctx, s.db, `SELECT state, count(*), CAST(coalesce(sum(CASE WHEN wait_until > ?1 THEN 1 ELSE 0 END), 0) AS bigint), CAST(coalesce(sum(row_count), 0) AS bigint),
		CAST(coalesce(sum(calls), 0) AS bigint), CAST(coalesce(sum(throttled), 0) AS bigint), CAST(coalesce(sum(added), 0) AS bigint), CAST(coalesce(sum(changed), 0) AS bigint),
		CAST(coalesce(sum(removed), 0) AS bigint) FROM lakeql_task WHERE run_id = ?2 GROUP BY state`, []any{stamp(p.Now), run}, func(scan func(...any) error) error {
		var state string
		var n, held, rows, calls, throttled, added, changed, removed int64
		if err := scan(&state, &n, &held, &rows, &calls, &throttled, &added, &changed, &removed); err != nil {
			return err
		}
		switch taskState(state) {
		case succeeded:
			p.Done = n
		case failed:
			p.Fail = n
		case skipped:
			p.Skip = n
		case running:
			p.Busy = n
		case waiting:
			p.Wait, p.Held = n, held
		}
		p.Rows += rows
		p.Calls += calls
		p.Throttled += throttled
		p.Added += added
		p.Changed += changed
		p.Removed += removed
		return nil
	})
	return p, storeError(s.place, err)
}

// Failure is why the first queries of a run failed for good, and with which code.
type Failure struct {
	Table, Workspace, Message string
	Code                      provider.Code
}

// Failures lists the queries of a run that failed for good.
func (s *Store) Failures(ctx context.Context, run int64) ([]Failure, error) {
	var all []Failure
	err := each(ctx, s.db, "SELECT table_name, deployment_name, coalesce(error, ''), coalesce(code, 0) FROM lakeql_task WHERE run_id = ?1 AND state = 'failed' ORDER BY deployment_name, table_name",
		[]any{run}, func(scan func(...any) error) error {
			var f Failure
			var code int64
			err := scan(&f.Table, &f.Workspace, &f.Message, &code)
			f.Code = provider.Code(code)
			all = append(all, f)
			return err
		})
	return all, storeError(s.place, err)
}

// columns describes columns by their names, of the types text unless :integer, :number, :boolean or :timestamp
// stands behind.
func columns(text string) []provider.Column {
	var all []provider.Column
	for word := range strings.FieldsSeq(text) {
		name, typ, ok := strings.Cut(word, ":")
		if !ok {
			typ = string(Text)
		}
		all = append(all, Column{name, Type(typ)}.describe())
	}
	return all
}

// SummaryTables returns a row for each table of a run: the number of workspaces, and how their queries went.
func (s *Store) SummaryTables(ctx context.Context, run int64) (provider.Rows, error) {
	return s.read(ctx, columns("table workspaces:integer done:integer failed:integer skipped:integer rows:integer added:integer changed:integer removed:integer calls:integer throttled:integer"),
		`SELECT table_name, count(*), count(*) FILTER (WHERE state = 'done'), count(*) FILTER (WHERE state = 'failed'), count(*) FILTER (WHERE state = 'skipped'),
		CAST(coalesce(sum(row_count), 0) AS bigint), CAST(coalesce(sum(added), 0) AS bigint), CAST(coalesce(sum(changed), 0) AS bigint), CAST(coalesce(sum(removed), 0) AS bigint),
		CAST(sum(calls) AS bigint), CAST(sum(throttled) AS bigint)
		FROM lakeql_task WHERE run_id = ?1 GROUP BY table_name ORDER BY table_name`, run)
}

// Summary returns a row for each query of a run: the workspace, the table, and how it went.
func (s *Store) Summary(ctx context.Context, run int64) (provider.Rows, error) {
	return s.read(ctx, columns("deployment_name table state rows:integer added:integer changed:integer removed:integer calls:integer throttled:integer attempts:integer error"),
		`SELECT deployment_name, table_name, state, row_count, added, changed, removed, calls, throttled, attempts, error
		FROM lakeql_task WHERE run_id = ?1 ORDER BY deployment_name, table_name`, run)
}

// silence is the time after the last sign of life of all workers until a run is reported as interrupted.
const silence = time.Minute

// StatusRuns returns the last runs of a pipeline (empty: of each), newest first, with their duration until now or
// their end. A run without a worker is interrupted, or waiting for one if it has not begun.
func (s *Store) StatusRuns(ctx context.Context, pipeline string, limit int) (provider.Rows, error) {
	now, err := s.now(ctx, s.db)
	if err != nil {
		return nil, storeError(s.place, err)
	}
	return s.read(ctx, columns("run:integer pipeline state started_by begun_at:timestamp ended_at:timestamp seconds:number queries:integer done:integer failed:integer waiting:integer rows:integer calls:integer throttled:integer error"),
		`SELECT r.id, r.pipeline, CASE WHEN r.ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM lakeql_worker w WHERE w.seen_at > ?2) THEN CASE r.state WHEN 'planning' THEN 'waiting' ELSE 'interrupted' END ELSE r.state END, r.started_by, r.begun_at, r.ended_at, `+s.d.seconds("r.begun_at", "coalesce(r.ended_at, ?3)")+`, count(t.run_id), coalesce(sum(CASE WHEN t.state = 'done' THEN 1 ELSE 0 END), 0),
		coalesce(sum(CASE WHEN t.state = 'failed' THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN t.state IN ('waiting', 'running') THEN 1 ELSE 0 END), 0),
		CAST(sum(t.row_count) AS bigint), CAST(sum(t.calls) AS bigint), CAST(sum(t.throttled) AS bigint), r.error
		FROM (SELECT * FROM (SELECT lakeql_run.*, row_number() OVER (PARTITION BY pipeline ORDER BY id DESC) AS n FROM lakeql_run WHERE ?4 IN ('', pipeline)) numbered WHERE n <= ?1) r
		LEFT JOIN lakeql_task t ON t.run_id = r.id
		GROUP BY r.id, r.pipeline, r.state, r.started_by, r.begun_at, r.ended_at, r.error ORDER BY r.id DESC`, limit, stamp(now.Add(-silence)), stamp(now), pipeline)
}

// StatusTables returns a row for each table of a pipeline (empty: of all): the number of its workspaces, how many of them are stale, how
// many have left, and the age of the oldest rows of the others.
func (s *Store) StatusTables(ctx context.Context, pipeline string) (provider.Rows, error) {
	return s.read(ctx, columns("table pipeline workspaces:integer stale:integer left:integer oldest:timestamp newest:timestamp history_since:timestamp description"),
		`SELECT t.name, t.pipeline, count(s.table_name) FILTER (WHERE s.asked), count(*) FILTER (WHERE s.stale AND s.asked), count(*) FILTER (WHERE NOT s.asked), min(s.observed_at) FILTER (WHERE s.asked), max(s.observed_at), t.known_since, t.description
		FROM lakeql_table t LEFT JOIN lakeql_slice s ON s.table_name = t.name WHERE ?1 IN ('', t.pipeline) GROUP BY t.name, t.pipeline, t.known_since, t.description ORDER BY t.name`, pipeline)
}

// StatusWorkspaces returns a row for each table and workspace of a pipeline (empty: of all): its state (fresh, failed, unanswered, or left),
// the age of its rows, and for stale rows the error. Stale rows come first, and those that left after those
// that failed.
func (s *Store) StatusWorkspaces(ctx context.Context, pipeline string) (provider.Rows, error) {
	return s.read(ctx, columns("deployment_name table state observed_at:timestamp stale:boolean run:integer error"),
		"SELECT s.deployment_name, s.table_name, "+sliceState+", s.observed_at, s.stale, s.run_id, s.error FROM lakeql_slice s JOIN lakeql_table t ON t.name = s.table_name WHERE ?1 IN ('', t.pipeline) ORDER BY s.stale DESC, s.asked DESC, s.deployment_name, s.table_name", pipeline)
}

// StatusSchedules shows schedules.
func StatusSchedules(all []Schedule) provider.Rows {
	told := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return t.Format(time.RFC3339)
	}
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	rows := make([][]any, len(all))
	for i, c := range all {
		zone := c.Timezone
		if zone == "" {
			zone = "UTC"
		}
		rows[i] = []any{c.Pipeline, c.Cron, zone, c.Paused, told(c.Next), told(c.Last), c.Follows, text(c.Folder), string(c.FolderState), text(c.Error)}
	}
	return provider.NewRows(columns("pipeline schedule timezone paused:boolean next_at:timestamp last_at:timestamp follows:boolean folder folder_state error"), rows)
}
