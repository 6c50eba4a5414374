package cli_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tooMuch is a query that needs about 20 MB of memory in SQLite.
const tooMuch = "SELECT length(group_concat(printf('%010000d', n))) AS a FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 2000) SELECT n FROM c)"

// TestMemoryOfSQLite runs statements that need more memory than SQLite may use. Each returns an error with a
// hint, and does not change the store.
func TestMemoryOfSQLite(t *testing.T) {
	t.Parallel()
	env := listing(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/projects"):
			_, _ = fmt.Fprintf(w, `{"projects": [{"name": "projects/p", "uid": "%s"}]}`, strings.Repeat("x", 5<<20))
		default:
			_, _ = fmt.Fprint(w, `{"branches": [{"name": "projects/p/branches/b"}]}`)
		}
	})
	const grown = "printf('%010000d', n) FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 2000) SELECT n FROM c)"
	for name, text := range map[string]string{
		"a query":               tooMuch,
		"a value of the API":    "SELECT uid FROM " + projects,
		"a constant":            "SELECT hex(zeroblob(2000000))",
		"a table":               "CREATE TABLE u AS " + tooMuch,
		"a materialized view":   "CREATE MATERIALIZED VIEW m AS " + tooMuch,
		"an insert":             "INSERT INTO t SELECT group_concat(" + grown[:len("printf('%010000d', n)")] + ")" + grown[len("printf('%010000d', n)"):],
		"an update":             "UPDATE t SET a = (" + tooMuch + ")",
		"a delete":              "DELETE FROM t WHERE a = (" + tooMuch + ")",
		"the calls of a write":  "DELETE FROM " + branches + " WHERE name = (" + tooMuch + ")",
		"an explanation of one": "EXPLAIN ANALYZE " + tooMuch,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := filepath.Join(t.TempDir(), "store.db")
			if got := kept(t, env, store, "CREATE TABLE t AS SELECT 'kept' AS a"); got.status != 0 {
				t.Fatal(got.stderr)
			}
			got := kept(t, env, store, text, "--memory", "8MiB")
			if got.status != 1 || !strings.Contains(got.stderr, "allow more memory with --memory") || !strings.Contains(got.stderr, "MiB") {
				t.Errorf("status %d: %s", got.status, got.stderr)
			}
			if got := kept(t, env, store, "INSERT INTO t VALUES ('more'); SELECT a FROM t"); got.stdout != "kept\nmore\n" {
				t.Errorf("the store after it: status %d: %s%s", got.status, got.stdout, got.stderr)
			}
		})
	}
}

// TestMemoryOfAnswers measures the command while large answers arrive at once, and while one has many
// small items.
func TestMemoryOfAnswers(t *testing.T) { // not parallel: it measures
	const most = 150 << 10 // KiB; without a budget it is 225 << 10
	workspaces := "'w1'"
	for i := range 11 {
		workspaces += fmt.Sprintf(", 'w%d'", i+2)
	}
	large := `{"name": "projects/p", "uid": "` + strings.Repeat("x", 1000) + `"},`
	for name, test := range map[string]struct {
		item        string
		blocks      int // of 1000 items
		query, want string
	}{
		"large answers at once": {large, 6, "SELECT count(*) FROM " + projects + " WHERE deployment_name IN (" + workspaces + ")", "72012\n"},
		"many small items":      {"{},", 2000, "SELECT count(*) FROM " + projects, "2000001\n"},
	} {
		t.Run(name, func(t *testing.T) {
			env := listing(t, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprint(w, `{"projects": [`)
				for range test.blocks {
					_, _ = io.WriteString(w, strings.Repeat(test.item, 1000))
				}
				_, _ = fmt.Fprint(w, `{"name": "projects/last"}]}`)
			})
			got, used := run{args: []string{"shell", "-H", "-o", "csv", "--memory", "8MiB"}, env: env}.measured(t, test.query)
			if got != test.want {
				t.Errorf("%q", got)
			}
			if used > most {
				t.Errorf("it took %d KiB of memory", used)
			}
		})
	}
}

// measured starts the command as a shell, runs a statement that writes one line, and returns the line with the
// most memory that the process used, in KiB. The process is measured while it lives: what the system counts
// for one that ended includes the memory of the process that started it, here the test's.
func (r run) measured(t *testing.T, statement string) (line string, used int) {
	t.Helper()
	cmd := r.command(t.Context(), t)
	cmd.Stdin = nil
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(stdin.Close(), cmd.Wait()); err != nil {
			t.Error(err)
		}
	}()
	if _, err := io.WriteString(stdin, statement+";\n"); err != nil {
		t.Fatal(err)
	}
	line, err = bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscanf(peak, "%d kB", &used); err != nil {
		t.Fatalf("%v in:\n%s", err, status)
	}
	return line, used
}
