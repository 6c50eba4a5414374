package statement

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/xwb1989/sqlparser"

	"github.com/lakeql/lakeql/provider"
)

// endOfText is the type that sqlparser's tokenizer gives when there is nothing more.
const endOfText = 0

// token is a piece of the text. Its raw text is cut from the source, because the tokenizer
// lower-cases keywords and takes the backslashes out of strings, which JSON needs.
type token struct {
	typ   int
	raw   string
	start int
	hints []string // of the hint comments before it
	open  bool     // a string, quoted name or comment that the text ends in
}

func (t token) pos(l *lexer) provider.Position { return l.position(t.start) }

// lexer gives the tokens of a text without its comments. Comments matter in two ways: hints
// (/*+ … */) are collected, and the marker "--required" of StackQL's documentation ends at its
// word instead of at the end of the line.
type lexer struct {
	text string
	base int // offset in text where tok began
	tok  *sqlparser.Tokenizer
	end  int // offset in text behind the last token

	line      int // that lineStart begins, from 1
	lineStart int // offset in text
}

func newLexer(text string) *lexer {
	l := &lexer{text: text, line: 1}
	l.restart(0)
	return l
}

// restart goes on reading at an offset.
func (l *lexer) restart(offset int) {
	l.base, l.end = offset, offset
	l.tok = sqlparser.NewStringTokenizer(l.text[offset:])
}

// position counts lines from where it last did, because tokens come in order.
func (l *lexer) position(offset int) provider.Position {
	if offset < l.lineStart {
		return provider.PositionAt(l.text, offset)
	}
	between := l.text[l.lineStart:offset]
	if last := strings.LastIndexByte(between, '\n'); last >= 0 {
		l.line += strings.Count(between, "\n")
		l.lineStart += last + 1
	}
	return provider.Position{Line: l.line, Column: utf8.RuneCountInString(l.text[l.lineStart:offset]) + 1, Offset: offset}
}

// next gives the next token that is no comment.
func (l *lexer) next() (token, error) {
	var hints []string
	for {
		start := l.end + blanks(l.text[l.end:])
		rest := l.text[start:]
		if rest == "" {
			l.end = start
			return token{typ: endOfText, start: start, hints: hints}, nil
		}
		if strings.HasPrefix(rest, "/*") {
			// Read here rather than by the tokenizer, which runs what stands in /*! … */.
			length := strings.Index(rest[2:], "*/")
			if length < 0 {
				return token{open: true}, l.fault(start, "the comment that begins here has no end", "end it with */")
			}
			if hint, ok := strings.CutPrefix(rest[2:2+length], "+"); ok {
				hints = append(hints, strings.Fields(strings.ReplaceAll(hint, ",", " "))...)
			}
			l.restart(start + length + 4)
			continue
		}
		if offset, ok := markerEnd(rest); ok {
			l.restart(start + offset)
			continue
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

// lexError words what the tokenizer could not read.
func (l *lexer) lexError(t token) (token, error) {
	rest := l.text[t.start:]
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case r == '\'' || r == '"' || r == '`':
		t.open = true
		return t, l.fault(t.start, "the quote that opens here is not closed", "write a quote inside a string twice: ''")
	case strings.HasPrefix(rest, "{{"):
		placeholder := rest
		if end := strings.Index(rest, "}}"); end >= 0 {
			placeholder = rest[:end+2]
		}
		return t, PlaceholderError(placeholder, l.position(t.start))
	case r >= '0' && r <= '9':
		return t, l.fault(t.start, fmt.Sprintf("%s is not a number", provider.Quote(t.raw)), "put text between single quotes")
	default:
		return t, l.fault(t.start, fmt.Sprintf("unexpected character %s", provider.Quote(rest[:size])), "")
	}
}

func (l *lexer) fault(offset int, message, hint string) error {
	return &provider.Error{
		Code:     provider.Usage,
		Message:  message,
		Hint:     hint,
		Position: l.position(offset),
	}
}

// blanks counts the bytes of leading white space that the tokenizer skips.
func blanks(s string) int { return len(s) - len(strings.TrimLeft(s, " \t\r\n")) }

// markerEnd recognises the marker that StackQL's documentation puts behind required parameters,
// --required or -- required, and gives the offset behind its word. There StackQL reads a comment
// to the end of the line, so that a statement whose lines were joined loses its rest in silence.
// Where the word begins a sentence ("-- required by the auditors"), it is a comment after all.
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
	case "AND", "OR", "GROUP", "ORDER", "LIMIT", "RETURNING", "UNION":
		return len(s) - len(rest), true
	}
	return 0, false
}
