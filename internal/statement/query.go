package statement

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Query is a SELECT in SQLite's dialect, with CTEs and VALUES, or a part of another statement that SQLite
// evaluates: a condition, an expression, the columns of RETURNING. This package does not parse it. SQLite
// does, after the names of resources are replaced by names that SQLite accepts.
type Query struct {
	Position provider.Position
	// Text is the query without its semicolon and the text after it. Markers such as --required, which
	// SQLite would read as comments to the end of the line, are replaced by blanks.
	Text string
	// Tables are the names with three parts, or with four parts if the last one is a column.
	Tables []Table

	// Stored are the names that may be those of tables and views in a store, each with its schema if it
	// has one.
	Stored []string

	source    string
	start     int             // of Text in source
	origin    *origin         // of source, if that is a translation
	mentioned map[string]bool // the names in it, in lower case
	wildcards []wildcard
}

// Pos is where the query begins.
func (q *Query) Pos() provider.Position { return q.Position }

// At finds the line and column of an offset in Text.
func (q *Query) At(offset int) provider.Position {
	return q.origin.position(q.source, q.start+offset)
}

// Written is the query as the statement has it, before a translation from PostgreSQL's spelling.
func (q *Query) Written() string {
	if q.origin == nil {
		return q.Text
	}
	return q.origin.written[unedited(q.origin.edits, q.start):unedited(q.origin.edits, q.start+len(q.Text))]
}

// Equal reports whether two queries mean the same, and have the same positions in their statements.
func (q *Query) Equal(other *Query) bool {
	if q == other {
		return true
	}
	written := func(q *Query) origin {
		if q.origin == nil {
			return origin{}
		}
		return origin{source: q.origin.source, start: q.origin.start, written: q.origin.written}
	}
	a, b := written(q), written(other)
	return q.Position == other.Position && q.Text == other.Text && q.source == other.source && q.start == other.start &&
		a.source == b.source && a.start == b.start && a.written == b.written &&
		slices.EqualFunc(q.Tables, other.Tables, func(t, u Table) bool { return t.Start == u.Start && slices.Equal(t.Name, u.Name) })
}

// Mentions reports whether a word or quoted name of the query is name, in any case, be it a table's,
// a column's or an alias. The parts of names of three or four parts do not count: those are
// resources of the API.
func (q *Query) Mentions(name string) bool { return q.mentioned[strings.ToLower(name)] }

// Table is a dotted name in a query that may be a resource's.
type Table struct {
	Name       Name // three parts
	Start, End int  // in Text; a fourth part is not included
	// Qualifier is set where a fourth part follows, a column or *.
	Qualifier bool
	// From is set where the name stands in a FROM or JOIN.
	From bool
	// Alias is set if SQLite needs an alias, so that the resource's own name can qualify columns: the
	// name is in a FROM or JOIN and has no alias.
	Alias bool
}

// Renames returns the edits that put other text in place of the query's tables.
func (q *Query) Renames(replacement func(Table) (string, error)) ([]Edit, error) {
	edits := make([]Edit, 0, len(q.Tables))
	for _, t := range q.Tables {
		text, err := replacement(t)
		if err != nil {
			return nil, err
		}
		edits = append(edits, Edit{Start: t.Start, End: t.End, Text: text})
	}
	return edits, nil
}

// dotted is a name of one or more parts among the tokens of a statement.
type dotted struct {
	first, last int // its tokens; a dot at its end, as in a.*, is none of them
	// clause is the word that begins the clause in which the name stands, upper case; empty where
	// none stands between the same brackets.
	clause string
	// table is the name if it may be that of a resource, with offsets in the source.
	table Table
}

// dottedNames finds the names in a statement's tokens.
func dottedNames(tokens []token, places locator) []dotted {
	var all []dotted
	levels := []string{""} // the clause at hand within each bracket that is open
	for i := 0; i < len(tokens); i++ {
		switch tokens[i].typ {
		case '(':
			levels = append(levels, "")
		case ')':
			levels = levels[:max(len(levels)-1, 1)]
		}
		if tokens[i].typ != wordToken {
			continue
		}
		clause := &levels[len(levels)-1]
		n := dotted{first: i, last: i, clause: *clause}
		for i+2 < len(tokens) && tokens[i+1].typ == '.' && tokens[i+2].typ == wordToken {
			i += 2
		}
		n.last = i
		if word := strings.ToUpper(tokens[i].raw); n.first == i && (clauses[word] || word == "BY") && !isDistinctFrom(tokens, i) {
			*clause = word
		}
		parts, next := (n.last-n.first)/2+1, tokens[min(i+1, len(tokens)-1)]
		columns := next.typ == '.' && tokens[i+2].typ == '*'
		if parts == 3 && (next.typ != '.' || columns) || parts == 4 && next.typ != '.' {
			n.table = tableOf(tokens[n.first:n.first+5], &places)
			n.table.Qualifier = parts == 4 || columns
			n.table.From = !n.table.Qualifier && n.inFrom(tokens)
			n.table.Alias = n.table.From && !isAlias(next)
		}
		all = append(all, n)
	}
	return all
}

func tableOf(tokens []token, places *locator) Table {
	t := Table{Start: tokens[0].start, End: tokens[4].end()}
	for _, part := range []token{tokens[0], tokens[2], tokens[4]} {
		t.Name = append(t.Name, Ident{Text: unquoteName(part.raw), Pos: places.position(part.start)})
	}
	return t
}

// inFrom reports whether the name is a table of a FROM or JOIN.
func (n dotted) inFrom(tokens []token) bool {
	if n.first == 0 {
		return false
	}
	switch before := tokens[n.first-1]; {
	case before.is("FROM"):
		return !isDistinctFrom(tokens, n.first-1)
	case before.is("JOIN"):
		return true
	default:
		return before.typ == ',' && n.clause == "FROM"
	}
}

// stored returns the name if it may be that of a table or view in a store that the statement reads or
// writes: one of FROM, JOIN, UPDATE or INTO which is no query of a WITH.
func (n dotted) stored(tokens []token) (string, bool) {
	before := tokens[max(n.first-1, 0)]
	if n.table.Name != nil || n.last-n.first > 2 || !n.inFrom(tokens) && !before.is("UPDATE") && !before.is("INTO") {
		return "", false
	}
	var parts []string
	for i := n.first; i <= n.last; i += 2 {
		parts = append(parts, unquoteName(tokens[i].raw))
	}
	name := parts[len(parts)-1]
	if tokens[n.last+1].typ == '(' && !strings.HasSuffix(strings.ToLower(name), "_at") {
		return "", false // json_each
	}
	if isCommon(tokens, n.last, name) {
		return "", false
	}
	return strings.Join(parts, "."), true
}

// isDistinctFrom reports whether a token is the FROM of the operator IS DISTINCT FROM.
func isDistinctFrom(tokens []token, i int) bool {
	return i > 0 && tokens[i].is("FROM") && tokens[i-1].is("DISTINCT")
}

// afterTable are the words that may follow a table and are no alias.
var afterTable = map[string]bool{
	"AS": false, "CROSS": true, "EXCEPT": true, "FULL": true, "GROUP": true, "HAVING": true, "INDEXED": true, "INNER": true,
	"INTERSECT": true, "JOIN": true, "LEFT": true, "LIMIT": true, "NATURAL": true, "NOT": true, "ON": true, "ORDER": true,
	"OUTER": true, "RETURNING": true, "RIGHT": true, "SET": true, "UNION": true, "USING": true, "WHERE": true, "WINDOW": true,
}

// isAlias reports whether the token behind a table names it.
func isAlias(t token) bool {
	return t.typ == wordToken && !afterTable[strings.ToUpper(t.raw)]
}
