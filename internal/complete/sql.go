package complete

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/provider"
)

// table is a table of a statement's FROM, INTO, UPDATE or JOIN.
type table struct {
	name  []string
	alias string
}

// clause is the part of a statement that the cursor is in.
func (c place) clause() string {
	depth := 0
	for _, w := range slices.Backward(c.words) {
		switch {
		case w.raw == ")":
			depth++
		case w.raw == "(":
			if depth == 0 {
				if c.isColumnList() {
					return "("
				}
				continue // the clause around the bracket
			}
			depth--
		case depth > 0:
		case isClause(w):
			return strings.ToUpper(w.raw)
		}
	}
	return ""
}

func isClause(w word) bool {
	return slices.Contains([]string{
		"SELECT", "FROM", "JOIN", "WHERE", "ON", "GROUP", "ORDER", "BY", "HAVING", "LIMIT", "OFFSET", "INTO", "UPDATE", "SET",
		"VALUES", "RETURNING", "DROP", "REFRESH", "CREATE", "UNION", "USING", "DELETE", "INSERT", "REPLACE", "AS", "WITH",
	}, strings.ToUpper(w.raw))
}

// isColumnList reports whether the cursor is in the list of columns of an INSERT.
func (c place) isColumnList() bool {
	into, open := -1, -1
	for i, w := range c.words {
		switch {
		case w.is("INTO"):
			into = i
		case w.raw == "(" && open < 0:
			open = i
		case w.raw == ")", w.is("SELECT"), w.is("VALUES"):
			return false
		}
	}
	return into >= 0 && open > into
}

// sql suggests inside of a statement of SQL.
func (c place) sql() []string {
	clause, last := c.clause(), c.at(1)
	if len(c.path) > 0 {
		switch clause {
		case "FROM", "JOIN", "INTO", "UPDATE", "DROP", "REFRESH":
			return c.children()
		}
		if columns := c.columnsOf(c.path); columns != nil {
			return columns
		}
		return c.children()
	}
	switch clause {
	case "FROM", "JOIN":
		if last.is(clause) || last.raw == "," {
			return slices.Concat(c.tables(), c.common(), keywords("LATERAL generate_series json_each json_tree unnest"))
		}
		return keywords("AS CROSS EXCEPT FULL GROUP HAVING INNER INTERSECT JOIN LEFT LIMIT NATURAL OFFSET ON ORDER RETURNING RIGHT UNION USING WHERE WINDOW")
	case "INTO", "UPDATE":
		if last.is(clause) {
			return c.tables()
		}
		if clause == "UPDATE" {
			return keywords("SET")
		}
		return keywords("DEFAULT SELECT VALUES WITH")
	case "(":
		return c.parameters(provider.Insert, provider.Replace)
	case "GROUP", "ORDER":
		return keywords("BY")
	case "SET":
		if last.raw == "=" {
			return c.expression()
		}
		return slices.Concat(c.parameters(provider.Update, provider.Replace), keywords("WHERE FROM RETURNING"))
	case "DROP", "REFRESH", "CREATE":
		return c.define()
	case "DELETE":
		return keywords("FROM")
	case "INSERT", "REPLACE":
		return keywords("INTO OR")
	}
	return c.expression()
}

// define suggests in CREATE, DROP and REFRESH.
func (c place) define() []string {
	switch last := c.at(1); {
	case last.is("CREATE"):
		return keywords("MATERIALIZED OR TABLE TEMP VIEW")
	case last.is("OR"):
		return keywords("REPLACE")
	case last.is("REPLACE"), last.is("TEMP"):
		return keywords("MATERIALIZED TABLE VIEW")
	case last.is("MATERIALIZED"):
		return keywords("VIEW")
	case last.is("DROP"):
		return keywords("MATERIALIZED TABLE VIEW")
	case last.is("REFRESH"):
		return keywords("MATERIALIZED")
	case last.is("TABLE"), last.is("VIEW"):
		return slices.Concat(c.source.Tables(), keywords("IF"))
	}
	return keywords("AS EXISTS IF NOT")
}

// expression suggests what a condition or an expression may have next: columns and parameters of the
// statement's tables, functions and keywords.
func (c place) expression() []string {
	var names []string
	for _, t := range c.from() {
		if t.alias != "" {
			names = append(names, t.alias)
		}
		names = append(names, c.columns(t)...)
	}
	slices.Sort(names)
	return slices.Concat(slices.Compact(names), functionNames(), keywords(
		"ALL AND ANY AS ASC BETWEEN CASE CAST COLLATE DESC DISTINCT ELSE END ESCAPE EXCEPT EXISTS FALSE FILTER FIRST FROM GROUP HAVING "+
			"ILIKE IN INTERSECT INTERVAL IS LAST LIKE LIMIT NOT NULL NULLS OFFSET OR ORDER OVER PARTITION RETURNING SELECT THEN TRUE UNION VALUES WHEN WHERE"))
}

// from lists the tables of the statement, on both sides of the cursor.
func (c place) from() []table {
	words := slices.Clone(c.words)
	for _, w := range c.rest {
		if w.raw == ";" {
			break
		}
		words = append(words, w)
	}
	var all []table
	for i := 0; i < len(words); i++ {
		if !words[i].is("FROM") && !words[i].is("JOIN") && !words[i].is("INTO") && !words[i].is("UPDATE") {
			continue
		}
		for i+1 < len(words) {
			name, length := dotted(words[i+1:])
			if length == 0 {
				break
			}
			t := table{name: name}
			i += length
			if i+1 < len(words) && words[i+1].is("AS") {
				i++
			}
			if i+1 < len(words) && words[i+1].isWord() && !isClause(words[i+1]) && !isJoin(words[i+1]) {
				i++
				t.alias = words[i].name()
			}
			all = append(all, t)
			if i+1 >= len(words) || words[i+1].raw != "," {
				break
			}
			i++
		}
	}
	return all
}

func isJoin(w word) bool {
	return slices.Contains([]string{"LEFT", "RIGHT", "INNER", "CROSS", "FULL", "NATURAL", "EXCEPT", "INTERSECT", "WINDOW"}, strings.ToUpper(w.raw))
}

// common lists the names of the statement's WITH.
func (c place) common() []string {
	var names []string
	for i := range c.words {
		if i+2 < len(c.words) && c.words[i+1].is("AS") && c.words[i+2].raw == "(" && c.words[i].isWord() {
			names = append(names, c.words[i].name())
		}
	}
	return names
}

// columnsOf lists the columns of the table that a qualifier names; nil for an unknown one.
func (c place) columnsOf(path []string) []string {
	for _, t := range c.from() {
		if len(path) == 1 && strings.EqualFold(path[0], t.alias) || slices.EqualFunc(path, t.name, strings.EqualFold) ||
			len(path) == 1 && strings.EqualFold(path[0], t.name[len(t.name)-1]) {
			return c.columns(t)
		}
	}
	return nil
}

func (c place) resource(t table) *provider.Resource {
	if len(t.name) == 1 && slices.ContainsFunc(c.source.Tables(), func(table string) bool { return strings.EqualFold(table, t.name[0]) }) {
		return nil
	}
	name := c.full(t.name)
	if len(name) != 3 { //nolint:mnd // provider.service.resource
		return nil
	}
	r, err := c.source.Catalogue.Resource(name[0], name[1], name[2])
	if err != nil {
		return nil
	}
	return r
}

// columns lists the columns of a table, and the parameters of the methods behind it.
func (c place) columns(t table) []string {
	r := c.resource(t)
	if r == nil {
		return nil
	}
	columns, _, err := c.source.Columns(r)
	var names []string
	if err == nil {
		for i := range columns {
			names = append(names, columns[i].Name)
		}
	}
	for _, m := range c.methodsOf(t) {
		if signature, err := bind.NewSignature(c.source.Catalogue, m); err == nil {
			names = append(names, signature.Names()...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// methodsOf lists the methods that the statement may call for a table.
func (c place) methodsOf(t table) []*provider.Method {
	r := c.resource(t)
	if r == nil {
		return nil
	}
	switch c.first() {
	case "UPDATE":
		return r.MethodsFor(provider.Update)
	case "DELETE":
		return r.MethodsFor(provider.Delete)
	case "INSERT":
		return r.MethodsFor(provider.Insert)
	case "REPLACE":
		return r.MethodsFor(provider.Replace)
	}
	_, methods, err := c.source.Columns(r)
	if err != nil {
		return nil
	}
	return methods
}

// parameters lists what the methods of verbs take.
func (c place) parameters(verbs ...provider.SQLVerb) []string {
	var names []string
	for _, t := range c.from() {
		r := c.resource(t)
		if r == nil {
			continue
		}
		for _, verb := range verbs {
			for _, m := range r.MethodsFor(verb) {
				if signature, err := bind.NewSignature(c.source.Catalogue, m); err == nil {
					names = append(names, signature.Names()...)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
