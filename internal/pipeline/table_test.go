package pipeline

import (
	"reflect"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// TestParseTable reads SQL files.
func TestParseTable(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       Table
	}{
		{
			"all that can be said", "-- table: branches\n-- description: The branches: all.\n-- key: project, name\n-- types: a integer, b json\nSELECT 1",
			Table{Name: "branches", Description: "The branches: all.", Key: []string{"project", "name"}, Types: map[string]Type{"a": Integer, "b": JSON}, Query: "SELECT 1", Lines: 4},
		},
		{"no more than it needs", "--table:t\n--key:a\nSELECT 1", Table{Name: "t", Key: []string{"a"}, Types: map[string]Type{}, Query: "SELECT 1", Lines: 2}},
		{"lines of Windows", "-- table: t\r\n-- key: a\r\n\r\nSELECT 1,\r\n2\r\n", Table{Name: "t", Key: []string{"a"}, Types: map[string]Type{}, Query: "SELECT 1,\r\n2", Lines: 3}},
		{"a mark of the byte order", "\ufeff-- table: t\n-- key: a\nSELECT 1", Table{Name: "t", Key: []string{"a"}, Types: map[string]Type{}, Query: "SELECT 1", Lines: 2}},
		{
			"types in several lines", "-- table: t\n-- key: a\n-- types: a text\n-- types: b boolean,c number\nSELECT 1",
			Table{Name: "t", Key: []string{"a"}, Types: map[string]Type{"a": Text, "b": Boolean, "c": Number}, Query: "SELECT 1", Lines: 4},
		},
		{
			"remarks, some with a colon, some alike", "-- All of it.\n-- Note well: one.\n-- table: t\n--\n-- Note well: two.\n-- : \n-- :\n-- key: a\nSELECT 1",
			Table{Name: "t", Key: []string{"a"}, Types: map[string]Type{}, Query: "SELECT 1", Lines: 8},
		},
		{"a query that is set in", "-- table: t\n-- key: a\n\n \t\n   SELECT 1\n\n", Table{Name: "t", Key: []string{"a"}, Types: map[string]Type{}, Query: "   SELECT 1", Lines: 4}},
		{"remarks of the query stay with it", "-- table: t\n-- key: a\n\n-- key: b\nSELECT 1 -- types: x", Table{Name: "t", Key: []string{"a"}, Types: map[string]Type{}, Query: "-- key: b\nSELECT 1 -- types: x", Lines: 3}},
		{"the longest name", "-- table: " + strings.Repeat("t", 41) + "\n-- key: a\nSELECT 1", Table{Name: strings.Repeat("t", 41), Key: []string{"a"}, Types: map[string]Type{}, Query: "SELECT 1", Lines: 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := new(Definition).parseTable(t.Context(), test.text)
			if err != nil || !reflect.DeepEqual(*got, test.want) {
				t.Errorf("%#v, %v\nwant %#v", got, err, test.want)
			}
		})
	}
}

// TestParseTableRefuses reads faulty SQL files. Each error names the line.
func TestParseTableRefuses(t *testing.T) {
	const noName, noKey = "the comment at its top does not name the table", "the comment at its top does not say by which columns the rows are told apart: -- key: name"
	badName := func(name string) string {
		return name + " cannot be the name of a table: a small letter, then up to 40 small letters, digits and _; not lakeql_…, river_…, sqlite_…, pg_…, pipeline_status…, …_history or …_at"
	}
	for _, test := range []struct{ name, text, want string }{
		{"an empty file", "", noName},
		{"a query alone", "SELECT 1", noName},
		{"a comment behind a blank line", "\n-- table: t\n-- key: a\nSELECT 1", noName},
		{"a comment of the other kind", "/* table: t */\nSELECT 1", noName},
		{"no table", "-- key: a\nSELECT 1", noName},
		{"no key", "-- table: t\nSELECT 1", noKey},
		{"no query", "-- table: t\n-- key: a", "it has no query"},
		{"blanks for a query", "-- table: t\n-- key: a\n \r\n\t", "it has no query"},
		{"an empty name", "-- table:\n-- key: a\nSELECT 1", "line 1, column 1: " + badName(`""`)},
		{"a name with capitals", "-- table: Branches", "line 1, column 1: " + badName(`"Branches"`)},
		{"a hostile name", "-- remark\n-- table: a\"; DROP TABLE b; --", "line 2, column 1: " + badName(`"a\"; DROP TABLE b; --"`)},
		{"a long name", "-- table: " + strings.Repeat("t", 42), "line 1, column 1: " + badName(`"`+strings.Repeat("t", 42)+`"`)},
		{"a name of the store's own tables", "-- table: lakeql_run", "line 1, column 1: " + badName(`"lakeql_run"`)},
		{"a name of the queue's", "-- table: river_job", "line 1, column 1: " + badName(`"river_job"`)},
		{"a name of the database's", "-- table: sqlite_schema", "line 1, column 1: " + badName(`"sqlite_schema"`)},
		{"a name of another table's history", "-- table: branches_history", "line 1, column 1: " + badName(`"branches_history"`)},
		{"a name of another table's function", "-- table: branches_at", "line 1, column 1: " + badName(`"branches_at"`)},
		{"a name said twice", "-- table: t\n-- table: t", "line 2, column 1: table is said twice"},
		{"a key said twice", "-- key: a\n-- key: b", "line 2, column 1: key is said twice"},
		{"a word that is not known", "-- table: t\n-- keys: a", `line 2, column 1: "keys" is not known here: table, description, key and types are`},
		{"a word of another case", "-- Table: t", `line 1, column 1: "Table" is not known here: table, description, key and types are`},
		{"a hostile word", "-- a\x1b[2J: t", `line 1, column 1: "a\x1b[2J" is not known here: table, description, key and types are`},
		{"an empty key", "-- key:", `line 1, column 1: the key "" has an empty column, or one twice`},
		{"a key with a gap", "-- key: a,,b", `line 1, column 1: the key "a,,b" has an empty column, or one twice`},
		{"a key with a column twice", "-- key: a, b, a", `line 1, column 1: the key "a, b, a" has an empty column, or one twice`},
		{"a type without a column", "-- types: integer", `line 1, column 1: types: "integer" is not a column and its type, which is one of text, integer, number, boolean, timestamp, json`},
		{"a type that is not known", "-- types: a text, b int", `line 1, column 1: types: "b int" is not a column and its type, which is one of text, integer, number, boolean, timestamp, json`},
		{"no types", "-- types:", `line 1, column 1: types: "" is not a column and its type, which is one of text, integer, number, boolean, timestamp, json`},
		{"a type said twice", "-- types: a text\n-- types: a json", "line 2, column 1: types: a is said twice"},
		{"a variable that is not there", "-- table: t\n-- key: a\n\n  SELECT\n    {{ .days }}", `line 5, column 8: fill in the variables: <.days>: map has no entry for key "days"`},
		{"a function that is not there", "-- table: t\n-- key: a\n\n  SELECT\n {{ days }}", `line 5, column 1: fill in the variables: function "days" not defined`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := (&Definition{Variables: map[string]string{"other": "1"}}).parseTable(t.Context(), test.text)
			if err == nil || err.Error() != test.want || provider.CodeOf(err) != provider.Usage {
				t.Errorf("%+v\n%v\nwant\n%s", got, err, test.want)
			}
		})
	}
}

// described are the columns of a query, as name:type, or name alone where nothing says the type.
func described(t *testing.T, text string) []provider.Column {
	t.Helper()
	var all []provider.Column
	for word := range strings.FieldsSeq(text) {
		name, typ, _ := strings.Cut(word, ":")
		c := provider.Column{Name: name, Type: typ}
		if typ == "time" {
			c.Type, c.Format = "string", "date-time"
		}
		all = append(all, c)
	}
	return all
}

// TestResolve shows which columns a table gets.
func TestResolve(t *testing.T) {
	table := Table{Key: []string{"id"}, Types: map[string]Type{"sum": Integer, "size": Number}}
	err := table.resolve(described(t, "id:string Deployment_Name:string at:time n:integer x:number b:boolean o:object l:array sum size:string"))
	want := []Column{{"id", Text}, {"at", Timestamp}, {"n", Integer}, {"x", Number}, {"b", Boolean}, {"o", JSON}, {"l", JSON}, {"sum", Integer}, {"size", Number}}
	if err != nil || !reflect.DeepEqual(table.Columns, want) {
		t.Errorf("%v, %v; want %v", table.Columns, err, want)
	}
	if got := table.keyColumns(); !reflect.DeepEqual(got, []int{0}) {
		t.Errorf("the key is in %v", got)
	}
	if err := table.resolve(described(t, "id:integer sum size")); err != nil || len(table.Columns) != 3 || table.Columns[0].Type != Integer {
		t.Errorf("a second time: %v, %v", table.Columns, err)
	}
}

// TestResolveRefuses shows which queries make no table.
func TestResolveRefuses(t *testing.T) {
	for _, test := range []struct {
		name, columns string
		key           []string
		types         map[string]Type
		want          string
	}{
		{"no columns", "deployment_name:string", []string{"id"}, nil, `the key names the column "id", which the query does not give`},
		{"the workspace in the key", "deployment_name:string id:string", []string{"deployment_name"}, nil, `the key names the column "deployment_name", which the query does not give`},
		{"a key of another case", "ID:string", []string{"id"}, nil, `the key names the column "id", which the query does not give`},
		{"a column twice", "id:string ID:integer", []string{"id"}, nil, `the query returns the column "ID" twice: name one of them otherwise with AS`},
		{"a column of the table's own", "id:string Stale:boolean", []string{"id"}, nil, "the column Stale is one that every table or its history has for itself: name it otherwise with AS"},
		{"a column of PostgreSQL's own", "id:string xmin:integer", []string{"id"}, nil, "the column xmin is one that every table or its history has for itself: name it otherwise with AS"},
		{"a column without a name", "id:string count(*)", []string{"id"}, nil, `the column "count(*)" needs a name of letters, digits and _, at most 60: give it one with AS`},
		{"a hostile column", "a\"b\x1b:string", []string{"id"}, nil, `the column "a\"b\x1b" needs a name of letters, digits and _, at most 60: give it one with AS`},
		{"a long column", strings.Repeat("c", 61) + ":string", []string{"id"}, nil, `the column "` + strings.Repeat("c", 61) + `" needs a name of letters, digits and _, at most 60: give it one with AS`},
		{"types of no column", "id:string", []string{"id"}, map[string]Type{"b": Text, "a": Text}, `types names the column "a", which the query does not give`},
		{"columns without a type", "id:string a b:null", []string{"id"}, nil, "the query computes a, b, whose type is not known"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := (&Table{Key: test.key, Types: test.types}).resolve(described(t, test.columns))
			if err == nil || err.Error() != test.want || provider.CodeOf(err) != provider.Usage {
				t.Errorf("%v\nwant\n%s", err, test.want)
			}
		})
	}
}
