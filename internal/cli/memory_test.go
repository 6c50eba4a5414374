package cli_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// tooMuch is a query that needs about 20 MB of memory in SQLite.
const tooMuch = "SELECT length(group_concat(printf('%010000d', n))) AS a FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 2000) SELECT n FROM c)"

// TestMemoryOfSQLite runs statements that need more memory than SQLite may take. Each is an error that
// says what to do, and the store is as good as before.
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
