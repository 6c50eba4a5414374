package dialect

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// primary translates an operand without operators. It returns the token behind it: the one at which
// it begins if there is none.
func (t *translator) primary(at, to int) (end int, of form) {
	token := t.get(at)
	switch {
	case token.Type == String:
		t.literal(at)
		return at + 1, textForm(token)
	case token.Type == Number:
		return at + 1, numberForm(token)
	case token.Raw == "(":
		return t.bracket(at)
	case t.word(at, "CASE") && t.pair(at) > at:
		return t.pair(at) + 1, t.caseOf(at)
	case t.word(at, "EXISTS") && t.get(at+1).Raw == "(" && t.pair(at+1) > at+1:
		t.list(at+2, t.pair(at+1))
		return t.pair(at+1) + 1, truth
	case token.Type == Word && (t.named[at] || !token.in(notOperands()) || t.get(at+1).Raw == "(" && (token.is("LEFT") || token.is("RIGHT"))):
		return t.named1(at, to)
	case token.Raw == "$" && t.get(at+1).Type == Number && t.get(at+1).Start == token.End():
		t.replace(at, "?") // $1
		return at + 2, t.form(at, at+2)
	case token.Raw == "?":
		if next := t.get(at + 1); next.Type == Number && next.Start == token.End() {
			return at + 2, plain
		}
		return at + 1, plain
	case len(token.Raw) > 1 && strings.ContainsAny(token.Raw[:1], ":@$") && token.Raw != "::" && token.Raw != "@>":
		return at + 1, t.column(token.Raw)
	}
	return at, plain
}

// bracket translates what stands between brackets. One expression keeps its form.
func (t *translator) bracket(open int) (end int, of form) {
	end = t.pair(open)
	if end == open {
		return open, plain
	}
	if first := t.get(open + 1); first.is("SELECT") || first.is("VALUES") || first.is("WITH") {
		items := t.list(open+1, end)
		if len(items) == 1 {
			of = form(items[0].Type)
		}
		return end + 1, of
	}
	inner, of := t.expression(open+1, end, lowest)
	if inner == end {
		if part := t.get(end + 2); t.get(end+1).Raw == "." && part.Type == Word && part.Raw != "*" { // (x).part
			t.around(open, end+1, "json_extract(", ", "+literal("$."+unquote(part.Raw))+")")
			t.remove(end+1, end+3)
			return end + 3, plain
		}
		return end + 1, of
	}
	t.list(inner, end)
	return end + 1, plain
}

// textForm is the form of a literal text. What a cast makes of it is not known here.
func textForm(token Token) form {
	if token.Raw[0] == 'x' || token.Raw[0] == 'X' {
		return "bytea"
	}
	return words
}

// numberForm is the form of a number.
func numberForm(token Token) form {
	n, err := strconv.ParseInt(token.Raw, 0, 64)
	switch {
	case err != nil:
		return real
	case n > math.MaxInt32:
		return whole
	}
	return small
}

// named1 translates a name, a call, or a literal that a word begins.
func (t *translator) named1(at, to int) (end int, of form) {
	if !t.named[at] {
		if end, of, ok := t.typed(at); ok {
			return end, of
		}
	}
	end = at + 1
	for t.get(end).Raw == "." && (t.get(end+1).Type == Word || t.get(end+1).Raw == "*") {
		if t.get(end+1).Raw == "*" {
			return end + 2, plain
		}
		end += 2
	}
	if end == at+3 && t.get(end).Raw == "(" && isSchema(t.get(at)) { // pg_catalog.now()
		t.remove(at, at+2)
		at += 2
	}
	if t.get(end).Raw == "(" && end == at+1 && t.pair(end) > end {
		return t.call(at, to)
	}
	switch {
	case end > at+1:
	case t.word(at, "CURRENT_TIMESTAMP"):
		return end, moment
	case t.word(at, "CURRENT_DATE"):
		return end, "date"
	case t.word(at, "TRUE", "FALSE"):
		return end, truth
	case t.word(at, "NULL"):
		return end, plain
	case t.Only && t.word(at, "CURRENT_CATALOG", "CURRENT_ROLE", "CURRENT_SCHEMA", "CURRENT_USER", "SESSION_USER", "USER"):
		t.around(at, end, "", "()")
		return end, words
	case t.word(at, "LOCALTIMESTAMP"):
		t.replace(at, Prefix+"timestamp(now())")
		return end, "timestamp"
	}
	return end, t.column(unquote(t.get(end - 1).Raw))
}

// isSchema reports whether a name is that of a schema of PostgreSQL's functions.
func isSchema(token Token) bool {
	name := unquote(token.Raw)
	return strings.EqualFold(name, "pg_catalog") || strings.EqualFold(name, "information_schema")
}

// typed translates a literal with the name of its type before it, INTERVAL '1 day', and ARRAY[…].
func (t *translator) typed(at int) (end int, of form, ok bool) {
	word, next := t.get(at), t.get(at+1)
	zoned := 0 // the tokens of TIMESTAMP WITH TIME ZONE '…'
	if word.is("TIMESTAMP") && (next.is("WITH") || next.is("WITHOUT")) && t.get(at+2).is("TIME") && t.get(at+3).is("ZONE") && t.get(at+4).Type == String {
		zoned = 4
		if next.is("WITH") {
			word.Raw = "TIMESTAMPTZ"
		}
		next = t.get(at + zoned)
	}
	switch {
	case word.is("ARRAY") && next.Raw == "[" && t.pair(at+1) > at+1:
		return t.pair(at+1) + 1, t.nested(at + 1), true
	case word.is("ARRAY") && next.Raw == "(" && t.get(at+2).is("SELECT"):
		end = t.pair(at + 1)
		t.replace(at, "")
		t.list(at+2, end)
		t.around(at+2, end, "WITH "+Prefix+"a(v) AS (", ") SELECT json_group_array(v) FROM "+Prefix+"a")
		return end + 1, array, true
	case next.Type != String || next.Start == word.End():
		return at, plain, false
	}
	function, of := "", moment
	if zoned > 0 {
		t.remove(at+1, at+zoned)
	}
	switch strings.ToUpper(word.Raw) {
	case "INTERVAL":
		function, of = "interval", interval
	case "TIMESTAMPTZ":
		function = "timestamptz"
	case "TIMESTAMP":
		function, of = "timestamp", "timestamp"
	case "DATE":
		function, of = "date", "date"
	case "JSON", "JSONB":
		function, of = "json", document
	default:
		return at, plain, false
	}
	t.replace(at, Prefix+function+"(")
	at += max(zoned-1, 0)
	t.literal(at + 1)
	if unit := t.get(at + 2); of == interval && unit.in(units()) { // INTERVAL '1' DAY
		t.replace(at+2, "|| "+literal(" "+strings.ToLower(unit.Raw))+")")
		return at + 3, of, true
	}
	t.around(at+1, at+2, "", ")")
	return at + 2, of, true
}

// nested translates ARRAY[1, ARRAY[2], [3]], whose bracket stands at a token.
func (t *translator) nested(open int) form {
	of := whole + "[]"
	if t.get(open - 1).is("ARRAY") {
		t.replace(open-1, "")
	}
	end := t.pair(open)
	t.replace(open, "json_array(")
	t.replace(end, ")")
	for i := open + 1; i < end; {
		switch next, item := t.expression(i, end, lowest); {
		case next > i:
			i = next
			if !item.isWhole() {
				of = array
			}
		case t.get(i).Raw == "[":
			t.nested(i)
			i = t.pair(i) + 1
			of = document
		default:
			i++
		}
	}
	return of
}

// literal translates E'…' and $$…$$ to a text that SQLite reads.
func (t *translator) literal(at int) {
	raw := t.get(at).Raw
	switch raw[0] {
	case '$':
		tag := raw[:strings.IndexByte(raw[1:], '$')+2]
		t.replace(at, literal(raw[len(tag):len(raw)-len(tag)]))
	case 'e', 'E':
		text, ok := unescape(raw[2 : len(raw)-1])
		if !ok {
			t.refuse(at, `\n, \t, \\, \', \xFF, \377 and \u00FF are`, "an escape in this text is not known")
		}
		t.replace(at, literal(text))
	}
}

// unescape reads the escapes of E'…'.
func unescape(raw string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '\'' {
			i++ // the second of two
			b.WriteByte(c)
			continue
		}
		if c != '\\' {
			b.WriteByte(c)
			continue
		}
		if i++; i >= len(raw) {
			return "", false
		}
		digits, base, most := 0, 16, 0
		switch c = raw[i]; c {
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			most, digits = 4, 4
		case 'U':
			most, digits = 8, 8
		case 'x':
			most, digits = 2, 1
		case '0', '1', '2', '3', '4', '5', '6', '7':
			most, digits, base = 3, 1, 8
			i--
		default:
			b.WriteByte(c)
		}
		if most == 0 {
			continue
		}
		length := 0
		for length < most && i+1+length < len(raw) && isDigit(raw[i+1+length], base) {
			length++
		}
		code, err := strconv.ParseInt(raw[i+1:i+1+length], base, 32)
		if length < digits || err != nil || code == 0 || !utf8.ValidRune(rune(code)) || base == 16 && most == 2 && code > 0x7F || base == 8 && code > 0x7F {
			return "", false // a byte by itself may be no character
		}
		b.WriteRune(rune(code))
		i += length
	}
	return b.String(), true
}

func isDigit(c byte, base int) bool {
	if base == 8 {
		return c >= '0' && c <= '7'
	}
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
