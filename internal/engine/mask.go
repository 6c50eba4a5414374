package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// mask is the list of fields that an update changes, as the API wants to be told: what is in it and
// not in the body is cleared, and what is not in it stays as it is.
type mask struct {
	binding *binding
	param   string // the parameter or attribute that takes it
	inBody  bool   // beside the object whose fields it lists
	paths   []string
}

// maskNames are what the API calls an update mask.
func maskNames() []string { return []string{"update_mask", "field_mask"} }

// takesMask finds how a method takes its update mask; empty where it takes none.
func (b *binding) takesMask() string {
	for _, name := range maskNames() {
		if b.isParam(name) || b.isAttribute(name) {
			return name
		}
	}
	return ""
}

// newMask begins the mask of an update that sets columns; nil where the method takes none, or the
// statement gives it.
func newMask(b *binding, columns []statement.Ident) *mask {
	name := b.takesMask()
	named := slices.ContainsFunc(columns, func(c statement.Ident) bool {
		return strings.TrimPrefix(b.canonical(c.Text), attributePrefix) == name
	})
	if name == "" || named || b.given[name].name != "" {
		return nil
	}
	return &mask{binding: b, param: name, inBody: !b.isParam(name)}
}

// add takes in a column and what it is set to.
func (m *mask) add(column statement.Ident, value any) error {
	path := strings.TrimPrefix(column.Text, attributePrefix)
	top, _, _ := strings.Cut(path, ".")
	if !m.binding.isAttribute(top) || m.isName(path, value) {
		return nil
	}
	schema, err := m.find(column, path)
	if err != nil {
		return err
	}
	if m.inBody && path == top && schema.Type != "object" {
		return nil // beside the object
	}
	return m.leaves(column, path, schema, unpack(value))
}

// isName reports whether an attribute only repeats what the path says.
func (m *mask) isName(path string, value any) bool {
	b := m.binding
	if p, ok := b.method.Param(path); ok && p.In == provider.InPath {
		return fmt.Sprint(b.args[path]) == fmt.Sprint(value)
	}
	whole, ok := b.given[path]
	return ok && b.method.NameParam != nil && b.method.NameParam.Name == path && whole.value == value
}

// find gives the schema of an attribute. One inside a map has no place in a mask, which names maps as
// wholes: the others of the map would be lost.
func (m *mask) find(column statement.Ident, path string) (*provider.Schema, error) {
	schema := m.binding.body
	for i, step := range strings.Split(path, ".") {
		property, ok := schema.Property(step)
		if !ok {
			e := &provider.Error{Code: provider.Usage, Message: path + ": unknown attribute", Position: column.Pos}
			if schema.Additional != nil || schema.Type == "object" && len(schema.Properties) == 0 {
				whole := strings.Join(strings.Split(path, ".")[:i], ".")
				e.Message = fmt.Sprintf("%s: %s can only be changed as a whole", path, whole)
				e.Hint = fmt.Sprintf("set %s to all that it is to hold", whole)
			}
			return nil, e
		}
		var err error
		if schema, err = m.binding.session.Catalogue.Resolve(m.binding.method, property); err != nil {
			return nil, err
		}
	}
	return schema, nil
}

// leaves adds what a value sets, down to the fields that are no messages; maps and lists are wholes.
func (m *mask) leaves(column statement.Ident, path string, schema *provider.Schema, value any) error {
	object, ok := value.(map[string]any)
	if isWhole := m.inBody && !strings.Contains(path, "."); len(schema.Properties) > 0 && (ok && len(object) == 0 || value == nil && isWhole) {
		return &provider.Error{
			Code:     provider.Usage,
			Message:  path + ": this does not say what to change",
			Hint:     "name the attributes to change in it; NULL clears one",
			Position: column.Pos,
		}
	}
	if !ok || len(schema.Properties) == 0 {
		m.append(path)
		return nil
	}
	for _, property := range schema.Properties { // in the document's order, the same each time
		inner, ok := object[property.Name]
		if !ok {
			continue
		}
		resolved, err := m.binding.session.Catalogue.Resolve(m.binding.method, property.Schema)
		if err != nil {
			return err
		}
		if err := m.leaves(column, path+"."+property.Name, resolved, inner); err != nil {
			return err
		}
	}
	return nil
}

// append adds a path, by the name of the choice that it is part of, if it is part of one. The version
// that an update is for (etag) is nothing that it changes.
func (m *mask) append(path string) {
	if m.inBody {
		_, path, _ = strings.Cut(path, ".")
	}
	if path == "etag" {
		return
	}
	if strings.HasPrefix(m.binding.method.Resource, lakebase) {
		parent, name, _ := cutLast(path)
		for choice, fields := range lakebaseChoices() {
			if slices.Contains(fields, name) && strings.HasPrefix(parent, "spec") {
				path = parent + "." + choice
			}
		}
	}
	if !slices.Contains(m.paths, path) {
		m.paths = append(m.paths, path)
	}
}

// lakebase begins the names of the resources that have the choices below.
const lakebase = "databricks_workspace.postgres."

// lakebaseChoices are fields of which one at most is set, by what an update mask calls them together.
// The official SDK's descriptions of the fields say so, and nothing in their types does.
func lakebaseChoices() map[string][]string {
	return map[string][]string{
		"expiration": {"ttl", "expire_time", "no_expiry"},
		"suspension": {"suspend_timeout_duration", "no_suspension"},
	}
}

// cutLast cuts a path before its last name.
func cutLast(path string) (parent, name string, ok bool) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// set gives the method its mask. An empty one is left out, and then missing.
func (m *mask) set() {
	switch text := strings.Join(m.paths, ","); {
	case text == "":
	case m.inBody:
		m.binding.attributes[m.param] = text
	default:
		m.binding.args[m.param] = text
	}
}

// allowParts lets the body be a part of what its schema describes, where a mask says which: what the
// mask does not list, the API does not look at, and so nobody has to write it. The mask * lists all.
func (b *binding) allowParts() error {
	name := b.takesMask()
	if name == "" || b.args[name] == "*" || b.attributes[name] == "*" {
		return nil
	}
	loose, err := b.loosened(b.body, b.attributes)
	if err != nil {
		return err
	}
	m, body := *b.method, *b.method.Body
	if b.isParam(name) {
		body.RequiredAttributes = nil
	} else { // what stands beside the mask is no part of the object
		loose.Required = b.body.Required
	}
	body.Schema, m.Body = loose, &body
	b.method = &m
	return nil
}

// loosened copies a schema without what it requires, and so the schemas of the objects inside a value.
// Items of lists are wholes.
func (b *binding) loosened(schema *provider.Schema, value map[string]any) (*provider.Schema, error) {
	loose := *schema
	loose.Required, loose.Properties = nil, slices.Clone(schema.Properties)
	for i, property := range loose.Properties {
		object, ok := unpack(value[property.Name]).(map[string]any)
		if !ok {
			continue
		}
		resolved, err := b.session.Catalogue.Resolve(b.method, property.Schema)
		if err != nil {
			return nil, err
		}
		if loose.Properties[i].Schema, err = b.loosened(resolved, object); err != nil {
			return nil, err
		}
	}
	return &loose, nil
}
