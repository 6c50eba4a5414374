package cli_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

// TestDoctoredStores opens files that somebody else has written, and shows that they run nothing: no file
// appears, no call is made, and unreadable content is a clear error.
func TestDoctoredStores(t *testing.T) {
	t.Parallel()
	const objects = "CREATE TABLE lakeql_objects (name TEXT PRIMARY KEY COLLATE NOCASE, kind TEXT NOT NULL, definition TEXT NOT NULL, columns TEXT NOT NULL, refreshed TEXT NOT NULL); "
	const pipelines = "CREATE TABLE lakeql_table (name text PRIMARY KEY, columns text, known_since TEXT); " +
		"CREATE TABLE lakeql_history_t (history_id INTEGER PRIMARY KEY, change TEXT, changed_at TEXT, deployment_name TEXT, key_hash BLOB, a TEXT); " +
		"INSERT INTO lakeql_history_t VALUES (1, 'added', '2026-01-01T00:00:00.000000Z', 'w', x'00', 'kept'); "
	tests := map[string]struct {
		file string // {out} is the file that must not appear
		text string // the statement, v unless it says otherwise
		want string // in what it prints, on standard output or standard error
	}{
		"a column list with statements": {
			file: objects + `INSERT INTO lakeql_objects VALUES ('v', 'VIEW', 'SELECT 1', 'a) AS SELECT 1; ATTACH ''{out}'' AS o; CREATE TABLE o.x (a); --', '')`,
			want: `the columns of the view "v" are not a list of names`,
		},
		"a column list that is quoted, with statements": {
			file: objects + `INSERT INTO lakeql_objects VALUES ('v', 'VIEW', 'SELECT 1', '"a" ) AS SELECT 1; ATTACH ''{out}'' AS o; CREATE TABLE o."x" (a); CREATE VIEW temp.b ("a"', '')`,
			want: `the columns of the view "v" are not a list of names`,
		},
		"a column list without an end": {
			file: objects + `INSERT INTO lakeql_objects VALUES ('v', 'VIEW', 'SELECT 1', '"a', '')`,
			want: "are not a list of names",
		},
		"a column list with a character 0": {
			file: objects + `INSERT INTO lakeql_objects VALUES ('v', 'VIEW', 'SELECT 1', '"a' || char(0) || '"', '')`,
			want: "are not a list of names",
		},
		"a column name that looks like statements": {
			file: objects + `INSERT INTO lakeql_objects VALUES ('v', 'VIEW', 'SELECT 7', '"a) AS SELECT 1; ATTACH ''{out}'' AS o; --"', '')`,
			want: "7",
		},
		"a body of several statements": {
			file: objects + `INSERT INTO lakeql_objects VALUES ('v', 'VIEW', 'SELECT 1; ATTACH ''{out}'' AS o; CREATE TABLE o.x (a)', '', '')`,
			want: "the view v is not one query",
		},
		"a body that ends for SQLite where it does not for MySQL": {
			file: objects + `INSERT INTO lakeql_objects VALUES ('v', 'VIEW', 'SELECT ''\''; ATTACH ''''{out}'''' AS o; CREATE TABLE o.x (a); --''', '', '')`,
			want: "the view v",
		},
		"a body that is no query": {
			file: objects + `INSERT INTO lakeql_objects VALUES ('v', 'VIEW', 'ATTACH ''{out}'' AS o', '', '')`,
			want: "the view v",
		},
		"a body with a character 0": {
			file: objects + `INSERT INTO lakeql_objects VALUES ('v', 'VIEW', 'SELECT 1' || char(0) || '; ATTACH ''{out}'' AS o', '', '')`,
			want: "the view v",
		},
		"a name with statements": {
			file: objects + `INSERT INTO lakeql_objects VALUES ('v" AS SELECT 1; ATTACH ''{out}'' AS o; --', 'VIEW', 'SELECT 7 AS a', '', '')`,
			text: `SELECT a FROM "v"" AS SELECT 1; ATTACH '{out}' AS o; --"`,
			want: "7",
		},
		"a kind that there is not": {
			file: objects + `INSERT INTO lakeql_objects VALUES ('v', 'VIEW v AS SELECT 1; ATTACH ''{out}'' AS o', 'SELECT 1', '', '')`,
			want: "there are tables, views and materialized views",
		},
		"a list of views that is a view": {
			file: `CREATE VIEW lakeql_objects AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT 'v' AS name, 'VIEW' AS kind, 'SELECT ' || n AS definition, '' AS columns, '' AS refreshed FROM c`,
			want: "lakeql_objects is not a table",
		},
		"a view of SQLite's over a resource": {
			file: `CREATE VIEW v AS SELECT * FROM "databricks_workspace.postgres.postgres_projects"`,
			text: `SELECT * FROM v, (SELECT 1 FROM databricks_workspace.postgres.postgres_projects WHERE 1 = 0)`,
			want: "unsafe use of virtual table",
		},
		"a virtual table over a resource": {
			file: `PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING "databricks_workspace.postgres.postgres_projects"')`,
			text: `SELECT * FROM v, (SELECT 1 FROM databricks_workspace.postgres.postgres_projects WHERE 1 = 0)`,
			want: "a virtual table of a store is not read",
		},
		"a virtual table of a statement": {
			file: pipelines + `INSERT INTO lakeql_table VALUES ('t', '[{"name": "a"}]', ''); PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING statement((SELECT * FROM "databricks_workspace.postgres.postgres_projects"))')`,
			text: `SELECT * FROM t_at('2026-02-01'), v, (SELECT 1 FROM databricks_workspace.postgres.postgres_projects WHERE 1 = 0)`,
			want: "unsafe use of virtual table",
		},
		"a view of SQLite's over a PRAGMA": {
			file: `CREATE VIEW v AS SELECT * FROM pragma_database_list`,
			want: "unsafe use of virtual table",
		},
		"a schema that is another statement": {
			file: `CREATE TABLE v (a); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE v (a); ATTACH ''{out}'' AS o' WHERE name = 'v'`,
			want: "v",
		},
		"a schema that attaches": {
			file: `CREATE TABLE v (a); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'ATTACH ''{out}'' AS o' WHERE name = 'v'`,
			want: "malformed database schema",
		},
		"a view whose values are too large": {
			file: `CREATE VIEW v AS SELECT length(hex(zeroblob(100000000)))`,
			want: "a value is larger than the 112 MiB that SQLite takes",
		},
		"a trigger": {
			file: `CREATE TABLE v (a); CREATE TABLE w (a); CREATE TRIGGER r AFTER INSERT ON v BEGIN INSERT INTO w SELECT json_extract(f.value, '$') FROM json_each('[1]') f; END`,
			text: `INSERT INTO v VALUES (1); SELECT a FROM w`,
			want: "1",
		},
		"a trigger over a resource": {
			file: `CREATE TABLE v (a); CREATE TRIGGER r AFTER INSERT ON v BEGIN INSERT INTO v SELECT name FROM "databricks_workspace.postgres.postgres_projects"; END`,
			text: `INSERT INTO v SELECT count(*) FROM databricks_workspace.postgres.postgres_projects WHERE 1 = 0`,
			want: "unsafe use of virtual table",
		},
		"columns of a history with statements": {
			file: pipelines + `INSERT INTO lakeql_table VALUES ('t', '[{"name": "a\") FROM x); ATTACH ''{out}'' AS o; --"}]', '')`,
			text: `SELECT * FROM t_at('2026-02-01')`,
			want: "t_at cannot be made of the history",
		},
		"columns of a history with a character 0": {
			file: pipelines + `INSERT INTO lakeql_table VALUES ('t', '[{"name": "a\u0000"}]', '')`,
			text: `SELECT * FROM t_at('2026-02-01')`,
			want: "a name holds the character 0",
		},
		"columns of a history that are not JSON": {
			file: pipelines + `INSERT INTO lakeql_table VALUES ('t', 'a; ATTACH ''{out}'' AS o', '')`,
			text: `SELECT * FROM t_at('2026-02-01')`,
			want: `the columns of the pipeline table "t" are not readable`,
		},
		"tables of pipelines that are views": {
			file: `CREATE VIEW lakeql_table AS SELECT 't' AS name, '[]' AS columns, '' AS known_since`,
			text: `SELECT * FROM t_at('2026-02-01')`,
			want: "lakeql_table is not a table",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			store, out := filepath.Join(dir, "store.db"), filepath.Join(dir, "out.db")
			forge(t, store, strings.ReplaceAll(test.file, "{out}", out))
			env := listing(t, func(_ http.ResponseWriter, r *http.Request) {
				t.Errorf("called: %s %s", r.Method, r.URL)
			})
			text := strings.ReplaceAll(test.text, "{out}", out)
			if text == "" {
				text = "SELECT * FROM v"
			}
			ran := func(got result) result {
				t.Helper()
				if strings.Contains(got.stderr, "goroutine") || got.status < 0 {
					t.Errorf("status %d, a panic:\n%s", got.status, got.stderr)
				}
				if _, err := os.Stat(out); err == nil {
					t.Error("a file was written")
				}
				return got
			}
			ran(kept(t, env, store, text, "--dryrun"))
			session := []string{"EXPLAIN " + text, text, "SHOW TABLES", "SHOW VIEWS", "SHOW MATERIALIZED VIEWS", "DROP VIEW IF EXISTS another", "CREATE TABLE fresh (a)"}
			ran(run{args: []string{"shell", "--store", store}, env: env, stdin: strings.Join(session, ";\n") + ";\n"}.do(t))
			if got := ran(kept(t, env, store, text)); !strings.Contains(got.stdout+got.stderr, test.want) {
				t.Errorf("status %d: %s%s\nwant %s", got.status, got.stdout, got.stderr, test.want)
			}
		})
	}
}

// forge writes a file.
func forge(t *testing.T, path, text string) {
	t.Helper()
	db, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
