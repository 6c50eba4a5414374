package docgen

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// writeAround writes the text below a statement: the shapes of values to fill in, the meaning of the
// body's attributes, and the result.
func (g *generator) writeAround(b *strings.Builder, e *example) error {
	shapes, drawn, err := g.shapes(e)
	if err != nil {
		return err
	}
	if drawn {
		b.WriteString("\nShapes of what is filled in as JSON, and values to choose from:\n\n```json\n")
		shapes.write(b, "")
		b.WriteString("\n```\n")
	}
	if e.method.SQLVerb != provider.Insert && len(e.attributes) > 0 { // INSERT has the manifest
		if err := g.writeBody(b, e); err != nil {
			return err
		}
	}
	switch {
	case e.method.SQLVerb == provider.Select: // the section Fields says it
	case len(e.fields) == 0:
		b.WriteString("\nNothing comes back but that it is done.\n")
	default:
		about, same := "What comes back:", "the fields of"
		response, err := g.responseDescription(e.method)
		if err != nil {
			return err
		}
		if response != "" {
			about, same = about+" "+response, "The fields of"
		}
		if t, known := g.tableWith(e.fields); known {
			b.WriteString("\n" + about + " " + same + " [`" + t.method + "`](" + t.link + ").\n")
			break
		}
		g.tables = append(g.tables, fieldTable{method: e.method.Name, link: "#" + e.method.Name, fields: e.fields})
		b.WriteString("\n" + about + "\n\n")
		g.writeSchemaTable(b, e.fields)
	}
	return nil
}

// writeBody describes the attributes of the body, but not their nested attributes.
func (g *generator) writeBody(b *strings.Builder, e *example) error {
	fields := make([]field, len(e.attributes))
	for i, a := range e.attributes {
		about, err := g.withValues(e.method, a.Schema, a.Schema.Description)
		if err != nil {
			return err
		}
		if a.Required {
			about = sentence(about, "Required.")
		}
		fields[i] = field{name: a.Name, typ: typeName(a.Schema, "any"), description: sanitise(about)}
	}
	b.WriteString("\nWhat the body holds:\n\n")
	g.writeSchemaTable(b, fields)
	return nil
}

// withValues adds to a description the values of an enumeration.
func (g *generator) withValues(m *provider.Method, s *provider.Schema, about string) (string, error) {
	const shown = 12
	items, err := g.itemSchema(m, s)
	if err != nil || items == nil || len(items.Enum) == 0 {
		return about, err
	}
	words := make([]string, 0, shown)
	for _, v := range items.Enum[:min(shown, len(items.Enum))] {
		words = append(words, plain(v))
	}
	values := "One of " + strings.Join(words, ", ")
	if more := len(items.Enum) - shown; more > 0 {
		values += fmt.Sprintf(" and %d more", more)
	}
	return sentence(about, values+"."), nil
}

// sentence adds a sentence to a text.
func sentence(text, added string) string {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return added
	case strings.ContainsAny(text[len(text)-1:], ".!?:"):
		return text + " " + added
	}
	return text + ". " + added
}

// scalarField returns the one column of rows that are no objects. It goes by the name of the
// attribute that holds them, or else by the method's. An object without attributes is no row.
func (g *generator) scalarField(m *provider.Method, s *provider.Schema) []field {
	key := strings.Trim(strings.TrimPrefix(m.Response.ObjectKey, "$"), ".")
	if key == "" && s.Type == "object" && s.Additional == nil {
		return nil
	}
	return []field{{name: cmp.Or(key, m.Name), typ: typeName(s, "any"), description: sanitise(s.Description)}}
}

// otherFields returns the columns that do not come from a schema of the body: the columns of a stream,
// and the headers that carry part of the response.
func otherFields(m *provider.Method) (stream bool, fields []field) {
	r := m.Response
	if r.Schema != nil && r.MediaType != "" && !strings.Contains(r.MediaType, "json") {
		stream = true
		fields = []field{
			{name: "contents", typ: "string", description: "What was answered."},
			{name: "contents_encoding", typ: "string", description: "utf-8, or base64 where the bytes are no text."},
		}
	}
	for _, h := range r.Headers {
		fields = append(fields, field{name: h.Name, typ: typeName(h.Schema, "string"), description: sanitise(h.Schema.Description)})
	}
	return stream, fields
}

// moreParameters adds names to a page's table of parameters that a statement accepts beside the
// parameters of the operations: required attributes of bodies, and resource names that replace several
// parameters. Each name has one row.
func (g *generator) moreParameters(r *provider.Resource, required, optional map[string]parameter) error {
	for _, m := range r.Methods {
		if m.Body == nil {
			continue
		}
		attributes, err := g.cat.Attributes(m)
		if err != nil {
			return err
		}
		for _, a := range attributes {
			if _, known := required[a.Name]; a.Required && !known {
				about, err := g.withValues(m, a.Schema, a.Schema.Description)
				if err != nil {
					return err
				}
				required[a.Name] = parameter{typ: typeName(a.Schema, "any"), description: about}
			}
		}
	}
	for name := range required {
		delete(optional, name)
	}
	wholes := map[string][]string{} // templates by the name of the parameter
	for _, m := range r.Methods {
		whole := m.NameParam
		if whole == nil {
			continue
		}
		if _, isParam := m.Param(whole.Name); !isParam && !slices.Contains(wholes[whole.Name], whole.Template) {
			wholes[whole.Name] = append(wholes[whole.Name], whole.Template)
		}
	}
	for name, templates := range wholes {
		about := "The whole resource name, in place of the parameters it is made of: " + strings.Join(templates, " or ") + "."
		if p, known := required[name]; known {
			p.description = sentence(p.description, about)
			required[name] = p
			continue
		}
		p := optional[name]
		optional[name] = parameter{typ: cmp.Or(p.typ, "string"), description: sentence(p.description, about)}
	}
	return nil
}
