package dialect

import (
	"cmp"
	"strings"
	"sync"
)

// clauses follows the clauses between two brackets.
type clauses struct {
	*translator

	to      int
	clause  string // the word that began the clause at hand, upper case
	item    bool   // an item of SELECT begins here
	table   bool   // a table of FROM begins here
	limited bool   // LIMIT was there
	offset  int    // the token behind an OFFSET before any LIMIT; 0: none

	selects int    // how many SELECTs were there
	found   []Item // the items of the first one
}

// beginners are the words that begin a clause.
var beginners = sync.OnceValue(func() map[string]bool {
	return wordSet(`EXCEPT FROM GROUP HAVING INTERSECT ON ORDER RETURNING SELECT SET UNION USING VALUES WHERE WINDOW`)
})

// at looks at a token between expressions. It returns the token to go on with: the same if an expression
// may begin there.
func (c *clauses) at(i int) int {
	token := c.get(i)
	if c.named[i] {
		return c.begin(i)
	}
	switch word := strings.ToUpper(token.Raw); {
	case token.Raw == ",":
		c.item, c.table = c.clause == "SELECT" || c.clause == "RETURNING", c.clause == "FROM"
		return i + 1
	case token.Type != Word:
	case c.table && word == "LATERAL":
		if c.get(i+1).Raw == "(" {
			c.refuse(i, "SQLite's subqueries behind FROM do not see the tables before them: put a subquery of one value behind SELECT, or call json_array_elements(t.column) behind FROM",
				"a subquery behind LATERAL is not supported")
		}
		c.replace(i, "")
		return i + 1
	case c.clause == "GROUP" && ((word == "ROLLUP" || word == "CUBE") && c.get(i+1).Raw == "(" || word == "GROUPING" && c.get(i+1).is("SETS")):
		c.refuse(i, "write a query for each grouping, and join them by UNION ALL", "%s is not supported", word)
		return i + 1
	case word == "JOIN":
		c.clause, c.table, c.item = "FROM", true, false
		return i + 1
	case word == "SELECT":
		c.selects++
		c.clause, c.item, c.table, c.limited, c.offset = word, true, false, false, 0
		if c.get(i + 1).is("DISTINCT") {
			if c.get(i + 2).is("ON") {
				c.refuse(i+2, "number the rows: row_number() OVER (PARTITION BY a ORDER BY b) = 1 in a query around it", "DISTINCT ON is not supported")
			}
			return i + 2
		} else if c.get(i + 1).is("ALL") {
			return i + 2
		}
		return i + 1
	case token.in(beginners()):
		if word == "ON" && c.clause == "FROM" {
			c.table = false
			return i + 1
		}
		if word == "USING" {
			return i + 1
		}
		c.clause, c.item, c.table = word, word == "RETURNING", word == "FROM"
		return i + 1
	case c.isClause(i) && (word == "LIMIT" || word == "OFFSET" || word == "FETCH"):
		return c.limit(i, word)
	}
	return c.begin(i)
}

// isClause reports whether what follows a word may be a number of rows.
func (c *clauses) isClause(i int) bool {
	next := c.get(i + 1)
	if i == 0 || next.Raw == "" {
		return false
	}
	if c.clause == "SELECT" && !c.get(i).is("LIMIT") { // it may be a column
		return next.Type == Number || c.get(i).is("FETCH") && (next.is("FIRST") || next.is("NEXT")) && !c.endsItem(i+2)
	}
	return next.Type == Number || next.is("ALL") || next.is("FIRST") || next.is("NEXT") || strings.ContainsAny(next.Raw[:1], "(?:@$-")
}

// begin translates the item of a SELECT or the table of a FROM that begins at a token.
func (c *clauses) begin(i int) int {
	switch {
	case c.item:
		c.item = false
		return c.selected(i)
	case c.table:
		c.table = false
		return c.translator.table(i, c.to)
	}
	return i
}

// selected translates an item of a SELECT. If its text changes and it has no name, the text as written is
// its name, as it is without a translation; x::type goes by the name of x, as in PostgreSQL.
func (c *clauses) selected(i int) int {
	if end := c.aloneRows(i); end > i {
		return end
	}
	changes := c.changes
	end, of := c.expression(i, c.to, lowest)
	last := c.get(max(end-1, i))
	item := Item{Type: string(of), Star: last.Raw == "*"}
	defer func() {
		if c.selects == 1 && c.clause == "SELECT" {
			c.found = append(c.found, item)
		}
	}()
	if next := c.get(end); end < c.to && end > i {
		switch {
		case next.Type == String, next.Type == Word && (c.named[end] || !next.in(beginners()) && !next.is("LIMIT") && !next.is("OFFSET") && !next.is("FETCH")):
			if c.word(end, "AS") {
				next = c.get(end + 1)
			}
			item.Name = unquote(next.Raw)
			return end // a name, or something that SQLite finds wrong
		case next.Type != Word && next.Raw != "," && next.Raw != ";":
			item.Type = "" // of a part only
		}
	}
	item.Name = c.nameOf(i, end)
	if end == i || item.Star || c.changes == changes && (!c.Only || c.isColumn(i, end)) {
		return end
	}
	if item.Name == "" && !c.Only {
		item.Name = c.text[c.get(i).Start:last.End()]
	} else if item.Name == "" {
		item.Name = "?column?"
	}
	c.around(i, end, "", " AS "+identifier(item.Name))
	return end
}

// isColumn reports whether the tokens are the name of a column.
func (c *clauses) isColumn(from, to int) bool {
	for from < to && c.get(from).Type == Word && c.get(from+1).Raw == "." {
		from += 2
	}
	return from+1 == to && c.get(from).Type == Word && !c.word(from, "NULL", "TRUE", "FALSE")
}

// nameOf is the name of an item that is given none: that of a column, also behind x::type, and for text that
// is PostgreSQL's only, what PostgreSQL calls it. It is empty if there is none.
func (c *clauses) nameOf(from, end int) string {
	at := from
	for c.get(at).Type == Word && c.get(at+1).Raw == "." {
		at += 2
	}
	first := c.get(at)
	name, behind := "", at+1
	switch {
	case c.Only && first.is("NULL"):
	case c.Only && first.is("CAST") && c.pair(at+1) > at+1:
		as := at + 2
		for ; as < c.pair(at+1) && !c.word(as, "AS"); as = max(as, c.pair(as)) + 1 {
		}
		if name, behind = c.nameOf(at+2, as), c.pair(at+1)+1; name == "" {
			name, _, _ = c.typeName(as+1, behind-1)
		}
	case c.Only && (first.is("TRUE") || first.is("FALSE")):
		name = "bool"
	case first.Type == Word && (c.named[at] || !first.in(notOperands())) && (c.Only || c.get(at+1).Raw != "("):
		if name = unquote(first.Raw); first.Raw[0] != '"' && c.Only {
			name = strings.ToLower(name)
		}
	case c.Only && (first.is("CASE") || first.is("EXISTS") || first.is("LEFT") || first.is("RIGHT")):
		name, behind = strings.ToLower(first.Raw), c.pair(at)+1
	case !c.Only:
		return ""
	}
	if c.get(behind).Raw == "(" {
		behind = c.pair(behind) + 1
	}
	if name == "" && first.Raw == "(" {
		behind = c.pair(at) + 1
	}
	for behind < end {
		switch {
		case c.get(behind).Raw == "::":
			kind, _, next := c.typeName(behind+1, end)
			if c.Only && name == "" {
				name = cmp.Or(castFunctions[kind], kind)
			}
			behind = next
		case c.Only && c.get(behind).Raw == "[":
			behind = c.pair(behind) + 1
		case c.Only && c.word(behind, "OVER", "FILTER") && c.get(behind+1).Raw == "(":
			behind = c.pair(behind+1) + 1
		default:
			return ""
		}
	}
	return name
}

// aloneRows translates SELECT unnest(x), of nothing but a function that returns rows. It returns the token
// behind the call; i if the SELECT is another one.
func (c *clauses) aloneRows(i int) int {
	name := strings.ToLower(c.get(i).Raw)
	if !rowFunctions()[name] || c.get(i+1).Raw != "(" || !c.get(i-1).is("SELECT") {
		return i
	}
	behind := c.pair(i+1) + 1
	if c.get(behind).is("AS") && c.get(behind+1).Type == Word {
		behind += 2
	}
	if behind != c.to {
		return i
	}
	end := c.translator.table(i, c.to)
	if end > i {
		c.around(i, i+1, "* FROM ", "")
	}
	return end
}

// limit translates LIMIT ALL, FETCH FIRST n ROWS ONLY, and an OFFSET that stands before LIMIT or alone.
func (c *clauses) limit(i int, word string) int {
	c.clause = word
	switch word {
	case "LIMIT":
		if c.offset > 0 && c.offset == i {
			c.replace(i, ",")
			c.offset = 0
		}
		c.limited = true
		if c.get(i + 1).is("ALL") {
			c.replace(i+1, "-1")
			return i + 2
		}
		c.suppose(i+1, i+3, whole)
		return i + 1
	case "OFFSET":
		end, _ := c.expression(i+1, c.to, lowest)
		if end == i+1 {
			return i + 1
		}
		c.suppose(i+1, end, whole)
		if c.word(end, "ROW", "ROWS") {
			c.replace(end, "")
			end++
		}
		if !c.limited {
			c.replace(i, "LIMIT")
			c.offset = end
		}
		return end
	default:
		count := i + 2
		if !c.get(i+1).is("FIRST") && !c.get(i+1).is("NEXT") {
			return i + 1
		}
		c.replace(i, "LIMIT")
		if c.offset > 0 && c.offset == i {
			c.replace(i, ",")
			c.offset = 0
		}
		c.limited = true
		c.replace(i+1, "")
		end, _ := c.expression(count, c.to, lowest)
		c.suppose(count, end, whole)
		if end == count || c.word(count, "ROW", "ROWS") {
			end = count
			c.replace(i+1, " 1")
		}
		if !c.word(end, "ROW", "ROWS") || !c.word(end+1, "ONLY") {
			c.refuse(end, "write LIMIT n", "expected ROWS ONLY")
		}
		c.remove(end, end+2)
		return end + 2
	}
}

// end completes the clauses: an OFFSET without a LIMIT needs one in SQLite.
func (c *clauses) end(int) {
	if c.offset > 0 {
		c.around(c.offset-1, c.offset, "", ", -1")
	}
}
