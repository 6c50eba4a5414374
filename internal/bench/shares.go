package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// shares are the parts of the command's CPU time in a run of a pipeline, each by the functions that stand
// in its stacks. A stack counts for the first one that it is of.
var shares = []struct{ name, functions string }{
	{"the store", `^database/sql\.|/pgx/|^internal/pipeline\.\(\*Store\)`}, // nothing else in a run uses database/sql
	{"the queries", `internal/cli\.\(\*asker\)|internal/fetch\.|^net/http\.`},
	{"freeing memory", `^runtime\.(gcBgMarkWorker|gcAssistAlloc|bgsweep|bgscavenge)$`},
}

// profiled measures the shares in a pipeline's runs. It runs another build of the command, which has a
// profiler, so it needs the module's sources.
type profiled struct{ program, folder string }

// buildProfiled builds it.
func buildProfiled(ctx context.Context) (*profiled, error) {
	folder, err := os.MkdirTemp("", "lakeql-profile-")
	if err != nil {
		return nil, err
	}
	p := &profiled{filepath.Join(folder, "lakeql"), folder}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", p.program, "./internal/bench/profiled") //nolint:gosec // the folder is ours
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		p.remove()
		return nil, fmt.Errorf("build the command with its profiler: %w\n%s", err, out)
	}
	return p, nil
}

func (p *profiled) remove() { _ = os.RemoveAll(p.folder) } // it is in a folder for temporary files

// run runs the command against an emulator, and words the shares of its CPU time.
func (p *profiled) run(ctx context.Context, e *emulator, args ...string) (string, error) {
	profile := filepath.Join(p.folder, "profile")
	with := *e
	with.env = append(append([]string(nil), e.env...), "LAKEQL_BENCH_PROFILE="+profile)
	if _, err := with.run(ctx, append([]string{p.program}, args...)); err != nil {
		return "", err
	}
	var parts, before []string
	rest := 100.0
	for _, s := range shares {
		percent, err := p.percent(ctx, profile, s.functions, strings.Join(before, "|"))
		if err != nil {
			return "", err
		}
		parts = append(parts, fmt.Sprintf("%s %.0f %%", s.name, percent))
		before = append(before, s.functions)
		rest -= percent
	}
	return strings.Join(append(parts, fmt.Sprintf("the rest %.0f %%", rest)), ", "), nil
}

var accounted = regexp.MustCompile(`^Showing nodes accounting for [^,]+, ([0-9.]+)% of`)

// percent is the share of the stacks that have one of some functions, and none of others.
func (p *profiled) percent(ctx context.Context, profile, functions, others string) (float64, error) {
	args := []string{"tool", "pprof", "-top", "-nodecount=1000000", "-nodefraction=0", "-focus=" + functions}
	if others != "" {
		args = append(args, "-ignore="+others)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, p.program, profile)...) //nolint:gosec // its own arguments
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("read the profile: %w: %s", err, stderr.String())
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if found := accounted.FindStringSubmatch(lines.Text()); found != nil {
			return strconv.ParseFloat(found[1], 64)
		}
	}
	return 0, nil // no stack has one
}
