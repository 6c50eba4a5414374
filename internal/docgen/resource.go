package docgen

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// resource returns the page of a resource or view.
func (g *generator) resource(r *provider.Resource) (string, error) {
	var b strings.Builder
	b.Grow(32 << 10) // most pages are smaller
	g.tables = nil
	writeFrontMatter(&b, g.provider.Name, frontWord, r.Name, r.Name, r.Service, r.Provider)
	b.WriteString("\n" + pageImports + "\n")
	g.writeIntroduction(&b, r)
	kind := "Resource"
	if r.View != nil {
		kind = "View"
	}
	writeOverview(&b, r.Name, kind, r.ID)
	if g.extended {
		b.WriteString(guideLink)
	}
	if r.View != nil {
		g.writeView(&b, r)
		return b.String(), nil
	}
	// A section writes its heading and ends where the next begins, after a blank line.
	sections := []func(*strings.Builder, *provider.Resource) error{
		g.fieldsSection,
		g.methodsSection,
		g.parametersSection,
		g.examplesSection,
	}
	for _, section := range sections {
		if err := section(&b, r); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

const pageImports = "import CopyableCode from '@site/src/components/CopyableCode/CopyableCode';\n" +
	"import Tabs from '@theme/Tabs';\n" +
	"import TabItem from '@theme/TabItem';\n" +
	"import SchemaTable from '@site/src/components/SchemaTable/SchemaTable';\n"

// writeFrontMatter writes the front matter of a page for Docusaurus. The page's keywords come first. Names are
// written as quote does: [frontWord] or [exactly].
func writeFrontMatter(b *strings.Builder, providerName string, quote func(string) string, title string, keywords ...string) {
	fmt.Fprintf(b, "---\ntitle: %s\nhide_title: false\nhide_table_of_contents: false\nkeywords:\n", quote(title))
	for _, word := range keywords {
		fmt.Fprintf(b, "  - %s\n", quote(word))
	}
	fmt.Fprintf(b, "  - infrastructure-as-code\n  - configuration-as-data\n  - cloud inventory\n"+
		"description: Query, deploy and manage %[1]s resources using SQL\n"+
		"custom_edit_url: null\n"+
		"image: /img/stackql-%[1]s-provider-featured-image.png\n---\n", providerName)
}

// frontWord writes a name for front matter: in quotes if YAML would take it for anything but text.
func frontWord(name string) string {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. ") == "" && strings.Trim(name, "0123456789_-.eE") != "" {
		switch strings.ToLower(name) {
		case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan":
		default:
			return name
		}
	}
	return "'" + strings.ReplaceAll(name, "'", "''") + "'"
}

// exactly writes a name as it is.
func exactly(name string) string { return name }

// writeIntroduction says in one sentence what a resource is for.
func (g *generator) writeIntroduction(b *strings.Builder, r *provider.Resource) {
	switch {
	case r.Description != "":
		b.WriteString(paragraph(r.Description) + "\n\n")
	case g.extended:
		b.WriteString(purpose(r) + "\n\n")
	default:
		fmt.Fprintf(b, "Creates, updates, deletes, gets or lists %s <code>%s</code> resource.\n\n", article(r.Name), word(r.Name))
	}
}

// article returns the indefinite article for a name, by its first letters. Most words in u begin
// with the sound of you: a user, a usage.
func article(name string) string {
	lower := strings.ToLower(name)
	for _, sound := range []string{"a", "e", "i", "o", "un", "hour"} {
		if strings.HasPrefix(lower, sound) {
			return "an"
		}
	}
	return "a"
}

func writeOverview(b *strings.Builder, name, kind, id string) {
	fmt.Fprintf(b, "## Overview\n<table><tbody>\n"+
		"<tr><td><b>Name</b></td><td><code>%s</code></td></tr>\n"+
		"<tr><td><b>Type</b></td><td>%s</td></tr>\n"+
		"<tr><td><b>Id</b></td><td><CopyableCode code=\"%s\" /></td></tr>\n"+
		"</tbody></table>\n\n", name, kind, id)
}

// writeTableHead begins a table with the given columns.
func writeTableHead(b *strings.Builder, columns ...string) {
	b.WriteString("<table>\n<thead>\n    <tr>\n")
	for _, column := range columns {
		fmt.Fprintf(b, "    <th>%s</th>\n", column)
	}
	b.WriteString("    </tr>\n</thead>\n<tbody>\n")
}

const tableEnd = "</tbody>\n</table>\n\n"

// methodRow is the row of a method: its name, verb, required parameters, optional ones, and description.
const methodRow = "<tr>\n" +
	"    <td><a href=\"#%[1]s\"><CopyableCode code=\"%[1]s\" /></a></td>\n" +
	"    <td><CopyableCode code=\"%[2]s\" /></td>\n" +
	"    <td>%[3]s</td>\n" +
	"    <td>%[4]s</td>\n" +
	"    <td>%[5]s</td>\n" +
	"</tr>\n"

// methodsSection lists the methods, grouped by the statement that reaches them.
func (g *generator) methodsSection(b *strings.Builder, r *provider.Resource) error {
	b.WriteString("## Methods\n\nThe following methods are available for this resource:\n\n")
	writeTableHead(b, "Name", "Accessible by", "Required Params", "Optional Params", "Description")
	for _, verb := range provider.SQLVerbs() {
		for _, m := range r.MethodsFor(verb) {
			required := m.RequiredParams()
			if g.extended {
				required = requiredNames(m)
			}
			fmt.Fprintf(b, methodRow, word(m.Name), verb, paramLinks(required), paramLinks(g.optionalParams(m)), sanitise(m.Description))
		}
	}
	b.WriteString(tableEnd)
	return nil
}

func paramLinks(names []string) string {
	links := make([]string, len(names))
	for i, name := range names {
		links[i] = fmt.Sprintf("<a href=\"#parameter-%[1]s\"><code>%[1]s</code></a>", word(name))
	}
	return strings.Join(links, ", ")
}

// params are the parameters that the page of a method shows. Pages in the form of StackQL's generator leave out
// what the path declares for all of its operations and does not need: the system parameters of Google's APIs
// would double those pages.
func (g *generator) params(m *provider.Method) []provider.Parameter {
	if g.extended || !slices.ContainsFunc(m.Params, omitted) {
		return m.Params
	}
	return slices.DeleteFunc(slices.Clone(m.Params), omitted)
}

func omitted(p provider.Parameter) bool { return p.Shared && !p.Required }

// optionalParams names the operation's parameters that may be left out, in document order.
func (g *generator) optionalParams(m *provider.Method) []string {
	var names []string
	for _, p := range g.params(m) {
		if !p.Required {
			names = append(names, p.Name)
		}
	}
	return names
}

// parameter is a row of the table of parameters.
type parameter struct {
	typ, description string
}

const parametersHead = "## Parameters\n\nParameters can be passed in the `WHERE` clause of a query. " +
	"Check the [Methods](#methods) section to see which parameters are required or optional for each operation.\n\n"

// parametersSection describes the parameters of all methods. One that is required by one method
// and optional for another stands in both groups.
func (g *generator) parametersSection(b *strings.Builder, r *provider.Resource) error {
	b.WriteString(parametersHead)
	writeTableHead(b, "Name", "Datatype", "Description")
	required, optional := map[string]parameter{}, map[string]parameter{}
	for _, verb := range provider.SQLVerbs() {
		for _, m := range r.MethodsFor(verb) {
			// Several methods may describe a parameter: the last one's words stand.
			for _, p := range g.params(m) {
				group := optional
				if p.Required {
					group = required
				}
				about, err := g.operationParameter(m, p)
				if err != nil {
					return err
				}
				group[p.Name] = about
			}
			for _, v := range m.ServerVariables() {
				required[v.Name] = serverVariable(v)
			}
		}
	}
	if g.extended {
		if err := g.moreParameters(r, required, optional); err != nil {
			return err
		}
	}
	for _, group := range []map[string]parameter{required, optional} {
		for _, name := range slices.Sorted(maps.Keys(group)) {
			p := group[name]
			fmt.Fprintf(b, "<tr id=\"parameter-%[1]s\">\n"+
				"    <td><CopyableCode code=\"%[1]s\" /></td>\n"+
				"    <td><code>%[2]s</code></td>\n"+
				"    <td>%[3]s</td>\n"+
				"</tr>\n", word(name), word(p.typ), sanitise(oneLine(p.description)))
		}
	}
	b.WriteString(tableEnd)
	return nil
}

func (g *generator) operationParameter(m *provider.Method, p provider.Parameter) (parameter, error) {
	s, err := g.cat.Resolve(m, p.Schema)
	if err != nil {
		return parameter{}, err
	}
	about := p.Description
	if p.Example != "" {
		about += " (example: " + p.Example + ")"
	}
	if g.extended {
		if about, err = g.withValues(m, s, about); err != nil {
			return parameter{}, err
		}
	}
	return parameter{typ: typeName(s, ""), description: about}, nil
}

func serverVariable(v provider.Variable) parameter {
	about := v.Description
	if len(v.Notes) > 0 && about != "" {
		about += " "
	}
	if len(v.Notes) > 0 {
		notes := make([]string, len(v.Notes))
		for i, note := range v.Notes {
			notes[i] = note.Key + ": " + note.Value
		}
		about += "(" + strings.Join(notes, ", ") + ")"
	}
	return parameter{typ: "string", description: about}
}
