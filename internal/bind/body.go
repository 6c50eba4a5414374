package bind

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// mergeBody puts the attributes that were given by name into the body.
func (b *Binding) mergeBody() error {
	if len(b.attributes) == 0 {
		return nil
	}
	if b.body == nil {
		b.body = map[string]any{}
	}
	merged, ok := b.body.(map[string]any)
	if !ok {
		return provider.Usagef("@@%s is no JSON object, and attributes are given beside it", b.json.Name).
			At(b.json.Value.Pos())
	}
	for name, value := range b.attributes {
		if value == nil {
			continue
		}
		if inside, ok := merged[name]; ok && inside != nil && !sameValue(inside, value) {
			return conflict(name, b.attributeSource(name).pos, b.json.Value.Locate(provider.Path{name}))
		}
		merged[name] = value
	}
	return nil
}

// attributeSource returns the value that an attribute, or a part of it, was given by.
func (b *Binding) attributeSource(name string) given {
	if g, ok := b.given[name]; ok {
		return g
	}
	if g, ok := b.given[AttributePrefix+name]; ok {
		return g
	}
	for written, g := range b.given { // a part of the attribute
		if strings.HasPrefix(strings.TrimPrefix(written, AttributePrefix), name+".") {
			return g
		}
	}
	return given{pos: b.where, locate: func(provider.Path) provider.Position { return b.where }}
}

// setPart sets an attribute inside one of the body's.
func (b *Binding) setPart(top string, path []string, g given) error {
	if earlier, twice := b.given[g.name]; twice {
		return conflict(g.name, g.pos, earlier.pos)
	}
	b.given[g.name] = g
	if g.value == nil {
		return nil
	}
	object, ok := Unpack(b.attributes[top]).(map[string]any)
	if !ok && b.attributes[top] != nil {
		return conflict(top, g.pos, b.attributeSource(top).pos)
	}
	if object == nil {
		object = map[string]any{}
	}
	b.attributes[top] = object
	for _, step := range path[:len(path)-1] {
		inner, ok := object[step].(map[string]any)
		if !ok {
			if object[step] != nil {
				return conflict(g.name, g.pos, b.attributeSource(top).pos)
			}
			inner = map[string]any{}
			object[step] = inner
		}
		object = inner
	}
	last := path[len(path)-1]
	if earlier, twice := object[last]; twice && !sameValue(earlier, g.value) {
		return conflict(g.name, g.pos, b.attributeSource(top).pos)
	}
	object[last] = g.value
	return nil
}

// sameValue reports whether two ways to write a value mean the same: as JSON or as a string
// that holds it.
func sameValue(a, b any) bool {
	return reflect.DeepEqual(Unpack(a), Unpack(b))
}

// Unpack decodes a text that holds one JSON value; any other value it returns as it is.
func Unpack(value any) any {
	text, ok := value.(string)
	if !ok {
		return value
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var inner any
	if dec.Decode(&inner) != nil || dec.More() {
		return value
	}
	return inner
}
