// Command bench measures what the built command costs, as a whole process, side by side in one
// run, against emulators in other processes. It prints the median and the range of the time, the
// largest peak of memory, and how many calls a run made, beside what was aimed at.
//
// Programs that do the same, if they are installed, are measured in turn with it, so that the
// ratio holds while the machine's speed drifts: name them with -against.
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
	postgres := flag.String("postgres", "", "connection string of a PostgreSQL database to share pipelines' runs in; all that is in it goes")
	only := flag.String("only", "", "measure only what has this in its name")
	flag.Parse()
	if err := bench(context.Background(), *binary, *against, *only, *postgres, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, binary, against, only, postgres string, runs int) error {
	binaries := []string{binary}
	if against != "" {
		binaries = append(binaries, against)
	}
	heading()
	for _, w := range workloads() {
		if err := w.measure(ctx, binaries, only, runs); err != nil {
			return err
		}
	}
	return benchPipelines(ctx, binary, only, postgres, runs)
}

// measure runs the subjects of a workload against an emulator of their own.
func (w *workload) measure(ctx context.Context, binaries []string, only string, runs int) error {
	e, err := startEmulator(ctx, binaries[0], w.emulator)
	if err != nil {
		return err
	}
	defer e.stop()
	for _, s := range w.subjects {
		if !strings.Contains(s.name, only) {
			continue
		}
		samples := make([][]sample, len(binaries))
		warm := min(w.most-1, 1) // a run that warms the machine's caches, where one takes less than half a minute
		for run := range min(runs, w.most) + warm {
			for i, name := range binaries {
				got, err := e.run(ctx, append([]string{name}, s.argv...))
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				if run >= warm {
					samples[i] = append(samples[i], got)
				}
			}
		}
		for i, name := range binaries {
			report(s, name, samples[i])
		}
	}
	return nil
}
