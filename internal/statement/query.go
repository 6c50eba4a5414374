package statement

import (
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Query is a SELECT in SQLite's dialect, CTEs and VALUES included. It is not parsed here: SQLite
// does that, once the resources that it names are written as SQLite takes them.
type Query struct {
	Position provider.Position
	// Text is the statement without its semicolon.
	Text string
	// Tables are the names of three parts in it, or of four, whose last part is a column.
	Tables []Table

	source string
	start  int // of Text in source
}

// Pos is where the query begins.
func (q *Query) Pos() provider.Position { return q.Position }

// At finds the line and column of an offset in Text.
func (q *Query) At(offset int) provider.Position {
	return provider.PositionAt(q.source, q.start+offset)
}

// Table is a dotted name in a query that may be a resource's.
type Table struct {
	Name       Name // three parts
	Start, End int  // in Text; a fourth part is not included
	// Qualifier is set where a fourth part follows, a column.
	Qualifier bool
	// Alias is set where SQLite needs one, for the resource's own name to qualify columns: the name
	// stands in a FROM or JOIN without an alias of its own.
	Alias bool
}

// Rewrite gives the query with other text in place of its tables.
func (q *Query) Rewrite(replacement func(Table) (string, error)) (string, error) {
	var b strings.Builder
	at := 0
	for _, t := range q.Tables {
		text, err := replacement(t)
		if err != nil {
			return "", err
		}
		b.WriteString(q.Text[at:t.Start])
		b.WriteString(text)
		at = t.End
	}
	b.WriteString(q.Text[at:])
	return b.String(), nil
}

// query reads a SELECT to its semicolon. In it strings are SQL's: a backslash is a character like
// others, unlike in EXEC.
func (p *parser) query(pos provider.Position) (*Query, error) {
	q := &Query{Position: pos, source: p.lex.text, start: p.token.start}
	p.lex.restart(p.token.start)
	s := &sqlScanner{lex: p.lex}
	var before, name []token // the tokens before the name at hand; the name's parts and dots
	depth := 0
	for {
		t, err := s.next()
		if err != nil {
			return nil, err
		}
		if len(name) > 0 && continues(name, t) {
			name = append(name, t)
			continue
		}
		q.table(p.lex, before, name, t)
		before = append(before, name...)
		name = nil
		switch {
		case t.typ == endOfText, t.raw == ";" && depth == 0:
			q.Text = strings.TrimRight(s.blank(q.start, t.start), " \t\r\n")
			p.lex.restart(t.start)
			return q, p.next()
		case t.raw == "(":
			depth++
		case t.raw == ")":
			depth--
		}
		if isName(t.raw) {
			name = []token{t}
			continue
		}
		before = append(before, t)
	}
}

// continues reports whether a token goes on with a dotted name.
func continues(name []token, t token) bool {
	if name[len(name)-1].raw == "." {
		return isName(t.raw)
	}
	return t.raw == "."
}

// isName tells words and quoted names from the rest. A string is none.
func isName(raw string) bool {
	return isWord(raw) || len(raw) > 2 && (raw[0] == '"' || raw[0] == '`')
}

// table takes a dotted name in if it has three or four parts.
func (q *Query) table(lex *lexer, before, name []token, next token) {
	if len(name) != 5 && len(name) != 7 {
		return
	}
	t := Table{Qualifier: len(name) == 7, Start: name[0].start - q.start, End: name[4].start + len(name[4].raw) - q.start}
	for _, part := range []token{name[0], name[2], name[4]} {
		t.Name = append(t.Name, Ident{Text: unquoteName(part.raw), Pos: lex.position(part.start)})
	}
	t.Alias = len(name) == 5 && inFrom(before) && !isAlias(next)
	q.Tables = append(q.Tables, t)
}

// inFrom reports whether a name behind these tokens is a table of a FROM or JOIN.
func inFrom(before []token) bool {
	if len(before) == 0 {
		return false
	}
	last := before[len(before)-1]
	switch strings.ToUpper(last.raw) {
	case "FROM", "JOIN":
		return true
	case ",": // of the list behind FROM, or of another
		depth := 0
		for i := len(before) - 2; i >= 0; i-- {
			switch strings.ToUpper(before[i].raw) {
			case ")":
				depth++
			case "(":
				depth--
				if depth < 0 {
					return false
				}
			case "FROM":
				if depth == 0 {
					return true
				}
			case "SELECT", "WHERE", "BY", "SET", "VALUES", "HAVING", "ON", "LIMIT":
				if depth == 0 {
					return false
				}
			}
		}
	}
	return false
}

// afterTable are the words that may follow a table and are no alias.
var afterTable = map[string]bool{
	"AS": false, "CROSS": true, "EXCEPT": true, "FULL": true, "GROUP": true, "HAVING": true, "INDEXED": true, "INNER": true,
	"INTERSECT": true, "JOIN": true, "LEFT": true, "LIMIT": true, "NATURAL": true, "NOT": true, "ON": true, "ORDER": true,
	"OUTER": true, "RETURNING": true, "RIGHT": true, "SET": true, "UNION": true, "USING": true, "WHERE": true, "WINDOW": true,
}

// isAlias reports whether the token behind a table names it.
func isAlias(t token) bool {
	if strings.EqualFold(t.raw, "AS") {
		return true
	}
	return isName(t.raw) && !afterTable[strings.ToUpper(t.raw)]
}

func unquoteName(raw string) string {
	if raw[0] != '"' && raw[0] != '`' {
		return raw
	}
	quote := raw[:1]
	return strings.ReplaceAll(raw[1:len(raw)-1], quote+quote, quote)
}

// sqlScanner gives the tokens of a query: words, quoted names, strings, and everything else
// character by character, as far as needed to find names and the end.
type sqlScanner struct {
	lex     *lexer
	markers [][2]int // where markers such as --required stand, which end at their word
}

// blank gives a part of the text with blanks in place of the markers: SQLite would take them for
// comments to the end of the line.
func (s *sqlScanner) blank(from, to int) string {
	text := []byte(s.lex.text[from:to])
	for _, m := range s.markers {
		for i := m[0]; i < m[1]; i++ {
			text[i-from] = ' '
		}
	}
	return string(text)
}

func (s *sqlScanner) next() (token, error) {
	l := s.lex
	for {
		start := l.end + blanks(l.text[l.end:])
		rest := l.text[start:]
		t := token{typ: ';', start: start}
		switch {
		case rest == "":
			l.end = start
			return token{typ: endOfText, start: start}, nil
		case strings.HasPrefix(rest, "/*"):
			length := strings.Index(rest[2:], "*/")
			if length < 0 {
				return token{open: true}, l.fault(start, "the comment that begins here has no end", "end it with */")
			}
			l.end = start + length + 4
			continue
		case strings.HasPrefix(rest, "--"):
			if offset, ok := markerEnd(rest); ok {
				s.markers = append(s.markers, [2]int{start, start + offset})
				l.end = start + offset
				continue
			}
			length := strings.IndexByte(rest, '\n')
			if length < 0 {
				length = len(rest)
			}
			l.end = start + length
			continue
		case strings.ContainsRune("'\"`", rune(rest[0])):
			length := quoted(rest)
			if length < 0 {
				return token{open: true}, l.fault(start, "the quote that opens here is not closed", "write a quote inside a string twice: ''")
			}
			t.raw = rest[:length]
		case isWord(rest[:1]):
			length := 1
			for length < len(rest) && isWord(rest[:1]+rest[length:length+1]) {
				length++
			}
			t.raw = rest[:length]
		default:
			t.raw = rest[:1]
		}
		l.end = start + len(t.raw)
		return t, nil
	}
}

// quoted gives the length of the quoted text that s begins with, -1 where it has no end.
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
