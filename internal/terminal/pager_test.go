package terminal

import "testing"

// TestVisibleWidth measures lines as they appear.
func TestVisibleWidth(t *testing.T) {
	for line, want := range map[string]int{
		"abc\r\n":                  3,
		"\x1b[1mname\x1b[0m | x\n": 8,
		"日本\n":                     4,
		"\x1b[":                    1,
		"":                         0,
	} {
		if got := visibleWidth([]byte(line)); got != want {
			t.Errorf("%q: %d, want %d", line, got, want)
		}
	}
}

// TestPagerCommand finds the pager as psql and git do.
func TestPagerCommand(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for value, want := range map[string]string{"": "", " ": "", "cat": "", "less -S": "less -S"} {
		t.Setenv("PAGER", value)
		if got := pagerCommand(); got != want {
			t.Errorf("PAGER=%q: %q, want %q", value, got, want)
		}
	}
}

// TestHasColor follows NO_COLOR and TERM.
func TestHasColor(t *testing.T) {
	for _, test := range []struct {
		term, none string
		want       bool
	}{{"xterm", "", true}, {"xterm", "1", false}, {"dumb", "", false}, {"", "", false}} {
		t.Setenv("TERM", test.term)
		t.Setenv("NO_COLOR", test.none)
		if got := HasColor(); got != test.want {
			t.Errorf("TERM=%q NO_COLOR=%q: %t", test.term, test.none, got)
		}
	}
}
