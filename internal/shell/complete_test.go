package shell

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// names is a Runner that only suggests.
type names []string

func (names) Run(context.Context, string) iter.Seq2[provider.Rows, error] { return nil }
func (names) Waits(text string) string {
	if strings.HasSuffix(strings.TrimSpace(text), ";") {
		return ""
	}
	return ";"
}
func (names) Used() string                                                  { return "" }
func (names) Interpolate(text string, _ func(string) (string, bool)) string { return text }
func (names) HasSetting(string) bool                                        { return false }
func (names) Kept(text string, _ func(string) bool) string                  { return text }

func (n names) Suggest(text string, cursor int) []string {
	if len(n) > 0 {
		return n
	}
	return []string{fmt.Sprintf("w %q %d", text, cursor)}
}

// TestCompletionLooksAtTheStatementOfTheCursor shows that the runner gets the statement that goes on, with
// the cursor counted in bytes, and not the statements and commands before it.
func TestCompletionLooksAtTheStatementOfTheCursor(t *testing.T) {
	for _, test := range []struct{ before, after, want string }{
		{"é\né w", ";", `w "é\né w;" 7`},
		{"a;\nb w", "\nc", `w "b w\nc" 3`},
		{"\\x\nb w", "", `w "b w" 3`},
		{"\\d w", "", `w "\\d w" 4`},
	} {
		c := completer{runner: names{}}
		word, candidates := c.complete(test.before, test.after)
		if word != "w" || !slices.Equal(candidates, []string{test.want}) {
			t.Errorf("%q: got %q %q, want %q", test.before, word, candidates, test.want)
		}
	}
}

func TestCompletionNeverTakesBackWhatWasTyped(t *testing.T) {
	for _, test := range []struct {
		line   string
		runner names
		want   []string
		insert string
	}{
		{"se", names{"SELECT", "set"}, []string{"SELECT", "set"}, "se"},
		{"se", names{"SELECT", "SELECTION"}, []string{"SELECT", "SELECTION"}, "SELECT"},
		{"x.se", names{"SELECT"}, []string{"SELECT"}, "SELECT"},
		{"se", names{"SELECT", "INSERT"}, []string{"SELECT"}, "SELECT"},
		{"se", names{"se"}, []string{"se"}, "se"},
		{"se", names{"x"}, nil, "se"},
		{"", names{"x"}, []string{"x"}, "x"},
		{"日本", names{"日本語", "日"}, []string{"日本語"}, "日本語"},
		{"日", names{"日本", "日曜"}, []string{"日本", "日曜"}, "日"},
		{"@a", names{"@ab", "ab"}, []string{"@ab"}, "@ab"},
		{`\o j`, names{"x"}, []string{"json", "jsonl"}, "json"},
		{`\o json x`, names{"xy"}, []string{"xy"}, "xy"},
	} {
		c := completer{runner: test.runner}
		word, got := c.complete(test.line, "")
		if insert := extension(word, got); !slices.Equal(got, test.want) || insert != test.insert {
			t.Errorf("%q: got %q and inserts %q, want %q and %q", test.line, got, insert, test.want, test.insert)
		}
	}
}

func TestCandidatesFitTheScreen(t *testing.T) {
	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprintf("table_%02d", i))
	}
	for _, test := range []struct {
		candidates  []string
		width, rows int
		want        []string
	}{
		{[]string{"a", "bb", "ccc"}, 80, 10, []string{"a    bb   ccc"}},
		{[]string{"a", "bb", "ccc"}, 12, 10, []string{"a    ccc", "bb"}},
		{[]string{"日本", "b"}, 80, 10, []string{"日本  b"}},
		{[]string{"abcdefghij"}, 6, 10, []string{"abcd…"}},
		{many, 25, 4, []string{"table_00  table_03", "table_01  table_04", "table_02  table_05", "… and 24 more"}},
		{many[:3], 12, -1, []string{"table_00", "… and 2 more"}},
	} {
		if got := listed(test.candidates, test.width, test.rows); !slices.Equal(got, test.want) {
			t.Errorf("%d columns, %d rows: got %q, want %q", test.width, test.rows, got, test.want)
		}
	}
}

func TestPastedTabsAreWhiteSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c completer
		press := func(after time.Duration, more, want bool) {
			t.Helper()
			time.Sleep(after) // on the test's own clock
			if got := c.isPasted(more); got != want {
				t.Errorf("after %v: got %v, want %v", after, got, want)
			}
		}
		c.begin()
		press(time.Millisecond, false, true)
		press(pasteGap-1, false, true)
		press(pasteGap, false, false)
		c.begin()
		press(time.Second, false, false)
		press(time.Second, true, true) // more keys wait behind it
	})
}
