package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	token = "dapi5f00ba7"
	// patience is how long a process may take in all.
	patience = time.Minute
	// farewell is how long it may take behind a Ctrl-C: a second, on a machine that does much else.
	farewell = 5 * time.Second
)

// outcome is how a process ended.
type outcome struct {
	stdout, stderr string
	status         int
	hung           bool // it was killed
	deaf           bool // it went on behind a Ctrl-C
	astray         string
	sent           int      // how many requests the target got
	stored         *outcome // of a pipeline: what its store holds then
}

// runner runs cells.
type runner struct {
	command string
	dir     string // for homes and stores
}

// pipelineYAML takes its workspaces from the account, so that listing them may fail as well. One attempt is
// enough: the matrix does not test the number of attempts.
const pipelineYAML = "name: matrix\nstore: s.db\nworkspaces: all\nattempts: 1\nretention: never\n"

// stored reads the rows that a pipeline has stored.
const stored = `SELECT c.deployment_name, c.cluster_id, c.cluster_name, c.n, c.stale, s.error IS NOT NULL AS failed
FROM clusters c JOIN pipeline_status s ON s.table_name = 'clusters' AND s.deployment_name = c.deployment_name ORDER BY 1, 2`

// run runs a statement against a server that plays a fault.
func (r *runner) run(ctx context.Context, s *surface, f *fault) (outcome, error) {
	if s.pipeline {
		return r.runPipeline(ctx, s, f)
	}
	v, err := serve(ctx, s, f)
	if err != nil {
		return outcome{}, err
	}
	defer v.close()
	args := []string{"exec", "-o", "json", "--store", ":memory:"}
	if !f.once {
		args = append(args, "--retry-timeout", "0")
	}
	args = append(args, s.flags...)
	got, err := r.process(ctx, v, r.dir, append(append(args, limit(s, f)...), s.statement))
	got.sent, got.astray = v.targeted(), v.astray()
	return got, err
}

// limit is how long the server may be silent. A loaded machine is slow too, so it is short only where the
// server falls silent.
func limit(s *surface, f *fault) []string {
	seconds := "30"
	if f.ends(s) == silent {
		seconds = "2"
	}
	return []string{"--apirequesttimeout", seconds}
}

// runPipeline runs a pipeline twice, the second time against the fault, and reads its store.
func (r *runner) runPipeline(ctx context.Context, s *surface, f *fault) (outcome, error) {
	dir, err := os.MkdirTemp(r.dir, "pipeline")
	if err != nil {
		return outcome{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the folder above it is removed as well
	for name, text := range map[string]string{"pipeline.yaml": pipelineYAML, "clusters.sql": "-- table: clusters\n-- key: cluster_id\n" + s.statement + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return outcome{}, err
		}
	}
	first, err := serve(ctx, s, &fault{num: "1", text: "old"})
	if err != nil {
		return outcome{}, err
	}
	first.healthy = true
	got, err := r.process(ctx, first, dir, []string{"pipeline", "run", "-q", "."})
	first.close()
	if err != nil || got.status != 0 {
		return got, errors.Join(err, fmt.Errorf("the first run of the pipeline ends with status %d: %s", got.status, got.stderr))
	}
	v, err := serve(ctx, s, f)
	if err != nil {
		return outcome{}, err
	}
	got, err = r.process(ctx, v, dir, append([]string{"pipeline", "run", "-q", "."}, limit(s, f)...))
	got.sent, got.astray = v.targeted(), v.astray()
	v.close()
	if err != nil {
		return got, err
	}
	nobody := &server{surface: s, fault: f, quiet: make(chan struct{})}
	kept, err := r.process(ctx, nobody, dir, []string{"exec", "-o", "json", "--store", "s.db", stored})
	got.stored = &kept
	return got, err
}

// process runs the command to its end.
func (r *runner) process(ctx context.Context, v *server, dir string, args []string) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.command, args...) //nolint:gosec // running it is what this program is for
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + r.dir, "PATH=" + r.dir, "TMPDIR=" + os.TempDir(), "TZ=UTC", "DATABRICKS_TOKEN=" + token}
	if v.listener != nil {
		cmd.Env = append(cmd.Env, "DATABRICKS_HOST="+v.url())
	}
	if v.surface.account {
		cmd.Env = append(cmd.Env, "DATABRICKS_ACCOUNT_ID=0a")
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return outcome{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var got outcome
	err := v.wait(cmd.Process, ended, &got)
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok && !errors.Is(err, context.DeadlineExceeded) {
		return outcome{}, err
	}
	got.stdout, got.stderr, got.status = stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
	got.hung = ctx.Err() != nil
	return got, nil
}

// wait waits for the process, and presses Ctrl-C when the server falls silent for that.
func (v *server) wait(process *os.Process, ended <-chan error, got *outcome) error {
	if v.healthy || v.fault.ends(v.surface) != cancelled {
		return <-ended
	}
	select {
	case err := <-ended:
		return err
	case <-v.quiet:
	}
	_ = process.Signal(os.Interrupt) // it may have ended
	late := time.AfterFunc(farewell, func() {
		_ = process.Kill() // as above
	})
	err := <-ended
	got.deaf = !late.Stop()
	return err
}

// ends is how the fault ends the connection.
func (f *fault) ends(s *surface) ending {
	if f.play == nil {
		return keepOpen
	}
	target := s.calls[s.target].answer
	return f.play(target, f.fill(target.text())).end
}
