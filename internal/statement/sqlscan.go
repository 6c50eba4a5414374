package statement

import (
	"strings"

	"github.com/lakeql/lakeql/internal/dialect"
)

// The token types of a sqlScanner. Any other token is one character, which is also its type.
const (
	wordToken   = dialect.Word // a word or a quoted name
	stringToken = dialect.String
	numberToken = dialect.Number
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
				return token{open: true, raw: "/*"}, l.openComment(start)
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
		if t.typ, length = dialect.Scan(rest); length < 0 {
			return token{open: true, raw: rest}, l.openQuote(start)
		}
		t.raw = rest[:length]
		l.end = start + length
		return t, nil
	}
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
