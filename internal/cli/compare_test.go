package cli_test

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// comparable answers with three users, of whom two are active, and with projects whose times are written in
// several ways. In the order of their times the projects are e, a, b, c, d; b and c have the same time.
func comparable(w http.ResponseWriter, call string) {
	switch {
	case strings.Contains(call, "/scim/v2/Users"):
		_, _ = io.WriteString(w, `{"Resources": [{"id": "1", "active": true}, {"id": "2", "active": false}, {"id": "3", "active": true}], "totalResults": 3, "startIndex": 1, "itemsPerPage": 3}`)
	default:
		_, _ = io.WriteString(w, `{"projects": [
			{"name": "a", "uid": "true", "create_time": "2026-01-02T03:04:05Z", "update_time": "2026-01-02T03:04:05Z"},
			{"name": "b", "uid": "on", "create_time": "2026-01-02T03:04:05.500Z"},
			{"name": "c", "uid": "1", "create_time": "2026-01-02T05:04:05.5+02:00"},
			{"name": "d", "uid": "x", "create_time": "2026-01-02T03:04:06Z"},
			{"name": "e", "uid": "y", "create_time": "2025-12-31T23:59:59.999999999Z"}]}`)
	}
}

// compared are queries over users (u) and projects (p), each with its one value. {u} and {p} stand for
// resources, tables and views alike.
var compared = [][2]string{
	// booleans
	{"SELECT group_concat(id) FROM {u} WHERE active = 'true'", "1,3"},
	{"SELECT group_concat(id) FROM {u} WHERE active != 'true'", "2"},
	{"SELECT group_concat(id) FROM {u} WHERE active <> 'FALSE'", "1,3"},
	{"SELECT group_concat(id) FROM {u} WHERE 't' = active", "1,3"},
	{"SELECT group_concat(id) FROM {u} WHERE active == 'yes'", "1,3"},
	{"SELECT group_concat(id) FROM {u} WHERE active = 'off'", "2"},
	{"SELECT group_concat(id) FROM {u} WHERE active = '1'", "1,3"},
	{"SELECT group_concat(id) FROM {u} WHERE active = 1", "1,3"},
	{"SELECT group_concat(id) FROM {u} WHERE active = true", "1,3"},
	{"SELECT group_concat(id) FROM {u} WHERE active", "1,3"},
	{"SELECT group_concat(id) FROM {u} WHERE NOT active", "2"},
	{"SELECT group_concat(id) FROM {u} WHERE active IS TRUE", "1,3"},
	{"SELECT group_concat(id) FROM {u} WHERE active IS NOT 'true'", "2"},
	{"SELECT group_concat(id) FROM {u} WHERE active IS NOT DISTINCT FROM 'true'", "1,3"},
	{"SELECT group_concat(id) FROM {u} WHERE active IN ('true')", "1,3"},
	{"SELECT group_concat(id) FROM {u} WHERE active NOT IN ('t', 'on')", "2"},
	{"SELECT group_concat(id) FROM {u} WHERE active IN ('t', 0)", "1,2,3"},
	{"SELECT group_concat(id) FROM {u} WHERE active IN (SELECT 'true' UNION SELECT 'x')", "1,3"},
	{"SELECT group_concat(id) FROM {u} WHERE active NOT IN (VALUES ('true'))", "2"},
	{"SELECT group_concat(id) FROM {u} WHERE active < 'true'", "2"},
	{"SELECT group_concat(id) FROM {u} WHERE active BETWEEN 'true' AND 'true'", "1,3"},
	{"SELECT group_concat(k) FROM (SELECT u.id || x.v AS k FROM {u} u JOIN (SELECT 'yes' AS v UNION SELECT 'no') x ON u.active = x.v ORDER BY k)", "1yes,2no,3yes"},
	{"SELECT group_concat(u.id) FROM {u} u JOIN {p} p ON p.uid = u.active WHERE p.uid = 'on'", "1,3"},
	{"SELECT group_concat(CASE active WHEN 'true' THEN 'y' WHEN 'false' THEN 'n' ELSE '?' END, '') FROM {u}", "yny"},
	{"SELECT group_concat(CASE WHEN active = 'true' THEN 'y' ELSE 'n' END, '') FROM {u}", "yny"},
	{"SELECT group_concat(iif(active = 'false', 'n', 'y'), '') FROM {u}", "yny"},
	{"SELECT sum(active = 'true') FROM {u}", "2"},
	{"SELECT count(*) FILTER (WHERE active = 'true') FROM {u}", "2"},
	{"SELECT group_concat(id) FROM {u} WHERE coalesce(active, 0) = 'true'", "1,3"},
	{"SELECT group_concat(id) FROM {u} WHERE (active) = ('true')", "1,3"},
	{"SELECT group_concat(id) FROM {u} WHERE active + 0 = 'true'", "1,3"},
	{"SELECT count(*) FROM (SELECT active FROM {u} GROUP BY active HAVING max(active) = 'true')", "1"},
	{"SELECT group_concat(id) FROM (SELECT id, active AS on_duty FROM {u}) WHERE on_duty = 'true'", "1,3"},
	{"WITH x AS MATERIALIZED (SELECT id, active AS on_duty FROM {u}) SELECT group_concat(id) FROM x WHERE on_duty = 'true'", "1,3"},
	{"WITH x(i, a) AS (SELECT id, active FROM {u}) SELECT group_concat(i) FROM x WHERE a = 'true'", "1,3"},
	{"WITH x AS (SELECT id, iif(active, 'true', 'no') AS active FROM {u}) SELECT group_concat(id) FROM x WHERE active = 'true'", "1,3"},
	{"SELECT count(DISTINCT active) FROM {u}", "2"},
	// a text that looks like a boolean stays one
	{"SELECT group_concat(name) FROM {p} WHERE uid = 'true'", "a"},
	{"SELECT group_concat(name) FROM {p} WHERE uid = '1'", "c"},
	{"SELECT group_concat(name) FROM {p} WHERE uid IN ('true', 'on')", "a,b"},
	{"SELECT group_concat(name) FROM {p} WHERE lower(uid) = 'true'", "a"},
	{"SELECT '{\"a\": \"true\"}' ->> '$.a' = 'true'", "1"},
	{"SELECT '{\"a\": true}' ->> '$.a' = 'true'", "1"},
	{"SELECT '{\"a\": true}' ->> '$.a' <> 'true'", "0"},
	// times
	{"SELECT group_concat(name) FROM {p} WHERE create_time = '2026-01-02 03:04:05'", "a"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time = '2026-01-02T04:04:05+01:00'", "a"},
	{"SELECT group_concat(name) FROM {p} WHERE '2026-01-02 03:04:05+00' = create_time", "a"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time = '2026-01-02 03:04:05.500'", "b,c"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time <> '2026-01-02 03:04:05.5'", "a,d,e"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time > '2026-01-02 03:04:05'", "b,c,d"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time >= datetime('2026-01-02 03:04:06')", "d"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time < datetime('2026-01-02 03:04:06')", "a,b,c,e"},
	{"SELECT group_concat(name) FROM {p} WHERE datetime('2026-01-02 03:04:06', '-1 second') < create_time", "b,c,d"},
	{"SELECT count(*) FROM {p} WHERE create_time < CURRENT_TIMESTAMP", "5"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time >= '2026-01-02'", "a,b,c,d"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time >= '2026'", "a,b,c,d"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time BETWEEN '2026-01-02 03:04:05' AND '2026-01-02 03:04:05.5'", "a,b,c"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time NOT BETWEEN datetime('2026-01-02 03:04:05') AND '2026-01-02 03:04:05.5'", "d,e"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time IN ('2026-01-02 03:04:05', '2026-01-02 03:04:06')", "a,d"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time IN (SELECT '2026-01-02 03:04:05')", "a"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time IS '2026-01-02 03:04:05'", "a"},
	{"SELECT group_concat(p.name || q.name) FROM {p} p JOIN {p} q ON p.create_time = q.create_time AND p.name < q.name", "bc"},
	{"SELECT group_concat(p.name) FROM {p} p JOIN (SELECT '2026-01-02 03:04:05' AS t) x ON x.t = p.create_time", "a"},
	{"SELECT group_concat(CASE create_time WHEN '2026-01-02 03:04:05' THEN 'y' ELSE 'n' END, '') FROM {p}", "ynnnn"},
	{"SELECT group_concat(name, '') FROM (SELECT name FROM {p} ORDER BY create_time, name)", "eabcd"},
	{"SELECT group_concat(name, '') FROM (SELECT name, create_time FROM {p} ORDER BY 2 DESC, name)", "dbcae"},
	{"SELECT group_concat(name, '') FROM (SELECT name, create_time AS t FROM {p} ORDER BY t, name)", "eabcd"},
	{"SELECT group_concat(n, '') FROM (SELECT count(*) AS n FROM {p} GROUP BY create_time ORDER BY min(create_time))", "1121"},
	{"SELECT count(DISTINCT create_time) FROM {p}", "4"},
	{"SELECT min(create_time) FROM {p}", "2025-12-31T23:59:59.999999999Z"},
	{"SELECT max(create_time) FROM {p}", "2026-01-02T03:04:06Z"},
	{"SELECT max(create_time) > '2026-01-02 03:04:05' FROM {p}", "1"},
	{"SELECT min(create_time) >= datetime('2026-01-01') FROM {p}", "0"},
	{"SELECT t < datetime('2026-01-02 03:04:07') FROM (SELECT max(create_time) AS t FROM {p})", "1"},
	{"WITH x AS MATERIALIZED (SELECT max(create_time) AS t FROM {p}) SELECT t = '2026-01-02 03:04:06' FROM x", "1"},
	{"SELECT group_concat(name) FROM {p} WHERE coalesce(update_time, create_time) = '2026-01-02 03:04:05'", "a"},
	{"SELECT group_concat(name) FROM {p} WHERE (create_time, uid) = ('2026-01-02 03:04:05', 'true')", "a"},
	{"SELECT group_concat(name) FROM {p} WHERE (create_time, uid) IN (SELECT '2026-01-02 03:04:05', 'true')", "a"},
	{"SELECT group_concat(id) FROM {u} WHERE (active, 'x') = (1, 'x')", "1,3"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time LIKE '2025-%'", "e"},
	{"SELECT group_concat(name) FROM {p} WHERE update_time IS NULL", "b,c,d,e"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time > ''", "a,b,c,d,e"},
	{"SELECT group_concat(name) FROM {p} WHERE create_time = '2026-01-02T03:04:05Z' COLLATE BINARY", "a"},
}

// TestComparisons compares booleans and times in every spelling, over resources, a table, a materialized
// view, and views over both. All return the same.
func TestComparisons(t *testing.T) {
	t.Parallel()
	const users, projects = "databricks_workspace.iam.users", "databricks_workspace.postgres.postgres_projects"
	a := newAPI(t, comparable)
	store := filepath.Join(t.TempDir(), "s.db")
	const columns = "name, uid, create_time, update_time"
	made := a.exec(t, "CREATE TABLE tu AS SELECT id, active FROM "+users+"; CREATE TABLE tp AS SELECT "+columns+" FROM "+projects+";"+
		"CREATE MATERIALIZED VIEW mu AS SELECT id, active FROM "+users+"; CREATE MATERIALIZED VIEW mp AS SELECT "+columns+" FROM "+projects+";"+
		"CREATE VIEW vu AS SELECT id, active FROM tu; CREATE VIEW vp AS SELECT "+columns+" FROM tp;"+
		"CREATE VIEW lu AS SELECT id, active FROM "+users+"; CREATE VIEW lp AS SELECT "+columns+" FROM "+projects, "--store", store)
	if made.status != 0 {
		t.Fatal(made.stderr)
	}
	for name, tables := range map[string][2]string{
		"resources": {users, projects}, "tables": {"tu", "tp"}, "materialized views": {"mu", "mp"}, "views of tables": {"vu", "vp"},
		"views of resources": {"lu", "lp"}, "tables by their schema": {"store.tu", "store.tp"}, "a table and a resource": {"tu", projects},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var text strings.Builder
			for _, c := range compared {
				text.WriteString(strings.NewReplacer("{u}", tables[0], "{p}", tables[1]).Replace(c[0]) + ";\n")
			}
			got := a.exec(t, text.String(), "--store", store, "-o", "text", "-H")
			if got.status != 0 {
				t.Fatal(got.stderr)
			}
			lines := strings.Split(strings.TrimSuffix(got.stdout, "\n"), "\n")
			if len(lines) != len(compared) {
				t.Fatalf("%d results of %d", len(lines), len(compared))
			}
			for i, c := range compared {
				if lines[i] != c[1] {
					t.Errorf("%s: %s, want %s", c[0], lines[i], c[1])
				}
			}
		})
	}
}

// TestChangesByComparisons selects the rows to change by the values of booleans and times.
func TestChangesByComparisons(t *testing.T) {
	t.Parallel()
	a := newAPI(t, comparable)
	got := a.exec(t, "CREATE TEMP TABLE u AS SELECT id, active FROM databricks_workspace.iam.users;"+
		"CREATE TEMP TABLE p AS SELECT name, create_time FROM databricks_workspace.postgres.postgres_projects;"+
		"UPDATE u SET active = 'false' WHERE active = 'true' AND id = '1';"+
		"SELECT group_concat(id) FROM u WHERE active; SELECT group_concat(id) FROM u WHERE NOT active;"+
		"DELETE FROM u WHERE active = 'no'; SELECT group_concat(id) FROM u;"+
		"DELETE FROM p WHERE create_time <= datetime('2026-01-02 03:04:05'); SELECT group_concat(name) FROM p;"+
		"INSERT INTO u SELECT name, 'true' FROM p WHERE create_time > '2026-01-02 03:04:05.5'; SELECT group_concat(id) FROM u WHERE active = 'true'",
		"-o", "text", "-H")
	if want := "3\n1,2\n3\nb,c,d\n3,d\n"; got.status != 0 || got.stdout != want {
		t.Errorf("status %d, got %q, want %q\n%s", got.status, got.stdout, want, got.stderr)
	}
}

// TestComparisonsRefused shows which comparisons are refused. The error points at the wrong word and has a
// correct one in its hint.
func TestComparisonsRefused(t *testing.T) {
	t.Parallel()
	const users, projects, jobs = "databricks_workspace.iam.users", "databricks_workspace.postgres.postgres_projects", "databricks_workspace.jobs.jobs"
	for name, test := range map[string]struct{ statement, message, hint string }{
		"no boolean":            {"SELECT 1 FROM " + users + "\nWHERE active = 'yess'", "line 2, column 16: active is a boolean, which this text is not", "write TRUE or FALSE without quotes, as in active = TRUE"},
		"no boolean in a list":  {"SELECT 1 FROM " + users + "\nWHERE active IN ('t', '')", "line 2, column 23: active is a boolean, which this text is not", "write TRUE or FALSE"},
		"a pattern":             {"SELECT 1 FROM " + users + "\nWHERE active LIKE 't%'", "line 2, column 7: active is a boolean, which LIKE does not match", "write TRUE or FALSE"},
		"a row with a boolean":  {"SELECT 1 FROM " + users + "\nWHERE (id, active) = ('1', 'true')", "line 2, column 12: active is a boolean, which cannot be compared with a text as a part of a row", "compare each value by itself"},
		"no time":               {"SELECT 1 FROM " + projects + "\nWHERE create_time > 'yesterday'", "line 2, column 21: create_time is a time, which this text is not", "datetime('now', '-1 day')"},
		"a number for a time":   {"SELECT 1 FROM " + projects + "\nWHERE create_time > 1767225600", "line 2, column 21: create_time is a time, and this is a number", "'unixepoch'"},
		"seconds for a time":    {"SELECT 1 FROM " + projects + "\nWHERE create_time > unixepoch('now') - 60", "line 2, column 21: create_time is a time, and this is a number", "'unixepoch'"},
		"a time for a number":   {"SELECT 1 FROM " + jobs + "\nWHERE created_time > datetime('now')", "line 2, column 22: created_time is a number, and this is a time", "unixepoch('now', '-1 day') * 1000"},
		"a date for a number":   {"SELECT 1 FROM " + jobs + "\nWHERE created_time > '2026-01-02'", "line 2, column 22: created_time is a number, and this is a time", "unixepoch("},
		"a view that would lie": {"CREATE VIEW v AS SELECT 1 FROM " + users + " WHERE active = 'si'", "column 78: active is a boolean", "write TRUE or FALSE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, comparable)
			got := a.exec(t, test.statement)
			if got.status != 2 || !strings.Contains(got.stderr, test.message) || !strings.Contains(got.stderr, "hint: ") || !strings.Contains(got.stderr, test.hint) || a.sent() != "" {
				t.Errorf("status %d, sent %q\n%s", got.status, a.sent(), got.stderr)
			}
		})
	}
}

// TestComparisonsInPipelines compares in the tables of a pipeline, their history, and the tables of a
// time.
func TestComparisonsInPipelines(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
	s := sqliteStore(t)
	mustRun(t, env, folder(t, map[string]string{
		"pipeline.yaml": "name: p\nworkspaces: [dbc-1]\n",
		"projects.sql":  "-- table: projects\n-- key: name\nSELECT name, create_time FROM databricks_workspace.postgres.vw_projects",
		"users.sql":     "-- table: users\n-- key: id\nSELECT id, active FROM databricks_workspace.iam.users",
	}), s)
	const ask = "SELECT count(*) > 0 FROM "
	var text strings.Builder
	conditions := []string{
		"projects WHERE observed_at > datetime('now', '-1 hour') AND observed_at < datetime('now', '+1 hour')",
		"projects WHERE stale = 'false' AND stale <> 'true' AND NOT stale",
		"projects_history WHERE changed_at BETWEEN datetime('now', '-1 hour') AND datetime('now', '+1 hour')",
		"projects WHERE create_time = (SELECT replace(max(create_time), 'T', ' ') FROM projects)",
		"projects p JOIN databricks_workspace.postgres.postgres_projects q ON q.deployment_name = p.deployment_name AND p.create_time = q.create_time",
		"users WHERE active = 'true'",
		"users_at(strftime('%Y-%m-%d %H:%M:%f', 'now')) WHERE active = 't'",
		"projects_at(strftime('%Y-%m-%d %H:%M:%f', 'now')) WHERE create_time < datetime('now')",
	}
	for _, c := range conditions {
		text.WriteString(ask + c + ";\n")
	}
	got := run{args: []string{"exec", "--store", s.name, "-o", "text", "-H"}, stdin: text.String(), env: env}.do(t)
	if want := strings.Repeat("1\n", len(conditions)); got.status != 0 || got.stdout != want {
		t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	got = run{args: []string{"exec", "--store", s.name, "SELECT 1 FROM projects WHERE observed_at > 1767225600"}, env: env}.do(t)
	if got.status != 2 || !strings.Contains(got.stderr, "observed_at is a time, and this is a number") {
		t.Errorf("status %d\n%s", got.status, got.stderr)
	}
}
