package document

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/names"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// operation is an operation of a document.
type operation struct {
	*sdk.Operation
	id   string // postgres_list_projects
	verb string // in small letters
	path string
	// params are the path's parameters as the document has them, in the path's order.
	params []*sdk.PathParam
	// wholeName and template describe the resource name that replaces params; empty without one.
	wholeName, template string
}

// key is how overlays name the operation.
func (o *operation) key() string { return o.Group + "." + o.Name }

// operation resolves the path of an operation: the parts of a resource name replace the parameter
// that holds the whole name.
func (s *service) operation(o *sdk.Operation) (*operation, error) {
	made := &operation{
		Operation: o,
		id:        sdk.SnakeCase(o.Group) + "_" + sdk.SnakeCase(o.Name),
		verb:      strings.ToLower(o.Verb),
		path:      o.Path,
	}
	fact, known := s.facts.Paths[made.key()]
	for _, p := range o.PathParams {
		template := s.form(p.Template)
		if known && (p.Name == "name" || p.Name == "parent") {
			template, known = fact.Template, false
			if fact.MultiSegment != "" {
				if fact.MultiSegment != p.Name {
					return nil, fmt.Errorf("facts/%s.yaml: %s has no parameter %s", s.sdk.Name, made.key(), fact.MultiSegment)
				}
				p.MultiSegment, template = true, ""
			}
		}
		if template == "" {
			if (p.Name == "name" || p.Name == "parent") && !p.MultiSegment && !s.plain(o.Path) {
				return nil, fmt.Errorf("%s: %s: {%s} in %s may be a whole resource name; facts/%s.yaml must say which form it has (paths), or that it is a segment (plain)",
					o.Pos, o.ID(), p.Name, o.Path, s.sdk.Name)
			}
			made.params = append(made.params, p)
			continue
		}
		if made.wholeName != "" {
			return nil, fmt.Errorf("%s: %s has two parameters that are whole resource names", o.Pos, o.ID())
		}
		parts, err := partsOf(template)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w; facts/%s.yaml can give another", o.Pos, o.ID(), err, s.sdk.Name)
		}
		made.wholeName, made.template = p.Name, template
		made.path = strings.Replace(made.path, "{"+p.Name+"}", template, 1)
		for _, name := range parts {
			made.params = append(made.params, &sdk.PathParam{Name: name, Type: &sdk.Type{Kind: sdk.String}})
		}
	}
	if known {
		return nil, fmt.Errorf("facts/%s.yaml: %s has no parameter that is a whole resource name", s.sdk.Name, made.key())
	}
	seen := map[string]bool{}
	for _, p := range made.params {
		if seen[p.Name] {
			return nil, fmt.Errorf("%s: %s: the parameter %s stands twice in %s", o.Pos, o.ID(), p.Name, made.path)
		}
		seen[p.Name] = true
	}
	for _, q := range o.Query {
		if seen[q.Name] {
			return nil, fmt.Errorf("%s: %s: the parameter %s is in both the path and the query", o.Pos, o.ID(), q.Name)
		}
	}
	return made, nil
}

// plain reports whether the facts say that the parameter in a path is a segment.
func (s *service) plain(path string) bool {
	return slices.ContainsFunc(s.facts.Plain, func(plain string) bool { return strings.HasPrefix(path, plain) })
}

// form returns the form of a resource name. A form in the facts has priority.
func (s *service) form(template string) string {
	if other, ok := s.facts.Forms[template]; ok {
		return other
	}
	return template
}

var parameterSegment = regexp.MustCompile(`^\{([a-z][a-z0-9_]*)\}$`)

// partsOf names the parameters in the form of a resource name. Each must be a whole segment, so that
// there is only one way to split a name.
func partsOf(template string) ([]string, error) {
	var parts []string
	for segment := range strings.SplitSeq(template, "/") {
		if !strings.ContainsAny(segment, "{}") {
			continue
		}
		m := parameterSegment.FindStringSubmatch(segment)
		if m == nil {
			return nil, fmt.Errorf("the resource name %s has a segment of several parts", template)
		}
		parts = append(parts, m[1])
	}
	return parts, nil
}

// verbOrder is the order of verbs below a path.
func verbOrder(verb string) int {
	return slices.Index([]string{"get", "head", "post", "put", "patch", "delete"}, verb)
}

// arrange sorts operations by path and verb. If two operations have the same path and verb, as the two
// versions of the SCIM groups do, one path gets a fragment. It makes the paths in the document
// distinct and is not sent. StackQL's operation keeps the plain path.
func arrange(table *names.Table, operations []*operation) error {
	first := map[string]*operation{}
	for _, o := range operations {
		place := o.verb + " " + o.path
		other, taken := first[place]
		if !taken {
			first[place] = o
			continue
		}
		if _, known := table.StackQL[names.KeyOf(o.Operation)]; known {
			first[place] = o
			o, other = other, o
		}
		if other.Group == o.Group {
			return fmt.Errorf("%s: %s and %s are both %s; facts can give one of them another path", o.Pos, o.ID(), other.ID(), place)
		}
		o.path += "#" + sdk.SnakeCase(o.Group)
	}
	slices.SortFunc(operations, func(a, b *operation) int {
		return cmp.Or(strings.Compare(a.path, b.path), cmp.Compare(verbOrder(a.verb), verbOrder(b.verb)))
	})
	return nil
}
