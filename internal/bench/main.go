// Command bench measures the cost of the built command, as a whole process, against emulators in other
// processes. It prints the median and the range of the time, the largest peak of memory, and the number of
// calls in a run, beside the aims.
//
// It measures another build of the command (-against) and floor programs, which do the same with net/http
// alone, alternately in the same run, so that the ratios stay true if the machine's speed changes.
//
// With -sizes it prints the size of the builds, and the cost of their packages' initialisation.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	binary := flag.String("binary", "bin/lakeql", "the command to measure")
	against := flag.String("against", "", "another build of the command, measured in turn with the first")
	runs := flag.Int("n", 20, "runs of each, at most: long ones are run less often")
	postgres := flag.String("postgres", "", "connection string of a PostgreSQL database to share pipelines' runs in, all that is in it goes, and to measure the proxy with; without it, pipelines have a server of their own")
	sizes := flag.Bool("sizes", false, "print the size of the command and the cost of its packages' initialisation, and measure nothing else")
	only := flag.String("only", "", "measure only what has this in its name")
	flag.Parse()
	binaries := []string{*binary}
	if *against != "" {
		binaries = append(binaries, *against)
	}
	run := func(ctx context.Context) error { return bench(ctx, binaries, *only, *postgres, *runs) }
	if *sizes {
		run = func(ctx context.Context) error { return printSizes(ctx, binaries, *runs) }
	}
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, binaries []string, only, postgres string, runs int) error {
	built, err := buildFloors(ctx)
	if err != nil {
		return err
	}
	defer built.remove()
	programs := make([]string, len(binaries))
	for i, name := range binaries {
		if programs[i], err = built.install(name, fmt.Sprintf("lakeql-%d", i)); err != nil {
			return err
		}
	}
	heading()
	for _, w := range workloads() {
		if err := w.measure(ctx, binaries, programs, built, only, runs); err != nil {
			return err
		}
	}
	if err := benchServer(ctx, binaries[0], only, runs); err != nil {
		return err
	}
	if err := benchProxy(ctx, binaries[0], only, postgres, runs); err != nil {
		return err
	}
	return benchPipelines(ctx, binaries, only, postgres, runs)
}

// measure runs the subjects of a workload against a new emulator. programs, if any, run in place of the
// binaries.
func (w *workload) measure(ctx context.Context, binaries, programs []string, built floors, only string, runs int) error {
	e, err := startEmulator(ctx, binaries[0], w.emulator)
	if err != nil {
		return err
	}
	defer e.stop()
	for _, s := range w.subjects {
		if !strings.Contains(s.name, only) {
			continue
		}
		var names []string
		var commands [][]string // the floor first, then each build
		if s.floor != noFloor {
			names, commands = append(names, "floor"), append(commands, built.argv(s.floor))
		}
		for i, name := range binaries {
			names, commands = append(names, name), append(commands, append([]string{programs[i]}, s.argv...))
		}
		samples := make([][]sample, len(commands))
		warm := min(w.most-1, 1) // a run that warms the machine's caches, where one takes less than half a minute
		for run := range min(runs, w.most) + warm {
			for i, argv := range commands {
				got, err := e.run(ctx, argv)
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				if run >= warm {
					samples[i] = append(samples[i], got)
				}
			}
		}
		ratios := make([]string, len(commands))
		for i := range commands {
			if s.floor != noFloor && i > 0 {
				ratios[i] = ratio(samples[i], samples[0])
			}
		}
		for i, name := range names { // which puts the samples in order, after the ratios of those that were taken in turn
			report(s, name, ratios[i], samples[i])
		}
	}
	return nil
}
