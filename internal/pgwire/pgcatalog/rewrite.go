package pgcatalog

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/pgwire/pgtext"
	"github.com/lakeql/lakeql/provider"
)

// rewrite makes SQLite's dialect of a question in PostgreSQL's. It goes over the tokens once; what SQLite takes
// as it is stays.
func rewrite(text string) (string, error) {
	w := &rewriter{in: nameColumns(arrayQueries(pgtext.Significant(pgtext.Tokens(text))))}
	w.findSets()
	for w.at < len(w.in) {
		if err := w.token(); err != nil {
			return "", err
		}
	}
	return w.text(), nil
}

// rewriter holds what is written, piece by piece.
type rewriter struct {
	in   []pgtext.Token
	at   int
	out  []string
	open []string // what closes the brackets that are open, in place of ")" or "]"
	// values are the names by which a query calls the values of a function that returns a set, with the table that
	// has them; tables are those tables.
	values map[string]string
	tables map[string]bool
	names  map[int]bool // indexes in in of the tokens that give those names
}

// setFunction is how a function that returns a set is written: as the items of an array.
func setFunction(name string) (function string, ok bool) {
	switch name {
	case "unnest":
		return "pg_json_array", true
	case "generate_series":
		return "pg_series", true
	case "generate_subscripts":
		return "pg_subscripts", true
	}
	return "", false
}

// findSets notes what queries call the values of functions that return sets: unnest(…) [AS] t [(v)].
func (w *rewriter) findSets() {
	w.values, w.tables, w.names = map[string]string{}, map[string]bool{}, map[int]bool{}
	for i := 0; i+1 < len(w.in); i++ {
		if _, ok := setFunction(strings.ToLower(w.in[i].Text)); !ok || w.in[i+1].Text != "(" {
			continue
		}
		end, depth := i+1, 0
		for ; end < len(w.in); end++ {
			if w.in[end].Text == "(" {
				depth++
			} else if w.in[end].Text == ")" {
				if depth--; depth == 0 {
					break
				}
			}
		}
		end++
		if end < len(w.in) && strings.EqualFold(w.in[end].Text, "AS") {
			end++
		}
		if end >= len(w.in) || w.in[end].Kind != pgtext.Word || isKeyword(w.in[end].Text) || isClause(w.in[end].Text) {
			continue
		}
		table := strings.ToLower(w.in[end].Text)
		w.tables[table], w.values[table], w.names[end] = true, table, true
		if end+3 < len(w.in) && w.in[end+1].Text == "(" && w.in[end+3].Text == ")" {
			w.values[strings.ToLower(w.in[end+2].Text)] = table
			w.names[end+1], w.names[end+2], w.names[end+3] = true, true, true
		}
	}
}

// isClause lists the words that stand behind a table without a name of its own.
func isClause(word string) bool {
	switch strings.ToUpper(word) {
	case "WHERE", "JOIN", "LEFT", "INNER", "CROSS", "GROUP", "ORDER", "LIMIT", "UNION", "WITH", "FULL", "RIGHT", "NATURAL", "EXCEPT", "INTERSECT", "OFFSET":
		return true
	}
	return false
}

func (w *rewriter) text() string { return strings.Join(w.out, " ") }

// peek is a token from here; empty behind the end.
func (w *rewriter) peek(n int) pgtext.Token {
	if w.at+n < len(w.in) {
		return w.in[w.at+n]
	}
	return pgtext.Token{}
}

// is reports whether the next words are these.
func (w *rewriter) is(words ...string) bool {
	for i, word := range words {
		if !strings.EqualFold(w.peek(i).Text, word) {
			return false
		}
	}
	return true
}

func (w *rewriter) emit(texts ...string) { w.out = append(w.out, texts...) }

func (w *rewriter) token() error {
	t := w.peek(0)
	lower := strings.ToLower(t.Text)
	next := w.peek(1).Text
	if w.names[w.at] {
		if w.tables[lower] && (w.at == 0 || !w.names[w.at-1]) {
			if !w.after("AS") {
				w.emit("AS")
			}
			w.emit(t.Text)
		}
		w.at++
		return nil
	}
	switch {
	case w.tables[lower] && next == "." && w.values[strings.ToLower(w.peek(2).Text)] == lower:
		w.emit(t.Text, ".", "value")
		w.at += 2
	case w.values[lower] != "" && t.Kind == pgtext.Word && next != "." && next != "(" && !w.after(".") && !w.after("AS"):
		w.emit(w.values[lower], ".", "value")
	case t.Kind == pgtext.Word && next == "(" && isSetFunction(lower):
		function, _ := setFunction(lower)
		w.at++
		w.emit("json_each")
		w.bracket("( "+function+"(", "))")
	case t.Kind == pgtext.String:
		w.emit(plainString(t.Text))
	case t.Text == "::":
		return w.cast()
	case t.Text == "(":
		w.bracket("(", ")")
	case t.Text == ")":
		w.close(")")
	case t.Text == "[":
		return w.subscript()
	case t.Text == "]":
		w.close("]")
	case lower == "operator" && next == "(":
		return w.operator()
	case t.Text == "~" || t.Text == "!" && next == "~":
		w.match()
		return nil
	case lower == "ilike":
		w.emit("LIKE")
	case lower == "collate":
		w.collate()
		return nil
	case (lower == "pg_catalog" || t.Text == `"pg_catalog"`) && next == "." && w.peek(3).Text == "(":
		w.at++ // a function; SQLite has no schemas for them
	case (lower == "any" || lower == "some" || lower == "all") && next == "(" && len(w.out) > 0:
		w.quantifier(lower)
		return nil
	case lower == "array" && next == "[":
		w.at++
		w.emit("pg_make_array")
		w.bracket("(", ")")
	case isBareFunction(lower) && t.Kind == pgtext.Word && next != "(" && !w.after("."):
		w.emit(lower + "()")
	case lower == "only" && w.after("FROM"):
	case t.Kind == pgtext.Placeholder:
		w.emit("?" + t.Text[1:])
	case lower == "limit" && strings.EqualFold(next, "all"):
		w.at++
	case lower == "lateral":
	case isReserved(lower) && (w.after("AS") || next == "." && !w.after(".")):
		w.emit(`"` + t.Text + `"`)
	default:
		w.emit(t.Text)
	}
	w.at++
	return nil
}

// after reports whether the token before is this one.
func (w *rewriter) after(text string) bool {
	return w.at > 0 && strings.EqualFold(w.in[w.at-1].Text, text)
}

// bracket opens one.
func (w *rewriter) bracket(open, with string) {
	w.open = append(w.open, with)
	w.emit(open)
}

// close ends the bracket that was opened last; one that none opened stays as it is.
func (w *rewriter) close(bracket string) {
	if n := len(w.open); n > 0 {
		bracket = w.open[n-1]
		w.open = w.open[:n-1]
	}
	w.emit(bracket)
}

// plainString writes a string of any kind as SQLite's.
func plainString(text string) string {
	switch text[0] {
	case '$':
		tag := text[:strings.IndexByte(text[1:], '$')+2]
		return "'" + strings.ReplaceAll(strings.TrimSuffix(text[len(tag):], tag), "'", "''") + "'"
	case 'E', 'e':
		inner := strings.ReplaceAll(strings.TrimSuffix(text[2:], "'"), "''", "'")
		inner = strings.NewReplacer(`\\`, `\`, `\'`, "'", `\n`, "\n", `\t`, "\t", `\r`, "\r").Replace(inner)
		return "'" + strings.ReplaceAll(inner, "'", "''") + "'"
	}
	return text
}

// typeName reads the name of a type behind a cast.
func (w *rewriter) typeName() (name string, isArray bool) {
	if w.is("pg_catalog", ".") || w.is("information_schema", ".") {
		w.at += 2
	}
	name = strings.ToLower(pgtext.Unquote(w.peek(0).Text))
	w.at++
	for _, more := range [][]string{{"precision"}, {"varying"}, {"with", "time", "zone"}, {"without", "time", "zone"}} {
		if w.is(more...) {
			name += " " + strings.Join(more, " ")
			w.at += len(more)
		}
	}
	if w.is("(") {
		for w.at < len(w.in) && !w.is(")") {
			w.at++
		}
		w.at++
	}
	for w.is("[", "]") {
		isArray = true
		w.at += 2
	}
	return name, isArray
}

// cast writes x::type as a function of x where it means something, and as x otherwise.
func (w *rewriter) cast() error {
	w.at++
	name, isArray := w.typeName()
	if isArray {
		return nil
	}
	function := ""
	switch name {
	case "regclass":
		function = "pg_regclass"
	case "regtype":
		function = "pg_regtype"
	case "regnamespace":
		function = "pg_regnamespace"
	case "oid", "int", "int2", "int4", "int8", "integer", "bigint", "smallint":
		function = "pg_int"
	case "text", "varchar", "character varying":
		function = "pg_text"
	case "bool", "boolean":
		function = "pg_bool"
	default:
		return nil
	}
	begin := w.operand()
	if begin < 0 {
		return provider.Usagef("a cast to %s has nothing before it", provider.Printable(name))
	}
	operand := strings.Join(w.out[begin:], " ")
	w.out = append(w.out[:begin], function+"(", operand, ")")
	return nil
}

// operand is the index in out where the expression begins that ends there: a name with dots, a literal, or a
// bracket with the function before it; -1 if there is none.
func (w *rewriter) operand() int {
	i := len(w.out) - 1
	if i < 0 {
		return -1
	}
	if strings.HasSuffix(w.out[i], ")") && !strings.HasSuffix(w.out[i], "()") {
		depth := 0
		for ; i >= 0; i-- {
			depth += strings.Count(w.out[i], ")") - strings.Count(w.out[i], "(")
			if isText(w.out[i]) {
				continue
			}
			if depth <= 0 {
				break
			}
		}
		if i < 0 {
			return -1
		}
		if w.out[i] == "(" && i > 0 && isName(w.out[i-1]) && !isKeyword(w.out[i-1]) {
			i--
		}
	}
	for i >= 2 && w.out[i-1] == "." {
		i -= 2
	}
	return i
}

func isText(text string) bool { return text != "" && text[0] == '\'' }

func isName(text string) bool {
	return text != "" && (text[0] == '"' || text[0] == '_' || text[0] >= 'a' && text[0] <= 'z' || text[0] >= 'A' && text[0] <= 'Z')
}

func isKeyword(text string) bool {
	switch strings.ToUpper(text) {
	case "IN", "AND", "OR", "NOT", "SELECT", "WHERE", "ON", "WHEN", "THEN", "ELSE", "FROM", "BY", "VALUES", "EXISTS", "AS", "LIKE", "RETURNING", "HAVING", "CASE":
		return true
	}
	return false
}

// subscript writes x[i] as a function.
func (w *rewriter) subscript() error {
	begin := w.operand()
	if begin < 0 {
		return provider.Usagef("a subscript has nothing before it")
	}
	operand := strings.Join(w.out[begin:], " ")
	w.out = w.out[:begin]
	w.emit("pg_subscript(", operand, ",")
	w.open = append(w.open, ")")
	w.at++
	return nil
}

// operator writes OPERATOR(pg_catalog.~) as the operator.
func (w *rewriter) operator() error {
	w.at += 2
	if w.is("pg_catalog", ".") {
		w.at += 2
	}
	begin := w.at
	for w.at < len(w.in) && !w.is(")") {
		w.at++
	}
	if w.at == len(w.in) {
		return provider.Usagef("OPERATOR( is not closed")
	}
	signs := w.in[begin:w.at]
	w.at++
	rest := &rewriter{in: append(signs[:len(signs):len(signs)], pgtext.Token{Kind: pgtext.Sign, Text: ""})}
	if len(signs) > 0 && (signs[0].Text == "~" || signs[0].Text == "!") {
		rest.match()
		w.emit(rest.out...)
		return nil
	}
	for _, s := range signs {
		w.emit(s.Text)
	}
	return nil
}

// match writes the operators of regular expressions and patterns as SQLite's: ~ REGEXP, ~* MATCH, ~~ LIKE.
func (w *rewriter) match() {
	not := ""
	if w.is("!") {
		not = "NOT "
		w.at++
	}
	w.at++
	switch {
	case w.is("~"):
		w.at++
		if w.is("*") {
			w.at++
		}
		w.emit(not + "LIKE")
	case w.is("*"):
		w.at++
		w.emit(not + "MATCH")
	default:
		w.emit(not + "REGEXP")
	}
}

// collate leaves out a collation: the order is that of the bytes.
func (w *rewriter) collate() {
	w.at++
	if w.is("pg_catalog", ".") || w.is(`"pg_catalog"`, ".") {
		w.at += 2
	}
	w.at++
}

// quantifier writes = ANY(array) as IN, and <> ALL(array) as NOT IN.
func (w *rewriter) quantifier(word string) {
	last := w.out[len(w.out)-1]
	in := "IN"
	switch {
	case word != "all" && last == "=":
		w.out = w.out[:len(w.out)-1]
	case word == "all" && (last == "<>" || last == "!="):
		w.out, in = w.out[:len(w.out)-1], "NOT IN"
	default:
		w.emit(w.peek(0).Text)
		w.at++
		return
	}
	w.at++ // at the bracket
	if query := strings.ToUpper(w.peek(1).Text); query == "SELECT" || query == "VALUES" || query == "WITH" {
		w.emit(in)
		w.bracket("(", ")")
		w.at++
		return
	}
	w.emit(in)
	w.bracket("( SELECT value FROM json_each( pg_json_array(", ")))")
	w.at++
}

// arrayQueries writes ARRAY(SELECT x FROM …) as (SELECT pg_array_agg(x) FROM …).
func arrayQueries(in []pgtext.Token) []pgtext.Token {
	for i := 0; i+2 < len(in); i++ {
		if !strings.EqualFold(in[i].Text, "ARRAY") || in[i+1].Text != "(" || !strings.EqualFold(in[i+2].Text, "SELECT") {
			continue
		}
		begin := i + 3
		if begin < len(in) && strings.EqualFold(in[begin].Text, "DISTINCT") {
			begin++
		}
		end, depth := begin, 0
	scan:
		for ; end < len(in); end++ {
			switch text := strings.ToUpper(in[end].Text); {
			case depth == 0 && (text == "FROM" || text == ")"):
				break scan
			case text == "(" || text == "[":
				depth++
			case text == ")" || text == "]":
				depth--
			}
		}
		made := slices.Concat(
			in[i+1:i+3], []pgtext.Token{{Kind: pgtext.Word, Text: "pg_array_agg"}, {Kind: pgtext.Sign, Text: "("}},
			in[begin:end], []pgtext.Token{{Kind: pgtext.Sign, Text: ")"}},
		)
		in = slices.Concat(in[:i], made, in[end:])
	}
	return in
}

// nameColumns writes (VALUES …) t (a, b), which SQLite does not know, as (WITH t (a, b) AS (VALUES …) SELECT * FROM
// t) AS t.
func nameColumns(in []pgtext.Token) []pgtext.Token {
	word := func(text string) pgtext.Token { return pgtext.Token{Kind: pgtext.Word, Text: text} }
	sign := func(text string) pgtext.Token { return pgtext.Token{Kind: pgtext.Sign, Text: text} }
	var opens []int
	for i := 0; i < len(in); i++ {
		if in[i].Text == "(" {
			opens = append(opens, i)
		}
		if in[i].Text != ")" || len(opens) == 0 {
			continue
		}
		open := opens[len(opens)-1]
		opens = opens[:len(opens)-1]
		first := strings.ToUpper(in[open+1].Text)
		at := i + 1
		if at < len(in) && strings.EqualFold(in[at].Text, "AS") {
			at++
		}
		if first != "VALUES" && first != "SELECT" || at+1 >= len(in) || in[at].Kind != pgtext.Word && in[at].Kind != pgtext.Quoted || in[at+1].Text != "(" || isKeyword(in[at].Text) {
			continue
		}
		end := at + 1
		for end < len(in) && in[end].Text != ")" {
			end++
		}
		if end == len(in) {
			continue
		}
		query, name, list := in[open:i+1], in[at], in[at+1:end+1]
		made := slices.Concat(
			[]pgtext.Token{sign("("), word("WITH"), name}, list, []pgtext.Token{word("AS")}, query,
			[]pgtext.Token{word("SELECT"), sign("*"), word("FROM"), name, sign(")"), word("AS"), name},
		)
		in = slices.Concat(in[:open], made, in[end+1:])
		i = open + len(made) - 1
	}
	return in
}

func isSetFunction(name string) bool {
	_, ok := setFunction(name)
	return ok
}

// isReserved lists words that are names for PostgreSQL's clients, and keywords for SQLite.
func isReserved(word string) bool {
	switch word {
	case "default", "index", "check", "transaction", "table", "references", "constraint", "unique", "primary", "foreign":
		return true
	}
	return false
}

// isBareFunction lists the functions that are called without brackets.
func isBareFunction(name string) bool {
	switch name {
	case "current_user", "session_user", "current_catalog", "current_schema", "current_role":
		return true
	}
	return false
}
