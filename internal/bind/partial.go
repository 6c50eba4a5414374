package bind

import (
	"slices"

	"github.com/lakeql/lakeql/provider"
)

// AllowParts lets the body be a part of what its schema requires if an update mask says which part:
// the API ignores attributes that the mask does not list, so a statement may leave them out. The
// mask * lists all.
func (b *Binding) AllowParts() error {
	name := b.MaskName()
	if name == "" || b.args[name] == "*" || b.attributes[name] == "*" {
		return nil
	}
	loose, err := b.loosened(b.Body, b.attributes)
	if err != nil {
		return err
	}
	m, body := *b.Method, *b.Method.Body
	if b.IsParam(name) {
		body.RequiredAttributes = nil
	} else { // what stands beside the mask is no part of the object
		loose.Required = b.Body.Required
	}
	body.Schema, m.Body = loose, &body
	b.Method = &m
	return nil
}

// loosened copies a schema, and the schemas of the objects inside a value, without their required
// attributes. The items of lists are not changed.
func (b *Binding) loosened(schema *provider.Schema, value map[string]any) (*provider.Schema, error) {
	loose := *schema
	loose.Required, loose.Properties = nil, slices.Clone(schema.Properties)
	for i, property := range loose.Properties {
		object, ok := Unpack(value[property.Name]).(map[string]any)
		if !ok {
			continue
		}
		resolved, err := b.catalogue.Resolve(b.Method, property.Schema)
		if err != nil {
			return nil, err
		}
		if loose.Properties[i].Schema, err = b.loosened(resolved, object); err != nil {
			return nil, err
		}
	}
	return &loose, nil
}
