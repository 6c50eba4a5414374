package statement

import (
	"strings"

	"github.com/xwb1989/sqlparser"
)

// The token types of a sqlScanner. Any other token is one character, which is also its type.
const (
	wordToken   = sqlparser.ID // a word or a quoted name
	stringToken = sqlparser.STRING
	numberToken = sqlparser.INTEGRAL
)

// sqlScanner returns the tokens of a statement that follows SQL's rules: a backslash is a character
// like others, names stand in double quotes or backquotes.
type sqlScanner struct {
	lex     *lexer
	markers [][2]int // where markers such as --required stand, which end at their word
	hints   []hint   // of the hint comments passed
}

// blank returns a part of the text with blanks in place of the markers: SQLite would take them for
// comments to the end of the line.
func (s *sqlScanner) blank(from, to int) string {
	if len(s.markers) == 0 {
		return s.lex.text[from:to]
	}
	text := []byte(s.lex.text[from:to])
	for _, m := range s.markers {
		for i := m[0]; i < m[1]; i++ {
			text[i-from] = ' '
		}
	}
	return string(text)
}

// next returns the next token that is no comment.
func (s *sqlScanner) next() (token, error) {
	l := s.lex
	for {
		start := l.end + len(l.text[l.end:]) - len(strings.TrimLeft(l.text[l.end:], " \t\r\n\f"))
		rest := l.text[start:]
		switch {
		case rest == "":
			l.end = start
			return token{typ: endOfText, start: start}, nil
		case strings.HasPrefix(rest, "/*"):
			length := strings.Index(rest[2:], "*/")
			if length < 0 {
				return token{open: true}, l.openComment(start)
			}
			s.hints = append(s.hints, hintsOf(rest[2:2+length], start+2)...)
			l.end = start + length + 4
			continue
		case strings.HasPrefix(rest, "--"):
			if length, ok := markerEnd(rest); ok {
				s.markers = append(s.markers, [2]int{start, start + length})
				l.end = start + length
				continue
			}
			length := strings.IndexByte(rest, '\n')
			if length < 0 {
				length = len(rest)
			}
			l.end = start + length
			continue
		case strings.HasPrefix(rest, "{{"):
			return token{}, l.placeholder(start)
		}
		t := token{start: start}
		var length int
		if t.typ, length = sqlToken(rest); length < 0 {
			return token{open: true}, l.openQuote(start)
		}
		t.raw = rest[:length]
		l.end = start + length
		return t, nil
	}
}

// sqlToken returns the type and length of the token that s begins with; the length is -1 where a quote
// is not closed.
func sqlToken(s string) (typ, length int) {
	switch c := s[0]; {
	case c == '\'':
		return stringToken, quoted(s)
	case c == '"' || c == '`':
		if length = quoted(s); length == 2 {
			return stringToken, length // "" names nothing
		}
		return wordToken, length
	case len(s) > 1 && (c == 'x' || c == 'X') && s[1] == '\'':
		if length = quoted(s[1:]); length > 0 {
			length++
		}
		return stringToken, length // bytes: x'0102'
	case beginsWord(c):
		return wordToken, wordLength(s)
	case c >= '0' && c <= '9':
		return numberToken, numberLength(s)
	case len(s) > 1 && strings.IndexByte(":@$", c) >= 0 && beginsWord(s[1]):
		return int(c), 1 + wordLength(s[1:]) // a parameter: :name
	default:
		return int(c), 1
	}
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

// quoted returns the length of the quoted text that s begins with, -1 where it has no end.
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

// unquoteName returns the name that a word token stands for.
func unquoteName(raw string) string {
	if raw[0] != '"' && raw[0] != '`' {
		return raw
	}
	return undouble(raw)
}

// undouble takes the quotes off a text in which a quote is written twice.
func undouble(raw string) string {
	quote := raw[:1]
	return strings.ReplaceAll(raw[1:len(raw)-1], quote+quote, quote)
}
