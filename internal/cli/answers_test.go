package cli_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestErrorsWithStatus200 shows that an error with status 200 is an error in every kind of statement: exit
// status 1 or 4, the reason, and no rows that look complete.
func TestErrorsWithStatus200(t *testing.T) {
	t.Parallel()
	const (
		denied  = `{"error_code": "PERMISSION_DENIED", "message": "not allowed"}`
		strange = `{"foo": 1}`
	)
	tests := map[string]struct {
		statement string
		answers   map[string]string // by a part of the request; "": everything else
		status    int
		says      string
	}{
		"a list":      {"SELECT cluster_id FROM databricks_workspace.compute.clusters", map[string]string{"": denied}, 4, "PERMISSION_DENIED: not allowed"},
		"a count":     {"SELECT count(*) FROM databricks_workspace.compute.clusters", map[string]string{"": strange}, 1, "none of the documented attributes"},
		"items":       {"SELECT count(*) FROM databricks_workspace.compute.clusters", map[string]string{"": `{"clusters": [{"foo": 1}]}`}, 1, "an item has none of the documented attributes"},
		"a kind":      {"SELECT name FROM " + projects, map[string]string{"": `{"projects": {}}`}, 1, "its projects is an object, not a list"},
		"a get":       {"SELECT cluster_id FROM databricks_workspace.compute.clusters WHERE cluster_id = 'x'", map[string]string{"": strange}, 1, "none of the documented attributes"},
		"an empty":    {"SELECT cluster_id FROM databricks_workspace.compute.clusters WHERE cluster_id = 'x'", map[string]string{"": "{}"}, 1, "without even the cluster_id"},
		"null":        {"SELECT cluster_id FROM databricks_workspace.compute.clusters WHERE cluster_id = 'x'", map[string]string{"": "null"}, 1, "the answer is null, not an object"},
		"a token":     {"EXEC databricks_workspace.postgres.postgres_credentials.generate @endpoint = 'projects/p/branches/b/endpoints/e'", map[string]string{"": denied}, 4, "PERMISSION_DENIED: not allowed"},
		"an action":   {"EXEC databricks_workspace.compute.clusters.start @cluster_id = 'x'", map[string]string{"": denied}, 4, "PERMISSION_DENIED: not allowed"},
		"page 2":      {"SELECT name FROM " + projects, map[string]string{"page_token=t": denied, "": `{"projects": [{"name": "projects/p"}], "next_page_token": "t"}`}, 4, "PERMISSION_DENIED: not allowed"},
		"a join":      {"SELECT count(*) FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name", map[string]string{"branches": denied, "": `{"projects": [{"name": "projects/p"}]}`}, 4, "PERMISSION_DENIED: not allowed"},
		"a list of":   {"SELECT cluster_id FROM databricks_workspace.compute.clusters WHERE cluster_id IN ('x', 'y')", map[string]string{"cluster_id=y": strange, "": `{"cluster_id": "x"}`}, 1, "none of the documented attributes"},
		"workspaces":  {"SELECT name FROM " + projects + " WHERE deployment_name IN ('one', 'two')", map[string]string{"two.": strange, "": `{"projects": []}`}, 1, "none of the documented attributes"},
		"an account":  {"SELECT name FROM " + projects + " WHERE deployment_name = '*'", map[string]string{"/accounts/": "null", "": `{"projects": []}`}, 1, "the answer is null, not a list"},
		"an INSERT":   {"INSERT INTO databricks_workspace.workspace.secret_scopes (scope) VALUES ('s')", map[string]string{"": denied}, 4, "PERMISSION_DENIED: not allowed"},
		"RETURNING":   {"INSERT INTO databricks_workspace.compute.clusters (spark_version) VALUES ('v') RETURNING cluster_id", map[string]string{"": strange}, 1, "none of the documented attributes"},
		"an UPDATE":   {"UPDATE databricks_workspace.jobs.jobs SET new_settings = '{\"name\": \"n\"}' WHERE job_id = 7", map[string]string{"": denied}, 4, "PERMISSION_DENIED: not allowed"},
		"a DELETE":    {"DELETE FROM databricks_workspace.jobs.jobs WHERE job_id = 7", map[string]string{"": denied}, 4, "PERMISSION_DENIED: not allowed"},
		"AWAIT":       {"/*+ AWAIT */ EXEC databricks_workspace.compute.clusters.start @cluster_id = 'x'", map[string]string{"/start": "{}", "": denied}, 4, "PERMISSION_DENIED: not allowed"},
		"AWAIT's get": {"/*+ AWAIT */ EXEC databricks_workspace.compute.clusters.start @cluster_id = 'x'", map[string]string{"/start": "{}", "": strange}, 1, "none of the documented attributes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, env := record(t, func(w http.ResponseWriter, r *http.Request, sent string) {
				text := test.answers[""]
				for part, answer := range test.answers {
					if part != "" && strings.Contains(r.Host+" "+sent, part) {
						text = answer
					}
				}
				_, _ = io.WriteString(w, text)
			})
			got := run{args: []string{"exec", "-o", "json", test.statement}, env: append(env, "DATABRICKS_ACCOUNT_ID=1-2-3")}.do(t)
			if got.status != test.status || !strings.Contains(got.stderr, test.says) || strings.HasSuffix(strings.TrimSpace(got.stdout), "]") {
				t.Errorf("status %d, want %d and %q\n%s%s", got.status, test.status, test.says, got.stdout, got.stderr)
			}
		})
	}
}

// TestAbsentOrNot shows that only an answer of the API's that a resource does not exist is no row, that a
// join does not lose rows to another 404, and that a pipeline does not take it for a removal.
func TestAbsentOrNot(t *testing.T) {
	t.Parallel()
	const (
		one  = "SELECT cluster_id FROM databricks_workspace.compute.clusters WHERE cluster_id = 'x'"
		join = "SELECT l.cluster_id, g.state FROM databricks_workspace.compute.clusters l JOIN databricks_workspace.compute.clusters g ON g.cluster_id = l.cluster_id"
	)
	var answer atomic.Value
	_, env := record(t, func(w http.ResponseWriter, _ *http.Request, sent string) {
		switch text := answer.Load().(string); { //nolint:forcetypeassert // only texts are stored
		case strings.Contains(sent, "clusters/list"):
			_, _ = io.WriteString(w, `{"clusters": [{"cluster_id": "x"}]}`)
		case text == "there":
			_, _ = io.WriteString(w, `{"cluster_id": "x", "state": "RUNNING"}`)
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, text)
		}
	})
	for text, status := range map[string]int{
		`{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "m"}`: 0,
		`{"error_code": "ENDPOINT_NOT_FOUND", "message": "m"}`:      1,
		`<html><title>Not found</title></html>`:                     1,
		``:                                                          1,
	} {
		answer.Store(text)
		for _, statement := range []string{one, join} {
			got := run{args: []string{"exec", "-H", "-o", "csv", statement}, env: env}.do(t)
			if got.status != status || got.stdout != "" {
				t.Errorf("%s answered %q: status %d, want %d\n%s%s", statement, text, got.status, status, got.stdout, got.stderr)
			}
		}
	}
	dir := folder(t, map[string]string{
		"pipeline.yaml": "name: answers\nworkspaces: [dbc-1]\n",
		"clusters.sql":  "-- table: clusters\n-- key: cluster_id\nSELECT cluster_id, state FROM databricks_workspace.compute.clusters WHERE cluster_id = 'x'\n",
	})
	s := store{name: filepath.Join(dir, "s.db")}
	for _, test := range []struct {
		answer string
		rows   string
		status int
	}{
		{"there", "1", 0},
		{`<html></html>`, "1", 3},
		{`{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "m"}`, "0", 0},
	} {
		answer.Store(test.answer)
		got := run{args: []string{"pipeline", "run", "--store", s.name, dir}, env: env}.do(t)
		rows := run{args: []string{"exec", "-H", "-o", "csv", "--store", s.name, "SELECT count(*) FROM clusters"}}.do(t)
		if (got.status == 0) != (test.status == 0) || strings.TrimSpace(rows.stdout) != test.rows {
			t.Errorf("%s: status %d, %s rows, want %d, %s\n%s%s%s", test.answer, got.status, rows.stdout, test.status, test.rows, got.stdout, got.stderr, rows.stderr)
		}
	}
}

// TestSwitchedProtocols shows that an answer with the status 101 ends a statement at once: behind it the
// connection hears neither a time limit nor a signal.
func TestSwitchedProtocols(t *testing.T) {
	t.Parallel()
	hung := make(chan struct{})
	_, env := record(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		go func() { <-hung; _ = conn.Close() }()
	})
	defer close(hung)
	got := run{args: []string{"exec", "SELECT name FROM " + projects}, env: env}.do(t)
	if got.status != 1 || !strings.Contains(got.stderr, "answered with the status 101") {
		t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
}

// TestReplacedCharacters shows the note about replaced invalid characters, in a statement and in a pipeline.
func TestReplacedCharacters(t *testing.T) {
	t.Parallel()
	_, env := record(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		_, _ = io.WriteString(w, `{"clusters": [{"cluster_id": "x`+"\xff"+`", "cluster_name": "\ud83d"}]}`)
	})
	const (
		query = "SELECT cluster_id, cluster_name FROM databricks_workspace.compute.clusters"
		note  = "databricks_workspace.compute.clusters.list returned invalid text: characters replaced by U+FFFD: 2\n"
	)
	for _, statement := range []string{query, "EXEC databricks_workspace.compute.clusters.list"} {
		got := run{args: []string{"exec", "-o", "json", statement}, env: env}.do(t)
		if got.status != 0 || !strings.Contains(got.stderr, "note: "+note) || strings.Count(got.stdout, "\ufffd") != 2 {
			t.Errorf("%s: status %d\n%s%s", statement, got.status, got.stdout, got.stderr)
		}
	}
	dir := folder(t, map[string]string{"pipeline.yaml": "name: texts\nworkspaces: [dbc-1]\n", "clusters.sql": "-- table: clusters\n-- key: cluster_id\n" + query + "\n"})
	got := run{args: []string{"pipeline", "run", "--store", filepath.Join(dir, "s.db"), dir}, env: env}.do(t)
	if got.status != 0 || !strings.Contains(got.stderr, "note: dbc-1: "+note) {
		t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
}
