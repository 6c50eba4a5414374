package pipeline

import (
	"testing"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// FuzzParseTime shows that a time is taken as it is written, and written again is the same.
func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{"2026-11-01", "2026-11-01T06:00:00Z", "2026-11-01 06:00:00.5", "2026-11-01T06:00:00+02:00", "20261101", "0000-00-00", "2026-11-01T24:00:00Z", "9999-12-31T23:59:59.999999999-23:59"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, ok := ParseTime(text)
		if !ok {
			return
		}
		again, ok := ParseTime(at.UTC().Format(time.RFC3339Nano))
		if year := at.UTC().Year(); year >= 0 && year <= 9999 && (!ok || !again.Equal(at)) {
			t.Errorf("%q is %s, and that is %s", text, at, again)
		}
	})
}

// FuzzDefinition reads arbitrary bytes as a stored pipeline: an error, or a pipeline that can be stored again.
func FuzzDefinition(f *testing.F) {
	f.Add([]byte(`{"name": "a", "workspaces": ["w"], "tables": [{"name": "t", "key": ["k"], "query": "SELECT 1"}]}`))
	f.Add([]byte(`{"name": 1}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := decodeDefinition(data)
		if err != nil {
			if provider.CodeOf(err) != provider.Internal {
				t.Errorf("%q: %v", data, err)
			}
			return
		}
		back, err := decodeDefinition(d.encode())
		if err != nil || back.Hash() != d.Hash() {
			t.Errorf("%q is kept as %+v: %v", data, back, err)
		}
		_ = d.table("t")
		_, _ = d.location()
		_, _ = d.next(time.Unix(0, 0))
	})
}

// FuzzTable reads arbitrary bytes as an SQL file: a table with its requirements, or a usage error.
func FuzzTable(f *testing.F) {
	for _, seed := range []string{
		"-- table: branches\n-- description: d\n-- key: name, id\n-- types: a boolean, b json\n\nSELECT {{ quote .a }}, '{{ deployment_name }}'",
		"\ufeff-- table: a\r\n-- key: b\r\nSELECT 1", "-- a sentence: with a colon\n-- table: x\n-- key: y", "-- types: a", "-- key:\n-- key: a", "--table:lakeql_x\n--key:a\n{{ range 9999999 }}{{ end }}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := &Definition{Variables: map[string]string{"a": "b"}}
		table, err := d.parseTable(t.Context(), text)
		if err != nil {
			if provider.CodeOf(err) != provider.Usage {
				t.Errorf("%q: code %d: %v", text, provider.CodeOf(err), err)
			}
			return
		}
		if table.Name == "" || len(table.Key) == 0 || table.Query == "" {
			t.Errorf("%q is the table %+v", text, table)
		}
	})
}
