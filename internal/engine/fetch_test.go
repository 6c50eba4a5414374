package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// named puts the names of resources into a query: {p} for projects, {b} branches, {e} endpoints.
func named(query string) string {
	const service = "databricks_workspace.postgres.postgres_"
	return strings.NewReplacer("{p}", service+"projects", "{b}", service+"branches", "{e}", service+"endpoints").Replace(query)
}

// world is an emulator behind a front, which records requests and connections.
type world struct {
	catalogue *provider.Catalogue
	url       string
	token     provider.Secret

	mu    sync.Mutex
	paths []string // of the requests, with their queries, as they came
	hosts []string
	conns map[net.Conn]bool // open ones
	freed chan struct{}     // told when a connection has closed
}

// newWorld starts a server that lets every request pass through before on its way to the emulator;
// nil: at once.
func newWorld(t *testing.T, opts emulator.Options, before func(w http.ResponseWriter, r *http.Request, next http.Handler)) *world {
	t.Helper()
	e := testworld.NewEmulator(t, opts)
	w := &world{catalogue: testworld.Catalogue(t), token: provider.Secret(e.Token()), conns: map[net.Conn]bool{}, freed: make(chan struct{}, 1)}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.paths = append(w.paths, strings.TrimPrefix(r.URL.RequestURI(), "/api/2.0/postgres/"))
		w.hosts = append(w.hosts, r.Host)
		w.mu.Unlock()
		if before != nil {
			before(rw, r, e)
			return
		}
		e.ServeHTTP(rw, r)
	}))
	server.Config.ConnState = w.connection
	server.Start()
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// connection keeps count of the connections that are open.
func (w *world) connection(conn net.Conn, state http.ConnState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch state {
	case http.StateNew:
		w.conns[conn] = true
	case http.StateClosed, http.StateHijacked:
		delete(w.conns, conn)
		select {
		case w.freed <- struct{}{}:
		default: // told already
		}
	default: // active and idle ones are open
	}
}

// session makes a session for the world. parallel is its limit of concurrent requests; 0: the default.
func (w *world) session(t *testing.T, parallel int) *engine.Session {
	t.Helper()
	static, err := auth.NewStatic(w.url, w.token)
	if err != nil {
		t.Fatal(err)
	}
	client := &dispatch.Client{
		Catalogue: w.catalogue, Authorizer: static, HTTP: dispatch.NewHTTP(), Parallel: parallel,
		Retry: dispatch.Retry{Wait: func(context.Context, time.Duration) error { return nil }},
	}
	t.Cleanup(client.HTTP.CloseIdleConnections)
	return &engine.Session{Catalogue: w.catalogue, Client: client}
}

// calls returns the paths that were asked for since it was last called, sorted.
func (w *world) calls() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	paths := w.paths
	w.paths = nil
	slices.Sort(paths)
	return paths
}

// read runs a statement and returns its rows, each as text.
func read(ctx context.Context, s *engine.Session, text string) ([]string, error) {
	var all []string
	for rows, err := range s.Run(ctx, named(text)) {
		if err != nil {
			return all, err
		}
		for {
			row, err := rows.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return all, errors.Join(err, rows.Close())
			}
			all = append(all, strings.TrimSuffix(fmt.Sprintln(row...), "\n"))
		}
		if err := rows.Close(); err != nil {
			return all, err
		}
	}
	return all, nil
}

// patience is the time limit of a test for events that normally happen at once.
const patience = 30 * time.Second

// TestCallsAreMadeOnce shows that each distinct call is made once in a statement, however often and
// wherever it names the resource.
func TestCallsAreMadeOnce(t *testing.T) {
	list := []string{"projects"}
	branches := []string{"projects/orders/branches", "projects/p/branches"}
	tests := map[string]struct {
		query string
		calls []string
		rows  int
	}{
		"a list twice":               {"SELECT name FROM {p} UNION ALL SELECT name FROM {p}", list, 12},
		"a list three times, joined": {"SELECT count(*) FROM {p} a, {p} b, {p} c", list, 1},
		"a list within itself":       {"SELECT name, (SELECT count(*) FROM {p}) FROM {p}", list, 6},
		"a list and its CTE":         {"WITH x AS (SELECT name FROM {p}) SELECT * FROM x UNION ALL SELECT name FROM {p} UNION ALL SELECT * FROM x", list, 18},
		"a self-join":                {"SELECT a.name FROM {b} a JOIN {b} b ON +a.name <= b.name WHERE a.project_id IN ('p', 'orders') AND b.project_id IN ('p', 'orders')", branches, 15},
		"values that repeat":         {"SELECT b.name FROM json_each('[\"p\",\"orders\",\"p\",\"orders\",\"p\"]') j JOIN {b} b ON b.project_id = j.value", branches, 13},
		"a view and what is in it":   {"SELECT name FROM databricks_workspace.postgres.vw_branches WHERE project_id = 'p' UNION ALL SELECT name FROM {b} WHERE project_id = 'p'", branches[1:], 6},
		"by name and by its parts":   {"SELECT name FROM {b} WHERE parent = 'projects/p' UNION ALL SELECT name FROM {b} WHERE project_id = 'p'", branches[1:], 6},
		"in every row of a join":     {"SELECT count(*) FROM {p} p JOIN {b} b ON b.project_id = 'p'", []string{"projects", "projects/p/branches"}, 1},
		"a failing condition":        {"SELECT name FROM {p} UNION ALL SELECT name FROM {b} WHERE project_id = 'p' AND 1 = 0", list, 6},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{}, nil)
			rows, err := read(t.Context(), w.session(t, 0), test.query)
			if err != nil || len(rows) != test.rows {
				t.Errorf("%d rows, want %d: %v", len(rows), test.rows, err)
			}
			if calls := w.calls(); !slices.Equal(calls, test.calls) {
				t.Errorf("called %q, want %q", calls, test.calls)
			}
		})
	}
}

// TestWorkspacesAreDistinct shows that the same list in two workspaces is two calls.
func TestWorkspacesAreDistinct(t *testing.T) {
	w := newWorld(t, emulator.Options{}, nil)
	rows, err := read(t.Context(), w.session(t, 0), "SELECT deployment_name, name FROM {p} WHERE deployment_name = 'a' AND name LIKE '%/p' UNION ALL SELECT deployment_name, name FROM {p} WHERE deployment_name = 'b' AND name LIKE '%/p'")
	if want := []string{"a projects/p", "b projects/p"}; err != nil || !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q: %v", rows, want, err)
	}
	if calls := w.calls(); len(calls) != 2 {
		t.Errorf("called %q", calls)
	}
}

// TestCallsAreThoseOfTheStatement shows that passes ahead start only calls that the statement makes: none
// for rows that a condition leaves out.
func TestCallsAreThoseOfTheStatement(t *testing.T) {
	branches := []string{"projects", "projects/fleet/branches", "projects/inventory/branches", "projects/orders/branches", "projects/p/branches", "projects/payroll/branches", "projects/web-shop/branches"}
	tests := map[string]struct {
		query string
		calls []string
	}{
		"one that holds while nothing is known": {"SELECT e.name FROM {p} p JOIN {e} e ON e.parent = p.name || '/branches/production' WHERE NOT EXISTS (SELECT 1 FROM {b} b WHERE b.parent = p.name)", branches},
		"one on a list that is not there yet":   {"SELECT e.name FROM {p} p JOIN {e} e ON e.parent = p.name || '/branches/production' WHERE p.name NOT IN (SELECT b.parent FROM {b} b WHERE b.parent = p.name)", branches},
		"one on a count":                        {"SELECT e.name FROM {p} p JOIN {e} e ON e.parent = p.name || '/branches/production' WHERE (SELECT count(*) FROM {b} b WHERE b.parent = p.name) < 3 AND p.name BETWEEN 'projects/p' AND 'projects/payroll'", []string{"projects", "projects/p/branches", "projects/payroll/branches", "projects/payroll/branches/production/endpoints"}},
		"a value in place of none":              {"SELECT e.name FROM {p} p LEFT JOIN {b} b ON b.parent = p.name AND b.name LIKE '%/development' JOIN {e} e ON e.parent = coalesce(b.name, 'projects/p/branches/b') WHERE p.name LIKE '%/orders'", []string{"projects", "projects/orders/branches", "projects/orders/branches/development/endpoints"}},
		"a condition on the outer table":        {"SELECT b.name FROM {p} p JOIN {b} b ON b.parent = p.name WHERE p.name LIKE '%/orders'", []string{"projects", "projects/orders/branches"}},
		"one on a CTE":                          {"WITH x AS (SELECT name FROM {p} WHERE name > 'projects/p') SELECT b.name FROM x JOIN {b} b ON b.parent = x.name WHERE x.name <= 'projects/payroll'", []string{"projects", "projects/payroll/branches"}},
		"one on each table of three":            {"SELECT e.name FROM {p} p JOIN {b} b ON b.parent = p.name JOIN {e} e ON e.parent = b.name WHERE p.name = 'projects/p' AND b.name LIKE '%/b'", []string{"projects/p", "projects/p/branches", "projects/p/branches/b/endpoints"}},
		"one that a later table decides":        {"SELECT e.name FROM {p} p JOIN {b} b ON b.parent = p.name JOIN {e} e ON e.parent = b.name WHERE p.name LIKE '%/orders' AND json_extract(b.status, '$.default')", []string{"projects", "projects/orders/branches", "projects/orders/branches/production/endpoints"}},
		"one in a subquery":                     {"SELECT name FROM {b} WHERE parent IN (SELECT name FROM {p} WHERE name LIKE '%/p')", []string{"projects", "projects/p/branches"}},
		"one in the SELECT list":                {"SELECT p.name, CASE WHEN p.name LIKE '%/p' THEN (SELECT count(*) FROM {b} b WHERE b.parent = p.name) END FROM {p} p", []string{"projects", "projects/p/branches"}},
		"one that holds for no row":             {"SELECT b.name FROM {p} p JOIN {b} b ON b.parent = p.name WHERE p.name LIKE 'x%'", []string{"projects"}},
		"an argument that is NULL":              {"SELECT b.name FROM {p} p JOIN {b} b ON b.parent = p.delete_time", []string{"projects"}},
		"one row is enough":                     {"SELECT name FROM {p} LIMIT 1", []string{"projects"}},
		"the first of two lists":                {"SELECT name FROM {p} UNION ALL SELECT name FROM {b} WHERE project_id = 'p' LIMIT 1", []string{"projects"}},
		"the first row of a join":               {"SELECT b.name FROM {p} p JOIN {b} b ON b.parent = p.name LIMIT 1", []string{"projects", "projects/fleet/branches"}},
		"no row at all":                         {"SELECT b.name FROM {p} p JOIN {b} b ON b.parent = p.name LIMIT 0", nil},
		"both of two lists":                     {"SELECT name FROM {p} UNION SELECT name FROM {b} WHERE project_id = 'p'", []string{"projects", "projects/p/branches"}},
		"what stands for a missing value":       {"SELECT coalesce('x', (SELECT name FROM {b} WHERE project_id = 'p')) FROM {p}", []string{"projects"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{}, nil)
			if _, err := read(t.Context(), w.session(t, 0), test.query); err != nil {
				t.Fatal(err)
			}
			if calls := w.calls(); !slices.Equal(calls, test.calls) {
				t.Errorf("called %q, want %q", calls, test.calls)
			}
		})
	}
}

// TestFirstErrorInOrder shows that a statement ends with the error of the first call that fails in
// the order of its rows, though others have failed before it.
func TestFirstErrorInOrder(t *testing.T) {
	failing := map[string]int{"projects/orders/branches": 400, "projects/p/branches": 403, "projects/web-shop/branches": 500}
	for name, test := range map[string]struct {
		query string
		rows  int
	}{
		"as rows come":     {"SELECT p.name, b.name FROM {p} p JOIN {b} b ON b.parent = p.name", 4},
		"behind a sorter":  {"SELECT p.name, b.name FROM {p} p JOIN {b} b ON b.parent = p.name ORDER BY b.name", 0},
		"in a subquery":    {"SELECT p.name, (SELECT count(*) FROM {b} b WHERE b.parent = p.name) FROM {p} p", 2},
		"in values":        {"SELECT name FROM {b} WHERE project_id IN ('inventory', 'orders', 'p', 'web-shop')", 2},
		"in one of a list": {"SELECT name FROM {b} WHERE project_id = 'orders' UNION ALL SELECT name FROM {b} WHERE project_id = 'p' UNION ALL SELECT name FROM {b} WHERE project_id = 'web-shop'", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var failed sync.WaitGroup // those that come after the first in order
			failed.Add(len(failing) - 1)
			done := make(chan struct{})
			go func() {
				failed.Wait()
				close(done)
			}()
			w := newWorld(t, emulator.Options{}, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				status := failing[strings.TrimPrefix(r.URL.Path, "/api/2.0/postgres/")]
				switch status {
				case 0:
					next.ServeHTTP(w, r)
					return
				case 400:
					wait(t, r, done)
				default:
					defer failed.Done()
				}
				w.WriteHeader(status)
			})
			rows, err := read(t.Context(), w.session(t, 0), test.query)
			if e := asError(t, err); e.Status != 400 || !strings.HasSuffix(e.URL, "projects/orders/branches") || len(rows) != test.rows {
				t.Errorf("after %d rows, want %d: %v", len(rows), test.rows, err)
			}
		})
	}
}

// TestErrorsThatDoNotMatter shows that a call that a statement does not need cannot fail it, even if it ran
// ahead of a LIMIT.
func TestErrorsThatDoNotMatter(t *testing.T) {
	for name, test := range map[string]struct {
		query string
		rows  int
	}{
		"left out by a condition": {"SELECT b.name FROM {p} p JOIN {b} b ON b.parent = p.name WHERE p.name < 'projects/w'", 11},
		"behind a LIMIT":          {"SELECT b.name FROM {p} p JOIN {b} b ON b.parent = p.name LIMIT 10", 10},
		"a resource that is gone": {"SELECT b.name FROM json_each('[\"p\",\"q\"]') j JOIN {b} b ON b.name = 'projects/' || j.value || '/branches/b'", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule, err := emulator.ParseFault("GET /api/2.0/postgres/projects/*web-shop/branches: 500")
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, emulator.Options{Faults: []emulator.Fault{rule}}, nil)
			rows, err := read(t.Context(), w.session(t, 0), test.query)
			if err != nil || len(rows) != test.rows {
				t.Errorf("%d rows, want %d: %v", len(rows), test.rows, err)
			}
		})
	}
}

// asError returns the error that a person would see.
func asError(t *testing.T, err error) *provider.Error {
	t.Helper()
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		t.Fatalf("got %v (%T), want an error for a person", err, err)
	}
	return e
}

// wait holds a request back.
func wait(t *testing.T, r *http.Request, until <-chan struct{}) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-until:
	case <-r.Context().Done():
	case <-timer.C:
		t.Error("held back in vain: ", r.URL.Path)
	}
}

// TestNothingIsLeft shows that a statement which ends before its time, for whatever reason, leaves
// no goroutine behind and no connection open: when its rows are closed all is over.
func TestNothingIsLeft(t *testing.T) { // not parallel: it looks at all goroutines
	const chain = "SELECT p.name, b.name, e.name FROM {p} p JOIN {b} b ON b.parent = p.name JOIN {e} e ON e.parent = b.name"
	tests := map[string]struct {
		query string
		held  string // what requests that are never answered end with; empty: all are answered
		rows  int    // that are read before
		stop  bool   // by the context
	}{
		"stopped while calls wait":       {chain, "/branches", 0, true},
		"stopped further in":             {chain, "/endpoints", 0, true},
		"stopped in the first call":      {chain, "/projects", 0, true},
		"closed after a row":             {chain, "", 1, false},
		"closed before the first row":    {chain, "", 0, false},
		"a LIMIT reached":                {chain + " LIMIT 9", "", 9, false},
		"closed in the middle of a list": {"SELECT name FROM {p}", "", 3, false},
		"closed in one of two lists":     {"SELECT name FROM {p} UNION ALL SELECT name FROM {p}", "", 3, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			reached := make(chan struct{})
			var once sync.Once
			w := newWorld(t, emulator.Options{Scale: 300, PageSize: 10}, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if test.held != "" && strings.HasSuffix(r.URL.Path, test.held) {
					once.Do(func() { close(reached) })
					<-r.Context().Done()
					return
				}
				next.ServeHTTP(w, r)
			})
			s := w.session(t, 0)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			for rows, err := range s.Run(ctx, named(test.query)) {
				if err != nil {
					t.Fatal(err)
				}
				for range test.rows {
					if _, err := rows.Next(ctx); err != nil {
						t.Fatal(err)
					}
				}
				if test.stop {
					stopped := make(chan struct{})
					go func() {
						defer close(stopped)
						<-reached
						cancel()
					}()
					_, err := rows.Next(ctx)
					if e := asError(t, err); e.Code != provider.Canceled || !errors.Is(err, context.Canceled) {
						t.Errorf("got %v", err)
					}
					<-stopped
				}
				if err := rows.Close(); err != nil {
					t.Error(err)
				}
				if left := goroutines(); len(left) > 0 {
					t.Errorf("left behind:\n%s", strings.Join(left, "\n\n"))
				}
				if _, err := rows.Next(ctx); err == nil || errors.Is(err, io.EOF) {
					t.Errorf("after Close: %v", err)
				}
				if err := rows.Close(); err != nil {
					t.Errorf("closed again: %v", err)
				}
			}
			w.noConnection(t, s)
		})
	}
}

// TestStoppedBetweenRows shows that a statement that is stopped while nothing waits says so.
func TestStoppedBetweenRows(t *testing.T) {
	w := newWorld(t, emulator.Options{}, nil)
	for name, test := range map[string]struct {
		ends func(context.Context) (context.Context, context.CancelFunc)
		code provider.Code
		says string
	}{
		"canceled": {context.WithCancel, provider.Canceled, "canceled: the query stopped before its last row, and changed nothing"},
		"late": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadline(ctx, time.Now().Add(-time.Second))
		}, provider.Network, "the time for the statement is up: the query stopped before its last row, and changed nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			for rows, err := range w.session(t, 0).Run(t.Context(), named("SELECT name FROM {p}")) {
				if err != nil {
					t.Fatal(err)
				}
				if _, err := rows.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := test.ends(t.Context())
				cancel()
				for range 2 {
					if _, err := rows.Next(ctx); asError(t, err).Code != test.code || asError(t, err).Message != test.says || !errors.Is(err, context.Cause(ctx)) {
						t.Errorf("got %v", err)
					}
				}
				if err := rows.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestNothingIsLeftByAnError is the same for a call that fails while others are under way.
func TestNothingIsLeftByAnError(t *testing.T) { // not parallel: it looks at all goroutines
	const held = 8 // calls that are never answered: fewer than there may be at once, so that the others get their turn
	reached := make(chan struct{})
	var hung atomic.Int64
	w := newWorld(t, emulator.Options{Scale: 100}, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		inner := strings.HasSuffix(r.URL.Path, "/branches")
		switch {
		case inner && strings.Contains(r.URL.Path, "/inventory/"): // the statement's first
			wait(t, r, reached)
			w.WriteHeader(http.StatusBadRequest)
			return
		case inner:
			n := hung.Add(1)
			if n == held {
				close(reached)
			}
			if n <= held {
				<-r.Context().Done()
				return
			}
		}
		next.ServeHTTP(w, r)
	})
	s := w.session(t, 0)
	_, err := read(t.Context(), s, "SELECT b.name FROM {p} p JOIN {b} b ON b.parent = p.name WHERE p.name >= 'projects/inventory'")
	if e := asError(t, err); e.Status != http.StatusBadRequest {
		t.Errorf("got %v", err)
	}
	if left := goroutines(); len(left) > 0 {
		t.Errorf("left behind:\n%s", strings.Join(left, "\n\n"))
	}
	w.noConnection(t, s)
}

// goroutines returns the goroutines that run code of the engine or the dispatcher. A goroutine that
// has just left its group runs none of that code.
func goroutines() []string {
	stacks := make([]byte, 16<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var left []string
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		at, _, _ := strings.Cut(stack, "created by ")
		if strings.Contains(at, "lakeql/internal/engine.") || strings.Contains(at, "lakeql/internal/localstore.") || strings.Contains(at, "lakeql/internal/vtab.") || strings.Contains(at, "lakeql/internal/fetch.") || strings.Contains(at, "lakeql/internal/dispatch.") {
			left = append(left, stack)
		}
	}
	return left
}

// noConnection waits until the server has seen every connection close.
func (w *world) noConnection(t *testing.T, s *engine.Session) {
	t.Helper()
	s.Client.HTTP.CloseIdleConnections()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		w.mu.Lock()
		open := len(w.conns)
		w.mu.Unlock()
		if open == 0 {
			return
		}
		select {
		case <-w.freed:
		case <-timer.C:
			t.Fatalf("%d connections are open", open)
		}
	}
}
