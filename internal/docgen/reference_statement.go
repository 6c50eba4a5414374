package docgen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/docgen/reference"
	"github.com/lakeql/lakeql/provider"
)

// referenceKind is a section of examples in the form of StackQL's generator.
type referenceKind struct {
	verb    provider.SQLVerb
	heading string
	write   func(b *strings.Builder, table string, m *reference.Method)
}

func referenceKinds() []referenceKind {
	return []referenceKind{
		{provider.Select, "`SELECT` examples", writeReferenceSelect},
		{provider.Insert, "`INSERT` examples", writeReferenceInsert},
		{provider.Update, "`UPDATE` examples", writeReferenceSet("UPDATE")},
		{provider.Replace, "`REPLACE` examples", writeReferenceSet("REPLACE")},
		{provider.Delete, "`DELETE` examples", writeReferenceDelete},
		{provider.Exec, "Lifecycle Methods", writeReferenceExec},
	}
}

func writeReferenceSelect(b *strings.Builder, table string, m *reference.Method) {
	columns := "*"
	if names := m.Columns(); len(names) > 0 {
		columns = strings.Join(names, ",\n")
	}
	fmt.Fprintf(b, "SELECT\n%s\nFROM %s", columns, table)
	writeReferenceWhere(b, m, " -- required")
}

func writeReferenceDelete(b *strings.Builder, table string, m *reference.Method) {
	b.WriteString("DELETE FROM " + table)
	writeReferenceWhere(b, m, " --required")
}

func writeReferenceWhere(b *strings.Builder, m *reference.Method, mark string) {
	var terms []string
	for _, p := range m.Required {
		terms = append(terms, p.Name+" = "+quoted(p.Name)+mark)
	}
	for _, p := range m.Optional {
		terms = append(terms, p.Name+" = "+quoted(p.Name))
	}
	if len(terms) > 0 {
		b.WriteString("\nWHERE " + strings.Join(terms, "\nAND "))
	}
	b.WriteString("\n;")
}

func writeReferenceInsert(b *strings.Builder, table string, m *reference.Method) {
	var names, values []string
	add := func(name string) {
		names = append(names, name)
		of, ofBody := strings.CutPrefix(name, dataPrefix)
		text := quoted(of)
		if !ofBody {
			values = append(values, text)
			return
		}
		if at := slices.IndexFunc(m.Attributes, func(a reference.Attribute) bool { return a.Name == of }); at >= 0 {
			text = value(of, m.Attributes[at].Type)
		}
		if slices.Contains(m.RequiredAttributes, of) {
			text += " /* required */"
		}
		values = append(values, text)
	}
	for _, a := range m.Attributes {
		if !a.ReadOnly {
			add(dataPrefix + a.Name)
		}
	}
	for _, p := range slices.Concat(m.Required, m.Optional) {
		add(p.Name)
	}
	fmt.Fprintf(b, "INSERT INTO %s (\n%s\n)\nSELECT \n%s", table, strings.Join(names, ",\n"), strings.Join(values, ",\n"))
	writeReferenceReturning(b, m)
	b.WriteString("\n;")
}

func writeReferenceReturning(b *strings.Builder, m *reference.Method) {
	if names := m.Columns(); len(names) > 0 {
		b.WriteString("\nRETURNING\n" + strings.Join(names, ",\n"))
	}
}

// writeReferenceSet writes UPDATE and REPLACE, which differ in their first word.
func writeReferenceSet(verb string) func(*strings.Builder, string, *reference.Method) {
	return func(b *strings.Builder, table string, m *reference.Method) {
		var set, where []string
		types := map[string]string{}
		for _, a := range m.Attributes {
			if !a.ReadOnly {
				types[a.Name] = a.Type
				set = append(set, dataPrefix+a.Name+" = "+value(a.Name, a.Type))
			}
		}
		if len(set) == 0 {
			set = []string{"-- No updatable properties"}
		}
		for _, p := range m.Required {
			where = append(where, p.Name+" = "+quoted(p.Name)+" --required")
		}
		for _, name := range m.RequiredAttributes {
			if typ, writable := types[name]; writable {
				where = append(where, dataPrefix+name+" = "+flagValue(name, typ)+" --required")
			}
		}
		for _, p := range m.Optional { // without a blank before the braces that close
			where = append(where, p.Name+" = "+strings.ReplaceAll(flagValue(p.Name, p.Type), " }}", "}}"))
		}
		fmt.Fprintf(b, "%s %s\nSET \n%s", verb, table, strings.Join(set, ",\n"))
		if len(where) > 0 {
			b.WriteString("\nWHERE \n" + strings.Join(where, "\nAND "))
		}
		writeReferenceReturning(b, m)
		b.WriteByte(';')
	}
}

func writeReferenceExec(b *strings.Builder, table string, m *reference.Method) {
	var params []string
	for _, p := range m.Required {
		params = append(params, "@"+p.Name+"="+quoted(p.Name)+" --required")
	}
	for _, p := range m.Optional {
		params = append(params, "@"+p.Name+"="+flagValue(p.Name, p.Type))
	}
	fmt.Fprintf(b, "EXEC %s.%s \n%s", table, m.Name, strings.Join(params, ", \n"))
	if len(m.Attributes) > 0 {
		if len(params) > 0 {
			b.WriteString(" \n")
		}
		var attributes []string
		for _, a := range m.Attributes {
			if !a.ReadOnly {
				attributes = append(attributes, fmt.Sprintf("\"%s\": %s", a.Name, strings.ReplaceAll(value(a.Name, a.Type), "'", `"`)))
			}
		}
		b.WriteString("@@json=\n'{\n")
		if len(attributes) > 0 {
			b.WriteString(strings.Join(attributes, ", \n") + "\n")
		}
		b.WriteString("}'")
	}
	b.WriteString("\n;")
}

func writeReferenceManifest(b *strings.Builder, resource string, methods []reference.Method) {
	fmt.Fprintf(b, "<TabItem value=\"manifest\">\n\n```yaml\n"+
		"# Description fields are for documentation purposes\n"+
		"- name: %s\n  props:\n", resource)
	required, optional, attributes := reference.Manifest(methods)
	writeNamed := func(name, typ string) {
		if typ == "" {
			typ = "string"
		}
		writeProp(b, name, typ)
	}
	for _, p := range required {
		writeNamed(p.Name, p.Type)
		fmt.Fprintf(b, "      description: Required parameter for the %s resource.\n", resource)
	}
	for _, a := range attributes {
		writeNamed(a.Name, a.Type)
		if a.Description != "" {
			b.WriteString("      description: |\n")
			for line := range strings.SplitSeq(a.Description, "\n") {
				if line = strings.TrimSpace(line); line != "" {
					b.WriteString("        " + line + "\n")
				}
			}
		}
		if a.HasValues {
			fmt.Fprintf(b, "      valid_values: ['%s']\n", strings.Join(a.Values, "', '"))
		}
		if a.HasDefault {
			fmt.Fprintf(b, "      default: %s\n", a.Default)
		}
	}
	for _, p := range optional {
		writeNamed(p.Name, p.Type)
		if p.Description != "" {
			fmt.Fprintf(b, "      description: %s\n", p.Description)
		}
	}
	b.WriteString("```\n</TabItem>\n")
}
