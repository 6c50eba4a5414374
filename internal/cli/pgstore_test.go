//go:build unix

package cli_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
)

// schemaStore is the connection string of a schema of the database postgres.
func schemaStore(c *cluster, schema string) string {
	return c.URL("postgres") + "&search_path=" + schema
}

// psql runs a text in psql as the role postgres, and returns its rows as psql -At prints them.
func (c *cluster) psql(t *testing.T, database, text string) string {
	t.Helper()
	cmd := c.Program(t.Context(), "psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", c.URL(database), "-c", text)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", text, err, out)
	}
	return string(out)
}

// TestPostgresStore keeps tables and views in PostgreSQL. psql judges what is there.
func TestPostgresStore(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	_, env := workspace(t, emulator.Options{})
	for name, test := range map[string]func(*testing.T, *cluster, []string){
		"types":                  storedAsTypes,
		"StackQL's flag":         backendFlag,
		"a refresh":              refreshedInPlace,
		"joins":                  storedJoins,
		"a server that dies":     dyingServer,
		"refreshes at once":      refreshesAtOnce,
		"a foreign server":       foreignServer,
		"minted passwords":       mintedStore,
		"tables of a pipeline":   pipelineTables,
		"credentials":            maskedInPostgres,
		"somebody else's tables": otherTables,
		"statements":             storedStatements,
	} {
		t.Run(name, func(t *testing.T) { test(t, c, env) })
	}
}

// storedAsTypes shows the types of columns, and that values come back as they were.
func storedAsTypes(t *testing.T, c *cluster, _ []string) {
	t.Helper()
	env := listing(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"projects": [{"name": "projects/a\u0000␛", "create_time": "2026-11-30T06:00:00.123456Z", "status": {"display_name": "é \u0000", "branch_logical_size_limit_bytes": 9007199254740993, "enable_pg_native_login": true}},
			{"name": "projects/bbb", "create_time": "2026-11-30T08:00:00+02:00", "status": null}]}`)
	})
	dsn := schemaStore(c, "types")
	const create = `CREATE MATERIALIZED VIEW m AS SELECT name, create_time, status,
		json_extract(status, '$.branch_logical_size_limit_bytes') AS bytes, length(name) AS len, length(name) / 2.0 AS half, name IS NULL AS missing, NULL AS nothing,
		CASE name WHEN 'projects/bbb' THEN 'text' ELSE 1 END AS mixed FROM ` + projects
	if got := kept(t, env, dsn, create); got.status != 0 || got.stderr != "" {
		t.Fatalf("%+v", got)
	}
	if got := c.psql(t, "postgres", `SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'types.m'::regclass AND attnum > 0 ORDER BY attnum`); got != strings.Join([]string{
		"name|text", "create_time|timestamp with time zone", "status|jsonb", "bytes|bigint", "len|bigint", "half|double precision", "missing|bigint", "nothing|text", "mixed|jsonb", "",
	}, "\n") {
		t.Errorf("the columns are\n%s", got)
	}
	if got := c.psql(t, "postgres", `SET timezone = 'UTC'; SELECT name, create_time, status ->> 'enable_pg_native_login', bytes, half, mixed FROM types.m ORDER BY create_time`); got != "SET\nprojects/bbb|2026-11-30 06:00:00+00|||6|\"text\"\nprojects/a␛␀␛␛|2026-11-30 06:00:00.123456+00|true|9007199254740993|5|1\n" {
		t.Errorf("psql reads\n%s", got)
	}
	const read = `SELECT name = 'projects/a' || char(0) || '␛', create_time, json_extract(status, '$.display_name') = 'é ' || char(0), bytes, typeof(half), half, nothing FROM m ORDER BY create_time DESC`
	if got := kept(t, env, dsn, read); got.stdout != "1,2026-11-30T06:00:00.123456Z,1,9007199254740993,real,5,\n0,2026-11-30T06:00:00Z,,,real,6,\n" {
		t.Errorf("lakeql reads %+v", got)
	}
	for condition, want := range map[string]string{
		"name = 'projects/a' || char(0) || '␛'":             "1", // which the database has in another form
		"create_time < '2026-11-30T07:00:00.1234561+01:00'": "2",
		"create_time = '2026-11-30T07:00:00+01:00'":         "1",
		"bytes = 9007199254740993":                          "1",
		"bytes = '9007199254740993'":                        "1",
		"bytes = 9007199254740992.0":                        "0",
		"half = 5":                                          "1",
		"mixed = 1":                                         "1",
		"name IN ('projects/bbb', 'x', NULL, 3)":            "1",
		"missing = false":                                   "2",
		"len = '10'":                                        "1",
	} {
		if got := kept(t, env, dsn, "SELECT count(*) FROM m WHERE "+condition); got.stdout != want+"\n" {
			t.Errorf("%s: %+v", condition, got)
		}
	}
}

// storedStatements runs the texts that are also run with a file.
func storedStatements(t *testing.T, c *cluster, _ []string) {
	t.Helper()
	t.Parallel()
	tests := storeStatements()
	// PostgreSQL has its own rules for keys, and does not return the rows of UPDATE and DELETE.
	tests["a table, filled and read in one text"] = []storeStep{
		{`CREATE TABLE t (a INTEGER, b TEXT DEFAULT 'x'); INSERT INTO t (a) VALUES (1), (2); INSERT INTO t DEFAULT VALUES; SELECT a, b FROM t ORDER BY a`, ",x\n1,x\n2,x\n", 0},
		{`UPDATE t SET b = 'y' WHERE a = 1 RETURNING b`, "RETURNING of an UPDATE or DELETE needs a table in SQLite", 2},
		{`UPDATE t SET b = b || a WHERE a > 0; DELETE FROM t WHERE a = 2 OR a IS NULL; SELECT * FROM t`, "1,x1\n", 0},
		{`INSERT INTO t (b, a) VALUES ('z', 3), ('z', 4) RETURNING a + 1, upper(b); SELECT count(*) FROM t`, "4,Z\n5,Z\n3\n", 0},
		{`INSERT INTO t (a) VALUES ('three')`, `the column "a" has the type int8 in the store`, 1},
		{`INSERT INTO t VALUES (1)`, "2 columns are to be filled, and the query has 1", 2},
		{`INSERT INTO t (nosuch) VALUES (1)`, `the table t has no column "nosuch"`, 2},
		{`UPDATE t SET a = 'x' || a`, `the column "a" has the type int8 in the store`, 1},
		{`DROP TABLE t; SELECT * FROM t`, "no such table: t", 2},
	}
	tests["rows of the API into a table"] = []storeStep{
		{`CREATE TABLE t (n TEXT UNIQUE, at INTEGER); INSERT INTO t (n) SELECT name FROM ` + branches + ` WHERE project_id = 'p'; SELECT count(*) FROM t`, "3\n", 0},
		{`INSERT INTO t (n) SELECT name FROM ` + branches + ` WHERE project_id = 'p'`, "duplicate key value violates unique constraint", 2},
		{`INSERT OR IGNORE INTO t (n) SELECT name FROM ` + branches + ` WHERE project_id = 'p' RETURNING n`, "", 0},
		{`INSERT INTO t AS o (n, at) SELECT name, 7 FROM ` + branches + ` WHERE name = 'projects/p/branches/b' ON CONFLICT (n) DO UPDATE SET at = excluded.at RETURNING upper(n), at; SELECT sum(at) FROM t`, "PROJECTS/P/BRANCHES/B,7\n7\n", 0},
		{`REPLACE INTO t SELECT name, 1 FROM ` + branches + ` WHERE project_id = 'p'`, "INSERT OR REPLACE needs a table in SQLite", 2},
		{
			`DELETE FROM t WHERE n IN (SELECT name FROM ` + branches + ` WHERE project_id = 'p' AND name LIKE '%/b'); UPDATE t SET at = (SELECT count(*) FROM ` + branches + ` WHERE project_id = 'p'); SELECT n, at FROM t ORDER BY n`,
			"projects/p/branches/development,3\nprojects/p/branches/production,3\n", 0,
		},
	}
	tests["a fault in one row changes nothing"] = []storeStep{
		{`CREATE TABLE t (a INTEGER PRIMARY KEY, b REAL NOT NULL); INSERT INTO t VALUES (1, 1), (2, 2.5)`, "", 0},
		{`INSERT INTO t VALUES (3, 1), (4, NULL)`, "violates not-null constraint", 2},
		{`UPDATE t SET b = CASE a WHEN 1 THEN 7 END`, "violates not-null constraint", 2},
		{`UPDATE t SET a = 3`, "duplicate key", 2},
		{`SELECT sum(b) FROM t`, "3.5\n", 0},
		{`CREATE TABLE c (a INTEGER CHECK (a < 3))`, "made without CHECK", 2},
		{`CREATE TABLE c (a INTEGER DEFAULT (1 + 1))`, "is not a constant", 2},
		{`CREATE TABLE c ("check" TEXT DEFAULT 'CHECK' -- CHECK` + "\n" + `); INSERT INTO c DEFAULT VALUES; SELECT * FROM c`, "CHECK\n", 0},
	}
	n := 0
	for name, steps := range tests {
		n++
		dsn := schemaStore(c, fmt.Sprintf("statements_%d", n))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, env := workspace(t, emulator.Options{})
			runSteps(t, env, dsn, steps)
		})
	}
}

// backendFlag shows that what clients of StackQL send reaches the schema.
func backendFlag(t *testing.T, c *cluster, env []string) {
	t.Helper()
	backend := fmt.Sprintf(`{"dbEngine":"postgres_tcp","sqlDialect":"postgres","dsn":%q}`, c.URL("postgres"))
	const text = "CREATE OR REPLACE MATERIALIZED VIEW branches AS SELECT name, uid FROM " + branches + " WHERE project_id = 'p'; REFRESH MATERIALIZED VIEW branches; SELECT count(*) FROM branches"
	got := run{args: []string{"exec", "-H", "-o", "csv", "--sqlBackend", backend, "--export.alias", `stack"QL`, text}, env: env}.do(t)
	if got.status != 0 || got.stdout != "3\n" || got.stderr != "" {
		t.Errorf("%+v", got)
	}
	if got := c.psql(t, "postgres", `SELECT name FROM "stack""QL".branches ORDER BY 1 LIMIT 1`); got != "projects/p/branches/b\n" {
		t.Errorf("psql reads %s", got)
	}
}

// refreshedInPlace shows that a refresh replaces rows and leaves all else of the table, whoever reads it
// meanwhile, and that one which fails changes nothing.
func refreshedInPlace(t *testing.T, c *cluster, _ []string) {
	t.Helper()
	var version, broken atomic.Int64
	env := listing(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Query().Get("page_token") == "":
			_, _ = fmt.Fprintf(w, `{"projects": [{"name": "projects/a%d"}], "next_page_token": "2"}`, version.Load())
		case broken.Load() > 0:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprint(w, `{"error_code": "INTERNAL_ERROR", "message": "out of order"}`)
		default:
			_, _ = fmt.Fprintf(w, `{"projects": [{"name": "projects/b%d"}]}`, version.Load())
		}
	})
	dsn := schemaStore(c, "refreshes")
	if got := kept(t, env, dsn, "CREATE MATERIALIZED VIEW m AS SELECT name FROM "+projects); got.status != 0 {
		t.Fatal(got.stderr)
	}
	c.do(t, `CREATE INDEX by_name ON refreshes.m (name); COMMENT ON TABLE refreshes.m IS 'mine'; CREATE VIEW refreshes.v AS SELECT upper(name) AS name FROM refreshes.m;
		CREATE ROLE reader; GRANT SELECT ON refreshes.m TO reader`)
	const names = "SELECT string_agg(name, ' ' ORDER BY name) FROM refreshes.m"
	reader := c.transaction(t, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
	version.Store(1)
	for _, text := range []string{"REFRESH MATERIALIZED VIEW m", "CREATE OR REPLACE MATERIALIZED VIEW m AS SELECT name FROM " + projects} {
		if got := kept(t, env, dsn, text); got.status != 0 || got.stderr != "" {
			t.Fatalf("%+v", got)
		}
		if got := reader(names); got != "projects/a0 projects/b0" {
			t.Errorf("a transaction that began before %s reads %s", text, got)
		}
	}
	reader("COMMIT")
	if got := c.psql(t, "postgres", names); got != "projects/a1 projects/b1\n" {
		t.Errorf("after a refresh, psql reads %s", got)
	}
	if got := c.psql(t, "postgres", "SELECT obj_description('refreshes.m'::regclass), has_table_privilege('reader', 'refreshes.m', 'SELECT'), to_regclass('refreshes.by_name'), (SELECT count(*) FROM refreshes.v)"); got != "mine|t|refreshes.by_name|2\n" {
		t.Errorf("after a refresh, the table is another one: %s", got)
	}
	if got := kept(t, env, dsn, "SELECT name FROM v ORDER BY name LIMIT 1; SHOW VIEWS"); got.stdout != "PROJECTS/A1\nv,\n" {
		t.Errorf("a view of PostgreSQL: %+v", got)
	}
	broken.Store(1)
	version.Store(2)
	for _, text := range []string{"REFRESH MATERIALIZED VIEW m", "CREATE OR REPLACE MATERIALIZED VIEW m AS SELECT name, uid FROM " + projects} {
		if got := kept(t, env, dsn, text, "--on-error", "partial"); got.status != 1 || !strings.Contains(got.stderr, "out of order") {
			t.Errorf("%s: %+v", text, got)
		}
	}
	if got := c.psql(t, "postgres", names); got != "projects/a1 projects/b1\n" {
		t.Errorf("after a refresh that failed, psql reads %s", got)
	}
	broken.Store(0)
	if got := kept(t, env, dsn, "CREATE OR REPLACE MATERIALIZED VIEW m AS SELECT name, uid FROM "+projects); got.status != 2 || !strings.Contains(got.stderr, "view refreshes.v depends on table refreshes.m") || !strings.Contains(got.stderr, "names of its columns") {
		t.Errorf("other columns under a view: %+v", got)
	}
	c.do(t, "DROP VIEW refreshes.v; ALTER TABLE refreshes.m ADD COLUMN extra int")
	if got := kept(t, env, dsn, "REFRESH MATERIALIZED VIEW m; SELECT * FROM m ORDER BY 1"); got.stdout != "projects/a2\nprojects/b2\n" {
		t.Errorf("a table that somebody altered: %+v", got)
	}
	c.do(t, "DROP TABLE refreshes.m")
	if got := kept(t, env, dsn, "SELECT * FROM m"); got.status != 2 || !strings.Contains(got.stderr, "something else has dropped it") {
		t.Errorf("a table that somebody dropped: %+v", got)
	}
	if got := kept(t, env, dsn, "REFRESH MATERIALIZED VIEW m"); got.status != 0 {
		t.Errorf("after that: %+v", got)
	}
	if got := kept(t, env, dsn, "SELECT count(*) FROM m; DROP MATERIALIZED VIEW m; SHOW MATERIALIZED VIEWS; SELECT * FROM m"); got.stdout != "2\n" || got.status != 2 {
		t.Errorf("after that: %+v", got)
	}
	if got := c.psql(t, "postgres", "SELECT to_regclass('refreshes.m') IS NULL, count(*) FROM refreshes.lakeql_objects"); got != "t|0\n" {
		t.Errorf("after DROP: %s", got)
	}
}

// storedJoins joins stored tables with each other and with the API, and shows where the rows come from.
func storedJoins(t *testing.T, c *cluster, env []string) {
	t.Helper()
	dsn := schemaStore(c, "joins")
	c.do(t, `CREATE SCHEMA joins; CREATE TABLE joins.notes (branch text PRIMARY KEY, note varchar(20));
		INSERT INTO joins.notes VALUES ('projects/p/branches/b', 'hello'), ('projects/p/branches/x', 'bye');
		CREATE TABLE joins.numbers AS SELECT n, n % 100 AS hundredth, 'number ' || n AS text FROM generate_series(1, 5000) n; ANALYZE joins.numbers`)
	if got := kept(t, env, dsn, "CREATE MATERIALIZED VIEW b AS SELECT name FROM "+branches+" WHERE project_id = 'p'; CREATE VIEW v AS SELECT b.name, n.note FROM b LEFT JOIN notes n ON n.branch = b.name"); got.status != 0 {
		t.Fatal(got.stderr)
	}
	for text, want := range map[string]string{
		"SELECT note FROM v WHERE note IS NOT NULL":                                                                            "hello\n",
		"SELECT count(*) FROM b FULL JOIN notes ON name = branch":                                                              "4\n",
		"SELECT note FROM notes n JOIN " + branches + " a ON a.name = n.branch AND a.project_id = 'p'":                         "hello\n",
		"SELECT count(*) FROM numbers a JOIN numbers b ON a.text = b.text":                                                     "5000\n",
		"SELECT count(*) FROM numbers a JOIN numbers b ON b.n = a.n + 1 WHERE a.hundredth = 7":                                 "50\n",
		"SELECT count(*) FROM numbers a CROSS JOIN notes":                                                                      "10000\n",
		"SELECT count(*) FROM numbers WHERE n = 5 OR text = 'number 6' OR n = 6":                                               "2\n",
		"SELECT n FROM numbers WHERE n IN (1, 2.0, '3', 1) ORDER BY n":                                                         "1\n2\n3\n",
		"SELECT a.n FROM numbers a WHERE EXISTS (SELECT 1 FROM numbers b WHERE b.n = a.n * 2500)":                              "1\n2\n",
		"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT s.n FROM c JOIN numbers s ON s.n = c.n * 2) SELECT count(*) FROM c": "13\n",
		"SELECT note FROM store.notes ORDER BY note DESC LIMIT 1":                                                              "hello\n",
	} {
		if got := kept(t, env, dsn, text); got.stdout != want || got.status != 0 {
			t.Errorf("%s: %+v, want %s", text, got, want)
		}
	}
	got := kept(t, env, dsn, "EXPLAIN SELECT * FROM notes n JOIN "+branches+" a ON a.name = n.branch WHERE a.project_id = 'p' AND n.note = 'hello'")
	if !strings.Contains(got.stdout, "postgres: n (") {
		t.Errorf("EXPLAIN: %+v", got)
	}
}

// TestPostgresStoreRefusals shows the errors for connection strings that lead nowhere, and for names that
// PostgreSQL does not keep. None shows the password.
func TestPostgresStoreRefusals(t *testing.T) {
	t.Parallel()
	address := testworld.ClosedAddress(t)
	_, env := workspace(t, emulator.Options{})
	for dsn, want := range map[string]struct {
		status int
		text   string
	}{
		fmt.Sprintf("postgres://me:s3cr3t@%s/inventory?sslmode=disable", address):                 {1, "the store postgres://" + address + "/inventory: cannot connect: "},
		fmt.Sprintf("postgres://%s/inventory?user=me&password=s3cr3t&sslmode=disable", address):   {1, "/inventory: cannot connect: "},
		"postgres://me:s3cr3t@127.0.0.1:port/inventory":                                           {2, "cannot be read"},
		"mysql://me:s3cr3t@127.0.0.1/inventory":                                                   {2, "neither an SQLite file nor postgres://"},
		"host=127.0.0.1 user=me password=s3cr3t dbname=inventory":                                 {2, "write it as a URL, postgres://"},
		"lakebase://me:s3cr3t@projects/p/inventory":                                               {2, "names no endpoint"},
		fmt.Sprintf("postgres://me:s3cr3t@%s/i?search_path=%s", address, strings.Repeat("x", 64)): {2, "longer than the 63 bytes"},
	} {
		for _, text := range []string{"SELECT * FROM t", "CREATE MATERIALIZED VIEW t AS SELECT 1 AS a", "SHOW TABLES"} {
			got := kept(t, env, dsn, text)
			if got.status != want.status || !strings.Contains(got.stderr, want.text) || strings.Contains(got.stderr, "s3cr3t") {
				t.Errorf("%s: %s: %+v, want %v", dsn, text, got, want)
			}
		}
	}
}

// dyingServer shows that a statement whose server goes away in the middle is an error, and leaves the old rows.
func dyingServer(t *testing.T, c *cluster, _ []string) {
	t.Helper()
	env := listing(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"projects": [{"name": "projects/a"}, {"name": "projects/b"}]}`)
	})
	dsn := schemaStore(c, "dying")
	if got := kept(t, env, dsn, "CREATE MATERIALIZED VIEW m AS SELECT name FROM "+projects+"; CREATE TABLE t AS SELECT name, 1 AS n FROM m"); got.status != 0 {
		t.Fatal(got.stderr)
	}
	c.do(t, `CREATE FUNCTION dying.die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.name = 'projects/b' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$;
		CREATE TRIGGER die BEFORE INSERT OR UPDATE ON dying.m FOR EACH ROW EXECUTE FUNCTION dying.die();
		CREATE TRIGGER die BEFORE INSERT OR UPDATE ON dying.t FOR EACH ROW EXECUTE FUNCTION dying.die();
		CREATE VIEW dying.v AS SELECT n, CASE WHEN n = 3000 THEN pg_terminate_backend(pg_backend_pid()) END AS gone FROM generate_series(1, 5000) n`)
	for _, text := range []string{
		"REFRESH MATERIALIZED VIEW m",
		"INSERT INTO t SELECT name, 2 FROM " + projects,
		"UPDATE t SET n = n + 1",
		"SELECT n, gone FROM v",
		"SELECT count(gone) FROM v",
	} {
		got := kept(t, env, dsn, text)
		if got.status != 1 || !strings.Contains(got.stderr, "terminating connection due to administrator command") {
			t.Errorf("%s: status %d, %d bytes of rows\n%s", text, got.status, len(got.stdout), got.stderr)
		}
	}
	if got := c.psql(t, "postgres", "SELECT name, 0 FROM dying.m UNION ALL SELECT name, n FROM dying.t ORDER BY 1, 2"); got != "projects/a|0\nprojects/a|1\nprojects/b|0\nprojects/b|1\n" {
		t.Errorf("afterwards psql reads\n%s", got)
	}
}

// refreshesAtOnce shows that refreshes of one view do not add up, and that readers never see a part.
func refreshesAtOnce(t *testing.T, c *cluster, env []string) {
	t.Helper()
	dsn := schemaStore(c, "atonce")
	if got := kept(t, env, dsn, "CREATE MATERIALIZED VIEW m AS SELECT name FROM "+branches+" WHERE project_id = 'p'"); got.status != 0 {
		t.Fatal(got.stderr)
	}
	var stderr [4]bytes.Buffer
	var running [4]*exec.Cmd
	for i := range running {
		running[i] = run{args: []string{"exec", "--store", dsn, "REFRESH MATERIALIZED VIEW m"}, env: env}.command(t.Context(), t)
		running[i].Stderr = &stderr[i]
		if err := running[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		if got := c.ask(t, "SELECT count(*) FROM atonce.m"); got != "3" {
			t.Errorf("a reader sees %s rows", got)
		}
	}
	for i := range running {
		if err := running[i].Wait(); err != nil {
			t.Errorf("%v\n%s", err, stderr[i].String())
		}
	}
	if got := c.ask(t, "SELECT count(*) FROM atonce.m"); got != "3" {
		t.Errorf("after four refreshes there are %s rows", got)
	}
}

// foreignServer reads the tables of a store from another database, by postgres_fdw.
func foreignServer(t *testing.T, c *cluster, env []string) {
	t.Helper()
	if got := kept(t, env, schemaStore(c, "exported"), "CREATE MATERIALIZED VIEW b AS SELECT name, create_time, status, is_protected FROM (SELECT name, create_time, status, 1 = 1 AS is_protected FROM "+branches+" WHERE project_id = 'p')"); got.status != 0 {
		t.Fatal(got.stderr)
	}
	c.psql(t, "postgres", "CREATE DATABASE elsewhere")
	if got := c.psql(t, "elsewhere", fmt.Sprintf(`CREATE EXTENSION postgres_fdw; CREATE SERVER lake FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '%d', dbname 'postgres');
		CREATE USER MAPPING FOR postgres SERVER lake OPTIONS (user 'postgres', password '%s'); CREATE SCHEMA lake; IMPORT FOREIGN SCHEMA exported FROM SERVER lake INTO lake;
		SELECT count(*), max(pg_typeof(create_time)::text), max(pg_typeof(status)::text) FROM lake.b WHERE name LIKE 'projects/p/%%'`, c.Port, strings.ReplaceAll(c.Password, "'", "''"))); !strings.HasSuffix(got, "\n3|timestamp with time zone|jsonb\n") {
		t.Errorf("the other database reads\n%s", got)
	}
}

// mintedStore keeps tables in Lakebase: in a PostgreSQL server that only passwords open which the API mints.
func mintedStore(t *testing.T, c *cluster, _ []string) {
	t.Helper()
	env, stop := runEmulator(t, "--postgres", c.DSN())
	defer stop()
	for _, dsn := range []string{
		lakebaseStore(c, "&sslmode=disable&search_path=minted"),
		fmt.Sprintf("lakebase://projects/p/branches/production/endpoints/primary?port=%d&sslmode=disable&search_path=minted", c.Port),
	} {
		got := kept(t, env, dsn, "CREATE OR REPLACE MATERIALIZED VIEW m AS SELECT name FROM "+branches+" WHERE project_id = 'p'; SELECT count(*) > 0 FROM m")
		if got.status != 0 || got.stdout != "1\n" || got.stderr != "" {
			t.Errorf("%s: %+v", dsn, got)
		}
		noToken(t, env, got)
	}
	if got := c.psql(t, "databricks_postgres", "SELECT tableowner FROM pg_tables WHERE schemaname = 'minted' AND tablename = 'm'"); got != owner+"\n" {
		t.Errorf("the table belongs to %s", got)
	}
	got := kept(t, env, lakebaseStore(c, ""), "SHOW TABLES")
	if got.status != 1 || !strings.Contains(got.stderr, "server refused TLS connection") {
		t.Errorf("without TLS: %+v", got)
	}
	noToken(t, env, got)
	got = kept(t, env, strings.Replace(lakebaseStore(c, "&sslmode=disable"), "projects/p/", "projects/nosuch/", 1), "SHOW TABLES")
	if got.status == 0 || !strings.Contains(got.stderr, "mint a password for the store's endpoint projects/nosuch/branches/production/endpoints/primary") {
		t.Errorf("an endpoint that is not there: %+v", got)
	}
}

// pipelineTables reads what a pipeline keeps in PostgreSQL.
func pipelineTables(t *testing.T, c *cluster, _ []string) {
	t.Helper()
	server, env := workspace(t, emulator.Options{})
	c.psql(t, "postgres", "CREATE DATABASE inventory")
	dsn := c.URL("inventory")
	dir := company(t, "workspaces: [dbc-1, dbc-2]\n"+never)
	if got := pipelineCommand(t, env, "run", "-q", "--store", dsn, dir); got.status != 0 {
		t.Fatal(got.stderr)
	}
	count := c.psql(t, "inventory", "SELECT count(*) FROM projects WHERE NOT stale")
	if got := kept(t, env, dsn, "SELECT count(*) FROM projects WHERE NOT stale AND create_time > '2000-01-01'"); got.status != 0 || got.stdout != count || count == "0\n" {
		t.Errorf("lakeql reads %+v, psql %s", got, count)
	}
	if got := kept(t, env, dsn, "SELECT p.name FROM projects p JOIN clusters c USING (deployment_name) JOIN projects_history h ON h.name = p.name"); got.status != 0 || got.stdout == "" || got.stderr != "" {
		t.Errorf("a join: %+v", got)
	}
	if got := kept(t, env, dsn, "DROP VIEW projects"); got.status != 2 || !strings.Contains(got.stderr, "belongs to a pipeline") {
		t.Errorf("DROP VIEW: %+v", got)
	}
	if got := kept(t, env, dsn, "SELECT * FROM projects_at('2026-01-01')"); got.status != 2 || !strings.Contains(got.stderr, "is a function of PostgreSQL") {
		t.Errorf("an earlier time: %+v", got)
	}
	server.SetFaults(faults(t, "GET /api/2.1/clusters/list: 400")...)
	_ = pipelineCommand(t, env, "run", "-q", "--store", dsn, dir)
	if got := kept(t, env, dsn, "SELECT count(*) FROM clusters"); !strings.Contains(got.stderr, "clusters: ") || got.stdout == "0\n" {
		t.Errorf("rows that are old: %+v", got)
	}
}

// maskedInPostgres shows that credentials do not go into PostgreSQL.
func maskedInPostgres(t *testing.T, c *cluster, env []string) {
	t.Helper()
	got := kept(t, env, schemaStore(c, "masked"), "CREATE MATERIALIZED VIEW m AS SELECT token, expire_time FROM databricks_workspace.postgres.postgres_credentials WHERE endpoint = 'projects/p/branches/production/endpoints/primary'; SELECT token FROM m")
	if got.status != 0 || !strings.Contains(got.stderr, "credentials are not kept") || strings.Contains(got.stdout, "eyJ") {
		t.Errorf("%+v", got)
	}
	if kept := c.psql(t, "postgres", "SELECT token FROM masked.m"); kept != got.stdout || !strings.Contains(kept, "*") {
		t.Errorf("psql reads %s", kept)
	}
}

// otherTables reads and changes tables that lakeql has not made, with types that it would not choose.
func otherTables(t *testing.T, c *cluster, env []string) {
	t.Helper()
	c.do(t, `CREATE SCHEMA "of ""others"; SET search_path = "of ""others"; CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
		CREATE TABLE "A ""b" (id smallint PRIMARY KEY, "Name" varchar(5), n numeric, d date, at timestamp, u uuid, list int[], m mood, p positive, x bytea, j json, f float4, c char(4));
		INSERT INTO "A ""b" VALUES (1, 'a', 1.50, '2026-11-30', '2026-11-30 01:02:03', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{1,NULL,3}', 'happy', 7, '\xff', '[1, 2]', 0.5, 'ab'), (2, NULL, 12345678901234567890, 'infinity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
		CREATE TABLE twice (a int, "A" int); CREATE TABLE parts (n int) PARTITION BY LIST (n); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1); INSERT INTO parts VALUES (1)`)
	dsn := c.URL("postgres") + "&search_path=" + url.PathEscape(`"of ""others", public`)
	for text, want := range map[string]storeStep{
		`SELECT "Name", n, d, at, u, list, m, p, x, j, f, c FROM "A ""b" WHERE id = 1`: {"", `a,1.5,2026-11-30,2026-11-30 01:02:03,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,"[1,null,3]",happy,7,\xff,"[1,2]",0.5,ab` + "\n", 0},
		`SELECT n FROM "A ""b"`:                                                   {"", `the column "n" holds a number with more digits than a double has`, 1},
		`SELECT d FROM "A ""b" WHERE p IS NULL`:                                   {"", "infinity\n", 0},
		`UPDATE "A ""b" SET "Name" = 'toolong' WHERE id = 1`:                      {"", "value too long for type character varying(5)", 2},
		`UPDATE "A ""b" SET p = 0 WHERE id = 1`:                                   {"", "violates check constraint", 2},
		`UPDATE "A ""b" SET m = 'angry' WHERE id = 1`:                             {"", "invalid input value for enum", 2},
		`SELECT * FROM twice`:                                                     {"", "the table twice cannot be read: duplicate column name: A", 2},
		`DELETE FROM parts`:                                                       {"", "cannot be told apart", 2},
		`SELECT n FROM parts WHERE n = 1`:                                         {"", "1\n", 0},
		`CREATE MATERIALIZED VIEW m AS SELECT 1 AS ctid`:                          {"", "has the name of a system column of PostgreSQL", 2},
		`CREATE TABLE x AS SELECT 1 AS "` + strings.Repeat("y", 64) + `"`:         {"", "longer than the 63 bytes", 2},
		`CREATE VIEW "` + strings.Repeat("y", 64) + `" AS SELECT 1`:               {"", "longer than the 63 bytes", 2},
		`CREATE TABLE "x'; DROP TABLE parts; --" AS SELECT 'x''; DROP' AS "a""b"`: {"", "", 0},
		`INSERT INTO "A ""b" (id, d, u, m) VALUES (3, '2026-01-01', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', 'sad'); UPDATE "A ""b" SET d = '2026-01-02', u = NULL, m = 'happy', j = '{"a": [1]}' WHERE id = 3; SELECT d, u, m, j FROM "A ""b" WHERE id = 3; DELETE FROM "A ""b" WHERE id = 3`: {"", `2026-01-02,,happy,"{""a"":[1]}"` + "\n", 0},
	} {
		got := kept(t, env, dsn, text)
		if got.status != want.status || want.status == 0 && got.stdout != want.want || want.status != 0 && !strings.Contains(got.stderr, want.want) {
			t.Errorf("%s: %+v\nwant %d: %s", text, got, want.status, want.want)
		}
	}
	if got := c.psql(t, "postgres", `SELECT "a""b" FROM "of ""others"."x'; DROP TABLE parts; --"`); got != "x'; DROP\n" {
		t.Errorf("psql reads %s", got)
	}
}
