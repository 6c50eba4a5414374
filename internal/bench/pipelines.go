package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// The workload of pipelines: a number of workspaces, and a list of each of these resources.
const inventoried = 100

// inventory are the resources that are listed, and the columns that tell their rows apart.
var inventory = map[string]string{
	"postgres.postgres_projects": "name", "jobs.jobs": "job_id", "compute.clusters": "cluster_id", "sql.warehouses": "id", "catalog.catalogs": "name",
	"iam.users": "id", "iam.groups": "id", "iam.service_principals": "id", "pipelines.pipelines": "pipeline_id", "serving.serving_endpoints": "id",
}

// queries is how many queries a run has.
func queries() int { return inventoried * len(inventory) }

// makeInventory makes the folder of a pipeline.
func makeInventory() (string, error) {
	folder, err := os.MkdirTemp("", "lakeql-bench-")
	if err != nil {
		return "", err
	}
	files := map[string]string{"pipeline.yaml": "name: bench\nworkspaces: all\nschedule: \"0 0 1 1 *\"\n"}
	for resource, key := range inventory {
		name := strings.ReplaceAll(resource, ".", "_")
		files[name+".sql"] = fmt.Sprintf("-- table: %s\n-- key: %s\nSELECT * FROM databricks_workspace.%s\n", name, key, resource)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	return folder, nil
}

// benchPipelines measures runs of a pipeline: embedded, and on a PostgreSQL server with several workers.
func benchPipelines(ctx context.Context, binary, only, postgres string, runs int) error {
	folder, err := makeInventory()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }() // it is in a folder for what may go
	e, err := startEmulator(ctx, binary, []string{"--workspaces", fmt.Sprint(inventoried), "--latency", latency.String()})
	if err != nil {
		return err
	}
	defer e.stop()
	if name := fmt.Sprintf("pipeline, %d workspaces × %d queries", inventoried, len(inventory)); strings.Contains(name, only) {
		if err := e.embedded(ctx, binary, folder, name, min(runs, 5)); err != nil {
			return err
		}
	}
	if name := "pipeline on PostgreSQL"; postgres != "" && strings.Contains(name, only) {
		return e.together(ctx, binary, folder, name, postgres, min(runs, 3))
	}
	return nil
}

// embedded measures runs into an SQLite file: a new one each time, then once more with nothing changed.
func (e *emulator) embedded(ctx context.Context, binary, folder, name string, runs int) error {
	var first, second []sample
	for run := range runs {
		store := filepath.Join(folder, fmt.Sprintf("store-%d.db", run))
		for _, into := range []*[]sample{&first, &second} {
			got, err := e.run(ctx, []string{binary, "pipeline", "run", "-q", "--store", store, folder})
			if err != nil {
				return err
			}
			*into = append(*into, got)
		}
	}
	// The emulator works on the same processors: its share says how much of the time is not the command's.
	perQuery := func(samples []sample) string {
		middle := middleOf(samples)
		each := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(queries()) }
		return fmt.Sprintf("≤ 5 ms a query; it took %.1f, with %.1f ms CPU of the command and %.1f of the emulator", each(middle.wall), each(middle.cpu), each(middle.other))
	}
	report(subject{name: name, aim: perQuery(first)}, binary, "", first)
	ratio := float64(middleOf(second).cpu) / float64(middleOf(first).cpu)
	report(subject{name: "the same with nothing changed", aim: fmt.Sprintf("%s; %.2f × the CPU of the first run, so the store's changes are %.0f %% of that", perQuery(second), ratio, 100*(1-ratio))}, binary, "", second)
	return nil
}

// middleOf is the sample in the middle, by its duration.
func middleOf(samples []sample) sample {
	sorted := slices.SortedFunc(slices.Values(samples), func(a, b sample) int { return cmp.Compare(a.wall, b.wall) })
	return sorted[len(sorted)/2]
}

// together measures runs that one, two and four workers share, each with a few queries at once, so that
// latency and not this machine bounds them.
func (e *emulator) together(ctx context.Context, binary, folder, name, postgres string, runs int) error {
	const atOnce = 8
	for _, workers := range []int{1, 2, 4} {
		var samples []sample
		for range runs {
			took, err := e.share(ctx, binary, folder, postgres, workers, atOnce)
			if err != nil {
				return err
			}
			samples = append(samples, sample{wall: took})
		}
		report(subject{name: fmt.Sprintf("%s, %d workers", name, workers), aim: fmt.Sprintf("%d queries at once each", atOnce)}, binary, "", samples)
	}
	return nil
}

// share has several workers do one run, and returns its duration.
func (e *emulator) share(ctx context.Context, binary, folder, postgres string, workers, atOnce int) (time.Duration, error) {
	conn, err := pgx.Connect(ctx, postgres)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(ctx) }() // nothing is left to lose
	if _, err := conn.Exec(ctx, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		return 0, err
	}
	command := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, binary, args...) //nolint:gosec // the command to measure is the caller's choice
		cmd.Env = e.env
		return cmd
	}
	if out, err := command("pipeline", "schedule", "install", "--store", postgres, folder).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	var started []*exec.Cmd
	defer func() {
		for _, w := range started {
			_ = w.Process.Signal(syscall.SIGTERM) // it may be gone
			_ = w.Wait()
		}
	}()
	for range workers {
		w := command("worker", "--store", postgres, "--concurrency", fmt.Sprint(atOnce))
		if err := w.Start(); err != nil {
			return 0, err
		}
		started = append(started, w)
	}
	until := func(query string) error {
		for range 6000 {
			var there bool
			if err := conn.QueryRow(ctx, query).Scan(&there); err != nil || there {
				return err
			}
			time.Sleep(20 * time.Millisecond)
		}
		return errors.New("the workers do not come to an end: " + query)
	}
	if err := until(fmt.Sprintf("SELECT count(*) = %d FROM lakeql_worker", workers)); err != nil {
		return 0, err
	}
	if out, err := command("pipeline", "schedule", "trigger", "bench", "--store", postgres).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	if err := until("SELECT count(*) = 1 FROM lakeql_run WHERE ended_at IS NOT NULL"); err != nil {
		return 0, err
	}
	var seconds float64
	var done int
	err = conn.QueryRow(ctx, "SELECT extract(epoch FROM max(ended_at) - min(begun_at))::float8, count(*) FILTER (WHERE state = 'done') FROM lakeql_task").Scan(&seconds, &done)
	if err == nil && done != queries() {
		err = fmt.Errorf("%d of %d queries were answered", done, queries())
	}
	return time.Duration(seconds * float64(time.Second)), err
}
