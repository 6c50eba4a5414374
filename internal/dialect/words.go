package dialect

import (
	"slices"
	"strings"
	"sync"
)

// reserved are the words that SQLite takes for no name unless they are quoted.
var reserved = sync.OnceValue(func() map[string]bool {
	return wordSet(`ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CHECK COLLATE COMMIT CONSTRAINT CREATE DEFAULT
	DEFERRABLE DELETE DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM GROUP HAVING IN INDEX INSERT INTERSECT INTO IS
	ISNULL JOIN LIMIT NOT NOTHING NOTNULL NULL ON OR ORDER PRIMARY REFERENCES RETURNING SELECT SET TABLE THEN TO TRANSACTION
	UNION UNIQUE UPDATE USING VALUES WHEN WHERE`)
})

// noColumns are reserved words that mean something where a column may stand.
var noColumns = sync.OnceValue(func() map[string]bool { return wordSet(`CASE EXISTS NOT NULL`) })

// statements are the words that may begin what stands behind CREATE … AS and WITH t AS.
var statements = sync.OnceValue(func() map[string]bool { return wordSet(`DELETE INSERT NOT SELECT UPDATE VALUES`) })

// beforeOperand are the words behind which an operand stands.
var beforeOperand = sync.OnceValue(func() map[string]bool {
	return wordSet(`ALL AND BETWEEN BY CASE DISTINCT ELSE ESCAPE HAVING ILIKE IN IS LIKE NOT ON OR RETURNING SELECT SET
	THEN WHEN WHERE`)
})

// afterOperand are the words that may follow an operand.
var afterOperand = sync.OnceValue(func() map[string]bool {
	return wordSet(`AND AS ASC BETWEEN COLLATE DESC ELSE END EXCEPT FROM GROUP HAVING ILIKE IN INTERSECT IS ISNULL
		LIKE LIMIT NOT NOTNULL NULLS OFFSET OR ORDER RETURNING THEN UNION WHEN WHERE`)
})

// notOperands are the bare words that are neither an operand nor the name of a function.
var notOperands = sync.OnceValue(func() map[string]bool {
	return wordSet(`ALL AND AS ASC BETWEEN BY CASE COLLATE CROSS DESC DISTINCT ELSE END ESCAPE EXCEPT EXISTS FETCH FILTER
	FROM FULL GLOB GROUP HAVING ILIKE IN INNER INTERSECT INTO IS ISNULL JOIN LATERAL LEFT LIKE LIMIT MATCH NATURAL NOT NOTNULL
	OFFSET ON OR ORDER OVER REGEXP RETURNING RIGHT SELECT SET SIMILAR THEN UNION USING VALUES WHEN WHERE WINDOW WITH`)
})

// afterTable are the words that may follow a table and are no alias of it.
var afterTable = sync.OnceValue(func() map[string]bool {
	return wordSet(`CROSS EXCEPT FETCH FOR FULL GROUP HAVING INNER INTERSECT JOIN LEFT LIMIT NATURAL OFFSET ON ORDER
	RETURNING RIGHT SET UNION USING WHERE WINDOW WITH`)
})

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(text) {
		set[word] = true
	}
	return set
}

// units are the words behind INTERVAL '1'.
var units = sync.OnceValue(func() map[string]bool { return wordSet(`DAY HOUR MINUTE MONTH SECOND YEAR`) })

// in reports whether the token is one of the words.
func (t Token) in(set map[string]bool) bool { return t.Type == Word && set[strings.ToUpper(t.Raw)] }

// names quotes the reserved words that stand where a name stands: behind AS or a dot, or where a
// column stands and the word cannot mean anything else.
func (t *translator) names() {
	for i, word := range t.tokens {
		if !word.in(reserved()) {
			continue
		}
		before := t.get(i - 1)
		switch {
		case before.Raw == "." && t.get(i-2).Type == Word:
		case before.is("AS"):
			if t.isType(i-1) || word.in(statements()) && !t.endsItem(i+1) {
				continue
			}
		case word.in(noColumns()) || !t.beginsOperand(i) || !t.endsColumn(i+1) || word.in(statements()) && !t.endsItem(i+1) && t.get(i+1).Raw != "=":
			continue
		case before.is("SET") && t.get(i+1).Raw != "=": // ON DELETE SET DEFAULT
			continue
		case word.is("DISTINCT") && (before.is("IS") || before.is("NOT")), word.is("FROM") && before.is("DISTINCT") && !t.get(i-2).is("SELECT"):
			continue // of IS DISTINCT FROM
		}
		t.replace(i, identifier(word.Raw))
		t.named[i] = true
	}
}

// isType reports whether the AS at a token is that of CAST(x AS type).
func (t *translator) isType(as int) bool {
	for i := as - 1; i >= 0; i-- {
		switch t.get(i).Raw {
		case ")":
			i = t.pair(i)
		case "(":
			return t.get(i - 1).is("CAST")
		case ",", ";":
			return false
		}
	}
	return false
}

// beginsOperand reports whether an operand may begin at a token, by the one before it.
func (t *translator) beginsOperand(i int) bool {
	before := t.get(i - 1)
	switch {
	case before.Type == Word:
		return before.in(beforeOperand()) && !t.named[i-1]
	case before.Type == String, before.Type == Number, i == 0:
		return false
	}
	return before.Raw != ")" && before.Raw != "." && before.Raw != "]" && before.Raw != "*" && !strings.ContainsAny(before.Raw[:1], "?:@$")
}

// endsColumn reports whether a column may end before a token.
func (t *translator) endsColumn(i int) bool {
	after := t.get(i)
	switch after.Type {
	case Word:
		if after.is("NOT") { // as in x NOT IN …, and not CASE WHEN NOT …
			next := t.get(i + 1)
			return next.is("IN") || next.is("LIKE") || next.is("ILIKE") || next.is("BETWEEN") || next.is("NULL") || next.is("SIMILAR")
		}
		return after.in(afterOperand())
	case String, Number:
		return false
	}
	return after.Raw != "(" && after.Raw != "." && after.Raw != "*" && after.Raw != "{" && (after.Raw == "" || !strings.ContainsAny(after.Raw[:1], "?@$[")) &&
		!slices.Contains([]string{"-", "+", "~"}, after.Raw) // of LIMIT -1
}

// endsItem reports whether an item of a list, or the statement, ends before a token.
func (t *translator) endsItem(i int) bool {
	after := t.get(i)
	return after.Raw == "" || after.Raw == "," || after.Raw == ")" || after.Raw == ";" || after.is("FROM")
}
