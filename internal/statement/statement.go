// Package statement parses the text of statements.
//
// There are two kinds of statement, with different rules for tokens:
//
//   - EXEC, SHOW, DESCRIBE and REGISTRY are StackQL's. The tokenizer of xwb1989/sqlparser reads them,
//     which StackQL's grammar descends from: a backslash escapes a quote.
//   - SELECT, INSERT, UPDATE, DELETE, CREATE and all others follow SQL: a backslash is an ordinary
//     character, and a quote in a string is doubled.
//
// Small recursive-descent parsers find the clauses of a statement. They do not parse the content of a
// clause, such as a condition, an expression or a SELECT. It becomes a [Query]: a text that SQLite
// evaluates, and the names of resources in it. Every Query knows its position in the source.
//
// Every error is a [provider.Error] with a line and a column.
package statement

import (
	"strings"

	"github.com/xwb1989/sqlparser"

	"github.com/lakeql/lakeql/provider"
)

// Statement is *[Exec], *[Query], *[Insert], *[Update], *[Delete], *[Create], *[Refresh], *[Drop],
// *[Explain], *[Show], *[Describe], *[Registry], *[Set], *[Use], *[Purge], *[NativeQuery] or *[Sleep].
type Statement interface {
	// Pos is where the statement begins.
	Pos() provider.Position
}

// Parse reads all statements of a text. Semicolons separate them; the last statement needs none. A text
// of only blanks and comments has no statement.
func Parse(text string) ([]Statement, error) {
	return Scope{}.Parse(text)
}

// all reads the statements to the end of the text.
func (p *parser) all() ([]Statement, error) {
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
		p.scope = p.scope.follow(s)
		if p.token.typ != ';' && p.token.typ != endOfText {
			return nil, p.unexpected("the end of the statement (;)")
		}
	}
}

// skip moves past the rest of a statement and returns the token that ends it. If visit is set, skip calls
// it with each token after the first one, and the two tokens before it.
func skip(lex *lexer, first token, visit func(before []token, t token)) (token, error) {
	if first.is("EXPLAIN") { // the statement behind it has its own rules
		for first.is("EXPLAIN") || first.is("ANALYZE") || first.is("QUERY") || first.is("PLAN") {
			var err error
			if first, err = lex.next(); err != nil || first.ends() {
				return first, err
			}
		}
	}
	next := lex.next
	if !isStackQL(first) {
		next = (&sqlScanner{lex: lex}).next
	}
	before := []token{{}, first}
	for {
		t, err := next()
		if err != nil || t.ends() {
			lex.restart(lex.end)
			return t, err
		}
		if visit != nil {
			visit(before, t)
		}
		before[0], before[1] = before[1], t
	}
}

// isStackQL reports whether a statement that begins with the token is one of StackQL's statements, whose
// strings have escapes.
func isStackQL(first token) bool {
	switch strings.ToUpper(first.raw) {
	case "EXEC", "EXECUTE", "SHOW", "DESCRIBE", "DESC", "REGISTRY":
		return true
	}
	return false
}

// parser holds the token that comes next.
type parser struct {
	lex   *lexer
	token token
	hints []hint // of the comments passed since the statement began
	scope Scope  // of short names

	placeholders int // ? of the EXEC at hand
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
	first, pos := p.token, p.token.pos(p.lex)
	p.hints = first.hints
	if first.is("EXPLAIN") {
		return p.explain(pos)
	}
	if isStackQL(first) {
		st, err := p.stackQL(pos)
		if err == nil {
			_, err = p.lex.words(p.hints)
		}
		return st, err
	}
	word := strings.ToUpper(first.raw)
	if hint, ok := unsupported[word]; ok {
		return nil, notSupported(word, hint, pos)
	}
	parse, ok := grammar[word]
	if !ok {
		return nil, p.unexpected("a statement: SELECT, WITH, VALUES, INSERT, UPDATE, REPLACE, DELETE, EXEC, CREATE, REFRESH, DROP, " +
			"EXPLAIN, SHOW, DESCRIBE, REGISTRY, SET, USE, PURGE, NATIVEQUERY or SLEEP")
	}
	s, err := p.sql(pos)
	if err != nil {
		return nil, err
	}
	parsed, err := parse(s)
	if err != nil {
		return nil, err
	}
	return parsed, s.end()
}

// grammar has the parser of each statement that follows SQL's rules, by its first word.
var grammar = map[string]func(*sqlParser) (Statement, error){
	"SELECT":      (*sqlParser).query,
	"VALUES":      (*sqlParser).query,
	"WITH":        (*sqlParser).with,
	"INSERT":      (*sqlParser).insert,
	"REPLACE":     (*sqlParser).replace,
	"UPDATE":      (*sqlParser).update,
	"DELETE":      (*sqlParser).delete,
	"CREATE":      (*sqlParser).create,
	"REFRESH":     (*sqlParser).refresh,
	"DROP":        (*sqlParser).drop,
	"SET":         (*sqlParser).set,
	"USE":         (*sqlParser).use,
	"PURGE":       (*sqlParser).purge,
	"NATIVEQUERY": (*sqlParser).nativeQuery,
	"SLEEP":       (*sqlParser).sleep,
}

// stackQL reads a statement of StackQL's own.
func (p *parser) stackQL(pos provider.Position) (Statement, error) {
	word := strings.ToUpper(p.token.raw)
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

// SQL returns the name as SQLite reads it, each part in quotes.
func (n Name) SQL() string {
	parts := make([]string, len(n))
	for i, ident := range n {
		parts[i] = quoteName(ident.Text)
	}
	return strings.Join(parts, ".")
}

// name reads a dotted name and completes it; see [parser.checked].
func (p *parser) name(forms ...string) (Name, error) {
	name, err := p.dotted(forms[0])
	if err != nil {
		return nil, err
	}
	return p.checked(p.scope.full(name, strings.Count(forms[0], ".")+1), forms...)
}

// dotted reads a dotted name. An error calls it by its form.
func (p *parser) dotted(form string) (Name, error) {
	var name Name
	for {
		ident, err := p.ident(form)
		if err != nil {
			return nil, err
		}
		name = append(name, ident)
		if p.token.typ != '.' {
			return name, nil
		}
		if err := p.next(); err != nil {
			return nil, err
		}
	}
}

// checked checks that a name has exactly as many parts as one of the forms, such as provider.service. Errors
// name the first form.
func (p *parser) checked(name Name, forms ...string) (Name, error) {
	form := forms[0]
	for _, other := range forms {
		if strings.Count(other, ".")+1 == len(name) {
			return name, nil
		}
	}
	return nil, provider.Usagef("%s has %d parts where %s has %d", name, len(name), form, strings.Count(form, ".")+1).
		At(name[0].Pos).
		Hintf("write the name as %s%s", strings.Join(forms, ", or as "), p.useHint(len(name), form))
}

// useHint is the rest of a hint for a name that USE would complete.
func (p *parser) useHint(parts int, form string) string {
	if all := strings.Count(form, ".") + 1; p.scope.Catalogue == nil || all < 3 || parts >= all || parts < all-2 { //nolint:mnd // provider.service
		return ""
	}
	return "; USE provider.service makes short names work"
}

// ident reads a bare word, keywords included (a method may be called list), or a quoted name.
func (p *parser) ident(form string) (Ident, error) {
	t := p.token
	text := t.raw
	switch {
	case t.typ == endOfText || t.raw == "":
		return Ident{}, p.unexpected(form)
	case t.raw[0] == '`' || t.raw[0] == '"':
		text = undouble(t.raw)
	case !isWord(t.raw):
		return Ident{}, p.unexpected(form)
	}
	return Ident{Text: text, Pos: t.pos(p.lex)}, p.next()
}

// isWord reports whether a token is an identifier or keyword, not an operator, string or parameter.
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

// unexpected is the error for a wrong next token.
func (p *parser) unexpected(wanted string) error {
	return unexpected(p.token, p.token.pos(p.lex), wanted)
}

func unexpected(t token, pos provider.Position, wanted string) error {
	found := provider.Quote(t.raw)
	if t.typ == endOfText {
		found = "the end of the text"
	}
	hint := ""
	if (t.typ == sqlparser.STRING || t.typ == stringToken) && t.raw[0] == '\'' {
		hint = "a quote inside a string is written twice: ''"
	}
	return provider.Usagef("found %s, expected %s", found, wanted).At(pos).Hintf("%s", hint)
}
