package docgen

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// fieldTable is a table of fields that stands on the current page: later methods refer to it instead of
// repeating it.
type fieldTable struct {
	method string // the first method that returns the fields
	link   string // of the place on the page
	fields []field
}

// minShared is the size from which a table is not repeated: below it, a reader is better off with the
// fields than with a link to them.
const minShared = 4

// countFields counts fields with those inside them.
func countFields(fields []field) int {
	n := len(fields)
	for _, f := range fields {
		n += countFields(f.children)
	}
	return n
}

// sameFields reports whether two tables show the same.
func sameFields(a, b []field) bool { return slices.EqualFunc(a, b, sameField) }

func sameField(a, b field) bool {
	return a.name == b.name && a.typ == b.typ && a.description == b.description && sameFields(a.children, b.children)
}

// tableWith finds a table on the page with exactly these fields.
func (g *generator) tableWith(fields []field) (fieldTable, bool) {
	if countFields(fields) < minShared {
		return fieldTable{}, false
	}
	at := slices.IndexFunc(g.tables, func(t fieldTable) bool { return sameFields(t.fields, fields) })
	if at < 0 {
		return fieldTable{}, false
	}
	return g.tables[at], true
}

// fieldGroup is a tab of the section Fields: the methods that return the same fields.
type fieldGroup struct {
	methods []*provider.Method
	about   string // the description of the response
	fields  []field
}

// fieldGroups puts methods with the same fields and the same description of their response together, in the
// order of their first ones. Only extended pages share a tab.
func (g *generator) fieldGroups(methods []*provider.Method) ([]fieldGroup, error) {
	var groups []fieldGroup
	for _, m := range methods {
		e, err := g.exampleOf(m)
		if err != nil {
			return nil, err
		}
		about, err := g.responseDescription(m)
		if err != nil {
			return nil, err
		}
		at := -1
		if g.extended {
			at = slices.IndexFunc(groups, func(other fieldGroup) bool {
				return sameFields(other.fields, e.fields) && other.about == about
			})
		}
		if at >= 0 {
			groups[at].methods = append(groups[at].methods, m)
			continue
		}
		groups = append(groups, fieldGroup{methods: []*provider.Method{m}, about: about, fields: e.fields})
	}
	return groups, nil
}

func (g fieldGroup) tab() tab {
	names := make([]string, len(g.methods))
	for i, m := range g.methods {
		names[i] = m.Name
	}
	return tab{label: strings.Join(names, ", "), value: names[0]}
}

// writeFieldTable writes a table of fields. On an extended page it refers to the fields that an earlier tab has,
// and shows only the others.
func (g *generator) writeFieldTable(b *strings.Builder, method string, fields []field) {
	shown := fields
	if g.extended {
		if base, missing, others := g.nearest(fields); base != nil {
			b.WriteString("The fields of <code>" + word(base.method) + "</code>")
			if len(missing) > 0 {
				b.WriteString(", without " + codeList(missing))
			}
			if len(others) == 0 {
				b.WriteString(".\n")
				return
			}
			b.WriteString(", and these:\n\n")
			shown = others
		}
		g.tables = append(g.tables, fieldTable{method: method, link: "#fields", fields: fields})
	}
	g.writeSchemaTable(b, shown)
}

// nearest finds the table on the page that has most of the given fields, the names of those that only it has, and
// the given fields that it does not have. It returns nil where a reference would say little.
func (g *generator) nearest(fields []field) (base *fieldTable, missing []string, others []field) {
	best := 0
	for i := range g.tables {
		t := &g.tables[i]
		var common []field
		for _, f := range fields {
			if slices.ContainsFunc(t.fields, func(other field) bool { return sameField(f, other) }) {
				common = append(common, f)
			}
		}
		// A table that differs in many columns is easier to read in full.
		apart := len(t.fields) + len(fields) - 2*len(common)
		if n := countFields(common); n >= minShared && n > best && apart <= maxApart {
			best, base = n, t
		}
	}
	if base == nil {
		return nil, nil, nil
	}
	for _, f := range fields {
		at := slices.IndexFunc(base.fields, func(other field) bool { return other.name == f.name })
		switch {
		case at >= 0 && sameField(f, base.fields[at]):
			continue
		case at >= 0 && len(f.children) > 0 && sameFields(f.children, base.fields[at].children):
			f.description = sentence(f.description, "It holds what it holds in <code>"+word(base.method)+"</code>.")
			f.children = nil
		}
		others = append(others, f)
	}
	for _, f := range base.fields {
		if !slices.ContainsFunc(fields, func(other field) bool { return other.name == f.name }) {
			missing = append(missing, f.name)
		}
	}
	return base, missing, others
}

// maxApart is in how many columns two tables may differ for one to be written as a difference to the other.
const maxApart = 6

// codeList lists names as code.
func codeList(names []string) string {
	marked := make([]string, len(names))
	for i, name := range names {
		marked[i] = "<code>" + word(name) + "</code>"
	}
	return andList(marked)
}

// andList joins words as a sentence lists them.
func andList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
