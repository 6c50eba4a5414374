package cli_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
)

// front stands before an emulator: it counts the requests that are under way at once, by workspace,
// and can hold them back until so many are.
type front struct {
	mu     sync.Mutex
	held   string // what the paths of those that are held end with
	gather int    // until so many are there; 0: nobody waits
	gate   chan struct{}
	opened sync.Once
	here   map[string]int
	most   map[string]int
	paths  []string
	open   map[net.Conn]bool
	closed chan struct{} // told when a connection has closed
}

// newFront starts an emulator with a front, and returns the environment for the command.
func newFront(t *testing.T, opts emulator.Options, held string, gather int) (*front, []string) {
	t.Helper()
	e := testworld.NewEmulator(t, opts)
	f := &front{
		held: held, gather: gather, gate: make(chan struct{}), here: map[string]int{}, most: map[string]int{},
		open: map[net.Conn]bool{}, closed: make(chan struct{}, 1),
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.enter(r) {
			select {
			case <-f.gate:
			case <-r.Context().Done():
			}
		}
		answer := httptest.NewRecorder()
		e.ServeHTTP(answer, r)
		f.leave(r) // before the client has the answer, and can send the next request
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = answer.Body.WriteTo(w)
	}))
	server.Config.ConnState = f.connection
	server.Start()
	t.Cleanup(server.Close)
	return f, []string{"DATABRICKS_HOST=" + server.URL, "DATABRICKS_TOKEN=" + e.Token()}
}

// enter counts a request, and reports whether it has to wait.
func (f *front) enter(r *http.Request) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paths = append(f.paths, r.URL.Path)
	f.here[r.Host]++
	f.most[r.Host] = max(f.most[r.Host], f.here[r.Host])
	if f.gather == 0 || !strings.HasSuffix(r.URL.Path, f.held) {
		return false
	}
	all := 0
	for _, n := range f.here {
		all += n
	}
	if all >= f.gather {
		f.opened.Do(func() { close(f.gate) })
	}
	return true
}

func (f *front) leave(r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.here[r.Host]--
}

// connection keeps the connections that are open.
func (f *front) connection(conn net.Conn, state http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch state {
	case http.StateNew:
		f.open[conn] = true
	case http.StateClosed:
		delete(f.open, conn)
		select {
		case f.closed <- struct{}{}:
		default: // told already
		}
	default: // active and idle ones are open
	}
}

// TestParallelLimit shows that --execution.concurrency.limit bounds the requests to a workspace, that
// it is 16 otherwise, and that the rows are the same in either case.
func TestParallelLimit(t *testing.T) {
	t.Parallel()
	const join = "SELECT b.name FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name"
	const everywhere = "SELECT b.deployment_name, b.name FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name AND b.deployment_name = p.deployment_name WHERE p.deployment_name IN ('dbc-1', 'dbc-2')"
	tests := map[string]struct {
		args  []string
		query string
		each  int
		hosts int
	}{
		"by default":     {nil, join, 16, 1},
		"three":          {[]string{"--execution.concurrency.limit", "3"}, join, 3, 1},
		"one by one":     {[]string{"--execution.concurrency.limit", "1"}, join, 1, 1},
		"two workspaces": {[]string{"--execution.concurrency.limit", "4"}, everywhere, 4, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, env := newFront(t, emulator.Options{Scale: 40}, "/branches", test.each*test.hosts)
			got := run{args: append([]string{"exec", "-H", "-o", "csv", test.query}, test.args...), env: env}.do(t)
			rows := strings.Split(strings.TrimSpace(got.stdout), "\n")
			if want := (2*46 + 1) * test.hosts; got.status != 0 || len(rows) != want {
				t.Errorf("status %d, %d rows, want %d\n%s", got.status, len(rows), want, got.stderr)
			}
			if !slices.IsSorted(rows) { // as both lists are, and with them what comes of one call after the other
				t.Errorf("rows are out of order")
			}
			if len(f.most) != test.hosts {
				t.Errorf("requests to %d workspaces", len(f.most))
			}
			for host, most := range f.most {
				if most != test.each {
					t.Errorf("%d requests to %s at once, want %d", most, host, test.each)
				}
			}
		})
	}
}

// TestRateLimitLosesNothing shows that a workspace which takes few calls a second gets all of them.
func TestRateLimitLosesNothing(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{Scale: 20, RateLimit: 15})
	got := run{args: []string{"exec", "-H", "-o", "csv", "SELECT b.name FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name"}, env: env}.do(t)
	if rows := strings.Count(got.stdout, "\n"); got.status != 0 || rows != 2*26+1 {
		t.Errorf("status %d, %d rows\n%s", got.status, rows, got.stderr)
	}
	if server.Counts().ByStatus[http.StatusTooManyRequests] == 0 {
		t.Error("no call was turned away")
	}
}

// TestInterruptedQuery shows that Ctrl-C ends a query with many calls under way, at once, without rows
// that would pass for a result, and that its connections are closed.
func TestInterruptedQuery(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		query string
		held  string
	}{
		"in the first call": {"SELECT name FROM " + projects, "/projects"},
		"in the inner ones": {"SELECT b.name FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name", "/branches"},
		"in a third level":  {"SELECT count(*) FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name JOIN " + endpoints + " e ON e.parent = b.name", "/endpoints"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, env := newFront(t, emulator.Options{Scale: 40}, test.held, 1_000_000)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := run{args: []string{"exec", "-v", "-o", "json", test.query}, env: env}.command(ctx, t)
			var stdout bytes.Buffer
			cmd.Stdout = &stdout
			stderr, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			log := reading(t, stderr)
			log.until(t, "event=send", test.held) // it waits for an answer that does not come
			began := time.Now()
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			rest := log.rest()
			_ = cmd.Wait() // the status says it
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("took %s to stop", took)
			}
			if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(rest, "error: ") || !strings.Contains(rest, "canceled") || strings.Contains(rest, "context canceled") {
				t.Errorf("status %d\n%s", cmd.ProcessState.ExitCode(), rest)
			}
			if strings.HasSuffix(strings.TrimSpace(stdout.String()), "]") {
				t.Errorf("wrote what looks whole: %s", &stdout)
			}
			f.noConnection(t)
		})
	}
}

// noConnection waits until the server has seen every connection close.
func (f *front) noConnection(t *testing.T) {
	t.Helper()
	timer := time.NewTimer(30 * time.Second)
	defer timer.Stop()
	for {
		f.mu.Lock()
		open := len(f.open)
		f.mu.Unlock()
		if open == 0 {
			return
		}
		select {
		case <-f.closed:
		case <-timer.C:
			t.Fatal(strconv.Itoa(open) + " connections are open")
		}
	}
}
