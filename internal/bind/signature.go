package bind

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// AttributePrefix is [provider.AttributePrefix].
const AttributePrefix = provider.AttributePrefix

// FromAccount is the value of [provider.Parameter.FromConfig] for parameters that the id of the configured
// account supplies.
const FromAccount = "account"

// Supplied reports whether the configuration supplies a parameter of a method that a statement does not give.
func (s Scope) Supplied(m *provider.Method, name string) bool {
	p, ok := m.Param(name)
	return ok && p.FromConfig == FromAccount && s.Account() != ""
}

// Signature lists the parameters and body attributes of a method by name.
type Signature struct {
	Method *provider.Method
	// Body is the schema of the request body, its reference resolved; nil if the method takes none.
	Body *provider.Schema

	catalogue *provider.Catalogue
}

// NewSignature reads the signature of a method.
func NewSignature(catalogue *provider.Catalogue, m *provider.Method) (*Signature, error) {
	s := &Signature{Method: m, catalogue: catalogue}
	if m.Body == nil {
		return s, nil
	}
	var err error
	s.Body, err = catalogue.Resolve(m, m.Body.Schema)
	return s, err
}

// Names lists the names that the method takes: server variables, the resource name, parameters, and
// attributes of the body.
func (s *Signature) Names() []string {
	var names []string
	for _, v := range s.Method.ServerVariables() {
		names = append(names, v.Name)
	}
	if s.Method.NameParam != nil {
		names = append(names, s.Method.NameParam.Name)
	}
	for _, p := range s.Method.Params {
		names = append(names, p.Name)
	}
	if s.Body != nil {
		for _, p := range s.Body.Properties {
			names = append(names, p.Name)
		}
	}
	return names
}

func (s *Signature) isVariable(name string) bool {
	return name != "" && name == s.catalogue.TenantVariable(s.Method)
}

// isResourceName reports whether a name is that of the parameter that takes a whole resource name.
func (s *Signature) isResourceName(name string) bool {
	return s.Method.NameParam != nil && s.Method.NameParam.Name == name
}

// IsParam reports whether a name is that of a parameter in the path, query or headers.
func (s *Signature) IsParam(name string) bool {
	_, ok := s.Method.Param(name)
	return ok
}

// IsAttribute reports whether a name is that of an attribute of the body.
func (s *Signature) IsAttribute(name string) bool {
	if s.Body == nil {
		return false
	}
	_, ok := s.Body.Property(name)
	return ok
}

// spelled returns the name of the parameter for its other spelling, and any other name unchanged.
func (s *Signature) spelled(name string) string {
	if p, ok := s.Method.Takes(name); ok && !s.IsAttribute(name) {
		return p.Name
	}
	return name
}

// Canonical returns a column's name as the method spells it: like any name in SQL, a column may be
// written in another case. Names inside of attributes may not.
func (s *Signature) Canonical(column string) string {
	prefix, name := "", column
	if len(column) > len(AttributePrefix) && strings.EqualFold(column[:len(AttributePrefix)], AttributePrefix) {
		prefix, name = AttributePrefix, column[len(AttributePrefix):]
	}
	if path, ok := s.unfolded(name); ok {
		return prefix + path
	}
	all := s.Names()
	top, rest, dotted := strings.Cut(name, ".")
	if p, ok := s.Method.Takes(strings.ToLower(name)); ok && dotted {
		return prefix + p.Name
	}
	for _, written := range []string{name, top} {
		if slices.Contains(all, written) {
			return prefix + name
		}
		if i := slices.IndexFunc(all, func(known string) bool { return strings.EqualFold(known, written) }); i >= 0 {
			if written == name {
				return prefix + all[i]
			}
			return prefix + all[i] + "." + rest
		}
		if !dotted {
			break
		}
	}
	if p, ok := s.Method.Takes(strings.ToLower(name)); ok {
		return prefix + p.Name
	}
	return column
}

// unfolded reads a column whose steps are separated by two underscores, as StackQL writes the path of
// an attribute: spec__ttl is spec.ttl. It drops a first step that is the name of the body.
func (s *Signature) unfolded(name string) (path string, ok bool) {
	if !strings.Contains(name, "__") || s.IsParam(name) || s.IsAttribute(name) {
		return "", false
	}
	steps := strings.Split(name, "__")
	if slices.Contains(steps, "") {
		return "", false
	}
	if s.IsWhole(steps[0]) {
		steps = steps[1:]
	}
	return strings.Join(steps, "."), s.IsAttribute(steps[0])
}

// IsWhole reports whether a column, with or without the prefix, is the name of the body: its value is
// the whole body.
func (s *Signature) IsWhole(column string) bool {
	name := strings.TrimPrefix(column, AttributePrefix)
	return s.Body != nil && name != "" && strings.EqualFold(name, s.Method.BodyName) && !s.IsParam(name) && !s.IsAttribute(name) && !s.isResourceName(name)
}

// Top returns the name of the attribute that a column sets or sets a part of.
func (s *Signature) Top(column string) string {
	top, _, _ := strings.Cut(strings.TrimPrefix(s.Canonical(column), AttributePrefix), ".")
	return top
}

// Sets reports whether a column sets a parameter or attribute, or a part of it.
func (s *Signature) Sets(column, name string) bool {
	return s.Top(column) == name || s.Canonical(column) == name || s.IsWhole(column) && s.IsAttribute(name)
}

// AttributeFirst reads a column of SET: if an attribute and a parameter have its name, the column
// is the attribute. The parameter belongs to the WHERE.
func (s *Signature) AttributeFirst(column statement.Ident) statement.Ident {
	column.Text = s.Canonical(column.Text)
	name := strings.TrimPrefix(column.Text, AttributePrefix)
	if s.IsAttribute(name) {
		column.Text = AttributePrefix + name
	}
	return column
}

// otherSpelling returns the other column that means the same attribute, with the prefix or without;
// empty if that is a parameter.
func (s *Signature) otherSpelling(column string) string {
	name, prefixed := strings.CutPrefix(column, AttributePrefix)
	if s.IsParam(name) || s.isResourceName(name) {
		return ""
	}
	if prefixed {
		return name
	}
	return AttributePrefix + name
}

// Schema returns the schema of a column, or nil for an unknown column.
func (s *Signature) Schema(column string) (*provider.Schema, error) {
	if p, ok := s.Method.Takes(column); ok {
		return s.catalogue.Resolve(s.Method, p.Schema)
	}
	return s.schemaAt(strings.TrimPrefix(column, AttributePrefix))
}

// schemaAt returns the schema of a part of the body, or nil without one.
func (s *Signature) schemaAt(path string) (*provider.Schema, error) {
	schema := s.Body
	for step := range strings.SplitSeq(path, ".") {
		if schema == nil {
			return nil, nil //nolint:nilnil // there is none
		}
		property, ok := schema.Property(step)
		if !ok {
			return nil, nil //nolint:nilnil // inside a map, or unknown, which the check of the body reports
		}
		var err error
		if schema, err = s.catalogue.Resolve(s.Method, property); err != nil {
			return nil, err
		}
	}
	return schema, nil
}
