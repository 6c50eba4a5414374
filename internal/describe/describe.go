// Package describe reads from the documents what DESCRIBE METHOD returns: the parameters of a method, the
// attributes of its body and of its rows, and the form of each.
package describe

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Row is a parameter of a method, or an attribute of its body or rows.
type Row struct {
	Name        string
	Type        string
	ParamType   string // input_required, input_optional or output
	Shape       string // the form of an object, array or enum; empty for other values
	Description string
}

// Method lists the parameters and attributes of a method, each by the name that a statement writes. An attribute
// with the name of a parameter has a prefix; see [provider.AttributePrefix].
func Method(catalogue *provider.Catalogue, m *provider.Method) ([]Row, error) {
	schemas := schemas{catalogue}
	var rows []Row
	add := func(name, typ, paramType, shape, description string) {
		rows = append(rows, Row{name, typ, paramType, shape, description})
	}
	for _, v := range m.ServerVariables() {
		add(v.Name, "string", inputType(true), "", v.Description) // as in SHOW METHODS: only a configured workspace supplies it
	}
	for _, param := range m.Params {
		schema, err := catalogue.Resolve(m, param.Schema)
		if err != nil {
			return nil, err
		}
		typ := "string"
		if schema != nil {
			typ = TypeName(schema.Type, schema.Format)
		}
		shape, err := schemas.shape(m, schema, 0)
		if err != nil {
			return nil, err
		}
		add(param.Name, typ, inputType(param.Required), shape, param.Description)
	}
	attributes, err := catalogue.Attributes(m)
	if err != nil {
		return nil, err
	}
	for _, a := range attributes {
		shape, err := schemas.shape(m, a.Schema, 0)
		if err != nil {
			return nil, err
		}
		name, required := a.Name, a.Required
		if _, isParam := m.Param(name); isParam { // which also fills the attribute, if the body requires it
			name, required = provider.AttributePrefix+name, false
		}
		add(name, TypeName(a.Schema.Type, a.Schema.Format), inputType(required), shape, a.Schema.Description)
	}
	err = schemas.describeOutput(m, add)
	return rows, err
}

// TypeName returns a type of OpenAPI with its format.
func TypeName(typ, format string) string {
	if typ == "" {
		typ = "any"
	}
	if format != "" {
		return typ + " (" + format + ")"
	}
	return typ
}

// schemas reads the schemas of methods.
type schemas struct {
	catalogue *provider.Catalogue
}

// describeOutput adds the attributes of the rows that a method returns.
func (s schemas) describeOutput(m *provider.Method, add func(name, typ, paramType, shape, description string)) error {
	if m.Response == nil {
		return nil
	}
	item, err := s.catalogue.Resolve(m, m.Response.Schema)
	if err != nil || item == nil {
		return err
	}
	if key := strings.TrimPrefix(m.Response.ObjectKey, "$."); key != "" {
		if property, ok := item.Property(key); ok {
			if item, err = s.catalogue.Resolve(m, property); err != nil {
				return err
			}
		}
	}
	if item.Type == "array" {
		if item, err = s.catalogue.Resolve(m, item.Items); err != nil {
			return err
		}
	}
	for _, p := range item.Properties {
		property, err := s.catalogue.Resolve(m, p.Schema)
		if err != nil {
			return err
		}
		shape, err := s.shape(m, property, 0)
		if err != nil {
			return err
		}
		add(p.Name, TypeName(property.Type, property.Format), "output", shape, property.Description)
	}
	return nil
}

func inputType(required bool) string {
	if required {
		return "input_required"
	}
	return "input_optional"
}

// shapeDepth is the number of levels of objects and arrays that DESCRIBE METHOD shows.
const shapeDepth = 4

// shape writes the form of a value as JSON with types in place of values:
// [{"permission_set": "READ_ONLY", "resources": [{"table_name": "string"}]}]. It is empty for scalars
// without an enum.
func (s schemas) shape(m *provider.Method, schema *provider.Schema, depth int) (string, error) {
	schema, err := s.catalogue.Resolve(m, schema)
	if err != nil || schema == nil {
		return "", err
	}
	switch {
	case len(schema.Enum) > 0:
		words := make([]string, len(schema.Enum))
		for i, v := range schema.Enum {
			words[i] = fmt.Sprint(v)
		}
		return strings.Join(words, " | "), nil
	case schema.Type == "array":
		inner, err := s.inner(m, schema.Items, depth+1)
		return "[" + inner + "]", err
	case schema.Type == "object" && schema.Additional != nil:
		inner, err := s.inner(m, schema.Additional, depth+1)
		return `{"…": ` + inner + "}", err
	case schema.Type == "object":
		if depth >= shapeDepth {
			return "{…}", nil
		}
		var parts []string
		for _, p := range schema.Properties {
			inner, err := s.inner(m, p.Schema, depth+1)
			if err != nil {
				return "", err
			}
			name, err := json.Marshal(p.Name)
			if err != nil {
				return "", provider.Internalf("encode a name").Because(err)
			}
			parts = append(parts, string(name)+": "+inner)
		}
		return "{" + strings.Join(parts, ", ") + "}", nil
	}
	return "", nil
}

// inner is the shape of a value inside another. A scalar is shown as its type.
func (s schemas) inner(m *provider.Method, schema *provider.Schema, depth int) (string, error) {
	text, err := s.shape(m, schema, depth)
	if err != nil || strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{") {
		return text, err
	}
	schema, err = s.catalogue.Resolve(m, schema)
	if err != nil {
		return "", err
	}
	if text == "" {
		text = "any"
		if schema != nil {
			text = TypeName(schema.Type, schema.Format)
		}
	}
	return `"` + text + `"`, nil
}
