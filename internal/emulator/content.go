package emulator

import (
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// What a request says of a resource: in its path, its query and its body.

// value finds what a request says under a name: in the path, the query or the body.
func (c *call) value(name string) string {
	if text, ok := c.params[name]; ok {
		return text
	}
	if c.query.Has(name) {
		return c.query.Get(name)
	}
	body := c.object()
	if value, ok := body[name]; ok {
		return resource.Text(value)
	}
	if inner := c.content(); inner != nil {
		return resource.Text(inner[name])
	}
	return ""
}

func (c *call) values(names []string) []string {
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = c.value(name)
	}
	return values
}

// object is the request's body where that is a JSON object.
func (c *call) object() resource.Record {
	if c.parsed == nil {
		c.parsed = resource.Record{}
		if value, err := resource.Decode(c.body); err == nil {
			if object, ok := value.(map[string]any); ok {
				c.parsed = object
			}
		}
	}
	return c.parsed
}

// content is what a body says of the resource: the body, or the one attribute that holds it.
func (c *call) content() resource.Record {
	body := c.object()
	k := c.route.target.Kind
	if k == nil || c.route.method.Body == nil {
		return body
	}
	whole := c.emulator.shapes.Body(c.route.method)
	item := k.Item()
	for name, value := range body {
		object, ok := value.(map[string]any)
		if !ok {
			continue
		}
		f := whole.Field(name)
		if f.Same(item) || f.Same(k.Listed()) || !k.Has(name) && shared(f, item) > max(1, shared(whole, item)) {
			return object
		}
	}
	return body
}

// shared is how many attributes two shapes have in common.
func shared(a, b *documents.Shape) int {
	n := 0
	if a != nil {
		for i := range a.Properties {
			if b.Has(a.Properties[i].Name) {
				n++
			}
		}
	}
	return n
}
