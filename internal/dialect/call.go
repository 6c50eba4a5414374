package dialect

import (
	"regexp"
	"strings"
	"sync"
)

// passing are the functions that return one of their arguments.
var passing = sync.OnceValue(func() map[string]bool { return wordSet(`COALESCE GREATEST LEAST MAX MIN NULLIF`) })

func formSet(words map[form]string) map[string]form {
	set := map[string]form{}
	for of, text := range words {
		for word := range strings.FieldsSeq(text) {
			set[word] = of
		}
	}
	return set
}

// renamed are functions that have another name here.
var renamed = map[string]string{
	"array_agg": "json_group_array", "left": Prefix + "left", "right": Prefix + "right", "jsonb_pretty": "json_pretty",
}

// call translates a call, whose name stands at a token.
func (t *translator) call(at, to int) (end int, of form) {
	name, open := strings.ToLower(unquote(t.get(at).Raw)), at+1
	end = t.pair(open)
	switch {
	case name == "cast":
		return t.castCall(at)
	case name == "extract":
		t.extract(at)
		return end + 1, real
	case name == "position", name == "substring", name == "overlay", name == "trim":
		if t.worded(at, name) {
			return end + 1, resultType(name, plain)
		}
	case t.Only && rowFunctions()[name]: // of tables that have no rows, such as pg_index
		t.replace(at, Prefix+"alone")
	case rowFunctions()[name] && name != "json_each" && name != "jsonb_each":
		hint := "put it behind FROM: FROM table t, " + name + "(t.column) AS e"
		if name == "regexp_matches" {
			hint = "regexp_match returns the first match; " + hint
		}
		t.refuse(at, hint, "%s returns rows, and stands behind FROM", name)
	}
	first := open + 1
	if after, inner := t.expression(first, end, lowest); after > first {
		if passing()[strings.ToUpper(name)] {
			of = inner
		} else {
			of = resultType(name, inner)
		}
		first = after
	} else {
		of = resultType(name, plain)
	}
	t.list(first, end)
	if name == "string_agg" && t.word(open+1, "DISTINCT") { // of which SQLite takes one argument
		t.replace(at, Prefix+"string_agg_distinct")
		t.replace(open+1, "")
	}
	if other, ok := renamed[name]; ok {
		t.replace(at, other)
	}
	switch args := t.arguments(open); {
	case (name == "jsonb_set" || name == "json_set") && len(args) > 1 && strings.HasPrefix(t.get(args[1]).Raw, "'{"):
		t.replace(at, Prefix+"json_set")
		of = document
	case name == "regexp_replace" && (len(args) == 4 && t.get(args[3]).Type == String || len(args) == 3 && backReference().MatchString(t.get(args[2]).Raw)):
		t.replace(at, Prefix+"regexp_replace")
	}
	return t.window(end+1, to), of
}

// backReference matches a reference to a group as PostgreSQL writes it.
var backReference = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^'.*\\[0-9&]`)
})

// window translates what may follow a call: WITHIN GROUP, FILTER and OVER.
func (t *translator) window(end, to int) int {
	for end < to {
		switch {
		case t.word(end, "WITHIN") && t.get(end+1).is("GROUP"):
			t.refuse(end, "number the rows with row_number() OVER (ORDER BY …), and take the one in the middle", "WITHIN GROUP is not supported")
		case (t.word(end, "OVER") || t.word(end, "FILTER")) && t.get(end+1).Raw == "(":
			t.list(end+2, t.pair(end+1))
			end = t.pair(end+1) + 1
		case t.word(end, "OVER") && t.get(end+1).Type == Word:
			end += 2
		default:
			return end
		}
	}
	return end
}

// arguments returns the first token of each argument of the call whose bracket stands at a token.
func (t *translator) arguments(open int) []int {
	if t.pair(open) == open+1 {
		return nil
	}
	args := []int{open + 1}
	for i := open + 1; i < t.pair(open); i++ {
		if t.get(i).Raw == "," {
			args = append(args, i+1)
		}
		i = max(i, t.pair(i))
	}
	return args
}

// extract translates extract(field FROM x) to date_part('field', x).
func (t *translator) extract(at int) {
	field, from, end := at+2, at+3, t.pair(at+1)
	if !t.get(from).is("FROM") || t.get(field).Type != Word && t.get(field).Type != String {
		t.list(at+2, end)
		return
	}
	t.replace(at, "date_part")
	if t.get(field).Type == Word {
		t.replace(field, literal(strings.ToLower(unquote(t.get(field).Raw))))
	}
	t.replace(from, ",")
	t.list(from+1, end)
}

// worded translates the calls with words between their arguments: position(a IN b), substring(a FROM b
// FOR c), overlay(a PLACING b FROM c), trim(BOTH a FROM b). false means that the call has none.
func (t *translator) worded(at int, name string) bool {
	open, end := at+1, t.pair(at+1)
	var words []int // between the arguments
	for i := open + 1; i < end; i++ {
		if t.word(i, "FROM", "FOR", "PLACING") || name == "position" && t.word(i, "IN") {
			words = append(words, i)
		}
		i = max(i, t.pair(i))
	}
	if len(words) == 0 && (name != "trim" || !t.word(open+1, "BOTH", "LEADING", "TRAILING")) {
		return false
	}
	t.replace(at, Prefix+name)
	from := open + 1
	if name == "trim" {
		side := literal("both")
		if t.word(from, "BOTH", "LEADING", "TRAILING") {
			side = literal(strings.ToLower(t.get(from).Raw))
			t.replace(from, side+",")
			from++
		} else {
			t.around(from, from+1, side+", ", "")
		}
	}
	for _, word := range words {
		t.list(from, word)
		switch {
		case name == "substring" && t.get(word).is("FOR") && word == words[0]:
			t.replace(word, ", 1,")
		case name == "trim" && word == from: // trim(FROM x)
			t.replace(word, "' ',")
		default:
			t.replace(word, ",")
		}
		from = word + 1
	}
	t.list(from, end)
	return true
}
