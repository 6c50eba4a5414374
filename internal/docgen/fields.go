package docgen

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/lakeql/lakeql/provider"
)

// field is an attribute of a method's result.
type field struct {
	name, typ, description string
	choice                 bool // it has one of a few values
	children               []field
	same                   string // the path of the field of the same table that has its attributes
}

// maxFieldDepth is how many levels of attributes a page shows.
const maxFieldDepth = 4

// fields returns the attributes of a method's rows in the order of the page.
func (g *generator) fields(m *provider.Method) ([]field, error) {
	if m.Response == nil {
		return nil, nil
	}
	var more []field
	if g.extended {
		var stream bool
		if stream, more = otherFields(m); stream {
			return more, nil
		}
	}
	s, err := g.rowSchema(m)
	if err != nil || s == nil {
		return more, err
	}
	fields, err := g.properties(m, s, maxFieldDepth)
	if err != nil {
		return nil, err
	}
	if g.extended && len(fields) == 0 {
		fields = g.scalarField(m, s)
	}
	fields = append(fields, more...)
	sortFields(fields)
	return fields, nil
}

// rowSchema returns the schema of a method's rows: the schema at the object key, or of the response
// itself; for an array, the schema of its items. It is nil if the key leads to no schema.
func (g *generator) rowSchema(m *provider.Method) (*provider.Schema, error) {
	s, err := g.cat.Resolve(m, m.Response.Schema)
	if err != nil {
		return nil, err
	}
	for step := range strings.SplitSeq(strings.TrimPrefix(m.Response.ObjectKey, "$"), ".") {
		step, items := strings.CutSuffix(step, "[*]")
		if step != "" {
			if s == nil {
				return nil, nil
			}
			inner, _ := s.Property(step)
			if s, err = g.cat.Resolve(m, inner); err != nil {
				return nil, err
			}
		}
		if items {
			if s, err = g.itemSchema(m, s); err != nil {
				return nil, err
			}
		}
	}
	return g.itemSchema(m, s)
}

// itemSchema returns the schema of an array's items; any other schema is given back.
func (g *generator) itemSchema(m *provider.Method, s *provider.Schema) (*provider.Schema, error) {
	if s == nil || s.Items == nil {
		return s, nil
	}
	return g.cat.Resolve(m, s.Items)
}

// properties returns the attributes of an object, or of an array's items, in document order, depth
// levels of them.
func (g *generator) properties(m *provider.Method, s *provider.Schema, depth int) ([]field, error) {
	return walk(g, m, s, depth, func(name string, s *provider.Schema, children []field) (field, error) {
		about := s.Description
		if g.extended {
			var err error
			if about, err = g.withValues(m, s, about); err != nil {
				return field{}, err
			}
		}
		return field{
			name:        name,
			typ:         typeName(s, "object"),
			description: sanitise(about),
			choice:      len(s.Enum) > 0,
			children:    children,
		}, nil
	})
}

// walk calls create for each attribute of an object, or of an array's items, in document order, depth levels of
// them. What it makes of the attributes inside of one comes first.
func walk[F any](g *generator, m *provider.Method, s *provider.Schema, depth int, create func(name string, s *provider.Schema, children []F) (F, error)) ([]F, error) {
	if depth == 0 || s == nil {
		return nil, nil
	}
	var all []F
	for _, p := range s.Properties {
		inner, err := g.cat.Resolve(m, p.Schema)
		if err != nil {
			return nil, err
		}
		if inner == nil {
			inner = &provider.Schema{}
		}
		items, err := g.itemSchema(m, inner)
		if err != nil {
			return nil, err
		}
		children, err := walk(g, m, items, depth-1, create)
		if err != nil {
			return nil, err
		}
		made, err := create(p.Name, inner, children)
		if err != nil {
			return nil, err
		}
		all = append(all, made)
	}
	return all, nil
}

// typeName words a type with its format; missing stands for a type that the schema does not give.
func typeName(s *provider.Schema, missing string) string {
	name := missing
	if s != nil && s.Type != "" {
		name = s.Type
	}
	if s != nil && s.Format != "" {
		return strings.TrimSpace(name + " (" + s.Format + ")")
	}
	return name
}

// fieldsSection shows the fields of each SELECT method. On extended pages, methods with the same fields share a tab.
func (g *generator) fieldsSection(b *strings.Builder, r *provider.Resource) error {
	b.WriteString("## Fields\n\nThe following fields are returned by `SELECT` queries:\n\n")
	methods := r.MethodsFor(provider.Select)
	if len(methods) == 0 {
		b.WriteString("`SELECT` not supported for this resource, use `SHOW METHODS` to view available operations for the resource.\n\n\n")
		return nil
	}
	groups, err := g.fieldGroups(methods)
	if err != nil {
		return err
	}
	tabs := make([]tab, len(groups))
	for i, group := range groups {
		tabs[i] = group.tab()
	}
	writeTabs(b, tabs)
	for _, group := range groups {
		fmt.Fprintf(b, "<TabItem value=\"%s\">\n\n", group.methods[0].Name)
		if group.about != "" {
			b.WriteString(group.about + "\n\n")
		}
		g.writeFieldTable(b, group.methods[0].Name, group.fields)
		b.WriteString("</TabItem>\n")
	}
	b.WriteString("</Tabs>\n\n")
	return nil
}

// responseDescription returns a response's description, or else that of its rows' schema or of its own,
// unless it only says that the call succeeded.
func (g *generator) responseDescription(m *provider.Method) (string, error) {
	if m.Response == nil {
		return "", nil
	}
	about := m.Response.Description
	if about == "" && m.Response.Schema != nil {
		rows, err := g.rowSchema(m)
		if err != nil {
			return "", err
		}
		whole, err := g.cat.Resolve(m, m.Response.Schema)
		if err != nil {
			return "", err
		}
		for _, s := range []*provider.Schema{rows, whole} {
			if s != nil {
				about = cmp.Or(about, s.Description)
			}
		}
	}
	switch strings.ToLower(strings.TrimSpace(about)) {
	case "", "ok", "success", "successful response":
		return "", nil
	}
	return paragraph(about), nil
}

// writeSchemaTable writes a table of fields. On an extended page, attributes that repeat stand once.
func (g *generator) writeSchemaTable(b *strings.Builder, fields []field) {
	if g.extended {
		fields = shareNested(fields)
	}
	b.WriteString("<SchemaTable fields={")
	writeFields(b, fields, 0)
	b.WriteString("} />\n")
}

// writeFields writes fields as JSON indented by two blanks a level.
func writeFields(b *strings.Builder, fields []field, level int) {
	if len(fields) == 0 {
		b.WriteString("[]")
		return
	}
	indent := strings.Repeat("  ", level)
	b.WriteString("[\n")
	for i, f := range fields {
		b.WriteString(indent + "  {\n")
		b.WriteString(indent + "    \"name\": ")
		writeString(b, f.name)
		b.WriteString(",\n" + indent + "    \"type\": ")
		writeString(b, f.typ)
		b.WriteString(",\n" + indent + "    \"description\": ")
		writeString(b, f.description)
		if f.same != "" {
			b.WriteString(",\n" + indent + "    \"same\": ")
			writeString(b, f.same)
		}
		if len(f.children) > 0 {
			b.WriteString(",\n" + indent + "    \"children\": ")
			writeFields(b, f.children, level+2)
		}
		b.WriteString("\n" + indent + "  }")
		if i < len(fields)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString(indent + "]")
}

// writeString writes a JSON string as JavaScript's JSON.stringify does: encoding/json escapes
// more than that.
func writeString(b *strings.Builder, text string) {
	b.WriteByte('"')
	if !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == '"' || c == '\\' || c == utf8.RuneError }) {
		b.WriteString(text)
		b.WriteByte('"')
		return
	}
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\b':
			b.WriteString(`\b`)
		case c == '\f':
			b.WriteString(`\f`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < ' ':
			fmt.Fprintf(b, `\u%04x`, c)
		case c == utf8.RuneError:
			b.WriteString("\ufffd")
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
}
