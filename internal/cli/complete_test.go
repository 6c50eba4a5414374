package cli_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// lines is the output of a running command.
type lines struct{ *bufio.Scanner }

func reading(t *testing.T, r io.Reader) lines {
	t.Helper()
	return lines{bufio.NewScanner(r)}
}

// until reads on to a line that holds all of some words.
func (l lines) until(t *testing.T, words ...string) {
	t.Helper()
	for l.Scan() {
		found := true
		for _, word := range words {
			found = found && strings.Contains(l.Text(), word)
		}
		if found {
			return
		}
	}
	t.Fatalf("no line with %q", words)
}

// rest reads to the end.
func (l lines) rest() string {
	var b strings.Builder
	for l.Scan() {
		b.WriteString(l.Text() + "\n")
	}
	return b.String()
}

const (
	joined  = "SELECT p.name, b.name FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name"
	count   = "SELECT count(*) FROM " + projects
	several = "SELECT deployment_name, count(*) FROM " + projects + " WHERE deployment_name IN ('dbc-1', 'dbc-2', 'dbc-3') GROUP BY deployment_name"
)

// TestCompleteOrAnError shows that a failing part fails the statement, whose error names the failure and its
// place. With --on-error partial the other rows are returned, the gaps are reported, and the status is 3.
func TestCompleteOrAnError(t *testing.T) {
	t.Parallel()
	secondPage := "GET /api/2.0/postgres/projects: "
	tests := map[string]struct {
		query   string
		fault   string
		behind  int      // requests that pass before the fault
		status  int      // without --on-error partial
		says    []string // what the error says
		partial string   // the rows there are, as csv
	}{
		"a call fails":               {joined + " WHERE p.name IN ('projects/fleet', 'projects/orders', 'projects/p')", "GET /api/2.0/postgres/projects/orders/branches: 500", 0, 1, []string{branches + ".list", "projects/orders/branches", "HTTP 500", "request id"}, "projects/fleet,projects/fleet/branches/development\nprojects/fleet,projects/fleet/branches/production\nprojects/p,projects/p/branches/b\nprojects/p,projects/p/branches/development\nprojects/p,projects/p/branches/production\n"},
		"a value of a list fails":    {"SELECT count(*) FROM " + branches + " WHERE project_id IN ('p', 'orders')", "GET /api/2.0/postgres/projects/orders/branches: 500", 0, 1, []string{"projects/orders/branches"}, "3\n"},
		"a subquery's call fails":    {"SELECT name, (SELECT count(*) FROM " + branches + " b WHERE b.parent = p.name) FROM " + projects + " p WHERE name IN ('projects/p', 'projects/orders') ORDER BY 1", "GET /api/2.0/postgres/projects/orders/branches: 500", 0, 1, []string{"projects/orders/branches"}, "projects/orders,0\nprojects/p,3\n"},
		"a list that is gone":        {"SELECT count(*) FROM " + branches + " WHERE project_id IN ('p', 'gone')", "", 0, 1, []string{"NOT_FOUND", "projects/gone"}, "3\n"},
		"a workspace fails":          {several, "GET dbc-2/*: 500", 0, 1, []string{"HTTP 500"}, "dbc-1,306\ndbc-3,306\n"},
		"a workspace is forbidden":   {several, "GET dbc-2/*: 403", 0, 4, []string{"HTTP 403"}, "dbc-1,306\ndbc-3,306\n"},
		"a workspace wants a login":  {several, "GET dbc-2/*: 401", 0, 4, []string{"HTTP 401"}, "dbc-1,306\ndbc-3,306\n"},
		"a workspace resets":         {several, "GET dbc-2/*: reset", 0, 1, []string{"reset"}, "dbc-1,306\ndbc-3,306\n"},
		"a login page":               {several, "GET dbc-2/*: 403 body=html", 0, 4, []string{"HTTP 403"}, "dbc-1,306\ndbc-3,306\n"},
		"a page fails":               {count, secondPage + "500", 1, 1, []string{projects + ".list", "HTTP 500"}, "100\n"},
		"a page is forbidden":        {count, secondPage + "403", 2, 4, []string{"HTTP 403"}, "200\n"},
		"a page that is not whole":   {count, secondPage + "cut", 1, 1, []string{"the answer ends too early"}, "100\n"},
		"a page that is no JSON":     {count, secondPage + "malformed", 1, 1, []string{"not the JSON that the document describes"}, "100\n"},
		"a page that never comes":    {count, secondPage + "reset", 2, 1, []string{"reset"}, "200\n"},
		"a page that repeats":        {count, "GET *: repeat-token", 0, 1, []string{"came twice"}, "200\n"},
		"too many requests, for all": {count, secondPage + "429", 1, 1, []string{"HTTP 429"}, "100\n"},
		"the first of all calls":     {joined, "GET *: 500", 0, 1, []string{projects + ".list"}, ""},
		"one by its name fails":      {"SELECT name FROM " + projects + " WHERE name IN ('projects/p', 'projects/orders')", "GET /api/2.0/postgres/projects/orders: 500", 0, 1, []string{projects + ".get", "projects/orders"}, "projects/p\n"},
		"an EXEC that lists":         {"EXEC " + projects + ".list", secondPage + "500", 1, 1, []string{"HTTP 500"}, ""},
	}
	for name, test := range tests {
		for _, partial := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", partial"}[partial], func(t *testing.T) {
				t.Parallel()
				env := faulty(t, test.fault, test.behind)
				args := []string{"exec", "--retry-timeout", "0", "-H", "-o", "csv", test.query}
				if partial {
					args = append(args, "--on-error", "partial")
				}
				got := run{args: args, env: env}.do(t)
				if !partial {
					if got.status != test.status || !strings.HasPrefix(got.stderr, "error: ") {
						t.Errorf("status %d, want %d\n%s%s", got.status, test.status, got.stdout, got.stderr)
					}
				} else {
					if got.status != 3 || !strings.HasPrefix(got.stderr, "note: incomplete: rows of ") || !strings.Contains(got.stderr, "error: the result is not complete") {
						t.Errorf("status %d\n%s", got.status, got.stderr)
					}
					if test.query == several && !strings.Contains(got.stderr, "in workspace dbc-2 are missing") {
						t.Errorf("does not say which workspace: %s", got.stderr)
					}
					if strings.HasPrefix(test.query, "SELECT") && got.stdout != test.partial {
						t.Errorf("rows:\n%swant:\n%s", got.stdout, test.partial)
					}
					if n := strings.Count(got.stderr, "note: "); n != 1 {
						t.Errorf("told %d times:\n%s", n, got.stderr)
					}
				}
				for _, word := range test.says {
					if !strings.Contains(got.stderr, word) {
						t.Errorf("says nothing of %q: %s", word, got.stderr)
					}
				}
				if strings.Contains(got.stderr, "sqlite3") {
					t.Errorf("shows SQLite: %s", got.stderr)
				}
			})
		}
	}
}

// faulty starts an emulator with three pages of projects and a fault that begins after a number of requests,
// and returns the environment for the command.
func faulty(t *testing.T, fault string, behind int) []string {
	t.Helper()
	server, env := workspace(t, emulator.Options{Scale: 300})
	var rules []emulator.Fault
	if behind > 0 { // a delay of nothing does no harm, and takes its requests out of what is behind it
		rules = faults(t, fmt.Sprintf("GET *: slow=0s x%d", behind))
	}
	if fault != "" {
		rules = append(rules, faults(t, fault)...)
	}
	server.SetFaults(rules...)
	return env
}

// TestPartialIsNoExcuse shows that a fault of the statement is never forgiven.
func TestPartialIsNoExcuse(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{})
	for name, query := range map[string]string{
		"a missing parameter":    "SELECT * FROM " + branches,
		"an unknown column":      "SELECT nothing FROM " + projects,
		"an unknown resource":    "SELECT * FROM databricks_workspace.postgres.nothing",
		"a bad argument":         "SELECT name FROM " + branches + " WHERE parent = 'p'",
		"a bad inner argument":   "SELECT b.name FROM " + projects + " p JOIN " + branches + " b ON b.parent = 'x' || p.name",
		"a bad deployment name":  "SELECT name FROM " + projects + " WHERE deployment_name IN ('dbc-1', 'evil.com/')",
		"a parameter not there":  "SELECT name FROM " + projects + " WHERE show_deleted <> 'x'",
		"syntax":                 "SELECT FROM " + projects,
		"an EXEC of nothing":     "EXEC " + projects + ".nothing",
		"an EXEC without a name": "EXEC " + projects + ".get",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run{args: []string{"exec", "--on-error", "partial", "-o", "json", query}, env: env}.do(t)
			if got.status != 2 || !strings.HasPrefix(got.stderr, "error: ") {
				t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
			}
		})
	}
}

// TestManyMissing shows that a long list of gaps is reported in a few lines.
func TestManyMissing(t *testing.T) {
	t.Parallel()
	env := faulty(t, "GET /api/2.0/postgres/projects/*/branches: 500", 0)
	got := run{args: []string{"exec", "--on-error", "partial", "-H", "-o", "csv", "SELECT count(*) FROM " + projects + " p JOIN " + branches + " b ON b.parent = p.name"}, env: env}.do(t)
	if got.status != 3 || got.stdout != "0\n" || strings.Count(got.stderr, "note: ") != 21 || !strings.Contains(got.stderr, "… and 286 more") {
		t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
}

// TestPageLimitCuts shows that a page limit that cuts a list is reported and sets the status, and that one
// that cuts nothing is not.
func TestPageLimitCuts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query string
		limit string
		rows  string
		cut   bool
	}{
		"one page":           {count, "1", "100", true},
		"three pages":        {count, "3", "300", true},
		"all there are":      {count, "4", "306", false},
		"more than there is": {count, "5", "306", false},
		"no limit":           {count, "0", "306", false},
		"a LIMIT within it":  {"SELECT count(*) FROM (SELECT name FROM " + projects + " LIMIT 100)", "1", "100", false},
		"in each workspace":  {strings.Replace(several, "deployment_name, count(*)", "count(*)", 1), "2", "200\n200\n200", true},
		"of a list in EXEC":  {"EXEC " + projects + ".list", "1", "", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run{args: []string{"exec", "--http.response.pageLimit", test.limit, "-H", "-o", "csv", test.query}, env: faulty(t, "", 0)}.do(t)
			if want := map[bool]int{true: 3}[test.cut]; got.status != want || strings.Contains(got.stderr, "page limit of "+test.limit) != test.cut {
				t.Errorf("status %d, want %d\n%s", got.status, want, got.stderr)
			}
			if test.rows != "" && strings.TrimSpace(got.stdout) != test.rows {
				t.Errorf("rows %s, want %s", got.stdout, test.rows)
			}
		})
	}
}

// TestPageLimitAtTheEnd shows that a page limit cuts nothing off a list that has given all of the items
// which it says there are.
func TestPageLimitAtTheEnd(t *testing.T) {
	_, env := record(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		switch q := r.URL.Query(); {
		case q.Get("startIndex") == "3":
			_, _ = io.WriteString(w, `{"startIndex": 3, "totalResults": 3, "Resources": [{"id": "c"}]}`)
		default:
			_, _ = io.WriteString(w, `{"startIndex": 1, "totalResults": 3, "Resources": [{"id": "a"}, {"id": "b"}]}`)
		}
	})
	for limit, rows := range map[string]string{"1": "a\nb\n", "2": "a\nb\nc\n"} {
		cut := limit == "1"
		for _, statement := range []string{"SELECT id FROM databricks_workspace.iam.users", "EXEC databricks_workspace.iam.users.list"} {
			got := run{args: []string{"exec", "--http.response.pageLimit", limit, "-H", "-o", "csv", statement}, env: env}.do(t)
			if want := map[bool]int{true: 3}[cut]; got.status != want || strings.Contains(got.stderr, "goes on") != cut {
				t.Errorf("%s, limit %s: status %d, want %d\n%s", statement, limit, got.status, want, got.stderr)
			}
			if strings.HasPrefix(statement, "SELECT") && got.stdout != rows {
				t.Errorf("limit %s: rows %q, want %q", limit, got.stdout, rows)
			}
		}
	}
}

// TestSCIMLists shows that a list which says how many items it has is held to that.
func TestSCIMLists(t *testing.T) {
	t.Parallel()
	const users = "databricks_workspace.iam.users"
	page := func(start, total int, ids ...string) string {
		for i, id := range ids {
			ids[i] = fmt.Sprintf(`{"id": %q}`, id)
		}
		return fmt.Sprintf(`{"startIndex": %d, "totalResults": %d, "Resources": [%s]}`, start, total, strings.Join(ids, ", "))
	}
	tests := map[string]struct {
		pages   map[string]string
		status  int
		says    string
		partial string
	}{
		"whole":                 {map[string]string{"1": page(1, 3, "a", "b"), "3": page(3, 3, "c"), "4": page(4, 3)}, 0, "", "3"},
		"shrinks":               {map[string]string{"1": page(1, 3, "a", "b"), "3": page(3, 2)}, 1, "the list shrank from 3 to 2 items", "2"},
		"ends before its total": {map[string]string{"1": page(1, 5, "a", "b"), "3": page(3, 5)}, 1, "the list ends after 2 of 5 items", "2"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				start := r.URL.Query().Get("startIndex")
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, test.pages[map[bool]string{true: "1", false: start}[start == ""]])
			}))
			t.Cleanup(server.Close)
			env := []string{"DATABRICKS_HOST=" + server.URL, "DATABRICKS_TOKEN=t"}
			got := run{args: []string{"exec", "-H", "-o", "csv", "SELECT count(*) FROM " + users}, env: env}.do(t)
			if got.status != test.status || !strings.Contains(got.stderr, test.says) || test.status == 0 && strings.TrimSpace(got.stdout) != test.partial {
				t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
			}
			got = run{args: []string{"exec", "--on-error", "partial", "-H", "-o", "csv", "SELECT count(*) FROM " + users}, env: env}.do(t)
			if want := 3 * test.status; got.status != want || strings.TrimSpace(got.stdout) != test.partial {
				t.Errorf("partial: status %d, want %d\n%s%s", got.status, want, got.stdout, got.stderr)
			}
		})
	}
}

// TestAlternatives shows that a parameter in an OR never loses rows: each alternative is called, or the
// statement is refused.
func TestAlternatives(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query string
		rows  string // as csv; empty: refused
	}{
		"two values":                      {"SELECT count(*) FROM " + branches + " WHERE project_id = 'p' OR project_id = 'orders'", "5\n"},
		"two parameters":                  {"SELECT count(*) FROM " + branches + " WHERE project_id = 'p' OR parent = 'projects/orders'", "5\n"},
		"a list and one of another":       {"SELECT count(*) FROM " + branches + " WHERE project_id = 'p' OR name = 'projects/orders/branches/production'", "4\n"},
		"the same row twice":              {"SELECT count(*) FROM " + branches + " WHERE project_id = 'p' OR name = 'projects/p/branches/b'", "3\n"},
		"two workspaces":                  {"SELECT count(*) FROM " + projects + " WHERE deployment_name = 'dbc-1' OR deployment_name = 'dbc-2'", "12\n"},
		"a parameter or anything":         {"SELECT count(*) FROM " + branches + " WHERE project_id = 'p' OR 1", ""},
		"a parameter or a column":         {"SELECT count(*) FROM " + branches + " WHERE project_id = 'p' OR uid = 'x'", ""},
		"a workspace or a name":           {"SELECT count(*) FROM " + projects + " WHERE deployment_name = 'dbc-1' OR name = 'projects/p'", ""},
		"a workspace or anything":         {"SELECT count(*) FROM " + projects + " WHERE deployment_name = 'dbc-1' OR 1", ""},
		"workspaces or a name":            {"SELECT count(*) FROM " + projects + " WHERE deployment_name IN ('dbc-1', 'dbc-2') OR name = 'projects/p'", ""},
		"a workspace by an expression":    {"SELECT count(*) FROM " + projects + " WHERE lower(deployment_name) = 'dbc-1'", ""},
		"an optional parameter or a name": {"SELECT count(*) FROM " + projects + " WHERE show_deleted = 'true' OR name = 'projects/p'", ""},
		"shown, not compared":             {"SELECT DISTINCT deployment_name FROM " + projects + " WHERE deployment_name = 'dbc-1' AND (name = 'projects/p' OR name = 'projects/orders')", "dbc-1\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, env := workspace(t, emulator.Options{})
			got := run{args: []string{"exec", "-H", "-o", "csv", test.query}, env: env}.do(t)
			if test.rows == "" {
				if got.status != 2 || got.stdout != "" {
					t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
				}
				return
			}
			if got.status != 0 || got.stdout != test.rows {
				t.Errorf("status %d, rows %q, want %q\n%s", got.status, got.stdout, test.rows, got.stderr)
			}
		})
	}
}

// TestClosedConnections shows that a server which closes the connection instead of answering is an error,
// and not the end of a list.
func TestClosedConnections(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]int{"before the first page": 0, "before the second": 1} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if asked.Add(1) <= int64(after) {
					_, _ = io.WriteString(w, `{"projects": [{"name": "projects/p"}], "next_page_token": "more"}`)
					return
				}
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_ = conn.Close()
			}))
			defer server.Close()
			env := []string{"DATABRICKS_HOST=" + server.URL, "DATABRICKS_TOKEN=t"}
			for _, text := range []string{
				"SELECT name FROM databricks_workspace.postgres.postgres_projects",
				"EXEC databricks_workspace.postgres.postgres_projects.list",
				"SELECT count(*) FROM databricks_workspace.postgres.postgres_projects p JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name",
			} {
				asked.Store(0)
				got := run{args: []string{"exec", "--retry-timeout", "0", "-o", "csv", text}, env: env}.do(t)
				if got.status != 1 || !strings.Contains(got.stderr, "GET "+server.URL) {
					t.Errorf("%s: status %d, stdout:\n%s\nstderr:\n%s", text, got.status, got.stdout, got.stderr)
				}
			}
		})
	}
}
