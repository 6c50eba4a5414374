package pipeline

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/pipeline/checks"
	"github.com/lakeql/lakeql/internal/pipeline/notify"
	"github.com/lakeql/lakeql/provider"
)

// A run that is over has its checks run once, by one worker: lakeql_check_run has a row from the end of the
// run until its notifications were delivered or given up for this time. The worker that has claimed the row
// writes the results, the states and the notifications in one transaction, in which it still must have it.

// The stages of a row of lakeql_check_run.
const (
	toCheck   = "check"   // the checks have not been run
	toDeliver = "deliver" // their results are stored
)

// fourthSchema holds the additions of version 4: checks and notifications.
func (s *Store) fourthSchema() []string {
	return s.inDialect(
		`INSERT INTO lakeql_version (version) VALUES (4)`,
		`CREATE TABLE lakeql_check (pipeline text NOT NULL, name text NOT NULL, severity text NOT NULL, owner text NOT NULL, control text NOT NULL, description text NOT NULL, docs text NOT NULL,
			state text NOT NULL, since {time} NOT NULL, checked_at {time} NOT NULL, run_id bigint NOT NULL, row_count bigint, value text, message text NOT NULL, PRIMARY KEY (pipeline, name))`,
		`CREATE TABLE lakeql_check_row (pipeline text NOT NULL, check_name text NOT NULL, row_key text NOT NULL, first_seen {time} NOT NULL, last_seen {time} NOT NULL,
			first_run bigint NOT NULL, last_run bigint NOT NULL, message text NOT NULL, row_values text NOT NULL, PRIMARY KEY (pipeline, check_name, row_key))`,
		`CREATE TABLE lakeql_check_result (id {id}, pipeline text NOT NULL, check_name text NOT NULL, run_id bigint NOT NULL, checked_at {time} NOT NULL, severity text NOT NULL, state text NOT NULL,
			row_count bigint, value text, added bigint NOT NULL, changed bigint NOT NULL, removed bigint NOT NULL, message text NOT NULL)`,
		`CREATE INDEX lakeql_check_result_of ON lakeql_check_result (pipeline, check_name, checked_at)`,
		`CREATE INDEX lakeql_check_result_run ON lakeql_check_result (run_id)`,
		`CREATE TABLE lakeql_check_run (run_id bigint PRIMARY KEY, pipeline text NOT NULL, hash text NOT NULL, stage text NOT NULL, worker text NOT NULL DEFAULT '')`,
		`CREATE TABLE lakeql_notification (id {id}, pipeline text NOT NULL, run_id bigint NOT NULL, target text NOT NULL, made_at {time} NOT NULL, body text NOT NULL,
			attempts bigint NOT NULL DEFAULT 0, tried_at {time}, error text, worker text NOT NULL DEFAULT '')`,
		`CREATE INDEX lakeql_notification_of ON lakeql_notification (pipeline, target, id)`,
		`CREATE VIEW pipeline_status_checks AS SELECT pipeline, name AS check_name, severity, state, since, checked_at, run_id, row_count, value, message, owner, control, description FROM lakeql_check`,
	)
}

// askChecks has the checks of a run that is over run by some worker. d is the run's definition, or nil if it is
// not known.
func (s *Store) askChecks(ctx context.Context, t tx, run int64, d *Definition) error {
	where := ""
	if d != nil && len(d.Checks)+len(d.Notify) == 0 { // nothing is to be done, unless it was before
		where = " AND (EXISTS (SELECT 1 FROM lakeql_check c WHERE c.pipeline = lakeql_run.pipeline) OR EXISTS (SELECT 1 FROM lakeql_notification n WHERE n.pipeline = lakeql_run.pipeline))"
	}
	_, err := t.exec(ctx, "INSERT INTO lakeql_check_run (run_id, pipeline, hash, stage) SELECT id, pipeline, hash, ?1 FROM lakeql_run WHERE id = ?2"+where+" ON CONFLICT DO NOTHING", toCheck, run)
	return err
}

// checkRun is a row of lakeql_check_run.
type checkRun struct {
	run                    int64
	pipeline, hash, worker string
	stage                  string
}

// checkRuns lists the runs whose checks are to be run, oldest first.
func (s *Store) checkRuns(ctx context.Context) ([]checkRun, error) {
	var all []checkRun
	err := each(ctx, s.db, "SELECT run_id, pipeline, hash, worker, stage FROM lakeql_check_run ORDER BY run_id", nil, func(scan func(...any) error) error {
		var r checkRun
		err := scan(&r.run, &r.pipeline, &r.hash, &r.worker, &r.stage)
		all = append(all, r)
		return err
	})
	return all, err
}

// Checked reports whether the checks of a run that is over have come to their end.
func (s *Store) Checked(ctx context.Context, run int64) (bool, error) {
	var n int64
	_, err := one(ctx, s.db, "SELECT count(*) FROM lakeql_check_run WHERE run_id = ?1", []any{run}, &n)
	return n == 0, storeError(s.place, err)
}

// claimChecks makes a worker the one that runs the checks of a run. It reports false if another living worker
// has them, or if an earlier run of the pipeline comes first.
func (s *Store) claimChecks(ctx context.Context, r *checkRun, worker string) (bool, error) {
	claimed := false
	err := s.db.transact(ctx, func(t tx) error {
		now, err := s.now(ctx, t)
		if err != nil {
			return err
		}
		var earlier int64
		if _, err := one(ctx, t, "SELECT count(*) FROM lakeql_check_run WHERE pipeline = ?1 AND run_id < ?2", []any{r.pipeline, r.run}, &earlier); err != nil || earlier > 0 {
			return err
		}
		living, err := s.livingWorkers(ctx, t, now)
		if err != nil || r.worker != worker && slices.Contains(living, r.worker) {
			return err
		}
		n, err := t.exec(ctx, "UPDATE lakeql_check_run SET worker = ?1 WHERE run_id = ?2 AND worker = ?3", worker, r.run, r.worker)
		claimed = n > 0
		return err
	})
	return claimed, err
}

// livingWorkers lists the workers whose lease has not expired.
func (s *Store) livingWorkers(ctx context.Context, t tx, now time.Time) (living []string, err error) {
	err = each(ctx, t, "SELECT id, seen_at, lease FROM lakeql_worker", nil, func(scan func(...any) error) error {
		var id string
		var seen moment
		var lease float64
		err := scan(&id, &seen, &lease)
		if now.Sub(seen.Time).Seconds() <= lease {
			living = append(living, id)
		}
		return err
	})
	return living, err
}

// holdChecks locks a claimed row, and returns errTaken if another worker has it now.
func (s *Store) holdChecks(ctx context.Context, t tx, run int64, worker string) error {
	var holder string
	found, err := one(ctx, t, "SELECT worker FROM lakeql_check_run WHERE run_id = ?1"+s.d.forUpdate(), []any{run}, &holder)
	if err == nil && (!found || holder != worker) {
		return errTaken
	}
	return err
}

// endChecks removes a claimed row.
func (s *Store) endChecks(ctx context.Context, run int64, worker string) error {
	_, err := s.db.exec(ctx, "DELETE FROM lakeql_check_run WHERE run_id = ?1 AND worker = ?2", run, worker)
	return err
}

// checkStates reads the states of a pipeline's checks, by name.
func (s *Store) checkStates(ctx context.Context, c conn, pipeline string) (map[string]*checks.State, error) {
	all := map[string]*checks.State{}
	err := each(ctx, c, "SELECT name, state, since FROM lakeql_check WHERE pipeline = ?1", []any{pipeline}, func(scan func(...any) error) error {
		var name, outcome string
		var since moment
		err := scan(&name, &outcome, &since)
		all[name] = &checks.State{Outcome: checks.Outcome(outcome), Since: since.Time, Rows: map[string]checks.Row{}}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = each(ctx, c, "SELECT check_name, row_key, message, row_values FROM lakeql_check_row WHERE pipeline = ?1", []any{pipeline}, func(scan func(...any) error) error {
		var name, key, message, values string
		if err := scan(&name, &key, &message, &values); err != nil {
			return err
		}
		row := checks.Row{Key: key, Message: message}
		if err := json.Unmarshal([]byte(values), &row.Values); err != nil {
			return provider.Usagef("the store is damaged, or something else has written to it: a failing row of the check %s is no JSON", provider.Quote(name))
		}
		if state := all[name]; state != nil {
			state.Rows[key] = row
		}
		return nil
	})
	return all, err
}

// record stores the results of a pipeline's checks after a run, and the notifications that follow from them
// and from the changes of the run.
func (s *Store) record(ctx context.Context, t tx, d *Definition, run *Run, results []*checks.Result) error {
	states, err := s.checkStates(ctx, t, d.Name)
	if err != nil {
		return err
	}
	message := &notify.Message{Pipeline: d.Name, Run: run.ID}
	if now, err := s.now(ctx, t); err == nil {
		message.Time = now
	} else {
		return err
	}
	for _, r := range results {
		change := checks.Compare(states[r.Check.Name], r)
		if err := s.recordCheck(ctx, t, d.Name, run.ID, change); err != nil {
			return err
		}
		if change.Tells() {
			message.Checks = append(message.Checks, notify.OfCheck(change))
		}
	}
	if err := s.dropChecks(ctx, t, d); err != nil {
		return err
	}
	if message.Tables, err = s.tableChanges(ctx, t, d, run); err != nil {
		return err
	}
	for i := range d.Notify {
		target := &d.Notify[i]
		own := message.For(target)
		if own == nil {
			continue
		}
		body, err := own.Encode()
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, "INSERT INTO lakeql_notification (pipeline, run_id, target, made_at, body) VALUES (?1, ?2, ?3, ?4, ?5)",
			d.Name, run.ID, target.Name, stamp(message.Time), string(body)); err != nil {
			return err
		}
	}
	return nil
}

// recordCheck stores the result of one check.
func (s *Store) recordCheck(ctx context.Context, t tx, pipeline string, run int64, change *checks.Change) error {
	r := change.Result
	c := r.Check
	var count, number any
	if !c.Expect.Number() && r.Outcome != checks.Broken {
		count = int64(len(r.Rows))
	}
	if r.Number != "" {
		number = r.Number.String()
	}
	at := stamp(r.At)
	if _, err := t.exec(ctx, `INSERT INTO lakeql_check (pipeline, name, severity, owner, control, description, docs, state, since, checked_at, run_id, row_count, value, message)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
		ON CONFLICT (pipeline, name) DO UPDATE SET severity = excluded.severity, owner = excluded.owner, control = excluded.control, description = excluded.description, docs = excluded.docs,
		state = excluded.state, since = excluded.since, checked_at = excluded.checked_at, run_id = excluded.run_id, row_count = excluded.row_count, value = excluded.value, message = excluded.message`,
		pipeline, c.Name, string(c.Severity), plain(c.Owner), plain(c.Control), plain(c.Description), plain(c.Docs), string(r.Outcome), stamp(change.Since), at, run, count, number, plain(r.Summary())); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `INSERT INTO lakeql_check_result (pipeline, check_name, run_id, checked_at, severity, state, row_count, value, added, changed, removed, message)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`,
		pipeline, c.Name, run, at, string(c.Severity), string(r.Outcome), count, number, int64(len(change.Added)), int64(len(change.Changed)), int64(len(change.Removed)), plain(r.Summary())); err != nil {
		return err
	}
	rows, keeps := change.Keeps()
	if !keeps {
		return nil
	}
	for _, row := range rows {
		values, err := json.Marshal(row.Values)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `INSERT INTO lakeql_check_row (pipeline, check_name, row_key, first_seen, last_seen, first_run, last_run, message, row_values) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?5, ?6, ?7)
			ON CONFLICT (pipeline, check_name, row_key) DO UPDATE SET last_seen = excluded.last_seen, last_run = excluded.last_run, message = excluded.message, row_values = excluded.row_values`,
			pipeline, c.Name, row.Key, at, run, plain(row.Message), string(values)); err != nil {
			return err
		}
	}
	_, err := t.exec(ctx, "DELETE FROM lakeql_check_row WHERE pipeline = ?1 AND check_name = ?2 AND last_run <> ?3", pipeline, c.Name, run)
	return err
}

// dropChecks forgets the states of checks that the pipeline does not have any more, and notifications for
// targets that it does not have.
func (s *Store) dropChecks(ctx context.Context, t tx, d *Definition) error {
	var known, targets []string
	for i := range d.Checks {
		known = append(known, d.Checks[i].Name)
	}
	for i := range d.Notify {
		targets = append(targets, d.Notify[i].Name)
	}
	for _, statement := range []string{
		"DELETE FROM lakeql_check WHERE pipeline = ?1 AND name NOT IN (" + literals(known) + ")",
		"DELETE FROM lakeql_check_row WHERE pipeline = ?1 AND check_name NOT IN (" + literals(known) + ")",
		"DELETE FROM lakeql_notification WHERE pipeline = ?1 AND target NOT IN (" + literals(targets) + ")",
	} {
		if _, err := t.exec(ctx, statement, d.Name); err != nil {
			return err
		}
	}
	return nil
}

// pruneChecks deletes the results of checks before a time, and notifications that nobody took since.
func pruneChecks(ctx context.Context, t tx, pipeline string, from time.Time) error {
	for _, statement := range []string{
		"DELETE FROM lakeql_check_result WHERE pipeline = ?1 AND checked_at < ?2",
		"DELETE FROM lakeql_notification WHERE pipeline = ?1 AND made_at < ?2",
	} {
		if _, err := t.exec(ctx, statement, pipeline, stamp(from)); err != nil {
			return err
		}
	}
	return nil
}

// plain is a text as both databases keep it: PostgreSQL has no NUL.
func plain(text string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "␀"), "\uFFFD")
}

// CheckOutcome is the result of a check after a run.
type CheckOutcome struct {
	Name     string
	Severity checks.Severity
	Outcome  checks.Outcome
	Message  string
}

// CheckOutcomes lists the results of the checks after a run, the worst first.
func (s *Store) CheckOutcomes(ctx context.Context, run int64) ([]CheckOutcome, error) {
	var all []CheckOutcome
	err := each(ctx, s.db, "SELECT check_name, severity, state, message FROM lakeql_check_result WHERE run_id = ?1 ORDER BY CASE state WHEN 'pass' THEN 2 WHEN 'unknown' THEN 1 ELSE 0 END, "+bySeverity+", check_name, id", []any{run}, func(scan func(...any) error) error {
		var o CheckOutcome
		var severity, state string
		err := scan(&o.Name, &severity, &state, &o.Message)
		o.Severity, o.Outcome = checks.Severity(severity), checks.Outcome(state)
		all = append(all, o)
		return err
	})
	return all, storeError(s.place, err)
}

// StatusChecks returns a row for each check of a pipeline, or of all if the name is empty: its state, since when,
// and why. The worst come first.
func (s *Store) StatusChecks(ctx context.Context, pipeline string) (provider.Rows, error) {
	return s.read(ctx, columns("pipeline check severity state since:timestamp checked_at:timestamp run:integer rows:integer value message owner control"),
		`SELECT pipeline, name, severity, state, since, checked_at, run_id, row_count, value, NULLIF(message, ''), NULLIF(owner, ''), NULLIF(control, '') FROM lakeql_check
		WHERE pipeline = ?1 OR ?1 = '' ORDER BY `+worstFirst, pipeline)
}
