package postgres

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestEscapes shows that any text and any JSON can be kept by PostgreSQL, and comes back as it was.
func TestEscapes(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"": "", "a é": "a é", "a\x00b": "a␛␀b", "a␀": "a␀", "␛": "␛␛", "␛␀": "␛␛␀", "␛ff": "␛␛ff", "a\xffb": "a␛ffb", "\xc3": "␛c3", "\x00\x00": "␛␀␛␀", "\ufffd": "\ufffd",
	} {
		got := EscapeText(given)
		if got != want || UnescapeText(got) != given {
			t.Errorf("%q is kept as %q, want %q, and comes back as %q", given, got, want, UnescapeText(got))
		}
	}
	for given, want := range map[string]string{ // of older stores
		"␛": "␛", "a␛b": "a␛b", "␛7f": "␛7f", "␛f": "␛f",
	} {
		if got := UnescapeText(given); got != want {
			t.Errorf("%q comes back as %q, want %q", given, got, want)
		}
	}
	for given, want := range map[string]string{
		`{"a":1.10}`: `{"a":1.10}`, `{"a\u0000":["\u0000",12345678901234567890]}`: `{"a␛␀":["␛␀",12345678901234567890]}`,
		`"\\u0000"`: `"\\u0000"`, `{"␛":"␛"}`: `{"␛␛":"␛␛"}`, `"<\u0000>"`: `"<␛␀>"`,
	} {
		got := EscapeJSON(json.RawMessage(given))
		if string(got) != want || string(UnescapeJSON(got)) != given {
			t.Errorf("%s is kept as %s, want %s, and comes back as %s", given, got, want, UnescapeJSON(got))
		}
	}
}

// FuzzEscape holds the two ways against each other.
func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"a\x00␛␀\xff", "␛ff␛␛", "\xe2\x90"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		kept := EscapeText(text)
		if strings.ContainsRune(kept, 0) || !utf8.ValidString(kept) || UnescapeText(kept) != text {
			t.Errorf("%q is kept as %q, and comes back as %q", text, kept, UnescapeText(kept))
		}
	})
}
