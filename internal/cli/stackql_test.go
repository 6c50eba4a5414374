package cli_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// linked is a folder on the PATH with the command under StackQL's name.
func linked(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	if err := os.Symlink(os.Getenv("LAKEQL_UNDER_TEST"), filepath.Join(bin, "stackql")); err != nil {
		t.Fatal(err)
	}
	return bin
}

// shellRun runs a command line by the shell, as StackQL's clients do.
func shellRun(t *testing.T, line, bin string, env []string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", line)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{"HOME=" + cmd.Dir, "PATH=" + bin + ":/usr/bin:/bin"}, env...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // the status tells
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// pystackql is the command line that the Python client makes: the arguments, joined by blanks, with quotes
// around the statement alone, and without line ends.
func pystackql(bin, statement, output string, more ...string) string {
	words := []string{filepath.Join(bin, "stackql"), "exec", "'" + strings.ReplaceAll(statement, "'", `'"'"'`) + "'", "--output", output}
	words = append(words, more...)
	words = append(words, "--execution.concurrency.limit", "-1", "--dataflow.dependency.max", "50", "--dataflow.components.max", "50")
	if output == "csv" {
		words = append(words, "--delimiter", ",", "--hideheaders")
	}
	words = append(words, "--http.response.maxResults", "-1", "--http.response.pageLimit", "20", "--indirect.depth.max", "5", "--apirequesttimeout", "45")
	return strings.ReplaceAll(strings.Join(words, " "), "\n", " ")
}

// TestPystackql shows that what pystackql sends gives rows and nothing else: it takes a text on standard
// error for the error, and reads the version from --version.
func TestPystackql(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{})
	env = append(env, "MY_TOKEN="+strings.TrimPrefix(env[1], "DATABRICKS_TOKEN="))
	bin := linked(t)
	const rows = `[{"name":"projects/orders","pg":16}]`
	const query = "SELECT name, status ->> 'pg_version' AS pg\nFROM " + projects + "\nWHERE name = 'projects/orders'"
	auth := []string{"--auth", `{"databricks_workspace": {"type": "bearer", "credentialsenvvar": "MY_TOKEN"}, "github": {"type": "basic"}}`}
	for name, test := range map[string]struct{ line, want string }{
		"json":                  {pystackql(bin, query, "json"), rows},
		"csv":                   {pystackql(bin, query, "csv"), "projects/orders,16"},
		"a file":                {pystackql(bin, "CREATE TABLE t AS SELECT 7 AS a; SELECT a FROM t", "json", "--sqlBackend", `{"dsn": "file:stackql.db"}`) + " && test -e stackql.db", `[{"a":7}]`},
		"a folder":              {pystackql(bin, query, "json", "--approot", "/tmp/.stackql"), rows},
		"credentials":           {"unset DATABRICKS_TOKEN; " + pystackql(bin, query, "json", auth...), rows},
		"credentials of a call": {"unset DATABRICKS_TOKEN; " + pystackql(bin, query, "json") + " --auth '" + auth[1] + "'", rows},
		"a registry":            {pystackql(bin, query, "json", "--registry", `{"url": "https://registry.stackql.app/providers"}`), rows},
		"a proxy":               {pystackql(bin, query, "json") + " --http.proxy.host proxy.invalid --http.proxy.port -1 --http.proxy.user None --http.proxy.password None --http.proxy.scheme http", rows},
		"a former name":         {pystackql(bin, "SELECT count(*) > 0 AS ok FROM databricks_workspace.dbsql.warehouses", "json"), `[{"ok":1}]`},
		"no rows":               {pystackql(bin, "SELECT name FROM "+projects+" WHERE false", "json"), `[]`},
		"a write":               {pystackql(bin, "INSERT INTO "+projects+" (project_id) VALUES ('new')", "json"), `[]`},
		"SHOW":                  {pystackql(bin, "SHOW SERVICES IN databricks_workspace LIKE 'postgres'", "csv"), "postgres:v00.00.00000,postgres,Lakebase Postgres"},
		"the registry":          {pystackql(bin, "REGISTRY PULL databricks_workspace v24.12.00279", "json"), `[{"message":"databricks_workspace v00.00.00000 is part of lakeql: there is nothing to pull"}]`},
	} {
		got := shellRun(t, test.line, bin, env)
		if got.status != 0 || got.stderr != "" || strings.TrimSpace(got.stdout) != test.want {
			t.Errorf("%s: %s\n%+v", name, test.line, got)
		}
	}
	// An error is on standard error alone, and begins as pystackql's patterns know errors.
	got := shellRun(t, pystackql(bin, "INSERT INTO "+projects+" (project_id) VALUES ('more'); SELECT nosuch FROM "+projects, "json"), bin, env)
	if got.status != 2 || got.stdout != "" || !strings.HasPrefix(got.stderr, "error:") {
		t.Errorf("%+v", got)
	}
	if got = shellRun(t, pystackql(bin, query, "json", "--http.log.enabled"), bin, env); got.status != 0 || !strings.Contains(got.stderr, "path=/api/2.0/postgres/projects/orders") || strings.TrimSpace(got.stdout) != rows {
		t.Errorf("the log: %+v", got)
	}
	got = shellRun(t, "stackql --version", bin, env)
	if words := strings.Split(strings.Split(got.stdout, "\n")[0], " "); len(words) < 4 || words[1] != "v1.2.3-test" || !regexp.MustCompile(`^\(\w+\)$`).MatchString(words[3]) {
		t.Errorf("the version: %+v", got)
	}
}

// TestStackQLActions runs the command lines that StackQL's GitHub Actions make, by the shell: all
// inputs stand between double quotes, in which the shell takes those of JSON away.
func TestStackQLActions(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{})
	env = append(env, "MY_TOKEN="+strings.TrimPrefix(env[1], "DATABRICKS_TOKEN="))
	dir, bin := t.TempDir(), linked(t)
	for name, content := range map[string]string{
		"one.iql":   "SELECT name FROM " + projects + " WHERE name = 'projects/{{ .project }}' AND '{{ .other }}' = 'a,b'",
		"vars.iql":  "SELECT name FROM " + projects + " WHERE name = 'projects/{{ .project }}' AND '{{ .other }}' = 'x'",
		"data.json": `{"project": "orders", "other": "a,b"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := func(name string) string { return `"` + filepath.Join(dir, name) + `"` }
	const query = "SELECT name\nFROM " + projects + "\nWHERE name = 'projects/orders';"
	const rows = `[{"name":"projects/orders"}]`
	for line, want := range map[string]string{
		`stackql exec "` + query + `" --output json`: rows,
		`stackql exec "` + query + `" --output csv`:  "name\nprojects/orders",
		`stackql exec "` + query + `" --output text`: "name\nprojects/orders",
		`unset DATABRICKS_TOKEN; stackql exec "` + query + `" --output json --auth "{ "databricks_workspace": { "type": "bearer", "credentialsenvvar": "MY_TOKEN" } }"`: rows,
		`stackql exec -i ` + file("one.iql") + ` --iqldata ` + file("data.json") + ` --output json`:                                                                     rows,
		`stackql exec -i ` + file("vars.iql") + ` --output json --var "project=orders,other=x"`:                                                                         rows,
		`stackql exec -i ` + file("one.iql") + ` --output json --var project=orders --var other=a,b`:                                                                    rows,
		`stackql exec "REGISTRY LIST" --output csv -H`:                                                                                                                  "databricks_account,v00.00.00000\ndatabricks_workspace,v00.00.00000",
	} {
		got := shellRun(t, line, bin, env)
		if got.status != 0 || got.stderr != "" || strings.TrimSpace(got.stdout) != want {
			t.Errorf("%s\n%+v", line, got)
		}
	}
	got := shellRun(t, `stackql exec "`+query+`" --output json --dryrun`, bin, env)
	var requests []map[string]any
	if err := json.Unmarshal([]byte(got.stdout), &requests); err != nil || len(requests) != 1 || got.status != 0 || got.stderr != "" {
		t.Errorf("a dry run: %+v, %v", got, err)
	}
}
