// Package pgtext cuts statements into tokens as PostgreSQL does.
package pgtext

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/dialect"
)

// Kind is what a token is.
type Kind int

// The kinds of token.
const (
	Blank  Kind = iota // white space and comments
	Word               // a keyword or a name without quotes
	Quoted             // a name in quotes
	String             // a string of any kind
	Numeric
	Placeholder // a placeholder: $1
	Sign        // any other sign
)

// Token is a piece of a text.
type Token struct {
	Kind  Kind
	Text  string
	Start int // offset in the text
}

// Tokens cuts a text as PostgreSQL does. Together they are the whole text; what is open at its end goes to
// the end.
func Tokens(text string) []Token {
	var all []Token
	for i := 0; i < len(text); {
		k, n := next(text[i:])
		all = append(all, Token{k, text[i : i+n], i})
		i += n
	}
	return all
}

// next is the kind and the length of the first token.
func next(text string) (Kind, int) {
	c := text[0]
	switch {
	case isBlank(c):
		n := 1
		for n < len(text) && isBlank(text[n]) {
			n++
		}
		return Blank, n
	case strings.HasPrefix(text, "--"):
		if n := strings.IndexByte(text, '\n'); n >= 0 {
			return Blank, n
		}
		return Blank, len(text)
	case strings.HasPrefix(text, "/*"):
		return Blank, comment(text)
	case c == '$' && len(text) > 1 && isDigit(text[1]):
		n := 1
		for n < len(text) && isDigit(text[n]) {
			n++
		}
		return Placeholder, n
	}
	for _, operator := range operators {
		if strings.HasPrefix(text, operator) {
			return Sign, len(operator)
		}
	}
	typ, n := dialect.Scan(text)
	if n < 0 {
		n = len(text) // what is open goes to the end
	}
	switch {
	case typ == dialect.String:
		return String, n
	case typ == dialect.Word && (c == '"' || c == '`'):
		return Quoted, n
	case typ == dialect.Word:
		return Word, n
	case typ == dialect.Number:
		return Numeric, n
	}
	return Sign, n
}

// operators are those of more than one sign, long ones first.
var operators = []string{"->>", "#>>", "::", "<>", "<=", ">=", "!=", "||", "->", "#>", "@>", "<@", ":="} //nolint:gochecknoglobals // a table of data

// comment is the length of a comment, which may hold others.
func comment(text string) int {
	depth := 0
	for i := 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], "/*"):
			depth++
			i += 2
		case strings.HasPrefix(text[i:], "*/"):
			depth--
			i += 2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return len(text)
}

func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// Significant leaves the white space and the comments out.
func Significant(all []Token) []Token {
	return slices.DeleteFunc(slices.Clone(all), func(t Token) bool { return t.Kind == Blank })
}

// Unquote takes the quotes off a name or a plain string.
func Unquote(text string) string {
	if len(text) > 1 && strings.IndexByte("'\"`", text[0]) >= 0 && text[len(text)-1] == text[0] {
		quote := text[:1]
		return strings.ReplaceAll(text[1:len(text)-1], quote+quote, quote)
	}
	return text
}

// Number reads digits, up to a number that is more than enough.
func Number(digits string) int {
	n := 0
	for _, c := range digits {
		n = min(n*10+int(c-'0'), 1<<16)
	}
	return n
}

// Dialect cuts a text into the tokens of package dialect, with blanks in place of its comments. closed is
// false if a quote is open at its end.
func Dialect(text string) (plain string, tokens []dialect.Token, closed bool) {
	b := []byte(text)
	for _, t := range Tokens(text) {
		end := t.Start + len(t.Text)
		if t.Kind == Blank {
			for i := t.Start; i < end; i++ {
				b[i] = ' '
			}
			continue
		}
		for at := t.Start; at < end; {
			typ, n := dialect.Scan(text[at:end])
			if n < 0 {
				return text, nil, false
			}
			tokens = append(tokens, dialect.Token{Type: typ, Raw: text[at : at+n], Start: at})
			at += n
		}
	}
	return string(b), tokens, true
}
