package docgen

import (
	"fmt"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// quoted returns the placeholder for a value of text.
func quoted(name string) string { return "'{{ " + name + " }}'" }

// bare returns the placeholder for a value that is written without quotes.
func bare(name string) string { return "{{ " + name + " }}" }

// value returns the placeholder for a value of a type: numbers and booleans are bare.
func value(name, typ string) string {
	switch typ {
	case "number", "integer", "boolean":
		return bare(name)
	}
	return quoted(name)
}

// flagValue returns the placeholder where only booleans are bare.
func flagValue(name, typ string) string {
	if typ == "boolean" {
		return bare(name)
	}
	return quoted(name)
}

// asIdentifier writes a name in double quotes where SQL would read it as something else, as $.xgafv. Words of SQL
// stay as they are in this form of pages.
func asIdentifier(name string) string {
	if isWord(name) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// fieldNames lists the columns of a result.
func fieldNames(fields []field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = asIdentifier(f.name)
	}
	return strings.Join(names, ",\n")
}

func writeSelect(b *strings.Builder, e *example) {
	columns := "*"
	if len(e.fields) > 0 {
		columns = fieldNames(e.fields)
	}
	fmt.Fprintf(b, "SELECT\n%s\nFROM %s\n", columns, e.table)
	writeWhere(b, e, " -- required")
}

func writeDelete(b *strings.Builder, e *example) {
	fmt.Fprintf(b, "DELETE FROM %s\n", e.table)
	writeWhere(b, e, " --required")
}

// writeWhere writes the condition of SELECT and DELETE and ends the statement; mark stands after
// a required parameter.
func writeWhere(b *strings.Builder, e *example, mark string) {
	var terms []string
	for _, p := range e.required {
		terms = append(terms, asIdentifier(p.name)+" = "+quoted(p.name)+mark)
	}
	for _, p := range e.optional {
		terms = append(terms, asIdentifier(p.name)+" = "+quoted(p.name))
	}
	if len(terms) > 0 {
		b.WriteString("WHERE " + strings.Join(terms, "\nAND ") + "\n")
	}
	b.WriteByte(';')
}

func writeInsert(b *strings.Builder, e *example) {
	var names, values []string
	for _, a := range e.attributes {
		names = append(names, asIdentifier(a.Name))
		v := value(a.Name, a.Schema.Type)
		if a.Required {
			v += " /* required */"
		}
		values = append(values, v)
	}
	for _, group := range [][]param{e.required, e.optional} {
		for _, p := range group {
			names = append(names, asIdentifier(p.name))
			values = append(values, value(p.name, p.typ))
		}
	}
	fmt.Fprintf(b, "INSERT INTO %s (\n%s\n)\nSELECT \n%s\n", e.table, strings.Join(names, ",\n"), strings.Join(values, ",\n"))
	if len(e.fields) > 0 {
		b.WriteString("RETURNING\n" + fieldNames(e.fields) + "\n")
	}
	b.WriteByte(';')
}

func writeUpdate(b *strings.Builder, e *example) { writeSet(b, "UPDATE", e) }

func writeReplace(b *strings.Builder, e *example) { writeSet(b, "REPLACE", e) }

// writeSet writes UPDATE and REPLACE, which differ in their first word.
func writeSet(b *strings.Builder, verb string, e *example) {
	var set, where []string
	types := map[string]string{}
	for _, a := range e.attributes {
		set = append(set, asIdentifier(a.Name)+" = "+value(a.Name, a.Schema.Type))
		types[a.Name] = a.Schema.Type
	}
	if !e.hasBody {
		set = []string{"-- No updatable properties"}
	}
	for _, p := range e.required {
		where = append(where, asIdentifier(p.name)+" = "+flagValue(p.name, p.typ)+" --required")
	}
	if e.method.Body != nil {
		for _, name := range e.method.Body.RequiredAttributes {
			where = append(where, asIdentifier(name)+" = "+flagValue(name, types[name])+" --required")
		}
	}
	for _, p := range e.optional {
		where = append(where, asIdentifier(p.name)+" = "+flagValue(p.name, p.typ))
	}
	fmt.Fprintf(b, "%s %s\nSET \n%s", verb, e.table, strings.Join(set, ",\n"))
	if len(where) > 0 {
		b.WriteString("\nWHERE \n" + strings.Join(where, "\nAND "))
	}
	if len(e.fields) > 0 {
		b.WriteString("\nRETURNING\n" + fieldNames(e.fields))
	}
	b.WriteByte(';')
}

func writeExec(b *strings.Builder, e *example) {
	var params []string
	for _, p := range e.required {
		params = append(params, "@"+p.name+"="+flagValue(p.name, p.typ)+" --required")
	}
	for _, p := range e.optional {
		params = append(params, "@"+p.name+"="+flagValue(p.name, p.typ))
	}
	fmt.Fprintf(b, "EXEC %s.%s \n%s", e.table, e.method.Name, strings.Join(params, ", \n"))
	if len(e.attributes) > 0 {
		if len(params) > 0 {
			b.WriteString(" \n")
		}
		b.WriteString("@@json=\n'{\n")
		for i, a := range e.attributes {
			if i > 0 {
				b.WriteString(", \n")
			}
			fmt.Fprintf(b, "\"%s\": %s", a.Name, strings.ReplaceAll(value(a.Name, a.Schema.Type), "'", `"`))
		}
		b.WriteString("\n}'")
	}
	b.WriteString("\n;")
}

// writeManifest describes all that the INSERT methods take, as YAML. A scalar stands as it is, or
// as YAML needs it if quote is set.
func writeManifest(b *strings.Builder, r *provider.Resource, examples []*example, quote bool) {
	scalar := func(text string) string { return text }
	if quote {
		scalar = yamlScalar
	}
	fmt.Fprintf(b, "<TabItem value=\"manifest\">\n\n```yaml\n"+
		"# Description fields are for documentation purposes\n"+
		"- name: %s\n  props:\n", r.Name)
	seen := map[string]bool{}
	for _, e := range examples {
		for _, p := range e.required {
			if !seen[p.name] {
				seen[p.name] = true
				writeProp(b, scalar(p.name), p.typeName())
				fmt.Fprintf(b, "      description: Required parameter for the %s resource.\n", r.Name)
			}
		}
	}
	// An attribute may have the name of a parameter, and is another thing.
	attributes := map[string]bool{}
	for _, e := range examples {
		for _, a := range e.attributes {
			if !attributes[a.Name] {
				attributes[a.Name] = true
				writeAttribute(b, a, scalar)
			}
		}
	}
	for _, e := range examples {
		for _, p := range e.optional {
			if !seen[p.name] {
				seen[p.name] = true
				writeProp(b, scalar(p.name), p.typeName())
				if p.description != "" {
					fmt.Fprintf(b, "      description: %s\n", scalar(oneLine(p.description)))
				}
			}
		}
	}
	b.WriteString("```\n</TabItem>\n")
}

func (p param) typeName() string {
	return typeName(&provider.Schema{Type: p.typ, Format: p.format}, "string")
}

func writeProp(b *strings.Builder, name, typ string) {
	fmt.Fprintf(b, "    - name: %s\n      value: %s\n", name, typ)
}

func writeAttribute(b *strings.Builder, a provider.Attribute, scalar func(string) string) {
	typ := a.Schema.Type
	if typ == "" {
		typ = "string"
	}
	writeProp(b, scalar(a.Name), typ)
	if strings.TrimSpace(a.Schema.Description) != "" {
		b.WriteString("      description: |\n")
		for line := range strings.Lines(strings.ReplaceAll(a.Schema.Description, "\r", "\n")) {
			if line = strings.TrimSpace(line); line != "" {
				b.WriteString("        " + line + "\n")
			}
		}
	}
	if len(a.Schema.Enum) > 0 {
		values := make([]string, len(a.Schema.Enum))
		for i, v := range a.Schema.Enum {
			values[i] = "'" + plain(v) + "'"
		}
		fmt.Fprintf(b, "      valid_values: [%s]\n", strings.Join(values, ", "))
	}
	if a.Schema.Default != nil {
		text := plain(a.Schema.Default)
		if a.Schema.Type == "string" {
			text = scalar(text)
		}
		fmt.Fprintf(b, "      default: %s\n", text)
	}
}
