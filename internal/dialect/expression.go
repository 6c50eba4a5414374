package dialect

import (
	"strings"
)

// The precedence of operators. It is SQLite's for those that both know.
const (
	lowest = iota
	ofOr
	ofAnd
	ofNot
	ofEqual
	ofLess
	ofMatch // PostgreSQL's own, such as ~ and @>
	ofBits
	ofSum
	ofProduct
	ofText
	ofCollate
	ofUnary
	ofZone
	ofCast
)

// precedence is that of the operators between two operands which stay as they are.
var precedence = map[string]int{
	"OR": ofOr, "AND": ofAnd, "=": ofEqual, "==": ofEqual, "<>": ofEqual, "!=": ofEqual, "LIKE": ofEqual, "GLOB": ofEqual,
	"MATCH": ofEqual, "REGEXP": ofEqual, "<": ofLess, "<=": ofLess, ">": ofLess, ">=": ofLess, "&": ofBits, "|": ofBits,
	"<<": ofBits, ">>": ofBits, "+": ofSum, "-": ofSum, "*": ofProduct, "/": ofProduct, "%": ofProduct, "||": ofText,
	"->": ofText, "->>": ofText, "COLLATE": ofCollate,
}

// functionOperators are the operators of PostgreSQL's that are functions here, with the two ends of the
// call around the operands.
var functionOperators = map[string]struct {
	precedence    int
	before, after string
}{
	"~":    {ofMatch, Prefix + "match(", ")"},
	"~*":   {ofMatch, Prefix + "match(", ", 'i')"},
	"!~":   {ofMatch, "(NOT " + Prefix + "match(", "))"},
	"!~*":  {ofMatch, "(NOT " + Prefix + "match(", ", 'i'))"},
	"~~*":  {ofMatch, Prefix + "ilike(", ")"},
	"!~~*": {ofMatch, "(NOT " + Prefix + "ilike(", "))"},
	"@>":   {ofMatch, Prefix + "contains(", ")"},
	"<@":   {ofMatch, Prefix + "contained(", ")"},
	"#>":   {ofText, Prefix + "path(", ")"},
	"#>>":  {ofText, Prefix + "path_text(", ")"},
}

// deepest bounds how deeply brackets nest. SQLite refuses less.
const deepest = 1500

// list translates the tokens from one to before another: the expressions among them, and what stands
// between those. It returns the items of the first SELECT among them.
func (t *translator) list(from, to int) []Item {
	if t.depth++; t.depth > deepest {
		t.refuse(from, "", "the statement nests too deeply")
	}
	defer func() { t.depth-- }()
	c := clauses{translator: t, to: to}
	if t.depth > 1 {
		defer func() { t.keep(c.found) }()
	}
	for i := from; i < to; {
		if next := c.at(i); next > i {
			i = next
			continue
		}
		if end, _ := t.expression(i, to, lowest); end > i {
			i = end
			continue
		}
		if t.get(i).Raw == "(" || t.get(i).Raw == "[" {
			t.list(i+1, t.pair(i))
			i = t.pair(i)
		}
		i++
	}
	c.end(to)
	return c.found
}

// expression translates the expression that begins at a token, of operators that bind as tightly as
// least or more tightly. It returns the token behind it: the one at which it begins if there is none.
func (t *translator) expression(from, to, least int) (end int, of form) {
	if from >= to {
		return from, plain
	}
	if t.depth++; t.depth > deepest {
		t.refuse(from, "", "the statement nests too deeply")
	}
	defer func() { t.depth-- }()
	if t.word(from, "NOT") {
		operand, _ := t.expression(from+1, to, ofNot)
		if operand == from+1 {
			return from, plain
		}
		return t.infixes(from, operand, to, least, truth)
	}
	if sign := t.get(from).Raw; sign == "-" || sign == "+" || sign == "~" || sign == "~~" {
		operand, form := t.expression(from+1, to, ofUnary)
		if operand == from+1 {
			return from, plain
		}
		if sign == "-" && form == interval {
			t.around(from, operand, Prefix+"interval_times(", ", -1)")
			t.replace(from, "")
		}
		return t.infixes(from, operand, to, least, form)
	}
	operand, form := t.primary(from, to)
	if operand == from {
		return from, plain
	}
	return t.infixes(from, operand, to, least, form)
}

// infixes translates the operators behind an operand.
func (t *translator) infixes(from, end, to, least int, of form) (int, form) {
	for end < to {
		next, form := t.infix(from, end, to, least, of)
		if next == end {
			break
		}
		end, of = next, form
	}
	return end, of
}

// infix translates the operator at a token and its right side. It returns the token behind them: that
// of the operator if it is none, or binds less tightly than least.
func (t *translator) infix(from, at, to, least int, left form) (end int, of form) { //nolint:gocyclo // a table of operators
	token := t.get(at)
	if token.Type == String || t.named[at] {
		return at, left
	}
	sign := strings.ToUpper(token.Raw)
	if sign == "::" && least <= ofCast {
		return t.cast(from, at, to)
	}
	if sign == "[" && t.isSubscript(at) && least <= ofCast {
		end = t.pair(at) + 1
		t.list(at+1, end-1)
		t.around(from, end, Prefix+"element(", ")")
		t.replace(at, ", ")
		t.replace(end-1, "")
		return end, form(strings.TrimSuffix(string(left), "[]"))
	}
	if own, ok := functionOperators[sign]; ok && least <= own.precedence {
		end, _ = t.expression(at+1, to, own.precedence+1)
		if end == at+1 {
			return at, left
		}
		t.around(from, end, own.before, own.after)
		t.replace(at, ",")
		switch sign {
		case "#>":
			return end, document
		case "#>>":
			return end, words
		}
		if own.after != ")" || !strings.HasSuffix(sign, ">") { // a pattern, not JSON
			t.suppose(from, at, words)
			t.suppose(at+1, end, words)
		}
		return end, truth
	}
	switch sign {
	case "IS":
		return t.is(at, to, least)
	case "NOT":
		return t.matching(from, at, at+1, to, least, left)
	case "ILIKE", "LIKE", "SIMILAR", "IN", "BETWEEN":
		return t.matching(from, at, at, to, least, left)
	case "AT":
		if t.get(at+1).is("TIME") && t.get(at+2).is("ZONE") && least <= ofZone {
			if end, _ = t.expression(at+3, to, ofZone+1); end > at+3 {
				t.around(from, end, Prefix+"timezone(", ")")
				t.replace(at, ",")
				t.remove(at+1, at+3)
				return end, moment
			}
		}
		return at, left
	case "?":
		if t.get(at+1).Type == String && least <= ofMatch {
			t.around(from, at+2, Prefix+"has_key(", ")")
			t.replace(at, ",")
			t.literal(at + 1)
			return at + 2, truth
		}
		return at, left
	case "ISNULL", "NOTNULL":
		if least <= ofEqual {
			return at + 1, truth
		}
		return at, left
	case "~~", "!~~":
		if end, _ = t.expression(at+1, to, ofMatch+1); end == at+1 || least > ofMatch {
			return at, left
		}
		t.around(from, end, "(", ")") // it binds more tightly than LIKE
		t.replace(at, map[string]string{"~~": "LIKE", "!~~": "NOT LIKE"}[sign])
		t.suppose(at+1, end, words)
		return end, truth
	case "COLLATE":
		if end = t.collation(at); end > at && least <= ofCollate {
			t.remove(at, end)
			return end, left
		}
	case "&&":
		t.refuse(at, "look for a part of an array with = ANY (…), or with json_each", "the operator && is not supported")
	}
	tightness, ok := precedence[sign]
	if !ok || tightness < least {
		return at, left
	}
	if tightness == ofEqual || tightness == ofLess {
		if t.word(at+1, "ANY", "SOME", "ALL") && t.get(at+2).Raw == "(" {
			return t.quantified(at, left), truth
		}
	}
	end, right := t.expression(at+1, to, tightness+1)
	if end == at+1 {
		return at, left
	}
	return end, t.arithmetic(from, at, end, sign, left, right)
}

// arithmetic translates + - * and || if an operand is known to be a time, an interval or JSON. It
// returns the form of the result.
func (t *translator) arithmetic(from, at, end int, sign string, left, right form) form {
	call := func(name string, of form) form {
		t.around(from, end, name+"(", ")")
		t.replace(at, ",")
		return of
	}
	switch {
	case sign == "+" && left == interval && right == interval:
		return call(Prefix+"interval_plus", interval)
	case sign == "-" && left == interval && right == interval:
		return call(Prefix+"interval_minus", interval)
	case sign == "+" && (left == interval || right == interval || left.isMoment() || right.isMoment()):
		return call(Prefix+"time_plus", moment)
	case sign == "-" && right == interval:
		return call(Prefix+"time_minus", moment)
	case sign == "-" && (left.isMoment() || right.isMoment()):
		of := interval // between two times
		if left.isMoment() && t.get(at+1).Type == Number && end == at+2 {
			of = moment // a date less days
		}
		return call(Prefix+"time_minus", of)
	case (sign == "*" || sign == "/") && left == interval:
		if sign == "/" {
			return call(Prefix+"interval_over", interval)
		}
		return call(Prefix+"interval_times", interval)
	case sign == "*" && right == interval:
		return call(Prefix+"interval_times", interval)
	case sign == "||" && (left.isDocument() || right.isDocument()):
		return call(Prefix+"json_concat", document)
	case sign == "||" && (left.isArray() || right.isArray()):
		return call(Prefix+"json_concat", array)
	case sign == "-" && left.isDocument():
		return call(Prefix+"json_minus", document)
	}
	return t.resultOf(from, at, end, sign, left, right)
}

// is translates what follows IS.
func (t *translator) is(at, to, least int) (end int, of form) {
	if least > ofEqual {
		return at, plain
	}
	i := at + 1
	if t.get(i).is("NOT") {
		i++
	}
	if t.get(i).is("DISTINCT") && t.get(i+1).is("FROM") {
		i += 2
	} else if t.get(i).is("UNKNOWN") {
		t.replace(i, "NULL")
		return i + 1, truth
	}
	end, _ = t.expression(i, to, ofEqual+1)
	if end == i {
		return at, plain
	}
	return end, truth
}

// isSubscript reports whether the bracket at a token begins the subscript of what stands before it. For
// SQLite, brackets are quotes: x[1] is no column with the name 1.
func (t *translator) isSubscript(at int) bool {
	if t.get(at).Start != t.get(at-1).End() || t.pair(at) <= at+1 {
		return false
	}
	return t.Only || t.pair(at) == at+2 && t.get(at+1).Type == Number
}

// collation finds the end of a collation behind the COLLATE at a token that means the order of bytes, as
// here: pg_catalog."default", "C".
func (t *translator) collation(at int) int {
	name := at + 1
	if strings.EqualFold(unquote(t.get(name).Raw), "pg_catalog") && t.get(name+1).Raw == "." {
		name += 2
	}
	switch unquote(t.get(name).Raw) {
	case "default", "C", "POSIX", "ucs_basic":
		return name + 1
	}
	return at
}

// matching translates [NOT] LIKE, ILIKE, SIMILAR TO, IN and BETWEEN. word is the token of the word
// behind NOT.
func (t *translator) matching(from, at, word, to, least int, left form) (end int, of form) {
	if least > ofEqual {
		return at, plain
	}
	not, closing := "", ""
	if word > at {
		not, closing = "(NOT ", ")"
	}
	switch {
	case t.get(word).is("NULL") && word > at:
		return word + 1, truth
	case t.get(word).is("IN"):
		if t.get(word+1).Raw == "(" {
			t.list(word+2, t.pair(word+1))
			t.supposeAll(word+1, left)
			return t.pair(word+1) + 1, truth
		}
		return word + 1, truth
	case t.get(word).is("BETWEEN"):
		if t.get(word + 1).is("SYMMETRIC") {
			t.refuse(word+1, "write BETWEEN least(a, b) AND greatest(a, b)", "BETWEEN SYMMETRIC is not supported")
		}
		low, _ := t.expression(word+1, to, ofLess)
		if !t.word(low, "AND") {
			return max(low, word+1), plain
		}
		high, _ := t.expression(low+1, to, ofLess)
		t.suppose(word+1, low, left)
		t.suppose(low+1, high, left)
		return high, truth
	case t.get(word).is("LIKE"), t.get(word).is("ILIKE"):
		if t.word(word+1, "ANY", "SOME", "ALL") && t.get(word+2).Raw == "(" {
			t.refuse(word+1, "compare with each pattern by itself: a LIKE 'x%' OR a LIKE 'y%'", "%s with a list of patterns is not supported", strings.ToUpper(t.get(word).Raw))
		}
		end = t.pattern(word+1, to)
		if end > word+1 && t.get(word).is("ILIKE") {
			t.remove(at, word)
			t.replace(word, ",")
			t.around(from, end, not+Prefix+"ilike(", ")"+closing)
		}
		return max(end, word+1), truth
	case t.get(word).is("SIMILAR") && t.get(word+1).is("TO"):
		end = t.pattern(word+2, to)
		if end > word+2 {
			t.remove(at, word)
			t.replace(word, ",")
			t.remove(word+1, word+2)
			t.around(from, end, not+Prefix+"similar(", ")"+closing)
		}
		return max(end, word+2), truth
	case word > at && (t.get(word).is("GLOB") || t.get(word).is("REGEXP") || t.get(word).is("MATCH")):
		end, _ = t.expression(word+1, to, ofEqual+1)
		return max(end, word+1), truth
	}
	return at, plain
}

// pattern translates the pattern behind LIKE, and ESCAPE with its character.
func (t *translator) pattern(from, to int) int {
	end, _ := t.expression(from, to, ofEqual+1)
	t.suppose(from, end, words)
	if end > from && t.word(end, "ESCAPE") {
		after, _ := t.expression(end+1, to, ofEqual+1)
		if after > end+1 && (t.get(from-1).is("ILIKE") || t.get(from-1).is("TO")) {
			t.replace(end, ",")
		}
		return max(after, end+1)
	}
	return end
}

// quantified translates = ANY (…) and <> ALL (…), whose operator stands at a token.
func (t *translator) quantified(at int, left form) int {
	sign, open := t.get(at).Raw, at+2
	end := t.pair(open)
	all := t.get(at + 1).is("ALL")
	switch {
	case !all && (sign == "=" || sign == "=="):
		t.replace(at, "IN")
	case all && (sign == "<>" || sign == "!="):
		t.replace(at, "NOT IN")
	default:
		t.refuse(at, "= ANY (…) and <> ALL (…) are; of a query, take min() or max()", "%s %s (…) is not supported", sign, strings.ToUpper(t.get(at+1).Raw))
	}
	t.replace(at+1, "")
	inner := t.get(open + 1)
	switch {
	case inner.is("SELECT"), inner.is("VALUES"), inner.is("WITH"):
		t.list(open+1, end)
	case inner.is("ARRAY") && t.get(open+2).Raw == "[" && t.isOnly(t.pair(open+2)+1, end): // the list itself, which a call can take
		t.list(open+3, t.pair(open+2))
		t.remove(open+1, open+3)
		t.remove(t.pair(open+2), end)
	case inner.Type == String && inner.Raw[0] == '\'' && t.isOnly(open+2, end):
		items, ok := arrayItems(strings.ReplaceAll(inner.Raw[1:len(inner.Raw)-1], "''", "'"))
		if !ok {
			t.refuse(open+1, "an array is written ARRAY['a', 'b'], or '{a,b}'", "this text is no array")
		}
		t.replace(open+1, strings.Join(items, ", "))
		t.remove(open+2, end)
	default:
		t.list(open+1, end)
		if left.isWhole() {
			t.suppose(open+1, end, whole+"[]")
		} else {
			t.suppose(open+1, end, array)
		}
		t.around(open+1, end, "SELECT value FROM json_each("+Prefix+"array(", "))")
	}
	return end + 1
}

// isOnly reports whether nothing but casts to arrays stands between two tokens.
func (t *translator) isOnly(from, to int) bool {
	for from < to {
		if t.get(from).Raw != "::" {
			return false
		}
		_, array, end := t.typeName(from+1, to)
		if !array || end == from+1 {
			return false
		}
		from = end
	}
	return from == to
}

// arrayItems reads an array as PostgreSQL writes it, {a,"b c"}, of one dimension. The items are literals.
func arrayItems(text string) (items []string, ok bool) {
	text = strings.TrimSpace(text)
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return nil, false
	}
	text = text[1 : len(text)-1]
	if strings.TrimSpace(text) == "" {
		return nil, true
	}
	var item strings.Builder
	quoted, wasQuoted := false, false
	end := func() {
		value := item.String()
		if !wasQuoted {
			value = strings.TrimSpace(value)
		}
		if value = literal(value); !wasQuoted && strings.EqualFold(value, "'null'") {
			value = "NULL"
		}
		items = append(items, value)
		item.Reset()
		wasQuoted = false
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			item.WriteByte(text[i])
		case c == '"':
			quoted, wasQuoted = !quoted, true
		case c == ',' && !quoted:
			end()
		case (c == '{' || c == '}') && !quoted:
			return nil, false
		default:
			item.WriteByte(c)
		}
	}
	end()
	return items, !quoted
}
