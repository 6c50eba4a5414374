package registry

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/lakeql/lakeql/provider"
)

// sampler makes up values from schemas: every attribute, one item a list, one key a map.
type sampler struct {
	catalogue *provider.Catalogue
	method    *provider.Method
	above     []string // the shared schemas around the one at hand
	count     int
}

// sample makes a value up, as encoding/json reads JSON. It is nil where a schema would go on inside itself.
func (s *sampler) sample(schema *provider.Schema) (any, error) {
	if schema.Ref != "" {
		if slices.Contains(s.above, schema.Ref) {
			return nil, nil //nolint:nilnil // nothing to go on with, and no error
		}
		s.above = append(s.above, schema.Ref)
		defer func() { s.above = s.above[:len(s.above)-1] }()
	}
	resolved, err := s.catalogue.Resolve(s.method, schema)
	if err != nil {
		return nil, err
	}
	switch {
	case len(resolved.Enum) > 0:
		return resolved.Enum[0], nil
	case resolved.Type == "array":
		item, err := s.sample(resolved.Items)
		if item == nil {
			return []any{}, err
		}
		return []any{item}, nil
	case resolved.Type == "object":
		return s.object(resolved)
	case resolved.Type == "integer":
		s.count++
		return float64(s.count), nil
	case resolved.Type == "number":
		return 1.5, nil
	case resolved.Type == "boolean":
		return true, nil
	default:
		s.count++
		return fmt.Sprintf(`text %d "quoted" {{ .x }} 'é'`, s.count), nil
	}
}

func (s *sampler) object(schema *provider.Schema) (any, error) {
	value := map[string]any{}
	for _, p := range schema.Properties {
		v, err := s.sample(p.Schema)
		if err != nil {
			return nil, err
		}
		if v != nil {
			value[p.Name] = v
		}
	}
	if schema.Additional != nil {
		v, err := s.sample(schema.Additional)
		if err != nil {
			return nil, err
		}
		if v != nil {
			value["key"] = v
		}
	}
	return value, nil
}

// empty is the empty array or object where a value is one; ok is false for others.
func empty(value any) (any, bool) {
	switch value.(type) {
	case []any:
		return []any{}, true
	case map[string]any:
		return map[string]any{}, true
	}
	return nil, false
}

// asText writes a value as a statement has it between quotes.
func asText(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // values are made of maps, slices and scalars
	}
	return string(text)
}

// takenAsJSON reports whether StackQL accepts a value as JSON in @@json, whatever the documents say: it knows
// neither keys of a map nor null, and only arrays of texts and of objects.
func takenAsJSON(value any, schema *provider.Schema, resolve func(*provider.Schema) *provider.Schema) bool {
	schema = resolve(schema)
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			p, ok := schema.Property(name)
			if !ok || !takenAsJSON(inner, p, resolve) {
				return false
			}
		}
	case []any:
		if len(v) == 0 {
			return true
		}
		items := resolve(schema.Items)
		switch v[0].(type) {
		case string:
			return items.Type == "string"
		case map[string]any:
			return takenAsJSON(v[0], schema.Items, resolve)
		default:
			return false
		}
	case string:
		return schema.Type == "string"
	}
	return true
}
