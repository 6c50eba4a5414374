package statement

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/xwb1989/sqlparser"

	"github.com/lakeql/lakeql/internal/dialect"
	"github.com/lakeql/lakeql/provider"
)

// endOfText is the type that sqlparser's tokenizer returns at the end of the text.
const endOfText = 0

// token is a piece of the text. Its raw text is cut from the source, because the tokenizer
// lower-cases keywords and takes the backslashes out of strings, which JSON needs.
type token struct {
	typ   int
	raw   string
	start int
	hints []hint // of the hint comments before it
	open  bool   // a string, quoted name or comment that the text ends in
}

func (t token) pos(l *lexer) provider.Position { return l.position(t.start) }

// end is the offset behind the token.
func (t token) end() int { return t.start + len(t.raw) }

// ends reports whether the token ends a statement.
func (t token) ends() bool { return t.typ == ';' || t.typ == endOfText }

// is reports whether the token is a word, in any case. A quoted name is not a word.
func (t token) is(word string) bool { return strings.EqualFold(t.raw, word) }

// lexer returns the tokens of a text without its comments. Comments matter in two ways: hints
// (/*+ … */) are collected, and the marker "--required" of StackQL's documentation ends at its
// word instead of at the end of the line.
type lexer struct {
	text string
	base int                  // offset in text where tok began
	tok  *sqlparser.Tokenizer // nil until a token is asked for
	end  int                  // offset in text behind the last token

	places locator
}

func newLexer(text string) *lexer {
	return &lexer{text: text, places: newLocator(text)}
}

// restart goes on reading at an offset.
func (l *lexer) restart(offset int) {
	l.base, l.end, l.tok = offset, offset, nil
}

func (l *lexer) position(offset int) provider.Position { return l.places.position(offset) }

// locator finds the lines and columns of tokens. It counts from where it last looked, because most
// are asked for in order.
type locator struct {
	text   string
	last   provider.Position
	origin *origin // of the text, if that is a translation
}

func newLocator(text string) locator {
	return locator{text: text, last: provider.Position{Line: 1, Column: 1}}
}

func (l *locator) position(offset int) provider.Position {
	if l.origin != nil {
		return l.origin.position(l.text, offset)
	}
	if offset < l.last.Offset {
		return provider.PositionAt(l.text, offset)
	}
	between := l.text[l.last.Offset:offset]
	if end := strings.LastIndexByte(between, '\n'); end >= 0 {
		l.last.Line += strings.Count(between, "\n")
		l.last.Column = 1
		between = between[end+1:]
	}
	l.last.Column += utf8.RuneCountInString(between)
	l.last.Offset = offset
	return l.last
}

// next returns the next token that is no comment.
func (l *lexer) next() (token, error) {
	var hints []hint
	for {
		start := l.end + blanks(l.text[l.end:])
		rest := l.text[start:]
		if rest == "" {
			l.end = start
			return token{typ: endOfText, start: start, hints: hints}, nil
		}
		if strings.HasPrefix(rest, "/*") {
			// The lexer reads this comment itself, because the tokenizer executes the text of /*! … */.
			length := strings.Index(rest[2:], "*/")
			if length < 0 {
				return token{open: true, raw: "/*"}, l.openComment(start)
			}
			hints = append(hints, hintsOf(rest[2:2+length], start+2)...)
			l.restart(start + length + 4)
			continue
		}
		if offset, ok := markerEnd(rest); ok {
			l.restart(start + offset)
			continue
		}
		if dialect.IsText(rest) { // nor PostgreSQL's texts
			typ, length := dialect.Scan(rest)
			if typ != stringToken || length < 0 {
				return token{open: true}, l.fault(start, "the text that begins here has no end", "end it as it began: with ' or $$")
			}
			l.restart(start + length)
			return token{typ: stringToken, raw: rest[:length], start: start, hints: hints}, nil
		}
		if length := numbered(rest); length > 0 { // the tokenizer does not know $1
			l.restart(start + length)
			return token{typ: '$', raw: rest[:length], start: start, hints: hints}, nil
		}
		if l.tok == nil {
			// From a reader, because a tokenizer of a string copies it, here once a statement.
			l.tok = sqlparser.NewTokenizer(strings.NewReader(l.text[l.base:]))
		}
		typ, _ := l.tok.Scan()
		l.end = min(l.base+l.tok.Position-1, len(l.text))
		t := token{typ: typ, raw: l.text[start:l.end], start: start, hints: hints}
		switch typ {
		case sqlparser.COMMENT:
			continue
		case sqlparser.LEX_ERROR:
			return l.lexError(t)
		}
		return t, nil
	}
}

// numbered is the length of the placeholder $1 that a text begins with; 0 if it begins with something else.
func numbered(text string) int {
	length := 1
	for length < len(text) && text[length] >= '0' && text[length] <= '9' {
		length++
	}
	if text[0] != '$' || length == 1 {
		return 0
	}
	return length
}

// lexError returns the error for text that the tokenizer could not read.
func (l *lexer) lexError(t token) (token, error) {
	rest := l.text[t.start:]
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case r == '\'' || r == '"' || r == '`':
		t.open = true
		return t, l.openQuote(t.start)
	case strings.HasPrefix(rest, "{{"):
		return t, l.placeholder(t.start)
	case r >= '0' && r <= '9':
		return t, l.fault(t.start, fmt.Sprintf("%s is not a number", provider.Quote(t.raw)), "put text between single quotes")
	default:
		return t, l.fault(t.start, fmt.Sprintf("unexpected character %s", provider.Quote(rest[:size])), "")
	}
}

func (l *lexer) openComment(start int) error {
	return l.fault(start, "the comment that begins here has no end", "end it with */")
}

func (l *lexer) openQuote(start int) error {
	return l.fault(start, "the quote that opens here is not closed", "write a quote inside a string twice: ''")
}

// placeholder is the error about the {{ name }} that begins at an offset.
func (l *lexer) placeholder(start int) error {
	text := l.text[start:]
	if end := strings.Index(text, "}}"); end >= 0 {
		text = text[:end+2]
	}
	return PlaceholderError(text, l.position(start))
}

func (l *lexer) fault(offset int, message, hint string) error {
	return provider.Usagef("%s", message).At(l.position(offset)).Hintf("%s", hint)
}

// blanks counts the bytes of leading white space that the tokenizer skips.
func blanks(s string) int { return len(s) - len(strings.TrimLeft(s, " \t\r\n")) }

// markerEnd recognises the marker for required parameters in StackQL's documentation, --required or
// -- required, and returns the offset after its word. StackQL reads a comment to the end of the line
// there, so that a statement whose lines were joined silently loses its rest. If the word begins a
// sentence ("-- required by the auditors"), it is a comment.
func markerEnd(s string) (int, bool) {
	rest, ok := strings.CutPrefix(s, "--")
	if !ok {
		return 0, false
	}
	rest = strings.TrimLeft(rest, " \t")
	const word = "required"
	if len(rest) < len(word) || !strings.EqualFold(rest[:len(word)], word) {
		return 0, false
	}
	rest = rest[len(word):]
	line, _, _ := strings.Cut(rest, "\n")
	line = strings.TrimSpace(line)
	if line == "" || strings.ContainsRune("@,;)-/", rune(line[0])) {
		return len(s) - len(rest), true
	}
	first, _, _ := strings.Cut(line, " ")
	switch strings.ToUpper(first) {
	case "AND", "OR", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "RETURNING", "UNION", "EXCEPT", "INTERSECT":
		return len(s) - len(rest), true
	}
	return 0, false
}
