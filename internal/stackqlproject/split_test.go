package stackqlproject

import (
	"fmt"
	"strings"
	"testing"
)

// TestSplit shows where the statements of a file begin and end.
func TestSplit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                      "",
		" ; ;":                  "",
		"-- only a remark":      "",
		"SELECT 1; SELECT ';' ": ":1:SELECT 1|:1:SELECT ';'",
		"/*+ exists */\nSELECT 1\n/*+ Exports, retries=3 */\nSELECT 2;\n": "exists:2:SELECT 1|exports:4:SELECT 2",
		"SELECT '{{ a | replace('x;', 'y') }}; z';\nSELECT 2":             ":1:SELECT '{{ a | replace('x;', 'y') }}; z'|:2:SELECT 2",
		"SELECT /*+ AWAIT */ 1 -- ; not here\n; /* ; */ SELECT 'it''s;'":  ":1:SELECT /*+ AWAIT */ 1 -- ; not here|:2:SELECT 'it''s;'",
		"/*+ create */\n-- a remark\nINSERT 'open":                        "create:3:INSERT 'open",
		"SELECT {{ open":   ":1:SELECT {{ open",
		"SELECT 1 /* open": ":1:SELECT 1 /* open",
	} {
		var got []string
		for _, p := range split(text) {
			got = append(got, fmt.Sprintf("%s:%d:%s", p.anchor, p.line, p.text))
		}
		if made := strings.Join(got, "|"); made != want {
			t.Errorf("%q: %s, want %s", text, made, want)
		}
	}
}
