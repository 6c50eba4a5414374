package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/provider"
)

func date(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

// TestConvert converts the values of queries to the types of columns.
func TestConvert(t *testing.T) {
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	for _, test := range []struct {
		name string
		typ  Type
		in   any
		want any
	}{
		{"text stays, whatever is in it", Text, "a\x00\xffb ", "a\x00\xffb "},
		{"text of an integer", Text, int64(math.MinInt64), "-9223372036854775808"},
		{"text of a number", Text, 0.1, "0.1"},
		{"text of a boolean", Text, true, "true"},
		{"text of JSON is as the API wrote it", Text, raw(`{"b": 1}`), `{"b": 1}`},
		{"the greatest integer", Integer, int64(math.MaxInt64), int64(math.MaxInt64)},
		{"an integer in a text", Integer, "-9223372036854775808", int64(math.MinInt64)},
		{"an integer of a boolean", Integer, true, int64(1)},
		{"an integer of false", Integer, false, int64(0)},
		{"an integer of a whole number", Integer, -3.0, int64(-3)},
		{"a number of an integer", Number, int64(3), 3.0},
		{"a number in a text", Number, "1e3", 1000.0},
		{"a number of an integer of more than 64 bits", Number, raw("12345678901234567890"), 12345678901234567890.0},
		{"a boolean of 1", Boolean, int64(1), true},
		{"a boolean in a text, however it is written", Boolean, "False", false},
		{"JSON has its keys in order and no blanks", JSON, raw(`{"b": [1, {"z": 1, "a": 2}], "a": "<&>"}`), raw(`{"a":"<&>","b":[1,{"a":2,"z":1}]}`)},
		{"JSON keeps all digits", JSON, raw(`[12345678901234567890, 1.10]`), raw(`[12345678901234567890,1.10]`)},
		{"JSON of a text with JSON", JSON, `{"b":1, "a":2}`, raw(`{"a":2,"b":1}`)},
		{"JSON of a text that begins like JSON", JSON, "[DRAFT] report", raw(`"[DRAFT] report"`)},
		{"JSON of a text is the same as of its JSON", JSON, "<a>", raw(`"<a>"`)},
		{"JSON of an empty text", JSON, "", raw(`""`)},
		{"JSON of an integer", JSON, int64(1), raw("1")},
		{"NULL has every type", Integer, nil, nil},
		{"a credential is a mask", Text, provider.Secret("s3cr3t"), "****"},
		{"a credential is a mask in JSON", JSON, provider.Secret("s3cr3t"), raw(`"****"`)},
		{"a time as the API writes it", Timestamp, "2026-11-28T16:06:55Z", date(t, "2026-11-28T16:06:55Z")},
		{"a time is cut to microseconds", Timestamp, "2026-11-28T16:06:55.1234569Z", date(t, "2026-11-28T16:06:55.123456Z")},
		{"a time with an offset is UTC", Timestamp, "2026-11-28T01:06:55+02:30", date(t, "2026-11-27T22:36:55Z")},
		{"a time without an offset is UTC", Timestamp, "2026-11-28T16:06:55.5", date(t, "2026-11-28T16:06:55.5Z")},
		{"a time as SQLite writes it", Timestamp, "2026-11-28 16:06:55", date(t, "2026-11-28T16:06:55Z")},
		{"a time as SQLite writes it, with an offset", Timestamp, "2026-11-28 16:06:55+01:00", date(t, "2026-11-28T15:06:55Z")},
		{"a time to the minute", Timestamp, "2026-11-28T16:06", date(t, "2026-11-28T16:06:00Z")},
		{"a time to the minute, with a blank", Timestamp, "2026-11-28 16:06", date(t, "2026-11-28T16:06:00Z")},
		{"a date", Timestamp, "2024-02-29", date(t, "2024-02-29T00:00:00Z")},
		{"milliseconds since 1970", Timestamp, int64(1764346015123), date(t, "2025-11-28T16:06:55.123Z")},
		{"milliseconds before 1970", Timestamp, int64(-1), date(t, "1969-12-31T23:59:59.999Z")},
		{"milliseconds with a fraction", Timestamp, 1764346015123.4, date(t, "2025-11-28T16:06:55.1234Z")},
		{"the first year", Timestamp, "0001-01-01", date(t, "0001-01-01T00:00:00Z")},
		{"the last time of the last year", Timestamp, "9999-12-31T23:59:59.999999Z", date(t, "9999-12-31T23:59:59.999999Z")},
		{"a time of Go's", Timestamp, time.Date(2026, 1, 2, 3, 4, 5, 6789, time.FixedZone("", 3600)), date(t, "2026-01-02T02:04:05.000006Z")},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Column{"c", test.typ}.convert(test.in)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%#v, %v; want %#v", got, err, test.want)
			}
		})
	}
}

// TestConvertMinusZero shows that zero has one form, as it has in databases: reflect does not tell them apart.
func TestConvertMinusZero(t *testing.T) {
	for _, given := range []any{math.Copysign(0, -1), "-0"} {
		got, err := Column{"c", Number}.convert(given)
		if f, ok := got.(float64); err != nil || !ok || math.Signbit(f) {
			t.Errorf("%v gives %v, %v", given, got, err)
		}
	}
}

// TestConvertRefuses converts values that the column cannot hold. The error names value and column; a value is
// never rounded.
func TestConvertRefuses(t *testing.T) {
	for _, test := range []struct {
		typ  Type
		in   any
		told string
	}{
		{Integer, 1.5, `"1.5"`},
		{Integer, math.NaN(), `"NaN"`},
		{Integer, float64(1 << 53), `"9.007199254740992e+15"`},
		{Integer, "9223372036854775808", `"9223372036854775808"`},
		{Integer, json.RawMessage("12345678901234567890"), `"12345678901234567890"`},
		{Integer, "", `""`},
		{Integer, "1_000", `"1_000"`},
		{Number, math.NaN(), `"NaN"`},
		{Number, math.Inf(1), `"+Inf"`},
		{Number, "inf", `"inf"`},
		{Number, "1e999", `"1e999"`},
		{Number, true, `"true"`},
		{Number, json.RawMessage(`[1]`), `"[1]"`},
		{Boolean, int64(2), `"2"`},
		{Boolean, "t", `"t"`},
		{Boolean, "yes", `"yes"`},
		{Timestamp, "28.11.2026", `"28.11.2026"`},
		{Timestamp, "2026-02-29", `"2026-02-29"`},
		{Timestamp, int64(math.MaxInt64), `"9223372036854775807"`},
		{Timestamp, int64(math.MinInt64), `"-9223372036854775808"`},
		{Timestamp, int64(253402300800000), `"253402300800000"`},
		{Timestamp, "0000-12-31", `"0000-12-31"`},
		{Timestamp, "0001-01-01T00:00:00+00:01", `"0001-01-01T00:00:00+00:01"`},
		{Timestamp, "9999-12-31T23:59:59-05:00", `"9999-12-31T23:59:59-05:00"`},
		{Timestamp, math.Inf(-1), `"-Inf"`},
		{Timestamp, math.NaN(), `"NaN"`},
		{Timestamp, true, `"true"`},
		{JSON, math.Inf(1), `"+Inf"`},
		{JSON, json.RawMessage(`{"a":`), `"{\"a\":"`},
		{JSON, json.RawMessage(`{} {}`), `"{} {}"`},
		{Text, []string{"a"}, `"[a]"`},
		{Integer, "\x1b[31m" + strings.Repeat("x", 200), `"\x1b[31m` + strings.Repeat("x", 115) + `"…`},
	} {
		t.Run(fmt.Sprintf("%s of %.20v", test.typ, test.in), func(t *testing.T) {
			got, err := Column{"size", test.typ}.convert(test.in)
			want := fmt.Sprintf("the column size is declared as %s, and %s has another type", test.typ, test.told)
			if got != nil || err == nil || err.Error() != want || provider.CodeOf(err) != provider.Usage {
				t.Errorf("%#v, %v; want %s", got, err, want)
			}
		})
	}
}

// TestConvertTellsNoCredential shows that an error about a credential has the mask.
func TestConvertTellsNoCredential(t *testing.T) {
	_, err := Column{"c", Integer}.convert(provider.Secret("s3cr3t"))
	if err == nil || strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), "****") {
		t.Error(err)
	}
}

// values has one of each kind that rows have, and of each border.
func values(t *testing.T) []any {
	t.Helper()
	return []any{
		nil, "", "a", "a\x00b", strings.Repeat("é", 300), json.RawMessage(`{"a":1}`), json.RawMessage("null"), json.RawMessage(""),
		int64(0), int64(-1), int64(math.MaxInt64), int64(math.MinInt64), 0.0, 1.5, math.MaxFloat64, math.SmallestNonzeroFloat64,
		true, false, date(t, "0001-01-01T00:00:00Z"), date(t, "9999-12-31T23:59:59.999999Z"), date(t, "1970-01-01T00:00:00Z"),
	}
}

// TestEncodedRows decodes encoded rows: they are equal to the original ones. Different rows have different
// bytes, because the hash of the bytes identifies the row.
func TestEncodedRows(t *testing.T) {
	all := values(t)
	seen := map[string][]any{}
	note := func(row ...any) {
		t.Helper()
		var b []byte
		for _, v := range row {
			b = appendValue(b, v)
		}
		got, err := readRow(b, len(row))
		if err != nil || !reflect.DeepEqual(got, append([]any{}, row...)) {
			t.Errorf("%#v becomes %#v, %v", row, got, err)
		}
		if other, there := seen[string(b)]; there {
			t.Errorf("%#v and %#v are the same bytes", row, other)
		}
		seen[string(b)] = row
	}
	for _, a := range all {
		note(a)
		for _, b := range all {
			note(a, b)
		}
	}
	note()
}

// TestDamagedRows shows that bytes which are no row are an error, wherever they end or go on.
func TestDamagedRows(t *testing.T) {
	all := values(t)
	var whole []byte
	for _, v := range all {
		whole = appendValue(whole, v)
	}
	for n := range whole {
		if _, err := readRow(whole[:n], len(all)); err == nil {
			t.Errorf("%d of %d bytes are a row", n, len(whole))
		}
	}
	for name, damaged := range map[string][]byte{
		"more behind it":           append(bytes.Clone(whole), tagNull),
		"a tag that nobody writes": {200},
		"a text of 2^63 bytes":     {tagText, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 'a'},
		"a length without an end":  {tagJSON, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80},
		"an integer without one":   {tagInteger, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	} {
		if row, err := readRow(damaged, 1); err == nil {
			t.Errorf("%s: %#v", name, row)
		}
	}
}

// FuzzRows looks for bytes that decoding stumbles over, and for values that come back as others.
func FuzzRows(f *testing.F) {
	f.Add([]byte{}, uint8(0), "", int64(0), 0.0)
	f.Add([]byte{tagText, 3, 'a', 'b', 'c', tagNull, tagTrue}, uint8(3), `{"a": 1}`, int64(-1), 1.5)
	f.Add([]byte{tagInteger, 0xff, 0x01, tagTime, 2, tagNumber, 1, 2, 3, 4, 5, 6, 7, 8}, uint8(3), "2026-11-28", int64(1)<<62, math.Inf(1))
	f.Add([]byte{tagJSON, 0xff, 0xff, 0xff, 0xff, 0x0f, 'x'}, uint8(1), "\x00\xff", int64(253402300799999), math.Copysign(0, -1))
	f.Fuzz(func(t *testing.T, data []byte, n uint8, text string, integer int64, number float64) {
		if row, err := readRow(data, int(n)); err == nil {
			var again []byte
			for _, v := range row {
				again = appendValue(again, v)
			}
			if back, err := readRow(again, int(n)); err != nil || len(back) != len(row) {
				t.Errorf("% x gives %#v, which becomes %#v, %v", data, row, back, err)
			}
		}
		for _, typ := range types() {
			for _, given := range []any{text, integer, number, json.RawMessage(text), len(text)%2 == 0} {
				value, err := Column{"c", typ}.convert(given)
				if err != nil {
					continue
				}
				back, err := readRow(appendValue(nil, value), 1)
				if err != nil || !reflect.DeepEqual(back[0], value) {
					t.Errorf("%s of %#v: %#v becomes %#v, %v", typ, given, value, back, err)
				}
				if same, err := (Column{"c", typ}).convert(value); typ != Timestamp && (err != nil || !reflect.DeepEqual(same, value)) {
					t.Errorf("%s of %#v is %#v, and that is %#v, %v", typ, given, value, same, err)
				}
			}
		}
	})
}
