//go:build unix

package cli_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
)

// TestPipelineReport follows a store over some runs, and looks at the page about it.
func TestPipelineReport(t *testing.T) {
	t.Parallel()
	for kind, open := range stores() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			reportsOn(t, open(t))
		})
	}
}

func reportsOn(t *testing.T, s store) {
	t.Helper()
	_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2", "dbc-3"}})
	dir := lakebase(t, "workspaces: [dbc-1, dbc-2, dbc-3]\n")
	if err := os.WriteFile(filepath.Join(dir, "warehouses.sql"), []byte("-- table: warehouses\n-- key: id\nSELECT id, name, cluster_size, auto_stop_mins, max_num_clusters, state FROM databricks_workspace.sql.warehouses"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "checks"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "checks", "protected.sql"), []byte("-- description: No branch is protected.\n-- owner: ada@example.com\n-- message: {{ name }} is protected\nSELECT deployment_name, name FROM branches WHERE protected AND name LIKE '%development'"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, env, dir, s)
	page := reportOf(t, env, dir, s)
	pageSays(t, page, "Every table of every workspace is up to date, and every check passes.", "Checks 0 not passed, of 1", "pass protected No branch is protected.", "ada@example.com", "first answers: ", "in 3 workspaces", "SQL warehouses", "Not collected: the pipeline has no table clusters.", "stopped, ")
	if !strings.Contains(page, "0 rows added, 0 changed, and 0 removed in the last 30 days") {
		t.Error("the first rows count as changes")
	}

	mustExec(t, env, `UPDATE databricks_workspace.postgres.postgres_branches SET "spec.is_protected" = true WHERE deployment_name = 'dbc-1' AND name = 'projects/p/branches/development';
		INSERT INTO databricks_workspace.postgres.postgres_projects (deployment_name, project_id) VALUES ('dbc-2', 'added');
		DELETE FROM databricks_workspace.postgres.postgres_branches WHERE deployment_name = 'dbc-3' AND name = 'projects/p/branches/b'`)
	mustRun(t, env, dir, s)
	page = reportOf(t, env, dir, s)
	pageSays(t, page, "2 rows added, 1 changed, and 1 removed in the last 30 days", "branches in dbc-1 ~1 changed", "~changed projects/p/branches/development protected from false to true",
		"branches in dbc-3 −1 removed", "−removed projects/p/branches/b", "projects in dbc-2 +1 added", "+added projects/added")

	pageSays(t, page, "1 check of 1 did not pass", "fail protected No branch is protected. 1 failing row · projects/p/branches/development is protected since")

	// A workspace that is not there any more fails, and one that the list lacks has left.
	if err := os.WriteFile(filepath.Join(dir, "pipeline.yaml"), []byte("name: lakebase\nworkspaces: [dbc-1, dbc-2, dbc-gone]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := pipelineCommand(t, env, "run", "-q", "--store", s.name, dir); got.status != 1 {
		t.Fatalf("%+v", got)
	}
	page = reportOf(t, env, dir, s)
	pageSays(t, page, "3 queries of 9 failed, in 1 workspace", "Left 1 workspace not queried any more", "Failed 3 in the last run of 9 queries", "What failed", "3 queries of branches, projects, warehouses in dbc-gone")
	if again := reportOf(t, env, dir, s); again != page {
		t.Errorf("a second page differs:\n%s\n%s", page, again)
	}

	if got := pipelineCommand(t, env, "report", "lakebas", "--store", s.name); got.status != 2 || got.stdout != "" || !strings.Contains(got.stderr, `has no pipeline "lakebas"`) {
		t.Errorf("a name that the store does not have: %+v", got)
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if got := pipelineCommand(t, env, "report", "--store", s.name, "-o", file); got.status != 0 || got.stdout+got.stderr != "" {
		t.Errorf("about the whole store: %+v", got)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.HasSuffix(string(text), "</html>\n") || strings.Contains(string(text), "postgres:postgres@") {
		t.Errorf("the file has\n%s\n%v", text, err)
	}
}

// reportOf returns the words of a report.
func reportOf(t *testing.T, env []string, dir string, s store) string {
	t.Helper()
	got := pipelineCommand(t, env, "report", "--store", s.name, dir)
	if got.status != 0 || got.stderr != "" || !strings.HasPrefix(got.stdout, "<!DOCTYPE html>") {
		t.Fatalf("%+v", got)
	}
	return wordsOn(got.stdout)
}

// wordsOn is a page without its elements, with a blank between two words, without times and the chart.
func wordsOn(page string) string {
	_, page, _ = strings.Cut(page, "</style>")
	before, after, _ := strings.Cut(page, `<div class="chart">`)
	_, after, _ = strings.Cut(after, "</section>")
	page = before + after
	var b strings.Builder
	for part := range strings.SplitSeq(page, "<") {
		tag, text, _ := strings.Cut(part, ">")
		if strings.HasPrefix(tag, "td") || strings.HasPrefix(tag, "th") || strings.HasPrefix(tag, "br") || strings.HasPrefix(tag, "time") {
			b.WriteByte(' ')
		}
		if strings.HasPrefix(tag, "time") {
			continue
		}
		b.WriteString(text)
	}
	return strings.Join(strings.Fields(html.UnescapeString(b.String())), " ")
}

func pageSays(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("the page does not say %q:\n%s", part, text)
		}
	}
}

// TestPipelineReportRefuses shows what the command says when it cannot draw.
func TestPipelineReportRefuses(t *testing.T) {
	t.Parallel()
	dir := lakebase(t, "workspaces: [dbc-1]\nstore: s.db\n")
	for says, args := range map[string][]string{
		"error: there is no store ":                           {"report", dir, "-o", filepath.Join(dir, "report.html")},
		"is no folder of a pipeline: it has no pipeline.yaml": {"report", filepath.Join(dir, "nowhere")},
		"is one argument too many: the report is about one":   {"report", dir, dir},
	} {
		if got := pipelineCommand(t, nil, args...); got.status != 2 || !strings.Contains(got.stderr, says) || got.stdout != "" {
			t.Errorf("%v: %+v, want %q", args, got, says)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "report.html")); !os.IsNotExist(err) {
		t.Errorf("a file was left: %v", err)
	}
}

// reportPages is a report that is served, and the words of its pages.
type reportPages struct{ url string }

func serveReport(t *testing.T, env []string, args ...string) *reportPages {
	t.Helper()
	cmd := run{args: append([]string{"pipeline", "report"}, args...), env: env}.command(context.WithoutCancel(t.Context()), t)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n') // an empty line is the error
	url, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !found {
		_ = cmd.Wait() // the messages tell
		t.Fatalf("it says %q, and\n%s", line, &stderr)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
			t.Errorf("it ends with %v, and says\n%s", err, &stderr)
		}
	})
	return &reportPages{url}
}

// get returns the page at a path as it is sent.
func (s *reportPages) get(t *testing.T, path string, status int) string {
	t.Helper()
	return testworld.Get(t, s.url+path, status)
}

// numbers is a pipeline with 250 rows in each of two workspaces, which calls nothing.
func numbers(t *testing.T) string {
	t.Helper()
	return folder(t, map[string]string{
		"pipeline.yaml": "name: numbers\nworkspaces: [dbc-1, dbc-2]\n",
		"numbers.sql": "-- table: numbers\n-- key: i\n-- types: i integer, name text, odd boolean, tags json, made timestamp, secret text\n" +
			`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
			SELECT i, CASE i WHEN 7 THEN '50%_<script>alert(7)</script>' WHEN 8 THEN NULL ELSE 'Number ' || i END AS name, i % 2 = 1 AS odd, json_object('i', i) AS tags,
			'2026-11-01T00:00:00Z' AS made, CASE i WHEN 9 THEN 'dapi0123456789abcdef0123456789abcdef' END AS secret FROM n`,
	})
}

// TestServedReport walks through the live pages.
func TestServedReport(t *testing.T) {
	t.Parallel()
	for kind, open := range stores() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s, dir, env := open(t), numbers(t), silent(t)
			mustRun(t, env, dir, s)
			r := serveReport(t, env, dir, "--store", s.name, "--serve")
			walk(t, r)
		})
	}
}

func walk(t *testing.T, r *reportPages) {
	t.Helper()
	home := r.get(t, "", http.StatusOK)
	pageSays(t, home, `href="/tables/numbers"`, `href="/workspaces/dbc-2"`, "500")

	rows := func(query string, parts ...string) string {
		t.Helper()
		page := r.get(t, "tables/numbers?"+query, http.StatusOK)
		pageSays(t, wordsOn(page), parts...)
		return page
	}
	rows("", "Rows 1 to 100; more follow.")
	last := rows("page=5&sort=i", "Rows 401 to 500, the last ones.", "Number 250")
	pageSays(t, last, `rel="prev"`)
	if strings.Contains(last, `rel="next"`) {
		t.Error("the last page leads further")
	}
	rows("page=6", "No rows.")
	rows("sort=i&desc=1&workspace=dbc-1", "dbc-1", "i ↓")
	if page := wordsOn(rows("sort=i&desc=1&workspace=dbc-1")); strings.Index(page, "Number 250") > strings.Index(page, "Number 249") || strings.Contains(page, "dbc-2") {
		t.Errorf("not sorted, or not of the workspace:\n%s", page)
	}
	rows("has.name=number+24", "Rows 1 to 22, the last ones.", "Number 249")
	rows("has.name=number+24&has.i=9&has.odd=true", "Rows 1 to 2, the last ones.", "Number 249")
	rows("has.tags=%22i%22&has.i=250", "Rows 1 to 2, the last ones.")
	rows("has.made=2026-11-01T&has.i=250", "Rows 1 to 2, the last ones.")
	rows("has.name=", "Rows 1 to 100; more follow.")
	hostile := rows("has.name=50%25_", "Rows 1 to 2, the last ones.", "50%_<script>alert(7)</script>")
	if strings.Contains(hostile, "<script") || !strings.Contains(hostile, `value="50%_"`) {
		t.Errorf("a value is more than text:\n%s", hostile)
	}
	for _, filter := range []string{"' OR 1=1 --", "%", `\`, "!", "\x00", "\xff"} {
		if page := wordsOn(rows("has.tags=" + url.QueryEscape(filter))); !strings.Contains(page, "No rows.") {
			t.Errorf("the filter %q finds\n%s", filter, page)
		}
	}
	if page := rows("has.i=9&has.odd=true&sort=i", "(masked)"); strings.Contains(page, "dapi0123") {
		t.Error("a token is shown")
	}
	pageSays(t, rows("has.i=250&sort=name"), `href="/tables/numbers?desc=1&amp;has.i=250&amp;sort=name"`)

	for path, want := range map[string]int{
		"tables/nothing": http.StatusNotFound, "tables/numbers?has.nothing=1": http.StatusNotFound, "workspaces/dbc-3": http.StatusNotFound, "nothing": http.StatusNotFound,
		"tables/numbers?sort=i;DROP": http.StatusBadRequest, "tables/numbers?sort=i%22%3B+DROP+TABLE+lakeql_run": http.StatusNotFound,
		"tables/numbers?page=0": http.StatusBadRequest, "tables/numbers?page=x": http.StatusBadRequest, "tables/numbers?nothing=1": http.StatusBadRequest,
		"tables/numbers/history?after=x": http.StatusBadRequest, "tables/lakeql_run": http.StatusNotFound,
	} {
		if page := r.get(t, path, want); strings.Contains(page, "sql") && strings.Contains(page, "syntax") {
			t.Errorf("%s: %s", path, page)
		}
	}

	of := wordsOn(r.get(t, "workspaces/dbc-2", http.StatusOK))
	pageSays(t, of, "Workspace dbc-2", "numbers fresh 250", "+added 250", "Older changes")
	history(t, r)
	strangers(t, r)
}

// history follows the changes of both workspaces to the first: none is missing, and none comes twice.
func history(t *testing.T, r *reportPages) {
	t.Helper()
	seen, pages := 0, 0
	older := regexp.MustCompile(`href="/(tables/numbers/history\?[^"]*)" rel="next"`)
	for path := "tables/numbers/history"; path != ""; pages++ {
		page := r.get(t, path, http.StatusOK)
		seen += strings.Count(page, `class="sign added"`)
		path = ""
		if next := older.FindStringSubmatch(page); next != nil {
			path = html.UnescapeString(next[1])
		}
	}
	if seen != 500 || pages != 10 {
		t.Errorf("%d pages have %d changes, want 10 with 500", pages, seen)
	}
}

// strangers are requests that the server refuses.
func strangers(t *testing.T, r *reportPages) {
	t.Helper()
	for name, change := range map[string]struct {
		do   func(*http.Request)
		want int
	}{
		"another name":     {func(r *http.Request) { r.Host = "attacker.example" }, http.StatusForbidden},
		"a longer name":    {func(r *http.Request) { r.Host = "127.0.0.1.attacker.example:80" }, http.StatusForbidden},
		"localhost":        {func(r *http.Request) { r.Host = "localhost:1" }, http.StatusOK},
		"a write":          {func(r *http.Request) { r.Method = http.MethodPost }, http.StatusMethodNotAllowed},
		"HEAD":             {func(r *http.Request) { r.Method = http.MethodHead }, http.StatusOK},
		"a name of itself": {func(*http.Request) {}, http.StatusOK},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		change.do(req)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close() // the header counts
		if resp.StatusCode != change.want {
			t.Errorf("%s: %d, want %d", name, resp.StatusCode, change.want)
		}
		if policy := resp.Header.Get("Content-Security-Policy"); change.want == http.StatusOK && !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") {
			t.Errorf("%s: the policy is %q", name, policy)
		}
	}
}

// TestServedReportToOthers: an address that others reach needs TLS and a password.
func TestServedReportToOthers(t *testing.T) {
	t.Parallel()
	dir, env, s := numbers(t), silent(t), sqliteStore(t)
	mustRun(t, env, dir, s)
	report := func(args ...string) []string { return append([]string{"report", dir, "--store", s.name}, args...) }
	for says, args := range map[string][]string{
		"--serve 0.0.0.0:0 is not a loopback address: anybody who reaches it could read the store\nhint: give --tls-cert": report("--serve=0.0.0.0:0"),
		"--serve :8080 is not a loopback address":      report("--serve=:8080"),
		`--serve "nonsense" is no address with a port`: report("--serve=nonsense"),
		"give one of them":                             report("--serve", "-o", "x.html"),
		"is one argument too many":                     report("--serve", "elsewhere"),
		"--tls-cert and --tls-key are given together":  report("--serve", "--tls-cert", "x"),
	} {
		if got := pipelineCommand(t, env, args...); got.status != 2 || !strings.Contains(got.stderr, says) || got.stdout != "" {
			t.Errorf("%v: %+v, want %q", args, got, says)
		}
	}
	keys, password := t.TempDir(), "correct horse"
	certificate := testworld.Certificate(t, keys, "127.0.0.1")
	r := serveReport(t, append(env, "LAKEQL_REPORT_PASSWORD="+password), dir, "--store", s.name, "--serve", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", filepath.Join(keys, "server.key"))
	if !strings.HasPrefix(r.url, "https://127.0.0.1:") {
		t.Fatalf("it listens on %s", r.url)
	}
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(certificate)
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer client.CloseIdleConnections()
	for given, want := range map[string]int{"": http.StatusUnauthorized, "wrong": http.StatusUnauthorized, password: http.StatusOK} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if given != "" {
			req.SetBasicAuth("anybody", given)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close() // the status counts
		if resp.StatusCode != want {
			t.Errorf("with the password %q: %d, want %d", given, resp.StatusCode, want)
		}
	}
}
