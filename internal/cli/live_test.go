//go:build unix

package cli_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/internal/testworld"
)

// live is what tests select from.
const live = "databricks_workspace.postgres."

// exec runs a statement with rows as CSV.
func (w *lakebaseWorld) exec(t *testing.T, statement string, args ...string) result {
	t.Helper()
	all := append([]string{"exec", "-o", "csv"}, w.flags...)
	return run{args: append(append(all, args...), statement), env: w.env}.do(t)
}

// rows runs a statement that succeeds, and returns its rows without the header.
func (w *lakebaseWorld) rows(t *testing.T, statement string, args ...string) string {
	t.Helper()
	got := w.exec(t, statement, append(args, "-H")...)
	if got.status != 0 {
		t.Fatalf("%s\nstatus %d\n%s", statement, got.status, got.stderr)
	}
	return got.stdout
}

// guideQueries returns the queries of the section about the tables in the guide.
func guideQueries(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/lakebase.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Query the server\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var queries []string
	for _, block := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(section, -1) {
		queries = append(queries, block[1])
	}
	return queries
}

// TestLiveTables runs the queries of the guide over resources of the API and the server behind their endpoints,
// and the tables in each form.
func TestLiveTables(t *testing.T) {
	t.Parallel()
	w := startLakebase(t, time.Hour)
	w.do(t, `CREATE ROLE "bruno.keller@harbor-finch.example" LOGIN; CREATE ROLE reporting LOGIN CONNECTION LIMIT 5 VALID UNTIL 'infinity'; CREATE ROLE stray;
		GRANT reporting TO stray; ALTER ROLE stray SET work_mem = '1MB'`)
	w.rows(t, "SELECT 1 FROM "+live+"live_databases WHERE endpoint = 'orders'") // makes the databases
	owned := strings.Replace(w.DSN(), "dbname=postgres", "dbname=databricks_postgres", 1)
	w.do(t, "GRANT pg_read_all_stats TO lakeql_emulator")
	w.in(t, owned, `CREATE TABLE public.orders (id bigint PRIMARY KEY, note text, tags text[]); INSERT INTO public.orders SELECT n, 'note', '{a,NULL,"b \"c\""}' FROM generate_series(1, 30000) n; VACUUM ANALYZE public.orders`)
	w.in(t, owned, `ALTER TABLE public.orders OWNER TO lakeql_emulator; CREATE TABLE public.empty (); GRANT SELECT (id) ON public.orders TO reporting; GRANT SELECT ON public.empty TO PUBLIC`)

	t.Run("the guide", func(t *testing.T) {
		var answers strings.Builder
		queries := guideQueries(t)
		if len(queries) < 5 {
			t.Fatalf("the guide has %d queries", len(queries))
		}
		for _, query := range queries {
			got := w.exec(t, query)
			if got.status != 0 || got.stderr != "" {
				t.Errorf("%s\nstatus %d\n%s", query, got.status, got.stderr)
			}
			fmt.Fprintf(&answers, "%s%s\n", query, got.stdout)
		}
		testworld.Golden(t, "testdata/live.golden", answers.String(), *update)
	})
	for name, test := range map[string]struct{ query, want string }{
		"a role": {
			"SELECT name, can_login, connection_limit, valid_until IS NULL, member_of, settings FROM " + live + "live_roles WHERE endpoint = 'orders/production' AND name IN ('reporting', 'stray')",
			"reporting,true,5,1,,\n" + `stray,false,,1,"[""reporting""]","[""work_mem=1MB""]"` + "\n",
		},
		"a table": {
			"SELECT schema_name, name, kind, rows_estimated, total_bytes > table_bytes, indexes_bytes > 0, last_vacuum IS NOT NULL, last_autovacuum IS NULL FROM " + live + "live_tables WHERE endpoint = 'projects/orders/branches/production/endpoints/primary'",
			"public,empty,table,,0,0,0,1\npublic,orders,table,30000,1,1,1,1\n",
		},
		"a time": {"SELECT DISTINCT backend_start BETWEEN '2020-01-01' AND '2100-01-01', backend_start GLOB '????-??-??T*Z', query FROM " + live + "live_activity WHERE endpoint = 'orders' AND backend_type = 'checkpointer'", "1,1,\n"},
		"the databases": {
			"SELECT name, is_template FROM " + live + "live_databases WHERE endpoint = 'orders' AND name IN ('databricks_postgres', 'template1') AND size_bytes > 0",
			"databricks_postgres,false\ntemplate1,true\n",
		},
		"a setting":    {"SELECT value, unit, source FROM " + live + "live_settings WHERE endpoint = 'orders' AND name = 'shared_buffers'", "16384,8kB,configuration file\n"},
		"an extension": {"SELECT name, schema_name FROM " + live + "live_extensions WHERE endpoint = 'orders'", "plpgsql,pg_catalog\n"},
		"grants": {
			"SELECT kind, name, grantee, privilege, grantable FROM " + live + "live_grants WHERE endpoint = 'orders' AND grantee IN ('PUBLIC', 'reporting') AND kind <> 'schema'",
			"column,orders.id,reporting,SELECT,false\ndatabase,databricks_postgres,PUBLIC,CONNECT,false\ndatabase,databricks_postgres,PUBLIC,TEMPORARY,false\ntable,empty,PUBLIC,SELECT,false\n",
		},
		"two databases": {
			"SELECT d.name, count(t.name) FROM " + live + "live_databases d LEFT JOIN " + live + "live_tables t ON t.endpoint = d.endpoint AND t.database = d.name WHERE d.endpoint = 'orders' AND d.name IN ('databricks_postgres', 'postgres') GROUP BY 1",
			"databricks_postgres,2\npostgres,0\n",
		},
		"two forms of a name": {"SELECT endpoint, count(*) FROM " + live + "live_extensions WHERE endpoint IN ('orders', 'orders/production') GROUP BY 1", "orders,1\norders/production,1\n"},
		"a workspace":         {"SELECT deployment_name, name FROM " + live + "live_extensions WHERE endpoint = 'orders' AND deployment_name = 'local'", "local,plpgsql\n"},
		"values": {
			`SELECT row FROM lakebase_query('orders', 'SELECT id, 12345678901234567.890 AS n, ''NaN''::float8 AS nan, tags, true AS yes, ''{"a": [1]}''::jsonb AS j, ''2026-01-02 03:04:05+02''::timestamptz AS at, NULL AS nothing, ''{{1,2},{3,4}}''::int[] AS matrix, ''<&>'' AS text FROM orders LIMIT 1')`,
			`"{""id"":1,""n"":12345678901234567.890,""nan"":""NaN"",""tags"":[""a"",null,""b \""c\""""],""yes"":true,""j"":{""a"":[1]},""at"":""2026-01-02T01:04:05Z"",""nothing"":null,""matrix"":[[1,2],[3,4]],""text"":""<&>""}"` + "\n",
		},
		"no rows":           {"SELECT count(*) FROM lakebase_query('orders', 'SELECT 1 WHERE false')", "0\n"},
		"two equal rows":    {"SELECT count(*) FROM lakebase_query('orders', 'VALUES (1), (1)')", "2\n"},
		"another database":  {"SELECT row ->> 'current_database' FROM lakebase_query('orders', 'SELECT current_database()', 'postgres')", "postgres\n"},
		"SHOW":              {"SELECT row ->> 'transaction_read_only' FROM lakebase_query('orders', '/* a */ -- b\n SHOW transaction_read_only')", "on\n"},
		"the time-out":      {"SELECT row ->> 'statement_timeout' FROM lakebase_query('orders', 'SHOW statement_timeout')", "45s\n"},
		"for each endpoint": {"SELECT e.endpoint_id, q.row ->> 'n' FROM " + live + "postgres_endpoints e, lakebase_query(e.name, 'SELECT 6 * 7 AS n') q WHERE e.parent = 'projects/orders/branches/production' ORDER BY 1", "primary,42\nreports,42\n"},
		"as a table":        {"SELECT row ->> 'n' FROM " + live + "lakebase_query WHERE endpoint = 'orders' AND sql = 'SELECT 1 AS n'", "1\n"},
		"EXEC":              {"EXEC " + live + "live_extensions.list @endpoint = 'orders'", ""},
	} {
		t.Run(name, func(t *testing.T) { // one after the other: each mints the password of the same role
			got := w.rows(t, test.query)
			if test.want != "" && got != test.want {
				t.Errorf("%s\n%s\nwant\n%s", test.query, got, test.want)
			}
		})
	}
}

// in runs statements as the role postgres in a database.
func (w *lakebaseWorld) in(t *testing.T, dsn, statements string) {
	t.Helper()
	for statement := range strings.SplitSeq(statements, "; ") {
		cmd := w.Program(t.Context(), "psql", "-X", "-v", "ON_ERROR_STOP=1", "-d", dsn, "-c", statement)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", statement, err, out)
		}
	}
}

// minted counts the tokens that were minted.
func (w *lakebaseWorld) minted() int {
	n := 0
	for _, r := range w.api.Requests() {
		if strings.HasSuffix(r.Operation, "credentials.generate") {
			n++
		}
	}
	return n
}

// TestLiveFaults shows that an endpoint that does not answer is an error that names it, or a gap that is told.
func TestLiveFaults(t *testing.T) {
	t.Parallel()
	w := startLakebase(t, time.Hour)
	for name, test := range map[string]struct {
		query  string
		status int
		stderr []string
	}{
		"no such endpoint": {"SELECT name FROM " + live + "live_roles WHERE endpoint = 'nope/production'", 1, []string{"nope/production: ", "NOT_FOUND", "(GET http"}},
		"no name":          {"SELECT name FROM " + live + "live_roles WHERE endpoint = ''", 2, []string{"the name of the endpoint is empty"}},
		"not a name":       {"SELECT name FROM " + live + "live_roles WHERE endpoint = 'a/b/c/d'", 2, []string{"is not the name of an endpoint"}},
		"no endpoint":      {"SELECT name FROM " + live + "live_roles", 2, []string{"needs endpoint"}},
		"any database":     {"SELECT name FROM " + live + "live_tables WHERE endpoint = 'orders' AND database <> 'a'", 2, []string{"database is a parameter"}},
		"no such database": {"SELECT name FROM " + live + "live_tables WHERE endpoint = 'orders' AND database = 'nowhere'", 1, []string{"orders: ", "SQLSTATE 3D000", "live_databases", "CONNECT postgresql://orders/nowhere"}},
		"a syntax error":   {"SELECT row FROM lakebase_query('orders', 'SELECT FROM WHERE')", 2, []string{"SQLSTATE 42601"}},
		"two statements":   {"SELECT row FROM lakebase_query('orders', 'SELECT 1; SELECT 2')", 2, []string{"multiple commands"}},
		"a hidden write":   {"SELECT row FROM lakebase_query('orders', 'WITH made AS (DELETE FROM pg_am RETURNING 1) SELECT * FROM made')", 2, []string{"read-only transaction"}},
		"a write":          {"SELECT row FROM lakebase_query('orders', '/* SELECT */ DELETE FROM t')", 2, []string{"none of SELECT"}},
		"COPY":             {"SELECT row FROM lakebase_query('orders', 'COPY (SELECT 1) TO STDOUT')", 2, []string{"none of SELECT"}},
		"no query":         {"SELECT row FROM lakebase_query('orders', ' -- SELECT')", 2, []string{"none of SELECT"}},
		"one name twice":   {"SELECT row FROM lakebase_query('orders', 'SELECT 1 AS n, 2 AS n')", 2, []string{`two columns with the name "n"`}},
		"late":             {"SELECT row FROM lakebase_query('orders', 'SELECT n / (n - 100000) AS q FROM generate_series(1, 100000) n')", 1, []string{"orders: division by zero (SQLSTATE 22012)"}},
		"a literal":        {"SELECT row FROM lakebase_query('orders', 'SELECT ''hunter2''::int')", 1, []string{"invalid input syntax for type integer", "SQLSTATE 22P02"}},
		"canceled":         {"SELECT row FROM lakebase_query('orders', 'SELECT pg_cancel_backend(pg_backend_pid())')", 1, []string{"SQLSTATE 57014", "--apirequesttimeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.exec(t, test.query)
			for _, want := range test.stderr {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("stderr lacks %q:\n%s", want, got.stderr)
				}
			}
			if got.status != test.status || got.stdout != "" || strings.Contains(got.stderr, "hunter2") {
				t.Errorf("%s\nstatus %d, %q\n%s", test.query, got.status, got.stdout, got.stderr)
			}
		})
	}

	t.Run("what is written is rolled back", func(t *testing.T) {
		// PostgreSQL runs this in a read-only transaction.
		w.rows(t, "SELECT row FROM lakebase_query('orders', 'EXPLAIN ANALYZE CREATE TABLE made AS SELECT 1')")
		if got := w.rows(t, "SELECT count(*) FROM "+live+"live_tables WHERE endpoint = 'orders'"); got != "0\n" {
			t.Errorf("%s tables were made", got)
		}
	})
	t.Run("a gap is told", func(t *testing.T) {
		got := w.exec(t, "SELECT name FROM "+live+"live_extensions WHERE endpoint IN ('orders', 'nope')", "--on-error", "partial")
		if got.status != 3 || got.stdout != "name\nplpgsql\n" || !strings.Contains(got.stderr, "live_extensions in workspace") || !strings.Contains(got.stderr, "are missing: nope: ") {
			t.Errorf("status %d, %q\n%s", got.status, got.stdout, got.stderr)
		}
	})
	t.Run("a disabled endpoint", func(t *testing.T) {
		w.rows(t, "UPDATE "+live+"postgres_endpoints SET spec__disabled = true WHERE name = 'projects/orders/branches/production/endpoints/reports'")
		query := "SELECT name FROM " + live + "live_extensions WHERE endpoint IN ('orders', 'orders/production/reports')"
		if got := w.exec(t, query); got.status != 1 || !strings.Contains(got.stderr, "orders/production/reports: ") || !strings.Contains(got.stderr, "spec__disabled = false") {
			t.Errorf("status %d\n%s", got.status, got.stderr)
		}
		if got := w.exec(t, query, "--on-error", "partial"); got.status != 3 || got.stdout != "name\nplpgsql\n" {
			t.Errorf("status %d, %q\n%s", got.status, got.stdout, got.stderr)
		}
	})
	t.Run("no server", func(t *testing.T) {
		got := w.exec(t, "SELECT name FROM "+live+"live_roles WHERE endpoint = 'orders'", "--endpoint-port", fmt.Sprint(testworld.FreePort(t)), "--retry-timeout", "0")
		if got.status != 1 || !strings.Contains(got.stderr, "orders: connect to 127.0.0.1:") || !strings.Contains(got.stderr, "CONNECT postgresql://orders/databricks_postgres") {
			t.Errorf("status %d\n%s", got.status, got.stderr)
		}
	})
	t.Run("offline", func(t *testing.T) {
		got := w.exec(t, "SELECT name FROM "+live+"live_roles WHERE endpoint = 'orders'", "--offline", "--on-error", "partial")
		if got.status != 2 && got.status != 4 || !strings.Contains(got.stderr, "orders: ") {
			t.Errorf("status %d\n%s", got.status, got.stderr)
		}
	})
	t.Run("a certificate that is not trusted", func(t *testing.T) {
		got := w.exec(t, "SELECT name FROM "+live+"live_roles WHERE endpoint = 'orders'", "--endpoint-ca", testworld.Certificate(t, t.TempDir(), "127.0.0.1"))
		if got.status != 1 || !strings.Contains(got.stderr, "no password was sent") || strings.Contains(got.stderr, "tried") {
			t.Errorf("status %d\n%s", got.status, got.stderr)
		}
	})
}

// TestLiveConnects shows which statements connect, and how often.
func TestLiveConnects(t *testing.T) {
	t.Parallel()
	w := startLakebase(t, time.Hour)
	join := "SELECT e.name, l.name FROM " + live + "postgres_endpoints e JOIN " + live + "live_roles l ON l.endpoint = e.name WHERE e.parent = 'projects/orders/branches/production'"
	if got := w.rows(t, "EXPLAIN "+join); !strings.Contains(got, "\"  live_roles.list l\",1 per row of e,endpoint = e.name,\"endpoint, name\",\"connects to the endpoint, which wakes it if it sleeps\"") {
		t.Errorf("EXPLAIN says\n%s", got)
	}
	w.rows(t, "DESCRIBE "+live+"live_roles")
	w.rows(t, join, "--dryrun")
	want := `CONNECT,postgresql://projects/orders/databricks_postgres,{},SELECT pg_terminate_backend(1)` + "\n"
	if got := w.rows(t, "SELECT row FROM lakebase_query('projects/orders', 'SELECT pg_terminate_backend(1)')", "--dryrun"); got != want {
		t.Errorf("a dry run says\n%s\nwant\n%s", got, want)
	}
	if got := w.rows(t, "SELECT row FROM lakebase_query('orders', 'SELECT dblink(''password=hunter2'')')", "--dryrun"); strings.Contains(got, "hunter2") {
		t.Errorf("a dry run shows a password:\n%s", got)
	}
	if n := len(w.api.Requests()); n > 0 {
		t.Errorf("%d requests were made before anything ran", n)
	}

	asleep := "SELECT l.name FROM " + live + "postgres_endpoints e JOIN " + live + "live_roles l ON l.endpoint = e.name WHERE e.parent = 'projects/orders/branches/production' AND e.status ->> 'current_state' = 'IDLE'"
	if got := w.rows(t, asleep); got != "" || w.minted() > 0 {
		t.Errorf("%d tokens were minted for endpoints that a condition leaves out; rows %q", w.minted(), got)
	}
	twice := "SELECT count(*) FROM " + live + "live_roles r, " + live + "live_databases d, " + live + "live_roles again WHERE r.endpoint = 'orders' AND d.endpoint = r.endpoint AND again.endpoint = d.endpoint"
	if w.rows(t, twice); w.minted() != 1 {
		t.Errorf("%d tokens were minted for one endpoint", w.minted())
	}

	t.Run("at once", func(t *testing.T) {
		// Each query waits for the lock that the test has.
		const lock = "SELECT pg_advisory_lock_shared(42)"
		release := w.hold(t, "databricks_postgres", "SELECT pg_advisory_lock(42)")
		query := "SELECT count(*) FROM " + live + "postgres_branches b JOIN " + live + "postgres_endpoints e ON e.parent = b.name JOIN " + live + "lakebase_query q ON q.endpoint = e.name WHERE b.parent = 'projects/orders' AND q.sql = '" + lock + "'"
		cmd := run{args: append(append([]string{"exec", "-H", "-o", "csv"}, w.flags...), query), env: w.env}.command(t.Context(), t)
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "three endpoints are asked at once", func() bool {
			return w.ask(t, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND query = '"+lock+"'") == "3"
		})
		release()
		if err := cmd.Wait(); err != nil || stdout.String() != "3\n" {
			t.Errorf("%v, %q\n%s", err, stdout.String(), stderr.String())
		}
	})
	t.Run("somebody is there", func(t *testing.T) {
		query := guideQueries(t)[2]
		if got := w.rows(t, query); strings.Count(got, "\n") != 3 {
			t.Errorf("nobody is there, and the endpoints with nobody are\n%s", got)
		}
		release := w.hold(t, "databricks_postgres", "SELECT 1")
		w.do(t, "GRANT pg_read_all_stats TO lakeql_emulator")
		if got := w.rows(t, query); got != "" {
			t.Errorf("somebody is there, and the endpoints with nobody are\n%s", got)
		}
		release()
	})
}

// hold runs a statement as the role postgres in a session that stays until the returned function ends it.
func (w *lakebaseWorld) hold(t *testing.T, database, statement string) (release func()) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgconn.Connect(ctx, strings.Replace(w.DSN(), "dbname=postgres", "dbname="+database, 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, statement).ReadAll(); err != nil {
		t.Fatal(err)
	}
	release = sync.OnceFunc(func() { _ = conn.Close(ctx) }) // there is nothing left to lose
	t.Cleanup(release)
	return release
}

// TestLiveDoors shows that the server and pipelines read the tables as exec does.
func TestLiveDoors(t *testing.T) {
	t.Parallel()
	w := startLakebase(t, time.Hour)
	s := serveOn(t, run{args: w.flags, env: w.env})
	out, failed := s.psql(t, "", `SELECT name, is_template, size_bytes > 0 AS big FROM postgres.live_databases WHERE endpoint = 'orders' AND name = 'template1';
SELECT q.row ->> 'n' AS n FROM lakebase_query('orders', 'SELECT 6 * 7 AS n') q;
\d postgres.live_extensions
SELECT name FROM postgres.live_roles WHERE endpoint = 'nope';`)
	for _, want := range []string{"name|is_template|big\ntemplate1|t|", "n\n42\n", "default_version|text|", "nope: databricks_workspace.postgres.postgres_projects.get: NOT_FOUND"} {
		if !strings.Contains(out, want) {
			t.Errorf("psql prints no %q:\n%s", want, out)
		}
	}
	if !failed {
		t.Error("an endpoint that is not there is no error")
	}

	dir := folder(t, map[string]string{
		"pipeline.yaml":  "name: p\nworkspaces: [local]\n",
		"extensions.sql": "-- table: extensions\n-- key: name\nSELECT endpoint, name, schema_name FROM databricks_workspace.postgres.live_extensions WHERE endpoint = 'orders'",
	})
	store := filepath.Join(t.TempDir(), "store.db")
	if got := (run{args: append(append([]string{"pipeline", "run", "--store", store}, w.flags...), dir), env: w.env}).do(t); got.status != 0 {
		t.Fatalf("status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	got := run{args: []string{"exec", "-H", "-o", "csv", "--store", store, "SELECT endpoint, name, schema_name FROM extensions"}, env: w.env}.do(t)
	if got.stdout != "orders,plpgsql,pg_catalog\n" {
		t.Errorf("the pipeline's table has %q\n%s", got.stdout, got.stderr)
	}
}
