package statement

import (
	"slices"
	"strings"
)

// comparison is one comparison: a value, and the values that it is compared with.
type comparison struct {
	op     string // upper case: =, <, IN, BETWEEN, LIKE, CASE
	left   span
	others []span
	query  span // of IN (SELECT …), without its brackets; empty: none
}

// at looks at the token where a comparison may have its operator, and edits it.
func (c *comparisons) at(i int) error {
	t := c.get(i)
	switch word := strings.ToUpper(t.raw); {
	case t.typ == stringToken || c.get(i-1).typ == '.':
		return nil
	case word == "CASE":
		return c.edit(c.ofCase(i))
	case word == "BY":
		c.order(i)
		return nil
	case word == "LAKEQL_TEXT" && c.get(i+1).typ == '(': // x::text
		if inner := (span{i + 2, c.pairs[i+1]}); c.isWhole(inner) && c.class(inner) == Boolean {
			end := c.get(inner.to - 1).end()
			c.edits = append(c.edits, Edit{end, end, ", 1"}) // it spells a boolean then
		}
		return nil
	case word == "MIN" || word == "MAX" || word == "DISTINCT":
		c.aggregate(i)
		return nil
	case slices.Contains([]string{"=", "==", "<>", "!=", "<", "<=", ">", ">="}, word):
		if c.assigns(i) {
			c.assigned(i)
			return nil
		}
		return c.edit(comparison{op: word, left: c.before(i), others: []span{c.after(i + 1)}})
	case word == "IS":
		return c.edit(c.ofIs(i))
	case slices.Contains([]string{"IN", "BETWEEN", "LIKE", "GLOB", "REGEXP"}, word):
		end := i
		if c.get(i - 1).is("NOT") {
			end--
		}
		return c.edit(c.ofWord(word, c.before(end), i))
	}
	return nil
}

// assigns reports whether the = at a token assigns a value to a column: SET a = 1, b = 2.
func (c *comparisons) assigns(i int) bool {
	left := c.before(i)
	before := c.get(left.from - 1)
	if before.is("SET") || left.empty() {
		return true
	}
	if before.typ != ',' {
		return false
	}
	for at := left.from - 1; at >= 0; at-- { // to the word that begins the clause
		switch t := c.get(at); {
		case t.typ == ')' || t.is("END"):
			at = c.pairs[at]
		case t.typ == '(':
			return false
		case t.typ == wordToken && clauses[strings.ToUpper(t.raw)]:
			return t.is("SET")
		}
	}
	return false
}

// assigned writes a boolean that a column is set to as SQLite keeps it.
func (c *comparisons) assigned(i int) {
	value := c.after(i + 1)
	text, ok := c.text(value)
	if !ok || c.class(c.before(i)) != Boolean {
		return
	}
	if truth, ok := Truth(text); ok {
		c.replace(value, bit(truth))
	}
}

// bit is a boolean as SQLite has it.
func bit(truth bool) string {
	if truth {
		return "1"
	}
	return "0"
}

// ofIs reads IS [NOT] [DISTINCT FROM] value.
func (c *comparisons) ofIs(i int) comparison {
	left := c.before(i)
	i++
	if c.get(i).is("NOT") {
		i++
	}
	if c.get(i).is("DISTINCT") && c.get(i+1).is("FROM") {
		i += 2
	}
	return comparison{op: "IS", left: left, others: []span{c.after(i)}}
}

// ofCase reads CASE value WHEN value THEN …
func (c *comparisons) ofCase(i int) comparison {
	made := comparison{op: "CASE", left: c.after(i + 1)}
	if c.get(i + 1).is("WHEN") {
		return comparison{}
	}
	for at := i + 1; at < c.pairs[i]; at++ {
		switch t := c.get(at); {
		case t.typ == '(' || t.is("CASE"):
			at = c.pairs[at]
		case t.is("WHEN"):
			made.others = append(made.others, c.after(at+1))
		}
	}
	return made
}

// ofWord reads the operands after IN, BETWEEN, LIKE and similar words.
func (c *comparisons) ofWord(word string, left span, i int) comparison {
	made := comparison{op: word, left: left}
	switch {
	case word == "BETWEEN":
		low := c.after(i + 1)
		made.others = []span{low}
		if c.get(low.to).is("AND") {
			made.others = append(made.others, c.after(low.to+1))
		}
	case word != "IN":
		made.others = []span{c.after(i + 1)}
	case c.get(i+1).typ == '(':
		if first := c.get(i + 2); first.is("SELECT") || first.is("WITH") || first.is("VALUES") {
			made.query = span{i + 2, c.pairs[i+1]}
			return made
		}
		made.others = c.arguments(i + 1)
	}
	return made
}

// edit makes a comparison right.
func (c *comparisons) edit(made comparison) error {
	if made.left.empty() || slices.ContainsFunc(made.others, span.empty) || len(made.others) == 0 && made.query.empty() {
		return nil
	}
	operands := append([]span{made.left}, made.others...)
	if slices.ContainsFunc(operands, c.collated) {
		return nil // the statement says how to compare
	}
	count := map[Class]int{}
	for _, s := range operands {
		count[c.class(s)]++
	}
	if err := c.rows(made); err != nil {
		return err
	}
	switch {
	case count[Boolean] > 0:
		return c.booleans(made, operands)
	case count[Time] > 0:
		return c.times(made, operands)
	case made.op == "LIKE" || made.op == "GLOB" || made.op == "REGEXP":
		return nil
	case slices.ContainsFunc(operands, c.isTimeText):
		return c.timeTexts(made, operands)
	case made.op == "=" || made.op == "==" || made.op == "<>" || made.op == "!=" || made.op == "IN" || made.op == "IS" || made.op == "CASE":
		c.spelled(made)
	}
	return nil
}

// collated reports whether an operand has a COLLATE clause.
func (c *comparisons) collated(s span) bool {
	return c.get(s.to).is("COLLATE") || c.get(s.from-1).is("COLLATE")
}

// rows makes the times in a row, (a, b) = (1, 2), compare as such. It refuses to compare booleans in a
// row with texts.
func (c *comparisons) rows(made comparison) error {
	if c.get(made.left.from).typ != '(' || c.pairs[made.left.from] != made.left.to-1 {
		return nil
	}
	items := c.arguments(made.left.from)
	if len(items) < 2 {
		return nil
	}
	for n, item := range items {
		switch column := c.column(item); {
		case column.Class == Boolean && c.hasText(made, n):
			return c.refuse(item, "%s is a boolean, which cannot be compared with a text as a part of a row", c.words(item)).
				Hintf("compare each value by itself: a = … AND b = …")
		case column.Class == Time && !column.Native && !c.collated(item):
			c.put(item, "(", ") COLLATE "+c.into.Time)
		}
	}
	return nil
}

// hasText reports whether the n-th value of a row may be compared with a text.
func (c *comparisons) hasText(made comparison, n int) bool {
	for _, s := range made.others {
		if c.get(s.from).typ != '(' {
			continue
		}
		if items := c.arguments(s.from); n < len(items) {
			if _, isText := c.text(items[n]); isText {
				return true
			}
		}
	}
	return !made.query.empty()
}

// booleans edits a comparison in which some operand is a boolean.
func (c *comparisons) booleans(made comparison, operands []span) error {
	var which span
	for _, s := range operands {
		if c.class(s) == Boolean {
			which = s
		}
	}
	hint := "write TRUE or FALSE without quotes, as in " + c.words(which) + " = TRUE"
	if made.op == "LIKE" || made.op == "GLOB" || made.op == "REGEXP" {
		return c.refuse(made.left, "%s is a boolean, which %s does not match", c.words(which), made.op).Hintf("%s", hint)
	}
	changed := false
	for _, s := range operands {
		class := c.class(s)
		text, isText := c.text(s)
		switch {
		case class == Boolean, class == Parameter, c.isNumber(s), s.to == s.from+1 && isConstantWord(c.get(s.from)):
			continue
		case isText:
			truth, ok := Truth(text)
			if !ok {
				return c.refuse(s, "%s is a boolean, which this text is not", c.words(which)).Hintf("%s", hint)
			}
			c.replace(s, bit(truth))
		default:
			c.put(s, c.into.Truth+"(", ")")
		}
		changed = true
	}
	if !made.query.empty() {
		c.put(made.query, "WITH lakeql_s(v) AS (", ") SELECT "+c.into.Truth+"(v) FROM lakeql_s")
		changed = true
	}
	if !changed {
		return nil
	}
	for _, s := range operands { // a table of the user's may hold a text in a column of booleans
		if column := c.column(s); column.Class == Boolean && !column.Native {
			c.put(s, c.into.Truth+"(", ")")
		}
	}
	return nil
}

// times edits a comparison in which some operand is a time.
func (c *comparisons) times(made comparison, operands []span) error {
	if made.op == "LIKE" || made.op == "GLOB" || made.op == "REGEXP" {
		return nil // of the text
	}
	var which span
	for _, s := range operands {
		if c.class(s) == Time {
			which = s
		}
	}
	for _, s := range operands {
		switch column := c.column(s); {
		case column.Class == Parameter || column.Shared:
			return nil // the call has the value as it is
		case column.Class == Boolean || column.Class == Numeric || c.isNumber(s):
			return c.refuse(s, "%s is a time, and this is a number", c.words(which)).
				Hintf("write a time: '2026-01-02T03:04:05Z', datetime('now', '-1 day'), or datetime(n / 1000, 'unixepoch') for n milliseconds since 1970")
		}
		if text, ok := c.text(s); ok && text != "" {
			if _, isTime := ParseTime(text); !isTime {
				return c.refuse(s, "%s is a time, which this text is not", c.words(which)).
					Hintf("write a time: '2026-01-02', '2026-01-02T03:04:05Z', or datetime('now', '-1 day')")
			}
		}
	}
	if !c.isNative(made) {
		c.put(made.left, "(", ") COLLATE "+c.into.Time)
	}
	return nil
}

// isNative reports whether SQLite compares two operands as times without an edit: by the collation of the
// left column or, if that has none, of the right one.
func (c *comparisons) isNative(made comparison) bool {
	if column := c.column(made.left); column.Class == Time && column.Native {
		return true
	}
	return made.op != "IN" && made.op != "CASE" && c.isTimeText(made.left) &&
		!slices.ContainsFunc(made.others, func(s span) bool { return !c.column(s).Native })
}

// timeTexts edits a comparison of an expression with the text of a time.
func (c *comparisons) timeTexts(made comparison, operands []span) error {
	for _, s := range operands {
		switch c.class(s) {
		case Numeric:
			text := slices.IndexFunc(operands, c.isTimeText)
			return c.refuse(operands[text], "%s is a number, and this is a time", c.words(s)).
				Hintf("times that are numbers count the milliseconds since 1970: write unixepoch('now', '-1 day') * 1000, or datetime(%s / 1000, 'unixepoch') on the other side", c.words(s))
		case Textual, Parameter, Boolean, Time:
			return nil
		case Unclear:
		}
	}
	if c.isTimeText(made.left) && !slices.ContainsFunc(made.others, func(s span) bool { return !c.isTimeText(s) }) {
		return nil // constants, as they stand
	}
	c.put(made.left, "(", ") COLLATE "+c.into.Dates)
	return nil
}

// spelled edits a comparison of an expression with true or false in quotes: the expression may be a
// boolean.
func (c *comparisons) spelled(made comparison) {
	value, texts := made.left, []string{}
	spells := func(s span) bool {
		text, ok := c.text(s)
		return ok && (strings.EqualFold(text, "true") || strings.EqualFold(text, "false"))
	}
	if spells(made.left) && len(made.others) == 1 {
		value = made.others[0]
		texts = append(texts, c.get(made.left.from).raw)
	}
	for _, s := range made.others {
		if spells(s) {
			texts = append(texts, c.get(s.from).raw)
		}
	}
	if _, isText := c.text(value); len(texts) == 0 || isText || c.class(value) != Unclear || c.isNumber(value) ||
		value.to == value.from+1 && c.get(value.from).typ != wordToken {
		return
	}
	c.put(value, c.into.Spelled+"(", ", "+strings.Join(texts, ", ")+")")
}

// order makes the terms of ORDER BY, GROUP BY and PARTITION BY that are times compare as such.
func (c *comparisons) order(i int) {
	for at := i + 1; ; {
		term := c.after(at)
		if term.empty() {
			return
		}
		column := c.column(term)
		if n := c.resultColumn(i, term); n != (span{}) {
			column = c.column(n)
		}
		if column.Class == Time && !column.Native && !c.collated(term) {
			c.edits = append(c.edits, Edit{c.get(term.to - 1).end(), c.get(term.to - 1).end(), " COLLATE " + c.into.Time})
		}
		at = term.to
		for c.get(at).is("ASC") || c.get(at).is("DESC") || c.get(at).is("NULLS") || c.get(at).is("FIRST") || c.get(at).is("LAST") {
			at++
		}
		if c.get(at).typ != ',' {
			return
		}
		at++
	}
}

// resultColumn returns the column of the SELECT that a number in its ORDER BY or GROUP BY means.
func (c *comparisons) resultColumn(by int, term span) span {
	if term.to != term.from+1 || c.get(term.from).typ != numberToken {
		return span{}
	}
	at := by
	for at >= 0 && !c.get(at).is("SELECT") {
		at--
		if t := c.get(at); t.typ == ')' || t.is("END") {
			at = c.pairs[at] - 1
		} else if t.typ == '(' {
			return span{}
		}
	}
	at++
	if c.get(at).is("DISTINCT") || c.get(at).is("ALL") {
		at++
	}
	for n := 1; at < by; n++ {
		s := c.after(at)
		if s.empty() {
			return span{}
		}
		if number := c.get(term.from).raw; number == string(rune('0'+n)) && n < 10 {
			return s
		}
		for at = s.to; at < by && c.get(at).typ != ','; at++ {
			if c.get(at).is("FROM") {
				return span{}
			}
			if c.get(at).typ == '(' || c.get(at).is("CASE") {
				at = c.pairs[at]
			}
		}
		at++
	}
	return span{}
}

// aggregate makes min, max and DISTINCT over times compare as such.
func (c *comparisons) aggregate(i int) {
	from := i + 2 // of min(x)
	switch {
	case c.get(i).is("DISTINCT"): // of count(DISTINCT x)
		if c.get(i-1).typ != '(' || c.get(i-2).typ != wordToken {
			return
		}
		from = i + 1
	case c.get(i+1).typ != '(':
		return
	}
	s := c.after(from)
	if s.empty() || !c.isName(s) || c.collated(s) {
		return
	}
	if column := c.column(s); column.Class == Time && !column.Native {
		end := c.get(s.to - 1).end()
		c.edits = append(c.edits, Edit{end, end, " COLLATE " + c.into.Time})
	}
}
