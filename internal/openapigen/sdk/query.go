package sdk

import "slices"

// urlParams lists the query parameters of a request that travels in the query: one for every
// field with a url tag, those of nested structs with dotted names.
func (c *call) urlParams() []*Param {
	if c.request == nil {
		return nil
	}
	return c.flatten(c.request, nil, nil, true, nil)
}

// flatten lists the parameters of a message. A struct inside of itself is followed once more:
// resource_info.parent_resource_info.id is there, its parent's parent is not.
func (c *call) flatten(m *Message, fields, names []string, required bool, above []*Message) []*Param {
	var params []*Param
	for _, f := range m.Fields {
		switch f.URL {
		case "-":
			continue
		case "":
			c.errs = append(c.errs, errorAt(f.Pos, "field %s.%s travels in a query and has no url tag", m.Name, f.Go))
			continue
		}
		path := append(slices.Clone(fields), f.Go)
		name := append(slices.Clone(names), f.URL)
		needed := required && f.RequiredURL
		if nested, ok := c.api.Message(f.Type); ok {
			if slices.Contains(above, nested) {
				continue
			}
			params = append(params, c.flatten(nested, path, name, needed, append(slices.Clone(above), m))...)
			continue
		}
		params = append(params, &Param{
			Name:      dotted(name),
			Fields:    path,
			Type:      f.Type,
			Required:  needed,
			Doc:       f.Doc,
			RequestID: len(path) == 1 && f.Go == c.requestID,
			GoText:    c.goText(f.Type),
		})
	}
	return params
}

// goText reports whether the client prints values of the type in Go's notation.
func (c *call) goText(t *Type) bool {
	switch t.Kind {
	case Map, Any:
		return true
	case Named:
		_, isMessage := c.api.Message(t)
		return isMessage
	case List:
		return t.Elem.Kind == List || c.goText(t.Elem)
	default:
		return false
	}
}
