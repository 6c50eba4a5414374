package differential

import (
	"errors"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// TestCases holds queries against plain tables that were answered wrongly once, or would be easily.
func TestCases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.sides(t)
	for name, sql := range map[string]string{
		"a row by two ways of an OR":    "SELECT name FROM {branches} b WHERE b.parent = 'projects/p' OR b.name = 'projects/p/branches/b'",
		"a list twice in an OR":         "SELECT name FROM {branches} b WHERE b.parent = 'projects/p' AND b.uid > '' OR b.parent = 'projects/p' AND b.name > ''",
		"an OR across tables":           "SELECT p.name, b.name FROM {projects} p, {branches} b WHERE b.parent = p.name AND p.name = 'projects/p' OR b.name = 'projects/orders/branches/production' AND p.name = b.parent",
		"a name and a part that differ": "SELECT name FROM {branches} b WHERE b.project_id = 'orders' AND b.parent = 'projects/p'",
		"a part of a name":              "SELECT b.project_id, b.name FROM {branches} b WHERE b.parent = 'projects/p'",
		"a name and a part, joined":     "SELECT p.name, b.name FROM {projects} p JOIN {branches} b ON b.parent = p.name AND b.project_id = 'orders'",
		"a parameter of another kind":   "SELECT name FROM {branches} b WHERE b.project_id = CAST('p' AS BLOB)",
		"a parameter compared twice":    "SELECT b.project_id FROM {branches} b WHERE b.project_id IN ('p', 'orders') AND b.project_id LIKE 'o%'",
		"a parameter in a range":        "SELECT b.project_id FROM {branches} b WHERE b.project_id IN ('p', 'orders', 'inventory') AND b.project_id BETWEEN 'o' AND 'p'",
		"another collation":             "SELECT name FROM {projects} p WHERE p.name = 'PROJECTS/P' COLLATE NOCASE",
		"an IN list and a cycle":        "SELECT a.name, b.name FROM {branches} a JOIN {branches} b USING (parent) WHERE a.project_id IN ('orders', 'p')",
		"the rows nothing joins":        "SELECT p.name, q.name FROM {projects} p RIGHT JOIN {projects} q ON p.name = q.name AND p.name > 'projects/p'",
		"the rows of both sides":        "SELECT p.name, q.name FROM {projects} p FULL JOIN {projects} q ON p.name = q.name AND p.name > 'projects/p'",
		"a natural join":                "SELECT * FROM (SELECT name AS parent, uid FROM {projects}) NATURAL JOIN (SELECT parent, name FROM {branches} WHERE project_id IN ('p', 'orders'))",
		"workspaces of an IN list":      "SELECT p.deployment_name, b.name FROM {projects_everywhere} p, {branches_everywhere} b WHERE b.deployment_name = p.deployment_name AND b.parent = 'projects/p' AND p.deployment_name IN ('dbc-1', 'dbc-2') AND p.name LIKE '%/orders'",
		"the same in two workspaces":    "SELECT p.name FROM {projects_everywhere} p JOIN {projects_everywhere} q ON p.name = q.name WHERE p.deployment_name = 'dbc-1' AND q.deployment_name IN ('dbc-2')",
		"the same in any workspaces":    "SELECT p.deployment_name, q.deployment_name, p.name FROM {projects_everywhere} p JOIN {projects_everywhere} q ON p.name = q.name WHERE p.deployment_name IN ('dbc-1', 'dbc-2') AND q.deployment_name IN ('dbc-1', 'dbc-2')",
		"workspaces of a table":         "WITH v(w) AS (VALUES ('dbc-1'), ('dbc-2')) SELECT v.w, count(*) FROM v LEFT JOIN {projects_everywhere} p ON p.deployment_name = v.w GROUP BY 1",
		"the workspace, once":           "SELECT DISTINCT p.deployment_name FROM {projects} p",
	} {
		t.Run(name, func(t *testing.T) {
			rows, problem := s.check(t, query{sql: sql}, s.one, s.many)
			if problem != "" {
				t.Errorf("%s\n%s", w.onAPI(sql), problem)
			}
			if empty := strings.Contains(name, "differ") || strings.Contains(name, "another kind"); empty != (rows == 0) {
				t.Errorf("%d rows, which shows nothing", rows)
			}
		})
	}
}

// TestRefused shows that a query with unknown parameters is refused, and that the error names them.
func TestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.sides(t)
	for _, r := range append(w.resources[1:], w.views[1:]...) {
		for name, where := range map[string]string{
			"nothing":            "",
			"another column":     "WHERE x.name <> 'a'",
			"one alternative":    "WHERE x.parent = 'projects/p' OR x.create_time > '2025'",
			"what is not":        "WHERE NOT x.parent = 'projects/p'",
			"a range":            "WHERE x.parent > 'projects/p'",
			"a pattern":          "WHERE x.parent LIKE 'projects/p'",
			"a range of a part":  "WHERE x.project_id >= 'p'",
			"a pattern of one":   "WHERE x.project_id LIKE 'p'",
			"something":          "WHERE x.project_id IS NOT NULL",
			"a function":         "WHERE lower(x.parent) = 'projects/p'",
			"a join both ways":   "JOIN {" + r.name + "} y ON y.parent = x.parent",
			"a join without":     "JOIN {projects} y ON y.uid = x.name || ''",
			"an outer join":      "LEFT JOIN {projects} y ON y.name = x.parent",
			"the wrong order":    "CROSS JOIN {projects} y WHERE x.parent = y.name",
			"NOT IN":             "WHERE x.parent NOT IN ('projects/p')",
			"a part of the name": "WHERE substr(x.name, 10, 1) = 'p'",
		} {
			t.Run(r.name+" by "+name, func(t *testing.T) {
				sql := w.onAPI("SELECT count(*) FROM {" + r.name + "} x " + where)
				rows, err := rowsOf(t.Context(), s.many, sql)
				e, ok := errors.AsType[*provider.Error](err)
				switch {
				case !ok:
					t.Errorf("%s\ngives %v, %v", sql, rows, err)
				case e.Code != provider.Usage || !strings.Contains(e.Message, "project_id") && !strings.Contains(e.Message, "cannot be joined"):
					t.Errorf("%s\n%v", sql, err)
				}
			})
		}
	}
	for name, sql := range map[string]string{
		"workspaces in the wrong order": "SELECT count(*) FROM {projects} p CROSS JOIN {projects} q WHERE p.deployment_name = q.deployment_name AND q.deployment_name IN ('dbc-1', 'dbc-2')",
		"workspaces behind a view":      "SELECT DISTINCT p.deployment_name, d.parent FROM {projects} p LEFT JOIN {vw_databases} d ON d.parent = 'projects/p/branches/b' AND d.deployment_name = p.deployment_name WHERE p.deployment_name IN ('dbc-1', 'dbc-2')",
		"workspaces behind an ON":       "SELECT count(d.name) FROM {projects} p LEFT JOIN {databases} d ON d.parent = 'projects/p/branches/b' WHERE p.deployment_name = 'dbc-1' AND d.deployment_name = p.deployment_name GROUP BY p.name",
		"a workspace in a pattern":      "SELECT count(*) FROM {projects} p WHERE p.deployment_name LIKE 'dbc-%'",
		"a workspace behind a limit":    "SELECT count(*) FROM (SELECT * , deployment_name FROM {projects} LIMIT 3) p WHERE p.deployment_name = 'dbc-1'",
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := rowsOf(t.Context(), s.many, w.onAPI(sql))
			e, ok := errors.AsType[*provider.Error](err)
			if !ok || e.Code != provider.Usage || !strings.Contains(e.Message, "deployment_name") {
				t.Errorf("%s\ngives %v, %v", w.onAPI(sql), rows, err)
			}
		})
	}
}
