package dialect

import (
	"slices"
	"strings"
	"sync"
)

// form is the type of an operand as far as the text shows it, by PostgreSQL's name. SQLite's values do not
// tell a time or a JSON object from another text, so the translation depends on it.
type form string

const (
	plain    form = "" // not known
	moment   form = "timestamptz"
	interval form = "interval"
	document form = "jsonb"
	array    form = "text[]"
	truth    form = "bool"
	small    form = "int4"
	whole    form = "int8"
	real     form = "float8"
	words    form = "text"
)

// isMoment reports whether the form is a time or date.
func (f form) isMoment() bool { return f == moment || f == "timestamp" || f == "date" }

func (f form) isDocument() bool { return f == document }
func (f form) isArray() bool    { return strings.HasSuffix(string(f), "[]") }
func (f form) isWhole() bool    { return f == "int2" || f == small || f == whole }
func (f form) isNumber() bool   { return f.isWhole() || f == real || f == "numeric" }

// Item is an item of a SELECT.
type Item struct {
	Name string // as the statement gives it; empty: the item has none
	Type string // PostgreSQL's name; empty: unknown
	Star bool   // * or t.*, which stands for several columns
}

// Signature is what a statement says about the types of its columns and its parameters.
type Signature struct {
	Items      []Item            // of its first SELECT
	Parameters map[int]string    // the types of $1, $2, …; unknown ones are left out
	Inner      map[string]string // the types of the columns of inner queries, by name in lower case; empty: unknown
}

// Signature finds the types of a statement. What cannot be translated has none.
func (o Options) Signature(text string, tokens []Token) Signature {
	t, err := o.read(text, tokens)
	if t != nil && len(t.inner) > 0 { // what stands behind a SELECT may say more about it
		inner := t.inner
		known := o.Column
		o.Column = func(name string) string {
			if known != nil {
				if found := known(name); found != "" {
					return found
				}
			}
			return string(inner[strings.ToLower(name)])
		}
		t, err = o.read(text, tokens)
	}
	if t == nil || err != nil {
		return Signature{}
	}
	types := Signature{Items: t.items, Parameters: map[int]string{}, Inner: map[string]string{}}
	for name, of := range t.inner {
		types.Inner[name] = string(of)
	}
	for n, of := range t.parameters {
		types.Parameters[n] = string(of)
	}
	return types
}

// column is the form of a column by its name.
func (t *translator) column(name string) form {
	if t.Column == nil {
		return plain
	}
	return form(t.Column(name))
}

// keep remembers the columns of an inner query by their names.
func (t *translator) keep(items []Item) {
	for _, item := range items {
		name := strings.ToLower(item.Name)
		if known, ok := t.inner[name]; ok && known != form(item.Type) {
			t.inner[name] = plain
		} else if name != "" {
			t.inner[name] = form(item.Type)
		}
	}
}

// placeholder is the number of the parameter that the tokens from one to before another are: $1; 0 if they
// are something else.
func (t *translator) placeholder(from, to int) int {
	if to != from+2 || t.get(from).Raw != "$" || t.get(from+1).Type != Number {
		return 0
	}
	n := 0
	for _, c := range t.get(from + 1).Raw {
		if c < '0' || c > '9' || n > 1<<16 {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// suppose gives the parameter that the tokens are, if they are one, the type of what it stands beside.
func (t *translator) suppose(from, to int, of form) {
	n := t.placeholder(from, to)
	if _, known := t.parameters[n]; n == 0 || known || of == plain {
		return
	}
	if of == small {
		of = whole
	}
	t.parameters[n] = of
}

// supposeAll gives the parameters of a list between brackets a type.
func (t *translator) supposeAll(open int, of form) {
	for _, at := range t.arguments(open) {
		t.suppose(at, at+2, of)
	}
}

// resultOf is the form of what an operator returns that stays as it is. It gives a parameter beside the
// operator the type of the other side.
func (t *translator) resultOf(from, at, end int, sign string, left, right form) form {
	tightness := precedence[sign]
	switch {
	case sign == "AND" || sign == "OR":
		return truth
	case tightness == ofEqual || tightness == ofLess:
		t.suppose(from, at, right)
		t.suppose(at+1, end, left)
		return truth
	case tightness == ofBits:
		return whole
	case sign == "||":
		t.suppose(from, at, words)
		t.suppose(at+1, end, words)
		return words
	case sign == "->>":
		return words
	case sign == "->":
		if left.isDocument() {
			return document
		}
		return "json"
	case sign == "COLLATE":
		return left
	}
	if right.isNumber() {
		t.suppose(from, at, right)
		left = max(left, t.form(from, at))
	}
	if left.isNumber() {
		t.suppose(at+1, end, left)
		right = max(right, t.form(at+1, end))
	}
	switch {
	case left.isWhole() && right.isWhole():
		return whole
	case left.isNumber() && right.isNumber():
		return real
	}
	return plain
}

// form is the form of a parameter.
func (t *translator) form(from, to int) form { return t.parameters[t.placeholder(from, to)] }

// inserted gives the parameters of INSERT INTO t (a, b) VALUES ($1, $2) the types of the columns.
func (t *translator) inserted() {
	at := 0
	for at < len(t.tokens) && !t.get(at).is("INTO") {
		at++
	}
	if !t.get(0).is("INSERT") || at == len(t.tokens) {
		return
	}
	for at++; t.get(at).Type == Word && t.get(at+1).Raw == "."; at += 2 {
	}
	open := at + 1
	values := t.pair(open) + 1
	if t.get(open).Raw != "(" || !t.get(values).is("VALUES") {
		return
	}
	var columns []form
	for _, name := range t.arguments(open) {
		columns = append(columns, t.column(unquote(t.get(name).Raw)))
	}
	for row := values + 1; t.get(row).Raw == "(" && t.pair(row) > row; row = t.pair(row) + 2 {
		for i, arg := range t.arguments(row) {
			if i < len(columns) {
				t.suppose(arg, arg+2, columns[i])
			}
		}
	}
}

// caseOf translates CASE … END, whose CASE stands at a token. Its form is that of its results.
func (t *translator) caseOf(at int) form {
	end := t.pair(at)
	of, results := plain, 0
	for i := at + 1; i < end; {
		result := t.word(i, "THEN", "ELSE")
		if t.word(i, "WHEN", "THEN", "ELSE") {
			i++
		}
		next, found := t.expression(i, end, lowest)
		if next == i {
			t.list(i, end)
			return plain
		}
		if null := t.get(i).is("NULL") && next == i+1; result && !null {
			if results++; results == 1 {
				of = found
			} else if found != of {
				of = plain
			}
		}
		i = next
	}
	return of
}

// callTypes are the types of what functions return whose results are always of one type.
var callTypes = sync.OnceValue(func() map[string]form {
	return formSet(map[form]string{
		moment:   `now clock_timestamp statement_timestamp transaction_timestamp date_trunc to_timestamp make_timestamptz timezone`,
		"date":   `to_date make_date`,
		interval: `age make_interval`,
		document: `json_agg jsonb_agg json_build_array json_build_object json_object_agg jsonb_build_array jsonb_build_object
		jsonb_object_agg jsonb_strip_nulls json_strip_nulls to_json to_jsonb json_extract_path jsonb_extract_path`,
		array: `array_agg current_schemas parse_ident string_to_array regexp_match regexp_split_to_array array_append array_cat array_prepend array_remove`,
		whole: `count row_number rank dense_rank last_insert_rowid changes`,
		small: `array_length array_lower array_position array_upper ascii cardinality char_length character_length instr
		json_array_length jsonb_array_length length ntile octet_length position strpos`,
		real: `avg cbrt ceil ceiling cume_dist date_part exp extract floor ln log percent_rank power sqrt stddev stddev_pop
		stddev_samp var_pop var_samp variance`,
		truth: `bool_and bool_or every has_any_column_privilege has_column_privilege has_database_privilege
		has_schema_privilege has_table_privilege pg_has_role pg_is_in_recovery pg_is_other_temp_schema pg_table_is_visible
		regexp_like starts_with`,
		words: `array_to_string btrim chr concat concat_ws date datetime format group_concat initcap json_extract_path_text
		json_typeof jsonb_extract_path_text jsonb_pretty jsonb_typeof left lower lpad ltrim md5 overlay printf quote_ident
		quote_literal regexp_replace repeat replace reverse right rpad rtrim split_part strftime string_agg substr substring
		time to_char to_hex translate trim typeof upper version`,
	})
})

// resultType is the form of what a call returns; inner is that of its first argument.
func resultType(name string, inner form) form {
	switch {
	case slices.Contains([]string{"sum", "abs"}, name) && inner.isNumber():
		if inner.isWhole() {
			return whole
		}
		return inner
	case slices.Contains([]string{"first_value", "last_value", "lag", "lead", "nth_value"}, name):
		return inner
	}
	return callTypes()[name]
}
