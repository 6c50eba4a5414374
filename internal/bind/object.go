package bind

import (
	"maps"
	"slices"

	"github.com/lakeql/lakeql/provider"
)

// objectParts takes the value of an object apart whose attributes are parameters by themselves, as
// filter_by.statuses is: StackQL's documents have the object as one parameter.
func objectParts(m *provider.Method, name string, value any) (map[string]any, error) {
	object, ok := Unpack(JSONValue(value)).(map[string]any)
	example := m.Parts(name)[0].Name[len(name)+1:]
	if !ok {
		return nil, provider.Usagef("%s is an object, and the value is no JSON object", name).
			In(name).
			Hintf("write %s = '{\"%s\": …}', or \"%s.%s\" = …", name, example, name, example)
	}
	parts := map[string]any{}
	var walk func(path string, object map[string]any) error
	walk = func(path string, object map[string]any) error {
		for _, key := range slices.Sorted(maps.Keys(object)) {
			inner := path + "." + key
			if _, ok := m.Param(inner); ok {
				parts[inner] = object[key]
				continue
			}
			nested, ok := object[key].(map[string]any)
			if !ok || len(m.Parts(inner)) == 0 {
				return provider.Usagef("%s: unknown attribute", inner).In(name).Hintf("known are %s", known(m, name))
			}
			if err := walk(inner, nested); err != nil {
				return err
			}
		}
		return nil
	}
	return parts, walk(name, object)
}

// known lists the attributes of an object of parameters.
func known(m *provider.Method, name string) string {
	list := ""
	for _, p := range m.Parts(name) {
		if list != "" {
			list += ", "
		}
		list += p.Name[len(name)+1:]
	}
	return list
}

// setObject binds the parameters that the value of an object holds.
func (b *Binding) setObject(g given) error {
	parts, err := objectParts(b.Method, g.name, g.value)
	if err != nil {
		return provider.At(err, g.pos)
	}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		part := given{name: name, value: parts[name], named: g.named, pos: g.pos, locate: g.locate}
		if err := b.set(part); err != nil {
			return err
		}
	}
	return nil
}
