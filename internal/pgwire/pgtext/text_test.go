package pgtext

import (
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT 'it''s', E'a\\'b', $q$a'b$q$, \"x\"\"y\" -- c\n;": `SELECT 'it''s' , E'a\'b' , $q$a'b$q$ , "x""y" ;`,
		"a::int<>$12||b->>'c' /* /* in */ */ >= 1.5e3":            `a :: int <> $12 || b ->> 'c' >= 1.5e3`,
		"'open": "'open",
		"$1$2":  "$1 $2",
		"größe": "größe",
	} {
		var got []string
		whole := ""
		for _, token := range Tokens(text) {
			whole += token.Text
		}
		for _, token := range Significant(Tokens(text)) {
			got = append(got, token.Text)
		}
		if strings.Join(got, " ") != want || whole != text {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// FuzzTokens: whatever the text is, its tokens are the text.
func FuzzTokens(f *testing.F) {
	for _, seed := range []string{"SELECT 'a' FROM b -- c", "$$", "$a$x$a$", "/*/", "E'\\", "\"", "::"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at := 0
		for _, token := range Tokens(text) {
			if token.Text == "" || token.Start != at {
				t.Fatalf("%q at %d, want %d", token.Text, token.Start, at)
			}
			at += len(token.Text)
		}
		if at != len(text) {
			t.Fatalf("%d of %d bytes", at, len(text))
		}
	})
}
