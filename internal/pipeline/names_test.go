package pipeline

import "testing"

// TestNamesOfTables shows that tables may be called whatever is allowed: neither words of SQL are in the way,
// nor what another table's history has beside it.
func TestNamesOfTables(t *testing.T) {
	k := keep(t, things())
	for _, name := range []string{"things_key", "things_time", "things_rows", "select", "t", "h"} {
		parsed, err := new(Definition).parseTable(t.Context(), "-- table: "+name+"\n-- key: id\nSELECT 1")
		if err != nil {
			t.Fatal(err)
		}
		parsed.Columns = []Column{{"id", Integer}, {"at", Timestamp}, {"order", Text}, {"rowid", Text}}
		k.ask(t, parsed)
		k.answer(t, "dbc-1", 1, []any{int64(1), second(1), "a", "b"})
		k.want(t, `SELECT id, "order", "rowid" FROM "`+name+`"`, "1 a b")
	}
}
