package statement

import "testing"

// TestDottedColumns quotes columns with dots in their names, unless their first part is a table's.
func TestDottedColumns(t *testing.T) {
	known := func(name string) bool { return name == "filter_by.state" || name == "tags.name.value" }
	for text, want := range map[string]string{
		"SELECT a FROM t WHERE filter_by.state = 1":                                          `SELECT a FROM t WHERE "filter_by.state" = 1`,
		"SELECT a FROM t x WHERE x.filter_by.state = 1":                                      `SELECT a FROM t x WHERE x."filter_by.state" = 1`,
		"SELECT a FROM t AS x, u WHERE x.filter_by.state = u.filter_by.state":                `SELECT a FROM t AS x, u WHERE x."filter_by.state" = u."filter_by.state"`,
		"SELECT filter_by.state FROM filter_by":                                              "SELECT filter_by.state FROM filter_by",
		"SELECT filter_by.state FROM t AS filter_by":                                         "SELECT filter_by.state FROM t AS filter_by",
		"SELECT filter_by.state FROM t filter_by":                                            "SELECT filter_by.state FROM t filter_by",
		"SELECT filter_by.state FROM (SELECT 1 AS state) filter_by":                          "SELECT filter_by.state FROM (SELECT 1 AS state) filter_by",
		"WITH filter_by AS (SELECT 1 AS state) SELECT filter_by.state FROM t":                "WITH filter_by AS (SELECT 1 AS state) SELECT filter_by.state FROM t",
		"SELECT tags.name.value, tags.name FROM t WHERE filter_by = 1 AND 'filter_by.state'": `SELECT "tags.name.value", tags.name FROM t WHERE filter_by = 1 AND 'filter_by.state'`,
		`SELECT "filter_by"."state" FROM t`:                                                  `SELECT "filter_by.state" FROM t`,
		"SELECT a FROM t WHERE (filter_by.state":                                             "SELECT a FROM t WHERE (filter_by.state",
	} {
		q := &Query{Text: text, source: text}
		if got := q.Edit(q.DottedColumns(known)).Text; got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}
