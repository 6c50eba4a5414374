package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// kept runs a text with a store in a file, and returns its rows as csv without headers.
func kept(t *testing.T, env []string, store string, text string, flags ...string) result {
	t.Helper()
	args := append([]string{"exec", "--notes", "-H", "-o", "csv", "--retry-timeout", "0", "--store", store}, flags...)
	return run{args: append(args, text), env: env}.do(t)
}

// storeStep is a text that is run with a store.
type storeStep struct {
	text   string
	want   string // rows, or what standard error says where status is not 0
	status int
}

// storeStatements are texts for a new store, each for a separate run.
func storeStatements() map[string][]storeStep {
	return map[string][]storeStep{
		"a table, filled and read in one text": {
			{`CREATE TABLE t (a INTEGER, b TEXT DEFAULT 'x'); INSERT INTO t (a) VALUES (1), (2); SELECT a, b FROM t ORDER BY a`, "1,x\n2,x\n", 0},
			{`UPDATE t SET b = 'y' WHERE a = 1 RETURNING b; DELETE FROM t WHERE a = 2; SELECT * FROM t`, "y\n1,y\n", 0},
			{`INSERT INTO t VALUES (1, 'z') RETURNING a; SELECT count(*) FROM t`, "1\n2\n", 0},
			{`DROP TABLE t; SELECT * FROM t`, "no such table: t", 2},
		},
		"a table from a query": {
			{`CREATE TABLE t AS SELECT name, 1 AS one FROM ` + branches + ` WHERE project_id = 'p' ORDER BY name LIMIT 1; SELECT * FROM t`, "projects/p/branches/b,1\n", 0},
			{`CREATE TABLE t AS SELECT 1`, "there is a table t", 2},
			{`CREATE OR REPLACE TABLE t AS SELECT 2 AS two; SELECT two FROM t`, "2\n", 0},
			{`CREATE OR REPLACE TABLE t (three); INSERT INTO t VALUES (3); SELECT three FROM t`, "3\n", 0},
			{`CREATE TABLE IF NOT EXISTS t AS SELECT 4; CREATE TABLE IF NOT EXISTS t (a, b); SELECT * FROM t`, "3\n", 0},
		},
		"rows of the API into a table": {
			{`CREATE TABLE t (n TEXT UNIQUE, at); INSERT INTO t (n) SELECT name FROM ` + branches + ` WHERE project_id = 'p'; SELECT count(*) FROM t`, "3\n", 0},
			{`INSERT INTO t (n) SELECT name FROM ` + branches + ` WHERE project_id = 'p'`, "UNIQUE constraint failed", 2},
			{`INSERT OR IGNORE INTO t (n) SELECT name FROM ` + branches + ` WHERE project_id = 'p' RETURNING n`, "", 0},
			{`INSERT INTO t AS o (n, at) SELECT name, 7 FROM ` + branches + ` WHERE name = 'projects/p/branches/b' ON CONFLICT (n) DO UPDATE SET at = excluded.at RETURNING upper(n), at; SELECT sum(at) FROM t`, "PROJECTS/P/BRANCHES/B,7\n7\n", 0},
			{`WITH b AS (SELECT name FROM ` + branches + ` WHERE project_id = 'p') REPLACE INTO t SELECT name, 1 FROM b; SELECT sum(at) FROM t`, "3\n", 0},
			{
				`DELETE FROM t WHERE n IN (SELECT name FROM ` + branches + ` WHERE project_id = 'p' AND name LIKE '%/b'); UPDATE t SET at = (SELECT count(*) FROM ` + branches + ` WHERE project_id = 'p'); SELECT n, at FROM t ORDER BY n`,
				"projects/p/branches/development,3\nprojects/p/branches/production,3\n", 0,
			},
		},
		"a table joined with the API": {
			{`CREATE TABLE mine (project, note); INSERT INTO mine VALUES ('projects/p', 'hello'), ('projects/orders', 'bye')`, "", 0},
			{`SELECT m.note, b.name FROM mine m JOIN ` + branches + ` b ON b.parent = m.project WHERE b.name LIKE '%production' ORDER BY 1`, "bye,projects/orders/branches/production\nhello,projects/p/branches/production\n", 0},
			{`SELECT count(*) FROM ` + branches + ` WHERE parent IN (SELECT project FROM mine)`, "5\n", 0},
		},
		"a view on a view on a materialized view": {
			{`CREATE MATERIALIZED VIEW m AS SELECT name FROM ` + projects + `; CREATE VIEW v (n) AS SELECT name FROM m WHERE name LIKE '%/p'; CREATE VIEW w AS SELECT b.name FROM v JOIN ` + branches + ` b ON b.parent = v.n`, "", 0},
			{`SELECT name FROM w WHERE name LIKE '%/b'`, "projects/p/branches/b\n", 0},
			{`SHOW VIEWS LIKE 'v'`, "v,SELECT name FROM m WHERE name LIKE '%/p'\n", 0},
			{`SHOW TABLES`, "", 0},
			{`DROP MATERIALIZED VIEW m; SELECT * FROM w`, "no such table: m", 2},
			{`DROP VIEW v; DROP VIEW w; SHOW VIEWS`, "", 0},
		},
		"a view that names itself": {
			{`CREATE VIEW v AS SELECT * FROM v`, "no such table: v", 2},
			{`CREATE VIEW v AS SELECT 1 AS a; CREATE VIEW w AS SELECT * FROM v`, "", 0},
			{`CREATE OR REPLACE VIEW v AS SELECT * FROM w`, "circularly defined", 2},
			{`SELECT * FROM w`, "1\n", 0},
		},
		"a CTE before a view of its name":          {{`CREATE VIEW v AS SELECT 1 AS a; WITH v AS (SELECT 2) SELECT * FROM v`, "2\n", 0}},
		"a temporary table before another":         {{`CREATE TABLE t AS SELECT 'kept' AS a; CREATE TABLE u AS SELECT 'u' AS b; CREATE TEMP TABLE t AS SELECT 'mine' AS a; SELECT a, b FROM u, t; SELECT a FROM store.t; INSERT INTO store.t VALUES ('more'); SELECT a FROM t`, "mine,u\nkept\nmine\n", 0}, {`SELECT a FROM t ORDER BY a`, "kept\nmore\n", 0}},
		"a temporary view before a table":          {{`CREATE TABLE t AS SELECT 'kept' AS a; CREATE TABLE u AS SELECT 'u' AS b; CREATE TEMP VIEW t AS SELECT 'mine' AS a; SELECT a, b FROM u, t`, "mine,u\n", 0}, {`SELECT a FROM t`, "kept\n", 0}},
		"names with quotes, dots and keywords":     {{`CREATE TABLE "a ""b""." ("select", "c.d"); INSERT INTO "a ""b""." VALUES (1, 2); CREATE VIEW "order" AS SELECT "c.d" + 1 FROM "a ""b"".";`, "", 0}, {`SELECT "select", "order".* FROM "a ""b"".", "order"; DROP VIEW "order"; DROP TABLE "A ""B"".";`, "1,3\n", 0}},
		"names that are taken":                     {{`CREATE TABLE sqlite_x (a)`, "are taken", 2}, {`CREATE VIEW LakeQL_x AS SELECT 1`, "are taken", 2}, {`DROP TABLE lakeql_objects`, "there is no table", 2}, {`CREATE TABLE databricks_workspace.postgres.x (a)`, "one of your own has one part", 2}},
		"one kind in place of another":             {{`CREATE TABLE t (a); CREATE VIEW v AS SELECT 1`, "", 0}, {`CREATE OR REPLACE VIEW t AS SELECT 1`, "there is a table t", 2}, {`CREATE OR REPLACE TABLE v (a)`, "there is a view v", 2}, {`DROP VIEW t`, "t is a table", 2}, {`CREATE VIEW IF NOT EXISTS t AS SELECT 1`, "there is a table t", 2}},
		"what is not there":                        {{`DROP TABLE IF EXISTS t; DROP VIEW IF EXISTS v; DROP MATERIALIZED VIEW IF EXISTS m`, "", 0}, {`DROP TABLE t`, `there is no table "t"`, 2}, {`REFRESH MATERIALIZED VIEW m`, `there is no materialized view "m"`, 2}, {`INSERT INTO t VALUES (1)`, `there is no table "t"`, 2}},
		"views take no rows":                       {{`CREATE VIEW v AS SELECT 1 AS a; CREATE MATERIALIZED VIEW m AS SELECT 1 AS a`, "", 0}, {`INSERT INTO v VALUES (1)`, "v is a view, whose rows come from its query", 2}, {`DELETE FROM m`, "REFRESH MATERIALIZED VIEW m", 2}, {`REFRESH MATERIALIZED VIEW v`, "v is a view, and only materialized views are refreshed", 2}},
		"columns of one name":                      {{`CREATE TABLE t AS SELECT 1 AS a, 2 AS A`, `two columns have the name "A"`, 2}, {`CREATE MATERIALIZED VIEW m (a, a) AS SELECT 1, 2`, `two columns have the name "a"`, 2}, {`CREATE VIEW v (a) AS SELECT 1, 2`, "1 columns are named, and the query has 2", 2}},
		"definitions that do more":                 {{`CREATE TABLE t (a) ; DROP TABLE t; SHOW TABLES`, "", 0}, {`CREATE TABLE t (a); SELECT 1) `, "syntax error", 2}, {`CREATE TABLE t (a CHECK (nosuch(a) > 0))`, "no such function", 2}, {`CREATE TABLE t (a, a)`, "duplicate column name", 2}, {`CREATE TABLE t (a -- the end)` + "\n)", "", 0}, {`SHOW TABLES`, "t\n", 0}},
		"a fault anywhere changes nothing":         {{`CREATE TABLE t (a); SELECT nosuch FROM ` + projects, "no such column", 2}, {`SHOW TABLES`, "", 0}},
		"a fault in one row changes nothing":       {{`CREATE TABLE t (a CHECK (a < 3)); INSERT INTO t VALUES (1), (2)`, "", 0}, {`INSERT INTO t VALUES (0), (9)`, "CHECK constraint failed", 2}, {`UPDATE t SET a = a + 1`, "CHECK constraint failed", 2}, {`SELECT sum(a) FROM t`, "3\n", 0}},
		"queries in SQLite's words":                {{`CREATE TABLE t AS SELECT 'it''s' AS a; CREATE VIEW v AS SELECT a FROM t`, "", 0}, {`NATIVEQUERY 'SELECT a FROM v WHERE a = ''it''''s'''`, "it's\n", 0}, {`NATIVEQUERY 'ATTACH ''other.db'' AS o'`, "NATIVEQUERY takes one query", 2}, {`NATIVEQUERY 'DELETE FROM t'`, "NATIVEQUERY takes one query", 2}, {`NATIVEQUERY 'WITH x AS (SELECT 1) DELETE FROM t'`, "NATIVEQUERY takes one query", 2}},
		"a materialized view keeps its columns":    {{`CREATE MATERIALIZED VIEW m (n, "the ""id""") AS SELECT name, uid FROM ` + projects + ` WHERE name = 'projects/p'`, "", 0}, {`REFRESH MATERIALIZED VIEW m; SELECT n, length("the ""id""") FROM m`, "projects/p,36\n", 0}},
		"a view of something that is gone":         {{`CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v; DROP TABLE t`, "", 0}, {`SELECT * FROM w`, "no such table: t", 2}, {`CREATE TABLE t AS SELECT 5 AS a; SELECT * FROM w`, "5\n", 0}},
		"placeholders do not go into views":        {{`CREATE VIEW v AS SELECT ?`, "no value for the placeholder ?1", 2}},
		"a temporary table in a text of its own":   {{`CREATE TEMP TABLE t (a); INSERT INTO t VALUES (1); SELECT * FROM t`, "1\n", 0}, {`SELECT * FROM t`, "no such table", 2}},
		"a temporary view over a table in a store": {{`CREATE TABLE t AS SELECT 1 AS a; CREATE TEMP VIEW v AS SELECT a + 1 FROM t; SELECT * FROM v`, "2\n", 0}},
	}
}

// TestStoreStatements runs texts with a file.
func TestStoreStatements(t *testing.T) {
	t.Parallel()
	for name, steps := range storeStatements() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, env := workspace(t, emulator.Options{})
			runSteps(t, env, filepath.Join(t.TempDir(), "store.db"), steps)
		})
	}
}

// runSteps runs texts with a store.
func runSteps(t *testing.T, env []string, store string, steps []storeStep) {
	t.Helper()
	for _, step := range steps {
		got := kept(t, env, store, step.text)
		switch {
		case got.status != step.status:
			t.Errorf("%s: status %d\n%s%s", step.text, got.status, got.stdout, got.stderr)
		case step.status == 0 && got.stdout != step.want, !strings.Contains(got.stderr, step.want) && step.status != 0:
			t.Errorf("%s:\n%s%swant:\n%s", step.text, got.stdout, got.stderr, step.want)
		case strings.Contains(got.stderr, "sqlite3:"):
			t.Errorf("%s: %s", step.text, got.stderr)
		}
	}
}

// TestStoreFiles shows where tables and views are stored, that no other user can read the files, and the
// errors for unsuitable files.
func TestStoreFiles(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	var got result
	for _, text := range []string{"CREATE TABLE t AS SELECT 7 AS a", "SELECT a FROM t"} {
		got = run{args: []string{"exec", "-H", "-o", "csv", "--emulator", text}, env: []string{"XDG_STATE_HOME=" + home}}.do(t)
	}
	if got.stdout != "7\n" {
		t.Errorf("the default store: %+v", got)
	}
	for path, want := range map[string]os.FileMode{"lakeql": 0o700, "lakeql/store.db": 0o600} {
		info, err := os.Stat(filepath.Join(home, path))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
	}
	if got := kept(t, nil, ":memory:", "CREATE TABLE t AS SELECT 7 AS a; SELECT a FROM t", "--emulator"); got.stdout != "7\n" {
		t.Errorf("in memory: %+v", got)
	}
	dir := t.TempDir()
	odd := filepath.Join(dir, "file:a b?mode=memory#%41", "x.db")
	for _, text := range []string{"CREATE TABLE t AS SELECT 7 AS a", "SELECT a FROM t"} {
		got = kept(t, nil, odd, text, "--emulator")
	}
	if _, err := os.Stat(odd); got.stdout != "7\n" || err != nil {
		t.Errorf("a name that looks like a URI: %+v, %v", got, err)
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:                             "is a directory",
		text:                            "file is not a database",
		"/dev/null/store.db":            "not a directory",
		"/proc/lakeql-store/store.db":   "no such file",
		filepath.Join(text, "store.db"): "not a directory",
	} {
		for _, statement := range []string{"CREATE TABLE t (a)", "CREATE VIEW v AS SELECT 1", "CREATE MATERIALIZED VIEW m AS SELECT 1"} {
			got := kept(t, nil, path, statement, "--emulator")
			if got.status != 2 || !strings.Contains(got.stderr, want) || !strings.Contains(got.stderr, "hint: name another file with --store") {
				t.Errorf("%s in %s: status %d\n%s", statement, path, got.status, got.stderr)
			}
		}
		if got := kept(t, nil, path, "SELECT 1", "--emulator"); got.status != 0 {
			t.Errorf("a query that needs no store, with %s: %s", path, got.stderr)
		}
	}
	missing := filepath.Join(dir, "none.db")
	if got := kept(t, nil, missing, "DROP TABLE IF EXISTS t; SHOW TABLES", "--emulator"); got.status != 0 {
		t.Errorf("a store that is not there: %s", got.stderr)
	}
	if _, err := os.Stat(missing); !os.IsNotExist(err) {
		t.Errorf("looking made the file: %v", err)
	}
}

// TestReadOnlyStore shows that a store which may not be written is read.
func TestReadOnlyStore(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write anything")
	}
	store := filepath.Join(t.TempDir(), "store.db")
	if got := kept(t, nil, store, "CREATE TABLE t AS SELECT 7 AS a", "--emulator"); got.status != 0 {
		t.Fatal(got.stderr)
	}
	if err := os.Chmod(store, 0o400); err != nil {
		t.Fatal(err)
	}
	if got := kept(t, nil, store, "SELECT a FROM t", "--emulator"); got.stdout != "7\n" {
		t.Errorf("read: %+v", got)
	}
	if got := kept(t, nil, store, "DELETE FROM t", "--emulator"); got.status != 2 || !strings.Contains(got.stderr, "readonly") {
		t.Errorf("written: %+v", got)
	}
}

// TestStoreOfManyProcesses has several processes write to one store at once.
func TestStoreOfManyProcesses(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{})
	store := filepath.Join(t.TempDir(), "store.db")
	const processes = 6
	var group sync.WaitGroup
	for i := range processes {
		group.Go(func() {
			text := fmt.Sprintf(`CREATE TABLE IF NOT EXISTS t (n, process); INSERT INTO t SELECT name, %d FROM %s WHERE project_id = 'p'; CREATE OR REPLACE VIEW v%d AS SELECT * FROM t`, i, branches, i)
			if got := kept(t, env, store, text); got.status != 0 {
				t.Errorf("process %d: %s", i, got.stderr)
			}
		})
	}
	group.Wait()
	got := kept(t, env, store, "SELECT count(*), count(DISTINCT process) FROM t; SELECT count(*) FROM v0, v5; SELECT integrity_check FROM pragma_integrity_check")
	if want := fmt.Sprintf("%d,%d\n%d\nok\n", 3*processes, processes, 9*processes*processes); got.stdout != want {
		t.Errorf("status %d, %swant %s%s", got.status, got.stdout, want, got.stderr)
	}
}

// listing is a workspace with branches of projects. The test decides its answers.
func listing(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) []string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(answer))
	t.Cleanup(server.Close)
	return []string{"DATABRICKS_HOST=" + server.URL, "DATABRICKS_TOKEN=x"}
}

// TestRefreshIsWhole shows that a REFRESH which fails on the way leaves the old rows, whatever is to
// become of other statements then.
func TestRefreshIsWhole(t *testing.T) {
	t.Parallel()
	store := filepath.Join(t.TempDir(), "store.db")
	const failing = `{"error_code": "INTERNAL_ERROR", "message": "out of order"}`
	var mu sync.Mutex
	broken := false
	env := listing(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.URL.Query().Get("page_token") == "":
			_, _ = fmt.Fprint(w, `{"projects": [{"name": "projects/a"}], "next_page_token": "2"}`)
		case broken:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprint(w, failing)
		default:
			_, _ = fmt.Fprint(w, `{"projects": [{"name": "projects/b"}]}`)
		}
	})
	const create = "CREATE MATERIALIZED VIEW m AS SELECT name FROM " + projects + "; CREATE TABLE t AS SELECT * FROM m"
	if got := kept(t, env, store, create); got.status != 0 {
		t.Fatal(got.stderr)
	}
	mu.Lock()
	broken = true
	mu.Unlock()
	before := kept(t, env, store, "SELECT name FROM m; SHOW MATERIALIZED VIEWS")
	for _, change := range []string{
		"REFRESH MATERIALIZED VIEW m",
		"CREATE OR REPLACE MATERIALIZED VIEW m AS SELECT name FROM " + projects,
		"CREATE OR REPLACE TABLE t AS SELECT name FROM " + projects,
		"INSERT INTO t SELECT name FROM " + projects,
		"UPDATE t SET name = (SELECT max(name) FROM " + projects + ")",
		"DELETE FROM t WHERE name IN (SELECT name FROM " + projects + ")",
	} {
		for _, flags := range [][]string{nil, {"--on-error", "partial"}} {
			got := kept(t, env, store, change, flags...)
			if got.status != 1 || !strings.Contains(got.stderr, "out of order") {
				t.Errorf("%s %v: status %d\n%s", change, flags, got.status, got.stderr)
			}
		}
		got := kept(t, env, store, change, "--http.response.pageLimit", "1")
		if got.status != 3 || !strings.Contains(got.stderr, "nothing was kept") {
			t.Errorf("%s with a page limit: status %d\n%s", change, got.status, got.stderr)
		}
	}
	after := kept(t, env, store, "SELECT name FROM m; SHOW MATERIALIZED VIEWS")
	if after.stdout != before.stdout || !strings.HasPrefix(after.stdout, "projects/a\nprojects/b\n") {
		t.Errorf("before:\n%safter:\n%s%s", before.stdout, after.stdout, after.stderr)
	}
	if got := kept(t, env, store, "SELECT name FROM t ORDER BY name"); got.stdout != "projects/a\nprojects/b\n" {
		t.Errorf("the table has %s", got.stdout)
	}
}

// TestInterruptedRefresh stops a REFRESH while it waits for an answer, politely and not. Another
// process may read and write meanwhile.
func TestInterruptedRefresh(t *testing.T) {
	t.Parallel()
	for name, signal := range map[string]os.Signal{"SIGINT": syscall.SIGINT, "SIGKILL": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := filepath.Join(t.TempDir(), "store.db")
			waiting, ended := make(chan struct{}, 100), make(chan struct{})
			slow := listing(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("page_token") == "" {
					_, _ = fmt.Fprint(w, `{"projects": [{"name": "projects/new"}], "next_page_token": "2"}`)
					return
				}
				waiting <- struct{}{}
				select {
				case <-ended:
				case <-r.Context().Done():
				}
			})
			fast := listing(t, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = fmt.Fprint(w, `{"projects": [{"name": "projects/old"}]}`)
			})
			if got := kept(t, fast, store, "CREATE MATERIALIZED VIEW m AS SELECT name FROM "+projects+"; CREATE TABLE t (a)"); got.status != 0 {
				t.Fatal(got.stderr)
			}
			for _, text := range []string{"REFRESH MATERIALIZED VIEW m", "INSERT INTO t SELECT name FROM " + projects} {
				for len(waiting) > 0 {
					<-waiting
				}
				cmd := run{args: []string{"exec", "--store", store, text}, env: slow}.command(context.WithoutCancel(t.Context()), t)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				<-waiting
				if got := kept(t, fast, store, "INSERT INTO t VALUES (1); SELECT name FROM m"); got.stdout != "projects/old\n" {
					t.Errorf("while %s runs: %+v", text, got)
				}
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				if err := cmd.Wait(); err == nil {
					t.Errorf("%s went through", text)
				}
				if signal == syscall.SIGINT && !strings.Contains(stderr.String(), "canceled") {
					t.Errorf("%s", stderr.String())
				}
			}
			close(ended)
			if got := kept(t, fast, store, "SELECT name FROM m; SELECT count(*) FROM t; REFRESH MATERIALIZED VIEW m; SELECT name FROM m"); got.stdout != "projects/old\n2\nprojects/old\n" {
				t.Errorf("afterwards: %+v", got)
			}
		})
	}
}

// TestSecretsStayOutOfTheStore shows that credentials are shown to who asks for them, and are masks in
// whatever is kept.
func TestSecretsStayOutOfTheStore(t *testing.T) {
	t.Parallel()
	const hidden = "s3cr3t-v4lue"
	env := listing(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "storage-credentials") {
			_, _ = fmt.Fprintf(w, `{"storage_credentials": [{"name": "c", "id": "9007199254740993", "cloudflare_api_token": {"access_key_id": "k", "secret_access_key": "%s"}}, {"name": "d", "cloudflare_api_token": {"access_key_id":  "k"}}]}`, hidden)
			return
		}
		_, _ = fmt.Fprintf(w, `{"secrets": [{"name": "s", "value": "%s"}]}`, hidden)
	})
	const nested = "SELECT name, cloudflare_api_token FROM databricks_workspace.catalog.storage_credentials"
	const plain = "SELECT name, value, coalesce(value, 'none') AS more FROM databricks_workspace.catalog.secrets_uc WHERE catalog_name = 'c' AND schema_name = 's'"
	for query, column := range map[string]string{nested: "cloudflare_api_token", plain: "value"} {
		store := filepath.Join(t.TempDir(), "store.db")
		if got := kept(t, env, store, query); !strings.Contains(got.stdout, hidden) {
			t.Fatalf("%s: %+v", query, got)
		}
		for _, text := range []string{
			"CREATE TABLE t AS " + query,
			"CREATE TABLE u AS SELECT * FROM t WHERE false; INSERT INTO u " + query + " RETURNING *",
			"CREATE MATERIALIZED VIEW m AS " + query + "; REFRESH MATERIALIZED VIEW m",
			"CREATE VIEW live AS " + query + "; CREATE TABLE fromview AS SELECT * FROM live; INSERT INTO t SELECT * FROM live",
			"CREATE TABLE one (a); INSERT INTO one VALUES (1); UPDATE one SET a = (SELECT " + column + " FROM (" + query + "))",
		} {
			got := kept(t, env, store, text)
			if got.status != 0 || strings.Contains(got.stdout, hidden) || !strings.Contains(got.stderr, "credentials are not kept") {
				t.Errorf("%s: status %d\n%s%s", text, got.status, got.stdout, got.stderr)
			}
		}
		file, err := os.ReadFile(store)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(file, []byte(hidden)) {
			t.Errorf("after %s the file holds the credential", query)
		}
		if got := kept(t, env, store, "SELECT count(*) FROM t WHERE name IN ('c', 's')"); got.stdout != "2\n" {
			t.Errorf("the rows: %+v", got)
		}
	}
}

// TestMasksAreNotCompared shows that stored queries cannot compare or compute on credentials, because all
// masks are equal. Such a statement makes no call.
func TestMasksAreNotCompared(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	env := listing(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		_, _ = fmt.Fprint(w, `{"secrets": [{"name": "a", "value": "s3cr3t"}, {"name": "b", "value": "0ther"}]}`)
	})
	const secrets = "(SELECT * FROM databricks_workspace.catalog.secrets_uc WHERE catalog_name = 'c' AND schema_name = 's')"
	for name, query := range map[string]string{
		"a join":               "SELECT a.name AS x, b.name AS y FROM " + secrets + " a JOIN " + secrets + " b ON a.value = b.value",
		"distinct":             "SELECT count(DISTINCT value) AS n FROM " + secrets,
		"a sum":                "SELECT sum(length(value)) AS n FROM " + secrets,
		"a condition":          "SELECT name FROM " + secrets + " WHERE value = 's3cr3t'",
		"a condition in a CTE": "WITH s AS MATERIALIZED (SELECT name, value AS v FROM " + secrets + ") SELECT name FROM s WHERE v LIKE '0%'",
		"an order":             "SELECT name FROM " + secrets + " ORDER BY value LIMIT 1",
		"a text":               "SELECT name, 'Bearer ' || value AS header FROM " + secrets,
		"a view over a view":   "SELECT name FROM w WHERE v > 'a'",
	} {
		t.Run(name, func(t *testing.T) {
			store := filepath.Join(t.TempDir(), "store.db")
			if got := kept(t, env, store, "CREATE VIEW v AS SELECT name, value FROM "+secrets+"; CREATE VIEW w AS SELECT name AS name, value AS v FROM v; CREATE TABLE t AS SELECT 1 AS a"); got.status != 0 {
				t.Fatal(got.stderr)
			}
			if got := kept(t, env, store, query); got.status != 0 {
				t.Errorf("live: %s", got.stderr)
			}
			before := calls.Load()
			for _, text := range []string{
				"CREATE TABLE k AS " + query, "CREATE TEMP TABLE k AS " + query, "CREATE MATERIALIZED VIEW k AS " + query,
			} {
				got := kept(t, env, store, text)
				if got.status != 2 || !strings.Contains(got.stderr, "compute on databricks_workspace.catalog.secrets_uc.value") {
					t.Errorf("%s: status %d: %s", text, got.status, got.stderr)
				}
			}
			if strings.Contains(query, " JOIN ") {
				got := kept(t, env, store, "DELETE FROM t WHERE EXISTS ("+query+")")
				if got.status != 2 || !strings.Contains(got.stderr, "secrets_uc.value") {
					t.Errorf("a condition: status %d: %s", got.status, got.stderr)
				}
			}
			if calls.Load() != before {
				t.Error("called before it was refused")
			}
		})
	}
	store := filepath.Join(t.TempDir(), "store.db")
	for _, query := range []string{
		"SELECT name, value FROM " + secrets + " WHERE value IS NOT NULL ORDER BY name DESC",
		"SELECT a.name, a.value FROM " + secrets + " a JOIN " + secrets + " b ON a.name = b.name",
		"SELECT name, count(value) AS n, value FROM " + secrets + " GROUP BY name",
	} {
		if got := kept(t, env, store, "CREATE OR REPLACE TABLE k AS "+query+"; SELECT count(*) FROM k"); got.stdout != "2\n" {
			t.Errorf("%s: %+v", query, got)
		}
	}
}

// TestStoredTypes shows that values read from a table equal those of the API.
func TestStoredTypes(t *testing.T) {
	t.Parallel()
	env := listing(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"jobs": [{"job_id": 9007199254740993, "creator_user_name": "007", "settings": {"name": "j", "max_concurrent_runs": 12345678901234567890}, "has_more": true, "created_time": 1.5},
			{"job_id": 1, "creator_user_name": "1e3", "has_more": false}]}`)
	})
	store := filepath.Join(t.TempDir(), "store.db")
	const live = "SELECT job_id, creator_user_name, settings, has_more, created_time, 1 = 1 AS yes, json_array(1, 'a') AS list, '12.0' AS text FROM databricks_workspace.jobs.jobs"
	show := func(text string) string {
		got := run{args: []string{"exec", "-o", "jsonl", "--store", store, text}, env: env}.do(t)
		if got.status != 0 {
			t.Fatalf("%s: %s", text, got.stderr)
		}
		return got.stdout
	}
	want := show(live)
	if !strings.Contains(want, `"job_id":9007199254740993,"creator_user_name":"007","settings":{"name":"j","max_concurrent_runs":12345678901234567890},"has_more":true,"created_time":1.5`) {
		t.Fatal(want)
	}
	for _, text := range []string{
		"CREATE TABLE t AS " + live + "; SELECT * FROM t",
		"CREATE MATERIALIZED VIEW m AS " + live + "; REFRESH MATERIALIZED VIEW m; SELECT * FROM m",
		"CREATE TABLE copy AS SELECT * FROM m; SELECT * FROM copy",
		"CREATE VIEW v AS SELECT * FROM copy; SELECT * FROM v",
		"CREATE TABLE empty AS SELECT * FROM t WHERE false; INSERT INTO empty " + live + "; SELECT * FROM empty",
	} {
		if got := show(text); got != want {
			t.Errorf("%s:\n%swant\n%s", text, got, want)
		}
	}
}

// TestDryRunOfAStore shows that a dry run goes through a whole script, with the calls that it would
// make, and changes nothing.
func TestDryRunOfAStore(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{})
	store := filepath.Join(t.TempDir(), "store.db")
	if got := kept(t, nil, store, "CREATE TABLE t AS SELECT 1 AS a; CREATE VIEW v AS SELECT a FROM t; CREATE MATERIALIZED VIEW m AS SELECT 2 AS a", "--emulator"); got.status != 0 {
		t.Fatal(got.stderr)
	}
	before, err := os.ReadFile(store)
	if err != nil {
		t.Fatal(err)
	}
	got := kept(t, env, store, `INSERT INTO t VALUES (2); UPDATE t SET a = (SELECT count(*) FROM `+branches+` WHERE project_id = 'updated'); DROP VIEW v;
		DROP TABLE t; CREATE TABLE t AS SELECT name FROM `+branches+` WHERE project_id = 'created'; SELECT name FROM t; INSERT INTO t SELECT name FROM `+branches+` WHERE project_id = 'inserted';
		CREATE TABLE mine (p); INSERT INTO mine VALUES ('listed'); SELECT b.name FROM mine JOIN `+branches+` b ON b.project_id = mine.p;
		CREATE OR REPLACE MATERIALIZED VIEW m AS SELECT name FROM `+branches+` WHERE project_id = 'replaced'; REFRESH MATERIALIZED VIEW m`, "--dryrun")
	if got.status != 0 || !strings.Contains(got.stderr, "a dry run changes nothing") {
		t.Errorf("status %d\n%s", got.status, got.stderr)
	}
	for _, project := range []string{"updated", "created", "inserted", "listed", "replaced"} {
		if !strings.Contains(got.stdout, "/projects/"+project+"/branches") {
			t.Errorf("no call for %s:\n%s", project, got.stdout)
		}
	}
	after, err := os.ReadFile(store)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Error("the file changed")
	}
	if sent := server.Requests(); len(sent) != 0 {
		t.Errorf("sent %+v", sent)
	}
}

// TestStoreJoinRunsAhead shows that the calls which a table feeds are under way at the same time: none
// is answered before all have come.
func TestStoreJoinRunsAhead(t *testing.T) {
	t.Parallel()
	const calls = 5
	var arrived sync.WaitGroup
	arrived.Add(calls)
	env := listing(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived.Done()
		arrived.Wait()
		_, _ = fmt.Fprint(w, `{"branches": [{"name": "b"}]}`)
	})
	store := filepath.Join(t.TempDir(), "store.db")
	text := "CREATE TABLE ids (id); INSERT INTO ids VALUES ('a'), ('b'), ('c'), ('d'), ('e'); CREATE TABLE t AS SELECT id, b.name FROM ids JOIN " + branches + " b ON b.project_id = id; SELECT count(*) FROM t"
	if got := kept(t, env, store, text); got.stdout != "5\n" {
		t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
}
