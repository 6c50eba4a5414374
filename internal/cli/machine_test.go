//go:build unix

package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
)

// machine is a worker in a separate process, as on a separate machine.
type machine struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it is gone, and all that it wrote is in lines
	err   error         // how it ended

	mu    sync.Mutex
	lines []string
}

// startWorker starts a worker on a store, which is killed with the test at the latest.
func startWorker(t *testing.T, env []string, s store, args ...string) *machine {
	t.Helper()
	args = append([]string{"worker", "--store", s.name, "--lease", "1s", "--log", "json"}, args...)
	m := &machine{cmd: run{args: args, env: env}.command(context.WithoutCancel(t.Context()), t), ended: make(chan struct{})}
	stderr, err := m.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(m.ended)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			m.mu.Lock()
			m.lines = append(m.lines, lines.Text())
			m.mu.Unlock()
		}
		m.err = m.cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = m.cmd.Process.Kill() // it may have ended
		<-m.ended
		if t.Failed() {
			t.Logf("worker %d wrote\n%s", m.pid(), strings.Join(m.logged(), "\n"))
		}
	})
	return m
}

func (m *machine) pid() int { return m.cmd.Process.Pid }

// named is a condition on a column that holds a worker's id.
func (m *machine) named(column string) string {
	return fmt.Sprintf("%s LIKE '%%-%d-%%'", column, m.pid())
}

func (m *machine) logged() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.lines...)
}

// signal sends it a signal.
func (m *machine) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := m.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// kill ends it as a power cut does.
func (m *machine) kill(t *testing.T) {
	t.Helper()
	m.signal(t, syscall.SIGKILL)
	<-m.ended
}

// stop asks it to end, which it does without an error.
func (m *machine) stop(t *testing.T) {
	t.Helper()
	m.signal(t, syscall.SIGTERM)
	eventually(t, "the worker ends when it is asked to", func() bool {
		select {
		case <-m.ended:
			return true
		default:
			return false
		}
	})
	if m.err != nil {
		t.Errorf("a worker that was asked to end: %v", m.err)
	}
}

// event is a line of a worker's log.
type event struct {
	Message   string `json:"msg"`
	Table     string `json:"table"`
	Workspace string `json:"workspace"`
	State     string `json:"state"`
	Error     string `json:"error"`
}

// events are the lines of a worker's log that tell of something.
func (m *machine) events(t *testing.T, message string) (all []event) {
	t.Helper()
	for _, line := range m.logged() {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in the line %s", err, line)
		}
		if e.Message == message {
			all = append(all, e)
		}
	}
	return all
}

// ends counts how the queries of workers ended: by table, workspace and state.
func ends(t *testing.T, state string, workers ...*machine) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, m := range workers {
		for _, e := range m.events(t, "query") {
			if e.State == state {
				n[e.Table+" in "+e.Workspace]++
			}
		}
	}
	return n
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("this did not come about: %s", what)
		case <-ticker.C:
		}
	}
}

// database makes a database in a cluster.
func (c *cluster) database(t *testing.T, name string) store {
	t.Helper()
	c.do(t, "CREATE DATABASE "+name)
	return databaseStore(t, c, name)
}

// never is a schedule that does not come while a test runs.
const never = "schedule: \"0 0 29 2 *\"\n"

// install puts a pipeline into a store.
func install(t *testing.T, env []string, s store, dir string, more ...string) {
	t.Helper()
	if got := pipelineCommand(t, env, append([]string{"schedule", "install", "--store", s.name, dir}, more...)...); got.status != 0 {
		t.Fatalf("install: status %d, stderr:\n%s", got.status, got.stderr)
	}
}

// trigger begins a run of an installed pipeline.
func trigger(t *testing.T, env []string, s store, pipeline string) {
	t.Helper()
	if got := pipelineCommand(t, env, "schedule", "trigger", pipeline, "--store", s.name); got.status != 0 || !strings.Contains(got.stderr, "of "+pipeline+" has begun") {
		t.Fatalf("trigger: status %d, stderr:\n%s", got.status, got.stderr)
	}
}

// alive waits until workers have given a sign of life.
func alive(t *testing.T, s store, workers ...*machine) {
	t.Helper()
	for _, m := range workers {
		eventually(t, "the worker begins", func() bool {
			select {
			case <-m.ended:
				t.Fatalf("the worker ended: %v\n%s", m.err, strings.Join(m.logged(), "\n"))
			default:
			}
			return mustCount(t, s, "lakeql_worker WHERE "+m.named("id")) == 1
		})
	}
}

// over waits until so many runs have come to their end, and all of them to a good one.
func over(t *testing.T, s store, runs int64) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d runs are over", runs), func() bool { return mustCount(t, s, "lakeql_run WHERE ended_at IS NOT NULL") >= runs })
	if n := mustCount(t, s, "lakeql_run WHERE state = 'done'"); n != runs {
		t.Fatalf("%d runs are done, want %d: %v", n, runs, s.ask(t, "SELECT * FROM lakeql_run"))
	}
}

// exact holds rows and history of the company against the emulator.
func exact(t *testing.T, server *emulator.Server, s store, names []string) {
	t.Helper()
	compareWithWorkspaces(t, server, s, names, nil)
	for _, table := range []string{"projects", "clusters"} {
		if there, kept := mustCount(t, s, table+"_history"), mustCount(t, s, table); there != kept || kept == 0 {
			t.Errorf("the history of %s has %d rows, and the table %d", table, there, kept)
		}
	}
}
