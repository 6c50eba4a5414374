package dispatch_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// TestAwaitGivesTheResult shows the requests until the work is done, and the resulting row.
func TestAwaitGivesTheResult(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		begin   begin
		answers []string
		asked   []string
		want    map[string]any
	}{
		"an operation": {
			create(),
			[]string{ongoing, `{"name": "` + operation + `", "done": false}`, `{"done": true, "response": {"@type": "t", "name": "projects/p/branches/b", "uid": "u", "spec": {"no_expiry": true}}}`},
			[]string{beginning, polling, polling},
			map[string]any{"name": "projects/p/branches/b", "uid": "u", "spec": `{"no_expiry": true}`},
		},
		"an operation that is done at once": {
			create(),
			[]string{`{"name": "` + operation + `", "done": true, "response": {"uid": "u"}, "error": null}`},
			[]string{beginning},
			map[string]any{"uid": "u"},
		},
		"an operation without a name that is done at once": {
			create(),
			[]string{`{"done": true, "response": {"uid": "u"}}`},
			[]string{beginning},
			map[string]any{"uid": "u"},
		},
		"a result of a service of environments": {
			begin{method: "environments.workspace_base_environments.refresh", args: map[string]any{"workspace_base_environment": "e"}},
			[]string{`{"name": "operations/o"}`, `{"done": true, "response": {"display_name": "d"}}`},
			[]string{"POST /api/environments/v1/workspace-base-environments/e/refresh", "GET /api/environments/v1/operations/o"},
			map[string]any{"display_name": "d"},
		},
		"an operation whose name is one part of a path": {
			begin{method: "apps.app_spaces.create", body: `{"name": "s"}`},
			[]string{`{"name": "o"}`, `{"done": true, "response": {"name": "s"}}`},
			[]string{"POST /api/2.0/app-spaces", "GET /api/2.0/app-spaces/o/operation"},
			map[string]any{"name": "s"},
		},
		"a deletion": {
			remove(),
			[]string{ongoing, `{"name": "` + operation + `", "done": true, "response": {}}`},
			[]string{"DELETE /api/2.0/postgres/projects/p/branches/b", polling},
			map[string]any{"name": operation, "done": true, "response": "{}"},
		},
		"a deletion that is done at once": {
			remove(),
			[]string{`{"name": "` + operation + `", "done": true, "response": {}}`},
			[]string{"DELETE /api/2.0/postgres/projects/p/branches/b"},
			map[string]any{"name": operation, "done": true, "response": "{}"},
		},
		"a state, bound to the response": {
			cluster(),
			[]string{`{"cluster_id": "c-1"}`, `{"state": "PENDING", "state_message": "Finding instances"}`, `{"state": "RESTING"}`, `{"state": "RUNNING", "cluster_id": "c-1", "state_message": null}`},
			[]string{creating, watching, watching, watching},
			map[string]any{"state": "RUNNING", "cluster_id": "c-1"},
		},
		"a state, bound to the body": {
			stop(),
			[]string{"", `{"state": "TERMINATING"}`, `{"state": "TERMINATED"}`},
			[]string{"POST /api/2.1/clusters/delete", watching, watching},
			map[string]any{"state": "TERMINATED"},
		},
		"a state, bound to the path": {
			begin{method: "sql.warehouses.start", args: map[string]any{"id": "w"}},
			[]string{"{}", `{"state": "STARTING", "health": {"summary": "s"}}`, `{"id": "w", "state": "RUNNING"}`},
			[]string{"POST /api/2.0/sql/warehouses/w/start", "GET /api/2.0/sql/warehouses/w", "GET /api/2.0/sql/warehouses/w"},
			map[string]any{"id": "w", "state": "RUNNING"},
		},
		"a state in an object, bound to the path and the response": {
			begin{method: "apps.app_deployments.create", args: map[string]any{"app_name": "a"}, body: `{}`},
			[]string{`{"deployment_id": "d"}`, `{"status": {"state": "IN_PROGRESS"}}`, `{"deployment_id": "d", "status": {"state": "SUCCEEDED"}}`},
			[]string{"POST /api/2.0/apps/a/deployments", "GET /api/2.0/apps/a/deployments/d", "GET /api/2.0/apps/a/deployments/d"},
			map[string]any{"deployment_id": "d", "status": `{"state": "SUCCEEDED"}`},
		},
		"a number, of which the pages behind the first are read in the end only": {
			begin{method: "jobs.jobs.run_now", body: `{"job_id": 5}`},
			[]string{
				`{"run_id": 9007199254740993}`,
				`{"state": {"life_cycle_state": "RUNNING"}, "tasks": [{"task_key": "a"}], "next_page_token": "more"}`,
				`{"run_id": 9007199254740993, "state": {"life_cycle_state": "TERMINATED"}, "tasks": [{"task_key": "a"}], "next_page_token": "more"}`,
				`{"tasks": [{"task_key": "b"}]}`,
			},
			[]string{
				"POST /api/2.2/jobs/run-now", "GET /api/2.2/jobs/runs/get?run_id=9007199254740993", "GET /api/2.2/jobs/runs/get?run_id=9007199254740993",
				"GET /api/2.2/jobs/runs/get?page_token=more&run_id=9007199254740993",
			},
			map[string]any{"run_id": int64(9007199254740993), "state": `{"life_cycle_state":"TERMINATED"}`, "tasks": `[{"task_key":"a"},{"task_key":"b"}]`},
		},
		"a method that begins nothing": {
			begin{method: "postgres.postgres_branches.get", args: branch()},
			[]string{`{"uid": "u"}`},
			[]string{"GET /api/2.0/postgres/projects/p/branches/b"},
			map[string]any{"uid": "u"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, workspace := scripted(t, test.answers...)
			rows, err := test.begin.await(t.Context(), t, c)
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) != 1 || fmt.Sprint(rows[0]) != fmt.Sprint(test.want) {
				t.Errorf("got %v, want %v", rows, test.want)
			}
			if asked := workspace.requests(); !slices.Equal(asked, test.asked) {
				t.Errorf("asked for %q, want %q", asked, test.asked)
			}
		})
	}
}

// TestAwaitKeepsSecrets shows that a credential in an operation's response is one in its row.
func TestAwaitKeepsSecrets(t *testing.T) {
	t.Parallel()
	b := create()
	b.change = func(m *provider.Method) { m.Wait.Result = &provider.Schema{Ref: "DatabaseCredential"} }
	c, _ := scripted(t, ongoing, `{"done": true, "response": {"token": "dapi-secret"}}`)
	rows, err := b.await(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	if secret, ok := rows[0]["token"].(provider.Secret); !ok || secret.Reveal() != "dapi-secret" {
		t.Errorf("the row is %v", rows[0])
	}
}

// TestAwaitFails shows the errors of work that does not come to a good end, and of answers that tell
// nothing.
func TestAwaitFails(t *testing.T) {
	t.Parallel()
	const looking = "look at it with EXEC databricks_workspace."
	running := []string{`{"cluster_id": "c-1"}`}
	tests := map[string]struct {
		begin   begin
		answers []string
		message string // part of it
		hint    string // part of it
		code    string // the API's
		asked   int
	}{
		"an operation's error": {
			create(),
			[]string{ongoing, `{"done": true, "error": {"error_code": "BAD_REQUEST", "message": "no such thing", "stack_trace": "secret.go:1"}}`},
			"postgres_branches.create: operation " + operation + " failed: BAD_REQUEST: no such thing", "", "BAD_REQUEST", 2,
		},
		"an error in the first answer": {
			create(),
			[]string{`{"name": "` + operation + `", "done": true, "error": {"error_code": "BAD_REQUEST", "message": "m"}, "response": {"uid": "u"}}`},
			"failed: BAD_REQUEST: m", "", "BAD_REQUEST", 1,
		},
		"an error with a code in numbers": {
			create(),
			[]string{ongoing, `{"done": true, "error": {"code": 5, "message": "m"}}`},
			"failed: 5: m", "", "5", 2,
		},
		"an error with its reason in the details": {
			create(),
			[]string{ongoing, `{"done": true, "error": {"message": "m", "details": [{"reason": "QUOTA"}]}}`},
			"failed: QUOTA: m", "", "QUOTA", 2,
		},
		"an error without words":         {create(), []string{ongoing, `{"done": true, "error": {}}`}, "failed: no reason given", "", "", 2},
		"an error that is no object":     {create(), []string{ongoing, `{"done": true, "error": "broken"}`}, "failed: broken", "", "", 2},
		"an error that writes to screen": {create(), []string{ongoing, `{"done": true, "error": {"message": "\u001b[2J"}}`}, `failed: \x1b[2J`, "", "", 2},
		"a deletion that fails":          {remove(), []string{ongoing, `{"done": true, "error": {"message": "protected"}}`}, "failed: protected", "", "", 2},

		"done without an end":               {create(), []string{ongoing, `{"done": true}`}, "operation " + operation + " is done, but has neither a response nor an error", "", "", 2},
		"done without an end, in null":      {create(), []string{ongoing, `{"done": true, "error": null, "response": null}`}, "neither a response nor an error", "", "", 2},
		"a deletion done without an end":    {remove(), []string{ongoing, `{"done": true}`}, "neither a response nor an error", "", "", 2},
		"a done that is text":               {create(), []string{ongoing, `{"done": "true"}`}, `done is "\"true\"", not true or false`, looking, "", 2},
		"a response that is a list":         {create(), []string{ongoing, `{"done": true, "response": [{"uid": "u"}, {"uid": "v"}]}`}, "not the JSON that the document describes", "", "", 2},
		"a response that is text":           {create(), []string{ongoing, `{"done": true, "response": "x"}`}, "not the JSON that the document describes", "", "", 2},
		"an operation that is a list":       {create(), []string{`[]`}, "not the JSON that the document describes", "", "", 1},
		"an operation that is null":         {create(), []string{`null`}, "not the JSON that the document describes", "", "", 1},
		"a poll that answers nothing":       {create(), []string{ongoing, ""}, "cannot be told: databricks_workspace.postgres.postgres_operations.get: the answer is empty", looking, "", 2},
		"a login page for a poll":           {create(), []string{ongoing, "<html>"}, "answered with an HTML page", looking, "", 2},
		"a login page for the first answer": {stop(), []string{"<html>"}, "answered with an HTML page", "", "", 1},

		"no name":                    {create(), []string{`{}`}, "does not tell what to wait for: it has no name, but the work that it began goes on", "", "", 1},
		"an empty name":              {create(), []string{`{"name": ""}`}, "it has no name", "", "", 1},
		"a name that is an object":   {create(), []string{`{"name": {"a": 1}}`}, "it has no name", "", "", 1},
		"a name of something else":   {create(), []string{`{"name": "projects/p/branches/b"}`}, "is not the name of an operation", "", "", 1},
		"a name of all operations":   {create(), []string{`{"name": "projects/p/operations/"}`}, "is not the name of an operation", "", "", 1},
		"a name from the root":       {create(), []string{`{"name": "/projects/p/operations/o"}`}, "is not the name of an operation", "", "", 1},
		"a name that leads up":       {create(), []string{`{"name": "../../2.0/token/operations/o"}`}, "is not the name of an operation", "", "", 1},
		"a name that ends above":     {create(), []string{`{"name": "projects/operations/.."}`}, "is not the name of an operation", "", "", 1},
		"a name with escapes":        {create(), []string{`{"name": "%2e%2e/operations/o"}`}, "percent-escape", "", "", 1},
		"a name with a line end":     {create(), []string{`{"name": "a\r\nb/operations/o"}`}, "does not print", "", "", 1},
		"a name with a backslash":    {create(), []string{`{"name": "a\\b/operations/o"}`}, "slash", "", "", 1},
		"an enormous name":           {create(), []string{`{"name": "` + strings.Repeat("x", 1<<20) + `/operations/o"}`}, "longer than 1024 bytes", "", "", 1},
		"a name of several segments": {begin{method: "apps.app_spaces.create", body: `{"name": "s"}`}, []string{`{"name": "../2.0/token"}`}, "slash", "", "", 1},

		"no identifier":                  {cluster(), []string{`{}`}, "it has no cluster_id", "", "", 1},
		"an identifier that is null":     {cluster(), []string{`{"cluster_id": null}`}, "it has no cluster_id", "", "", 1},
		"an identifier that is no name":  {begin{method: "sql.warehouses.create", body: "{}"}, []string{`{"id": ".."}`}, "would lead to another path", "", "", 1},
		"an identifier that is no digit": {begin{method: "jobs.jobs.run_now", body: `{"job_id": 5}`}, []string{`{"run_id": "x"}`}, "run_id", "", "", 1},

		"a state of failure": {
			cluster(), append(running, `{"state": "TERMINATED", "state_message": "out of stock"}`),
			"clusters.create: cluster_id c-1 is TERMINATED instead of RUNNING: out of stock", looking + "compute.clusters.get @cluster_id = 'c-1'", "", 2,
		},
		"a state of failure without words": {stop(), []string{"{}", `{"state": "ERROR"}`}, "cluster_id c-1 is ERROR instead of TERMINATED", looking, "", 2},
		"a message inside an object": {
			begin{method: "sql.warehouses.start", args: map[string]any{"id": "w"}},
			[]string{"{}", `{"state": "DELETED", "health": {"summary": "gone\u001b"}}`},
			`id w is DELETED instead of RUNNING: gone\x1b`, looking, "", 2,
		},
		"no state":                {cluster(), append(running, `{"state_message": "m"}`), "clusters.get: the answer has no state that is text", looking, "", 2},
		"a state that is null":    {cluster(), append(running, `{"state": null}`), "no state that is text", looking, "", 2},
		"a state that is empty":   {cluster(), append(running, `{"state": ""}`), "no state that is text", looking, "", 2},
		"a state that is no text": {cluster(), append(running, `{"state": {"state": "RUNNING"}}`), "no state that is text", looking, "", 2},
		"a state in no object":    {begin{method: "jobs.jobs.run_now", body: `{"job_id": 5}`}, []string{`{"run_id": 1}`, `{"state": "TERMINATED"}`}, "no state.life_cycle_state that is text", looking + "jobs.job_runs.get @run_id = 1", "", 2},

		"an API error at once":      {create(), []string{`409 {"error_code": "ALREADY_EXISTS", "message": "m"}`}, "postgres_branches.create: ALREADY_EXISTS: m", "", "ALREADY_EXISTS", 1},
		"an API error of a poll":    {create(), []string{ongoing, `500 {"message": "m"}`}, "how far that has come cannot be told: databricks_workspace.postgres.postgres_operations.get: m", looking + "postgres.postgres_operations.get @name = '" + operation + "'", "", 2},
		"a deletion is not found":   {remove(), []string{ongoing, `404 {"error_code": "NOT_FOUND", "message": "m"}`}, "cannot be told: databricks_workspace.postgres.postgres_operations.get: NOT_FOUND: m", looking, "NOT_FOUND", 2},
		"a cluster is not found":    {stop(), []string{"{}", `404 {"error_code": "NOT_FOUND", "message": "m"}`}, "cannot be told: databricks_workspace.compute.clusters.get: NOT_FOUND: m", looking, "NOT_FOUND", 2},
		"a name with an apostrophe": {stop().with(`{"cluster_id": "c'1"}`), []string{"{}", `{"state": "ERROR"}`}, "is ERROR", "@cluster_id = 'c''1'", "", 2},
		"a workspace that was named": {
			begin{method: stop().method, body: stop().body, deployment: "dbc-1"},
			[]string{"{}", `{"state": "ERROR"}`},
			"is ERROR",
			"@cluster_id = 'c-1', @deployment_name = 'dbc-1'", "", 2,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, workspace := scripted(t, test.answers...)
			rows, err := test.begin.await(t.Context(), t, c)
			if err == nil {
				t.Fatalf("no error, but %v", rows)
			}
			e := asError(t, err)
			if !strings.Contains(e.Message, test.message) || e.Code != provider.API || e.ErrorCode != test.code {
				t.Errorf("code %d, %q: %s\nwant %q: %s", e.Code, e.ErrorCode, e.Message, test.code, test.message)
			}
			if !strings.Contains(e.Hint, test.hint) {
				t.Errorf("hint %q\nwant %q", e.Hint, test.hint)
			}
			if text := e.Error() + e.Hint; strings.ContainsAny(text, "\x1b\r\n") || len(text) > 5000 || strings.Contains(text, "secret.go") {
				t.Errorf("the error says %.6000q", text)
			}
			if asked := workspace.requests(); len(asked) != test.asked {
				t.Errorf("asked for %.300q, want %d requests", asked, test.asked)
			}
		})
	}
}

// with returns the call another body.
func (b begin) with(body string) begin {
	b.body = body
	return b
}

// TestAwaitOfTheAccount shows that the poll gets its account parameters from the call.
func TestAwaitOfTheAccount(t *testing.T) {
	t.Parallel()
	s := &script{answers: []string{`{"workspace_id": 7}`, `{"workspace_status": "PROVISIONING"}`, `{"workspace_id": 7, "workspace_status": "RUNNING"}`}}
	c := serve(t, s.ServeHTTP)
	c.Catalogue = realCatalogue(t)
	c.Authorizer = accounts{c.Authorizer}
	b := begin{method: "databricks_account.provisioning.workspaces.workspaces_create", args: map[string]any{"account_id": "acc"}, body: `{"workspace_name": "w"}`}
	rows, err := b.await(t.Context(), t, c)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0]["workspace_status"] != "RUNNING" {
		t.Errorf("got %v", rows)
	}
	const one = "GET /api/2.0/accounts/acc/workspaces/7"
	if asked := s.requests(); !slices.Equal(asked, []string{"POST /api/2.0/accounts/acc/workspaces", one, one}) {
		t.Errorf("asked for %q", asked)
	}
}

// accounts directs calls of the account to the server of the tests.
type accounts struct{ dispatch.Authorizer }

func (a accounts) Direct(r *http.Request, deployment string) error {
	r.URL.Scheme, r.URL.Host = "", ""
	return a.Authorizer.Direct(r, deployment)
}

// TestAwaitCounts shows that the cost of the polls is part of the call's.
func TestAwaitCounts(t *testing.T) {
	t.Parallel()
	last := `{"done": true, "response": {"uid": "u"}}`
	c, _ := scripted(t, ongoing, "503 {}", ongoing, last)
	rows, err := c.Await(t.Context(), create().plan(t, c))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // it has no error
	got := rows.(interface{ Usage() dispatch.Usage }).Usage()
	if got.Requests != 3 || got.Retries != 1 || got.Rows != 1 || got.Bytes != int64(2*len(ongoing)+len(last)) {
		t.Errorf("it cost %+v", got)
	}
}
