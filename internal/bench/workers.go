package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// atOnceEach is how many queries a worker makes at once, so that latency and not this machine bounds one.
const atOnceEach = 8

// together measures runs that one, two and four workers share on one PostgreSQL server.
func (e *emulator) together(ctx context.Context, binaries []string, folder, name, postgres string, runs int) error {
	alone := make([]time.Duration, len(binaries))
	for _, workers := range []int{1, 2, 4} {
		samples, watched := make([][]sample, len(binaries)), make([]watch, len(binaries))
		for range runs {
			for b, binary := range binaries {
				s := &sharedRun{e: e, binary: binary, folder: folder, postgres: postgres, workers: workers}
				got, err := s.run(ctx)
				if err != nil {
					return err
				}
				samples[b], watched[b] = append(samples[b], got), s.watch
			}
		}
		for b, binary := range binaries {
			wall := middleOf(samples[b]).wall
			aim := fmt.Sprintf("%d queries at once each; a query took %s; %.0f rows/s; %s", atOnceEach, perQuery(samples[b]), float64(watched[b].rows)/wall.Seconds(), watched[b])
			if workers == 1 {
				alone[b] = wall
			} else {
				aim += fmt.Sprintf("; %.2f × the rate of one worker, aim ≥ %.2f if the processors are not all busy", float64(alone[b])/float64(wall), float64(workers)/1.5)
			}
			report(subject{name: fmt.Sprintf("%s, workers: %d", name, workers), aim: aim}, binary, "", samples[b])
		}
	}
	return nil
}

// sharedRun is a run that several workers share.
type sharedRun struct {
	e                        *emulator
	binary, folder, postgres string
	workers                  int
	watch                    watch // of the run
}

func (s *sharedRun) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.binary, args...) //nolint:gosec // the command to measure is the caller's choice
	cmd.Env = s.e.env
	return cmd
}

// run has the workers do the run in an empty database, from its trigger to its end.
func (s *sharedRun) run(ctx context.Context) (sample, error) {
	conn, err := pgx.Connect(ctx, s.postgres)
	if err != nil {
		return sample{}, err
	}
	defer func() { _ = conn.Close(ctx) }() // nothing is left to lose
	if _, err := conn.Exec(ctx, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		return sample{}, err
	}
	if out, err := s.command(ctx, "pipeline", "schedule", "install", "--store", s.postgres, s.folder).CombinedOutput(); err != nil {
		return sample{}, fmt.Errorf("%w: %s", err, out)
	}
	var started []*exec.Cmd
	defer func() {
		for _, w := range started {
			_ = w.Process.Signal(syscall.SIGTERM) // it may be gone
			_ = w.Wait()
		}
	}()
	for range s.workers {
		w := s.command(ctx, "worker", "--store", s.postgres, "--concurrency", fmt.Sprint(atOnceEach))
		if err := w.Start(); err != nil {
			return sample{}, err
		}
		started = append(started, w)
	}
	if err := s.until(ctx, conn, fmt.Sprintf("SELECT count(*) = %d FROM lakeql_worker", s.workers)); err != nil {
		return sample{}, err
	}
	used := func() (all sample, err error) {
		for _, w := range started {
			all.cpu += cpuOf(w.Process.Pid)
		}
		all.other = s.e.cpu()
		all.store, err = serverCPU(ctx, conn)
		return all, err
	}
	before, err := used()
	if err != nil {
		return sample{}, err
	}
	if err := s.watch.begin(ctx, conn); err != nil {
		return sample{}, err
	}
	if out, err := s.command(ctx, "pipeline", "schedule", "trigger", "bench", "--store", s.postgres).CombinedOutput(); err != nil {
		return sample{}, fmt.Errorf("%w: %s", err, out)
	}
	if err := s.until(ctx, conn, "SELECT count(*) = 1 FROM lakeql_run WHERE ended_at IS NOT NULL"); err != nil {
		return sample{}, err
	}
	after, err := used()
	if err != nil {
		return sample{}, err
	}
	if err := s.watch.end(ctx, conn); err != nil {
		return sample{}, err
	}
	var seconds float64
	var done int
	err = conn.QueryRow(ctx, "SELECT extract(epoch FROM max(ended_at) - min(begun_at))::float8, count(*) FILTER (WHERE state = 'done'), sum(row_count)::int8 FROM lakeql_task").Scan(&seconds, &done, &s.watch.rows)
	if err == nil && done != queries() {
		err = fmt.Errorf("%d of %d queries were answered", done, queries())
	}
	took := time.Duration(seconds * float64(time.Second))
	return sample{wall: took, cpu: after.cpu - before.cpu, other: after.other - before.other, store: after.store - before.store}, err
}

// until waits for a condition, and looks at what PostgreSQL's sessions wait for.
func (s *sharedRun) until(ctx context.Context, conn *pgx.Conn, condition string) error {
	for range 6000 {
		var there bool
		if err := conn.QueryRow(ctx, condition).Scan(&there); err != nil || there {
			return err
		}
		if err := s.watch.look(ctx, conn); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.New("the workers do not come to an end: " + condition)
}

// watch tells what a PostgreSQL server did during a run, and what its sessions waited for.
type watch struct {
	looks, active, locks, inner, disk int // sums over the looks
	commits, syncs                    int64
	rows                              int64 // of all answers
}

// counters are the server's since it began.
const counters = "SELECT (SELECT sum(xact_commit)::int8 FROM pg_stat_database), (SELECT wal_sync FROM pg_stat_wal)"

func (w *watch) begin(ctx context.Context, conn *pgx.Conn) error {
	*w = watch{}
	return conn.QueryRow(ctx, counters).Scan(&w.commits, &w.syncs)
}

func (w *watch) end(ctx context.Context, conn *pgx.Conn) error {
	var commits, syncs int64
	err := conn.QueryRow(ctx, counters).Scan(&commits, &syncs)
	w.commits, w.syncs = commits-w.commits, syncs-w.syncs
	return err
}

// look counts the sessions that work or wait at the moment.
func (w *watch) look(ctx context.Context, conn *pgx.Conn) error {
	var active, locks, inner, disk int
	err := conn.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE wait_event_type = 'Lock'), count(*) FILTER (WHERE wait_event_type = 'LWLock'), count(*) FILTER (WHERE wait_event_type = 'IO')
		FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()`).Scan(&active, &locks, &inner, &disk)
	w.looks++
	w.active, w.locks, w.inner, w.disk = w.active+active, w.locks+locks, w.inner+inner, w.disk+disk
	return err
}

// String words it for a report.
func (w watch) String() string {
	each := func(n int) float64 { return float64(n) / float64(max(w.looks, 1)) }
	return fmt.Sprintf("PostgreSQL: %.1f sessions active, of which %.2f wait for a lock, %.2f for one of its own, %.2f for the disk; %.1f commits and %.2f syncs of its log a query",
		each(w.active), each(w.locks), each(w.inner), each(w.disk), float64(w.commits)/float64(queries()), float64(w.syncs)/float64(queries()))
}
