package pipeline

import "testing"

// TestNamesOfTables uses every kind of valid table name: keywords of SQL, and names like those of another
// table's history.
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
