package bind

import (
	"encoding/json"
	"fmt"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// Call binds values to a method's parameters, by name; names that it does not take are left out. Values
// for attributes of the body are taken if the method is selectable.
// The parts of a resource name are added to values. ok is false if values contradict each other, as
// a resource name and one of its parts may: no resource matches them.
func (s Scope) Call(m *provider.Method, values map[string]any) (call dispatch.Call, ok bool, err error) {
	call = dispatch.Call{Method: m, Args: map[string]any{}}
	tenant := s.Catalogue.TenantVariable(m)
	for name, value := range values {
		if name == tenant {
			call.Deployment = fmt.Sprint(value)
		} else if p, ok := m.Takes(name); ok {
			if other, twice := call.Args[p.Name]; twice && fmt.Sprint(other) != fmt.Sprint(value) {
				return call, false, nil
			}
			call.Args[p.Name] = value
		} else if len(m.Parts(name)) > 0 {
			parts, err := objectParts(m, name, value)
			if err != nil {
				return call, false, err
			}
			for part, value := range parts {
				if other, twice := values[part]; twice && fmt.Sprint(other) != fmt.Sprint(value) {
					return call, false, nil
				}
				call.Args[part] = value
			}
		}
	}
	if m.Selectable {
		if call.Body, err = s.selectBody(m, values); err != nil {
			return call, false, err
		}
	}
	s.fillAccount(m, call.Args)
	parts, err := nameParts(m, values)
	if err != nil {
		return call, false, err
	}
	for param, value := range parts {
		if given, ok := values[param]; ok && fmt.Sprint(given) != value {
			return call, false, nil
		}
		call.Args[param], values[param] = value, value
	}
	return call, true, nil
}

// selectBody makes the body of a selectable method from the values for its attributes; nil if there are
// none.
func (s Scope) selectBody(m *provider.Method, values map[string]any) (any, error) {
	attributes, err := s.Catalogue.Attributes(m)
	if err != nil {
		return nil, err
	}
	body := map[string]any{}
	for _, a := range attributes {
		value, ok := values[a.Name]
		if !ok {
			continue
		}
		if number, ok := value.(json.Number); ok && a.Schema.Type == "string" {
			value = number.String() // a column of texts equals its text
		}
		body[a.Name] = value
	}
	if len(body) == 0 {
		return nil, nil //nolint:nilnil // the dispatcher knows what to send without values
	}
	return body, nil
}

// splitName takes a resource name apart into the parameters of the path.
func (b *Binding) splitName() error {
	if b.Method.NameParam == nil {
		return nil
	}
	whole := b.given[b.Method.NameParam.Name]
	if whole.value == nil {
		return nil
	}
	parts, err := nameParts(b.Method, map[string]any{whole.name: whole.value})
	if err != nil {
		return provider.At(err, whole.pos)
	}
	for name, value := range parts {
		if earlier, ok := b.argSource[name]; ok && b.args[name] != nil && fmt.Sprint(b.args[name]) != value {
			return conflict(name, earlier.pos, whole.pos)
		}
		b.args[name], b.argSource[name] = value, whole
	}
	return nil
}

// nameParts splits the resource name among values into the parameters of the method's path. It
// returns nil without a resource name, and if the method sends the name unchanged.
func nameParts(m *provider.Method, values map[string]any) (map[string]string, error) {
	whole := m.NameParam
	if whole == nil {
		return nil, nil
	}
	name, ok := values[whole.Name]
	if _, isParam := m.Param(whole.Name); !ok || isParam {
		return nil, nil
	}
	parts, ok := whole.Split(fmt.Sprint(name))
	if !ok {
		return nil, provider.Usagef("%s: %s does not have the form %s", whole.Name, provider.Quote(fmt.Sprint(name)), whole.Template)
	}
	return parts, nil
}

// fillAccount sets the configured account for account-level operations if the statement names none.
func (s Scope) fillAccount(m *provider.Method, args map[string]any) {
	for _, p := range m.Params {
		if p.FromConfig != FromAccount || !p.Required || args[p.Name] != nil {
			continue
		}
		if id := s.Account(); id != "" {
			args[p.Name] = id
		}
	}
}
