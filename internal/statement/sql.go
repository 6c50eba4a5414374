package statement

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// sqlParser reads a statement that follows SQL's rules. It has all tokens of the statement.
type sqlParser struct {
	pos    provider.Position // of the statement
	source string
	text   string  // the statement without its end, with blanks in place of markers
	tokens []token // the last one is what ends the statement
	names  []dotted
	hints  []string // upper case, in order
	places locator
	at     int // the token that comes next
	scope  Scope
	// origin is set if the statement was translated from PostgreSQL's spelling: source is then the text
	// of the translated statement alone.
	origin *origin
}

// sql reads the tokens of a statement, beginning with the parser's current one, to its end.
func (p *parser) sql(pos provider.Position) (*sqlParser, error) {
	start := p.token.start
	p.lex.end = start
	scanner := &sqlScanner{lex: p.lex}
	s := &sqlParser{pos: pos, source: p.lex.text, places: locator{text: p.lex.text, last: pos}, scope: p.scope}
	for {
		t, err := scanner.next()
		if err != nil {
			return nil, err
		}
		s.tokens = append(s.tokens, t)
		if t.ends() {
			break
		}
	}
	end := s.tokens[len(s.tokens)-1].start
	s.text = scanner.blank(start, end)
	if err := s.translate(); err != nil {
		return nil, err
	}
	s.names = dottedNames(s.tokens, s.places)
	if err := s.complete(); err != nil {
		return nil, err
	}
	var err error
	if s.hints, err = p.lex.words(append(slices.Clone(p.hints), scanner.hints...)); err != nil {
		return nil, err
	}
	p.lex.restart(end)
	return s, p.next()
}

// token returns the next token.
func (s *sqlParser) token() token { return s.tokens[s.at] }

// last is the index of the token that ends the statement.
func (s *sqlParser) last() int { return len(s.tokens) - 1 }

func (s *sqlParser) unexpected(wanted string) error {
	return unexpected(s.token(), s.places.position(s.token().start), wanted)
}

// end checks that the statement ends here.
func (s *sqlParser) end() error {
	if s.at < s.last() {
		return s.unexpected("the end of the statement (;)")
	}
	return nil
}

// keyword reports whether the words come next.
func (s *sqlParser) keyword(words ...string) bool {
	for i, word := range words {
		if s.at+i >= s.last() || !s.tokens[s.at+i].is(word) {
			return false
		}
	}
	return true
}

// accept moves past the words if they come next.
func (s *sqlParser) accept(words ...string) bool {
	found := s.keyword(words...)
	if found {
		s.at += len(words)
	}
	return found
}

// expect moves past the words, which have to come next.
func (s *sqlParser) expect(words ...string) error {
	for _, word := range words {
		if !s.accept(word) {
			return s.unexpected(word)
		}
	}
	return nil
}

// ident reads a word, keywords included, or a quoted name.
func (s *sqlParser) ident(wanted string) (Ident, error) {
	t := s.token()
	if t.typ != wordToken {
		return Ident{}, s.unexpected(wanted)
	}
	s.at++
	return Ident{Text: unquoteName(t.raw), Pos: s.places.position(t.start)}, nil
}

// dotted reads a name of one or more parts.
func (s *sqlParser) dotted(wanted string) (Name, error) {
	var name Name
	for {
		part, err := s.ident(wanted)
		if err != nil {
			return nil, err
		}
		name = append(name, part)
		if !s.accept(".") {
			return name, nil
		}
	}
}

// column reads the name of a column, which may have dots: an attribute inside another.
func (s *sqlParser) column() (Ident, error) {
	name, err := s.dotted("a column")
	if err != nil {
		return Ident{}, err
	}
	return Ident{Text: name.String(), Pos: name[0].Pos}, nil
}

// columns reads (a, b, …), if a bracket comes next.
func (s *sqlParser) columns() ([]Ident, error) {
	if !s.accept("(") {
		return nil, nil
	}
	var all []Ident
	for {
		column, err := s.column()
		if err != nil {
			return nil, err
		}
		all = append(all, column)
		if s.accept(")") {
			return all, nil
		}
		if !s.accept(",") {
			return nil, s.unexpected("a comma or ) after the column " + provider.Quote(column.Text))
		}
	}
}

// target reads the name of the table or resource that a statement writes to.
func (s *sqlParser) target() (Name, error) {
	name, err := s.dotted("the resource (provider.service.resource) or table")
	if err != nil {
		return nil, err
	}
	if len(name) > 3 {
		return nil, provider.Usagef("%s has too many parts", provider.Printable(name.String())).
			At(name[0].Pos).
			Hintf("a resource is named provider.service.resource, a table of your own by one word")
	}
	return name, nil
}

// alias reads AS name, if it comes next.
func (s *sqlParser) alias() (string, error) {
	if !s.accept("AS") {
		return "", nil
	}
	name, err := s.ident("a name after AS")
	return name.Text, err
}

// conflict reads the word of INSERT OR REPLACE and its like, if OR comes next.
func (s *sqlParser) conflict() (string, error) {
	if !s.accept("OR") {
		return "", nil
	}
	for _, word := range []string{"ABORT", "FAIL", "IGNORE", "REPLACE", "ROLLBACK"} {
		if s.accept(word) {
			return word, nil
		}
	}
	return "", s.unexpected("ABORT, FAIL, IGNORE, REPLACE or ROLLBACK after OR")
}

// balanced checks that each bracket has its other half, so that a clause cannot reach beyond its end.
func (s *sqlParser) balanced() error {
	var open []token
	fault := func(t token, message string) error {
		return provider.Usagef("%s", message).At(s.places.position(t.start))
	}
	for _, t := range s.tokens {
		switch t.typ {
		case '(':
			open = append(open, t)
		case ')':
			if len(open) == 0 {
				return fault(t, "the bracket ) closes none that is open")
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return fault(open[len(open)-1], "the bracket that opens here is not closed")
	}
	return nil
}

// clauses are the words of SQL that begin a clause, and are never names unless quoted.
var clauses = map[string]bool{
	"EXCEPT": true, "FROM": true, "GROUP": true, "HAVING": true, "INTERSECT": true, "LIMIT": true, "ORDER": true,
	"RETURNING": true, "SELECT": true, "SET": true, "UNION": true, "VALUES": true, "WHERE": true,
}

// clause reports whether the token begins a clause.
func (s *sqlParser) clause(i int) bool {
	t := s.tokens[i]
	return t.typ == wordToken && clauses[strings.ToUpper(t.raw)] && !s.isPart(i) && !isDistinctFrom(s.tokens, i)
}

// isPart reports whether the token is a further part of a dotted name.
func (s *sqlParser) isPart(i int) bool { return i > 0 && s.tokens[i-1].typ == '.' }

// until moves to the next token outside of brackets at which stop holds, or to the end.
func (s *sqlParser) until(stop func(i int) bool) {
	depth := 0
	for ; s.at < s.last(); s.at++ {
		switch {
		case depth == 0 && stop(s.at):
			return
		case s.token().typ == '(':
			depth++
		case s.token().typ == ')':
			depth--
		}
	}
}

// list reads the text of a clause up to the next clause.
func (s *sqlParser) list(wanted string) (*Query, error) {
	return s.upTo(wanted, s.clause)
}

// expression reads the text of one expression, up to a comma or the next clause.
func (s *sqlParser) expression(wanted string) (*Query, error) {
	return s.upTo(wanted, func(i int) bool { return s.tokens[i].typ == ',' || s.clause(i) })
}

func (s *sqlParser) upTo(wanted string, stop func(i int) bool) (*Query, error) {
	from := s.at
	s.until(stop)
	if s.at == from {
		return nil, s.unexpected(wanted)
	}
	return s.part(from, s.at), nil
}

// where reads WHERE and its condition, if it comes next.
func (s *sqlParser) where() (*Query, error) {
	if !s.accept("WHERE") {
		return nil, nil //nolint:nilnil // there is none
	}
	return s.expression("a condition after WHERE")
}

// returning reads RETURNING and its columns, if it comes next.
func (s *sqlParser) returning() (*Query, error) {
	if !s.accept("RETURNING") {
		return nil, nil //nolint:nilnil // there is none
	}
	return s.list("columns after RETURNING")
}

// subquery reads a SELECT, WITH … SELECT or VALUES, up to where stop holds.
func (s *sqlParser) subquery(wanted string, stop func(i int) bool) (*Query, error) {
	from := s.at
	if !s.keyword("SELECT") && !s.keyword("VALUES") && !s.keyword("WITH") {
		return nil, s.unexpected(wanted)
	}
	if s.keyword("WITH") {
		s.at = s.verb(from)
		if !s.keyword("SELECT") && !s.keyword("VALUES") {
			if s.at == from {
				s.at = s.last()
			}
			return nil, s.unexpected("SELECT or VALUES after WITH")
		}
	}
	s.until(stop)
	return s.part(from, s.at), nil
}

// verb finds the statement behind WITH: the first of their words that follows the bracket around a
// query. It is the token at from where that is no WITH, or nothing follows.
func (s *sqlParser) verb(from int) int {
	if !s.tokens[from].is("WITH") {
		return from
	}
	depth := 0
	for i := from; i < s.last(); i++ {
		switch t := s.tokens[i]; {
		case t.typ == '(':
			depth++
		case t.typ == ')':
			depth--
		case depth == 0 && s.tokens[max(i-1, 0)].typ == ')' && isVerb(t):
			return i
		}
	}
	return from
}

func isVerb(t token) bool {
	return slices.ContainsFunc([]string{"SELECT", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE"}, t.is)
}

// query reads a SELECT as it stands.
func (s *sqlParser) query() (Statement, error) {
	s.at = s.last()
	return s.part(0, s.at), nil
}

// with reads a statement that begins with WITH.
func (s *sqlParser) with() (Statement, error) {
	s.at = s.verb(0)
	switch {
	case s.keyword("INSERT"):
		return s.insert()
	case s.keyword("REPLACE"):
		return s.replace()
	case s.keyword("UPDATE"):
		return s.update()
	case s.keyword("DELETE"):
		return s.delete()
	}
	return s.query()
}

// before returns the WITH before a statement's first word; nil if there is no WITH.
func (s *sqlParser) before() *Query {
	if s.at == 0 {
		return nil
	}
	return s.part(0, s.at)
}

// whole returns all of the statement.
func (s *sqlParser) whole() *Query { return s.part(0, s.last()) }

// part makes a query of the tokens from one token to before another; it has at least one token.
func (s *sqlParser) part(from, to int) *Query {
	begin, start, end := s.tokens[0].start, s.tokens[from].start, s.tokens[to-1].end()
	q := &Query{Position: s.pos, Text: s.text[start-begin : end-begin], source: s.source, start: start, origin: s.origin, mentioned: map[string]bool{}}
	if from > 0 {
		q.Position = s.places.position(start)
	}
	first, _ := slices.BinarySearchFunc(s.names, from, func(n dotted, at int) int { return n.first - at })
	for _, n := range s.names[first:] {
		if n.last >= to {
			break
		}
		if n.table.Name == nil {
			for i := n.first; i <= n.last; i += 2 {
				q.mentioned[strings.ToLower(unquoteName(s.tokens[i].raw))] = true
			}
		} else {
			t := n.table
			t.Start -= start
			t.End -= start
			q.Tables = append(q.Tables, t)
		}
		if name, ok := n.stored(s.tokens); ok {
			q.Stored = append(q.Stored, name)
		}
		q.wildcards = append(q.wildcards, n.wildcards(s.tokens, from, to)...)
	}
	return q
}
