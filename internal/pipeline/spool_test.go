package pipeline

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// spooled are the rows of a spool, in order.
func spooled(t *testing.T, s *spool) (all [][]any) {
	t.Helper()
	if err := s.each(func(r spooledRow) error {
		row, err := readRow(r.encoded, len(s.table.Columns))
		all = append(all, row)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// things is a table of an id and a text.
func things() *Table {
	return &Table{Name: "things", Key: []string{"id"}, Columns: []Column{{"id", Integer}, {"body", Text}}}
}

// TestSpoolKeepsOrder reads rows from memory and from a file, several times: they have the written order. Only
// the user can read the file, and it is removed.
func TestSpoolKeepsOrder(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	for name, of := range map[string]struct {
		rows   int64
		size   int
		inFile bool
	}{"in memory": {500, 10, false}, "in a file": {300, 10_000, true}, "in rows beyond the memory": {3, spoolMemory + 1, true}} {
		t.Run(name, func(t *testing.T) {
			s := newSpool(things())
			var want [][]any
			for i := range of.rows {
				row := []any{i % 7, strings.Repeat(fmt.Sprint(i), of.size)[:of.size]}
				want = append(want, row)
				if err := s.add(row); err != nil {
					t.Fatal(err)
				}
			}
			if inFile := s.file != nil; inFile != of.inFile {
				t.Errorf("%d rows of %d bytes are in a file: %t", of.rows, of.size, inFile)
			}
			for range 2 {
				if got := spooled(t, s); !reflect.DeepEqual(got, want) {
					t.Fatalf("%d rows came out otherwise than they went in", len(got))
				}
			}
			if s.rows != int64(len(want)) {
				t.Errorf("it counts %d rows of %d", s.rows, len(want))
			}
			s.close()
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Errorf("it leaves %v, %v", left, err)
			}
		})
	}
}

// TestSpoolTellsRowsApart shows that rows with the same key have one hash of it, and others another, also
// where their parts add up to the same text.
func TestSpoolTellsRowsApart(t *testing.T) {
	table := &Table{Key: []string{"a", "b"}, Columns: []Column{{"a", Text}, {"x", Integer}, {"b", Text}}}
	s := newSpool(table)
	for _, row := range [][]any{{"1", int64(1), "23"}, {"12", int64(1), "3"}, {"1", int64(2), "23"}, {"1", int64(1), "23"}, {"1", nil, "23"}} {
		if err := s.add(row); err != nil {
			t.Fatal(err)
		}
	}
	var rows []spooledRow
	if err := s.each(func(r spooledRow) error {
		rows = append(rows, spooledRow{key: r.key, content: r.content})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if rows[0].key == rows[1].key || rows[0].key != rows[2].key || rows[0].content == rows[2].content || rows[0].content != rows[3].content || rows[4].content == rows[0].content {
		t.Errorf("%x", rows)
	}
}

// TestSpoolRefusesKeysOfNull rejects a row whose key is NULL.
func TestSpoolRefusesKeysOfNull(t *testing.T) {
	s := newSpool(things())
	if err := s.add([]any{int64(1), nil}); err != nil {
		t.Fatal(err)
	}
	if err := s.add([]any{nil, "x"}); err == nil || err.Error() != "row 2 has no id, which is of the key" || provider.CodeOf(err) != provider.Usage {
		t.Error(err)
	}
	if got := spooled(t, s); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

// TestSpoolWithoutRoom shows that rows which cannot be put aside are an error, which says where room is
// needed.
func TestSpoolWithoutRoom(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/gone")
	s := newSpool(things())
	err := s.add([]any{int64(1), strings.Repeat("x", spoolMemory)})
	if err == nil || !strings.HasPrefix(err.Error(), "put the rows aside: ") || !strings.Contains(provider.HintOf(err), "TMPDIR") {
		t.Error(err)
	}
}

// take has a spool read rows of some columns.
func take(t *testing.T, s *spool, columns string, rows ...[]any) error {
	t.Helper()
	given := provider.NewRows(described(t, columns), rows)
	return s.fill("dbc-1", given, func() ([]any, error) { return given.Next(t.Context()) })
}

// TestSpoolFill converts the rows of a query to those of a table, and rejects invalid ones.
func TestSpoolFill(t *testing.T) {
	s := newSpool(things())
	if err := take(t, s, "id:integer Deployment_Name:string body:string", []any{"7", "dbc-1", int64(8)}, []any{int64(8), nil, nil}); err != nil {
		t.Fatal(err)
	}
	if got := spooled(t, s); !reflect.DeepEqual(got, [][]any{{int64(7), "8"}, {int64(8), nil}}) {
		t.Errorf("%v", got)
	}
	for want, err := range map[string]error{
		`the query returns the column "size", which the table does not have there`:                        take(t, newSpool(things()), "id size"),
		`the query returns the column "body", which the table does not have there`:                        take(t, newSpool(things()), "body id"),
		`the query returns the column "more", which the table does not have there`:                        take(t, newSpool(things()), "id body more"),
		"the query does not give the column body":                                                         take(t, newSpool(things()), "id"),
		`the column id is declared as integer, and "x" has another type`:                                  take(t, newSpool(things()), "id body", []any{"x", "y"}),
		`a row is of the workspace "dbc-2", and the query was for dbc-1: leave deployment_name out of it`: take(t, newSpool(things()), "id body deployment_name", []any{int64(1), "", "dbc-2"}),
	} {
		if err == nil || err.Error() != want {
			t.Errorf("%v\nwant\n%s", err, want)
		}
	}
	cut := func() ([]any, error) { return nil, io.ErrUnexpectedEOF }
	if err := newSpool(things()).fill("dbc-1", provider.NewRows(described(t, "id body"), nil), cut); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("rows that end early: %v", err)
	}
}
