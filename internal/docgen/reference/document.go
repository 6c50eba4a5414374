package reference

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is a service's document, in which references are replaced.
type document struct {
	root *object
	// flat is set if allOf is flattened. StackQL's generator gives up on that for the whole document if its
	// schemas go in a circle, or if it is too large once references are replaced.
	flat   bool
	values map[*object]any // flattened
	// fieldsLeft is how many more fields the current page may have.
	fieldsLeft int
}

func newDocument(root *yaml.Node) *document {
	r := &yamlReader{made: map[*yaml.Node]any{}}
	top, _ := r.value(root, 0).(*object)
	if top == nil {
		top = newObject(0)
	}
	newDereferencer(top).crawl(top)
	m := &measure{sizes: map[any]float64{}}
	size := m.size(top)
	return &document{root: top, flat: !m.circle && size <= maxText, values: map[*object]any{}}
}

// maxText is how long a string may be in V8, in code units.
const maxText = 1<<29 - 24

// maxDepthOfYAML is how deep a document may be nested.
const maxDepthOfYAML = 500

// yamlReader makes values of YAML nodes. An alias is the value that its anchor has.
type yamlReader struct{ made map[*yaml.Node]any }

func (r *yamlReader) value(n *yaml.Node, depth int) any {
	if depth > maxDepthOfYAML {
		return nil
	}
	if n.Kind == yaml.AliasNode {
		return r.made[n.Alias]
	}
	var v any
	switch n.Kind {
	case yaml.MappingNode:
		o := newObject(len(n.Content) / 2)
		r.keep(n, o)
		for i := 0; i+1 < len(n.Content); i += 2 {
			o.set(target(n.Content[i]).Value, r.value(n.Content[i+1], depth+1))
		}
		v = o
	case yaml.SequenceNode:
		a := &array{items: make([]any, len(n.Content))}
		r.keep(n, a)
		for i, item := range n.Content {
			a.items[i] = r.value(item, depth+1)
		}
		v = a
	case yaml.ScalarNode:
		v = scalar(n)
		r.keep(n, v)
	case yaml.DocumentNode, yaml.AliasNode:
	}
	return v
}

func (r *yamlReader) keep(n *yaml.Node, v any) {
	if n.Anchor != "" {
		r.made[n] = v
	}
}

func target(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// force returns an object with its allOf flattened; any other value is given back. What stands beside allOf is lost,
// and so is an allOf inside of a part: this is what the flattening that StackQL's generator uses does.
func (d *document) force(v any) any {
	o, ok := v.(*object)
	if !ok || !d.flat {
		return v
	}
	parts, ok := o.get("allOf").(*array)
	if !ok {
		return v
	}
	if known, ok := d.values[o]; ok {
		return known
	}
	all := newObject(8)
	for _, part := range parts.items {
		properties := newObject(8)
		before, _ := all.get("properties").(*object)
		properties.assign(before)
		sub, _ := part.(*object)
		all.assign(sub)
		own, _ := sub.get("properties").(*object)
		properties.assign(own)
		all.set("properties", properties)
	}
	all.remove("allOf")
	d.values[o] = all
	return all
}

// get returns what an object has under a path of keys; nil if there is none.
func (d *document) get(v any, keys ...string) any {
	for _, key := range keys {
		o, ok := d.force(v).(*object)
		if !ok {
			return nil
		}
		v = o.get(key)
	}
	return d.force(v)
}

// object returns the object under a path of keys; an empty one if there is none.
func (d *document) object(v any, keys ...string) *object {
	return orEmpty(d.get(v, keys...))
}

func orEmpty(v any) *object {
	if o, ok := v.(*object); ok && o != nil {
		return o
	}
	return newObject(0)
}

func (d *document) list(v any, keys ...string) []any {
	if a, ok := d.get(v, keys...).(*array); ok {
		return a.items
	}
	return nil
}

// words returns the value under a path of keys as text; empty if it is not truthy.
func (d *document) words(v any, keys ...string) string {
	if v = d.get(v, keys...); truthy(v) {
		return text(v)
	}
	return ""
}

// measure walks over a document as it is once all references are replaced.
type measure struct {
	circle bool
	sizes  map[any]float64 // below 0 while a value is being measured
}

// size returns how long the JSON text of a value is, roughly.
func (m *measure) size(v any) float64 {
	var inner []any
	size := 2.0
	switch v := v.(type) {
	case *object:
		inner = v.values
		for _, key := range v.keys {
			size += float64(len(key)) + 3
		}
	case *array:
		inner = v.items
	case string:
		return float64(len(v)) + 2
	default:
		return 4
	}
	if known, ok := m.sizes[v]; ok {
		if known < 0 {
			m.circle = true
		}
		return max(known, 0)
	}
	m.sizes[v] = -1
	for _, item := range inner {
		size += m.size(item) + 1
	}
	m.sizes[v] = size
	return size
}

// isReference reports whether a value is a reference inside of the document.
func isReference(v any) (ref string, o *object, ok bool) {
	if o, ok = v.(*object); !ok {
		return "", nil, false
	}
	ref, ok = o.get("$ref").(string)
	return ref, o, ok && (strings.HasPrefix(ref, "#/") || ref == "#")
}
