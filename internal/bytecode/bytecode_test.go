package bytecode_test

import (
	"slices"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/bytecode"
)

// json_each is a virtual table of every SQLite. Its first argument is the JSON text to read.

// read compiles a statement over a database with one table.
func read(t *testing.T, sql string) *bytecode.Program {
	t.Helper()
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // there is nothing in it
	if err := db.Exec("CREATE TABLE texts (id INTEGER, list TEXT)"); err != nil {
		t.Fatal(err)
	}
	p, err := bytecode.Read(db, sql)
	if err != nil {
		t.Fatal(err)
	}
	if unknown := p.Unknown(); len(unknown) > 0 {
		t.Errorf("unknown opcodes: %v", unknown)
	}
	return p
}

// TestFlow shows what a program reveals about its reads.
func TestFlow(t *testing.T) {
	tests := map[string]struct {
		sql                     string
		filters                 int
		repeats, stops, limited bool
	}{
		"no table":                    {"SELECT 1", 0, false, false, false},
		"an ordinary table":           {"SELECT list FROM texts", 0, false, false, false},
		"one read":                    {"SELECT value FROM json_each('[1]')", 1, false, false, false},
		"one read for each row":       {"SELECT value FROM texts, json_each(list)", 1, true, false, false},
		"a join":                      {"SELECT 1 FROM json_each('[[1]]') a, json_each(a.value) b", 2, true, false, false},
		"a read that stops":           {"SELECT value FROM json_each('[1]') LIMIT 1", 1, false, true, false},
		"a read that is sorted first": {"SELECT value FROM json_each('[1]') ORDER BY value", 1, false, false, false},
		"reads that may be left out":  {"SELECT 1 FROM json_each('[[1]]') a, json_each(a.value) b LIMIT 1", 2, true, true, true},
		"a count":                     {"SELECT count(*) FROM json_each('[1]') LIMIT 1", 1, false, false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			flow := read(t, test.sql).Flow()
			if flow.Filters != test.filters || flow.Repeats != test.repeats || flow.Stops != test.stops || flow.Limited != test.limited {
				t.Errorf("%+v, want %+v", flow, test)
			}
		})
	}
}

// TestDecides shows which places the rows of a place decide.
func TestDecides(t *testing.T) {
	tests := map[string]struct {
		sql  string
		want int // places that the first one decides
	}{
		"what it feeds":                  {"SELECT 1 FROM json_each('[[1]]') a, json_each(a.value) b", 1},
		"what is only done for its rows": {"SELECT 1 FROM json_each('[]') a, json_tree('[1]') b WHERE a.value = b.value", 1},
		"what comes after it anyway":     {"SELECT value FROM json_each('[]') UNION ALL SELECT value FROM json_tree('[1]')", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := read(t, test.sql)
			first := p.Filters()[0].Choice
			decided := p.Flow().Decides[first]
			// Two places of one choice cannot be told apart, so that a place may decide itself.
			if len(decided) != test.want {
				t.Errorf("it decides %v, want %d places", decided, test.want)
			}
		})
	}
}

// TestCompares shows which columns a condition looks at.
func TestCompares(t *testing.T) {
	const key, value = 0, 1 // columns of json_each
	tests := map[string]struct {
		sql    string
		column int
		want   bool
	}{
		"a condition":                    {"SELECT key FROM json_each('[1]') WHERE value = 1", value, true},
		"a condition over an expression": {"SELECT key FROM json_each('[1]') WHERE value || 'x' = '1x'", value, true},
		"a condition over a function":    {"SELECT key FROM json_each('[1]') WHERE abs(value) < 1", value, true},
		"what is returned":               {"SELECT value FROM json_each('[1]') WHERE key = 0", value, false},
		"what is returned distinct":      {"SELECT DISTINCT value FROM json_each('[1]')", value, false},
		"what is sorted":                 {"SELECT key FROM json_each('[1]') ORDER BY value", value, false},
		"another column":                 {"SELECT key FROM json_each('[1]') WHERE value = 1", key, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := read(t, test.sql)
			if got := p.Compares(p.Filters()[0].Cursor, test.column); got != test.want {
				t.Errorf("it compares: %t, want %t", got, test.want)
			}
		})
	}
}

// TestArgument shows where the argument of the last place comes from.
func TestArgument(t *testing.T) {
	tests := map[string]struct {
		sql   string
		text  string
		count int
		feeds []string
	}{
		"a text":                {"SELECT 1 FROM json_each('[1]') b", "'[1]'", 1, nil},
		"a number":              {"SELECT 1 FROM json_each(7) b", "7", 1, nil},
		"NULL":                  {"SELECT 1 FROM json_each(NULL) b", "NULL", 1, nil},
		"a placeholder":         {"SELECT 1 FROM json_each(:list) b", ":list", 1, nil},
		"a column":              {"SELECT 1 FROM json_each('[[1]]') a, json_each(a.value) b", "a.value", 0, []string{"a"}},
		"an expression":         {"SELECT 1 FROM json_each('[[1]]') a, json_each(a.value || ']') b", "an expression over a", 0, []string{"a"}},
		"a function":            {"SELECT 1 FROM json_each('[[1]]') a, json_each(lower(a.value)) b", "an expression over a", 0, []string{"a"}},
		"a function that keeps": {"SELECT 1 FROM json_each('[[1]]') a, json_each(upper(a.value)) b", "a.value", 0, []string{"a"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := read(t, test.sql)
			filters := p.Filters()
			trace := &bytecode.Tracer{
				Program:     p,
				Names:       map[int]string{filters[0].Cursor: "a"},
				Columns:     map[int][]string{filters[0].Cursor: {"key", "value"}},
				Placeholder: func(int) string { return ":list" },
				Same:        "upper",
			}
			got := trace.Argument(filters[len(filters)-1], 0)
			if got.Text != test.text || got.Count != test.count || !slices.Equal(got.Feeds, test.feeds) {
				t.Errorf("%+v, want %+v", got, test)
			}
		})
	}
}

// TestUnknown shows that Unknown reports an opcode that the package does not know.
func TestUnknown(t *testing.T) {
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // there is nothing in it
	p, err := bytecode.Read(db, "VACUUM")
	if err != nil {
		t.Fatal(err)
	}
	if unknown := p.Unknown(); !slices.Contains(unknown, "Vacuum") {
		t.Errorf("unknown are %v", unknown)
	}
}
