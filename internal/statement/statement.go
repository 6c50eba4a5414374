// Package statement turns the text that a person writes into statements.
//
// The text is cut into tokens by xwb1989/sqlparser's tokenizer, which is the one StackQL's
// grammar descends from; a small recursive-descent parser over them knows the forms that are
// StackQL's own: EXEC with its @parameters, SHOW and DESCRIBE. Every error is a [provider.Error]
// with the line and column it speaks of.
package statement

import (
	"fmt"
	"strings"

	"github.com/xwb1989/sqlparser"

	"github.com/lakeql/lakeql/provider"
)

// Statement is *[Exec], *[Query], *[Show], *[Describe] or *[Registry].
type Statement interface {
	// Pos is where the statement begins.
	Pos() provider.Position
}

// Parse reads all statements of a text, which are separated by semicolons; the last one may go
// without. A text of nothing but blanks and comments has none.
func Parse(text string) ([]Statement, error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	var all []Statement
	for {
		for p.token.typ == ';' {
			if err := p.next(); err != nil {
				return nil, err
			}
		}
		if p.token.typ == endOfText {
			return all, nil
		}
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		all = append(all, s)
		if p.token.typ != ';' && p.token.typ != endOfText {
			return nil, p.unexpected("the end of the statement (;)")
		}
	}
}

// Unfinished reports whether more text may follow before the statements in it can run: the last
// one lacks its semicolon, or a string or comment is still open.
func Unfinished(text string) bool {
	lex := newLexer(text)
	last := endOfText
	for {
		t, err := lex.next()
		if err != nil {
			return t.open
		}
		if t.typ == endOfText {
			return last != ';' && last != endOfText
		}
		last = t.typ
	}
}

// parser holds the token that comes next.
type parser struct {
	lex   *lexer
	token token
	hints []string // of the comments passed since the statement began
}

func newParser(text string) (*parser, error) {
	p := &parser{lex: newLexer(text)}
	return p, p.next()
}

// next moves on by a token.
func (p *parser) next() error {
	t, err := p.lex.next()
	if err != nil {
		return err
	}
	p.token = t
	p.hints = append(p.hints, t.hints...)
	return nil
}

func (p *parser) statement() (Statement, error) {
	pos := p.token.pos(p.lex)
	p.hints = p.token.hints
	word := strings.ToUpper(p.token.raw)
	switch word {
	case "EXEC", "EXECUTE", "SHOW", "DESCRIBE", "DESC", "REGISTRY":
	case "SELECT", "WITH", "VALUES":
		return p.query(pos)
	default:
		return nil, p.unexpected("a statement: SELECT, EXEC, SHOW, DESCRIBE or REGISTRY")
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	switch word {
	case "SHOW":
		return p.show(pos)
	case "DESCRIBE", "DESC":
		return p.describe(pos)
	case "REGISTRY":
		return p.registry(pos)
	default:
		return p.exec(pos)
	}
}

// Name is a dotted name as written; each part knows its place.
type Name []Ident

// Ident is one part of a name.
type Ident struct {
	Text string
	Pos  provider.Position
}

// String joins the parts by dots.
func (n Name) String() string {
	parts := make([]string, len(n))
	for i, ident := range n {
		parts[i] = ident.Text
	}
	return strings.Join(parts, ".")
}

// name reads a dotted name of exactly as many parts as form has, such as provider.service.
func (p *parser) name(form string) (Name, error) {
	var name Name
	start := p.token
	for {
		ident, err := p.ident(form)
		if err != nil {
			return nil, err
		}
		name = append(name, ident)
		if p.token.typ != '.' {
			break
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	if want := strings.Count(form, ".") + 1; len(name) != want {
		return nil, &provider.Error{
			Code:     provider.Usage,
			Message:  fmt.Sprintf("%s has %d parts where %s has %d", name, len(name), form, want),
			Hint:     "write the name as " + form,
			Position: start.pos(p.lex),
		}
	}
	return name, nil
}

// ident reads a bare word, keywords included (a method may be called list), or a quoted name.
func (p *parser) ident(form string) (Ident, error) {
	t := p.token
	text := t.raw
	switch {
	case t.typ == endOfText || t.raw == "":
		return Ident{}, p.unexpected(form)
	case t.raw[0] == '`' || t.raw[0] == '"':
		quote := t.raw[:1]
		text = strings.ReplaceAll(t.raw[1:len(t.raw)-1], quote+quote, quote)
	case !isWord(t.raw):
		return Ident{}, p.unexpected(form)
	}
	return Ident{Text: text, Pos: t.pos(p.lex)}, p.next()
}

// isWord tells identifiers and keywords from operators, strings and parameters.
func isWord(raw string) bool {
	for i, r := range raw {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return raw != ""
}

// keyword reports whether the next token is the word, in any case.
func (p *parser) keyword(word string) bool { return strings.EqualFold(p.token.raw, word) }

// accept moves past the word if it comes next.
func (p *parser) accept(word string) (bool, error) {
	if !p.keyword(word) {
		return false, nil
	}
	return true, p.next()
}

// unexpected is the error that the next token is not what may stand there.
func (p *parser) unexpected(wanted string) error {
	found := provider.Quote(p.token.raw)
	if p.token.typ == endOfText {
		found = "the end of the text"
	}
	hint := ""
	if p.token.typ == sqlparser.STRING && p.token.raw[0] == '\'' {
		hint = "a quote inside a string is written twice: ''"
	}
	return &provider.Error{
		Code:     provider.Usage,
		Message:  fmt.Sprintf("found %s, expected %s", found, wanted),
		Hint:     hint,
		Position: p.token.pos(p.lex),
	}
}
