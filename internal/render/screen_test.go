package render_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"

	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

var update = flag.Bool("update", false, "write the golden files")

// branches are rows as they come from a workspace: names, numbers, JSON, times, long texts and NULL.
func branches() ([]provider.Column, [][]any) {
	header := []provider.Column{
		{Name: "name", Type: "string"},
		{Name: "logical_size_bytes", Type: "integer"},
		{Name: "spec", Type: "object"},
		{Name: "create_time", Type: "string", Format: "date-time"},
		{Name: "comment", Type: "string"},
	}
	return header, [][]any{
		{
			"projects/inventory/branches/production", int64(1234567890),
			json.RawMessage(`{"display_name":"Harbor Finch point of sale","pg_version":16,"ttl":null}`), "2026-01-02T03:04:05Z", "null",
		},
		{
			"projects/在庫/branches/家族👩\u200d👩\u200d👧\u200d👦", nil,
			json.RawMessage(`{}`), nil, "made for the tests of the spring release, and kept because the auditors ask for it",
		},
		{"projects/p/branches/b", int64(-5), json.RawMessage(`[1, 2]`), "2026-01-02T03:04:05.123456Z", ""},
	}
}

// TestTableFitsTheTerminal compares tables of several widths with what a person has looked at.
func TestTableFitsTheTerminal(t *testing.T) {
	header, rows := branches()
	for name, opts := range map[string]struct {
		screen render.Screen
		rows   [][]any
	}{
		"narrow":       {render.Screen{Width: 40}, rows},
		"80":           {render.Screen{Width: 80}, rows},
		"120":          {render.Screen{Width: 120}, rows},
		"200":          {render.Screen{Width: 200}, rows},
		"color":        {render.Screen{Width: 120, Color: true}, rows},
		"one-row":      {render.Screen{Width: 120}, rows[:1]},
		"one-row-fits": {render.Screen{Width: 250}, rows[:1]},
		"no-rows":      {render.Screen{Width: 120}, nil},
		"expanded":     {render.Screen{Width: 120, Expanded: render.ExpandedOn}, rows},
		"never":        {render.Screen{Width: 80, Expanded: render.ExpandedOff}, rows},
	} {
		got := mustWrite(t, provider.NewRows(header, opts.rows), render.Options{Format: render.Table, Header: true, Screen: &opts.screen})
		testworld.Golden(t, filepath.Join("testdata", "screen", name+".txt"), got, *update)
	}
}

// TestScreenKeepsWhatCanBeCopied writes a token that is wider than the terminal in one line.
func TestScreenKeepsWhatCanBeCopied(t *testing.T) {
	token := strings.Repeat("eyJ0b2tlbiI6", 20)
	rows := provider.NewRows(columns("token", "expire_time"), [][]any{{provider.Secret(token), "2026-01-02T03:04:05Z"}})
	got := mustWrite(t, rows, render.Options{Format: render.Table, Header: true, Screen: &render.Screen{Width: 80}})
	if !strings.Contains(got, "| "+token+"\n") {
		t.Errorf("the token is not in one line:\n%s", got)
	}
}

// TestScreenOfOneText writes a text of several lines without a frame, so that it can be copied.
func TestScreenOfOneText(t *testing.T) {
	const text = "SELECT\n\t'é 表'\n;"
	write := func(columns []provider.Column, expanded render.Expanded, rows ...[]any) string {
		return mustWrite(t, provider.NewRows(columns, rows), render.Options{Format: render.Table, Header: true, Screen: &render.Screen{Width: 80, Expanded: expanded}})
	}
	if got := write(columns("statement"), render.ExpandedAuto, []any{text}); got != text+"\n" {
		t.Errorf("got %q", got)
	}
	for name, got := range map[string]string{
		"of two rows":    write(columns("statement"), render.ExpandedAuto, []any{text}, []any{text}),
		"of two columns": write(columns("statement", "n"), render.ExpandedAuto, []any{text, "1"}),
		"on request":     write(columns("statement"), render.ExpandedOn, []any{text}),
		"of one line":    write(columns("statement"), render.ExpandedAuto, []any{"SELECT 1\n"}),
		"that steers":    write(columns("statement"), render.ExpandedAuto, []any{"a\n\x1b[2J"}),
		"a credential":   write(columns("statement"), render.ExpandedAuto, []any{provider.Secret("a\nb")}),
	} {
		if !strings.Contains(got, "statement") || strings.Contains(got, "\x1b[2J") {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// TestScreenAfterTheFirstRows writes a wide value after the widths are settled: it is shortened too.
func TestScreenAfterTheFirstRows(t *testing.T) {
	rows := make([][]any, 1001)
	for i := range rows {
		rows[i] = []any{"short", int64(i)}
	}
	rows[1000][0] = "a text that is too long for its column"
	got := mustWrite(t, provider.NewRows(columns("text", "n"), rows), render.Options{Format: render.Table, Header: true, Screen: &render.Screen{Width: 80}})
	if !strings.Contains(got, "| a te… | 1000 |\n") {
		t.Errorf("got\n%s", got[len(got)-200:])
	}
}

// TestNumbersAreToTheRight compares columns by their values, because an expression has no type.
func TestNumbersAreToTheRight(t *testing.T) {
	rows := [][]any{{int64(1), "1", 0.5, nil}, {int64(100), "100", int64(20), json.RawMessage("12345678901234567890")}}
	want := lines(
		"|-----|------|-----|----------------------|",
		"| int | text | mix |                  big |",
		"|-----|------|-----|----------------------|",
		"|   1 | 1    | 0.5 |                 NULL |",
		"| 100 | 100  |  20 | 12345678901234567890 |",
		"|-----|------|-----|----------------------|",
	)
	if got := mustWrite(t, provider.NewRows(columns("int", "text", "mix", "big"), rows), render.Options{Format: render.Table, Header: true, Screen: &render.Screen{Width: 80}}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestMarkup writes tables for documents. Nothing in a value is read as markup.
func TestMarkup(t *testing.T) {
	header := []provider.Column{{Name: "a|b"}, {Name: "n", Type: "integer"}}
	rows := [][]any{{"<b>x</b> *y* | [z](u) `c`\n2 & 3\x1b", int64(7)}, {nil, nil}}
	for format, want := range map[render.Format]string{
		render.Markdown: lines(`| a\|b | n |`, `| --- | --: |`,
			"| &lt;b&gt;x&lt;/b&gt; \\*y\\* \\| \\[z\\](u) \\`c\\`<br>2 &amp; 3\\x1b | 7 |", `|  |  |`, ``),
		render.HTML: lines(`<table>`, `<thead>`, `<tr><th scope="col">a|b</th><th scope="col">n</th></tr>`, `</thead>`, `<tbody>`,
			"<tr><td>&lt;b&gt;x&lt;/b&gt; *y* | [z](u) `c`<br>2 &amp; 3\\x1b</td><td align=\"right\">7</td></tr>",
			`<tr><td class="null"></td><td class="null"></td></tr>`, `</tbody>`, `</table>`),
	} {
		if got := mustWrite(t, provider.NewRows(header, rows), render.Options{Format: format, Header: true}); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", format, got, want)
		}
	}
}

// FuzzScreen writes arbitrary texts: no line of a table is wider than the terminal, and no character
// controls it.
func FuzzScreen(f *testing.F) {
	f.Add("name", "a b", 40)
	f.Add("家族👩\u200d👩\u200d👧\u200d👦", "\x1b[2J\u202e\r\nx", 80)
	f.Add("e\u0301", strings.Repeat("x ", 200), 30)
	f.Add("\u200d👩\u200d", "\u200d\u200d", 33)
	f.Fuzz(func(t *testing.T, name, text string, width int) {
		width = 30 + (width%200+200)%200
		var out bytes.Buffer
		rows := provider.NewRows(columns(name, "n"), [][]any{{text, int64(1)}, {name, int64(2)}})
		opts := render.Options{Format: render.Table, Header: true, Screen: &render.Screen{Width: width}}
		if _, err := render.Write(t.Context(), &out, rows, opts); err != nil {
			t.Fatal(err)
		}
		measure := runewidth.Condition{StrictEmojiNeutral: true}
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSuffix(line, "\n")
			if got := measure.StringWidth(line); got > width && out.Bytes()[0] == '|' { // a value a line has any width
				t.Errorf("%q has the width %d of %d", line, got, width)
			}
			if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x202e }) {
				t.Errorf("%q controls the terminal", line)
			}
		}
	})
}
