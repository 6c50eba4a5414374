package dialect

import "strings"

// IsText reports whether one of PostgreSQL's texts begins here that SQLite does not have: E'…', $$…$$, or
// $tag$…$tag$.
func IsText(s string) bool {
	return len(s) > 1 && (s[0] == 'E' || s[0] == 'e') && s[1] == '\'' || strings.HasPrefix(s, "$") && dollarTag(s) != ""
}

// Text reads a text for which [IsText] is true. It is false if an escape in it is not known.
func Text(raw string) (text string, ok bool) {
	if raw[0] == '$' {
		tag := dollarTag(raw)
		return raw[len(tag) : len(raw)-len(tag)], true
	}
	return unescape(raw[2 : len(raw)-1])
}
