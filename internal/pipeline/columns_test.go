package pipeline

import (
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// with is the table of things with other columns.
func with(columns ...Column) *Table {
	t := things()
	t.Columns = columns
	return t
}

// TestColumnsComeAndGo follows a table while its query returns other columns from time to time. That is not a
// change of a row, and the history keeps the table's earlier rows.
func TestColumnsComeAndGo(t *testing.T) {
	k := keep(t, things())
	k.answer(t, "dbc-1", 1, []any{int64(1), "a"}, []any{int64(2), "b"})

	more := with(Column{"id", Integer}, Column{"body", Text}, Column{"size", Integer})
	k.ask(t, more)
	if got := k.answer(t, "dbc-1", 2, []any{int64(1), "a", int64(10)}, []any{int64(2), "b", nil}); got != (Changes{Rows: 2}) {
		t.Errorf("a column came: %+v", got)
	}
	if got := k.answer(t, "dbc-1", 3, []any{int64(1), "a", int64(10)}, []any{int64(2), "b", int64(20)}); got != (Changes{Rows: 2, Changed: 1}) {
		t.Errorf("a value of the new column changed: %+v", got)
	}

	k.ask(t, with(Column{"size", Integer}, Column{"id", Integer}))
	if got := k.answer(t, "dbc-1", 4, []any{int64(10), int64(1)}, []any{int64(21), int64(2)}); got != (Changes{Rows: 2, Changed: 1}) {
		t.Errorf("a column went, the others changed places, and one value changed: %+v", got)
	}
	k.want(t, "SELECT id, body, size FROM things ORDER BY 1", "1 <nil> 10", "2 <nil> 21")

	k.ask(t, more)
	if got := k.answer(t, "dbc-1", 5, []any{int64(1), "a", int64(10)}, []any{int64(2), "b", int64(21)}, []any{int64(3), "c", nil}); got != (Changes{Rows: 3, Added: 1}) {
		t.Errorf("the column came back, with a row: %+v", got)
	}
	if got := k.answer(t, "dbc-1", 6, []any{int64(1), "A", int64(10)}); got != (Changes{Rows: 1, Changed: 1, Removed: 2}) {
		t.Errorf("afterwards: %+v", got)
	}
	written := k.list(t, "SELECT count(*) FROM lakeql_history_things")
	k.ask(t, with(Column{"size", Integer}, Column{"body", Text}, Column{"id", Integer}))
	if got := k.answer(t, "dbc-1", 7, []any{int64(10), "A", int64(1)}); got != (Changes{Rows: 1}) {
		t.Errorf("the columns changed places: %+v", got)
	}
	k.want(t, "SELECT count(*) FROM lakeql_history_things", written...)
	k.want(t, "SELECT id, body, size FROM things", "1 A 10")

	for at, want := range map[int][]string{
		0: {},
		1: {"dbc-1 1 a <nil>", "dbc-1 2 b <nil>"},
		2: {"dbc-1 1 a 10", "dbc-1 2 b <nil>"},
		3: {"dbc-1 1 a 10", "dbc-1 2 b 20"},
		4: {"dbc-1 1 <nil> 10", "dbc-1 2 <nil> 21"},
		5: {"dbc-1 1 a 10", "dbc-1 2 b 21", "dbc-1 3 c <nil>"},
		6: {"dbc-1 1 A 10"},
	} {
		if got := k.at(t, at, "id, body, size"); !slices.Equal(got, want) {
			t.Errorf("at %d the table held %v, want %v", at, got, want)
		}
	}
	k.want(t, "SELECT run_id, id, changed_columns FROM lakeql_history_things WHERE change = 'changed' ORDER BY history_id",
		`3 2 {"size":{"from":null,"to":20}}`, `4 2 {"size":{"from":20,"to":21}}`, `6 1 {"body":{"from":"a","to":"A"}}`)

	rows, err := k.Diff(t.Context(), "things", second(1))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	told := 0
	if err := eachRow(t.Context(), rows, func(row []any) error {
		told++
		if change := row[3]; change == columnsRow {
			t.Errorf("diff tells %v", row)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if told != 6 {
		t.Errorf("diff tells %d changes", told)
	}
}

// TestColumnsOfEachWorkspace adds a column between the answers of two workspaces. Each answer is compared by the
// columns of its own query.
func TestColumnsOfEachWorkspace(t *testing.T) {
	k := keep(t, things())
	k.answer(t, "dbc-1", 1, []any{int64(1), "a"})
	k.answer(t, "dbc-2", 1, []any{int64(1), "a"})
	k.ask(t, with(Column{"id", Integer}, Column{"body", Text}, Column{"size", Integer}))
	k.answer(t, "dbc-1", 2, []any{int64(1), "a", int64(10)})
	k.answer(t, "dbc-1", 3, []any{int64(1), "a", int64(11)})
	if got := k.answer(t, "dbc-2", 3, []any{int64(1), "a", int64(10)}); got != (Changes{Rows: 1}) {
		t.Errorf("%+v", got)
	}
	k.want(t, "SELECT deployment_name, run_id FROM lakeql_history_things WHERE change = 'changed'", "dbc-1 4")
}

// TestColumnsThatDoNotFit changes a table so that its history does not fit. The change is an error, and the
// table stays unchanged.
func TestColumnsThatDoNotFit(t *testing.T) {
	k := keep(t, with(Column{"id", Integer}, Column{"body", Text}, Column{"size", Integer}))
	k.answer(t, "dbc-1", 1, []any{int64(1), "a", int64(1)})
	before := k.list(t, "SELECT * FROM lakeql_table")
	otherKey := with(Column{"id", Integer}, Column{"body", Text})
	otherKey.Key = []string{"id", "body"}
	for want, table := range map[string]*Table{
		"the table things has the column size as integer in the store, and now it would be size as text":    with(Column{"id", Integer}, Column{"new", Text}, Column{"size", Text}),
		"the table things has the column size as integer in the store, and now it would be Size as integer": with(Column{"id", Integer}, Column{"Size", Integer}),
		"the table things has the key id in the store, and now it would be id, body":                        otherKey,
	} {
		err := k.tryAsk(t.Context(), table)
		if err == nil || err.Error() != want || provider.CodeOf(err) != provider.Usage || !strings.HasPrefix(provider.HintOf(err), "the history would not fit: ") {
			t.Errorf("%v\nwant\n%s", err, want)
		}
		if got := k.list(t, "SELECT * FROM lakeql_table"); !slices.Equal(got, before) {
			t.Errorf("the table became %v", got)
		}
	}
	k.def = &Definition{Name: "another"}
	if err := k.tryAsk(t.Context(), things()); err == nil || err.Error() != "the table things is that of the pipeline p in this store: name it otherwise" {
		t.Error(err)
	}
}
