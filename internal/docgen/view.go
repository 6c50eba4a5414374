package docgen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// writeView describes a view: its query, and the columns and parameters that the document describes.
func (g *generator) writeView(b *strings.Builder, r *provider.Resource) {
	view := r.View
	b.WriteString("## Fields\n\n")
	if len(view.Fields) == 0 {
		b.WriteString("See the SQL Definition (view DDL) for fields returned by this view.\n\n")
	} else {
		b.WriteString("The following fields are returned by this view:\n\n")
		writeViewFields(b, view.Fields)
	}
	if len(view.RequiredParams) > 0 {
		b.WriteString("## Required Parameters\n\nThe following parameters are required by this view:\n\n")
		writeViewFields(b, view.RequiredParams)
	}
	if len(view.Fields) > 0 {
		g.writeViewSelect(b, r)
	}
	writeDefinitions(b, view.Definitions)
}

func writeViewFields(b *strings.Builder, fields []provider.ViewField) {
	writeTableHead(b, "Name", "Datatype", "Description")
	for _, f := range fields {
		fmt.Fprintf(b, "<tr>\n"+
			"    <td><CopyableCode code=\"%s\" /></td>\n"+
			"    <td><CopyableCode code=\"%s\" /></td>\n"+
			"    <td>%s</td>\n"+
			"</tr>\n", word(f.Name), word(f.Type), sanitise(f.Description))
	}
	b.WriteString(tableEnd)
}

func (g *generator) writeViewSelect(b *strings.Builder, r *provider.Resource) {
	name := func(name string) string { return name }
	placeholder := func(name, _ string) string { return quoted(name) }
	if g.extended {
		name, placeholder = columnName, value
	}
	columns := make([]string, len(r.View.Fields))
	for i, f := range r.View.Fields {
		columns[i] = name(f.Name)
	}
	fmt.Fprintf(b, "## `SELECT` Examples\n\n```sql\nSELECT\n  %s\nFROM %s", strings.Join(columns, ",\n  "), r.FullName())
	var terms []string
	for _, p := range r.View.RequiredParams {
		terms = append(terms, name(p.Name)+" = "+placeholder(p.Name, p.Type))
	}
	if len(terms) > 0 {
		b.WriteString("\nWHERE " + strings.Join(terms, "\n  AND "))
	}
	b.WriteString(";\n```\n\n")
}

// writeDefinitions shows the query in each dialect of the document. If several have the same dialect, it
// shows the first, because the names of tabs must differ.
func writeDefinitions(b *strings.Builder, definitions []provider.ViewDefinition) {
	var labels, tabs, queries []string
	for _, d := range definitions {
		label := dialectLabel(d.Dialect)
		if slices.Contains(labels, label) {
			continue
		}
		labels = append(labels, label)
		tabs = append(tabs, fmt.Sprintf("{ label: '%[1]s', value: '%[1]s' }", label))
		queries = append(queries, fmt.Sprintf("<TabItem value=\"%s\">\n\n```sql\n%s\n```\n\n</TabItem>\n", label, strings.TrimRight(d.SQL, "\r\n")))
	}
	fmt.Fprintf(b, "## SQL Definition\n\n<Tabs\ndefaultValue=\"%s\"\nvalues={[\n%s\n]}\n>\n%s</Tabs>\n",
		labels[0], strings.Join(tabs, ",\n"), strings.Join(queries, ""))
}

// dialectLabel writes a dialect's name as a heading: sqlite3 as Sqlite3.
func dialectLabel(name string) string {
	if name == "" {
		return "SQL"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}
