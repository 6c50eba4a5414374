package document

import (
	"cmp"
	"maps"
	"slices"

	"github.com/lakeql/lakeql/internal/openapigen/prose"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// parameters are the shared parameters of a document: each that at least two operations have in
// the same words.
type parameters struct {
	*service
	shared map[string]*object // by name
}

func newParameters(s *service) *parameters {
	p := &parameters{service: s, shared: map[string]*object{}}
	uses := map[string]map[string]int{} // name, text
	objects := map[string]*object{}
	for _, o := range s.operations {
		for _, param := range p.all(o) {
			name, text := param.name, param.text()
			if uses[name] == nil {
				uses[name] = map[string]int{}
			}
			uses[name][text]++
			objects[text] = param.node
		}
	}
	for name, texts := range uses {
		most := slices.SortedFunc(maps.Keys(texts), func(a, b string) int {
			return cmp.Or(cmp.Compare(texts[b], texts[a]), cmp.Compare(a, b))
		})[0]
		if texts[most] > 1 {
			p.shared[name] = objects[most]
		}
	}
	return p
}

// node is components.parameters.
func (p *parameters) node() *object {
	all := newObject()
	for _, name := range slices.Sorted(maps.Keys(p.shared)) {
		all.set(name, p.shared[name])
	}
	return all
}

// of lists an operation's parameters, shared ones by reference.
func (p *parameters) of(o *operation) []*object {
	var list []*object
	for _, param := range p.all(o) {
		if shared, ok := p.shared[param.name]; ok && text(shared) == param.text() {
			list = append(list, ref("#/components/parameters/"+param.name))
			continue
		}
		list = append(list, param.node)
	}
	return list
}

// parameter is a parameter with its name.
type parameter struct {
	name string
	node *object
}

func (p parameter) text() string { return text(p.node) }

// text returns an object as text, for comparison.
func text(o *object) string {
	data, err := encode(o)
	if err != nil {
		return ""
	}
	return string(data)
}

// all lists an operation's parameters: those of the path as they stand there, then those of the
// query, required ones first.
func (p *parameters) all(o *operation) []parameter {
	var list []parameter
	for _, param := range o.params {
		schema := p.schemas.of(param.Type, "")
		if pattern := p.facts.ParameterPatterns[param.Name]; pattern != "" {
			schema.set("pattern", pattern)
		}
		list = append(list, parameter{param.Name, newObject().
			set("name", param.Name).
			set("in", "path").
			set("required", true).
			set("description", p.describe(o, param.Name, param.Type)).
			set("schema", schema.flow()).
			setUnlessEmpty("x-lakeql-multi-segment", param.MultiSegment).
			setUnlessEmpty("x-lakeql-escaped", param.Escaped).
			setUnlessEmpty("x-lakeql-go-notation", param.GoText).
			setUnlessEmpty("x-lakeql-from-config", fromConfig(param.Name)).
			setUnlessEmpty("x-lakeql-former", p.overlays.FormerFields(o.Service, o.key(), param.Name))})
	}
	query := slices.Clone(o.Query)
	slices.SortStableFunc(query, func(a, b *sdk.Param) int { return cmp.Compare(rank(a), rank(b)) })
	for _, q := range query {
		list = append(list, parameter{q.Name, newObject().
			set("name", q.Name).
			set("in", "query").
			setUnlessEmpty("required", q.Required).
			set("description", cmp.Or(beyond(q.Beyond, q.Doc), p.describe(o, q.Name, q.Type))).
			set("schema", p.schemas.of(q.Type, "").flow()).
			setUnlessEmpty("x-lakeql-request-id", q.RequestID).
			setUnlessEmpty("x-lakeql-default", defaultOf(o, q)).
			setUnlessEmpty("x-lakeql-go-notation", q.GoText).
			setUnlessEmpty("x-lakeql-former", p.overlays.FormerFields(o.Service, o.key(), q.Name))})
	}
	return list
}

// defaultOf is the value that the SDK sends unless the caller supplies one. The paging of a list has its own.
func defaultOf(o *operation, q *sdk.Param) string {
	if o.Paging != nil && o.Paging.Limit == q.Name {
		return ""
	}
	return q.Default
}

// fromConfig returns the setting that supplies a parameter of the path: the SDK's clients also take
// the account's id from the configuration.
func fromConfig(name string) string {
	if name == "account_id" {
		return "account"
	}
	return ""
}

func rank(q *sdk.Param) int {
	if q.Required {
		return 0
	}
	return 1
}

func (p *parameters) describe(o *operation, name string, t *sdk.Type) string {
	words := p.descriptions.Parameters
	return cmp.Or(words[o.key()+"."+name], words[name], prose.Field(name, kindOf(t)))
}
