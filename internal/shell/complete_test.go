package shell

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// names is a Runner that only suggests.
type names []string

func (names) Run(context.Context, string) iter.Seq2[provider.Rows, error] { return nil }
func (names) Waits(string) string                                         { return "" }
func (names) Used() string                                                { return "" }
func (names) Shown(text string) string                                    { return text }

func (n names) Suggest(text string, cursor int) []string {
	if len(n) > 0 {
		return n
	}
	return []string{fmt.Sprintf("w %q %d", text, cursor)}
}

func TestCompletionCountsBytesForTheRunner(t *testing.T) {
	c := completer{runner: names{}, earlier: "é\n"}
	head, candidates, tail := c.complete("␤é w;␤", 4)
	if head != "␤é " || tail != ";␤" || !slices.Equal(candidates, []string{`w "é\n\né w;\n" 8`}) {
		t.Errorf("got %q %q %q", head, candidates, tail)
	}
}

func TestCompletionNeverTakesBackWhatWasTyped(t *testing.T) {
	many := make(names, 300)
	for i := range many {
		many[i] = fmt.Sprintf("table_%03d", i)
	}
	for _, test := range []struct {
		line   string
		runner names
		want   []string
	}{
		{"se", names{"SELECT", "set"}, []string{"seLECT", "set"}},
		{"x.se", names{"SELECT"}, []string{"SELECT"}},
		{"se", names{"SELECT", "INSERT"}, []string{"SELECT"}},
		{"se", names{"se"}, []string{"se "}},
		{"se", names{"x"}, []string{"se "}},
		{"", names{"x"}, []string{"x"}},
		{"日本", names{"日本語", "日"}, []string{"日本語"}},
		{"@a", names{"@ab", "ab"}, []string{"@ab"}},
		{`\o j`, names{"x"}, []string{"json", "jsonl"}},
		{`\o json x`, names{"xy"}, []string{"xy"}},
		{"ta", many, append(slices.Clone(many[:99]), "ta")},
	} {
		c := completer{runner: test.runner}
		_, got, _ := c.complete(test.line, len([]rune(test.line)))
		if !slices.Equal(got, test.want) {
			t.Errorf("%q: got %q, want %q", test.line, got, test.want)
		}
	}
}

func TestPastedTabsAreWhiteSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := completer{runner: names{"SELECT"}}
		press := func(after time.Duration, want string) {
			t.Helper()
			time.Sleep(after) // on the test's own clock
			if _, got, _ := c.complete("se", 2); !slices.Equal(got, []string{want}) {
				t.Errorf("after %v: got %q, want %q", after, got, want)
			}
		}
		c.begin("")
		press(time.Millisecond, "se ")
		press(pasteGap-1, "se ")
		press(pasteGap, "SELECT")
		c.begin("")
		press(time.Second, "SELECT")
	})
}
