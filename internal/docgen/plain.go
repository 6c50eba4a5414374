package docgen

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// plainPage is a page without a form: headings, text, tables and code. [Markdown] and [Manual] write it.
type plainPage struct {
	blocks []block
}

// block is one of: a heading (level is not 0), code (language is not empty), a table (head is not nil), or text.
type block struct {
	level    int
	text     string
	language string
	head     []string
	rows     [][]cell
}

// cell is a part of a table: a description, or names and types, which stand as code.
type cell struct {
	text  string
	names []string
	link  string // of the only name, from the page's folder
}

func (p *plainPage) heading(level int, text string) {
	p.blocks = append(p.blocks, block{level: level, text: text})
}

func (p *plainPage) code(language, text string) {
	p.blocks = append(p.blocks, block{language: language, text: strings.TrimRight(text, "\n")})
}

// prose adds a description; an empty one adds nothing.
func (p *plainPage) prose(text string) {
	if strings.TrimSpace(text) != "" {
		p.blocks = append(p.blocks, block{text: text})
	}
}

// table adds a table. It leaves out columns in which no row says anything.
func (p *plainPage) table(head []string, rows [][]cell) {
	if len(rows) == 0 {
		return
	}
	var keep []int
	for i := range head {
		if slices.ContainsFunc(rows, func(row []cell) bool { return row[i].text != "" || len(row[i].names) > 0 }) {
			keep = append(keep, i)
		}
	}
	b := block{}
	for _, i := range keep {
		b.head = append(b.head, head[i])
	}
	for _, row := range rows {
		var kept []cell
		for _, i := range keep {
			kept = append(kept, row[i])
		}
		b.rows = append(b.rows, kept)
	}
	p.blocks = append(p.blocks, b)
}

func names(all ...string) cell {
	return cell{names: slices.DeleteFunc(all, func(name string) bool { return name == "" })}
}

// unsanitised returns a description as it was before [sanitise].
func unsanitised(text string) string {
	return html.UnescapeString(strings.ReplaceAll(text, "<br />", "\n"))
}

// plainFields lists fields, those inside them behind the name of the outer one and a dot.
func plainFields(fields []field, within string) [][]cell {
	var rows [][]cell
	for _, f := range fields {
		rows = append(rows, []cell{names(within + f.name), names(f.typ), {text: unsanitised(f.description)}})
		rows = append(rows, plainFields(f.children, within+f.name+".")...)
	}
	return rows
}

// plainResource returns the page of a resource, or of one of its methods.
func (g *generator) plainResource(r *provider.Resource, method string) (*plainPage, error) {
	p := &plainPage{}
	g.tables = nil
	title := r.FullName()
	if method != "" {
		title += "." + method
	}
	p.heading(1, title)
	methods := slices.DeleteFunc(slices.Clone(r.Methods), func(m *provider.Method) bool { return method != "" && m.Name != method })
	switch {
	case method != "":
	case r.Description != "":
		p.prose(r.Description)
	case len(r.Methods) > 0:
		p.prose(withoutDocstring(unsanitised(purpose(r))))
	}
	if r.View != nil {
		g.plainView(p, r)
		return p, nil
	}
	if method == "" {
		p.heading(2, "Methods")
		var rows [][]cell
		for _, m := range methods {
			required := m.RequiredParams()
			if g.extended {
				required = requiredNames(m)
			}
			rows = append(rows, []cell{names(m.Name), names(string(m.SQLVerb)), names(slices.Clone(required)...), names(g.optionalParams(m)...), {text: firstParagraph(withoutDocstring(m.Description))}})
		}
		p.table([]string{"Method", "Statement", "Required", "Optional", "Description"}, rows)
	}
	for _, m := range methods {
		if err := g.plainMethod(p, m, method == ""); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// plainMethod adds what a method takes and returns, and a statement.
func (g *generator) plainMethod(p *plainPage, m *provider.Method, headed bool) error {
	e, err := g.exampleOf(m)
	if err != nil {
		return err
	}
	level := 2
	if headed {
		p.heading(2, m.Name)
		level = 3
	}
	p.prose(withoutDocstring(m.Description))
	for _, kind := range g.statementKinds() {
		if kind.verb == m.SQLVerb {
			var b strings.Builder
			kind.write(&b, e)
			p.code("sql", b.String())
		}
	}
	if err := g.plainInputs(p, m, e, level); err != nil {
		return err
	}
	about, err := g.responseDescription(m)
	if err != nil {
		return err
	}
	if len(e.fields) == 0 {
		return nil
	}
	p.heading(level, "Columns")
	p.prose(unsanitised(about))
	if t, known := g.tableWith(e.fields); known {
		p.prose("The columns of `" + t.method + "`.")
		return nil
	}
	g.tables = append(g.tables, fieldTable{method: m.Name, fields: e.fields})
	p.table([]string{"Column", "Type", "Description"}, plainFields(e.fields, ""))
	return nil
}

// plainInputs adds the parameters and the body of a method.
func (g *generator) plainInputs(p *plainPage, m *provider.Method, e *example, level int) error {
	shown := map[string]bool{}
	for _, in := range slices.Concat(e.required, e.optional) {
		shown[in.name] = true
	}
	var rows [][]cell
	add := func(name string, about parameter, needed string) {
		rows = append(rows, []cell{names(name), names(about.typ), {text: needed}, {text: about.description}})
	}
	for _, in := range g.params(m) {
		if !shown[in.Name] {
			continue
		}
		about, err := g.operationParameter(m, in)
		if err != nil {
			return err
		}
		add(in.Name, about, yes(in.Required))
	}
	for _, v := range m.ServerVariables() {
		add(v.Name, serverVariable(v), yes(true))
	}
	for _, a := range e.attributes {
		about, err := g.withValues(m, a.Schema, a.Schema.Description)
		if err != nil {
			return err
		}
		add(a.Name, parameter{typeName(a.Schema, "any"), about}, yes(a.Required))
	}
	if len(rows) == 0 {
		return nil
	}
	p.heading(level, "Parameters")
	p.table([]string{"Parameter", "Type", "Required", "Description"}, rows)
	shapes, drawn, err := g.shapes(e)
	if err != nil || !drawn {
		return err
	}
	var b strings.Builder
	shapes.write(&b, "")
	p.prose("Shapes of the values that are JSON:")
	p.code("json", b.String())
	return nil
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

func (g *generator) plainView(p *plainPage, r *provider.Resource) {
	for _, part := range []struct {
		heading string
		fields  []provider.ViewField
	}{{"Columns", r.View.Fields}, {"Required parameters", r.View.RequiredParams}} {
		var rows [][]cell
		for _, f := range part.fields {
			rows = append(rows, []cell{names(f.Name), names(f.Type), {text: f.Description}})
		}
		if len(rows) > 0 {
			p.heading(2, part.heading)
			p.table([]string{"Name", "Type", "Description"}, rows)
		}
	}
	p.heading(2, "Definition")
	for _, d := range r.View.Definitions {
		p.prose("In " + dialectLabel(d.Dialect) + ":")
		p.code("sql", d.SQL)
	}
}

// plainService returns the page of a service. Links lead to the pages of its resources.
func (g *generator) plainService(s *provider.Service) (*plainPage, error) {
	p := &plainPage{}
	p.heading(1, s.Provider+"."+s.Name)
	var rows [][]cell
	for r, err := range g.resources(s) {
		if err != nil {
			return nil, err
		}
		about := r.Description
		if about == "" && len(r.Methods) > 0 {
			about = withoutDocstring(unsanitised(purpose(r)))
		}
		rows = append(rows, []cell{{names: []string{r.Name}, link: r.Name + "/index.md"}, {text: firstParagraph(about)}})
	}
	slices.SortStableFunc(rows, func(a, b []cell) int { return g.order.compare(a[0].names[0], b[0].names[0]) })
	p.prose(fmt.Sprintf("The service has %d resources.", len(rows)))
	p.table([]string{"Resource", "Description"}, rows)
	return p, nil
}

// plainProvider returns the page of a provider. Links lead to the pages of its services.
func (g *generator) plainProvider() *plainPage {
	p := &plainPage{}
	p.heading(1, g.provider.Name)
	p.prose(g.provider.Description)
	var rows [][]cell
	for _, s := range g.provider.Services {
		rows = append(rows, []cell{{names: []string{s.Name}, link: servicesFolder + "/" + s.Name + "/index.md"}, {text: firstParagraph(s.Description)}})
	}
	slices.SortStableFunc(rows, func(a, b []cell) int { return g.order.compare(a[0].names[0], b[0].names[0]) })
	p.prose(fmt.Sprintf("The provider has %d services.", len(rows)))
	p.table([]string{"Service", "Description"}, rows)
	return p
}

// withoutDocstring leaves out the parameters and results that a description repeats from Python's documentation.
func withoutDocstring(text string) string {
	for _, mark := range []string{":param ", ":returns:", ":return:"} {
		if strings.HasPrefix(text, mark) {
			return ""
		}
		text, _, _ = strings.Cut(text, "\n"+mark)
	}
	return strings.TrimSpace(text)
}

// firstParagraph returns a text up to its first blank line.
func firstParagraph(text string) string {
	text, _, _ = strings.Cut(strings.ReplaceAll(strings.TrimSpace(text), "\r\n", "\n"), "\n\n")
	return text
}
