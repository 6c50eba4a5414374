package statement

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Class is the kind of a column's values, as far as it decides how they compare.
type Class int

// The classes.
const (
	Unclear Class = iota // no column of a table, or columns of several classes
	Boolean
	Time
	Numeric
	Textual   // any other
	Parameter // of a call, which takes what it is compared with as it is
)

// Column describes all columns of one name.
type Column struct {
	Class Class
	// Shared is set if one is the parameter of a call as well.
	Shared bool
	// Native is set if all of them are columns of resources: there a boolean is 1 or 0, and a time has
	// the collation of times.
	Native bool
}

// Columns describes a column of a table or, if the table is empty, the columns with that name of all
// tables. Both names are in lower case; dots join the parts of the table's name.
type Columns func(table, name string) Column

// Spellings are the SQLite names that [Query.Comparisons] inserts into a query.
type Spellings struct {
	Time    string // a collation that compares texts as times
	Dates   string // a collation that compares two texts as times if both are some, else as texts
	Truth   string // a function that makes a boolean in any spelling 1 or 0
	Spelled string // a function (value, text, …): the text that spells the boolean in value, else value
}

// Comparisons returns the edits that make comparisons with booleans and times depend on the values, not
// on their spelling. SQLite keeps a boolean as 1 or 0, which equals no text, and compares times as texts.
// A comparison that no edit can correct is an error.
func (q *Query) Comparisons(columns Columns, into Spellings) ([]Edit, error) {
	c := &comparisons{query: q, columns: columns, into: into, aliases: map[string]Class{}, tables: map[string]string{}}
	if !c.scan() {
		return nil, nil // SQLite says what is wrong
	}
	c.nameTables()
	c.nameAliases()
	for i := range c.tokens {
		if err := c.at(i); err != nil {
			return nil, err
		}
	}
	return c.edits, nil
}

// comparisons finds the comparisons of a query.
type comparisons struct {
	query   *Query
	columns Columns
	into    Spellings
	tokens  []token
	pairs   map[int]int // of a bracket, or of CASE and END, to its other half
	aliases map[string]Class
	tables  map[string]string // by what qualifies their columns; empty: several
	edits   []Edit
}

// compounds are the operators of more than one character, longest first.
func compounds() []string {
	return []string{"->>", "->", "<<", ">>", "<=", ">=", "<>", "!=", "==", "||"}
}

// scan reads the tokens, with each operator as one.
func (c *comparisons) scan() bool {
	scanner := &sqlScanner{lex: newLexer(c.query.Text)}
	c.pairs = map[int]int{}
	var open []int
	for {
		t, err := scanner.next()
		if err != nil {
			return false
		}
		if t.typ == endOfText {
			break
		}
		for _, compound := range compounds() {
			if strings.HasPrefix(c.query.Text[t.start:], compound) && t.typ == int(compound[0]) {
				t.raw = compound
				scanner.lex.end = t.start + len(compound)
				break
			}
		}
		i := len(c.tokens)
		c.tokens = append(c.tokens, t)
		part := i > 0 && c.tokens[i-1].typ == '.'
		switch {
		case t.typ == '(' || t.is("CASE") && !part:
			open = append(open, i)
		case t.typ == ')' || t.is("END") && !part:
			if len(open) == 0 {
				return false
			}
			last := open[len(open)-1]
			open = open[:len(open)-1]
			if (t.typ == ')') != (c.tokens[last].typ == '(') {
				return false
			}
			c.pairs[i], c.pairs[last] = last, i
		}
	}
	return len(open) == 0
}

// get returns a token; the zero token beyond either end.
func (c *comparisons) get(i int) token {
	if i < 0 || i >= len(c.tokens) {
		return token{}
	}
	return c.tokens[i]
}

// notOperands are the words that are neither an operand nor the name of a function.
var notOperands = map[string]bool{
	"ALL": true, "AND": true, "AS": true, "ASC": true, "BETWEEN": true, "BY": true, "CASE": true, "COLLATE": true, "CROSS": true, "DESC": true,
	"DISTINCT": true, "ELSE": true, "END": true, "ESCAPE": true, "EXCEPT": true, "EXISTS": true, "FILTER": true, "FROM": true, "FULL": true,
	"GLOB": true, "GROUP": true, "HAVING": true, "IN": true, "INNER": true, "INTERSECT": true, "INTO": true, "IS": true, "ISNULL": true,
	"JOIN": true, "LEFT": true, "LIKE": true, "LIMIT": true, "MATCH": true, "NATURAL": true, "NOT": true, "NOTNULL": true, "OFFSET": true,
	"ON": true, "OR": true, "ORDER": true, "OVER": true, "REGEXP": true, "RETURNING": true, "RIGHT": true, "SELECT": true, "SET": true,
	"THEN": true, "UNION": true, "USING": true, "VALUES": true, "WHEN": true, "WHERE": true, "WINDOW": true, "WITH": true,
}

// isOperand reports whether a token alone is an operand.
func isOperand(t token) bool {
	return t.typ == stringToken || t.typ == numberToken || t.typ == wordToken && !notOperands[strings.ToUpper(t.raw)] ||
		len(t.raw) > 0 && strings.IndexByte("?:@$", t.raw[0]) >= 0
}

// binds reports whether a token is an operator that binds more tightly than a comparison.
func binds(t token) bool {
	return slices.Contains([]string{"+", "-", "*", "/", "%", "&", "|", "||", "->", "->>", "<<", ">>"}, t.raw) && t.typ != stringToken
}

// span is the tokens from one to before another.
type span struct{ from, to int }

func (s span) empty() bool { return s.from >= s.to }

// before finds the operand that ends before a token; empty if none does.
func (c *comparisons) before(end int) span {
	at := end
	for {
		start := c.primaryBefore(at)
		if start < 0 {
			return span{end, end}
		}
		at = start
		if !binds(c.get(at-1)) || !c.endsOperand(at-2) {
			return span{at, end}
		}
		at--
	}
}

// primaryBefore returns the first token of the name, literal, call or bracket before a token; -1: none.
func (c *comparisons) primaryBefore(end int) int {
	i := end - 1
	switch t := c.get(i); {
	case t.typ == ')':
		i = c.pairs[i]
		for c.get(i-1).is("OVER") || c.get(i-1).is("FILTER") { // of f(x) FILTER (…) OVER (…)
			i -= 2
			if c.get(i).typ != ')' {
				return -1
			}
			i = c.pairs[i]
		}
		if isOperand(c.get(i-1)) && c.get(i-1).typ == wordToken {
			i--
		} else {
			return i
		}
	case t.is("END"):
		return c.pairs[i]
	case c.get(i-1).is("OVER") && c.get(i-2).typ == ')': // of f(x) OVER w
		return c.primaryBefore(i - 1)
	case !isOperand(t):
		return -1
	}
	for c.get(i-1).typ == '.' && c.get(i-2).typ == wordToken {
		i -= 2
	}
	return i
}

// endsOperand reports whether a token may be the end of an operand.
func (c *comparisons) endsOperand(i int) bool {
	t := c.get(i)
	return t.typ == ')' || t.is("END") || isOperand(t)
}

// after finds the operand that begins at a token; empty if none does.
func (c *comparisons) after(start int) span {
	at := start
	for {
		for c.get(at).raw == "-" || c.get(at).raw == "+" || c.get(at).raw == "~" {
			at++
		}
		end := c.primaryAfter(at)
		if end < 0 {
			return span{start, start}
		}
		if !binds(c.get(end)) {
			return span{start, end}
		}
		at = end + 1
	}
}

// primaryAfter returns the token behind the name, literal, call or bracket at a token; -1: there is
// none.
func (c *comparisons) primaryAfter(i int) int {
	t := c.get(i)
	switch {
	case t.typ == '(' || t.is("CASE") && c.get(i-1).typ != '.':
		return c.pairs[i] + 1
	case !isOperand(t):
		return -1
	}
	i++
	for t.typ == wordToken && c.get(i).typ == '.' && c.get(i+1).typ == wordToken {
		i += 2
	}
	if t.typ != wordToken || c.get(i).typ != '(' {
		return i
	}
	i = c.pairs[i] + 1
	for c.get(i).is("OVER") || c.get(i).is("FILTER") {
		if c.get(i+1).typ == '(' {
			i = c.pairs[i+1] + 1
		} else {
			i += 2
		}
	}
	return i
}

// nameTables learns which tables qualify columns by which names.
func (c *comparisons) nameTables() {
	for i := 0; i < len(c.tokens); i++ {
		before := c.get(i - 1)
		if c.get(i).typ != wordToken || before.typ == '.' || notOperands[strings.ToUpper(c.get(i).raw)] {
			continue
		}
		parts := []string{strings.ToLower(unquoteName(c.get(i).raw))}
		for c.get(i+1).typ == '.' && c.get(i+2).typ == wordToken {
			i += 2
			parts = append(parts, strings.ToLower(unquoteName(c.get(i).raw)))
		}
		if len(parts) > 3 || !before.is("FROM") && !before.is("JOIN") && !before.is("UPDATE") && !before.is("INTO") && before.typ != ',' {
			continue
		}
		alias := parts[len(parts)-1]
		switch next := c.get(i + 1); {
		case next.is("AS") && c.get(i+2).typ == wordToken:
			alias = strings.ToLower(unquoteName(c.get(i + 2).raw))
		case isAlias(next) && !notOperands[strings.ToUpper(next.raw)]:
			alias = strings.ToLower(unquoteName(next.raw))
		}
		table := strings.Join(parts, ".")
		if other, known := c.tables[alias]; known && other != table {
			table = ""
		}
		c.tables[alias] = table
	}
}

// nameAliases records the classes of the query's aliases for expressions. An alias with two meanings has
// no class.
func (c *comparisons) nameAliases() {
	for i, t := range c.tokens {
		if !t.is("AS") || c.get(i+1).typ != wordToken {
			continue
		}
		name := strings.ToLower(unquoteName(c.get(i + 1).raw))
		class := Unclear
		if s := c.before(i); !s.empty() {
			class = c.class(s)
		}
		if earlier, known := c.aliases[name]; known && earlier != class {
			class = Unclear
		}
		if base := c.columns("", name).Class; base != Unclear && base != class && !c.isTableAlias(i) {
			class = Unclear
		}
		if !c.isTableAlias(i) {
			c.aliases[name] = class
		}
	}
	for i, t := range c.tokens { // WITH t (a, b) AS (…)
		if t.typ != '(' || c.get(i-1).typ != wordToken || !c.get(c.pairs[i]+1).is("AS") || !c.isTableAlias(c.pairs[i]+1) {
			continue
		}
		for j := i + 1; j < c.pairs[i]; j++ {
			c.aliases[strings.ToLower(unquoteName(c.get(j).raw))] = Unclear
		}
	}
}

// isTableAlias reports whether the AS at a token names a table, a query of WITH, or a type.
func (c *comparisons) isTableAlias(i int) bool {
	next := c.get(i + 1)
	return next.typ == '(' || next.is("MATERIALIZED") || next.is("NOT")
}

// class returns the class of an operand.
func (c *comparisons) class(s span) Class { return c.column(s).Class }

// column describes the column that an operand names.
func (c *comparisons) column(s span) Column {
	first := c.get(s.from)
	switch {
	case s.empty():
		return Column{}
	case first.typ == '(' && c.pairs[s.from] == s.to-1:
		if inner := (span{s.from + 1, s.to - 1}); c.isWhole(inner) {
			return c.column(inner)
		}
		return Column{}
	case c.isName(s):
		name := strings.ToLower(unquoteName(c.get(s.to - 1).raw))
		if c.get(s.to-2).typ == '.' {
			if table := c.tables[strings.ToLower(unquoteName(c.get(s.to-3).raw))]; table != "" {
				if column := c.columns(table, name); column != (Column{}) {
					return column
				}
			}
		}
		if alias, ok := c.aliases[name]; ok {
			return Column{Class: alias}
		}
		return c.columns("", name)
	case c.get(s.from+1).typ == '(' && passes[strings.ToUpper(first.raw)]:
		class := Unclear
		for n, arg := range c.arguments(s.from + 1) {
			if n == 0 && first.is("IIF") {
				continue
			}
			if of := c.class(arg); of == Boolean || of == Time || of == Numeric {
				class = of
			}
		}
		return Column{Class: class}
	}
	return Column{}
}

// passes are the functions that return one of their arguments.
var passes = map[string]bool{
	"COALESCE": true, "FIRST_VALUE": true, "IFNULL": true, "IIF": true, "LAG": true, "LAST_VALUE": true, "LEAD": true, "LIKELY": true,
	"MAX": true, "MIN": true, "NTH_VALUE": true, "NULLIF": true, "UNLIKELY": true,
}

// isName reports whether an operand is the name of a column.
func (c *comparisons) isName(s span) bool {
	for i := s.from; i < s.to; i++ {
		t := c.get(i)
		if (i-s.from)%2 == 1 && t.typ != '.' || (i-s.from)%2 == 0 && t.typ != wordToken {
			return false
		}
	}
	return (s.to-s.from)%2 == 1 && !isConstantWord(c.get(s.from))
}

// isConstantWord reports whether a word is a constant of SQLite's.
func isConstantWord(t token) bool {
	return t.is("TRUE") || t.is("FALSE") || t.is("NULL") || t.is("CURRENT_TIMESTAMP") || t.is("CURRENT_DATE") || t.is("CURRENT_TIME")
}

// isWhole reports whether a span is one operand.
func (c *comparisons) isWhole(s span) bool { return c.after(s.from) == s && !s.empty() }

// arguments returns the arguments between a bracket and its end, which commas separate.
func (c *comparisons) arguments(open int) []span {
	var all []span
	from, end := open+1, c.pairs[open]
	for i := from; i <= end; i++ {
		switch t := c.get(i); {
		case i == end || t.typ == ',':
			if i > from {
				all = append(all, span{from, i})
			}
			from = i + 1
		case t.typ == '(' || t.is("CASE"):
			i = c.pairs[i]
		}
	}
	if len(all) > 0 && c.get(all[0].from).is("DISTINCT") {
		all[0].from++
	}
	return all
}

// text returns the string that an operand is.
func (c *comparisons) text(s span) (string, bool) {
	if t := c.get(s.from); s.to == s.from+1 && t.typ == stringToken && t.raw[0] == '\'' {
		return undouble(t.raw), true
	}
	return "", false
}

// isTimeText reports whether an operand is the text of a time: a string with a whole date, or a
// function that returns one.
func (c *comparisons) isTimeText(s span) bool {
	if text, ok := c.text(s); ok {
		_, isTime := ParseTime(text)
		return isTime && len(text) >= len("2026-01-02")
	}
	t := c.get(s.from)
	if s.to == s.from+1 {
		return t.is("CURRENT_TIMESTAMP") || t.is("CURRENT_DATE")
	}
	return timeFunctions[strings.ToUpper(t.raw)] && c.get(s.from+1).typ == '(' && c.pairs[s.from+1] == s.to-1
}

// timeFunctions are the functions that return a time, in upper case.
var timeFunctions = map[string]bool{
	"DATE": true, "DATETIME": true, "DATE_TRUNC": true, "LAKEQL_DATE": true, "LAKEQL_TIMESTAMP": true, "LAKEQL_TIMESTAMPTZ": true,
	"LAKEQL_TIME_MINUS": true, "LAKEQL_TIME_PLUS": true, "LAKEQL_TIMEZONE": true, "MAKE_DATE": true, "NOW": true, "TIMEZONE": true, "TO_DATE": true, "TO_TIMESTAMP": true,
}

// isNumber reports whether an operand is a number that cannot be a time.
func (c *comparisons) isNumber(s span) bool {
	for i := s.from; i < s.to; i++ {
		t := c.get(i)
		if t.is("UNIXEPOCH") || t.is("JULIANDAY") || t.is("STRFTIME") && strings.Contains(c.get(i+2).raw, "%s") {
			return true
		}
	}
	at := s.from
	for c.get(at).raw == "-" || c.get(at).raw == "+" {
		at++
	}
	return at == s.to-1 && c.get(at).typ == numberToken
}

// put adds an edit before the first token of a span and one behind its last.
func (c *comparisons) put(s span, before, behind string) {
	start, end := c.get(s.from).start, c.get(s.to-1).end()
	c.edits = append(c.edits, Edit{start, start, before}, Edit{end, end, behind})
}

// replace adds an edit in place of a span.
func (c *comparisons) replace(s span, text string) {
	c.edits = append(c.edits, Edit{c.get(s.from).start, c.get(s.to - 1).end(), text})
}

// refuse is the error for a comparison that cannot be made right.
func (c *comparisons) refuse(s span, format string, args ...any) *provider.Error {
	return provider.Usagef(format, args...).At(c.query.At(c.get(s.from).start))
}

// words returns the text of a span, for a message.
func (c *comparisons) words(s span) string {
	if c.isName(s) {
		return provider.Printable(unquoteName(c.get(s.to - 1).raw))
	}
	return fmt.Sprintf("the result of %s", provider.Printable(c.get(s.from).raw))
}
