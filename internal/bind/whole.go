package bind

import (
	"maps"
	"slices"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Unfold returns columns with their values, with the attributes of the body in place of a column that is
// the body as a whole. SET and the update mask know attributes alone.
func (b *Binding) Unfold(columns []statement.Ident, values []any) ([]statement.Ident, []any, error) {
	if !slices.ContainsFunc(columns, func(c statement.Ident) bool { return b.IsWhole(c.Text) }) {
		return columns, values, nil
	}
	var names []statement.Ident
	var parts []any
	for i, column := range columns {
		if !b.IsWhole(column.Text) {
			names, parts = append(names, column), append(parts, values[i])
			continue
		}
		object, err := b.whole(column, values[i])
		if err != nil {
			return nil, nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(object)) {
			names = append(names, statement.Ident{Text: b.inside(name), Pos: column.Pos})
			parts = append(parts, object[name])
		}
	}
	return names, parts, nil
}

// inside is the name by which a value inside of the body is bound: that of an attribute, or of a parameter
// that StackQL's documents have in the body as well.
func (b *Binding) inside(name string) string {
	if b.IsAttribute(name) {
		return AttributePrefix + name
	}
	return name
}

// whole reads the value of a column that is the body as a whole.
func (b *Binding) whole(column statement.Ident, value any) (map[string]any, error) {
	object, ok := Unpack(JSONValue(value)).(map[string]any)
	if !ok {
		return nil, provider.Usagef("%s is the whole request body, and the value is no JSON object", column.Text).
			At(column.Pos).
			Hintf("write %s = '{\"%s\": …}'", column.Text, b.Body.Properties[0].Name)
	}
	for name := range object {
		if !b.IsAttribute(name) && !b.IsParam(name) {
			return nil, b.Unknown(name, column.Pos)
		}
	}
	return object, nil
}

// setWhole binds the attributes of the body that a column holds. No value, before the values are known,
// binds nothing.
func (b *Binding) setWhole(column statement.Ident, value any) error {
	if value == nil {
		return nil
	}
	object, err := b.whole(column, value)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if earlier, ok := b.attributes[name]; ok && !sameValue(earlier, object[name]) {
			return conflict(name, column.Pos, b.attributeSource(name).pos)
		}
		if _, ok := b.attributes[name]; ok {
			continue
		}
		if err := b.set(given{name: b.inside(name), value: object[name], named: column.Pos, pos: column.Pos, locate: func(provider.Path) provider.Position { return column.Pos }}); err != nil {
			return err
		}
	}
	return nil
}
