package catalogtest

import (
	"cmp"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Columns lists every name that a statement may use as a column of a resource, each once, ignoring case
// as SQLite does: the columns that the methods of SQL verbs and selectable methods return, their
// parameters, the resource names that replace parameters, and the attributes of their bodies.
func Columns(cat *provider.Catalogue, r *provider.Resource) ([]string, error) {
	var all []string
	seen := map[string]bool{}
	add := func(names ...string) {
		for _, name := range names {
			if key := strings.ToLower(name); !seen[key] {
				seen[key] = true
				all = append(all, name)
			}
		}
	}
	for _, verb := range provider.SQLVerbs() {
		for _, m := range r.MethodsFor(verb) {
			if verb == provider.Exec && !m.Selectable {
				continue
			}
			given, err := RowColumns(cat, m)
			if err != nil {
				return nil, err
			}
			add(given...)
			taken, err := Inputs(cat, m)
			if err != nil {
				return nil, err
			}
			add(taken...)
		}
	}
	return all, nil
}

// RowColumns lists the columns of a method's rows: attributes of the body, or the bytes of a stream, and
// headers that carry part of the response. Rows that are not objects have one column, named after the
// attribute that holds them or after the method.
func RowColumns(cat *provider.Catalogue, m *provider.Method) ([]string, error) {
	if m.Response == nil {
		return nil, nil
	}
	all, err := bodyColumns(cat, m)
	for _, h := range m.Response.Headers {
		all = append(all, h.Name)
	}
	return all, err
}

func bodyColumns(cat *provider.Catalogue, m *provider.Method) ([]string, error) {
	switch {
	case m.Response.Schema == nil:
		return nil, nil
	case m.Response.MediaType != "" && !strings.Contains(m.Response.MediaType, "json"):
		return []string{"contents", "contents_encoding"}, nil
	}
	s, err := cat.Resolve(m, m.Response.Schema)
	if err != nil {
		return nil, err
	}
	key := strings.TrimPrefix(strings.TrimPrefix(m.Response.ObjectKey, "$"), ".")
	if key != "" && s != nil {
		inner, _ := s.Property(key)
		if s, err = cat.Resolve(m, inner); err != nil {
			return nil, err
		}
	}
	if s != nil && s.Type == "array" {
		if s, err = cat.Resolve(m, s.Items); err != nil {
			return nil, err
		}
	}
	switch {
	case s != nil && len(s.Properties) > 0:
		return names(s), nil
	case s != nil && s.Type == "object" && s.Additional == nil && key == "":
		return nil, nil // the answer has nothing to show
	}
	return []string{cmp.Or(key, m.Name)}, nil
}

// Inputs lists the names of a method's inputs: parameters, server variables, the resource name that
// replaces parameters, and the attributes of the body.
func Inputs(cat *provider.Catalogue, m *provider.Method) ([]string, error) {
	var all []string
	for _, p := range m.Params {
		all = append(all, p.Name)
	}
	for _, v := range m.ServerVariables() {
		all = append(all, v.Name)
	}
	if m.NameParam != nil {
		all = append(all, m.NameParam.Name)
	}
	if m.Body == nil {
		return all, nil
	}
	body, err := cat.Resolve(m, m.Body.Schema)
	if err != nil || body == nil {
		return all, err
	}
	return append(all, names(body)...), nil
}

func names(s *provider.Schema) []string {
	all := make([]string, len(s.Properties))
	for i, p := range s.Properties {
		all[i] = p.Name
	}
	return all
}
