package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
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
// The builds take turns. Without a server's connection string it starts one.
func benchPipelines(ctx context.Context, binaries []string, only, postgres string, runs int) error {
	folder, err := makeInventory()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }() // it is in a folder for what may go
	e, err := startEmulator(ctx, binaries[0], []string{"--workspaces", fmt.Sprint(inventoried), "--latency", latency.String()})
	if err != nil {
		return err
	}
	defer e.stop()
	if name := fmt.Sprintf("pipeline, %d workspaces × %d queries", inventoried, len(inventory)); strings.Contains(name, only) {
		if err := e.embedded(ctx, binaries, folder, name, min(runs, 5)); err != nil {
			return err
		}
	}
	name := "pipeline on PostgreSQL"
	if !strings.Contains(name, only) {
		return nil
	}
	if postgres == "" {
		own, err := startPostgres(ctx)
		if errors.Is(err, errNoPostgres) {
			fmt.Fprintln(os.Stderr, "bench:", name, "is not measured:", err)
			return nil
		}
		if err != nil {
			return err
		}
		defer own.stop()
		postgres = own.dsn
	}
	return e.together(ctx, binaries, folder, name, postgres, min(runs, 3))
}

// embedded measures runs into an SQLite file: a new one each time, then once more with nothing changed.
func (e *emulator) embedded(ctx context.Context, binaries []string, folder, name string, runs int) error {
	names := [2]string{name, "the same with nothing changed"}
	samples := make([][2][]sample, len(binaries))
	into := func(store string) []string { return []string{"pipeline", "run", "-q", "--store", store, folder} }
	for run := range runs {
		for b, binary := range binaries {
			store := filepath.Join(folder, fmt.Sprintf("store-%d-%d.db", b, run))
			for i := range names {
				got, err := e.run(ctx, append([]string{binary}, into(store)...))
				if err != nil {
					return err
				}
				samples[b][i] = append(samples[b][i], got)
			}
		}
	}
	p, err := buildProfiled(ctx)
	if err != nil {
		return err
	}
	defer p.remove()
	for i, name := range names {
		of, err := p.run(ctx, e, into(filepath.Join(folder, "store-profiled.db"))...)
		if err != nil {
			return err
		}
		for b, binary := range binaries {
			aim := "≤ 5 ms a query; it took " + perQuery(samples[b][i])
			if b == 0 {
				aim += "; of the command's, by a profile: " + of
			}
			if i > 0 {
				aim += fmt.Sprintf("; %.2f × the CPU of the first run", float64(middleOf(samples[b][i]).cpu)/float64(middleOf(samples[b][0]).cpu))
			}
			report(subject{name: name, aim: aim}, binary, "", samples[b][i])
		}
	}
	return nil
}

// perQuery words the time of a query, and who used the processors in it. All of them share this machine, so the
// part of the others says how much of the time is not the command's.
func perQuery(samples []sample) string {
	middle := middleOf(samples)
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(queries()) }
	text := fmt.Sprintf("%.1f ms, with CPU: command %.2f, emulator %.2f", each(middle.wall), each(middle.cpu), each(middle.other))
	if middle.store > 0 {
		text += fmt.Sprintf(", PostgreSQL %.2f", each(middle.store))
	}
	busy := float64(middle.cpu+middle.other+middle.store) / float64(middle.wall) / float64(runtime.NumCPU())
	return fmt.Sprintf("%s; %d processors %.0f %% busy", text, runtime.NumCPU(), 100*busy)
}

// middleOf is the sample in the middle, by its duration.
func middleOf(samples []sample) sample {
	sorted := slices.SortedFunc(slices.Values(samples), func(a, b sample) int { return cmp.Compare(a.wall, b.wall) })
	return sorted[len(sorted)/2]
}
