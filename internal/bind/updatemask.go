package bind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// UpdateMask is the list of fields that an update changes, as the API takes it: a field in the mask
// and not in the body is cleared; a field that is not in the mask stays as it is.
type UpdateMask struct {
	binding *Binding
	param   string // the parameter or attribute that takes it
	inBody  bool   // beside the object whose fields it lists
	paths   []string
}

// NewUpdateMask starts the mask of an update that sets columns; nil if the method takes none, or if
// the statement supplies it.
func NewUpdateMask(b *Binding, columns []statement.Ident) *UpdateMask {
	name := b.MaskName()
	named := slices.ContainsFunc(columns, func(c statement.Ident) bool {
		return strings.TrimPrefix(b.Canonical(c.Text), AttributePrefix) == name
	})
	if _, given := b.given[name]; name == "" || named || given {
		return nil
	}
	return &UpdateMask{binding: b, param: name, inBody: !b.IsParam(name)}
}

// Add adds the fields that change if a column is set to a value. The binding must already have the values
// of WHERE.
func (m *UpdateMask) Add(column statement.Ident, value any) error {
	path := strings.TrimPrefix(column.Text, AttributePrefix)
	top, _, _ := strings.Cut(path, ".")
	if !m.binding.IsAttribute(top) || m.isName(path, value) {
		return nil
	}
	schema, err := m.find(column, path)
	if err != nil {
		return err
	}
	if m.inBody && path == top && schema.Type != "object" {
		return nil // beside the object
	}
	return m.leaves(column, path, schema, Unpack(value))
}

// isName reports whether an attribute only repeats a value of the path.
func (m *UpdateMask) isName(path string, value any) bool {
	b := m.binding
	if p, ok := b.Method.Param(path); ok && p.In == provider.InPath {
		return fmt.Sprint(b.args[path]) == fmt.Sprint(value)
	}
	whole, ok := b.given[path]
	return ok && b.isResourceName(path) && whole.value == value
}

// find returns the schema of an attribute. A mask cannot name an entry of a map, only the whole
// map: the other entries would be lost.
func (m *UpdateMask) find(column statement.Ident, path string) (*provider.Schema, error) {
	schema := m.binding.Body
	for i, step := range strings.Split(path, ".") {
		property, ok := schema.Property(step)
		if !ok {
			e := provider.Usagef("%s: unknown attribute", path).At(column.Pos)
			if schema.Additional != nil || schema.Type == "object" && len(schema.Properties) == 0 {
				whole := strings.Join(strings.Split(path, ".")[:i], ".")
				e.Message = fmt.Sprintf("%s: %s can only be changed as a whole", path, whole)
				e.Hint = fmt.Sprintf("set %s to all that it is to hold", whole)
			}
			return nil, e
		}
		var err error
		if schema, err = m.binding.catalogue.Resolve(m.binding.Method, property); err != nil {
			return nil, err
		}
	}
	return schema, nil
}

// leaves adds the fields that a value sets, down to fields that are not messages. A map or list is one
// field.
func (m *UpdateMask) leaves(column statement.Ident, path string, schema *provider.Schema, value any) error {
	object, ok := value.(map[string]any)
	if isWhole := m.inBody && !strings.Contains(path, "."); len(schema.Properties) > 0 && (ok && len(object) == 0 || value == nil && isWhole) {
		return provider.Usagef("%s: this does not say what to change", path).
			At(column.Pos).
			Hintf("name the attributes to change in it; NULL clears one")
	}
	if !ok || len(schema.Properties) == 0 {
		m.append(path, schema.Choice)
		return nil
	}
	for _, property := range schema.Properties { // in the document's order, the same each time
		inner, ok := object[property.Name]
		if !ok {
			continue
		}
		resolved, err := m.binding.catalogue.Resolve(m.binding.Method, property.Schema)
		if err != nil {
			return err
		}
		if err := m.leaves(column, path+"."+property.Name, resolved, inner); err != nil {
			return err
		}
	}
	return nil
}

// append adds a path; for a field of a choice (of which at most one is set), the path of the choice. The version that an update
// is for (etag) is not a change.
func (m *UpdateMask) append(path, choice string) {
	if m.inBody {
		_, path, _ = strings.Cut(path, ".")
	}
	if path == "etag" {
		return
	}
	if choice != "" {
		parent, _ := cutLast(path)
		path = strings.TrimPrefix(parent+"."+choice, ".")
	}
	if !slices.Contains(m.paths, path) {
		m.paths = append(m.paths, path)
	}
}

// cutLast cuts a path before its last name.
func cutLast(path string) (parent, name string) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

// Paths lists the fields, in the order in which they were added.
func (m *UpdateMask) Paths() []string { return m.paths }

// Set adds the mask to the binding's values. An empty mask is left out, and [Binding.Complete]
// reports it as missing.
func (m *UpdateMask) Set() {
	switch text := strings.Join(m.paths, ","); {
	case text == "":
	case m.inBody:
		m.binding.attributes[m.param] = text
	default:
		m.binding.args[m.param] = text
	}
}

// maskNames are the API's names for an update mask.
func maskNames() []string { return []string{"update_mask", "field_mask"} }

// IsMaskName reports whether a name is one of the API's names for an update mask.
func IsMaskName(name string) bool { return slices.Contains(maskNames(), name) }

// MaskName returns the name by which the method takes its update mask; empty if it takes none.
func (s *Signature) MaskName() string {
	for _, name := range maskNames() {
		if s.IsParam(name) || s.IsAttribute(name) {
			return name
		}
	}
	return ""
}
