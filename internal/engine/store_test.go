package engine_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/engine"
)

// loopback is an authorizer that sends everything to one server.
type loopback string

func (host loopback) Direct(r *http.Request, _ string) error {
	r.URL.Scheme, r.URL.Host = "http", string(host)
	return nil
}

func (loopback) Authorize(*http.Request) error { return nil }

// serving is a session over a handler, with a store in a file.
func serving(t *testing.T, answer http.HandlerFunc) *engine.Session {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	s := session(t)
	s.Client = &dispatch.Client{Catalogue: s.Catalogue, Authorizer: loopback(strings.TrimPrefix(server.URL, "http://")), HTTP: server.Client()}
	s.StorePath = filepath.Join(t.TempDir(), "store.db")
	t.Cleanup(s.Close)
	return s
}

const projectList = "SELECT name FROM databricks_workspace.postgres.postgres_projects"

// TestStoreHandles runs many statements in one session, some of which fail, and counts the open files.
func TestStoreHandles(t *testing.T) {
	var failing atomic.Bool
	s := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		if failing.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = fmt.Fprint(w, `{"projects": [{"name": "projects/a"}]}`)
	})
	if _, err := only(t, s, "CREATE TABLE t (a CHECK (a <> 'no')); INSERT INTO t VALUES (0); CREATE MATERIALIZED VIEW m AS "+projectList+"; CREATE VIEW v AS SELECT name FROM m"); err != nil {
		t.Fatal(err)
	}
	round := func() {
		for text, fails := range map[string]bool{
			"SELECT * FROM v JOIN t":                                  false,
			"INSERT INTO t VALUES (1)":                                false,
			"INSERT INTO t VALUES ('no')":                             true,
			"INSERT INTO t " + projectList:                            false,
			"INSERT INTO t SELECT 'no' FROM (" + projectList + ")":    true,
			"UPDATE t SET a = (" + projectList + ")":                  false,
			"UPDATE t SET a = 'no' WHERE (" + projectList + ") <> ''": true,
			"REFRESH MATERIALIZED VIEW m":                             false,
			"CREATE OR REPLACE TABLE u AS " + projectList:             false,
			"CREATE VIEW v AS SELECT 1":                               true,
			"CREATE TABLE x AS SELECT nosuch FROM t":                  true,
			"CREATE TEMP TABLE y (a); DROP TABLE y":                   false,
			"EXPLAIN ANALYZE INSERT INTO t " + projectList:            false,
			"EXPLAIN SELECT * FROM v":                                 false,
			"SHOW TABLES":                                             false,
			"NATIVEQUERY 'SELECT * FROM t'":                           false,
			"NATIVEQUERY 'SELECT nosuch FROM t'":                      true,
			"SELECT ?":                                                true,
			"SELECT 1; SELECT * FROM t; SELECT nosuch":                true,
		} {
			if _, err := only(t, s, text); (err != nil) != fails {
				t.Errorf("%s: %v", text, err)
			}
		}
		failing.Store(true)
		for _, text := range []string{"REFRESH MATERIALIZED VIEW m", "INSERT INTO t " + projectList, "UPDATE t SET a = (" + projectList + ")", "EXPLAIN ANALYZE " + projectList, "CREATE TABLE z AS " + projectList} {
			if _, err := only(t, s, text); err == nil {
				t.Errorf("%s went through", text)
			}
		}
		failing.Store(false)
	}
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc")
		}
		n := 0
		for _, entry := range entries {
			if name, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil && strings.Contains(name, "store.db") {
				n++
			}
		}
		return n
	}
	round()
	round()
	if n := open(); n != 0 {
		t.Errorf("%d handles of the store are open", n)
	}
	s.Client.HTTP.CloseIdleConnections()
	if stacks := engineStacks(); stacks != "" {
		t.Errorf("still running:\n%s", stacks)
	}
}

// engineStacks returns the stacks of the goroutines in the engine or the dispatcher, but for the
// test's own.
func engineStacks() string {
	buffer := make([]byte, 1<<20)
	var left []string
	for stack := range strings.SplitSeq(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		if !strings.Contains(stack, "testing.tRunner") && (strings.Contains(stack, "internal/engine.") || strings.Contains(stack, "internal/localstore.") || strings.Contains(stack, "internal/vtab.") || strings.Contains(stack, "internal/fetch.") || strings.Contains(stack, "internal/dispatch.")) {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}

// TestStoreClosedEarly shows that rows that are not read to their end leave nothing open or locked.
func TestStoreClosedEarly(t *testing.T) {
	s := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"projects": [{"name": "projects/a"}], "next_page_token": "more"}`)
	})
	if _, err := only(t, s, "CREATE TABLE t AS SELECT 1 AS a UNION ALL SELECT 2"); err != nil {
		t.Fatal(err)
	}
	for rows, err := range s.Run(t.Context(), "SELECT t.a, p.name FROM t JOIN databricks_workspace.postgres.postgres_projects p") {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rows.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := only(t, s, "DROP TABLE t"); err != nil {
		t.Error(err)
	}
	if stacks := engineStacks(); stacks != "" {
		t.Errorf("still running:\n%s", stacks)
	}
}

// TestStoreJournal shows that no other user can read the journal beside a store, wherever the store is.
func TestStoreJournal(t *testing.T) {
	var mode atomic.Uint32
	var store string
	s := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		if info, err := os.Stat(store + "-journal"); err == nil {
			mode.Store(uint32(info.Mode().Perm()))
		}
		_, _ = fmt.Fprint(w, `{"branches": [{"name": "projects/a/branches/b"}]}`)
	})
	store = s.StorePath
	// The trigger, which another program made, writes before the second row's call is made.
	if _, err := only(t, s, "CREATE TABLE t AS SELECT 1 AS a; CREATE TABLE log (a)"); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite3.Open(store)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Exec("CREATE TRIGGER first BEFORE UPDATE ON t BEGIN INSERT INTO log VALUES (1); END; INSERT INTO t VALUES (2)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := only(t, s, "UPDATE t SET a = (SELECT count(*) FROM databricks_workspace.postgres.postgres_branches WHERE project_id = 'p' || t.rowid)"); err != nil {
		t.Fatal(err)
	}
	if got := os.FileMode(mode.Load()); got != 0o600 {
		t.Errorf("the journal has mode %o", got)
	}
}

// TestStoreOfAnotherProgram uses a database that has tables and views already.
func TestStoreOfAnotherProgram(t *testing.T) {
	s := serving(t, http.NotFound)
	db, err := sqlite3.Open(s.StorePath)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Exec(`CREATE TABLE notes (id INTEGER PRIMARY KEY, text VARCHAR(20)); INSERT INTO notes VALUES (1, 'hello'); CREATE VIEW latest AS SELECT max(id) AS id FROM notes`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ text, want string }{
		{"SHOW TABLES", "[[notes]]"},
		{"SHOW VIEWS", "[[latest ]]"},
		{"SELECT text FROM latest JOIN notes USING (id)", "[[hello]]"},
		{"INSERT INTO notes (text) VALUES ('bye') RETURNING id", "[[2]]"},
		{"CREATE OR REPLACE VIEW latest AS SELECT text FROM notes ORDER BY id DESC LIMIT 1; SELECT * FROM latest", "[[bye]]"},
		{"DROP VIEW latest; SHOW VIEWS", "[]"},
		{"DROP TABLE notes; SHOW TABLES", "[]"},
	} {
		rows, err := only(t, s, step.text)
		if got := fmt.Sprint(rows); err != nil || got != step.want {
			t.Errorf("%s: %s, %v, want %s", step.text, got, err, step.want)
		}
	}
}

// TestStoreNames creates and uses objects of hostile names.
func TestStoreNames(t *testing.T) {
	s := serving(t, http.NotFound)
	for _, name := range []string{
		"select", "a b", `say "hi"`, "it's", "a.b", "store.x", ".", "%s", "a;b", "--", "/*", "ä", "日本", "t?", ":a", "temp", "main", "NULL",
		"lakeql", "x_lakeql_y", strings.Repeat("long", 200), "a\nb", "databricks_workspace.postgres.postgres_projects", "1", "*",
	} {
		quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		text := "CREATE TABLE " + quoted + " (" + quoted + "); INSERT INTO " + quoted + " VALUES (7); UPDATE " + quoted + " SET " + quoted + " = " + quoted + " + 1; CREATE VIEW \"the view\" AS SELECT " + quoted + " FROM " + quoted + "; SELECT * FROM \"the view\""
		rows, err := only(t, s, text)
		if got := fmt.Sprint(rows); err != nil || got != "[[8]]" {
			t.Errorf("%q: %s, %v", name, got, err)
		}
		if _, err := only(t, s, `DROP VIEW IF EXISTS "the view"; DROP TABLE `+quoted); err != nil {
			t.Errorf("drop %q: %v", name, err)
		}
	}
	for _, name := range []string{"a\x00b", "SQLITE_x", "lakeql_objects", "LAKEQL_"} {
		for _, text := range []string{"CREATE TABLE \"%s\" (a)", "CREATE VIEW \"%s\" AS SELECT 1 AS a", "CREATE TABLE \"%s\" AS SELECT 1 AS a", "CREATE MATERIALIZED VIEW \"%s\" AS SELECT 1 AS a"} {
			if _, err := only(t, s, fmt.Sprintf(text, name)); err == nil {
				t.Errorf(text+" went through", name)
			}
		}
	}
	if _, err := only(t, s, "CREATE VIEW v (\"a\x00b\") AS SELECT 1"); err == nil {
		t.Error("a column with the character 0 went through")
	}
	if rows, err := only(t, s, "SHOW TABLES"); err != nil || len(rows) != 0 {
		t.Errorf("left: %v, %v", rows, err)
	}
}
