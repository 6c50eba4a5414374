package dialect

import (
	"cmp"
	"strings"
)

// The types of token. A token of another kind has its first character for its type.
const (
	Word   = 1 << 16 // a word or a quoted name
	String = 2 << 16 // a text between single quotes, E'…', x'…', or $$…$$
	Number = 3 << 16
)

// Token is a piece of a statement's text: what [Scan] cuts off.
type Token struct {
	Type  int
	Raw   string
	Start int // offset in the text

	length int // in the text, if it is not that of Raw
}

// End is the offset behind the token.
func (t Token) End() int { return t.Start + cmp.Or(t.length, len(t.Raw)) }

// is reports whether the token is a bare word, in any case.
func (t Token) is(word string) bool { return t.Type == Word && strings.EqualFold(t.Raw, word) }

// Scan returns the type and length of the token that s begins with. s is not empty and begins with
// neither blanks nor a comment. The length is -1 if a quote is not closed.
func Scan(s string) (typ, length int) {
	switch c := s[0]; {
	case c == '\'':
		return String, quoted(s)
	case c == '"' || c == '`':
		if length = quoted(s); length == 2 {
			return String, length // "" names nothing
		}
		return Word, length
	case len(s) > 1 && (c == 'x' || c == 'X') && s[1] == '\'':
		return String, prefixed(quoted(s[1:])) // bytes: x'0102'
	case len(s) > 1 && (c == 'e' || c == 'E') && s[1] == '\'':
		return String, prefixed(escaped(s[1:])) // with escapes: E'a\n'
	case c == '$':
		if tag := dollarTag(s); tag != "" {
			if end := strings.Index(s[len(tag):], tag); end >= 0 {
				return String, end + 2*len(tag)
			} else if tag == "$$" {
				return String, -1
			}
		}
		if len(s) > 1 && beginsWord(s[1]) {
			return '$', 1 + wordLength(s[1:])
		}
		return '$', 1
	case beginsWord(c):
		return Word, wordLength(s)
	case c >= '0' && c <= '9':
		return Number, numberLength(s)
	case strings.HasPrefix(s, "::"):
		return ':', 2 // a cast, not the parameter :name
	case len(s) > 1 && (c == ':' || c == '@') && beginsWord(s[1]):
		return int(c), 1 + wordLength(s[1:]) // a parameter: :name
	default:
		return int(c), 1
	}
}

// prefixed adds the letter before a quote to a length.
func prefixed(length int) int {
	if length < 0 {
		return length
	}
	return length + 1
}

// dollarTag returns the sign that a text in dollar quotes begins and ends with, $$ or $tag$; empty if
// none begins here.
func dollarTag(s string) string {
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '$':
			return s[:i+1]
		case !beginsWord(c) && (i == 1 || c < '0' || c > '9'):
			return ""
		}
	}
	return ""
}

// beginsWord reports whether a name may begin with c. As in SQLite, all beyond ASCII are letters.
func beginsWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func wordLength(s string) int {
	length := 1
	for length < len(s) && (beginsWord(s[length]) || s[length] == '$' || s[length] >= '0' && s[length] <= '9') {
		length++
	}
	return length
}

// numberLength takes letters in as well, as in 0x1F and 1e5, and the sign of an exponent.
func numberLength(s string) int {
	hexadecimal := len(s) > 1 && (s[1] == 'x' || s[1] == 'X')
	length := 1
	for length < len(s) {
		c, last := s[length], s[length-1]
		sign := (c == '+' || c == '-') && (last == 'e' || last == 'E') && !hexadecimal
		if !sign && c != '.' && (c < '0' || c > '9') && (c >= 0x80 || !beginsWord(c)) {
			break
		}
		length++
	}
	return length
}

// quoted returns the length of the quoted text that s begins with, -1 if it has no end.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != s[0] {
			continue
		}
		if i+1 < len(s) && s[i+1] == s[0] {
			i++
			continue
		}
		return i + 1
	}
	return -1
}

// escaped is quoted for a text in which a backslash takes the next character with it.
func escaped(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] != s[0]:
		case i+1 < len(s) && s[i+1] == s[0]:
			i++
		default:
			return i + 1
		}
	}
	return -1
}

// unquote returns the name that a word token stands for.
func unquote(raw string) string {
	if raw == "" || raw[0] != '"' && raw[0] != '`' {
		return raw
	}
	return strings.ReplaceAll(raw[1:len(raw)-1], raw[:1]+raw[:1], raw[:1])
}

// identifier quotes a name.
func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal quotes a text.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
