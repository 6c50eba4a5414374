package docgen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// tab is one of several views of which a reader sees one at a time.
type tab struct {
	label, value string
}

func methodTabs(methods []*provider.Method) []tab {
	tabs := make([]tab, len(methods))
	for i, m := range methods {
		tabs[i] = tab{m.Name, m.Name}
	}
	return tabs
}

// writeTabs begins a set of tabs, the first of which is shown first.
func writeTabs(b *strings.Builder, tabs []tab) {
	fmt.Fprintf(b, "<Tabs\n    defaultValue=\"%s\"\n    values={[\n", tabs[0].value)
	for i, t := range tabs {
		fmt.Fprintf(b, "        { label: '%s', value: '%s' }", t.label, t.value)
		if i < len(tabs)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("    ]}\n>\n")
}

// statementKind is a section of examples: the methods that a statement reaches, and how the
// statement is written.
type statementKind struct {
	verb    provider.SQLVerb
	heading string
	write   func(*strings.Builder, *example)
}

// statementKinds are the statement kinds of a page. Each has its own way to write statements.
func (g *generator) statementKinds() []statementKind {
	if g.extended {
		return []statementKind{
			{provider.Select, "`SELECT` examples", writeQuery},
			{provider.Insert, "`INSERT` examples", writeInsertion},
			{provider.Update, "`UPDATE` examples", writeChange("UPDATE")},
			{provider.Replace, "`REPLACE` examples", writeChange("REPLACE")},
			{provider.Delete, "`DELETE` examples", writeRemoval},
			{provider.Exec, "Lifecycle Methods", writeCall},
		}
	}
	return []statementKind{
		{provider.Select, "`SELECT` examples", writeSelect},
		{provider.Insert, "`INSERT` examples", writeInsert},
		{provider.Update, "`UPDATE` examples", writeUpdate},
		{provider.Replace, "`REPLACE` examples", writeReplace},
		{provider.Delete, "`DELETE` examples", writeDelete},
		{provider.Exec, "Lifecycle Methods", writeExec},
	}
}

// examplesSection shows a statement for every method, a section for each kind of statement.
func (g *generator) examplesSection(b *strings.Builder, r *provider.Resource) error {
	separator := ""
	for _, kind := range g.statementKinds() {
		methods := r.MethodsFor(kind.verb)
		if len(methods) == 0 {
			continue
		}
		examples := make([]*example, len(methods))
		for i, m := range methods {
			e, err := g.exampleOf(m)
			if err != nil {
				return err
			}
			examples[i] = e
		}
		b.WriteString(separator + "## " + kind.heading + "\n\n")
		separator = "\n\n"
		tabs := methodTabs(methods)
		if kind.verb == provider.Insert {
			tabs = append(tabs, tab{"Manifest", "manifest"})
		}
		writeTabs(b, tabs)
		for _, e := range examples {
			about := paragraph(e.method.Description)
			if about == "" {
				about = "No description available."
			}
			fmt.Fprintf(b, "<TabItem value=\"%s\">\n\n%s\n\n```sql\n", e.method.Name, about)
			kind.write(b, e)
			b.WriteString("\n```\n")
			if g.extended {
				if err := g.writeAround(b, e); err != nil {
					return err
				}
			}
			b.WriteString("</TabItem>\n")
		}
		if kind.verb == provider.Insert {
			writeManifest(b, r, examples, g.extended)
		}
		b.WriteString("</Tabs>\n")
	}
	return nil
}

// example holds the parts of a method's statement.
type example struct {
	method     *provider.Method
	table      string // provider.service.resource
	fields     []field
	required   []param // with the server's variables
	optional   []param
	attributes []provider.Attribute // of the body, those that only the server sets left out
	hasBody    bool
	bodyType   string // of a body that has no attributes to name: a map, or a stream
}

// param is a parameter of a method.
type param struct {
	name, typ, format, description string
}

// exampleOf returns the parts of a method's statement. It reads them once for each page.
func (g *generator) exampleOf(m *provider.Method) (*example, error) {
	if e, ok := g.examples[m]; ok {
		return e, nil
	}
	e, err := g.newExample(m)
	if err != nil {
		return nil, err
	}
	g.examples[m] = e
	return e, nil
}

func (g *generator) newExample(m *provider.Method) (*example, error) {
	fields, err := g.fields(m)
	if err != nil {
		return nil, err
	}
	e := &example{method: m, table: m.Resource, fields: fields, hasBody: m.Body != nil}
	for _, p := range g.params(m) {
		named := param{name: p.Name, description: p.Description}
		s, err := g.cat.Resolve(m, p.Schema)
		if err != nil {
			return nil, err
		}
		if s != nil {
			named.typ, named.format = s.Type, s.Format
		}
		if p.Required {
			e.required = append(e.required, named)
		} else {
			e.optional = append(e.optional, named)
		}
	}
	for _, v := range m.ServerVariables() {
		e.required = append(e.required, param{name: v.Name, typ: "string"})
	}
	if e.attributes, err = g.cat.Attributes(m); err != nil {
		return nil, err
	}
	e.attributes = slices.DeleteFunc(e.attributes, func(a provider.Attribute) bool { return a.Schema.OffPage })
	if g.extended {
		e.trim()
		if e.bodyType, err = g.bodyType(m); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// bodyType returns the type of a body that is filled in as a whole; empty for any other.
func (g *generator) bodyType(m *provider.Method) (string, error) {
	if m.Body == nil {
		return "", nil
	}
	body, err := g.cat.Resolve(m, m.Body.Schema)
	if err != nil || body == nil || len(body.Properties) > 0 || body.Type == "object" && body.Additional == nil {
		return "", err
	}
	return body.Type, nil
}
