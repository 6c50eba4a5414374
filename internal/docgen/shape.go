package docgen

import (
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// shapeNode is the shape of a value for a sketch in JSON: a text in place of a scalar, a list of
// one, or an object.
type shapeNode struct {
	text   string // what kind of scalar
	list   *shapeNode
	names  []string // of an object's attributes
	values []shapeNode
	object bool
}

// anyName stands for the keys of a map.
const anyName = "…"

// shape returns the shape of a schema, depth levels deep. It leaves out attributes that only the server
// sets.
func (g *generator) shape(m *provider.Method, s *provider.Schema, depth int) (shapeNode, error) {
	s, err := g.cat.Resolve(m, s)
	if err != nil {
		return shapeNode{}, err
	}
	switch {
	case s == nil || s.Type == "" && len(s.Enum) == 0:
		return shapeNode{text: "any"}, nil
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			words[i] = plain(v)
		}
		return shapeNode{text: strings.Join(words, " | ")}, nil
	case s.Type != "array" && s.Type != "object":
		return shapeNode{text: typeName(s, "any")}, nil
	case depth == 0:
		return shapeNode{text: s.Type}, nil
	case s.Type == "array":
		inner, err := g.shape(m, s.Items, depth)
		return shapeNode{list: &inner}, err
	}
	return g.objectShape(m, s, depth)
}

func (g *generator) objectShape(m *provider.Method, s *provider.Schema, depth int) (shapeNode, error) {
	object := shapeNode{object: true}
	add := func(name string, inner *provider.Schema) error {
		node, err := g.shape(m, inner, depth-1)
		object.names = append(object.names, name)
		object.values = append(object.values, node)
		return err
	}
	if s.Additional != nil || len(s.Properties) == 0 {
		return object, add(anyName, s.Additional)
	}
	for _, p := range s.Properties {
		inner, err := g.cat.Resolve(m, p.Schema)
		if err != nil {
			return object, err
		}
		if inner != nil && (inner.ReadOnly || inner.Deprecated) {
			continue
		}
		if err := add(p.Name, p.Schema); err != nil {
			return object, err
		}
	}
	return object, nil
}

// shapeWidth is how wide a list or object may be and still stand on one line.
const shapeWidth = 80

// write writes the shape as JSON. A short value takes one line.
func (n shapeNode) write(b *strings.Builder, indent string) {
	if n.list == nil && !n.object {
		writeString(b, n.text)
		return
	}
	if line := n.line(shapeWidth - len(indent)); line != "" {
		b.WriteString(line)
		return
	}
	inner := indent + "  "
	if n.list != nil {
		b.WriteString("[\n" + inner)
		n.list.write(b, inner)
		b.WriteString("\n" + indent + "]")
		return
	}
	b.WriteString("{\n")
	for i, name := range n.names {
		b.WriteString(inner)
		writeString(b, name)
		b.WriteString(": ")
		n.values[i].write(b, inner)
		if i < len(n.names)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString(indent + "}")
}

// line returns the shape on one line; empty where that is longer than width.
func (n shapeNode) line(width int) string {
	if width <= 0 {
		return ""
	}
	var b strings.Builder
	switch {
	case n.list != nil:
		inner := n.list.line(width - len("[]"))
		if inner == "" {
			return ""
		}
		b.WriteString("[" + inner + "]")
	case n.object:
		b.WriteByte('{')
		for i, name := range n.names {
			if i > 0 {
				b.WriteString(", ")
			}
			writeString(&b, name)
			b.WriteString(": ")
			inner := n.values[i].line(width - b.Len())
			if inner == "" {
				return ""
			}
			b.WriteString(inner)
		}
		b.WriteByte('}')
	default:
		writeString(&b, n.text)
	}
	if b.Len() > width {
		return ""
	}
	return b.String()
}

// shapes returns the shapes of the attributes of an example's body that need more than a placeholder:
// lists, objects, and choices. It is false if the body has no such attribute.
func (g *generator) shapes(e *example) (shapeNode, bool, error) {
	if e.bodyType != "" {
		whole, err := g.shape(e.method, e.method.Body.Schema, maxFieldDepth)
		return whole, whole.object, err
	}
	all := shapeNode{object: true}
	for _, a := range e.attributes {
		if a.Schema.Type != "array" && a.Schema.Type != "object" && len(a.Schema.Enum) == 0 {
			continue
		}
		node, err := g.shape(e.method, a.Schema, maxFieldDepth)
		if err != nil {
			return all, false, err
		}
		all.names = append(all.names, a.Name)
		all.values = append(all.values, node)
	}
	return all, len(all.names) > 0, nil
}
