package bind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// missing returns the error that names every required parameter without a value, and how to supply each;
// nil if all have one. The deployment name is not required: without it the configured host is called.
func (b *Binding) missing() error {
	var names, places []string
	byName := false
	for _, p := range b.Method.Params {
		if !p.Required || b.args[p.Name] != nil {
			continue
		}
		names = append(names, p.Name)
		places = append(places, fmt.Sprintf(string(b.style), p.Name))
		byName = byName || b.Method.NameParam != nil && slices.Contains(b.Method.NameParam.Params(), p.Name)
	}
	if byName {
		whole := strings.Replace(fmt.Sprintf(string(b.style), b.Method.NameParam.Name), "…", b.Method.NameParam.Template, 1)
		places = append(places, "the whole name instead: "+whole)
	}
	body, isObject := b.body.(map[string]any)
	if b.Method.Body != nil && (b.body == nil || isObject) {
		for _, name := range b.Method.Body.RequiredAttributes {
			fromPath := slices.Contains(b.Method.BodyFromPath, name) && b.args[name] != nil
			if body[name] == nil && !fromPath {
				names = append(names, name)
				place := fmt.Sprintf(string(b.style), name)
				if b.style == ExecStyle {
					place += fmt.Sprintf(" or %q in @@json", name)
				}
				places = append(places, place)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return provider.Usagef("%s: missing required %s", b.Method.FullName(), strings.Join(names, ", ")).
		At(b.where).
		Hintf("add %s", strings.Join(places, ", "))
}

// Unknown is the error that the method has no parameter or attribute of the name.
func (b *Binding) Unknown(name string, pos provider.Position) error {
	hint := b.takes()
	if near := provider.Nearest(b.Names(), name, 3); len(near) > 0 && len(b.Names()) > 3 {
		hint = "did you mean " + b.join(near) + "?"
	}
	return provider.Usagef("%s has no parameter or body attribute %s", b.Method.FullName(), provider.Quote(name)).
		At(pos).
		Hintf("%s", hint)
}

// takes lists the inputs of the method.
func (b *Binding) takes() string {
	names := b.Names()
	if len(names) == 0 {
		return b.Method.FullName() + " takes no parameters"
	}
	return b.Method.FullName() + " takes " + b.join(names)
}

// join lists names as the statement writes parameters.
func (b *Binding) join(names []string) string {
	sign, _, _ := strings.Cut(string(b.style), "%s")
	return sign + strings.Join(names, ", "+sign)
}
