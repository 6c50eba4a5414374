//go:build unix

package cli_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// gate is a workspace server for one test: each workspace has one project, whose uid the test sets, and
// calls of held workspaces wait.
type gate struct {
	mu     sync.Mutex
	calls  map[string]int
	uid    string
	held   map[string]chan struct{} // by workspace; closed, its calls go on
	came   chan string              // the workspaces whose calls are held
	status int                      // of every answer; 0: 200
}

func openGate(t *testing.T, held ...string) (*gate, []string) {
	t.Helper()
	g := &gate{calls: map[string]int{}, uid: "1", held: map[string]chan struct{}{}, came: make(chan string, 100)}
	for _, name := range held {
		g.held[name] = make(chan struct{})
	}
	return g, listing(t, g.answer)
}

func (g *gate) answer(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(r.Host, ".")
	g.mu.Lock()
	g.calls[name]++
	hold, uid, status := g.held[name], g.uid, g.status
	g.mu.Unlock()
	if hold != nil {
		g.came <- name
		select {
		case <-hold:
		case <-r.Context().Done():
			return
		}
	}
	if status != 0 {
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, `{"error_code": "SOME_ERROR", "message": "no"}`)
		return
	}
	_, _ = fmt.Fprintf(w, `{"projects": [{"name": "projects/%s", "uid": "%s"}]}`, name, uid)
}

// open lets the calls of a workspace go on.
func (g *gate) open(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.held[name])
	delete(g.held, name)
}

// answers sets the answers from now on.
func (g *gate) answers(uid string, status int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.uid, g.status = uid, status
}

// called returns the number of calls of each workspace.
func (g *gate) called() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return fmt.Sprint(g.calls)
}

// projectsOf is a pipeline with the one table that a gate answers.
func projectsOf(t *testing.T, config string) string {
	t.Helper()
	return folder(t, map[string]string{
		"pipeline.yaml": "name: gated\nstore: s.db\n" + config,
		"projects.sql":  "-- table: projects\n-- key: name\nSELECT name, uid FROM databricks_workspace.postgres.postgres_projects",
	})
}

// background is a command that runs while the test goes on.
type background struct {
	cmd   *exec.Cmd
	lines chan string // of stderr
	all   []string
}

func inBackground(t *testing.T, env []string, args ...string) *background {
	t.Helper()
	b := &background{cmd: run{args: append([]string{"pipeline"}, args...), env: env}.command(t.Context(), t), lines: make(chan string)}
	stderr, err := b.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(b.lines)
		for scanner := bufio.NewScanner(stderr); scanner.Scan(); {
			select {
			case b.lines <- scanner.Text():
			case <-t.Context().Done(): // nobody reads any more
				_, _ = io.Copy(io.Discard, stderr)
				return
			}
		}
	}()
	return b
}

// until reads the messages of the command, up to a line with a text.
func (b *background) until(t *testing.T, text string) {
	t.Helper()
	for line := range b.lines {
		b.all = append(b.all, line)
		if strings.Contains(line, text) {
			return
		}
	}
	t.Fatalf("it ended without telling %s:\n%s", text, strings.Join(b.all, "\n"))
}

// end waits for the command, and returns its status and all messages.
func (b *background) end() (status int, told string) {
	for line := range b.lines {
		b.all = append(b.all, line)
	}
	_ = b.cmd.Wait() // the status tells
	return b.cmd.ProcessState.ExitCode(), strings.Join(b.all, "\n")
}
