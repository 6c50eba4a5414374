package docgen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// trim removes the parts of an example that a user need not write: the token and size of a page, and
// request ids, because the engine supplies them; deprecated parameters; and attributes of the body that
// repeat a parameter.
func (e *example) trim() {
	m := e.method
	e.optional = slices.DeleteFunc(e.optional, func(p param) bool {
		own, ok := m.Param(p.name)
		return ok && (own.Deprecated || own.RequestID) || isPaging(m, p.name)
	})
	e.attributes = slices.DeleteFunc(e.attributes, func(a provider.Attribute) bool {
		if slices.Contains(m.BodyFromPath, a.Name) {
			return true
		}
		_, isParam := m.Param(a.Name)
		return !a.Required && (isParam || a.Schema.Deprecated || a.Schema.RequestID || isPaging(m, a.Name))
	})
}

// isPaging reports whether a parameter says which page of a list is asked for, or how large.
func isPaging(m *provider.Method, name string) bool {
	if m.Paging == nil {
		return false
	}
	switch name {
	case m.Paging.RequestToken, m.Paging.Limit, "page_token", "page_size", "max_results", "limit", "offset":
		return true
	}
	return false
}

// requiredNames names all that a statement has to give, each once: parameters, server variables,
// attributes of the body.
func requiredNames(m *provider.Method) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, p := range m.Params {
		if p.Required {
			add(p.Name)
		}
	}
	for _, v := range m.ServerVariables() {
		add(v.Name)
	}
	if m.Body != nil {
		for _, name := range m.Body.RequiredAttributes {
			add(name)
		}
	}
	return names
}

// reserved are the words that SQLite takes for its own wherever a column may stand, so that a
// column of that name has to be quoted.
const reserved = " ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CHECK COLLATE COMMIT CONSTRAINT CREATE DEFAULT DEFERRABLE " +
	"DELETE DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FOREIGN FROM GROUP HAVING IN INDEX INSERT INTERSECT INTO IS ISNULL JOIN " +
	"LIMIT NOT NOTHING NOTNULL NULL ON OR ORDER PRIMARY REFERENCES RETURNING SELECT SET TABLE THEN TO TRANSACTION UNION " +
	"UNIQUE UPDATE USING VALUES WHEN WHERE "

// isWord reports whether a name is of letters, digits and underscores.
func isWord(name string) bool {
	for i, c := range []byte(name) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// columnName writes a column's name as SQL takes it.
func columnName(name string) string {
	if isWord(name) && !strings.Contains(reserved, " "+strings.ToUpper(name)+" ") {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// columnList lists the columns of a result, or * where none are known.
func columnList(fields []field) string {
	if len(fields) == 0 {
		return "*"
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = columnName(f.name)
	}
	return strings.Join(names, ",\n")
}

// terms are the conditions for the parameters that a method requires or accepts.
func (e *example) terms(params []param, mark string) []string {
	var terms []string
	for _, p := range params {
		terms = append(terms, columnName(p.name)+" = "+value(p.name, p.typ)+mark)
	}
	return terms
}

// bodyTerms are the conditions that name attributes of the body, the required ones first, for
// statements that have no other place for them.
func (e *example) bodyTerms(mark string) []string {
	var required, optional []string
	for _, a := range e.attributes {
		switch {
		case slices.ContainsFunc(e.required, func(p param) bool { return p.name == a.Name }):
		case a.Required:
			required = append(required, columnName(a.Name)+" = "+value(a.Name, a.Schema.Type)+mark)
		default:
			optional = append(optional, columnName(a.Name)+" = "+value(a.Name, a.Schema.Type))
		}
	}
	return append(required, optional...)
}

func writeQuery(b *strings.Builder, e *example) {
	fmt.Fprintf(b, "SELECT\n%s\nFROM %s", columnList(e.fields), e.table)
	writeConditions(b, e, " -- required")
	b.WriteString("\n;")
}

func writeRemoval(b *strings.Builder, e *example) {
	fmt.Fprintf(b, "DELETE FROM %s", e.table)
	writeConditions(b, e, " -- required")
	writeReturning(b, e)
	b.WriteString("\n;")
}

func writeConditions(b *strings.Builder, e *example, mark string) {
	terms := slices.Concat(e.terms(e.required, mark), e.bodyTerms(mark), e.terms(e.optional, ""))
	if len(terms) > 0 {
		b.WriteString("\nWHERE " + strings.Join(terms, "\nAND "))
	}
}

func writeReturning(b *strings.Builder, e *example) {
	if len(e.fields) > 0 {
		b.WriteString("\nRETURNING\n" + columnList(e.fields))
	}
}

// writeInsertion writes INSERT. A parameter and an attribute of one name are one column.
func writeInsertion(b *strings.Builder, e *example) {
	const mark = " /* required */"
	var names, values []string
	add := func(name, typ, mark string) {
		if !slices.Contains(names, columnName(name)) {
			names = append(names, columnName(name))
			values = append(values, value(name, typ)+mark)
		}
	}
	for _, a := range e.attributes {
		if a.Required {
			add(a.Name, a.Schema.Type, mark)
		} else {
			add(a.Name, a.Schema.Type, "")
		}
	}
	for _, p := range e.required {
		add(p.name, p.typ, mark)
	}
	for _, p := range e.optional {
		add(p.name, p.typ, "")
	}
	if len(names) == 0 { // SQL has no row without a column
		writeCall(b, e)
		return
	}
	fmt.Fprintf(b, "INSERT INTO %s (\n%s\n)\nSELECT\n%s", e.table, strings.Join(names, ",\n"), strings.Join(values, ",\n"))
	writeReturning(b, e)
	b.WriteString("\n;")
}

// writeChange writes UPDATE and REPLACE, which differ in their first word. Where there is nothing
// to set, the method is called by its name.
func writeChange(verb string) func(*strings.Builder, *example) {
	return func(b *strings.Builder, e *example) {
		if len(e.attributes) == 0 {
			writeCall(b, e)
			return
		}
		set := make([]string, len(e.attributes))
		for i, a := range e.attributes {
			set[i] = columnName(a.Name) + " = " + value(a.Name, a.Schema.Type)
			if a.Required {
				set[i] += " /* required */"
			}
		}
		fmt.Fprintf(b, "%s %s\nSET\n%s", verb, e.table, strings.Join(set, ",\n"))
		if terms := slices.Concat(e.terms(e.required, " -- required"), e.terms(e.optional, "")); len(terms) > 0 {
			b.WriteString("\nWHERE " + strings.Join(terms, "\nAND "))
		}
		writeReturning(b, e)
		b.WriteString("\n;")
	}
}

// writeCall writes EXEC. In the body, lists and objects are JSON.
func writeCall(b *strings.Builder, e *example) {
	var params []string
	for _, p := range e.required {
		params = append(params, "@"+p.name+"="+value(p.name, p.typ)+" --required")
	}
	for _, p := range e.optional {
		params = append(params, "@"+p.name+"="+value(p.name, p.typ))
	}
	switch {
	case len(e.attributes) > 0:
		attributes := make([]string, len(e.attributes))
		for i, a := range e.attributes {
			attributes[i] = fmt.Sprintf("%q: %s", a.Name, jsonValue(a))
		}
		params = append(params, "@@json=\n'{\n"+strings.Join(attributes, ",\n")+"\n}'")
	case e.bodyType == "string":
		params = append(params, "@@json='\""+bare("body")+"\"'")
	case e.bodyType != "":
		params = append(params, "@@json='"+bare("body")+"'")
	}
	fmt.Fprintf(b, "EXEC %s.%s", e.table, e.method.Name)
	if len(params) > 0 {
		b.WriteString("\n" + strings.Join(params, ",\n"))
	}
	b.WriteString("\n;")
}

// jsonValue returns the placeholder for an attribute inside JSON.
func jsonValue(a provider.Attribute) string {
	if a.Schema.Type == "string" {
		return `"` + bare(a.Name) + `"`
	}
	return bare(a.Name)
}

// few is how many columns the first example shows.
const few = 4

// telling are the few columns that identify and describe a row: its name, its state or kind, and then
// other plain values. It leaves out the ids of other things.
func telling(resource string, fields []field) []field {
	var called, choices, others []field
	for _, f := range fields {
		typ, _, _ := strings.Cut(f.typ, " ")
		of, isID := strings.CutSuffix(f.name, "_id")
		of, isName := strings.CutSuffix(of, "_name")
		switch {
		case typ == "object" || typ == "array":
		case f.name == "id", f.name == "name", (isID || isName) && strings.HasPrefix(resource, of):
			called = append(called, f)
		case f.choice:
			choices = append(choices, f)
		case !isID:
			others = append(others, f)
		}
	}
	all := slices.Concat(called, choices, others)
	return all[:min(few, len(all))]
}

// plainness rates a SELECT as a first example: a lower complexity is better. The best one is the list
// that the service is named after, then a list whose rows have a state or kind, then a list with few
// optional parts. It is false for a method that returns no list, or only few columns.
func (g *generator) plainness(r *provider.Resource, m *provider.Method) (complexity int, ok bool, err error) {
	if m.Deprecated || m.Response == nil || m.Paging == nil && m.Response.ObjectKey == "" {
		return 0, false, nil
	}
	e, err := g.exampleOf(m)
	if err != nil {
		return 0, false, err
	}
	shown := telling(r.Name, e.fields)
	if len(shown) < few {
		return 0, false, nil
	}
	complexity = len(e.optional) + len(e.fields)
	if r.Name != r.Service {
		complexity += 2000
	}
	if !slices.ContainsFunc(shown, func(f field) bool { return f.choice }) {
		complexity += 1000
	}
	return complexity, true, nil
}
