package pipeline

import (
	"context"
	"time"
	_ "time/tzdata" // machines without time zones, as small containers are, would begin no run

	"github.com/lakeql/lakeql/provider"
)

// Schedule decides when a pipeline runs.
type Schedule struct {
	Pipeline string
	Cron     string
	Timezone string
	Next     time.Time
	Last     time.Time // zero: it never did
	Paused   bool
	Error    string // why the last period had no run; empty: it had one
	// Follows: each run reads the folder. Otherwise it runs the copy of the store.
	Follows bool
	// Folder is where the pipeline was installed from, and FolderState compares it with the copy. Differ
	// describes the differences.
	Folder      string
	FolderState FolderState
	Differ      string
}

// longest returns the longest time between two runs, or 0 if the schedule is not valid any more.
func (c *Schedule) longest(from time.Time) time.Duration {
	d := Definition{Schedule: c.Cron, Timezone: c.Timezone}
	gap, err := d.longest(from)
	if err != nil { // it was valid when it was installed
		return 0
	}
	return gap
}

// Install schedules a pipeline, and replaces the schedule with its name. With follow, each run reads the folder
// again; otherwise it runs the definition as it is now.
func (s *Store) Install(ctx context.Context, d *Definition, follow bool) (*Schedule, error) {
	if d.Schedule == "" {
		return nil, provider.Usagef("the pipeline %s has no schedule: say it in %s, such as schedule: \"0 6 * * *\"", d.Name, ConfigFile)
	}
	err := s.db.transact(ctx, func(t tx) error {
		now, err := s.now(ctx, t)
		if err != nil {
			return err
		}
		next, err := d.next(now)
		if err != nil {
			return err
		}
		stored, err := s.tables(ctx, t)
		if err != nil {
			return err
		}
		if _, err := s.fitTables(ctx, t, d, stored); err != nil {
			return err
		}
		if err := s.checkFolder(ctx, t, d); err != nil {
			return err
		}
		if err := s.keepFolder(ctx, t, d); err != nil {
			return err
		}
		hash, err := s.keepDefinition(ctx, t, d)
		if err != nil {
			return err
		}
		var folder any
		if follow {
			folder, _ = d.origin()
		}
		_, err = t.exec(ctx, `INSERT INTO lakeql_schedule (pipeline, hash, next_at, paused, follow) VALUES (?1, ?2, ?3, ?4, ?5)
			ON CONFLICT (pipeline) DO UPDATE SET hash = excluded.hash, next_at = excluded.next_at, follow = excluded.follow, error = NULL`, d.Name, hash, stamp(next), false, folder)
		if err != nil {
			return err
		}
		return s.noteSchedule(ctx, t, d.Name)
	})
	if err != nil {
		return nil, storeError(s.place, err)
	}
	all, err := s.Schedules(ctx)
	for i := range all {
		if all[i].Pipeline == d.Name {
			return &all[i], err
		}
	}
	return nil, err
}

// Schedules lists the installed schedules, by name.
func (s *Store) Schedules(ctx context.Context) ([]Schedule, error) {
	var all []Schedule
	err := each(ctx, s.db, `SELECT s.pipeline, d.body, s.next_at, s.last_at, s.paused, coalesce(s.error, ''), s.follow IS NOT NULL, coalesce(s.follow, p.folder, ''), coalesce(p.host, '')
		FROM lakeql_schedule s JOIN lakeql_definition d ON d.hash = s.hash LEFT JOIN lakeql_pipeline p ON p.name = s.pipeline ORDER BY s.pipeline`, nil, func(scan func(...any) error) error {
		var c Schedule
		var body, host string
		var next, last moment
		if err := scan(&c.Pipeline, &body, &next, &last, &c.Paused, &c.Error, &c.Follows, &c.Folder, &host); err != nil {
			return err
		}
		d, err := decodeDefinition([]byte(body))
		if err != nil {
			return err
		}
		c.Cron, c.Timezone, c.Next, c.Last = d.Schedule, d.Timezone, next.Time, last.Time
		c.FolderState, c.Differ = compareFolder(ctx, d, c.Folder, host)
		all = append(all, c)
		return nil
	})
	return all, storeError(s.place, err)
}

// Pause keeps a schedule from beginning runs, or lets it again: from its next time on.
func (s *Store) Pause(ctx context.Context, pipeline string, paused bool) error {
	return s.changeSchedule(ctx, pipeline, func(t tx, d *Definition, now time.Time) error {
		next, err := d.next(now)
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, "UPDATE lakeql_schedule SET paused = ?1, next_at = ?2 WHERE pipeline = ?3", paused, stamp(next), pipeline)
		return err
	})
}

// Trigger begins a run of a schedule now, and leaves its times as they are.
func (s *Store) Trigger(ctx context.Context, pipeline, startedBy string) (*Run, error) {
	var run *Run
	err := s.changeSchedule(ctx, pipeline, func(t tx, d *Definition, _ time.Time) error {
		var follow string
		_, err := one(ctx, t, "SELECT coalesce(follow, '') FROM lakeql_schedule WHERE pipeline = ?1", []any{pipeline}, &follow)
		if err != nil {
			return err
		}
		if run, err = s.beginRun(ctx, t, d, startedBy, nil, follow); err == nil && run == nil {
			return provider.Usagef("a run of %s is not over yet", pipeline)
		}
		return err
	})
	return run, err
}

// Remove takes a schedule away. The rows and their history stay.
func (s *Store) Remove(ctx context.Context, pipeline string) error {
	return s.changeSchedule(ctx, pipeline, func(t tx, _ *Definition, _ time.Time) error {
		if _, err := t.exec(ctx, "DELETE FROM lakeql_schedule WHERE pipeline = ?1", pipeline); err != nil {
			return err
		}
		return s.noteSchedule(ctx, t, pipeline)
	})
}

// changeSchedule changes a schedule and locks it meanwhile.
func (s *Store) changeSchedule(ctx context.Context, pipeline string, change func(t tx, d *Definition, now time.Time) error) error {
	err := s.db.transact(ctx, func(t tx) error {
		now, err := s.now(ctx, t)
		if err != nil {
			return err
		}
		var hash string
		found, err := one(ctx, t, "SELECT hash FROM lakeql_schedule WHERE pipeline = ?1"+s.d.forUpdate(), []any{pipeline}, &hash)
		if err != nil {
			return err
		}
		if !found {
			return s.unknownSchedule(pipeline)
		}
		d, err := s.definition(ctx, t, hash)
		if err != nil {
			return err
		}
		return change(t, d, now)
	})
	return storeError(s.place, err)
}

// fire begins the runs that are due. One of several workers begins each run: it locks the schedule's row
// until the run exists and the next time is set. After a pause of all workers a schedule fires once.
func (w *Worker) fire(ctx context.Context) error {
	s := w.Store
	return s.db.transact(ctx, func(t tx) error {
		now, err := s.now(ctx, t)
		if err != nil {
			return err
		}
		lock := ""
		if s.d.postgres {
			lock = " FOR UPDATE SKIP LOCKED"
		}
		var all []due
		if err := each(ctx, t, "SELECT pipeline, hash, next_at, coalesce(follow, '') FROM lakeql_schedule WHERE NOT paused AND next_at <= ?1"+lock, []any{stamp(now)}, func(scan func(...any) error) error {
			var d due
			var at moment
			err := scan(&d.pipeline, &d.hash, &at, &d.follow)
			d.at = at.Time
			all = append(all, d)
			return err
		}); err != nil {
			return err
		}
		for _, c := range all {
			if err := w.fireOne(ctx, t, c, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// due is a schedule that is due.
type due struct {
	pipeline, hash, follow string
	at                     time.Time
}

// brokenPause is how long a schedule is left alone that cannot be read.
const brokenPause = time.Hour

// fireOne begins the run of a schedule, or records the error.
func (w *Worker) fireOne(ctx context.Context, t tx, c due, now time.Time) error {
	s := w.Store
	var run *Run
	next := now.Add(brokenPause)
	d, broken := s.definition(ctx, t, c.hash)
	if broken == nil {
		var at time.Time
		if at, broken = d.next(now); broken == nil {
			next = at
		}
	}
	var last, missed any
	if broken == nil {
		var err error
		if run, err = s.beginRun(ctx, t, d, "schedule", &c.at, c.follow); err != nil {
			return err
		}
	}
	switch {
	case broken != nil: // the others have to go on
		missed = "the schedule cannot be read: " + told(broken)
		w.Logger.ErrorContext(ctx, "schedule fails", "pipeline", c.pipeline, "error", broken.Error())
	case run == nil:
		missed = "the time " + stamp(c.at) + " had no run: the one before was not over"
		w.Logger.WarnContext(ctx, "run skipped", "pipeline", c.pipeline, "period", c.at, "reason", "the run before is not over")
	default:
		last = stamp(now)
	}
	_, err := t.exec(ctx, "UPDATE lakeql_schedule SET next_at = ?1, last_at = coalesce(?2, last_at), error = ?3 WHERE pipeline = ?4", stamp(next), last, missed, c.pipeline)
	return err
}

// unknownSchedule is the error for a name that a store does not have.
func (s *Store) unknownSchedule(name string) error {
	return provider.Errorf(provider.Unknown, "the store %s has no schedule of a pipeline %s", provider.Printable(s.place), provider.Quote(name)).
		Hintf("see lakeql pipeline schedule list")
}
