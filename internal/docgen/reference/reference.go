// Package reference reads the documents of a provider as StackQL's own generator of documentation pages does
// (@stackql/provider-utils 0.5.4, which wrote the first pages with a SchemaTable), with all that it drops,
// orders, and takes literally. What comes out are the parts of its pages; package docgen writes them.
//
// The rules are those of JavaScript and of the libraries in that generator: js-yaml's values, the order of an
// object's keys, references that are replaced, and allOf flattened in one pass. Documents may come from
// strangers: no document makes the package panic or hang. Where StackQL's generator ends with an error, because
// a document lacks what it reads, this package reads nothing there.
package reference

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// Resource is what a page says about a resource or view.
type Resource struct {
	Service, Name, Description string
	View                       *View    // nil for a resource
	Methods                    []Method // by verb, each in the order of its page
}

// Method is what a page says about a method.
type Method struct {
	Name                string
	Verb                provider.SQLVerb
	Description         string
	ResponseDescription string
	Required, Optional  []Param // required ones with the server's variables
	Attributes          []Attribute
	RequiredAttributes  []string
	Fields              []Field // of the response, in document order
}

// Param is a parameter, with its type and description as a page words them.
type Param struct {
	Name, Type, Description string
}

// Attribute is an attribute of a request body.
type Attribute struct {
	Name, Type, Description string
	ReadOnly                bool
	Values                  []string // of an enum
	HasValues               bool
	Default                 string
	HasDefault              bool
}

// Field is an attribute of a response. Its type and description are those of the document.
type Field struct {
	Name, Type, Format, Description string
	Children                        []Field
}

// View is what a page says about a view.
type View struct {
	Fields, Required []Param
	Definitions      []Definition
}

// Definition is the query of a view in a dialect.
type Definition struct {
	Dialect, SQL string
}

// Service is one service's document.
type Service struct {
	Name string
	file string
	doc  *document
	list *object // of resources, as they are written
}

// Services lists the names of the services in a provider's folder, which are those of the files, with their files.
// They are in the order of the files. Of two files with one name the last stands.
func Services(folder fs.FS) (names, files []string, err error) {
	entries, err := fs.ReadDir(folder, "services")
	if err != nil {
		return nil, nil, provider.Usagef("read documents: %v", err).Because(err)
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".yaml")
		if !ok || e.IsDir() {
			continue
		}
		name, file := strings.ReplaceAll(name, "-", "_"), path.Join("services", e.Name())
		if at := slices.Index(names, name); at >= 0 {
			files[at] = file
			continue
		}
		names, files = append(names, name), append(files, file)
	}
	return names, files, nil
}

// Read reads the document of a service.
func Read(folder fs.FS, name, file string) (*Service, error) {
	text, err := fs.ReadFile(folder, file)
	if err != nil {
		return nil, provider.Usagef("read document: %v", err).Because(err)
	}
	var parsed yaml.Node
	if err := yaml.Unmarshal(text, &parsed); err != nil {
		return nil, provider.Usagef("%s: %v", file, err).Because(err)
	}
	if parsed.Kind != yaml.DocumentNode || len(parsed.Content) == 0 || parsed.Content[0].Kind != yaml.MappingNode {
		return nil, provider.Usagef("%s:1: the document is not a mapping", file)
	}
	root := parsed.Content[0]
	written, _ := (&yamlReader{made: map[*yaml.Node]any{}}).value(find(find(root, "components"), "x-stackQL-resources"), 0).(*object)
	return &Service{Name: name, file: file, doc: newDocument(root), list: orEmpty(written)}, nil
}

// find returns the value of a key in a mapping; an empty node if there is none.
func find(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Kind == yaml.MappingNode && target(n.Content[i]).Value == key {
			return target(n.Content[i+1])
		}
	}
	return &yaml.Node{}
}

// Names lists the resources that have a page.
func (s *Service) Names() []string {
	var names []string
	for i, name := range s.list.keys {
		if truthy(plain(s.list.values[i], "id")) {
			names = append(names, name)
		}
	}
	return names
}

// plain returns what an object has under a path of keys, as it is written; nil if there is none.
func plain(v any, keys ...string) any {
	for _, key := range keys {
		o, _ := v.(*object)
		v = o.get(key)
	}
	return v
}

// plainWords returns such a value as text; empty if it is not truthy.
func plainWords(v any, keys ...string) string {
	if v = plain(v, keys...); truthy(v) {
		return text(v)
	}
	return ""
}

// Resource reads a resource.
func (s *Service) Resource(name string) (*Resource, error) {
	s.doc.fieldsLeft = maxFields
	written := s.list.get(name)
	r := &Resource{Service: s.Name, Name: name, Description: plainWords(written, "description")}
	if views := plain(written, "config", "views"); truthy(plain(views, "select")) {
		r.View = readView(views)
		return r, nil
	}
	methods := orEmpty(plain(written, "methods"))
	called := map[string]bool{}
	for _, verb := range provider.SQLVerbs() {
		found := newObject(4) // of methods: a name that comes twice stands once
		if verb == provider.Exec {
			for _, method := range methods.keys {
				if !called[method] {
					found.set(method, nil)
				}
			}
		} else if refs, ok := plain(written, "sqlVerbs", string(verb)).(*array); ok {
			for _, item := range refs.items {
				ref := plainWords(item, "$ref")
				method := ref[strings.LastIndexByte(ref, '/')+1:]
				called[method] = true
				if methods.has(method) {
					found.set(method, nil)
				}
			}
		}
		for _, method := range found.keys {
			if m := s.method(verb, method, methods.get(method)); m != nil {
				r.Methods = append(r.Methods, *m)
			}
		}
	}
	if s.doc.fieldsLeft < 0 {
		return nil, provider.Usagef("%s: resource %s returns more than %d fields", s.file, provider.Quote(name), maxFields)
	}
	return r, nil
}

// maxFields is how many fields a page may have. With references a short document can describe far more.
const maxFields = 1_000_000

// MethodsOf returns the methods that a verb reaches.
func (r *Resource) MethodsOf(verb provider.SQLVerb) []Method {
	at := slices.IndexFunc(r.Methods, func(m Method) bool { return m.Verb == verb })
	if at < 0 {
		return nil
	}
	end := at
	for end < len(r.Methods) && r.Methods[end].Verb == verb {
		end++
	}
	return r.Methods[at:end]
}
