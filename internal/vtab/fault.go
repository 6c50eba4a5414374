package vtab

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/functions"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// sqliteFault matches a message of SQLite about a name or word of a statement.
type sqliteFault struct {
	pattern *regexp.Regexp
	// hint returns the hint for the message; the argument is the name.
	hint func(p *Program, name string) string
}

var sqliteFaults = sync.OnceValue(func() []sqliteFault {
	return []sqliteFault{
		{regexp.MustCompile(`^no such column: (?:.*\.)?([^.]+)$`), (*Program).nearestColumn},
		{regexp.MustCompile(`^no such function: (.+)$`), (*Program).nearestFunction},
		{regexp.MustCompile(`^no such table: (?:.*\.)?([^.]+)$`), (*Program).nearestTable},
		{regexp.MustCompile(`^table .* has no column named (.+)$`), (*Program).nearestColumn},
		{regexp.MustCompile(`^ambiguous column name: (.+)$`), func(_ *Program, name string) string {
			return "several tables have it: write the name or alias of its table before it, as in p." + name
		}},
		{regexp.MustCompile(`^wrong number of arguments to function (.+)\(\)$`), func(*Program, string) string { return "" }},
		{regexp.MustCompile(`^near "(?s:(.*))": syntax error$`), func(*Program, string) string { return "" }},
	}
})

// located makes the error for one of SQLite about the text of the program, at the word that it is
// about.
func (p *Program) located(err error) *provider.Error {
	e := provider.Usagef("%s", Message(err)).At(p.position).Because(err)
	part, offset, found := p.faultAt(err)
	if found {
		e.Position = part.At(offset)
	}
	for _, fault := range sqliteFaults() {
		match := fault.pattern.FindStringSubmatch(e.Message)
		if match == nil {
			continue
		}
		name := match[1]
		if found && part.Quoted(offset) {
			// Text between double quotes may be meant as a string, and hold anything.
			e.Message = strings.TrimSuffix(strings.Replace(e.Message, match[1], "this one", 1), ": this one")
			e.Message = strings.Replace(e.Message, `near "this one"`, "near this text", 1)
			e.Hint = "double quotes are for names; a string stands between single quotes"
			return e
		}
		if !found {
			e.Position = p.find(name)
		}
		e.Hint = fault.hint(p, name)
		return e
	}
	return e
}

// faultAt finds the part of the program's text, and the offset in it, at which SQLite found a fault.
func (p *Program) faultAt(err error) (part statement.Edited, offset int, found bool) {
	fault, ok := errors.AsType[*sqlite3.Error](err)
	if !ok || fault.SQL() == "" || !strings.HasSuffix(p.full, fault.SQL()) {
		return statement.Edited{}, 0, false
	}
	at := len(p.full) - len(fault.SQL())
	for _, part := range p.edited {
		for from := 0; ; {
			start := strings.Index(p.full[from:], part.Text)
			if start < 0 || part.Text == "" {
				break
			}
			if start += from; at >= start && at < start+len(part.Text) {
				return part, at - start, true
			}
			from = start + 1
		}
	}
	return statement.Edited{}, 0, false
}

// find returns the place of a name in the program's queries; that of the statement if none has it.
func (p *Program) find(name string) provider.Position {
	for _, q := range p.Queries {
		if pos, ok := q.Find(name); ok {
			return pos
		}
	}
	return p.position
}

// nearest words the names that are the most similar to one. The name itself is not among them: a column of
// another table may be called so.
func nearest(names []string, name string) string {
	names = slices.DeleteFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
	if near := provider.Nearest(names, name, 3); len(near) > 0 {
		return "did you mean " + strings.Join(near, ", ") + "?"
	}
	return ""
}

// nearestColumn finds the columns that are called nearly so, of all tables that the program names.
func (p *Program) nearestColumn(name string) string {
	var names []string
	for _, t := range p.tables.list {
		if takers := p.takers(t.resource, name); len(takers) > 0 {
			return p.execInstead(takers)
		}
		if hint := t.unrolled(name); hint != "" {
			return hint
		}
		for _, f := range t.fields {
			names = append(names, f.name)
		}
	}
	for _, e := range p.externals {
		names = append(names, e.names()...)
	}
	names = append(names, p.names("SELECT DISTINCT c.name FROM pragma_table_list t, pragma_table_xinfo(t.name, t.schema) c WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND t.name NOT LIKE 'lakeql\\_%' ESCAPE '\\'")...)
	return nearest(names, name)
}

// unrolled says where the value of a column is that StackQL's documents have and a table does not, because
// the rows are the items of a list, or because one column holds all keys of the answer.
func (t *table) unrolled(name string) string {
	var shown []string
	for _, f := range t.fields {
		if !f.hidden && !f.unlisted {
			shown = append(shown, f.name)
		}
	}
	for _, a := range t.methods {
		list := ""
		if r := a.method.Response; r != nil {
			list = r.ObjectKey[strings.LastIndexByte(r.ObjectKey, '.')+1:]
		}
		switch paging := a.method.Paging; {
		case list != "" && strings.EqualFold(list, name):
			return fmt.Sprintf("each row is an item of %s: name its columns, such as %s", list, strings.Join(shown[:min(3, len(shown))], ", "))
		case paging != nil && paging.ResponseToken != "" && strings.EqualFold(paging.ResponseToken, name):
			return "leave it out: all pages of the list are read"
		case len(shown) == 1 && shown[0] == a.method.Name:
			return fmt.Sprintf("write %s ->> '%s': that column holds all keys of the answer", shown[0], name)
		}
	}
	return ""
}

// nearestFunction finds the functions that are called nearly so.
func (p *Program) nearestFunction(name string) string {
	known := p.names("SELECT DISTINCT name FROM pragma_function_list WHERE name GLOB '[a-z]*' AND name NOT LIKE 'lakeql\\_%' ESCAPE '\\'")
	return nearest(append(known, functions.Names()...), name)
}

// nearestTable finds the tables that are called nearly so.
func (p *Program) nearestTable(name string) string {
	if p.env.Tables == nil {
		return ""
	}
	return nearest(p.env.Tables(), name)
}

// names reads a list of names from the program's database.
func (p *Program) names(query string) []string {
	stmt, _, err := p.DB.Prepare(query)
	if err != nil {
		return nil
	}
	var all []string
	for stmt.Step() {
		all = append(all, stmt.ColumnText(0))
	}
	_ = stmt.Close() // a hint is lost at most
	return all
}
