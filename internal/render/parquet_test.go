package render_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/provider"
)

// TestParquet has Arrow read a file: types are those of the documents, or else those of the values.
func TestParquet(t *testing.T) {
	header := []provider.Column{
		{Name: "name", Type: "string"},
		{Name: "size", Type: "integer"},
		{Name: "spec", Type: "object"},
		{Name: "created", Type: "string", Format: "date-time"},
		{Name: "count"},
		{Name: "mixed"},
		{Name: "ok"},
		{Name: "ratio"},
		{Name: "nothing"},
	}
	rows := [][]any{
		{"a", int64(1), json.RawMessage(`{"x": [1]}`), "2026-01-02T03:04:05.5Z", int64(7), int64(1), true, int64(1), nil},
		{nil, nil, json.RawMessage(`null`), nil, nil, "two", nil, 0.5, nil},
	}
	var out bytes.Buffer
	n, err := render.Write(t.Context(), &out, provider.NewRows(header, rows), render.Options{Format: render.Parquet})
	if err != nil || n != 2 {
		t.Fatalf("%d rows, %v", n, err)
	}
	reader, err := file.NewParquetReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	arrows, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := arrows.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	var got []string
	for i := range int(table.NumCols()) {
		column := table.Column(i)
		var values []string
		for _, chunk := range column.Data().Chunks() {
			for at := range chunk.Len() {
				values = append(values, chunk.ValueStr(at))
			}
		}
		got = append(got, column.Name()+" "+column.DataType().Name()+" "+strings.Join(values, " "))
	}
	want := []string{
		`name utf8 a (null)`,
		`size int64 1 (null)`,
		`spec binary eyJ4IjogWzFdfQ== (null)`, // Arrow shows JSON in base64
		`created timestamp 2026-01-02 03:04:05.5Z (null)`,
		`count int64 7 (null)`,
		`mixed utf8 1 two`,
		`ok bool true (null)`,
		`ratio float64 1 0.5`,
		`nothing utf8 (null) (null)`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestParquetRefuses writes values that their columns cannot hold. The error does not show the value.
func TestParquetRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		column provider.Column
		value  any
	}{
		"a text in a column of integers": {provider.Column{Name: "c", Type: "integer"}, "secret"},
		"no time":                        {provider.Column{Name: "c", Type: "string", Format: "date-time"}, "secret"},
		"a larger number":                {provider.Column{Name: "c", Type: "integer"}, json.RawMessage("123456789012345678901234567890")},
	} {
		var out bytes.Buffer
		_, err := render.Write(t.Context(), &out, provider.NewRows([]provider.Column{test.column}, [][]any{{test.value}}), render.Options{Format: render.Parquet})
		if provider.CodeOf(err) != provider.Usage || !strings.Contains(err.Error(), `column "c" of the Parquet file`) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := file.NewParquetReader(bytes.NewReader(out.Bytes())); err == nil {
			t.Errorf("%s: the file can be read", name)
		}
	}
}
