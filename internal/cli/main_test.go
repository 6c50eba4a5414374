package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
)

// TestMain builds the command, once for all tests of the package.
func TestMain(m *testing.M) {
	built, remove, err := testworld.BuildCommand()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := os.Setenv("LAKEQL_UNDER_TEST", built); err != nil {
		panic(err)
	}
	status := m.Run()
	remove()
	os.Exit(status)
}

// result is the result of a run of the command.
type result struct {
	stdout, stderr string
	status         int
}

// run is the command with its surroundings.
type run struct {
	args  []string
	env   []string // beside an empty home
	stdin string
	dir   string
}

// do runs the command to its end.
func (r run) do(t *testing.T) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := r.command(ctx, t)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatalf("run %v: %v", r.args, err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func (r run) command(ctx context.Context, t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(ctx, os.Getenv("LAKEQL_UNDER_TEST"), r.args...)
	home := t.TempDir()
	cmd.Env = append([]string{"HOME=" + home, "PATH=" + home, "TZ=UTC"}, r.env...)
	cmd.Stdin = strings.NewReader(r.stdin)
	cmd.Dir = r.dir
	return cmd
}

// workspace starts an emulator and returns the environment for the command.
func workspace(t *testing.T, opts emulator.Options) (*emulator.Server, []string) {
	t.Helper()
	server := testworld.StartEmulator(t, opts)
	return server, []string{"DATABRICKS_HOST=" + server.URL(), "DATABRICKS_TOKEN=" + server.Token()}
}

func faults(t *testing.T, texts ...string) []emulator.Fault {
	t.Helper()
	var all []emulator.Fault
	for _, text := range texts {
		fault, err := emulator.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fault)
	}
	return all
}
