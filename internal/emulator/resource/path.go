package resource

import "strings"

// ValuesAt returns the values at a path of attributes, through arrays, as text. Names are compared
// without regard to case.
func ValuesAt(value any, path []string) []string {
	switch v := value.(type) {
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, ValuesAt(item, path)...)
		}
		return all
	case map[string]any:
		return valuesIn(v, path)
	}
	if len(path) > 0 || value == nil {
		return nil
	}
	return []string{Text(value)}
}

func valuesIn(object map[string]any, path []string) []string {
	if len(path) == 0 {
		return ValuesAt(object["value"], nil) // of emails, members and the like
	}
	return ValuesAt(attributeOf(object, path[0]), path[1:])
}

// attributeOf finds an attribute without regard to case.
func attributeOf(object map[string]any, name string) any {
	if value, ok := object[name]; ok {
		return value
	}
	for other, value := range object {
		if strings.EqualFold(other, name) {
			return value
		}
	}
	return nil
}

// ObjectsAt returns the objects at a path of attributes, through arrays.
func ObjectsAt(value any, path []string) []map[string]any {
	switch v := value.(type) {
	case []any:
		var all []map[string]any
		for _, item := range v {
			all = append(all, ObjectsAt(item, path)...)
		}
		return all
	case map[string]any:
		if len(path) == 0 {
			return []map[string]any{v}
		}
		return ObjectsAt(attributeOf(v, path[0]), path[1:])
	}
	return nil
}
