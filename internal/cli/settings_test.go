package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestSettings runs the statements that speak of the session.
func TestSettings(t *testing.T) {
	t.Parallel()
	const shown = "on_error,%s,\"fail, or partial: go on without what a failing call takes away\"\npage_limit,%d,pages of a list to read at most; 0: all\n" +
		"memory,256MiB,\"memory of a statement for its answers, and as much for SQLite, such as 512MiB\"\n"
	tests := map[string]struct {
		text   string
		want   string // rows as csv, or what standard error says where status is not 0
		status int
	}{
		"at first":         {"SHOW SETTINGS", fmt.Sprintf(shown, "fail", 0), 0},
		"set":              {"SET on_error = 'partial'; SET PAGE_LIMIT TO 3; SHOW SETTINGS", fmt.Sprintf(shown, "partial", 3), 0},
		"set and set back": {"SET on_error = partial; SET page_limit = 3; SET on_error = fail; SET page_limit = 0; SHOW SETTINGS", fmt.Sprintf(shown, "fail", 0), 0},
		"one of them":      {"SHOW SETTINGS LIKE 'page%'", "page_limit,0,pages of a list to read at most; 0: all\n", 0},
		"unknown":          {"SET nosuch = 1", `line 1, column 1: unknown setting "nosuch"`, 2},
		"of StackQL":       {"SET $.http.timeout = 5", "known are on_error, page_limit, memory", 2},
		"no such value":    {"SET on_error = 'never'", `line 1, column 16: on_error: "****" is neither fail nor partial`, 2},
		"memory":           {"SET memory = '1GiB'; SHOW SETTINGS LIKE 'memory'", "memory,1024MiB,\"memory of a statement for its answers, and as much for SQLite, such as 512MiB\"\n", 0},
		"too little":       {"SET memory = '1MiB'", "is not an amount from 4MiB to 4095MiB", 2},
		"no number":        {"SET page_limit = -1", "is no number of pages", 2},
		"nothing runs":     {"EXEC " + projects + ".list; SET on_error = 'never'", "neither fail nor partial", 2},
		"a provider":       {"USE databricks_workspace; SHOW VERSION", "1.2.3-test,github.com/databricks/databricks-sdk-go v0.182.0,2026-09-21\n", 0},
		"no provider":      {"USE nosuch", "line 1, column 5", 2},
		"a cache":          {"PURGE CACHE", "there is no cache to purge: every statement asks the API\n", 0},
		"a pause":          {"SLEEP 1; VALUES (1)", "1\n", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, env := workspace(t, emulator.Options{})
			got := run{args: []string{"exec", "-H", "-o", "csv", test.text}, env: env}.do(t)
			if got.status != test.status || test.status == 0 && got.stdout != test.want || test.status != 0 && !strings.Contains(got.stderr, test.want) {
				t.Errorf("status %d\n%s%swant:\n%s", got.status, got.stdout, got.stderr, test.want)
			}
			if sent := server.Requests(); len(sent) != 0 {
				t.Errorf("sent %+v", sent)
			}
		})
	}
}

// TestEveryWorkspace shows that deployment_name = '*' calls each workspace that the account lists, and that
// each row names its workspace.
func TestEveryWorkspace(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{Workspaces: []string{"one", "two", "three"}})
	account := append(slices.Clone(env), "DATABRICKS_ACCOUNT_ID="+server.AccountID())
	tests := map[string]struct{ query, want string }{
		"all":             {"SELECT deployment_name, name FROM " + projects + " WHERE deployment_name = '*' AND name LIKE '%/orders' ORDER BY 1", "one,projects/orders\nthree,projects/orders\ntwo,projects/orders\n"},
		"written as IN":   {"SELECT count(DISTINCT deployment_name) FROM " + projects + " p WHERE p.deployment_name IN ('*')", "3\n"},
		"the other way":   {"SELECT count(DISTINCT deployment_name) FROM " + projects + " WHERE '*' = deployment_name", "3\n"},
		"and a condition": {"SELECT DISTINCT deployment_name FROM " + projects + " WHERE deployment_name = '*' AND deployment_name LIKE 't%' ORDER BY 1", "three\ntwo\n"},
		"in a join":       {"SELECT DISTINCT b.deployment_name FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name AND b.deployment_name = p.deployment_name WHERE p.deployment_name = '*' AND p.name = 'projects/orders' ORDER BY 1", "one\nthree\ntwo\n"},
		"in a table":      {"CREATE TABLE t AS SELECT deployment_name FROM " + projects + " WHERE deployment_name = '*'; SELECT count(DISTINCT deployment_name) FROM t", "3\n"},
		"in a view":       {"CREATE VIEW v AS SELECT deployment_name AS d FROM " + projects + " WHERE deployment_name = '*'; SELECT count(DISTINCT d) FROM v", "3\n"},
		"explained":       {"EXPLAIN SELECT name FROM " + projects + " WHERE deployment_name = '*'", "postgres_projects.list,1 per row of workspaces + pages,deployment_name = workspaces.deployment_name,name,GET /api/2.0/postgres/projects\nsqlite: list subquery 1,,,,\n\"  workspaces.workspaces_list\",1,,\"deployment_name, workspace_name\",GET /api/2.0/accounts/{account_id}/workspaces\n"},
	}
	for name, test := range tests {
		got := run{args: []string{"exec", "-H", "-o", "csv", test.query}, env: account}.do(t)
		if got.status != 0 || got.stdout != test.want {
			t.Errorf("%s: status %d\n%s%swant\n%s", name, got.status, got.stdout, got.stderr, test.want)
		}
	}
	got := run{args: []string{"exec", tests["all"].query}, env: env}.do(t)
	if got.status != 2 || !strings.Contains(got.stderr, "needs account_id, and no account is configured") || !strings.Contains(got.stderr, "DATABRICKS_ACCOUNT_ID") {
		t.Errorf("without an account: status %d\n%s", got.status, got.stderr)
	}
}

// TestEveryWorkspaceOrNone shows that a workspace that cannot be called is an error: no workspace is left out
// without a message.
func TestEveryWorkspaceOrNone(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	workspaces := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case strings.Contains(r.URL.Path, "/accounts/"):
			_, _ = fmt.Fprint(w, workspaces)
		case strings.HasPrefix(r.Host, "broken."):
			w.WriteHeader(http.StatusForbidden)
		default:
			_, _ = fmt.Fprint(w, `{"projects": [{"name": "projects/a"}]}`)
		}
	}))
	defer server.Close()
	env := []string{"DATABRICKS_HOST=" + server.URL, "DATABRICKS_TOKEN=x", "DATABRICKS_ACCOUNT_ID=1-2"}
	const query = "SELECT deployment_name, name FROM " + projects + " WHERE deployment_name = '*'"
	for answer, want := range map[string]struct {
		flags  []string
		status int
		stdout string
		stderr string
	}{
		`[]`:                           {nil, 0, "", ""},
		`[{"deployment_name": "one"}]`: {nil, 0, "one,projects/a\n", ""},
		`[{"deployment_name": "one"}, {"workspace_name": "my workspace"}]`:                        {nil, 2, "", `the workspace "my workspace" of the account has no deployment name`},
		`[{"deployment_name": "evil.com/"}]`:                                                      {nil, 2, "", "neither one DNS label"},
		`[{"deployment_name": "one"}, {"deployment_name": "broken"}]`:                             {nil, 4, "", "HTTP 403"},
		`[{"deployment_name": "one"}, {"deployment_name": "broken"}, {"deployment_name": "two"}]`: {[]string{"--on-error", "partial"}, 3, "one,projects/a\ntwo,projects/a\n", "in workspace broken are missing"},
	} {
		mu.Lock()
		workspaces = answer
		mu.Unlock()
		got := run{args: append(append([]string{"exec", "-H", "-o", "csv", "--retry-timeout", "0"}, want.flags...), query+" ORDER BY 1"), env: env}.do(t)
		if got.status != want.status || got.stdout != want.stdout || !strings.Contains(got.stderr, want.stderr) {
			t.Errorf("%s: status %d\n%s%s", answer, got.status, got.stdout, got.stderr)
		}
	}
}
