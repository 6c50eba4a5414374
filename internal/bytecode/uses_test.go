package bytecode_test

import (
	"testing"
)

// TestUses marks the column value of json_each, and shows which operations are uses of it.
func TestUses(t *testing.T) {
	const each = "json_each('[[1], [2]]')"
	tests := map[string]struct {
		sql  string
		used bool
	}{
		"selected":                          {"SELECT value FROM " + each, false},
		"selected with others":              {"SELECT key, value, upper(key) FROM " + each + " WHERE key > 0 LIMIT 5", false},
		"sorted by another":                 {"SELECT value FROM " + each + " ORDER BY key DESC", false},
		"sorted by another and cut":         {"SELECT value FROM " + each + " ORDER BY key DESC LIMIT 2", false},
		"grouped by another":                {"SELECT key, value, count(*) FROM " + each + " GROUP BY key", false},
		"grouped by an expression":          {"SELECT upper(key), value FROM " + each + " GROUP BY upper(key) HAVING count(*) > 1 ORDER BY 1", false},
		"joined on another":                 {"SELECT a.value, b.value FROM " + each + " a JOIN " + each + " b ON a.key = b.key", false},
		"an outer join on another":          {"SELECT a.value, b.value FROM " + each + " a LEFT JOIN " + each + " b ON a.key = b.key", false},
		"joined with a table":               {"SELECT value, list FROM texts JOIN " + each + " ON texts.id = key", false},
		"in a subquery":                     {"SELECT value FROM (SELECT key, value FROM " + each + ") WHERE key = 1", false},
		"in a subquery that is made first":  {"WITH c AS MATERIALIZED (SELECT key, value FROM " + each + ") SELECT x.value FROM c x JOIN c y ON x.key = y.key", false},
		"in a sorted subquery":              {"SELECT v FROM (SELECT key AS k, value AS v FROM " + each + " ORDER BY key LIMIT 10) WHERE k > 0 ORDER BY k", false},
		"in a scalar subquery":              {"SELECT id, (SELECT value FROM " + each + " WHERE key = id) FROM texts", false},
		"in all of a union":                 {"SELECT value FROM " + each + " UNION ALL SELECT 1", false},
		"in all of a sorted union":          {"SELECT key, value FROM " + each + " UNION ALL SELECT id, list FROM texts ORDER BY 1", false},
		"NULL or not":                       {"SELECT value IS NULL, value IS NOT NULL, count(value) FROM " + each + " WHERE value IS NOT NULL", false},
		"a default":                         {"SELECT coalesce(value, 'none'), ifnull(value, 'none') FROM " + each, false},
		"an alternative":                    {"SELECT CASE WHEN key = 1 THEN value ELSE 'x' END FROM " + each, false},
		"kept in a table":                   {"INSERT INTO texts SELECT key, value FROM " + each, false},
		"a window over another":             {"SELECT value, row_number() OVER (PARTITION BY key ORDER BY key) FROM " + each, false},
		"grouped where another is distinct": {"SELECT count(DISTINCT key), value FROM " + each, false},

		"compared":                       {"SELECT key FROM " + each + " WHERE value = 1", true},
		"compared with an expression":    {"SELECT key FROM " + each + " WHERE value || '' = 'x'", true},
		"compared in the result":         {"SELECT value = 1 FROM " + each, true},
		"in a list":                      {"SELECT key FROM " + each + " WHERE value IN (1, 2, 3)", true},
		"in a subquery's list":           {"SELECT key FROM " + each + " WHERE value IN (SELECT id FROM texts)", true},
		"the list of others":             {"SELECT id FROM texts WHERE id IN (SELECT value FROM " + each + ")", true},
		"matched":                        {"SELECT key FROM " + each + " WHERE value LIKE '%1'", true},
		"true":                           {"SELECT key FROM " + each + " WHERE value", true},
		"between":                        {"SELECT key FROM " + each + " WHERE value BETWEEN 1 AND 2", true},
		"joined":                         {"SELECT a.key FROM " + each + " a JOIN " + each + " b ON a.value = b.value", true},
		"joined by USING":                {"SELECT a.key FROM " + each + " a JOIN " + each + " b USING (value)", true},
		"feeding a call":                 {"SELECT b.key FROM " + each + " a, json_each(a.value) b", true},
		"sorted by":                      {"SELECT key FROM " + each + " ORDER BY value", true},
		"sorted by in a subquery":        {"SELECT k FROM (SELECT key AS k, value AS v FROM " + each + ") ORDER BY v", true},
		"sorted by second":               {"SELECT key FROM " + each + " ORDER BY key, value", true},
		"grouped":                        {"SELECT count(*) FROM " + each + " GROUP BY value", true},
		"distinct":                       {"SELECT DISTINCT value FROM " + each, true},
		"distinct with others":           {"SELECT DISTINCT key, value FROM " + each, true},
		"counted as distinct":            {"SELECT count(DISTINCT value) FROM " + each, true},
		"in a union":                     {"SELECT value FROM " + each + " UNION SELECT 1", true},
		"in an intersection":             {"SELECT value FROM " + each + " INTERSECT SELECT 1", true},
		"in a difference":                {"SELECT 1 EXCEPT SELECT value FROM " + each, true},
		"summed":                         {"SELECT sum(length(value)) FROM " + each, true},
		"the greatest":                   {"SELECT max(value) FROM " + each, true},
		"the greatest of a group":        {"SELECT key, max(value) FROM " + each + " GROUP BY key", true},
		"joined to a text":               {"SELECT 'x' || value FROM " + each, true},
		"in a function":                  {"SELECT substr(value, 1, 2) FROM " + each, true},
		"a type":                         {"SELECT CAST(value AS INTEGER) FROM " + each, true},
		"in arithmetic":                  {"SELECT value + 1, -value, value & 1 FROM " + each, true},
		"taken apart":                    {"SELECT value ->> '$[0]' FROM " + each, true},
		"gathered":                       {"SELECT group_concat(value) FROM " + each, true},
		"in a subquery that is compared": {"WITH c AS MATERIALIZED (SELECT key AS k, value AS v FROM " + each + ") SELECT x.k FROM c x JOIN c y ON x.v = y.v", true},
		"in a CTE that is sorted":        {"WITH c AS MATERIALIZED (SELECT key AS k, value AS v FROM " + each + ") SELECT k FROM c ORDER BY v", true},
		"in a sorted union's key":        {"SELECT key, value FROM " + each + " UNION ALL SELECT id, list FROM texts ORDER BY 2", true},
		"a scalar subquery compared":     {"SELECT id FROM texts WHERE list = (SELECT value FROM " + each + ")", true},
		"a window":                       {"SELECT row_number() OVER (ORDER BY value) FROM " + each, true},
		"partitions":                     {"SELECT sum(key) OVER (PARTITION BY value) FROM " + each, true},
		"a default that is compared":     {"SELECT coalesce(value, 'none') = 'x' FROM " + each, true},
		"an alternative's condition":     {"SELECT CASE value WHEN 1 THEN 2 END FROM " + each, true},
		"nothing the same":               {"SELECT nullif(value, 1) FROM " + each, true},
		"the same, NULL included":        {"SELECT key FROM " + each + " WHERE value IS 1", true},
		"in a row value":                 {"SELECT key FROM " + each + " WHERE (key, value) = (1, 2)", true},
		"recursion that is distinct":     {"WITH RECURSIVE r(v) AS (SELECT value FROM " + each + " UNION SELECT v FROM r) SELECT v FROM r", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := read(t, test.sql)
			ours := map[int]bool{}
			for _, f := range p.Filters() {
				ours[f.Cursor] = true
			}
			used := p.Uses(func(cursor, column int) int {
				if ours[cursor] && column == 1 {
					return 7
				}
				return 0
			})
			if (len(used) > 0) != test.used {
				t.Errorf("%s\nuses %v", test.sql, used)
			}
		})
	}
}
