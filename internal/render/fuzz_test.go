package render_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/provider"
)

// FuzzJSON checks that a program that reads json or jsonl gets the values of the rows.
func FuzzJSON(f *testing.F) {
	f.Add("name", "value", int64(1), 0.5, []byte(`{"a":[1,"x"]}`))
	f.Add("a\x1b\u202e", "\xff\x9b\u2028<&>", int64(math.MaxInt64), 1e300, []byte(`"\ud800\u200b 😀"`))
	f.Add("text", "\U000E0001\x7f", int64(math.MinInt64), math.Copysign(0, -1), []byte(" 123456789012345678901234567890 "))
	f.Add("", "", int64(0), math.Inf(1), []byte(`null`))
	f.Fuzz(func(t *testing.T, name, text string, whole int64, real float64, raw []byte) {
		value := any(json.RawMessage(raw))
		if !json.Valid(raw) {
			value = nil
		}
		header := []provider.Column{{Name: name}, {Name: "text"}, {Name: "whole"}, {Name: "real"}, {Name: "raw"}, {Name: name}}
		row := []any{text, provider.Secret(text), whole, real, value, true}
		want := []any{valid(text), valid(text), number(t, whole), number(t, real), decode(t, "null"), true}
		if value != nil {
			want[4] = decode(t, string(raw))
		}
		for _, format := range []render.Format{render.JSON, render.JSONL} {
			var out bytes.Buffer
			if _, err := render.Write(t.Context(), &out, provider.NewRows(header, [][]any{row, row}), render.Options{Format: format}); err != nil {
				t.Fatal(err)
			}
			objects := readBack(t, format, out.Bytes())
			if len(objects) != 2 {
				t.Fatalf("%s reads back as %d rows: %s", format, len(objects), out.Bytes())
			}
			for _, got := range objects {
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("%s reads back as %#v, want %#v", format, got, want)
				}
			}
		}
	})
}

// readBack reads the values of every object, in the order in which they stand.
func readBack(t *testing.T, format render.Format, text []byte) [][]any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	token := func() json.Token {
		tok, err := dec.Token()
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		return tok
	}
	if format == render.JSON {
		token()
	}
	var objects [][]any
	for dec.More() {
		token()
		keys := map[any]bool{}
		var values []any
		for dec.More() {
			key := token()
			if keys[key] {
				t.Fatalf("key %q twice in %s", key, text)
			}
			keys[key] = true
			var v any
			if err := dec.Decode(&v); err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			values = append(values, v)
		}
		token()
		objects = append(objects, values)
	}
	return objects
}

// valid is text as JSON can hold it: each byte that is not UTF-8 is U+FFFD.
func valid(text string) string { return string([]rune(text)) }

func number(t *testing.T, v any) any {
	t.Helper()
	if f, ok := v.(float64); ok && (math.IsInf(f, 0) || math.IsNaN(f)) {
		switch {
		case f > 0:
			return "Infinity"
		case f < 0:
			return "-Infinity"
		}
		return "NaN"
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, string(text))
}

func decode(t *testing.T, text string) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}
