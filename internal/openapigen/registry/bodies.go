package registry

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// stringOnly keeps any-sdk from reading a text that looks like JSON as JSON.
const stringOnly = "x-stackQL-stringOnly"

// bodyTemplate writes the body of a request, in any-sdk's templates. A text for an attribute of another type
// is read as JSON: '[]' for an array, '4' for an integer, whose digits stay unchanged. The text is parsed
// inside a separate object that must have exactly one attribute, so that a text such as
// `[], "endpoint": "other"` adds nothing to the body: it is sent as a text, and the server refuses it.
// StackQL reads JSON's numbers as float64, so a number that float64 cannot hold exactly has already changed:
// it ends the statement. %s is a JSON object whose keys are the attributes that are not texts.
const bodyTemplate = "{{- $typed := jsonMapFromString `%s` -}}\n" +
	"{{- $comma := separator \",\" -}}\n" +
	"{ {{- range $name, $value := . -}}\n" +
	"{{- call $comma }}{{ toJson $name }}:\n" +
	"{{- if and (safeIndex $typed $name) (eq (kindOf $value) \"string\") -}}\n" +
	"{{- if eq (printf \"%%d\" (toInt $value)) $value }}{{ $value }}\n" +
	"{{- else -}}\n" +
	"{{- $read := jsonMapFromString (printf `{\"value\":%%s}` $value) -}}\n" +
	"{{- if eq (len $read) 1 }}{{ toJson (safeIndex $read \"value\") }}{{ else }}{{ toJson $value }}{{ end -}}\n" +
	"{{- end -}}\n" +
	"{{- else if and (eq (kindOf $value) \"float64\") (or (ge $value 9007199254740992.0) (le $value -9007199254740992.0)) -}}\n" +
	"{{- jsonMapFromString \"StackQL cannot read this number without changing it: 9007199254740992 or more\" -}}\n" +
	"{{- else }}{{ toJson $value }}{{ end -}}\n" +
	"{{- end -}} }"

// templateType is the first version of any-sdk's templates over JSON that has toJson and kindOf.
const templateType = "golang_template_json_v0.3.0"

// typeBodies writes for each method a schema of its body for which StackQL accepts JSON and text, and a
// template that turns either into the body that the API expects. StackQL compares the values in @@json with
// the types in the schema. It accepts no JSON number for an integer, and no text for an array.
func typeBodies(s *service) error {
	b := &bodies{service: s, whole: map[*yaml.Node]bool{}, nested: map[string]bool{}}
	return s.eachMethod(func(m *method) error {
		schema, media, err := s.body(m)
		if err != nil || schema == nil {
			return err
		}
		return b.method(m, schema, media)
	})
}

// bodies writes the schemas of bodies, each shared one once.
type bodies struct {
	*service
	whole  map[*yaml.Node]bool // schemas of whole bodies that are written, by the media type that holds them
	nested map[string]bool     // names of shared schemas that have a copy for what is inside attributes
}

func (b *bodies) method(m *method, schema *provider.Schema, media *yaml.Node) error {
	typed := map[string]bool{}
	for _, p := range schema.Properties {
		attribute, err := b.catalogue.Resolve(m.Method, p.Schema)
		if err != nil {
			return err
		}
		if t := attribute.Type; t != "" && t != "string" {
			typed[p.Name] = true
		}
	}
	request := child(m.node, "request")
	if m.Body.Required {
		set(request, "default", text("{}"))
	}
	if len(typed) > 0 {
		names, err := json.Marshal(typed)
		if err != nil {
			return err
		}
		set(request, "transform", object("type", templateType, "body", fmt.Sprintf(bodyTemplate, names)))
	}
	if b.whole[media] { // another method has the same operation
		return nil
	}
	b.whole[media] = true
	top, err := b.top(b.resolve(child(media, "schema")))
	if err != nil {
		return err
	}
	ref, err := b.addSchema(m.OperationID+"_body", top)
	if err != nil {
		return err
	}
	set(media, "schema", ref)
	return nil
}

// top writes the schema of a body: each attribute as StackQL's check of @@json and of @ parameters takes it.
func (b *bodies) top(schema *yaml.Node) (*yaml.Node, error) {
	properties := object()
	for _, p := range pairs(child(schema, "properties")) {
		attribute, err := b.attribute(p.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.key, err)
		}
		properties.Content = append(properties.Content, p.name, attribute)
	}
	top := clone(schema)
	set(top, "properties", properties)
	return top, nil
}

// attribute writes an attribute of a body. An array or object becomes a string with items or properties:
// StackQL accepts a string for it, and checks its JSON against them.
func (b *bodies) attribute(given *yaml.Node) (*yaml.Node, error) {
	schema := b.resolve(given)
	if schema == nil {
		return nil, fmt.Errorf("a reference leads nowhere")
	}
	out := object()
	out.Style = schema.Style
	said := child(given, "description")
	if said == nil {
		said = child(schema, "description")
	}
	describe := func() {
		if said != nil {
			set(out, "description", clone(said))
		}
	}
	switch kind := typeOf(schema); kind {
	case "array":
		items, err := b.inner(child(schema, "items"))
		if err != nil {
			return nil, err
		}
		out = object("type", "string", "items", items)
		describe()
	case "object", "":
		out = object("type", "string")
		if properties := child(schema, "properties"); properties != nil {
			inner, err := b.properties(properties)
			if err != nil {
				return nil, err
			}
			set(out, "properties", inner)
		}
		describe()
	case "string":
		out = clone(schema)
		set(out, stringOnly, asNode(true))
		describe()
	default:
		out = clone(schema)
		number(out)
		describe()
	}
	return out, nil
}

// inner writes a schema inside an attribute. JSON alone is read there, so that numbers are all that differs.
func (b *bodies) inner(given *yaml.Node) (*yaml.Node, error) {
	if given == nil {
		return nil, fmt.Errorf("an array has no items")
	}
	if ref := child(given, "$ref"); ref != nil {
		return b.copied(ref.Value)
	}
	if all := child(given, "allOf"); all != nil {
		if len(all.Content) != 1 {
			return nil, fmt.Errorf("allOf of %d schemas", len(all.Content))
		}
		// A reference with a description beside it: StackQL finds no arrays behind an allOf.
		return b.inner(all.Content[0])
	}
	out := clone(given)
	number(out)
	for _, key := range []string{"items", "additionalProperties"} {
		n := child(out, key)
		if n == nil || n.Kind != yaml.MappingNode {
			continue
		}
		inner, err := b.inner(n)
		if err != nil {
			return nil, err
		}
		set(out, key, inner)
	}
	if properties := child(out, "properties"); properties != nil {
		inner, err := b.properties(properties)
		if err != nil {
			return nil, err
		}
		set(out, "properties", inner)
	}
	return out, nil
}

func (b *bodies) properties(given *yaml.Node) (*yaml.Node, error) {
	out := object()
	for _, p := range pairs(given) {
		inner, err := b.inner(p.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.key, err)
		}
		out.Content = append(out.Content, p.name, inner)
	}
	return out, nil
}

// copied returns the reference to a shared schema's copy for bodies, which is written when first asked for.
func (b *bodies) copied(pointer string) (*yaml.Node, error) {
	name := pointer[strings.LastIndex(pointer, "/")+1:]
	copyName := name + "_in_body"
	if !b.nested[name] {
		b.nested[name] = true // before it is written: it may contain itself
		schema := b.at(pointer)
		if schema == nil {
			return nil, fmt.Errorf("%s leads nowhere", pointer)
		}
		inner, err := b.inner(schema)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if _, err := b.addSchema(copyName, inner); err != nil {
			return nil, err
		}
	}
	return reference("#/components/schemas/" + copyName), nil
}

// number returns a number the type that StackQL compares JSON's numbers with.
func number(schema *yaml.Node) {
	if t := child(schema, "type"); t != nil && slices.Contains([]string{"integer", "number"}, t.Value) {
		set(schema, "type", text("float"))
		remove(schema, "format")
	}
}

func typeOf(schema *yaml.Node) string {
	if t := child(schema, "type"); t != nil {
		return t.Value
	}
	return ""
}
