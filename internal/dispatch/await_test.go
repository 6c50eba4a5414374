package dispatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// script is a workspace that answers each request with the next of some answers, and then with the
// last one again and again. An answer that begins with a status, "404 {}", has that one.
type script struct {
	mu      sync.Mutex
	answers []string
	asked   []string // verb and path with query
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = io.Copy(io.Discard, r.Body)
	s.asked = append(s.asked, r.Method+" "+r.RequestURI)
	next := s.answers[min(len(s.asked), len(s.answers))-1]
	var status int
	if n, _ := fmt.Sscanf(next, "%d ", &status); n == 1 {
		next = next[4:]
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
	}
	answer(w, next)
}

func (s *script) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// scripted starts a workspace with such answers and a client for it that knows the real catalogue.
func scripted(tb testing.TB, answers ...string) (*dispatch.Client, *script) {
	tb.Helper()
	s := &script{answers: answers}
	c := serve(tb, s.ServeHTTP)
	c.Catalogue = realCatalogue(tb)
	return c, s
}

func realCatalogue(tb testing.TB) *provider.Catalogue {
	tb.Helper()
	return testworld.Catalogue(tb)
}

// named finds a method by its full name.
func named(tb testing.TB, c *dispatch.Client, name string) *provider.Method {
	tb.Helper()
	parts := strings.Split(name, ".")
	m, err := c.Catalogue.Method(parts[0], parts[1], parts[2], parts[3])
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// begin is a call of a real method that begins something longer.
type begin struct {
	method string // without the provider databricks_workspace
	args   map[string]any
	body   string
	// change makes another method of it.
	change     func(m *provider.Method)
	deployment string
}

func branch() map[string]any { return map[string]any{"project_id": "p", "branch_id": "b"} }

// create and remove begin an operation, cluster and stop a change of state.
func create() begin {
	return begin{method: "postgres.postgres_branches.create", args: branch(), body: `{"spec": {"no_expiry": true}}`}
}

func remove() begin { return begin{method: "postgres.postgres_branches.delete", args: branch()} }

func cluster() begin {
	return begin{method: "compute.clusters.create", body: `{"spark_version": "v"}`}
}

func stop() begin {
	return begin{method: "compute.clusters.delete", body: `{"cluster_id": "c-1"}`}
}

const (
	operation = "projects/p/branches/b/operations/o"
	polling   = "GET /api/2.0/postgres/" + operation
	ongoing   = `{"name": "` + operation + `"}`
	beginning = "POST /api/2.0/postgres/projects/p/branches?branch_id=b"
	creating  = "POST /api/2.1/clusters/create"
	watching  = "GET /api/2.1/clusters/get?cluster_id=c-1"
)

func (b begin) plan(tb testing.TB, c *dispatch.Client) *dispatch.Request {
	tb.Helper()
	name := b.method
	if !strings.HasPrefix(name, "databricks_") {
		name = "databricks_workspace." + name
	}
	m := named(tb, c, name)
	if b.change != nil {
		changed := *m
		wait := *m.Wait
		changed.Wait = &wait
		b.change(&changed)
		m = &changed
	}
	call := dispatch.Call{Method: m, Args: b.args, Deployment: b.deployment}
	if b.body != "" {
		call.Body = fromJSON(tb, b.body)
	}
	req, err := c.Plan(call)
	if err != nil {
		tb.Fatal(err)
	}
	return req
}

// await returns the rows as objects of the columns that are not null.
func (b begin) await(ctx context.Context, tb testing.TB, c *dispatch.Client) ([]map[string]any, error) {
	tb.Helper()
	req := b.plan(tb, c)
	rows, err := c.Await(ctx, req)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // it has no error
	said, err := c.AwaitColumns(req.Method())
	if err != nil {
		tb.Fatal(err)
	}
	if !slices.Equal(said, rows.Columns()) {
		tb.Errorf("%s: columns %v, said %v", b.method, rows.Columns(), said)
	}
	var all []map[string]any
	for {
		row, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		object := map[string]any{}
		for i, column := range rows.Columns() {
			if raw, ok := row[i].(json.RawMessage); ok {
				object[column.Name] = string(raw)
			} else if row[i] != nil {
				object[column.Name] = row[i]
			}
		}
		all = append(all, object)
	}
}

// TestAwaitHungUp shows that a closed connection is an error, and not the end of the rows, at the request
// that starts the work as well as at a poll.
func TestAwaitHungUp(t *testing.T) {
	hangUp := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}
	for name, answers := range map[string][]string{"at the beginning": nil, "at a poll": {ongoing}} {
		t.Run(name, func(t *testing.T) {
			s := &script{answers: answers}
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if len(s.requests()) < len(answers) {
					s.ServeHTTP(w, r)
					return
				}
				hangUp(w, r)
			})
			c.Catalogue = realCatalogue(t)
			c.Retry.Budget = -1
			rows, err := create().await(t.Context(), t, c)
			if err == nil || errors.Is(err, io.EOF) || asError(t, err).Code != provider.Network {
				t.Errorf("rows %v, error %v", rows, err)
			}
		})
	}
}
