package registry

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// service is the document of one service during the transformations, beside lakeql's reading of the same
// document. The transformations make StackQL behave as the catalogue says.
type service struct {
	info      *provider.Service
	catalogue *provider.Catalogue
	root      *yaml.Node
}

// resource is an entry of components.x-stackQL-resources.
type resource struct {
	*provider.Resource
	node *yaml.Node
}

// method is a method of a resource, with its entry there and the operation that it refers to.
type method struct {
	*provider.Method
	resource  *resource
	node      *yaml.Node
	operation *yaml.Node
}

// resources lists the resources and views by name.
func (s *service) resources() ([]*resource, error) {
	var all []*resource
	for _, info := range s.info.Resources {
		r, err := s.catalogue.Resource(s.info.Provider, s.info.Name, info.Name)
		if err != nil {
			return nil, err
		}
		node := child(s.root, "components", "x-stackQL-resources", r.Name)
		if node == nil {
			return nil, fmt.Errorf("the document has no resource %s", r.FullName())
		}
		all = append(all, &resource{r, node})
	}
	return all, nil
}

// methods lists the methods of every resource.
func (s *service) methods() ([]*method, error) {
	resources, err := s.resources()
	if err != nil {
		return nil, err
	}
	var all []*method
	for _, r := range resources {
		for _, info := range r.Methods {
			m := &method{Method: info, resource: r, node: child(r.node, "methods", info.Name)}
			ref := child(m.node, "operation", "$ref")
			if ref == nil {
				return nil, fmt.Errorf("%s refers to no operation", info.FullName())
			}
			if m.operation = s.at(ref.Value); m.operation == nil {
				return nil, fmt.Errorf("%s: the document has no %s", info.FullName(), ref.Value)
			}
			all = append(all, m)
		}
	}
	return all, nil
}

// eachMethod changes the methods of every resource.
func (s *service) eachMethod(change func(m *method) error) error {
	methods, err := s.methods()
	if err != nil {
		return err
	}
	for _, m := range methods {
		if err := change(m); err != nil {
			return fmt.Errorf("%s: %w", m.FullName(), err)
		}
	}
	return nil
}

// at returns the node at a JSON pointer into the document (#/components/schemas/Branch); nil if not found.
func (s *service) at(pointer string) *yaml.Node {
	steps, err := openapi.ParsePointer(pointer)
	if err != nil {
		return nil
	}
	return child(s.root, steps...)
}

// resolve follows a reference, or an allOf with a single reference, to its target.
func (s *service) resolve(n *yaml.Node) *yaml.Node {
	for range 32 { // a longer chain goes in circles
		ref := child(n, "$ref")
		if all := child(n, "allOf"); ref == nil && all != nil && len(all.Content) == 1 {
			ref = child(all.Content[0], "$ref")
		}
		if ref == nil {
			return n
		}
		n = s.at(ref.Value)
	}
	return n
}

// addSchema adds a shared schema and returns the reference to it. A name that exists is an error: the names
// of the bundle's own schemas are derived from unique names.
func (s *service) addSchema(name string, schema *yaml.Node) (*yaml.Node, error) {
	schemas := child(s.root, "components", "schemas")
	if schemas == nil {
		schemas = object()
		set(child(s.root, "components"), "schemas", schemas)
	}
	if child(schemas, name) != nil {
		return nil, fmt.Errorf("the document has a schema %s already", name)
	}
	set(schemas, name, schema)
	return reference("#/components/schemas/" + name), nil
}

// answer returns the node with the schema of the method's answer; nil if it has none.
func (m *method) answer() *yaml.Node {
	return child(m.operation, "responses", "200", "content", m.Response.MediaType)
}

// transformAnswer lets a template make JSON of the method's answer.
func (m *method) transformAnswer(kind, body string) error {
	response := child(m.node, "response")
	if response == nil {
		return fmt.Errorf("the method has no answer")
	}
	set(response, "overrideMediaType", text(jsonType))
	set(response, "transform", object("type", kind, "body", body))
	return nil
}

// describe adds a sentence to the description of a resource.
func (r *resource) describe(sentence string) {
	said := ""
	if n := child(r.node, "description"); n != nil {
		said = n.Value + " "
	}
	set(r.node, "description", text(said+sentence))
}

// isExec reports whether EXEC alone reaches the method.
func (m *method) isExec() bool { return m.SQLVerb == provider.Exec }

// body returns the schema of the body where it is a JSON object, with the node that holds it.
func (s *service) body(m *method) (*provider.Schema, *yaml.Node, error) {
	if m.Body == nil || !provider.IsJSON(m.Body.MediaType) {
		return nil, nil, nil
	}
	schema, err := s.catalogue.Resolve(m.Method, m.Body.Schema)
	if err != nil || schema == nil || schema.Type != "object" {
		return nil, nil, err
	}
	media := child(m.operation, "requestBody", "content", m.Body.MediaType)
	if media == nil {
		return nil, nil, fmt.Errorf("the operation has no body of type %s", m.Body.MediaType)
	}
	return schema, media, nil
}
