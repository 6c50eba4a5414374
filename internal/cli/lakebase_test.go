//go:build unix

package cli_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
)

// lakebaseWorld is a PostgreSQL server with TLS, and an emulator that makes tokens its passwords.
type lakebaseWorld struct {
	*cluster

	api   *emulator.Server
	env   []string
	flags []string // that lead to the server
}

func startLakebase(t *testing.T, life time.Duration) *lakebaseWorld {
	t.Helper()
	w := &lakebaseWorld{cluster: startCluster(t)}
	roots := w.ServeTLS(t, "127.0.0.1")
	w.api, w.env = workspace(t, emulator.Options{Postgres: w.DSN(), Clock: func() time.Time { return time.Now().Add(life - time.Hour) }})
	w.env = append(w.env, "PATH="+os.Getenv("PATH"), "LC_ALL=C")
	w.flags = []string{"--endpoint-port", fmt.Sprint(w.Port), "--endpoint-ca", roots}
	return w
}

// psql runs lakeql psql.
func (w *lakebaseWorld) psql(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	all := append([]string{"psql", "orders"}, w.flags...)
	return run{args: append(append(all, "--", "-X", "-A", "-t", "-q"), args...), env: w.env, stdin: stdin}.do(t)
}

// TestPsqlInterrupt: at a terminal, Ctrl-C cancels the statement, in the server too, and the session goes on.
func TestPsqlInterrupt(t *testing.T) {
	t.Parallel()
	w := startLakebase(t, time.Hour)
	all := append([]string{"psql", "orders"}, w.flags...)
	term := run{args: append(all, "--", "-X", "-P", "pager=off"), env: w.env}.atTerminal(t, 80, 24)
	const prompt = "databricks_postgres=> "
	term.expect(prompt)
	term.send("DO $$ BEGIN RAISE NOTICE 'asleep'; PERFORM pg_sleep(60); END $$;\r")
	term.expect("NOTICE:  asleep")
	term.send("\x03")
	term.expect("canceling statement due to user request")
	term.expect(prompt)
	term.send("\x03") // at the prompt it clears the line
	term.expect(prompt)
	term.send("SELECT 6 * 7 AS answer, count(*) FROM pg_stat_activity WHERE query LIKE 'DO %' AND state = 'active';\r")
	term.expect("42 |     0")
	term.expect(prompt)
	term.send("\\q\r")
	term.ends(0)
}

// TestPsql shows lakeql psql: psql is logged in, and nobody sees the token.
func TestPsql(t *testing.T) {
	t.Parallel()
	w := startLakebase(t, time.Hour)
	temporary := t.TempDir()
	w.env = append(w.env, "TMPDIR="+temporary)
	got := w.psql(t, "", "-c", "SELECT current_user, current_database(), ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
	if got.status != 0 || got.stdout != owner+"|databricks_postgres|t\n" || got.stderr != "" {
		t.Errorf("status %d, %q, %q", got.status, got.stdout, got.stderr)
	}
	if got := w.psql(t, "SELECT 6 * 7;\nSELECT 1 / 0;\nSELECT 'not reached';\n", "-v", "ON_ERROR_STOP=1"); got.status != 3 || got.stdout != "42\n" || !strings.Contains(got.stderr, "division by zero") {
		t.Errorf("status %d, %q, %q", got.status, got.stdout, got.stderr)
	}
	if got := w.psql(t, "", "-c", `\! env; cat /proc/self/environ /proc/$PPID/cmdline 2>/dev/null; :`); got.status != 0 || !strings.Contains(got.stdout, "PGUSER="+owner) || strings.Contains(got.stdout, "eyJ") || strings.Contains(got.stdout, "PGPASSWORD") {
		t.Errorf("status %d, %q, %q", got.status, got.stdout, got.stderr)
	}
	if left, err := filepath.Glob(filepath.Join(temporary, "lakeql*", ".s.PGSQL.5432")); err != nil || len(left) > 0 {
		t.Errorf("sockets are left: %v, %v", left, err)
	}

	// The role's password changes, as it does with a newer token: psql's next connection has another one.
	got = w.psql(t, "SELECT 1;\nALTER ROLE current_user PASSWORD 'another';\n\\connect -\nSELECT 'again';\n")
	if got.status != 0 || !strings.Contains(got.stdout, "again\n") {
		t.Errorf("a new connection: status %d, %q, %q", got.status, got.stdout, got.stderr)
	}

	for name, test := range map[string]struct {
		args   []string
		status int
		stderr string
	}{
		"another certificate": {[]string{"psql", "orders", "--endpoint-port", fmt.Sprint(w.Port), "--endpoint-ca", testworld.Certificate(t, t.TempDir(), "127.0.0.1"), "--", "-c", "SELECT 1"}, 2, "no password was sent"},
		"no endpoint":         {[]string{"psql", "nope", "--", "-c", "SELECT 1"}, 1, "NOT_FOUND"},
		"two endpoints":       {[]string{"psql", "orders", "payroll", "--", "-c", "SELECT 1"}, 2, "the endpoint is one"},
		"no certificates":     {[]string{"psql", "orders", "--endpoint-ca", "/dev/null"}, 2, "no certificate"},
	} {
		if got := (run{args: test.args, env: w.env}).do(t); got.status != test.status || !strings.Contains(got.stderr, test.stderr) || got.stdout != "" {
			t.Errorf("%s: status %d, %q, %q", name, got.status, got.stdout, got.stderr)
		}
	}
	if got := (run{args: append([]string{"psql", "orders"}, w.flags...), env: w.env[:2]}).do(t); got.status != 2 || !strings.Contains(got.stderr, "no psql in the PATH") {
		t.Errorf("without psql: status %d, %q", got.status, got.stderr)
	}

	t.Run("a signal ends it as it ends psql", func(t *testing.T) {
		args := append([]string{"psql", "orders"}, w.flags...)
		cmd := run{args: append(args, "--", "-X", "-c", "SELECT pg_sleep(60)"), env: w.env}.command(t.Context(), t)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "psql runs", func() bool {
			return w.ask(t, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'") == "1"
		})
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if status := cmd.ProcessState.ExitCode(); status != 128+int(syscall.SIGTERM) {
			t.Errorf("status %d", status)
		}
	})
}

// localProxy is lakeql proxy.
type localProxy struct {
	cmd    *exec.Cmd
	places []string // where it listens, as connection strings
	http   string   // the address of metrics
	stderr *strings.Builder
	read   chan struct{} // closed when stderr ends
}

// startLocal starts lakeql proxy for a number of endpoints.
func startLocal(t *testing.T, w *lakebaseWorld, endpoints int, args ...string) *localProxy {
	t.Helper()
	p := &localProxy{stderr: &strings.Builder{}, read: make(chan struct{})}
	all := append([]string{"proxy", "--metrics", "127.0.0.1:0"}, w.flags...)
	p.cmd = run{args: append(all, args...), env: w.env}.command(context.WithoutCancel(t.Context()), t)
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // the test may have ended it
	first := make(chan string, 1)
	go func() {
		defer close(p.read)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if p.stderr.Len() == 0 {
				first <- lines.Text()
			}
			p.stderr.WriteString(lines.Text() + "\n")
		}
	}()
	lines := bufio.NewReader(stdout)
	for range endpoints {
		line, err := lines.ReadString('\n')
		if err != nil {
			_ = p.cmd.Wait()
			<-p.read
			t.Fatalf("%v\n%s", err, p.stderr)
		}
		place, _, found := strings.Cut(line, " leads to ")
		if !found {
			t.Fatal(line)
		}
		p.places = append(p.places, place+" user=me")
	}
	p.http = regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(<-first)
	return p
}

func (p *localProxy) get(t *testing.T, path string) string {
	t.Helper()
	return testworld.Get(t, "http://"+p.http+path, http.StatusOK)
}

// stop ends the proxy and returns its log.
func (p *localProxy) stop(t *testing.T) string {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-p.read
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, p.stderr)
	}
	if strings.Contains(p.stderr.String(), "eyJ") {
		t.Errorf("the log has a token:\n%s", p.stderr)
	}
	return p.stderr.String()
}

// TestProxyCommand shows lakeql proxy with several endpoints, and that 50 clients of pgbench, each of which connects
// for every transaction, notice nothing of tokens that live for three seconds.
func TestProxyCommand(t *testing.T) {
	t.Parallel()
	w := startLakebase(t, 3*time.Second)
	dir := filepath.Join(t.TempDir(), "socket")
	p := startLocal(t, w, 2, "orders=0", "payroll/production="+dir, "--log", "json")
	for _, place := range p.places {
		psql := exec.CommandContext(t.Context(), "psql", "-X", "-A", "-t", "-w", "-c", "SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", place)
		psql.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
		if out, err := psql.CombinedOutput(); err != nil || string(out) != owner+"|t\n" {
			t.Errorf("%s: %v\n%s", place, err, out)
		}
	}

	script := filepath.Join(w.Dir, "select.sql")
	if err := os.WriteFile(script, []byte("SELECT 1;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	bench := w.Program(t.Context(), "pgbench", "-n", "-C", "-c", "50", "-j", "2", "-T", "4", "-f", script, p.places[0]+" sslmode=disable")
	out, err := bench.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "number of failed transactions: 0 ") {
		t.Errorf("pgbench: %v\n%s", err, out)
	}
	tokens := 0
	for _, r := range w.api.Requests() {
		if strings.HasSuffix(r.Operation, "credentials.generate") {
			tokens++
		}
	}
	if tokens < 4 || tokens > 20 {
		t.Errorf("%d tokens", tokens)
	}
	if text := p.get(t, "/metrics"); !strings.Contains(text, `result="failed"} 0`) || !strings.Contains(text, `lakeql_proxy_connections{endpoint="projects/orders/branches/production/endpoints/primary"}`) {
		t.Error(text)
	}
	p.get(t, "/livez")
	p.get(t, "/readyz")
	log := p.stop(t)
	if !strings.Contains(log, `"msg":"connection ended","endpoint":"projects/orders/branches/production/endpoints/primary"`) || strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("%.2000s", log)
	}
	if _, err := os.Stat(filepath.Join(dir, ".s.PGSQL.5432")); err == nil {
		t.Error("the socket is left")
	}
}

// TestProxyAccess shows what lakeql proxy refuses to start with, and its flags in the environment.
func TestProxyAccess(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{})
	for name, test := range map[string]struct {
		args   []string
		env    string
		stderr string
	}{
		"everybody, without a password": {[]string{"orders", "--address", "0.0.0.0"}, "", "is not a loopback address"},
		"a port that is none":           {[]string{"orders=x"}, "", "neither a port nor the path of a socket"},
		"no such endpoint":              {[]string{"orders=0", "orders/nope/x=0"}, "", "nope"},
		"no connections":                {[]string{"orders=0"}, "LAKEQL_PROXY_MAX_CONNECTIONS=0", "--max-connections is below 1"},
		"no number":                     {[]string{"orders=0"}, "LAKEQL_PROXY_MAX_CONNECTIONS=s3cr3t", "LAKEQL_PROXY_MAX_CONNECTIONS has no value"},
		"a kind of log":                 {[]string{"orders=0", "--log", "xml"}, "", "neither text nor json"},
		"a folder that is none":         {[]string{"orders=/dev/null/x"}, "", "folder of the socket"},
	} {
		got := run{args: append([]string{"proxy"}, test.args...), env: append([]string{test.env}, env...)}.do(t)
		if got.status == 0 || got.stdout != "" || !strings.Contains(got.stderr, test.stderr) || strings.Contains(got.stderr, "s3cr3t") {
			t.Errorf("%s: status %d, %q, %q", name, got.status, got.stdout, got.stderr)
		}
	}
}
