package pipeline

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// RunState is how far a run has come.
type RunState string

// The states of runs.
const (
	Planning RunState = "planning" // the workspaces are being found
	Running  RunState = "running"
	Stopping RunState = "stopping" // what is under way is waited for, and nothing else begins
	Done     RunState = "done"     // every query was answered
	Failed   RunState = "failed"   // some query was not, or the workspaces could not be found
	Stopped  RunState = "stopped"  // by a person
)

// Run is one time that a pipeline ran.
type Run struct {
	ID        int64
	Pipeline  string
	Period    time.Time // of the schedule; zero: a person began it
	Hash      string    // of the definition
	State     RunState
	StartedBy string
	Follow    string // the folder to read when it is planned; empty: none
	Begun     time.Time
	Ended     time.Time // zero: it is not over
	Error     string
	Code      provider.Code // of Error
}

// now returns the time of the database's clock, so that the clocks of several machines need not agree.
func (s *Store) now(ctx context.Context, c conn) (time.Time, error) {
	if !s.d.postgres {
		return micro(time.Now()), nil
	}
	var now moment
	_, err := one(ctx, c, "SELECT clock_timestamp()", nil, &now)
	return now.Time, err
}

// Begin begins a run of a pipeline with known columns (see [Check]). If a run of the same definition is
// unfinished, it continues, and before is that run. An unfinished run of another definition is stopped, and
// returned as before.
func (s *Store) Begin(ctx context.Context, d *Definition, startedBy string) (run, before *Run, err error) {
	err = s.db.transact(ctx, func(t tx) error {
		if err := s.checkFolder(ctx, t, d); err != nil {
			return err
		}
		if err := s.keepFolder(ctx, t, d); err != nil {
			return err
		}
		open, err := s.runs(ctx, t, "WHERE ended_at IS NULL AND pipeline = ?1"+s.d.forUpdate(), d.Name)
		if err != nil {
			return err
		}
		if len(open) > 0 {
			before = &open[0]
			if before.Hash == d.Hash() && before.State != Stopping {
				run = before
				// Time without requests does not count as throttled time.
				_, err := t.exec(ctx, "UPDATE lakeql_task SET throttled_since = NULL WHERE run_id = ?1 AND state = 'waiting'", run.ID)
				return err
			}
			if err := s.endRun(ctx, t, open[0].ID, Stopped, errors.New("another run took its place")); err != nil {
				return err
			}
		}
		if run, err = s.beginRun(ctx, t, d, startedBy, nil, ""); err == nil && run == nil {
			err = provider.Usagef("somebody else began a run of %s at the same moment", d.Name).
				Hintf("run it again to go on with that one")
		}
		return err
	})
	return run, before, storeError(s.place, err)
}

// beginRun begins a run; nil where one is not over yet, or its period had one. follow is the folder to read when it
// is planned; empty: none.
func (s *Store) beginRun(ctx context.Context, t tx, d *Definition, startedBy string, period *time.Time, follow string) (*Run, error) {
	now, err := s.now(ctx, t)
	if err != nil {
		return nil, err
	}
	hash, err := s.keepDefinition(ctx, t, d)
	if err != nil {
		return nil, err
	}
	var of, followed any
	if period != nil {
		of = stamp(*period)
	}
	if follow != "" {
		followed = follow
	}
	run := &Run{Pipeline: d.Name, Hash: hash, State: Planning, StartedBy: startedBy, Follow: follow, Begun: now}
	begun, err := one(ctx, t, `INSERT INTO lakeql_run (pipeline, period, hash, state, started_by, begun_at, follow) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
		ON CONFLICT DO NOTHING RETURNING id`, []any{d.Name, of, hash, string(Planning), startedBy, stamp(now), followed}, &run.ID)
	if err != nil || !begun {
		return nil, err
	}
	return run, t.enqueue(ctx, d.Name, d.Attempts, planArgs{Run: run.ID})
}

// runs lists runs.
func (s *Store) runs(ctx context.Context, c conn, where string, args ...any) ([]Run, error) {
	var all []Run
	err := each(ctx, c, "SELECT id, pipeline, period, hash, state, started_by, coalesce(follow, ''), begun_at, ended_at, coalesce(error, ''), coalesce(code, 0) FROM lakeql_run "+where, args, func(scan func(...any) error) error {
		var r Run
		var state string
		var period, begun, ended moment
		var code int64
		err := scan(&r.ID, &r.Pipeline, &period, &r.Hash, &state, &r.StartedBy, &r.Follow, &begun, &ended, &r.Error, &code)
		r.Code = provider.Code(code)
		r.State, r.Period, r.Begun, r.Ended = RunState(state), period.Time, begun.Time, ended.Time
		all = append(all, r)
		return err
	})
	return all, err
}

// Run finds a run by its number.
func (s *Store) Run(ctx context.Context, id int64) (*Run, error) {
	all, err := s.runs(ctx, s.db, "WHERE id = ?1", id)
	if err != nil {
		return nil, storeError(s.place, err)
	}
	if len(all) == 0 {
		return nil, provider.Errorf(provider.Unknown, "the store %s has no run %d", provider.Printable(s.place), id)
	}
	return &all[0], nil
}

// Stop stops the run of a pipeline that is not over, and reports whether there was one. Queries that are
// under way come to their end, and change nothing.
func (s *Store) Stop(ctx context.Context, pipeline string) (stopped bool, err error) {
	err = s.db.transact(ctx, func(t tx) error {
		open, err := s.runs(ctx, t, "WHERE ended_at IS NULL AND pipeline = ?1"+s.d.forUpdate(), pipeline)
		if err != nil || len(open) == 0 {
			return err
		}
		stopped = true
		return s.endRun(ctx, t, open[0].ID, Stopped, nil)
	})
	return stopped, storeError(s.place, err)
}

// endRun ends a run, whatever of it is not done. The reason may be nil.
func (s *Store) endRun(ctx context.Context, t tx, id int64, state RunState, reason error) error {
	now, err := s.now(ctx, t)
	if err != nil {
		return err
	}
	var why, code any
	if reason != nil {
		why, code = told(reason), int64(provider.CodeOf(reason))
	}
	if _, err := t.exec(ctx, "UPDATE lakeql_run SET state = ?1, ended_at = ?2, code = ?3, error = ?4 WHERE id = ?5 AND ended_at IS NULL", string(state), stamp(now), code, why, id); err != nil {
		return err
	}
	return s.skip(ctx, t, id, true, now)
}

// skip removes the waiting tasks of a run from the queue; with running, also the running ones.
func (s *Store) skip(ctx context.Context, t tx, run int64, running bool, now time.Time) error {
	states := "'waiting'"
	if running {
		states += ", 'running'" // what is under way then fails at the fence
	}
	n, err := t.exec(ctx, "UPDATE lakeql_task SET state = 'skipped', worker = '' WHERE run_id = ?1 AND state IN ("+states+")", run)
	if err == nil && n > 0 {
		err = s.skipSlices(ctx, t, run, now)
	}
	if err != nil {
		return err
	}
	return t.dequeue(ctx, run)
}

// keepDefinition stores the definition of a run, and returns its hash.
func (s *Store) keepDefinition(ctx context.Context, t tx, d *Definition) (string, error) {
	hash := d.Hash()
	_, err := t.exec(ctx, "INSERT INTO lakeql_definition (hash, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING", hash, string(d.encode()))
	return hash, err
}

// definition reads the definition of a run.
func (s *Store) definition(ctx context.Context, c conn, hash string) (*Definition, error) {
	var body string
	found, err := one(ctx, c, "SELECT body FROM lakeql_definition WHERE hash = ?1", []any{hash}, &body)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, provider.Internalf("the store does not have the pipeline of a run")
	}
	return decodeDefinition([]byte(body))
}

// planRun finds the workspaces of a run, and makes its tasks.
func (w *Worker) planRun(ctx context.Context, job *job[planArgs]) error {
	if !w.jobs.add(job.ID) { // somebody put it back into its queue
		return snoozeJob(handover)
	}
	defer w.jobs.remove(job.ID)
	id := job.Args.Run
	s := w.Store
	run, err := s.Run(ctx, id)
	if provider.CodeOf(err) == provider.Unknown || err == nil && run.State != Planning {
		return nil // it was stopped, or planned already
	}
	var d, installed *Definition
	if err == nil {
		d, err = s.definition(ctx, s.db, run.Hash)
	}
	if err == nil && run.Follow != "" {
		installed = d
		d, err = w.readFolder(ctx, run.Follow, run.Pipeline)
		if errors.Is(err, errNoFolder) {
			if now, err := s.now(ctx, s.db); err == nil && now.Sub(run.Begun) < w.followPatience() {
				return snoozeJob(handover) // a worker on another machine may have it
			}
			err = provider.Usagef("the folder %s is not on the machines of the workers", provider.Printable(run.Follow)).
				Hintf("run a worker on its machine, or schedule a copy: lakeql pipeline schedule install without --follow")
		}
	}
	var workspaces, dropped []string
	if err == nil {
		workspaces, err = w.workspaces(ctx, d)
	}
	if err == nil {
		var v versions
		v, err = s.versions(ctx, s.db, run.Pipeline)
		dropped = droppedColumns(v.ran, d)
	}
	if err == nil {
		err = s.db.transact(ctx, func(t tx) error {
			if err := s.makeTasks(ctx, t, run, d, workspaces); err != nil || installed == nil {
				return err
			}
			now, err := s.now(ctx, t)
			if err != nil {
				return err
			}
			return s.followed(ctx, t, run, installed, d, now)
		})
	}
	switch {
	case err == nil:
		w.Logger.InfoContext(ctx, "run begins", "pipeline", d.Name, "run", id, "workspaces", len(workspaces), "tables", len(d.Tables))
		for _, text := range dropped {
			w.Logger.WarnContext(ctx, "columns differ from the run before", "pipeline", d.Name, "run", id, "difference", text)
		}
		if left, err := s.LeftWorkspaces(ctx, run); err == nil && len(left) > 0 { // the run goes on without the message
			w.Logger.WarnContext(ctx, "workspaces left", "pipeline", d.Name, "run", id, "workspaces", left)
		}
		return nil
	case errors.Is(err, errTaken):
		w.Logger.WarnContext(ctx, "run was planned by another worker, or stopped", "run", id)
		return nil
	case ctx.Err() != nil:
		return snoozeJob(0)
	case storeAway(err):
		w.storeFails(ctx, err, "run", id)
		return snoozeJob(pause(2)) // no attempt
	case !isFinal(err) && job.Attempt < job.MaxAttempts:
		if after := throttled(err); after > 0 {
			return snoozeJob(after)
		}
		return err
	}
	w.Logger.ErrorContext(ctx, "run fails", "pipeline", strings.TrimPrefix(job.Queue, queueOf("")), "run", id, "error", err.Error())
	ended := s.failPlan(ctx, id, d, err)
	w.wakeChecks()
	if ended != nil && !errors.Is(ended, errTaken) {
		w.storeFails(ctx, ended, "run", id)
		return snoozeJob(pause(2))
	}
	if ended == nil {
		w.countRun(strings.TrimPrefix(job.Queue, queueOf("")), Failed)
	}
	return cancelJob(err)
}

// failPlan ends a run whose workspaces could not be found. All rows of its pipeline are then stale, because
// none of its queries was made.
func (s *Store) failPlan(ctx context.Context, id int64, d *Definition, cause error) error {
	return s.db.transact(ctx, func(t tx) error {
		if err := s.stillPlanning(ctx, t, id); err != nil {
			return err
		}
		now, err := s.now(ctx, t)
		if err != nil {
			return err
		}
		planned, err := s.runs(ctx, t, "WHERE id = ?1", id)
		if err != nil {
			return err
		}
		for _, r := range planned {
			if err := s.failPipeline(ctx, t, r.Pipeline, told(cause), now); err != nil {
				return err
			}
		}
		if err := s.endRun(ctx, t, id, Failed, cause); err != nil {
			return err
		}
		return s.askChecks(ctx, t, id, d)
	})
}

// told returns an error as a text to store, with its hint. The text of a server may have characters that
// PostgreSQL does not accept.
func told(err error) string {
	text := err.Error()
	if hint := provider.HintOf(err); hint != "" {
		text += "; " + hint
	}
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "␀"), "\uFFFD")
}

// stillPlanning locks a run whose workspaces are being found. It returns errTaken if another worker has found
// them, or if the run was stopped.
func (s *Store) stillPlanning(ctx context.Context, t tx, id int64) error {
	var state string
	found, err := one(ctx, t, "SELECT state FROM lakeql_run WHERE id = ?1"+s.d.forUpdate(), []any{id}, &state)
	if err == nil && (!found || RunState(state) != Planning) {
		return errTaken
	}
	return err
}

// workspaces finds the deployment names that a pipeline is about.
func (w *Worker) workspaces(ctx context.Context, d *Definition) ([]string, error) {
	found := d.Workspaces.Names
	if d.Workspaces.Query != "" || d.Workspaces.All {
		query := allWorkspaces
		var err error
		if d.Workspaces.Query != "" {
			if query, err = d.fill(ctx, d.Workspaces.Query, ""); err != nil {
				return nil, err
			}
		}
		found = nil
		limited, stop := d.limitTime(ctx)
		defer stop()
		err = w.Asker.Ask(limited, "", query, w.pacer(d, &effort{}), func(rows provider.Rows) error {
			return eachRow(limited, rows, func(row []any) error {
				name, ok := row[0].(string)
				if !ok || name == "" {
					return provider.Usagef("a workspace of the account has no deployment name (%v): list by name the workspaces that the pipeline is about", row)
				}
				if found = append(found, name); int64(len(found)) > d.mostRows() {
					return d.tooManyRows()
				}
				return nil
			})
		})
		if err != nil {
			return nil, inWorkspaces(d.timeError(ctx, limited, err))
		}
	}
	found = slices.Compact(slices.Sorted(slices.Values(found)))
	if len(found) == 0 {
		return nil, provider.Usagef("there are no workspaces to run for")
	}
	for _, name := range found {
		if err := w.Asker.CheckWorkspace(name); err != nil {
			return nil, inWorkspaces(err)
		}
	}
	return distinct(found, w.Asker.HostOf), nil
}

// distinct leaves one of the names of each workspace: the shortest, and in small letters rather than in
// capitals.
func distinct(names []string, hostOf func(string) string) []string {
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(b, a)) })
	known := map[string]bool{}
	names = slices.DeleteFunc(names, func(name string) bool {
		host := hostOf(name)
		again := known[host]
		known[host] = true
		return again
	})
	slices.Sort(names)
	return names
}

// inWorkspaces says that an error is about finding the workspaces.
func inWorkspaces(err error) error {
	return provider.Change(err, func(e *provider.Error) {
		e.Position = provider.Position{}
		e.Message = "find the workspaces: " + e.Message
	})
}

// tablesAtOnce is how many tables the tasks that lie together in a queue are of.
const tablesAtOnce = 8

// tasks lists the tasks of a run in the order of the queue. Neighbours are of different workspaces, so that
// many workspaces are asked at a time rather than one. They are also of different tables, but not of too
// many: a query is compiled once for each place where it runs at the same time (engine.Programs), and a
// compiled query is kept for the next workspace as long as few others come between.
func (d *Definition) tasks(run int64, workspaces []string) []taskArgs {
	all := make([]taskArgs, 0, len(d.Tables)*len(workspaces))
	for tables := range slices.Chunk(d.Tables, tablesAtOnce) {
		for first := range tables {
			for i, workspace := range workspaces {
				all = append(all, taskArgs{run, tables[(first+i)%len(tables)].Name, workspace})
			}
		}
	}
	return all
}

// makeTasks makes the tasks of a run, and the jobs that carry them out.
func (s *Store) makeTasks(ctx context.Context, t tx, run *Run, d *Definition, workspaces []string) error {
	if err := s.stillPlanning(ctx, t, run.ID); err != nil {
		return err
	}
	now, err := s.now(ctx, t)
	if err != nil {
		return err
	}
	if err := s.ensureTables(ctx, t, d, now); err != nil {
		return err
	}
	for chunk := range slices.Chunk(d.tasks(run.ID, workspaces), 1000) {
		rows, jobs := make([][]any, len(chunk)), make([]jobArgs, len(chunk))
		for i, args := range chunk {
			rows[i] = []any{args.Run, args.Table, args.Workspace, string(waiting)}
			jobs[i] = args
		}
		if err := t.insert(ctx, "lakeql_task", []string{"run_id", "table_name", "deployment_name", "state"}, rows); err != nil {
			return err
		}
		if err := t.enqueue(ctx, d.Name, d.Attempts, jobs...); err != nil {
			return err
		}
	}
	// Rows that the run does not query any more are not known to be current.
	if err := s.askSlices(ctx, t, run, d, now); err != nil {
		return err
	}
	if err := s.noteSchedule(ctx, t, d.Name); err != nil {
		return err
	}
	_, err = t.exec(ctx, "UPDATE lakeql_run SET state = ?1 WHERE id = ?2 AND ended_at IS NULL", string(Running), run.ID)
	return err
}
