package dialect

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
)

// rowFunctions are the functions of PostgreSQL's that return rows.
var rowFunctions = sync.OnceValue(func() map[string]bool {
	return nameSet(`generate_series generate_subscripts json_array_elements json_array_elements_text json_each json_each_text json_object_keys
	json_to_record json_to_recordset jsonb_array_elements jsonb_array_elements_text jsonb_each jsonb_each_text
	jsonb_object_keys jsonb_to_record jsonb_to_recordset regexp_matches regexp_split_to_table string_to_table unnest`)
})

func nameSet(text string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(text) {
		set[word] = true
	}
	return set
}

// Rows is a call of a function that returns rows, with the names that the statement gives to its
// columns. SQLite has no such names: the table of the call has them.
type Rows struct {
	Function   string
	Alias      string      `json:",omitempty"` // of the table
	Columns    []RowColumn `json:",omitempty"` // as the statement lists them
	Ordinality bool        `json:",omitempty"` // WITH ORDINALITY: a column counts the rows
}

// RowColumn is a column of a [Rows].
type RowColumn struct {
	Name string
	Type string `json:",omitempty"` // the name of the function that casts to it, without [Prefix]; empty: as it is
}

// rowsPrefix begins the names of tables of [Rows].
const rowsPrefix = Prefix + "rows "

// TableName is the name that a translated statement calls the function by.
func (r Rows) TableName() string {
	encoded, _ := json.Marshal(r) //nolint:errchkjson // it holds texts and a boolean
	return rowsPrefix + string(encoded)
}

// RowsOf reads the name of a table; ok is false for the name of another table.
func RowsOf(table string) (r Rows, ok bool) {
	encoded, ok := strings.CutPrefix(table, rowsPrefix)
	if !ok || json.Unmarshal([]byte(encoded), &r) != nil || !rowFunctions()[r.Function] {
		return Rows{}, false
	}
	return r, true
}

// table translates a table of FROM at a token: a call of a function that returns rows, or a query with
// names for its columns. It returns the token behind it; the one at which it begins if it is neither.
func (t *translator) table(at, to int) int {
	name := strings.ToLower(unquote(t.get(at).Raw))
	start := at
	if name == "pg_catalog" && t.get(at+1).Raw == "." {
		at += 2
		name = strings.ToLower(unquote(t.get(at).Raw))
	}
	switch {
	case t.get(at).Raw == "(":
		return t.subquery(at, to)
	case t.Only && t.word(at, "ONLY"):
		t.replace(at, "")
		return t.table(at+1, to)
	case t.get(at).Type != Word || t.get(at+1).Raw != "(" || t.pair(at+1) == at+1:
		return start
	case !rowFunctions()[name] && t.Only:
		return t.calledTable(start, at, name, to)
	case !rowFunctions()[name]:
		return start
	}
	r := Rows{Function: name}
	shut := t.pair(at + 1)
	end := shut + 1
	if t.get(end).is("WITH") && t.get(end+1).is("ORDINALITY") {
		r.Ordinality = true
		end += 2
	}
	alias, columns := t.alias(end, to)
	if columns > 0 {
		r.Columns = t.rowColumns(columns)
	}
	if alias > 0 {
		r.Alias = strings.ToLower(unquote(t.get(alias).Raw))
		if t.get(alias).Raw[0] == '"' {
			r.Alias = unquote(t.get(alias).Raw)
		}
	}
	if name == "json_each" && len(r.Columns) == 0 && !r.Ordinality {
		return start // SQLite's
	}
	if (strings.HasSuffix(name, "_to_record") || strings.HasSuffix(name, "_to_recordset")) && len(r.Columns) == 0 {
		t.refuse(at, "as in "+name+"(x) AS r(id int, name text)", "%s needs the names and types of its columns", name)
	}
	t.remove(start, at)
	t.list(at+2, shut)
	t.replace(at, identifier(r.TableName()))
	t.remove(shut+1, end)
	if alias == 0 {
		t.around(shut, shut+1, "", " AS "+identifier(name))
	}
	if columns > 0 {
		if t.get(columns - 1).is("AS") { // AS (a int)
			t.replace(columns-1, "")
		}
		end = t.pair(columns) + 1
		t.remove(columns, end)
		return end
	}
	return end
}

// calledTable translates a call behind FROM: of a function that is a table here, or one that returns one
// value, as a table of one row.
func (t *translator) calledTable(start, at int, name string, to int) int {
	open := at + 1
	end := t.pair(open)
	t.list(open+1, end)
	if slices.Contains(t.Views, name) {
		t.remove(open, end+1)
		return end + 1
	}
	t.remove(start, at)
	alias, _ := t.alias(end+1, to)
	if alias > 0 {
		t.around(start, end+1, "(SELECT ", " AS "+identifier(unquote(t.get(alias).Raw))+")")
		return end + 1
	}
	t.around(start, end+1, "(SELECT ", " AS "+identifier(name)+")")
	t.around(start, end+1, "", " AS "+identifier(name))
	return end + 1
}

// alias finds the name behind a table, and the bracket of the names of its columns; 0 if there is none.
func (t *translator) alias(at, to int) (alias, columns int) {
	i := at
	if t.word(i, "AS") {
		i++
	}
	if next := t.get(i); i < to && next.Type == Word && (t.named[i] || !next.in(afterTable()) && !next.is("AS")) {
		alias = i
		i++
	}
	if i < to && t.get(i).Raw == "(" && i > at && t.pair(i) > i {
		columns = i
	}
	return alias, columns
}

// rowColumns reads the names between brackets, with their types.
func (t *translator) rowColumns(open int) []RowColumn {
	var all []RowColumn
	end := t.pair(open)
	for i := open + 1; i < end; {
		if t.get(i).Type != Word {
			t.refuse(i, "", "expected the name of a column")
		}
		c := RowColumn{Name: unquote(t.get(i).Raw)}
		i++
		if t.get(i).Raw != "," && i < end {
			name, isArray, behind := t.typeName(i, end)
			if behind == i {
				t.refuse(i, "", "expected a type, or a comma")
			}
			c.Type = "json"
			if !isArray {
				c.Type = t.function(name, i)
			}
			i = behind
		}
		if i < end && t.get(i).Raw != "," {
			t.refuse(i, "", "expected a comma")
		}
		i++
		if slices.ContainsFunc(all, func(other RowColumn) bool { return strings.EqualFold(other.Name, c.Name) }) {
			t.refuse(open, "", "two columns have one name")
		}
		all = append(all, c)
	}
	return all
}

// subquery translates (SELECT …) AS t (a, b), for whose names of columns SQLite needs a WITH.
func (t *translator) subquery(open, to int) int {
	end := t.pair(open)
	first := t.get(open + 1)
	if !first.is("SELECT") && !first.is("VALUES") && !first.is("WITH") {
		return open
	}
	t.list(open+1, end)
	alias, columns := t.alias(end+1, to)
	if alias == 0 || columns == 0 {
		return end + 1
	}
	var names []string
	for _, c := range t.rowColumns(columns) {
		names = append(names, identifier(c.Name))
	}
	t.around(open+1, end, "WITH "+Prefix+"t("+strings.Join(names, ", ")+") AS (", ") SELECT * FROM "+Prefix+"t")
	t.remove(columns, t.pair(columns)+1)
	return t.pair(columns) + 1
}
