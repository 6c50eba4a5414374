package dialect

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// castFunctions are the functions that convert to a type, by the names of the type in PostgreSQL.
var castFunctions = map[string]string{
	"text": "text", "varchar": "text", "character varying": "text", "char": "text", "character": "text", "bpchar": "text",
	"name": "text", "citext": "text", "smallint": "int2", "int2": "int2", "int": "int4", "integer": "int4", "int4": "int4",
	"bigint": "int8", "int8": "int8", "oid": "int8", "real": "float8", "float4": "float8", "float": "float8",
	"double precision": "float8", "float8": "float8", "numeric": "numeric", "decimal": "numeric", "bool": "bool",
	"boolean": "bool", "timestamptz": "timestamptz", "timestamp with time zone": "timestamptz", "timestamp": "timestamp",
	"timestamp without time zone": "timestamp", "date": "date", "time": "time", "time without time zone": "time",
	"interval": "interval", "json": "json", "jsonb": "json", "uuid": "uuid", "bytea": "bytea",
}

// ownCasts are the types of which SQLite's CAST makes something else than PostgreSQL's. CAST with any
// other name is SQLite's, as it always was here.
var ownCasts = []string{
	"bool", "timestamptz", "timestamp", "date", "time", "interval", "json", "uuid", "bytea",
}

// IsCast reports whether a function, named without [Prefix], is one that converts to a type.
func IsCast(name string) bool {
	for _, function := range castFunctions {
		if function == name {
			return true
		}
	}
	return false
}

// Types lists the names of types that :: takes.
func Types() []string {
	var all []string
	for name := range castFunctions {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// typeName reads the name of a type at a token, in lower case, and whether it is that of an array. end
// is the token behind it: the one at which it begins if it is none.
func (t *translator) typeName(at, to int) (name string, isArray bool, end int) {
	if t.get(at).Type != Word || at >= to {
		return "", false, at
	}
	end = at
	if t.get(at).is("pg_catalog") && t.get(at+1).Raw == "." {
		end += 2
	}
	name = strings.ToLower(unquote(t.get(end).Raw))
	end++
	switch {
	case name == "double" && t.get(end).is("precision"), name == "character" && t.get(end).is("varying"):
		name += " " + strings.ToLower(t.get(end).Raw)
		end++
	}
	if t.get(end).Raw == "(" && t.pair(end) > end && t.pair(end) < to { // numeric(10, 2)
		end = t.pair(end) + 1
	}
	if (name == "timestamp" || name == "time") && (t.get(end).is("WITH") || t.get(end).is("WITHOUT")) && t.get(end+1).is("TIME") && t.get(end+2).is("ZONE") {
		name += " " + strings.ToLower(t.get(end).Raw) + " time zone"
		end += 3
	}
	for t.get(end).Raw == "[" && t.pair(end) > end && t.pair(end) < to {
		isArray = true
		end = t.pair(end) + 1
	}
	if t.get(end).is("ARRAY") && end < to {
		isArray = true
		end++
	}
	return name, isArray, min(end, to)
}

// formOf returns the form of what a cast returns.
func formOf(function string) form {
	if function == "json" {
		return document
	}
	return form(function)
}

// ofParameter gives a parameter the type that it is cast to.
func (t *translator) ofParameter(from, to int, name string, isArray bool) {
	n := t.placeholder(from, to)
	if n == 0 {
		return
	}
	of := form(name)
	if function, ok := castFunctions[name]; ok && name != "oid" {
		of = formOf(function)
	}
	if isArray {
		of += "[]"
	}
	t.parameters[n] = of
}

// function finds the function for the type at a token.
func (t *translator) function(name string, at int) string {
	function, ok := castFunctions[name]
	if !ok {
		hint := "known are text, int, bigint, numeric, float8, bool, timestamptz, timestamp, date, time, interval, json, jsonb, uuid and bytea"
		if near := provider.Nearest(Types(), name, 1); len(near) > 0 {
			hint = "did you mean " + near[0] + "? " + hint
		}
		t.refuse(at, hint, "the type %s is not known", provider.Quote(name))
	}
	return function
}

// cast translates x::type, whose :: stands at a token.
func (t *translator) cast(from, at, to int) (end int, of form) {
	name, isArray, end := t.typeName(at+1, to)
	if end == at+1 {
		t.refuse(at+1, "as in x::text", "expected a type behind ::")
	}
	t.remove(at, end)
	t.ofParameter(from, at, name, isArray)
	if isArray {
		t.arrayCast(from, at)
		return end, arrayOf(name)
	}
	call, of := t.Casts[name], plain
	if call == "" {
		if _, known := castFunctions[name]; t.Only && !known {
			return end, plain
		}
		function := t.function(name, at+1)
		call, of = Prefix+function, formOf(function)
	}
	t.around(from, at, call+"(", "")
	t.around(from, end, "", ")")
	return end, of
}

// arrayOf is the form of an array of a type.
func arrayOf(name string) form {
	if form(castFunctions[name]).isWhole() {
		return whole + "[]"
	}
	return array
}

// arrayCast translates a cast to an array, which the tokens from one to before another are. Arrays are
// JSON here: only a literal can be one.
func (t *translator) arrayCast(from, to int) {
	if first := t.get(from); first.is("ARRAY") {
		return
	} else if to == from+1 && first.Type == String && first.Raw[0] == '\'' {
		items, ok := arrayItems(strings.ReplaceAll(first.Raw[1:len(first.Raw)-1], "''", "'"))
		if ok {
			t.replace(from, "json_array("+strings.Join(items, ", ")+")")
			return
		}
	}
	if t.Only || t.placeholder(from, to) > 0 {
		t.around(from, to, Prefix+"array(", ")")
		return
	}
	t.refuse(to, "an array is JSON here: write ARRAY['a', 'b'] or '{a,b}'::text[]; read a column of JSON with json_array_elements(column) behind FROM", "a value cannot be cast to an array")
}

// castCall translates CAST(x AS type), whose name stands at a token.
func (t *translator) castCall(at int) (end int, of form) {
	open := at + 1
	end = t.pair(open)
	as, _ := t.expression(open+1, end, lowest)
	if !t.get(as).is("AS") {
		t.list(as, end)
		return end + 1, plain
	}
	name, isArray, behind := t.typeName(as+1, end)
	if behind != end {
		return end + 1, plain // a type of several words, which SQLite takes as it likes
	}
	t.ofParameter(open+1, as, name, isArray)
	if isArray {
		t.arrayCast(open+1, as)
		t.replace(at, "")
		t.remove(as, end)
		return end + 1, arrayOf(name)
	}
	function := castFunctions[name]
	call := t.Casts[name]
	switch {
	case call != "":
		t.replace(at, call)
		t.remove(as, end)
		return end + 1, plain
	case t.Only && function == "":
		t.replace(at, "")
		t.remove(as, end)
		return end + 1, plain
	case t.Only:
	case !slices.Contains(ownCasts, function):
		if of := formOf(function); of.isWhole() {
			return end + 1, whole
		}
		return end + 1, formOf(function)
	}
	t.replace(at, Prefix+function)
	t.remove(as, end)
	return end + 1, formOf(function)
}
