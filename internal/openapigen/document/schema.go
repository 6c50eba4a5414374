package document

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/internal/openapigen/overlay"
	"github.com/lakeql/lakeql/internal/openapigen/prose"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// schemas are the shared schemas of a document: every type that its operations reach.
type schemas struct {
	*service
	names map[sdk.Type]string // of Named types
}

// newSchemas finds the types that the operations use, and names each. A type of another service keeps
// its name unless the service has a type with that name.
func newSchemas(s *service) *schemas {
	c := &schemas{service: s, names: map[sdk.Type]string{}}
	for _, o := range s.operations {
		for _, t := range c.typesOf(o) {
			c.reach(t)
		}
	}
	taken := map[string]bool{}
	for _, t := range c.sorted() {
		name := t.Name
		if t.Service != s.sdk.Name && (taken[name] || c.local(name)) {
			name = prose.Sentence(t.Service)
			name = strings.TrimSuffix(name, ".") + t.Name
		}
		taken[name] = true
		c.names[t] = name
	}
	return c
}

// local reports whether the document's service has a schema with that name.
func (c *schemas) local(name string) bool {
	_, ok := c.names[sdk.Type{Kind: sdk.Named, Service: c.sdk.Name, Name: name}]
	return ok
}

// typesOf lists the types that an operation mentions.
func (c *schemas) typesOf(o *operation) []*sdk.Type {
	var types []*sdk.Type
	for _, p := range o.params {
		types = append(types, p.Type)
	}
	for _, q := range o.Query {
		types = append(types, q.Type)
	}
	types = append(types, bodyType(o), o.Response.Type)
	if o.Async != nil {
		types = append(types, o.Async.Result)
	}
	return types
}

// bodyType returns the type of an operation's JSON body; nil without a body, and for a body that is
// always empty.
func bodyType(o *operation) *sdk.Type {
	switch o.Body.Kind {
	case sdk.WholeBody:
		return &sdk.Type{Kind: sdk.Named, Service: o.Service, Name: o.Request}
	case sdk.BareBody:
		return o.Body.Field.Type
	case sdk.NoBody, sdk.EmptyObject, sdk.StreamBody:
	}
	return nil
}

// reach notes a type and all that it consists of. Aliases are written where they are used.
func (c *schemas) reach(t *sdk.Type) {
	switch {
	case t == nil:
	case t.Elem != nil:
		c.reach(t.Elem)
	case t.Kind == sdk.Named:
		if alias := c.alias(t); alias != nil {
			c.reach(alias)
			return
		}
		if _, seen := c.names[*t]; seen {
			return
		}
		c.names[*t] = ""
		if m, ok := c.api.Message(t); ok {
			for _, f := range m.JSONFields() {
				c.reach(f.Type)
			}
		}
	}
}

func (c *schemas) alias(t *sdk.Type) *sdk.Type {
	s, ok := c.api.Service(t.Service)
	if !ok {
		return nil
	}
	return s.Aliases[t.Name]
}

// sorted returns the reached types, those of the service itself first.
func (c *schemas) sorted() []sdk.Type {
	return slices.SortedFunc(maps.Keys(c.names), func(a, b sdk.Type) int {
		local := c.sdk.Name
		if (a.Service == local) != (b.Service == local) {
			if a.Service == local {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Service, b.Service))
	})
}

// node is components.schemas, by name.
func (c *schemas) node() *object {
	types := c.sorted()
	slices.SortFunc(types, func(a, b sdk.Type) int { return strings.Compare(c.names[a], c.names[b]) })
	all := newObject()
	for _, t := range types {
		all.set(c.names[t], c.shared(t))
	}
	return all
}

// shared is one shared schema.
func (c *schemas) shared(t sdk.Type) *object {
	described := c.overlays.DescriptionsOf(t.Service)
	words := described.Schemas[t.Name]
	if e, ok := c.api.Enum(&t); ok {
		return newObject().
			set("type", "string").
			set("description", cmp.Or(words[""], prose.Schema(t.Name, true))).
			setUnlessEmpty("enum", e.Values)
	}
	o := newObject().
		set("type", "object").
		set("description", cmp.Or(words[""], prose.Schema(t.Name, false)))
	m, ok := c.api.Message(&t)
	if !ok {
		return o
	}
	facts := c.overlays.FactsOf(t.Service)
	fields := ordered(m.JSONFields(), facts.Order[t.Name])
	var required []string
	properties := newObject()
	for _, f := range fields {
		if f.Required {
			required = append(required, f.JSON)
		}
		properties.set(f.JSON, c.property(m, f, facts, described))
	}
	return o.setUnlessEmpty("required", required).setUnlessEmpty("properties", properties)
}

// ordered puts the named fields first.
func ordered(fields []*sdk.Field, first []string) []*sdk.Field {
	if len(first) == 0 {
		return fields
	}
	rank := func(f *sdk.Field) int {
		if i := slices.Index(first, f.JSON); i >= 0 {
			return i
		}
		return len(first)
	}
	fields = slices.Clone(fields)
	slices.SortStableFunc(fields, func(a, b *sdk.Field) int { return cmp.Compare(rank(a), rank(b)) })
	return fields
}

// property returns the schema of a field, with the field's own description and facts.
func (c *schemas) property(m *sdk.Message, f *sdk.Field, facts *overlay.Facts, described *overlay.Descriptions) *object {
	key := m.Name + "." + f.JSON
	format := ""
	switch {
	case slices.Contains(facts.Secrets, key):
		format = "password"
	case slices.Contains(facts.Base64, key):
		format = "byte"
	}
	schema := c.of(f.Type, format)
	if isRef(schema) {
		schema = newObject().set("allOf", []*object{schema})
		schema.node.Content[1].Style = yaml.FlowStyle
	}
	schema.set("description", cmp.Or(described.Field(m.Name, f.JSON), beyond(f.Beyond, f.Doc), prose.Field(f.JSON, kindOf(f.Type))))
	schema.setUnlessEmpty("readOnly", f.ReadOnly || slices.Contains(facts.ReadOnly, key))
	schema.setUnlessEmpty("deprecated", f.Deprecated)
	template, given := facts.Templates[key]
	if !given && (f.Type.Kind == sdk.String || f.Type.Kind == sdk.List && f.Type.Elem.Kind == sdk.String) {
		template = cmp.Or(facts.Forms[f.Template], f.Template)
	}
	schema.setUnlessEmpty("x-lakeql-name-template", template)
	schema.setUnlessEmpty("pattern", facts.Patterns[key])
	for choice, fields := range facts.Choices[m.Name] {
		if slices.Contains(fields, f.JSON) {
			schema.set("x-lakeql-choice", choice)
		}
	}
	schema.setUnlessEmpty("x-lakeql-former", c.overlays.FormerFields(m.Service, m.Name, f.JSON))
	schema.setUnlessEmpty("x-lakeql-request-id", c.requestID(m, f))
	schema.setUnlessEmpty("x-lakeql-off-page", slices.Contains(facts.OffPage, key))
	return schema
}

// beyond is the description of what an overlay has added to the SDK; empty for all else.
func beyond(added bool, description string) string {
	if !added {
		return ""
	}
	return description + " The official SDK does not have it."
}

// requestID reports whether the SDK fills the field with a fresh UUID.
func (c *schemas) requestID(m *sdk.Message, f *sdk.Field) bool {
	for _, o := range c.operations {
		if o.Body.Kind == sdk.WholeBody && o.Request == m.Name && o.Service == m.Service && o.Body.RequestID == f.JSON && f.JSON != "" {
			return true
		}
	}
	return false
}

// kindOf returns the kind of a type as package prose names it.
func kindOf(t *sdk.Type) string {
	switch t.Kind {
	case sdk.Bool:
		return "boolean"
	case sdk.Time:
		return "time"
	default:
		return ""
	}
}

// of is the schema of a type; format goes to its innermost string.
func (c *schemas) of(t *sdk.Type, format string) *object {
	switch t.Kind {
	case sdk.String:
		return newObject().set("type", "string").setUnlessEmpty("format", format)
	case sdk.Bool:
		return newObject().set("type", "boolean")
	case sdk.Int32, sdk.Int64:
		return newObject().set("type", "integer").set("format", string(t.Kind))
	case sdk.Float64:
		return newObject().set("type", "number").set("format", "double")
	case sdk.Time:
		return newObject().set("type", "string").set("format", "date-time")
	case sdk.Duration:
		return newObject().set("type", "string").set("format", "duration")
	case sdk.FieldMask:
		return newObject().set("type", "string").set("format", "field-mask")
	case sdk.Bytes:
		return newObject().set("type", "string").set("format", "binary")
	case sdk.List:
		return newObject().set("type", "array").set("items", c.of(t.Elem, format).flow())
	case sdk.Map:
		return newObject().set("type", "object").set("additionalProperties", c.of(t.Elem, format).flow())
	case sdk.Named:
		if alias := c.alias(t); alias != nil {
			return c.of(alias, format)
		}
		return ref("#/components/schemas/" + c.names[*t])
	case sdk.Any: // JSON of any shape
	}
	return newObject()
}

func isRef(o *object) bool { return !o.empty() && o.node.Content[0].Value == "$ref" }
