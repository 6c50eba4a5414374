package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/spill"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// loopback is an authorizer that sends everything to one server.
type loopback string

func (host loopback) Direct(r *http.Request, _ string) error {
	r.URL.Scheme, r.URL.Host = "http", string(host)
	return nil
}

func (loopback) Authorize(*http.Request) error { return nil }

// pages is a list of projects: the number of pages, and a text in each of its two items a page.
func pages(count int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		page := len(r.URL.Query().Get("page_token"))
		next := ""
		if page < count-1 {
			next = fmt.Sprintf(`, "next_page_token": %q`, strings.Repeat("x", page+1))
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"projects": [{"name": "projects/p%d", "uid": %q}, {"name": "projects/q%d"}]%s}`, page, text, page, next)
	}
}

// client is a dispatcher over a server, which counts its requests.
func client(t *testing.T, answer http.HandlerFunc) (*dispatch.Client, *atomic.Int64) {
	t.Helper()
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return &dispatch.Client{
		Catalogue: testworld.Catalogue(t), Authorizer: loopback(strings.TrimPrefix(server.URL, "http://")), HTTP: server.Client(),
	}, &requests
}

// projects is the request for the list of projects.
func projects(t *testing.T, c *dispatch.Client) *dispatch.Request {
	t.Helper()
	m, err := c.Catalogue.Method("databricks_workspace", "postgres", "postgres_projects", "list")
	if err != nil {
		t.Fatal(err)
	}
	req, err := c.Plan(dispatch.Call{Method: m})
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// rows counts the rows of an answer.
func rows(ctx context.Context, a *Answer, single bool) (int, error) {
	reading, err := a.Read(ctx, single, func(err error) error { return err })
	if reading == nil || err != nil {
		return 0, err
	}
	for n := 0; ; n++ {
		if _, err := reading.Next(ctx); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
}

// TestEachRequestIsMadeOnce shows that the statement and the passes ahead of it share an answer.
func TestEachRequestIsMadeOnce(t *testing.T) {
	c, requests := client(t, pages(3, ""))
	f := New(t.Context(), c)
	f.Keep = true
	early, isNew := f.Early(projects(t, c), 7, true)
	if !isNew {
		t.Error("the pass's call is not new")
	}
	if asked, ahead := f.Reach(); asked != 0 || ahead != 1 {
		t.Errorf("%d calls made, %d ahead; want 0 and 1", asked, ahead)
	}
	own, isNew := f.Call(projects(t, c), 8)
	if isNew || own != early {
		t.Error("the statement's call is another one")
	}
	for range 2 {
		if n, err := rows(t.Context(), own, false); n != 6 || err != nil {
			t.Errorf("%d rows, %v; want 6", n, err)
		}
	}
	if asked, ahead := f.Reach(); asked != 1 || ahead != 0 {
		t.Errorf("%d calls made, %d ahead; want 1 and 0", asked, ahead)
	}
	if cost := f.Costs()[7]; cost.Calls != 1 || cost.Usage.Requests != 3 || len(f.Costs()) != 1 {
		t.Errorf("the costs are %+v; want one call of 3 requests for step 7", f.Costs())
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if n := requests.Load(); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}

// TestNothingNewAhead shows that a pass that may make no call finds the calls that were made before.
func TestNothingNewAhead(t *testing.T) {
	c, _ := client(t, pages(1, ""))
	f := New(t.Context(), c)
	if a, _ := f.Early(projects(t, c), 0, false); a != nil {
		t.Error("a new call was made")
	}
	own, _ := f.Call(projects(t, c), 0)
	if a, _ := f.Early(projects(t, c), 0, false); a != own {
		t.Error("the statement's call was not found")
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestMissingResource shows when the answer 404 is no row.
func TestMissingResource(t *testing.T) {
	c, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, `{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such thing"}`)
	})
	f := New(t.Context(), c)
	f.Keep = true
	a, _ := f.Call(projects(t, c), 0)
	if n, err := rows(t.Context(), a, true); n != 0 || err != nil {
		t.Errorf("one resource: %d rows, %v", n, err)
	}
	if _, err := rows(t.Context(), a, false); provider.CodeOf(err) != provider.API {
		t.Errorf("a list: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestCloseEndsCalls shows that Close cancels running calls and waits for their end.
func TestCloseEndsCalls(t *testing.T) {
	reached := make(chan struct{})
	c, _ := client(t, func(_ http.ResponseWriter, r *http.Request) {
		close(reached)
		<-r.Context().Done()
	})
	f := New(t.Context(), c)
	a, _ := f.Call(projects(t, c), 0)
	if err := a.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-reached
	var over atomic.Bool
	f.Go(func(ctx context.Context) {
		<-ctx.Done()
		over.Store(true)
	})
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if !over.Load() || !a.Has(0) {
		t.Error("something goes on")
	}
}

// TestMemoryBudget shows that pages beyond the budget go to a file, enciphered, and come back as
// they were.
func TestMemoryBudget(t *testing.T) { // not parallel: it sets TMPDIR
	t.Setenv("TMPDIR", t.TempDir())
	const secret = "marker-of-a-secret"
	c, _ := client(t, pages(5, strings.Repeat(secret, 8<<10/len(secret))))
	f := New(t.Context(), c)
	f.Keep, f.Memory = true, 16<<10
	a, _ := f.Call(projects(t, c), 0)
	for range 2 {
		if n, err := rows(t.Context(), a, false); n != 10 || err != nil {
			t.Errorf("%d rows, %v; want 10", n, err)
		}
	}
	if used := f.store.Used(); used > int64(f.Memory) {
		t.Fatalf("%d bytes are in memory", used)
	}
	if names, err := os.ReadDir(os.TempDir()); err != nil || len(names) > 0 {
		t.Errorf("the file has a name: %v, %v", names, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestAnswersShareABudget has large answers arrive at once, each larger than the budget has room for,
// and reads every one twice.
func TestAnswersShareABudget(t *testing.T) {
	t.Parallel()
	const answers, items = 12, 400
	c, requests := client(t, func(w http.ResponseWriter, _ *http.Request) {
		item := `{"name": "projects/p", "uid": "` + strings.Repeat("x", 500) + `"}`
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"projects": [%s]}`, strings.Repeat(item+", ", items-1)+item)
	})
	m, err := c.Catalogue.Method("databricks_workspace", "postgres", "postgres_projects", "list")
	if err != nil {
		t.Fatal(err)
	}
	process := spill.NewBudget(1<<20, nil)
	f := New(t.Context(), c)
	f.Keep, f.Memory, f.Process = true, 64<<10, process
	var all []*Answer
	for i := range answers {
		req, err := c.Plan(dispatch.Call{Method: m, Args: map[string]any{"page_size": json.Number(strconv.Itoa(i + 1))}})
		if err != nil {
			t.Fatal(err)
		}
		a, _ := f.Early(req, 0, true)
		if err := a.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	for range 2 {
		for i, a := range all {
			if n, err := rows(t.Context(), a, false); n != items || err != nil {
				t.Errorf("answer %d: %d rows, %v", i, n, err)
			}
		}
	}
	if used := f.store.Used(); used > int64(f.Memory) || process.Used() != used {
		t.Errorf("%d bytes are in memory, of the process %d", used, process.Used())
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if used := process.Used(); used != 0 {
		t.Errorf("the statement is over, and the process still counts %d bytes", used)
	}
	if n := requests.Load(); n != answers {
		t.Errorf("%d requests", n)
	}
}
