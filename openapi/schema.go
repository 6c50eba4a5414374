package openapi

import (
	"cmp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

const sharedSchemas = "#/components/schemas/"

// sharedSchema reads a schema of components.schemas. A reference in its place must lead somewhere
// else in the end.
func (r *reader) sharedSchema(name string, n *yaml.Node) *provider.Schema {
	s := r.named(name, n)
	for ref, left := s, maxReferences; ref != nil && ref.Ref != ""; left-- {
		if left == 0 {
			r.fail(n, "schema %s refers to itself", provider.Quote(name))
			return nil
		}
		ref = r.named(ref.Ref, r.shared(ref.Ref))
	}
	return s
}

// named reads a shared schema, and marks it so that allOf cannot include it again.
func (r *reader) named(name string, n *yaml.Node) *provider.Schema {
	defer func(merging []string, direct int) { r.merging, r.direct = merging, direct }(r.merging, r.direct)
	r.direct = len(r.merging)
	r.merging = append(slices.Clip(r.merging), name)
	if isNull(target(n)) {
		return &provider.Schema{}
	}
	return r.shape(n)
}

func (r *reader) shared(name string) *yaml.Node {
	return r.lookup(r.lookup(r.lookup(r.doc.root, "components"), "schemas"), name)
}

// schema reads a schema within another, or within a parameter, body or response; nil if there is
// none.
func (r *reader) schema(n *yaml.Node) *provider.Schema {
	if n == nil {
		return nil
	}
	defer func(direct int) { r.direct = direct }(r.direct)
	r.direct = len(r.merging)
	return r.shape(n)
}

// shape reads a schema within the references that lead to it. A reference back to one of them is an
// endless circle, and an error.
func (r *reader) shape(n *yaml.Node) *provider.Schema {
	n = target(n)
	if !r.enter(n) {
		return nil
	}
	defer r.leave()
	if n.Kind == yaml.ScalarNode && (isNull(n) || n.ShortTag() == "!!bool") {
		return &provider.Schema{} // anything goes: JSON Schema's true, or nothing said
	}
	node := r.mapping(n)
	if ref := node.get("$ref"); ref != nil {
		return r.reference(ref, node)
	}
	members := r.list(node.get("allOf"))
	if len(members) == 1 && besideReference(node, "allOf") {
		if ref := r.mapping(members[0]).get("$ref"); ref != nil {
			if s := r.reference(ref, node); s == nil || s.Ref != "" {
				return s
			}
		}
	}
	own := r.plainSchema(node)
	if len(members) == 0 {
		return own
	}
	return r.allOf(own, members)
}

// besideReference reports whether a schema holds only fields that may stand beside a reference.
func besideReference(node fields, shape string) bool {
	for _, e := range node {
		switch e.key {
		case shape, "description", "readOnly", "deprecated", "x-lakeql-name-template", "x-lakeql-former":
		default:
			return false
		}
	}
	return true
}

// reference returns a reference to a shared schema; anything else that it leads to is read in its place.
func (r *reader) reference(ref *yaml.Node, beside fields) *provider.Schema {
	var s *provider.Schema
	if name, ok := r.sharedName(ref); ok {
		s = &provider.Schema{Ref: name}
	} else if s = r.elsewhere(ref); s == nil {
		return nil
	}
	s.Description = cmp.Or(r.text(beside.get("description")), s.Description)
	s.NameTemplate = cmp.Or(r.text(beside.get("x-lakeql-name-template")), s.NameTemplate)
	s.Former = append(s.Former, r.texts(beside.get("x-lakeql-former"))...)
	s.ReadOnly = r.flag(beside.get("readOnly")) || s.ReadOnly
	s.Deprecated = r.flag(beside.get("deprecated")) || s.Deprecated
	return s
}

// elsewhere reads the schema that a reference to a place other than a shared schema leads to.
func (r *reader) elsewhere(ref *yaml.Node) *provider.Schema {
	n := r.at(ref)
	if r.err != nil {
		return nil
	}
	return r.shape(n)
}

// sharedName returns the name of the shared schema that a reference leads to, if it is one. One
// that is not there is an error.
func (r *reader) sharedName(ref *yaml.Node) (string, bool) {
	rest, ok := strings.CutPrefix(r.text(ref), sharedSchemas)
	if !ok || strings.Contains(rest, "/") {
		return "", false
	}
	steps, _ := ParsePointer(sharedSchemas + rest) // it has the form of a reference
	for _, name := range spellings(steps[len(steps)-1]) {
		if r.shared(name) != nil {
			return name, true
		}
	}
	r.fail(ref, "reference %s leads nowhere", provider.Quote(ref.Value))
	return "", false
}

// plainSchema reads a schema without its allOf.
func (r *reader) plainSchema(node fields) *provider.Schema {
	s := &provider.Schema{}
	for _, e := range node {
		switch e.key {
		case "type":
			r.schemaType(s, e.value)
		case "format":
			s.Format = r.text(e.value)
		case "description":
			s.Description = r.text(e.value)
		case "readOnly":
			s.ReadOnly = r.flag(e.value)
		case "deprecated":
			s.Deprecated = r.flag(e.value)
		case "nullable":
			s.Nullable = r.flag(e.value) || s.Nullable
		case "enum":
			for _, item := range r.list(e.value) {
				s.Enum = append(s.Enum, r.value(item))
			}
		case "default":
			s.Default = r.value(e.value)
		case "example":
			s.Example = r.value(e.value)
		case "pattern":
			s.Pattern = r.text(e.value)
		case "x-lakeql-request-id":
			s.RequestID = r.flag(e.value)
		case "x-lakeql-off-page":
			s.OffPage = r.flag(e.value)
		case "x-lakeql-name-template":
			s.NameTemplate = r.text(e.value)
		case "x-lakeql-former":
			s.Former = r.texts(e.value)
		case "x-lakeql-choice":
			s.Choice = r.text(e.value)
		case "properties":
			for _, p := range r.mapping(e.value) {
				s.Properties = append(s.Properties, provider.Property{Name: p.key, Schema: r.schema(p.value)})
			}
		case "required":
			s.Required = r.texts(e.value)
		case "items":
			s.Items = r.schema(e.value)
		case "additionalProperties":
			if allowed := e.value; allowed.Kind != yaml.ScalarNode || r.flag(allowed) {
				s.Additional = r.schema(allowed)
			}
		}
	}
	return s
}

// schemaType reads the type. OpenAPI 3.1 lists types, null among them where there may be none.
func (r *reader) schemaType(s *provider.Schema, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		s.Type = r.text(n)
		return
	}
	for _, item := range r.list(n) {
		switch name := target(item).Value; {
		case name == "null":
			s.Nullable = true
		case s.Type == "":
			s.Type = r.text(item)
		}
	}
}

// allOf merges the members in order, then the schema's fields beside them.
func (r *reader) allOf(own *provider.Schema, members []*yaml.Node) *provider.Schema {
	merged := &provider.Schema{}
	for _, n := range members {
		member := r.member(n)
		if r.err != nil {
			return nil
		}
		if member.Ref != "" {
			member.Description = cmp.Or(own.Description, member.Description)
			member.NameTemplate = cmp.Or(own.NameTemplate, member.NameTemplate)
			member.ReadOnly = own.ReadOnly || member.ReadOnly
			member.Deprecated = own.Deprecated || member.Deprecated
			return member
		}
		r.merge(merged, member)
	}
	// Its own words come first.
	own.Description = cmp.Or(own.Description, merged.Description)
	merged.Description = ""
	r.merge(merged, own)
	return merged
}

// firstAlternative reads a schema that leaves a choice (oneOf or anyOf), which a statement cannot express: it
// stands for the first alternative, with the schema's own fields. It is nil for a schema without a choice.
func (r *reader) firstAlternative(n *yaml.Node) *provider.Schema {
	if n == nil || !r.enter(n) {
		return nil
	}
	defer r.leave()
	defer func(merging []string, direct int) { r.merging, r.direct = merging, direct }(r.merging, r.direct)
	r.direct = len(r.merging)
	for range maxReferences {
		n = target(n)
		if r.err != nil || n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		node := r.mapping(n)
		if ref := node.get("$ref"); ref != nil {
			if name, ok := r.sharedName(ref); ok {
				r.merging = append(slices.Clip(r.merging), name)
			}
			n = r.at(ref)
			continue
		}
		alternatives := cmp.Or(node.get("oneOf"), node.get("anyOf"))
		if len(r.list(alternatives)) == 0 {
			return nil
		}
		own := r.plainSchema(node)
		first := r.list(alternatives)[0]
		chosen := r.firstAlternative(first)
		if chosen == nil && r.err == nil {
			chosen = r.member(first)
		}
		if r.err != nil || chosen == nil || chosen.Ref != "" {
			return chosen
		}
		// Its own words come first, as in allOf.
		own.Description = cmp.Or(own.Description, chosen.Description)
		merged := &provider.Schema{}
		for _, member := range r.list(node.get("allOf")) {
			if inner := r.member(member); inner != nil {
				r.merge(merged, inner)
			}
		}
		r.merge(merged, chosen)
		merged.Description = ""
		r.merge(merged, own)
		return merged
	}
	return nil
}

// member reads one schema of an allOf, a reference's target in its place. Where that is a schema
// that contains this one through a property, the type has no end when written out: the reference
// stands for it.
func (r *reader) member(n *yaml.Node) *provider.Schema {
	ref := r.mapping(n).get("$ref")
	if ref == nil {
		return r.shape(n)
	}
	name, ok := r.sharedName(ref)
	if !ok {
		return r.elsewhere(ref)
	}
	switch at := slices.Index(r.merging, name); {
	case at >= r.direct:
		r.fail(ref, "schema %s contains itself through allOf", provider.Quote(name))
		return nil
	case at >= 0:
		return &provider.Schema{Ref: name}
	}
	defer func(merging []string) { r.merging = merging }(r.merging)
	r.merging = append(slices.Clip(r.merging), name)
	s := r.shape(r.shared(name))
	if s != nil && s.Ref != "" {
		// The schema stands for another, as a plain reference or an allOf of one.
		return r.memberNamed(s, ref)
	}
	return s
}

// memberNamed goes on from a member that is itself a reference to the schema that it stands for.
func (r *reader) memberNamed(s *provider.Schema, ref *yaml.Node) *provider.Schema {
	if !r.enter(ref) {
		return nil
	}
	defer r.leave()
	link := &yaml.Node{Kind: yaml.MappingNode, Line: ref.Line, Content: []*yaml.Node{
		{Kind: yaml.ScalarNode, Tag: "!!str", Value: "$ref", Line: ref.Line},
		{Kind: yaml.ScalarNode, Tag: "!!str", Value: sharedSchemas + EscapePointer(s.Ref), Line: ref.Line},
	}}
	next := r.member(link)
	if next == nil {
		return nil
	}
	next.Description = cmp.Or(s.Description, next.Description)
	next.NameTemplate = cmp.Or(s.NameTemplate, next.NameTemplate)
	next.ReadOnly = next.ReadOnly || s.ReadOnly
	next.Deprecated = next.Deprecated || s.Deprecated
	return next
}

// merge adds the fields of s to merged. Properties keep their first place.
func (r *reader) merge(merged, s *provider.Schema) {
	merged.Type = cmp.Or(s.Type, merged.Type)
	merged.Format = cmp.Or(s.Format, merged.Format)
	merged.Description = cmp.Or(merged.Description, s.Description)
	merged.Pattern = cmp.Or(s.Pattern, merged.Pattern)
	merged.NameTemplate = cmp.Or(s.NameTemplate, merged.NameTemplate)
	merged.ReadOnly = merged.ReadOnly || s.ReadOnly
	merged.Deprecated = merged.Deprecated || s.Deprecated
	merged.Nullable = merged.Nullable || s.Nullable
	if s.Enum != nil {
		merged.Enum = s.Enum
	}
	if s.Default != nil {
		merged.Default = s.Default
	}
	if s.Example != nil {
		merged.Example = s.Example
	}
	merged.Items = cmp.Or(s.Items, merged.Items)
	merged.Additional = cmp.Or(s.Additional, merged.Additional)
	at := make(map[string]int, len(merged.Properties))
	for i, p := range merged.Properties {
		at[p.Name] = i
	}
	for _, p := range s.Properties {
		if i, ok := at[p.Name]; ok {
			merged.Properties[i].Schema = r.mergeProperty(merged.Properties[i].Schema, p.Schema)
			continue
		}
		at[p.Name] = len(merged.Properties)
		merged.Properties = append(merged.Properties, p)
	}
	for _, name := range s.Required {
		if !slices.Contains(merged.Required, name) {
			merged.Required = append(merged.Required, name)
		}
	}
	// Merging the same long schema again and again is work that no node of the document shows.
	r.steps += len(merged.Properties) + len(merged.Required)*len(s.Required)
}

// mergeProperty merges the schemas of one property in two members. A reference cannot be merged, so
// the later schema wins.
func (r *reader) mergeProperty(first, second *provider.Schema) *provider.Schema {
	if first == nil || second == nil || first.Ref != "" || second.Ref != "" {
		return cmp.Or(second, first)
	}
	merged := *first
	merged.Properties = slices.Clone(first.Properties)
	merged.Required = slices.Clone(first.Required)
	merged.Description = ""
	second.Description = cmp.Or(second.Description, first.Description)
	r.merge(&merged, second)
	return &merged
}

// requiredAttributes returns the required list of a body's schema, references followed.
func (r *reader) requiredAttributes(n *yaml.Node) []string {
	s := r.schema(n)
	for range maxReferences {
		if s == nil || s.Ref == "" {
			break
		}
		s = r.named(s.Ref, r.shared(s.Ref))
	}
	if s == nil {
		return nil
	}
	return s.Required
}
