package dispatch_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// TestAwaitChecksTheCallFirst shows that no work is started that cannot be polled.
func TestAwaitChecksTheCallFirst(t *testing.T) {
	t.Parallel()
	b := cluster()
	b.change = func(m *provider.Method) {
		m.Wait.Bind = []provider.Binding{{Param: "cluster_id", From: provider.FromRequest, Path: "cluster_name"}}
	}
	c, workspace := scripted(t, "{}")
	_, err := b.await(t.Context(), t, c)
	if e := asError(t, err); e.Code != provider.Usage || e.Arg != "cluster_name" {
		t.Errorf("%d %q: %v", e.Code, e.Arg, e)
	}
	if asked := workspace.requests(); len(asked) != 0 {
		t.Errorf("asked for %q", asked)
	}
}

// TestAwaitSplitsNames shows a poll whose document describes the form of its name.
func TestAwaitSplitsNames(t *testing.T) {
	t.Parallel()
	// The branch itself stands for an operation: its name is projects/{project_id}/branches/{branch_id}.
	b := create()
	b.change = func(m *provider.Method) { m.Wait.Poll = "databricks_workspace.postgres.postgres_branches.get" }
	for name, want := range map[string]string{
		"projects/p/branches/b":    "GET /api/2.0/postgres/projects/p/branches/b",
		"projects/p/endpoints/b":   "",
		"projects/p/branches/../x": "",
		"projects/p/branches/..":   "",
		"projects/p/branches/B":    "", // against the pattern
	} {
		c, workspace := scripted(t, `{"name": "`+name+`"}`, `{"name": "b", "done": true, "response": {"uid": "u"}}`)
		_, err := b.await(t.Context(), t, c)
		asked := workspace.requests()[1:]
		if want == "" && (err == nil || len(asked) != 0) || want != "" && (err != nil || !slices.Equal(asked, []string{want})) {
			t.Errorf("%s: asked for %q, %v", name, asked, err)
		}
	}
}

// TestAwaitRetriesPolls shows that polls that fail in passing are repeated, as any request is, and
// that the call itself is not sent again.
func TestAwaitRetriesPolls(t *testing.T) {
	t.Parallel()
	c, workspace := scripted(t, ongoing, "503 {}", "429 {}", `{"done": true, "response": {"uid": "u"}}`)
	var retried int
	c.OnRetry = func(error, time.Duration) { retried++ }
	if _, err := create().await(t.Context(), t, c); err != nil {
		t.Fatal(err)
	}
	if asked := workspace.requests(); !slices.Equal(asked, []string{beginning, polling, polling, polling}) || retried != 2 {
		t.Errorf("asked for %q, %d told of", asked, retried)
	}
}

// TestAwaitAsksTheSameWorkspace shows that the poll goes to the workspace of the call.
func TestAwaitAsksTheSameWorkspace(t *testing.T) {
	t.Parallel()
	var hosts []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hosts = append(hosts, r.Host)
		if r.Method != http.MethodGet {
			answer(w, ongoing)
			return
		}
		answer(w, `{"done": true, "response": {"uid": "u"}}`)
	})
	c.Catalogue = realCatalogue(t)
	b := create()
	b.deployment = "dbc-1"
	if _, err := b.await(t.Context(), t, c); err != nil {
		t.Fatal(err)
	}
	if len(hosts) != 2 || hosts[0] != hosts[1] || !strings.HasPrefix(hosts[0], "dbc-1.") {
		t.Errorf("asked %q", hosts)
	}
}

// TestAwaitWithoutPermission shows a caller who may start the work, but may not read its result.
func TestAwaitWithoutPermission(t *testing.T) {
	t.Parallel()
	c, _ := scripted(t, ongoing, `403 {"error_code": "PERMISSION_DENIED", "message": "m"}`)
	_, err := create().await(t.Context(), t, c)
	e := asError(t, err)
	if e.Code != provider.Unauthorized || e.Status != http.StatusForbidden || e.ErrorCode != "PERMISSION_DENIED" {
		t.Errorf("code %d, status %d, %s", e.Code, e.Status, e.ErrorCode)
	}
	if !strings.Contains(e.Hint, "ask for the permission") || !strings.Contains(e.Hint, "; look at it with EXEC ") {
		t.Errorf("hint %s", e.Hint)
	}
}

// FuzzAwait shows that, for every answer, the waiting ends, only paths of operations are requested, and
// messages are safe for a terminal.
func FuzzAwait(f *testing.F) {
	for _, seed := range [][2]string{
		{ongoing, ongoing},
		{ongoing, `{"done": true, "response": {"uid": "u"}}`},
		{ongoing, `{"done": true, "error": {"message": "\u001b"}}`},
		{`{"name": "../operations/x"}`, ""},
		{`{"name": "a?b#c/operations/x;y"}`, "null"},
		{`{"cluster_id": "c"}`, `{"state": "RUNNING"}`},
		{`{"cluster_id": 5, "name": "operations/o"}`, `{"state": [], "done": 1}`},
	} {
		f.Add(seed[0], seed[1])
	}
	var first, then string
	var paths []string
	c := serve(f, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			answer(w, first)
			return
		}
		paths = append(paths, r.URL.Path)
		answer(w, then)
	})
	c.Catalogue = realCatalogue(f)
	f.Fuzz(func(t *testing.T, one, two string) {
		first, then = one, two
		for _, b := range []begin{create(), remove(), cluster()} {
			paths = nil
			ctx, cancel := context.WithCancel(t.Context())
			pauses := 0
			c.Retry = dispatch.Retry{Budget: -1, Wait: func(ctx context.Context, _ time.Duration) error {
				if pauses++; pauses > 2 {
					cancel()
				}
				return ctx.Err()
			}}
			c.OnProgress = func(p dispatch.Progress) {
				if strings.ContainsAny(p.What+p.State+p.Message, "\x1b\r\n\x00") {
					t.Errorf("told %q, %q, %q", p.What, p.State, p.Message)
				}
			}
			_, err := b.await(ctx, t, c)
			cancel()
			if err != nil && strings.ContainsAny(asError(t, err).Error()+provider.HintOf(err), "\x1b\r\n\x00") {
				t.Errorf("%q, %q: the error holds control characters: %q", one, two, err)
			}
			for _, path := range paths {
				if path != "/api/2.1/clusters/get" && (!strings.HasPrefix(path, "/api/2.0/postgres/") || !strings.Contains(path, "operations/") || strings.Contains(path, "/../")) {
					t.Errorf("%q: asked for %q", one, path)
				}
			}
		}
	})
}
