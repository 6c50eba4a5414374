package pipeline

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// Reader reads what people look at in a store: the state of its rows, their changes, and pages of them. It
// writes nothing. What it reads for one page may come from several statements.
type Reader struct {
	s        *Store
	pipeline string
}

// Reader returns a reader of the tables of one pipeline; empty: of all.
func (s *Store) Reader(pipeline string) *Reader { return &Reader{s, pipeline} }

// ofPipeline is the condition on a column that has the name of a pipeline; parameter n is r.pipeline.
func ofPipeline(column, parameter string) string {
	return "(CAST(" + parameter + " AS text) = '' OR " + column + " = " + parameter + ")"
}

// Overview is the state of a store at a time.
type Overview struct {
	Place     string    // the store, without a password
	Now       time.Time // by the store's clock
	Workers   int       // that have renewed their lease in time
	Tables    []TableOverview
	Slices    []Slice // by table and workspace
	Runs      []RunOverview
	Schedules []Schedule
	Days      []Day // by date and table
	// Ran counts the runs that began on a day.
	Ran map[string]int64
}

// TableOverview describes a table.
type TableOverview struct {
	Name, Pipeline, Description string
	Columns                     []string
	KnownSince                  time.Time // from when on its history is whole
	// Every is the longest time between two runs of its schedule; 0: it has none.
	Every time.Duration
	// Absent are the columns that the query of the last run does not return any more: they read as NULL.
	Absent []string
	// Note says that the installed schedule is another version of the pipeline; empty: it is not.
	Note string
}

// SliceState says how far the rows of a table and a workspace can be relied on.
type SliceState string

// The states of a slice.
const (
	SliceFresh      SliceState = "fresh"      // the last query returned them
	SliceFailed     SliceState = "failed"     // the last query failed, and they are those of an earlier one
	SliceUnanswered SliceState = "unanswered" // no query came to an end
	SliceLeft       SliceState = "left"       // the pipeline does not query them any more
)

// Slice is the rows of a table from one workspace.
type Slice struct {
	Table, Workspace string
	State            SliceState
	Observed         time.Time // of the rows; zero: there are none yet
	Rows             int64
	Error            string // why they are old
}

// RunOverview is a run with the sums of its queries.
type RunOverview struct {
	ID                         int64
	Pipeline, State, StartedBy string
	Error                      string
	Begun, Ended               time.Time
	Queries, Done, Failed      int64
	Rows, Calls, Throttled     int64
	Added, Changed, Removed    int64
}

// Day sums up the changes of a table on a day (UTC).
type Day struct {
	Date, Table             string
	Added, Changed, Removed int64
	// First counts the rows of first answers: the rows are new to the store, and not to the workspace.
	First int64
}

// Overview reads the state of the store: its last runs, and the changes since a time.
func (r *Reader) Overview(ctx context.Context, since time.Time, runs int) (*Overview, error) {
	o := &Overview{Place: provider.Printable(r.s.place), Ran: map[string]int64{}}
	for _, read := range []func(context.Context, *Overview) error{
		func(ctx context.Context, o *Overview) (err error) { o.Now, err = r.s.now(ctx, r.s.db); return err },
		r.readWorkers, r.readTables, r.readSlices,
		func(ctx context.Context, o *Overview) error { return r.readRuns(ctx, o, runs) },
		func(ctx context.Context, o *Overview) error { return r.readDays(ctx, o, since) },
	} {
		if err := read(ctx, o); err != nil {
			return nil, storeError(r.s.place, err)
		}
	}
	if r.pipeline != "" && len(o.Tables)+len(o.Runs) == 0 {
		return nil, provider.Errorf(provider.Unknown, "the store %s has no pipeline %s", o.Place, provider.Quote(r.pipeline)).
			Hintf("run it first, or see lakeql pipeline status")
	}
	return o, nil
}

func (r *Reader) readWorkers(ctx context.Context, o *Overview) error {
	return each(ctx, r.s.db, "SELECT seen_at, lease FROM lakeql_worker", nil, func(scan func(...any) error) error {
		var seen moment
		var lease float64
		err := scan(&seen, &lease)
		if o.Now.Sub(seen.Time).Seconds() <= lease {
			o.Workers++
		}
		return err
	})
}

func (r *Reader) readTables(ctx context.Context, o *Overview) error {
	all, err := r.tables(ctx)
	if err != nil {
		return err
	}
	schedules, err := r.s.Schedules(ctx)
	if err != nil {
		return err
	}
	o.Schedules = slices.DeleteFunc(schedules, func(c Schedule) bool { return r.pipeline != "" && c.Pipeline != r.pipeline })
	every := map[string]time.Duration{}
	for i := range o.Schedules {
		every[o.Schedules[i].Pipeline] = o.Schedules[i].longest(o.Now)
	}
	absent, notes, err := r.noted(ctx, all)
	for i := range all {
		t := &all[i]
		names := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			names[i] = c.Name
		}
		o.Tables = append(o.Tables, TableOverview{t.Name, t.Pipeline, t.Description, names, t.KnownSince, every[t.Pipeline], absent[t.Name], notes[t.Name]})
	}
	return err
}

// noted reads, by table, which columns are not returned any more, and what is said about the schedule.
func (r *Reader) noted(ctx context.Context, all []storedTable) (absent map[string][]string, notes map[string]string, err error) {
	ran := map[string]*Definition{} // by pipeline
	of := map[string]*Table{}       // by name
	for i := range all {
		t := &all[i]
		if _, known := ran[t.Pipeline]; !known {
			v, err := r.s.versions(ctx, r.s.db, t.Pipeline)
			if err != nil {
				return nil, nil, err
			}
			ran[t.Pipeline] = v.ran
		}
		if d := ran[t.Pipeline]; d != nil {
			of[t.Name] = d.table(t.Name)
		}
	}
	absent, notes = map[string][]string{}, map[string]string{}
	err = each(ctx, r.s.db, "SELECT table_name, about, note FROM lakeql_note WHERE kind IN ('columns', 'schedule') ORDER BY table_name, about", nil, func(scan func(...any) error) error {
		var table, column, note string
		err := scan(&table, &column, &note)
		switch t := of[table]; {
		case column == "":
			notes[table] = note
		case t != nil && t.column(column) < 0: // others are new ones, and not in the rows of workspaces that failed
			absent[table] = append(absent[table], column)
		}
		return err
	})
	return absent, notes, err
}

// tables lists the tables that are read.
func (r *Reader) tables(ctx context.Context) ([]storedTable, error) {
	return r.s.tablesWhere(ctx, r.s.db, "WHERE "+ofPipeline("pipeline", "?1"), r.pipeline)
}

// readSlices reads the state of each slice. The number of its rows is that of the query that returned them, as
// long as the store has its task.
func (r *Reader) readSlices(ctx context.Context, o *Overview) error {
	uncounted := map[string]bool{}
	err := each(ctx, r.s.db, `SELECT s.table_name, s.deployment_name, s.observed_at, `+sliceState+`, coalesce(s.error, ''), CASE WHEN s.observed_at IS NULL THEN 0 ELSE coalesce(t.row_count, -1) END
		FROM lakeql_slice s JOIN lakeql_table n ON n.name = s.table_name
		LEFT JOIN lakeql_task t ON t.run_id = s.run_id AND t.table_name = s.table_name AND t.deployment_name = s.deployment_name
		WHERE `+ofPipeline("n.pipeline", "?1")+" ORDER BY s.table_name, s.deployment_name", []any{r.pipeline}, func(scan func(...any) error) error {
		var s Slice
		var observed moment
		if err := scan(&s.Table, &s.Workspace, &observed, &s.State, &s.Error, &s.Rows); err != nil {
			return err
		}
		s.Observed = observed.Time
		uncounted[s.Table] = uncounted[s.Table] || s.Rows < 0
		o.Slices = append(o.Slices, s)
		return nil
	})
	if err != nil {
		return err
	}
	for table, missing := range uncounted {
		if !missing {
			continue
		}
		counts := map[string]int64{}
		if err := each(ctx, r.s.db, "SELECT deployment_name, count(*) FROM "+quote(rowsTable(table))+" GROUP BY 1", nil, func(scan func(...any) error) error {
			var workspace string
			var n int64
			err := scan(&workspace, &n)
			counts[workspace] = n
			return err
		}); err != nil {
			return err
		}
		for i := range o.Slices {
			if s := &o.Slices[i]; s.Table == table && s.Rows < 0 {
				s.Rows = counts[s.Workspace]
			}
		}
	}
	return nil
}

func (r *Reader) readRuns(ctx context.Context, o *Overview, limit int) error {
	return each(ctx, r.s.db, `SELECT r.id, r.pipeline, CASE WHEN r.ended_at IS NULL AND NOT EXISTS (SELECT 1 FROM lakeql_worker w WHERE w.seen_at > ?3) THEN 'interrupted' ELSE r.state END,
		r.started_by, coalesce(r.error, ''), r.begun_at, r.ended_at, count(t.run_id),
		`+sumOf("CASE WHEN t.state = 'done' THEN 1 ELSE 0 END")+", "+sumOf("CASE WHEN t.state = 'failed' THEN 1 ELSE 0 END")+", "+sumOf("t.row_count")+", "+sumOf("t.calls")+", "+sumOf("t.throttled")+", "+
		sumOf("t.added")+", "+sumOf("t.changed")+", "+sumOf("t.removed")+`
		FROM (SELECT * FROM lakeql_run WHERE `+ofPipeline("pipeline", "?1")+` ORDER BY id DESC LIMIT ?2) r LEFT JOIN lakeql_task t ON t.run_id = r.id
		GROUP BY r.id, r.pipeline, r.state, r.started_by, r.error, r.begun_at, r.ended_at ORDER BY r.id DESC`, []any{r.pipeline, limit, stamp(o.Now.Add(-silence))}, func(scan func(...any) error) error {
		var run RunOverview
		var begun, ended moment
		err := scan(&run.ID, &run.Pipeline, &run.State, &run.StartedBy, &run.Error, &begun, &ended, &run.Queries, &run.Done, &run.Failed,
			&run.Rows, &run.Calls, &run.Throttled, &run.Added, &run.Changed, &run.Removed)
		run.Begun, run.Ended = begun.Time, ended.Time
		o.Runs = append(o.Runs, run)
		return err
	})
}

// sumOf is a sum as an integer, which is 0 of nothing.
func sumOf(value string) string { return "CAST(coalesce(sum(" + value + "), 0) AS bigint)" }

// day is the day, in UTC, of a column with times.
func (d *dialect) day(column string) string {
	if d.postgres {
		return "to_char(" + column + " AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
	}
	return "substr(" + column + ", 1, 10)"
}

// firstAnswer is the condition that all rows of task t, of run r, are from a slice's first answer.
const firstAnswer = `t.row_count > 0 AND t.added = t.row_count AND NOT EXISTS (SELECT 1 FROM lakeql_run earlier JOIN lakeql_task f
	ON f.run_id = earlier.id AND f.table_name = t.table_name AND f.deployment_name = t.deployment_name
	WHERE earlier.pipeline = r.pipeline AND earlier.id < t.run_id AND f.state = 'done')`

// readDays sums up what the tasks counted: the history of a large store has too many rows to count.
func (r *Reader) readDays(ctx context.Context, o *Overview, since time.Time) error {
	began := r.s.d.day("begun_at")
	if err := each(ctx, r.s.db, "SELECT "+began+", count(*) FROM lakeql_run WHERE begun_at >= ?1 AND "+ofPipeline("pipeline", "?2")+" GROUP BY 1", []any{stamp(since), r.pipeline}, func(scan func(...any) error) error {
		var date string
		var n int64
		err := scan(&date, &n)
		o.Ran[date] = n
		return err
	}); err != nil {
		return err
	}
	first := "CASE WHEN " + firstAnswer + " THEN t.added ELSE 0 END"
	err := each(ctx, r.s.db, "SELECT date, name, "+sumOf("added - first")+", "+sumOf("changed")+", "+sumOf("removed")+", "+sumOf("first")+` FROM (
		SELECT `+r.s.d.day("t.ended_at")+` AS date, t.table_name AS name, t.added, t.changed, t.removed, `+first+` AS first
		FROM lakeql_run r JOIN lakeql_task t ON t.run_id = r.id WHERE r.begun_at >= ?1 AND `+ofPipeline("r.pipeline", "?2")+`
		AND t.state = 'done' AND (t.added > 0 OR t.changed > 0 OR t.removed > 0)) tasks GROUP BY 1, 2`, []any{stamp(since), r.pipeline}, func(scan func(...any) error) error {
		var d Day
		err := scan(&d.Date, &d.Table, &d.Added, &d.Changed, &d.Removed, &d.First)
		o.Days = append(o.Days, d)
		return err
	})
	slices.SortFunc(o.Days, func(a, b Day) int { return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Table, b.Table)) })
	return err
}
