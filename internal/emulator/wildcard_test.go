package emulator

import "testing"

func TestWildcards(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "", true},
		{"/a", "/a", true},
		{"/a", "/ab", false},
		{"/a*", "/a", true},
		{"*a", "ba", true},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"a*b*c", "a-b-c", true},
		{"a*b*c", "a-c", false},
		{"a*b*b", "ab", false},
		{"a*b*b", "abb", true},
		{"/p/*/b/*", "/p/1/b/", true},
		{"**", "x", true},
	} {
		if got := wildcard(tt.pattern, tt.text); got != tt.want {
			t.Errorf("%q fits %q: %t", tt.text, tt.pattern, got)
		}
	}
}
