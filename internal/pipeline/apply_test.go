package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// kept is a store with one table, into which answers are put.
type kept struct {
	*Store

	table *Table
	def   *Definition
	runs  int64
}

// keep makes a store in a file of the test's own.
func keep(t *testing.T, table *Table) *kept {
	t.Helper()
	s, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "store.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	k := &kept{Store: s, def: &Definition{Name: "p"}}
	k.ask(t, table)
	return k
}

// ask sets another query for the following answers.
func (k *kept) ask(t *testing.T, table *Table) {
	t.Helper()
	if err := k.tryAsk(t.Context(), table); err != nil {
		t.Fatal(err)
	}
}

func (k *kept) tryAsk(ctx context.Context, table *Table) error {
	d := *k.def
	d.Tables = []Table{*table}
	err := k.db.transact(ctx, func(c tx) error { return k.ensureTables(ctx, c, &d, second(0)) })
	if err == nil {
		k.table = table
	}
	return err
}

// second is a time, so many seconds after the beginning of the store.
func second(n int) time.Time {
	return time.Date(2026, 11, 28, 0, 0, 0, 250, time.UTC).Truncate(time.Microsecond).Add(time.Duration(n) * time.Second)
}

// tryAnswer puts an answer into the store, that was asked for at a time.
func (k *kept) tryAnswer(ctx context.Context, workspace string, at int, rows ...[]any) (Changes, error) {
	answer := newSpool(k.table)
	defer answer.close()
	for _, row := range rows {
		if err := answer.add(row); err != nil {
			return Changes{}, err
		}
	}
	var changes Changes
	k.runs++
	err := k.db.transact(ctx, func(c tx) (err error) {
		changes, err = k.apply(ctx, c, k.table, workspace, k.runs, second(at), answer)
		return err
	})
	return changes, err
}

func (k *kept) answer(t *testing.T, workspace string, at int, rows ...[]any) Changes {
	t.Helper()
	changes, err := k.tryAnswer(t.Context(), workspace, at, rows...)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// list returns the rows of a query, each as its values with blanks between.
func (k *kept) list(t *testing.T, query string, args ...any) []string {
	t.Helper()
	rows, err := k.db.query(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	names, err := rows.(sqlRows).Columns() //nolint:forcetypeassert // it is a store in SQLite
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for rows.Next() {
		row, into := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, v := range row {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			words = append(words, fmt.Sprint(v))
		}
		all = append(all, strings.Join(words, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// want compares the rows of a query with the wanted ones.
func (k *kept) want(t *testing.T, query string, want ...string) {
	t.Helper()
	if got := k.list(t, query); !slices.Equal(got, append([]string{}, want...)) {
		t.Errorf("%s gives\n%s\nwant\n%s", query, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// at returns the table's rows at a time, with the engine's query.
func (k *kept) at(t *testing.T, at int, columns string) []string {
	t.Helper()
	return k.list(t, `SELECT deployment_name, `+columns+` FROM (SELECT *, row_number() OVER (PARTITION BY deployment_name, key_hash ORDER BY changed_at DESC, history_id DESC) AS n
		FROM `+historyTable(k.table.Name)+` WHERE changed_at <= ?1) WHERE n = 1 AND change <> 'removed' ORDER BY 1, 2`, stamp(second(at)))
}

const (
	allThings  = "SELECT deployment_name, stale, id, body FROM things ORDER BY 1, 3"
	allHistory = "SELECT deployment_name, change, run_id, id, body, coalesce(changed_columns, '-') FROM lakeql_history_things ORDER BY run_id, id"
)

// TestApplyCounts follows the rows of two workspaces over several answers.
func TestApplyCounts(t *testing.T) {
	k := keep(t, things())
	for _, step := range []struct {
		what, workspace string
		rows            [][]any
		want            Changes
	}{
		{"rows of a workspace that had none", "dbc-1", [][]any{{int64(1), "a"}, {int64(2), "b"}, {int64(3), nil}}, Changes{Rows: 3, Added: 3}},
		{"the same keys of another workspace", "dbc-2", [][]any{{int64(1), "x"}}, Changes{Rows: 1, Added: 1}},
		{"the same rows in another order", "dbc-1", [][]any{{int64(3), nil}, {int64(1), "a"}, {int64(2), "b"}}, Changes{Rows: 3}},
		{"one of each", "dbc-1", [][]any{{int64(1), "a"}, {int64(2), "B"}, {int64(4), "d"}}, Changes{Rows: 3, Added: 1, Changed: 1, Removed: 1}},
		{"a value that becomes NULL", "dbc-1", [][]any{{int64(1), nil}, {int64(2), "B"}, {int64(4), "d"}}, Changes{Rows: 3, Changed: 1}},
		{"nothing", "dbc-1", nil, Changes{Removed: 3}},
		{"nothing again", "dbc-1", nil, Changes{}},
		{"a row that was there before", "dbc-1", [][]any{{int64(1), "a"}}, Changes{Rows: 1, Added: 1}},
	} {
		if got := k.answer(t, step.workspace, int(k.runs), step.rows...); got != step.want {
			t.Errorf("%s: %+v, want %+v", step.what, got, step.want)
		}
	}
	k.want(t, allThings, "dbc-1 false 1 a", "dbc-2 false 1 x")
	k.want(t, allHistory,
		"dbc-1 added 1 1 a -", "dbc-1 added 1 2 b -", "dbc-1 added 1 3 <nil> -", "dbc-2 added 2 1 x -",
		`dbc-1 changed 4 2 B {"body":{"from":"b","to":"B"}}`, "dbc-1 removed 4 3 <nil> -", "dbc-1 added 4 4 d -",
		`dbc-1 changed 5 1 <nil> {"body":{"from":"a","to":null}}`,
		"dbc-1 removed 6 1 <nil> -", "dbc-1 removed 6 2 B -", "dbc-1 removed 6 4 d -",
		"dbc-1 added 8 1 a -")
}

// TestApplyManyRows compares answers of several batches, with changes at the borders of the batches.
func TestApplyManyRows(t *testing.T) {
	k := keep(t, things())
	rows := make([][]any, atOnce+mostKeys+1)
	for i := range rows {
		rows[i] = []any{int64(i), strings.Repeat("x", i%50)}
	}
	if got := k.answer(t, "dbc-1", 1, rows...); got != (Changes{Rows: int64(len(rows)), Added: int64(len(rows))}) {
		t.Errorf("%+v", got)
	}
	changed := slices.Clone(rows[:len(rows)-1])
	for i := range changed {
		changed[i] = []any{int64(i), "y"}
	}
	if got := k.answer(t, "dbc-1", 2, changed...); got != (Changes{Rows: int64(len(changed)), Changed: int64(len(changed)), Removed: 1}) {
		t.Errorf("%+v", got)
	}
	k.want(t, "SELECT count(*), count(DISTINCT id), min(body), max(body) FROM things", fmt.Sprint(len(changed), " ", len(changed), " y y"))
	if got := k.answer(t, "dbc-1", 3); got != (Changes{Removed: int64(len(changed))}) {
		t.Errorf("%+v", got)
	}
	k.want(t, "SELECT change, count(*) FROM lakeql_history_things GROUP BY 1 ORDER BY 1", fmt.Sprint("added ", len(rows)), fmt.Sprint("changed ", len(changed)), fmt.Sprint("removed ", len(rows)))
}

// TestApplyTwoRowsOfOneKey applies an answer with two rows of one key. It must change nothing.
func TestApplyTwoRowsOfOneKey(t *testing.T) {
	k := keep(t, things())
	k.answer(t, "dbc-1", 1, []any{int64(1), "a"}, []any{int64(2), "b"})
	rows, history, slices := k.list(t, allThings), k.list(t, allHistory), k.list(t, "SELECT * FROM lakeql_slice")
	for name, answer := range map[string][][]any{
		"the same row":                {{int64(1), "a"}, {int64(1), "a"}},
		"another row":                 {{int64(9), "new"}, {int64(2), "B"}, {int64(2), "C"}},
		"one of a row that was there": {{int64(1), "a"}, {int64(2), "b"}, {int64(1), "A"}},
	} {
		_, err := k.tryAnswer(t.Context(), "dbc-1", 2, answer...)
		key := fmt.Sprint(answer[len(answer)-1][0])
		if err == nil || err.Error() != `two rows of things have the key id = "`+key+`"` || provider.CodeOf(err) != provider.Usage || provider.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		for query, want := range map[string][]string{allThings: rows, allHistory: history, "SELECT * FROM lakeql_slice": slices} {
			if got := k.list(t, query); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: after the error %s gives %v", name, query, got)
			}
		}
	}
}

// TestApplyAfterAClockWasSetBack applies an answer whose time is before that of the stored one. The last answer
// counts, and the history keeps its order.
func TestApplyAfterAClockWasSetBack(t *testing.T) {
	k := keep(t, things())
	k.answer(t, "dbc-1", 5, []any{int64(1), "first"})
	if got := k.answer(t, "dbc-1", 4, []any{int64(1), "second"}, []any{int64(2), "x"}); got != (Changes{Rows: 2, Added: 1, Changed: 1}) {
		t.Errorf("%+v", got)
	}
	k.want(t, allThings, "dbc-1 false 1 second", "dbc-1 false 2 x")
	k.want(t, "SELECT change, body FROM things_history ORDER BY changed_at, id", "added first", "changed second", "added x")
}

// TestApplyRenamedColumns renames columns of a query. The stored values have the new names, also those that have
// not changed.
func TestApplyRenamedColumns(t *testing.T) {
	table := func(names ...string) *Table {
		return &Table{Name: "things", Key: []string{"id"}, Columns: []Column{{"id", Integer}, {names[0], Text}, {names[1], Text}}}
	}
	k := keep(t, table("a", "b"))
	k.answer(t, "dbc-1", 1, []any{int64(1), "x", "y"})
	k.ask(t, table("b", "a"))
	if got := k.answer(t, "dbc-1", 2, []any{int64(1), "x", "y"}); got.Changed != 1 {
		t.Errorf("%+v", got)
	}
	k.want(t, "SELECT a, b FROM things", "y x")
	k.ask(t, table("a", "c"))
	k.answer(t, "dbc-1", 3, []any{int64(1), "y", "x"})
	k.want(t, "SELECT a, b, c FROM things", "y <nil> x")
}

// TestApplyToADroppedTable applies an answer to a table that was dropped from outside: that is an error.
func TestApplyToADroppedTable(t *testing.T) {
	k := keep(t, things())
	if _, err := k.db.exec(t.Context(), "DELETE FROM lakeql_table"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.tryAnswer(t.Context(), "dbc-1", 1, []any{int64(1), ""}); err == nil || err.Error() != "the table things was dropped from the store while its query ran" {
		t.Error(err)
	}
}

// TestApplyKeepsValues stores a value of each kind and reads it back. The values must be equal, so that a change
// of one column is not reported for another one.
func TestApplyKeepsValues(t *testing.T) {
	table := &Table{Name: "things", Key: []string{"id"}, Columns: []Column{
		{"id", Text}, {"n", Integer}, {"x", Number}, {"b", Boolean}, {"at", Timestamp}, {"j", JSON}, {"select", Text}, {"version", Integer},
	}}
	k := keep(t, table)
	of := func(version int64) (rows [][]any) {
		for i, given := range [][]any{
			{nil, nil, nil, nil, nil, nil},
			{int64(-1 << 63), math.Copysign(0, -1), true, "0001-01-01", json.RawMessage(`{"b":[1.50,12345678901234567890],"a":"<&>\u0000"}`), "a\x00b"},
			{int64(1<<63 - 1), 1e300, false, "9999-12-31T23:59:59.999999Z", "<script>", "12"},
			{"7", "0.1", int64(1), int64(1764346015123), int64(5), "\xff"},
			{int64(0), int64(3), "TRUE", 1764346015123.456, true, json.RawMessage(`{"z": 1, "a": 1}`)},
			{int64(0), int64(3), "TRUE", "1969-12-31 23:59", "", ""},
			{int64(0), int64(3), "TRUE", "1969-12-31 23:59", "1", "x'00'"},
		} {
			row := []any{fmt.Sprint("'\"", i)}
			for c, v := range append(given, version) {
				value, err := table.Columns[c+1].convert(v)
				if err != nil {
					t.Fatal(err)
				}
				row = append(row, value)
			}
			rows = append(rows, row)
		}
		return rows
	}
	k.answer(t, "dbc-1", 1, of(1)...)
	if got := k.answer(t, "dbc-1", 2, of(1)...); got.Changed+got.Added+got.Removed != 0 {
		t.Errorf("the same rows: %+v", got)
	}
	if got := k.answer(t, "dbc-1", 3, of(2)...); got.Changed != 7 {
		t.Errorf("the version of seven rows changed: %+v", got)
	}
	for _, told := range k.list(t, "SELECT changed_columns FROM lakeql_history_things WHERE change = 'changed'") {
		if told != `{"version":{"from":1,"to":2}}` {
			t.Errorf("the version changed, and the history tells %s", told)
		}
	}
}
