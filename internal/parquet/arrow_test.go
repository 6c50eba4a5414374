package parquet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/lakeql/lakeql/provider"
)

// roundTrip writes rows, has Arrow read them and compares.
func roundTrip(t *testing.T, columns []Column, rows [][]any, limits limits) *metadata.FileMetaData {
	t.Helper()
	got, r := read(t, encode(t, columns, rows, limits))
	if n := r.MetaData().NumRows; n != int64(len(rows)) {
		t.Errorf("the file says it has %d rows, want %d", n, len(rows))
	}
	for i, c := range columns {
		if got := r.MetaData().Schema.Column(i).Name(); got != c.Name {
			t.Errorf("column %d is %q, want %q", i, got, c.Name)
		}
	}
	compare(t, got, rows)
	return r.MetaData()
}

func encode(t *testing.T, columns []Column, rows [][]any, limits limits) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := write(&b, columns, rowsOf(rows), limits)
	if err != nil {
		t.Fatal(err)
	}
	if n != int64(len(rows)) {
		t.Errorf("%d rows written, want %d", n, len(rows))
	}
	return b.Bytes()
}

func rowsOf(rows [][]any) func() ([]any, error) {
	return func() ([]any, error) {
		if len(rows) == 0 {
			return nil, io.EOF
		}
		row := rows[0]
		rows = rows[1:]
		return row, nil
	}
}

func open(t *testing.T, data []byte) *file.Reader {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// read has Arrow read a file.
func read(t *testing.T, data []byte) ([][]any, *file.Reader) {
	t.Helper()
	r := open(t, data)
	arrows, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := arrows.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	rows := make([][]any, table.NumRows())
	for i := range rows {
		rows[i] = make([]any, table.NumCols())
	}
	for c := range int(table.NumCols()) {
		at := 0
		for _, chunk := range table.Column(c).Data().Chunks() {
			for i := range chunk.Len() {
				rows[at][c] = valueAt(t, chunk, i)
				at++
			}
		}
		if at != len(rows) {
			t.Fatalf("column %d has %d values for %d rows", c, at, len(rows))
		}
	}
	return rows, r
}

func valueAt(t *testing.T, values arrow.Array, i int) any {
	t.Helper()
	if values.IsNull(i) {
		return nil
	}
	switch values := values.(type) {
	case *array.String:
		return strings.Clone(values.Value(i))
	case *array.Binary:
		return slices.Clone(values.Value(i))
	case *array.Int64:
		return values.Value(i)
	case *array.Float64:
		return values.Value(i)
	case *array.Boolean:
		return values.Value(i)
	case *array.Timestamp:
		return time.UnixMicro(int64(values.Value(i)))
	}
	t.Fatalf("Arrow reads a %T", values)
	return nil
}

func compare(t *testing.T, got, want [][]any) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		for c := range want[i] {
			if !same(got[i][c], want[i][c]) {
				t.Fatalf("row %d, column %d: %s, want %s", i+1, c+1, show(got[i][c]), show(want[i][c]))
			}
		}
	}
}

func show(v any) string {
	return provider.Quote(fmt.Sprintf("%T %v", v, v))
}

// same compares read and written values, bit by bit.
func same(got, want any) bool {
	switch want := want.(type) {
	case json.RawMessage:
		switch got := got.(type) {
		case string:
			return got == string(want)
		case []byte:
			return bytes.Equal(got, want)
		}
		return false
	case time.Time:
		got, ok := got.(time.Time)
		return ok && got.Equal(want)
	case float64:
		if n, ok := got.(int64); ok {
			return float64(n) == want
		}
		got, ok := got.(float64)
		return ok && math.Float64bits(got) == math.Float64bits(want)
	case int64:
		if n, ok := got.(float64); ok {
			return int64(n) == want
		}
	}
	return got == want
}

// sample makes rows of every type, some of their values null.
func sample(n int) [][]any {
	rows := make([][]any, n)
	for i := range rows {
		row := []any{
			fmt.Sprintf("row %d of a table", i), int64(i), float64(i) / 3, i%3 == 0,
			time.UnixMicro(1_700_000_000_000_000 + int64(i)*1_000_001), json.RawMessage(fmt.Sprintf(`{"id": %d, "tags": ["a", "b"]}`, i)),
		}
		if i%7 == 0 {
			row[i/7%len(row)] = nil
		}
		rows[i] = row
	}
	return rows
}

// noise makes text that does not compress.
func noise(seed, n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
	b, x := make([]byte, n), uint64(seed)*2654435761+1
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = letters[x%64]
	}
	return string(b)
}
