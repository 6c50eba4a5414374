package bind

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// add binds a parameter of an EXEC.
func (b *Binding) add(p statement.Param) error {
	if p.Value.Kind == statement.Bound {
		value, err := b.scope.Args.Value(p.Value)
		if err != nil {
			return err
		}
		p.Value = p.Value.With(value)
	}
	if p.Body {
		return b.addJSON(p)
	}
	if p.Value.Kind == statement.String {
		if placeholder, ok := statement.Placeholder(p.Name, p.Value.Text); ok {
			return statement.PlaceholderError(placeholder, p.Value.Pos())
		}
	}
	if b.IsWhole(p.Name) {
		return b.setWhole(statement.Ident{Text: p.Name, Pos: p.Pos}, p.Value.Any())
	}
	g := given{name: b.spelled(p.Name), value: p.Value.Any(), named: p.Pos, pos: p.Value.Pos(), locate: p.Value.Locate}
	if path, ok := b.unfolded(strings.TrimPrefix(p.Name, AttributePrefix)); ok {
		g.name = AttributePrefix + path
		if top, rest, _ := strings.Cut(path, "."); rest != "" {
			return b.setPart(top, strings.Split(rest, "."), g)
		}
	}
	return b.set(g)
}

// set returns a parameter or body attribute its value.
func (b *Binding) set(g given) error {
	if earlier, twice := b.given[g.name]; twice {
		if reflect.DeepEqual(earlier.value, g.value) {
			return nil
		}
		return conflict(strings.TrimPrefix(g.name, AttributePrefix), g.pos, earlier.pos)
	}
	b.given[g.name] = g
	switch {
	case b.isVariable(g.name):
		if g.value != nil {
			b.deployment = fmt.Sprint(g.value)
		}
		if g.value == "" {
			return provider.Usagef("%s is empty", g.name).
				At(g.pos).
				Hintf("leave it out to call the configured host")
		}
	case b.IsParam(g.name):
		b.args[g.name], b.argSource[g.name] = g.value, g
	case b.isResourceName(g.name):
		// taken apart when all parameters are known
	case b.IsAttribute(g.name):
		b.attributes[g.name] = g.value
	case b.IsAttribute(strings.TrimPrefix(g.name, AttributePrefix)):
		b.attributes[strings.TrimPrefix(g.name, AttributePrefix)] = g.value
	case slices.Contains(b.Method.Ignored, g.name):
	case len(b.Method.Parts(g.name)) > 0:
		return b.setObject(g)
	default:
		return b.Unknown(g.name, g.named)
	}
	return nil
}

// addJSON binds the request body (@@json).
func (b *Binding) addJSON(p statement.Param) error {
	if b.Body == nil {
		return provider.Usagef("@@%s: %s takes no request body", p.Name, b.Method.FullName()).
			At(p.Pos).
			Hintf("%s", b.takes())
	}
	var value any
	var err error
	if provider.IsJSON(b.Method.Body.MediaType) {
		value, err = p.Value.JSON()
	} else {
		value = p.Value.Text // a stream, such as the content of a file
	}
	if err != nil {
		return err
	}
	value = b.unfold(value)
	params := b.takeParams(value)
	if b.json != nil {
		if reflect.DeepEqual(value, b.body) {
			return nil
		}
		return conflict("the request body (@@"+p.Name+")", p.Value.Pos(), b.json.Value.Pos())
	}
	b.json, b.body = &p, value
	if path, placeholder, ok := findPlaceholder(value, nil); ok {
		return statement.PlaceholderError(placeholder, p.Value.Locate(path))
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		at := p.Value.Locate(provider.Path{name})
		locate := func(path provider.Path) provider.Position {
			return p.Value.Locate(append(provider.Path{name}, path...))
		}
		if err := b.set(given{name: name, value: params[name], named: at, pos: at, locate: locate}); err != nil {
			return err
		}
	}
	return nil
}

// unfold puts the attributes of the body in the place of the body's own name, which StackQL's documents
// have around them.
func (b *Binding) unfold(body any) any {
	object, _ := body.(map[string]any)
	for name, value := range object {
		inner, ok := value.(map[string]any)
		if !ok || !b.IsWhole(name) {
			continue
		}
		for attribute, value := range object {
			if _, twice := inner[attribute]; attribute != name && !twice {
				inner[attribute] = value
			} else if attribute != name {
				return body // the check of the body says what is wrong
			}
		}
		return inner
	}
	return body
}

// takeParams takes the parameters out of a body which StackQL's documents have in it as well.
func (b *Binding) takeParams(body any) map[string]any {
	object, _ := body.(map[string]any)
	params := map[string]any{}
	for name, value := range object {
		if b.IsParam(name) && !b.IsAttribute(name) && len(b.Body.Properties) > 0 {
			params[name] = value
		}
	}
	for name := range params {
		delete(object, name)
	}
	return params
}

// findPlaceholder looks for a placeholder in the strings of a JSON value.
func findPlaceholder(value any, path provider.Path) (provider.Path, string, bool) {
	switch value := value.(type) {
	case string:
		name := ""
		if len(path) > 0 {
			name, _ = path[len(path)-1].(string)
		}
		placeholder, ok := statement.Placeholder(name, value)
		return path, placeholder, ok
	case []any:
		for i, item := range value {
			if path, placeholder, ok := findPlaceholder(item, append(path[:len(path):len(path)], i)); ok {
				return path, placeholder, true
			}
		}
	case map[string]any:
		for name, attribute := range value {
			if path, placeholder, ok := findPlaceholder(attribute, append(path[:len(path):len(path)], name)); ok {
				return path, placeholder, true
			}
		}
	}
	return nil, "", false
}

// conflict is the error that a parameter is given twice with different values.
func conflict(name string, here, there provider.Position) error {
	return provider.Usagef("%s is given twice with different values; the other is at line %d, column %d", name, there.Line, there.Column).
		At(here).
		Hintf("keep one of them")
}
