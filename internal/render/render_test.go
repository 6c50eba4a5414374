package render_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/provider"
)

func columns(names ...string) []provider.Column {
	all := make([]provider.Column, len(names))
	for i, name := range names {
		all[i].Name = name
	}
	return all
}

// broken returns its rows and then its error.
type broken struct {
	provider.Rows
	err error
}

func (b broken) Next(ctx context.Context) ([]any, error) {
	row, err := b.Rows.Next(ctx)
	if err == io.EOF { //nolint:errorlint // Rows end with io.EOF itself
		return nil, b.err
	}
	return row, err
}

func write(t *testing.T, rows provider.Rows, opts render.Options) (string, int64, error) {
	t.Helper()
	var out bytes.Buffer
	n, err := render.Write(t.Context(), &out, rows, opts)
	return out.String(), n, err
}

func mustWrite(t *testing.T, rows provider.Rows, opts render.Options) string {
	t.Helper()
	out, _, err := write(t, rows, opts)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func lines(text ...string) string { return strings.Join(text, "\n") + "\n" }

func TestEveryTypeInEveryFormat(t *testing.T) {
	header := columns("kind", "value")
	rows := [][]any{
		{"null", nil},
		{"text", "plain"},
		{"empty", ""},
		{"quote", `say "hi", <b>`},
		{"true", true},
		{"big", int64(math.MaxInt64)},
		{"half", 0.5},
		{"whole", 3.0},
		{"tiny", 1e-9},
		{"secret", provider.Secret("dapi-1")},
		{"object", json.RawMessage("{ \"b\": 1,\n \"a\": [1, 2] }")},
		{"number", json.RawMessage("123456789012345678901234567890")},
	}
	for _, test := range []struct {
		format render.Format
		want   string
	}{
		{render.Table, lines(
			`|--------|--------------------------------|`,
			`| kind   | value                          |`,
			`|--------|--------------------------------|`,
			`| null   | null                           |`,
			`| text   | plain                          |`,
			`| empty  |                                |`,
			`| quote  | say "hi", <b>                  |`,
			`| true   | true                           |`,
			`| big    | 9223372036854775807            |`,
			`| half   | 0.5                            |`,
			`| whole  | 3                              |`,
			`| tiny   | 1e-9                           |`,
			`| secret | dapi-1                         |`,
			`| object | {"b":1,"a":[1,2]}              |`,
			`| number | 123456789012345678901234567890 |`,
			`|--------|--------------------------------|`,
		)},
		{render.JSON, lines(
			`[{"kind":"null","value":null},`,
			`{"kind":"text","value":"plain"},`,
			`{"kind":"empty","value":""},`,
			`{"kind":"quote","value":"say \"hi\", <b>"},`,
			`{"kind":"true","value":true},`,
			`{"kind":"big","value":9223372036854775807},`,
			`{"kind":"half","value":0.5},`,
			`{"kind":"whole","value":3},`,
			`{"kind":"tiny","value":1e-9},`,
			`{"kind":"secret","value":"dapi-1"},`,
			`{"kind":"object","value":{"b":1,"a":[1,2]}},`,
			`{"kind":"number","value":123456789012345678901234567890}]`,
		)},
		{render.JSONL, lines(
			`{"kind":"null","value":null}`,
			`{"kind":"text","value":"plain"}`,
			`{"kind":"empty","value":""}`,
			`{"kind":"quote","value":"say \"hi\", <b>"}`,
			`{"kind":"true","value":true}`,
			`{"kind":"big","value":9223372036854775807}`,
			`{"kind":"half","value":0.5}`,
			`{"kind":"whole","value":3}`,
			`{"kind":"tiny","value":1e-9}`,
			`{"kind":"secret","value":"dapi-1"}`,
			`{"kind":"object","value":{"b":1,"a":[1,2]}}`,
			`{"kind":"number","value":123456789012345678901234567890}`,
		)},
		{render.CSV, lines(
			`kind,value`,
			`null,`,
			`text,plain`,
			`empty,`,
			`quote,"say ""hi"", <b>"`,
			`true,true`,
			`big,9223372036854775807`,
			`half,0.5`,
			`whole,3`,
			`tiny,1e-9`,
			`secret,dapi-1`,
			`object,"{""b"":1,""a"":[1,2]}"`,
			`number,123456789012345678901234567890`,
		)},
		{render.Text, lines(
			"kind\tvalue",
			"null\tnull",
			"text\tplain",
			"empty\t",
			"quote\tsay \"hi\", <b>",
			"true\ttrue",
			"big\t9223372036854775807",
			"half\t0.5",
			"whole\t3",
			"tiny\t1e-9",
			"secret\tdapi-1",
			"object\t{\"b\":1,\"a\":[1,2]}",
			"number\t123456789012345678901234567890",
		)},
		{render.PPText, lines(
			`kind    value`,
			`null    null`,
			`text    plain`,
			`empty   `,
			`quote   say "hi", <b>`,
			`true    true`,
			`big     9223372036854775807`,
			`half    0.5`,
			`whole   3`,
			`tiny    1e-9`,
			`secret  dapi-1`,
			`object  {"b":1,"a":[1,2]}`,
			`number  123456789012345678901234567890`,
		)},
	} {
		t.Run(string(test.format), func(t *testing.T) {
			out, n, err := write(t, provider.NewRows(header, rows), render.Options{Format: test.format, Header: true})
			if err != nil {
				t.Fatal(err)
			}
			if out != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", out, test.want)
			}
			if n != int64(len(rows)) {
				t.Errorf("reports %d rows, want %d", n, len(rows))
			}
		})
	}
}

func TestHiddenHeader(t *testing.T) {
	for format, want := range map[render.Format]string{
		render.Table:  lines("|---|---|", "| 1 | 2 |", "|---|---|"),
		render.JSON:   lines(`[{"long name":1,"b":2}]`),
		render.JSONL:  lines(`{"long name":1,"b":2}`),
		render.CSV:    lines("1,2"),
		render.Text:   lines("1\t2"),
		render.PPText: lines("1  2"),
	} {
		rows := provider.NewRows(columns("long name", "b"), [][]any{{int64(1), int64(2)}})
		if out := mustWrite(t, rows, render.Options{Format: format}); out != want {
			t.Errorf("%s: got %q, want %q", format, out, want)
		}
	}
}

func TestNoRows(t *testing.T) {
	for _, test := range []struct {
		format       render.Format
		with, hidden string
	}{
		{render.Table, lines("|---|---|", "| a | b |", "|---|---|"), ""},
		{render.JSON, "[]\n", "[]\n"},
		{render.JSONL, "", ""},
		{render.CSV, "a,b\n", ""},
		{render.Text, "a\tb\n", ""},
		{render.PPText, "a  b\n", ""},
	} {
		for header, want := range map[bool]string{true: test.with, false: test.hidden} {
			out := mustWrite(t, provider.NewRows(columns("a", "b"), nil), render.Options{Format: test.format, Header: header})
			if out != want {
				t.Errorf("%s with header %t: got %q, want %q", test.format, header, out, want)
			}
		}
	}
}

func TestNoColumns(t *testing.T) {
	for _, format := range render.Formats() {
		want := ""
		if format == render.JSON {
			want = "[]\n"
		}
		if out := mustWrite(t, provider.NewRows(nil, nil), render.Options{Format: format, Header: true}); out != want {
			t.Errorf("%s: got %q, want %q", format, out, want)
		}
	}
}

func TestBrokenRowsDoNotLookComplete(t *testing.T) {
	cause := &provider.Error{Code: provider.Network, Message: "connection lost"}
	for format, want := range map[render.Format]string{
		render.Table:  lines("|---|", "| a |", "|---|", "| 1 |", "| 2 |"),
		render.JSON:   lines(`[{"a":1},`, `{"a":2}`),
		render.JSONL:  lines(`{"a":1}`, `{"a":2}`),
		render.CSV:    lines("a", "1", "2"),
		render.Text:   lines("a", "1", "2"),
		render.PPText: lines("a", "1", "2"),

		render.Markdown: lines("| a |", "| --- |", "| 1 |", "| 2 |"),
		render.HTML: lines("<table>", "<thead>", `<tr><th scope="col">a</th></tr>`, "</thead>", "<tbody>",
			"<tr><td>1</td></tr>", "<tr><td>2</td></tr>"),
	} {
		rows := broken{provider.NewRows(columns("a"), [][]any{{int64(1)}, {int64(2)}}), cause}
		out, n, err := write(t, rows, render.Options{Format: format, Header: true})
		if !errors.Is(err, cause) {
			t.Errorf("%s: got error %v, want the rows' own", format, err)
		}
		if out != want || n != 2 {
			t.Errorf("%s: got %d rows %q, want %q", format, n, out, want)
		}
		if format == render.JSON && json.Valid([]byte(out)) {
			t.Errorf("a broken result parses: %q", out)
		}
	}
}

func TestNothingIsWrittenWhenTheFirstRowFails(t *testing.T) {
	for _, format := range render.Formats() {
		rows := broken{provider.NewRows(columns("a"), nil), errors.New("refused")}
		out, n, err := write(t, rows, render.Options{Format: format, Header: true})
		if err == nil || out != "" || n != 0 {
			t.Errorf("%s: got %d rows %q and error %v, want nothing and the error", format, n, out, err)
		}
	}
}

func TestWrappedEOFIsAnError(t *testing.T) {
	lost := fmt.Errorf("GET https://example.com: %w", io.EOF)
	out, _, err := write(t, broken{provider.NewRows(columns("a"), nil), lost}, render.Options{Format: render.JSON})
	if !errors.Is(err, lost) || out != "" {
		t.Errorf("got %q and error %v: a lost connection passes for the end of rows", out, err)
	}
}

func TestRowsThatBreakTheirContract(t *testing.T) {
	for name, row := range map[string][]any{
		"too few values": {},
		"unknown type":   {[]byte("x")},
		"not JSON":       {json.RawMessage(`{"a":`)},
	} {
		for _, format := range render.Formats() {
			out, _, err := write(t, provider.NewRows(columns("a"), [][]any{{"fine"}, row}), render.Options{Format: format})
			if provider.CodeOf(err) != provider.Internal || err == nil {
				t.Errorf("%s in %s: got error %v, want an internal one", name, format, err)
			}
			if format == render.JSON && out != "[{\"a\":\"fine\"}\n" {
				t.Errorf("%s in %s: got %q, want the row before it only", name, format, out)
			}
		}
	}
}

func TestWideCharactersLineUp(t *testing.T) {
	rows := [][]any{{"日本", "x"}, {"e\u0301t\u00e9", "x"}, {"🇩🇪🚀", "x"}, {"ｶﾅ", "x"}}
	want := lines(
		"|------|------|",
		"| 名   | Wert |",
		"|------|------|",
		"| 日本 | x    |",
		"| e\u0301té  | x    |",
		"| 🇩🇪🚀 | x    |",
		"| ｶﾅ   | x    |",
		"|------|------|",
	)
	if out := mustWrite(t, provider.NewRows(columns("名", "Wert"), rows), render.Options{Format: render.Table, Header: true}); out != want {
		t.Errorf("got:\n%s\nwant:\n%s", out, want)
	}
}

func TestWidthsSettleAfterAThousandRows(t *testing.T) {
	rows := make([][]any, 1002)
	for i := range rows {
		rows[i] = []any{"ab", "c"}
	}
	rows[1000] = []any{"longer", "c"}
	out := strings.Split(mustWrite(t, provider.NewRows(columns("n", "m"), rows), render.Options{Format: render.Table, Header: true}), "\n")
	if got := strings.Join(out[1002:1006], "\n"); got != "| ab | c |\n| longer | c |\n| ab | c |\n|----|---|" {
		t.Errorf("got:\n%s", got)
	}
}

func TestHostileValuesCannotSteerTheTerminal(t *testing.T) {
	hostile := "\x1b[2J\r\n\a\t\x7f" + "\u009b31m" + "\u202e" + "\u200b" + "\x9b31m"
	rows := func() provider.Rows {
		return provider.NewRows(columns("h\x1b[m", "j"), [][]any{{hostile, json.RawMessage("\"\u202e\u009b\"")}})
	}
	const shown = `\x1b[2J\r\n\a\t\x7f\u009b31m\u202e\u200b` + "\uFFFD31m"
	for format, want := range map[render.Format]string{
		render.Text:   "h\\x1b[m\tj\n" + shown + "\t\"\\u202e\\u009b\"\n",
		render.PPText: "h\\x1b[m" + strings.Repeat(" ", len(shown)-2-len(`h\x1b[m`)) + "  j\n" + shown + "  \"\\u202e\\u009b\"\n",
	} {
		if out := mustWrite(t, rows(), render.Options{Format: format, Header: true}); out != want {
			t.Errorf("%s: got %q, want %q", format, out, want)
		}
	}
	for _, format := range []render.Format{render.Table, render.JSON, render.JSONL} {
		out := mustWrite(t, rows(), render.Options{Format: format, Header: true})
		if i := strings.IndexFunc(strings.ReplaceAll(out, "\n", ""), func(r rune) bool {
			return r < ' ' || r >= 0x7f && r != '\uFFFD'
		}); i >= 0 {
			t.Errorf("%s: a character that steers the terminal came through in %q", format, out)
		}
	}
}

func TestCSVIsExact(t *testing.T) {
	rows := [][]any{{"a;b", " lead"}, {"line\nbreak", "\x1b[m\u202e"}, {"", nil}, {"日本", "\\."}}
	out := mustWrite(t, provider.NewRows(columns("x", "y"), rows), render.Options{Format: render.CSV, Delimiter: ';'})
	reader := csv.NewReader(strings.NewReader(out))
	reader.Comma = ';'
	got, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"a;b", " lead"}, {"line\nbreak", "\x1b[m\u202e"}, {"", ""}, {"日本", "\\."}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("reads back as %q, want %q", got, want)
	}
}

func TestCSVKeepsARowThatHoldsNothing(t *testing.T) {
	out := mustWrite(t, provider.NewRows(columns("x"), [][]any{{nil}, {"a"}, {""}}), render.Options{Format: render.CSV})
	got, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(got) != 3 {
		t.Errorf("%q reads back as %d rows (%v), want 3", out, len(got), err)
	}
}

func TestImpossibleDelimiters(t *testing.T) {
	for _, delimiter := range []rune{'"', '\n', '\r', 0xFFFD, -1} {
		_, _, err := write(t, provider.NewRows(columns("x"), nil), render.Options{Format: render.CSV, Delimiter: delimiter})
		if provider.CodeOf(err) != provider.Usage {
			t.Errorf("delimiter %q: got error %v, want one of usage", delimiter, err)
		}
	}
}

func TestJSONKeepsColumnsOfTheSameName(t *testing.T) {
	rows := provider.NewRows(columns("name", "name_2", "name", "name"), [][]any{{"a", "b", "c", "d"}})
	want := `{"name":"a","name_2":"b","name_3":"c","name_4":"d"}` + "\n"
	if out := mustWrite(t, rows, render.Options{Format: render.JSONL}); out != want {
		t.Errorf("got %s, want %s", out, want)
	}
}

func TestJSONHasNamesForWhatIsNoNumber(t *testing.T) {
	rows := provider.NewRows(columns("a", "b", "c"), [][]any{{math.Inf(1), math.Inf(-1), math.NaN()}})
	want := `{"a":"Infinity","b":"-Infinity","c":"NaN"}` + "\n"
	if out := mustWrite(t, rows, render.Options{Format: render.JSONL}); out != want {
		t.Errorf("got %s, want %s", out, want)
	}
}

func TestParseFormat(t *testing.T) {
	for _, format := range render.Formats() {
		if got, err := render.ParseFormat(strings.ToUpper(string(format))); got != format || err != nil {
			t.Errorf("%s: got %q, %v", format, got, err)
		}
	}
	if got, err := render.ParseFormat("ndjson"); got != render.JSONL || err != nil {
		t.Errorf("ndjson: got %q, %v", got, err)
	}
	_, err := render.ParseFormat("yaml\x1b")
	if provider.CodeOf(err) != provider.Usage || err.Error() != `unknown output format "yaml\x1b"` ||
		provider.HintOf(err) != "use one of table, json, jsonl, csv, text, pptext, markdown, html, parquet, raw" {
		t.Errorf("got %v, hint %q", err, provider.HintOf(err))
	}
	if _, _, err := write(t, provider.NewRows(nil, nil), render.Options{}); provider.CodeOf(err) != provider.Usage {
		t.Errorf("no format: got error %v, want one of usage", err)
	}
}

// TestRaw writes a value as it is, and nothing for a result that is not one value.
func TestRaw(t *testing.T) {
	raw := render.Options{Format: render.Raw, Header: true}
	for want, value := range map[string]any{
		"a,\"b\"\r\n\tc\n": "a,\"b\"\r\n\tc\n", "\x00\xff\u202e": "\x00\xff\u202e", "": "", "12": int64(12), "true": true, `{"a":1}`: json.RawMessage(`{"a": 1}`), "s": provider.Secret("s"),
	} {
		if out, n, err := write(t, provider.NewRows(columns("a"), [][]any{{value}}), raw); err != nil || n != 1 || out != want {
			t.Errorf("%v: got %q, %d rows, %v", value, out, n, err)
		}
	}
	for want, rows := range map[string]provider.Rows{
		"there is no row":         provider.NewRows(columns("a"), nil),
		"there are several rows":  provider.NewRows(columns("a"), [][]any{{"1"}, {"2"}}),
		"the rows have 2 columns": provider.NewRows(columns("a", "b"), [][]any{{"1", "2"}}),
		"this one is null":        provider.NewRows(columns("a"), [][]any{{nil}}),
	} {
		out, _, err := write(t, rows, raw)
		if provider.CodeOf(err) != provider.Usage || out != "" || err.Error() != "raw output is one value, and "+want || provider.HintOf(err) == "" {
			t.Errorf("%s: got %q, %v", want, out, err)
		}
	}
	if _, err := render.Write(t.Context(), &full{0}, provider.NewRows(columns("a"), [][]any{{"1"}}), raw); !errors.Is(err, errFull) {
		t.Errorf("got error %v, want the writer's", err)
	}
	broke := broken{provider.NewRows(columns("a"), [][]any{{"1"}}), errors.New("lost")}
	if out, _, err := write(t, broke, raw); err == nil || out != "" {
		t.Errorf("got %q and %v, want nothing and the error", out, err)
	}
}

// full is a disk with room for some bytes.
type full struct{ room int }

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	n := min(len(p), f.room)
	f.room -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestOutputThatCannotBeWrittenIsAnError(t *testing.T) {
	for _, format := range render.Formats() {
		for _, room := range []int{0, 70_000} {
			if format == render.Raw {
				continue // of one value; see TestRaw
			}
			rows := make([][]any, 20_000)
			random := rand.New(rand.NewPCG(1, 2)) // a Parquet file is compressed
			for i := range rows {
				rows[i] = []any{strconv.FormatUint(random.Uint64(), 36)}
			}
			_, err := render.Write(t.Context(), &full{room}, provider.NewRows(columns("a"), rows), render.Options{Format: format, Header: true})
			if !errors.Is(err, errFull) {
				t.Errorf("%s with room for %d: got error %v, want the writer's", format, room, err)
			}
		}
	}
}
