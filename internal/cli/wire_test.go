package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
)

const mint = generate + "@endpoint='" + endpoint + "'"

// TestHostileValues shows that no value for a deployment name or a part of a path leads anywhere
// but to the workspace: such a statement is refused, and neither request nor token leaves.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	var strangers atomic.Int64
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strangers.Add(1) }))
	t.Cleanup(stranger.Close) // after the subtests, which run side by side
	server, env := workspace(t, emulator.Options{})
	elsewhere := strings.TrimPrefix(stranger.URL, "http://")
	hostile := []string{
		"evil.com", "evil.com/", "evil.com#", "evil.com?", "x@evil.com", "evil.com:443", "user:pass@evil.com",
		elsewhere, stranger.URL, "localhost", "127.0.0.2", "[::1]", "[::1]:80", "0x7f000001", "2130706433/", "169.254.169.254",
		"a.cloud.databricks.com.evil.com", "a.cloud.databricks.com@evil.com", "a.cloud.databricks.com/../evil", "a.cloud.databricks.com:8443",
		"a.cloud.databricks.com.", ".cloud.databricks.com", "evil.com/a.cloud.databricks.com", "evil.com#.cloud.databricks.com", "evilcloud.databricks.com.io",
		"https://a.cloud.databricks.com", "http://a", "//evil.com", `\\evil.com`, `evil.com\.cloud.databricks.com`,
		"..", ".", "../..", "a/../b", "a/b", "a//b", "%2e%2e", "%2f", "a%2Fb", "a%00", "a%0d%0aHost: evil.com",
		"a\r\nHost: evil.com", "a\nb", "a\tb", "a b", " a", "a\x00", "a\u2028b", "a\u202eb", "a\u200bb",
		"dbc\u2010abc", "ａ.cloud.databricks.com", "databricкs", "a。cloud。databricks。com", "xn--.cloud.databricks.com.evil.com",
		"-a", "a-", "a_b", "*", "*.cloud.databricks.com", "${HOME}", "$(id)", "`id`", "';--", strings.Repeat("a", 64), strings.Repeat("a.", 130) + "cloud.databricks.com",
	}
	if len(hostile) < 40 {
		t.Fatalf("only %d values", len(hostile))
	}
	ids := []string{"localhost", "0x7f000001", "a-"} // good names for a project or branch
	harmless := map[string][]string{
		"deployment_name": {"localhost", "0x7f000001"}, // labels like others: see TestLabelsStayLabels
		"project_id":      ids,
		"branch_id":       ids,
		"parent":          ids,
	}
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	for _, value := range hostile {
		for name, statement := range map[string]string{
			"deployment_name": mint + " @deployment_name=" + quote(value),
			"project_id":      "EXEC databricks_workspace.postgres.postgres_projects.get @project_id=" + quote(value),
			"branch_id":       "EXEC databricks_workspace.postgres.postgres_branches.get @project_id='p' @branch_id=" + quote(value),
			"parent":          "EXEC databricks_workspace.postgres.postgres_branches.list @parent=" + quote("projects/"+value),
		} {
			if slices.Contains(harmless[name], value) {
				continue
			}
			t.Run(fmt.Sprintf("%s %q", name, value), func(t *testing.T) {
				t.Parallel()
				got := run{args: []string{"exec"}, stdin: statement, env: env}.do(t)
				if got.status != 2 || got.stdout != "" || !strings.Contains(got.stderr, "error: line 1, column ") {
					t.Errorf("status %d, stdout %q, stderr:\n%s", got.status, got.stdout, got.stderr)
				}
			})
		}
	}
	t.Cleanup(func() {
		if n := len(server.Requests()); n != 0 {
			t.Errorf("%d requests reached the workspace", n)
		}
		if n := strangers.Load(); n != 0 {
			t.Errorf("%d requests reached a stranger", n)
		}
	})
}

// TestLabelsStayLabels shows that one DNS label that looks like a host becomes a label under the domain of
// Databricks.
func TestLabelsStayLabels(t *testing.T) {
	t.Parallel()
	for _, label := range []string{"localhost", "0x7f000001", "2130706433", "dbc-1"} {
		got := run{
			args: []string{"exec", "--dryrun", "-o", "jsonl", "EXEC databricks_workspace.postgres.postgres_projects.list @deployment_name='" + label + "'"},
			env:  []string{"DATABRICKS_TOKEN=secret-token"},
		}.do(t)
		if !strings.Contains(got.stdout, `"url":"https://`+label+`.cloud.databricks.com/api/2.0/postgres/projects"`) || strings.Contains(got.stdout, "secret-token") {
			t.Errorf("%s: %s%s", label, got.stdout, got.stderr)
		}
	}
}

// TestLateAnswer waits for an answer no longer than it was told to, and does not repeat a POST that may
// have been carried out. The server answers nothing, so it does not matter how busy the machine is.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	rec, env := record(t, func(_ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() })
	got := run{args: []string{"exec", "--apirequesttimeout", "1", mint}, env: env}.do(t)
	if got.status != 1 || got.stdout != "" || !strings.Contains(got.stderr, "no answer within 1s") {
		t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	rec.Close() // returns when every request has ended
	if sent := rec.sent(); len(sent) > 1 {
		t.Errorf("sent %q", sent)
	}
}

// TestListFailsWhole shows that a list that fails after its first page is an error, and that the written part
// does not look like a complete result.
func TestListFailsWhole(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{Scale: 300, Faults: faults(t, "GET *: repeat-token")})
	got := run{args: []string{"exec", "-o", "json", "EXEC databricks_workspace.postgres.postgres_projects.list @page_size=100"}, env: env}.do(t)
	if got.status != 1 || !strings.Contains(got.stderr, "came twice") {
		t.Errorf("status %d\n%s", got.status, got.stderr)
	}
	if !strings.Contains(got.stdout, "projects/") || json.Valid([]byte(got.stdout)) {
		t.Errorf("wrote %.200s …", got.stdout)
	}
}

// TestNobodyListens shows the error for a wrong port.
func TestNobodyListens(t *testing.T) {
	t.Parallel()
	address := testworld.ClosedAddress(t)
	for name, env := range map[string][]string{
		"with a token":           {"DATABRICKS_TOKEN=x"},
		"with an OAuth client":   {"DATABRICKS_CLIENT_ID=x", "DATABRICKS_CLIENT_SECRET=y"},
		"with a deployment name": {"DATABRICKS_TOKEN=x", "deployment=@deployment_name='dbc-1'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			statement := mint
			if len(env) > 1 {
				_, extra, _ := strings.Cut(env[1], "deployment=")
				statement += " " + extra
			}
			began := time.Now()
			got := run{args: []string{"exec", "--host", "http://" + address, statement}, env: env}.do(t)
			if got.status != 1 || !strings.Contains(got.stderr, "connection refused") {
				t.Errorf("status %d\n%s", got.status, got.stderr)
			}
			if took := time.Since(began); took > 45*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

// TestInterrupt stops a statement that waits for an answer.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{Faults: faults(t, "POST *: slow=1m")})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := run{args: []string{"exec", "-v", mint}, env: env}.command(ctx, t)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	if !lines.Scan() || !strings.Contains(lines.Text(), "send") { // logged when the request leaves
		t.Fatalf("first line %q", lines.Text())
	}
	began := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var rest strings.Builder
	for lines.Scan() {
		rest.WriteString(lines.Text() + "\n")
	}
	_ = cmd.Wait() // the status says it
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %s to stop", took)
	}
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(rest.String(), "canceled") {
		t.Errorf("status %d\n%s", cmd.ProcessState.ExitCode(), rest.String())
	}
}

// TestVerboseKeepsSecrets shows that the log of requests holds no credential.
func TestVerboseKeepsSecrets(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{})
	got := run{args: []string{"exec", "-v", mint}, env: env}.do(t)
	if got.status != 0 || !strings.Contains(got.stderr, "path=/api/2.0/postgres/credentials") {
		t.Errorf("status %d\n%s", got.status, got.stderr)
	}
	if strings.Contains(got.stderr, server.Token()) || strings.Contains(got.stderr, "eyJ") {
		t.Errorf("the log tells a secret:\n%s", got.stderr)
	}
}
