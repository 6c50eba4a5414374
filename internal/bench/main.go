// Command bench measures what the built command costs, as a whole process, side by side in one
// run: one EXEC against an emulator in another process, and SHOW METHODS. It prints the median
// and the range of the time, and the largest peak of memory.
//
// Programs that do the same, if they are installed, are measured in turn with it, so that the
// ratio holds while the machine's speed drifts: name them with -against.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	binary := flag.String("binary", "bin/lakeql", "the command to measure")
	against := flag.String("against", "", "another build of the command, measured in turn with the first")
	runs := flag.Int("n", 20, "runs of each")
	flag.Parse()
	if err := bench(context.Background(), *binary, *against, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// subject is a command line to measure.
type subject struct {
	name string
	argv []string
}

// sample is what one run of a subject cost.
type sample struct {
	wall time.Duration
	peak int64 // bytes
}

func bench(ctx context.Context, binary, against string, runs int) error {
	env, stop, err := startEmulator(ctx, binary)
	if err != nil {
		return err
	}
	defer stop()
	binaries := []string{binary}
	if against != "" {
		binaries = append(binaries, against)
	}
	statements := []subject{
		{"one EXEC, whole process", []string{"exec", "-o", "json", "EXEC databricks_workspace.postgres.postgres_credentials.generate @endpoint = 'projects/p/branches/b/endpoints/e'"}},
		{"one SELECT, whole process", []string{"exec", "-o", "json", "SELECT name FROM databricks_workspace.postgres.postgres_projects"}},
		{"SHOW METHODS, small service", []string{"exec", "-o", "json", "SHOW METHODS IN databricks_workspace.dataclassification.catalog_configs"}},
		{"SHOW METHODS, large service", []string{"exec", "-o", "json", "SHOW METHODS IN databricks_workspace.catalog.tables"}},
	}
	fmt.Printf("%-30s %-20s %10s %21s %10s\n", "", "command", "median", "range", "peak")
	for _, statement := range statements {
		samples := make([][]sample, len(binaries))
		for run := range runs + 1 {
			for i, name := range binaries {
				s, err := measure(ctx, env, append([]string{name}, statement.argv...))
				if err != nil {
					return fmt.Errorf("%s: %w", statement.name, err)
				}
				if run > 0 { // the first warms the machine's caches
					samples[i] = append(samples[i], s)
				}
			}
		}
		for i, name := range binaries {
			report(statement.name, name, samples[i])
		}
	}
	return nil
}

// startEmulator runs an emulator and gives the variables that point at it.
func startEmulator(ctx context.Context, binary string) ([]string, func(), error) {
	cmd := exec.CommandContext(ctx, binary, "emulator")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop := func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may be gone already
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("start the emulator: %w", err)
	}
	return append(os.Environ(), strings.Fields(strings.TrimPrefix(line, "export "))...), stop, nil
}

// measure runs a command once.
func measure(ctx context.Context, env, argv []string) (sample, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // the command to measure is the caller's choice
	cmd.Env = env
	began := time.Now()
	out, err := cmd.CombinedOutput()
	wall := time.Since(began)
	if err != nil {
		return sample{}, fmt.Errorf("%w: %s", err, out)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return sample{}, errors.New("this system does not tell what a process used")
	}
	return sample{wall, usage.Maxrss << 10}, nil // Linux counts in KiB
}

func report(what, command string, samples []sample) {
	slices.SortFunc(samples, func(a, b sample) int { return int(a.wall - b.wall) })
	var peak int64
	for _, s := range samples {
		peak = max(peak, s.peak)
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }
	fmt.Printf("%-30s %-20s %10s %21s %7.1f MB\n", what, command, ms(samples[len(samples)/2].wall),
		ms(samples[0].wall)+" – "+ms(samples[len(samples)-1].wall), float64(peak)/1e6)
}
