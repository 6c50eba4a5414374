package statement

import (
	"slices"
	"strings"
)

// DottedColumns quotes the columns whose names have dots in them, such as filter_by.statuses. Without
// quotes SQLite takes the first part for a table. known reports whether a table of the query has a column
// of the name. A name that begins with a table's or its alias stays as it is.
func (q *Query) DottedColumns(known func(name string) bool) []Edit {
	c := comparisons{query: q}
	if !c.scan() {
		return nil // SQLite says what is wrong
	}
	tokens := append(slices.Clone(c.tokens), token{typ: endOfText, start: len(q.Text)})
	tables := tableNames(q.Text, tokens)
	var edits []Edit
	for i := 0; i < len(tokens); i++ {
		if tokens[i].typ != wordToken {
			continue
		}
		first := i
		parts := []string{unquoteName(tokens[i].raw)}
		for ; i+2 < len(tokens) && tokens[i+1].typ == '.' && tokens[i+2].typ == wordToken; i += 2 {
			parts = append(parts, unquoteName(tokens[i+2].raw))
		}
		if len(parts) > 1 && tables[strings.ToLower(parts[0])] {
			first, parts = first+2, parts[1:]
		}
		if name := strings.Join(parts, "."); len(parts) > 1 && known(name) {
			edits = append(edits, Edit{Start: tokens[first].start, End: tokens[i].end(), Text: quoteName(name)})
		}
	}
	return edits
}

// tableNames finds the names that may qualify columns, in lower case: of the tables of FROM and JOIN, of
// their aliases, and of the queries of a WITH. text is the text of the tokens.
func tableNames(text string, tokens []token) map[string]bool {
	names := map[string]bool{}
	add := func(t token) { names[strings.ToLower(unquoteName(t.raw))] = true }
	for _, n := range dottedNames(tokens, newLocator(text)) {
		next := tokens[n.last+1]
		if next.is("AS") && tokens[n.last+2].typ == '(' { // WITH name AS (SELECT …)
			add(tokens[n.last])
		}
		if !n.inFrom(tokens) {
			continue
		}
		add(tokens[n.last])
		switch {
		case next.is("AS"):
			add(tokens[n.last+2])
		case isAlias(next):
			add(next)
		}
	}
	for i := 1; i+1 < len(tokens); i++ { // FROM (SELECT …) AS name
		if tokens[i-1].typ == ')' && tokens[i].is("AS") && tokens[i+1].typ == wordToken {
			add(tokens[i+1])
		} else if tokens[i-1].typ == ')' && isAlias(tokens[i]) {
			add(tokens[i])
		}
	}
	return names
}

// quoteName puts a name between double quotes.
func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
