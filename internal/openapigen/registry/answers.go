package registry

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// answerWithArguments adds the parameters of methods that only EXEC reaches, and the attributes of their
// bodies, to their answers. StackQL selects them as columns beside the answer's own, and crashes with a nil
// pointer if the answer's schema lacks one. These columns show the supplied values.
func answerWithArguments(s *service) error {
	return s.eachMethod(func(m *method) error {
		if !m.isExec() || m.Response == nil {
			return nil
		}
		return s.addArguments(m)
	})
}

func (s *service) addArguments(m *method) error {
	success := child(m.operation, "responses", "200")
	if success == nil {
		return fmt.Errorf("the operation has no answer 200")
	}
	media := child(success, "content", jsonType)
	if media == nil {
		media = object()
		set(success, "content", object(jsonType, media))
	}
	answer := object("type", "object")
	if schema := s.resolve(child(media, "schema")); schema != nil {
		if typeOf(schema) != "object" {
			return nil // rows of an array have what their items have
		}
		answer = clone(schema)
	}
	properties := child(answer, "properties")
	if properties == nil {
		properties = object()
		set(answer, "properties", properties)
	}
	arguments, err := s.arguments(m)
	if err != nil {
		return err
	}
	for _, a := range arguments {
		if child(properties, a.key) == nil {
			set(properties, a.key, a.value)
		}
	}
	ref, err := s.addSchema(m.OperationID+"_answer", answer)
	if err != nil {
		return err
	}
	set(media, "schema", ref)
	return nil
}

// arguments lists the possible arguments of a call, each as a column of text.
func (s *service) arguments(m *method) ([]pair, error) {
	var all []pair
	add := func(name, description string) {
		column := object("type", "string")
		if description != "" {
			set(column, "description", text(description))
		}
		all = append(all, pair{key: name, value: column})
	}
	for _, v := range m.ServerVariables() {
		add(v.Name, v.Description)
	}
	for _, p := range m.Params {
		add(p.Name, p.Description)
	}
	schema, _, err := s.body(m)
	if err != nil || schema == nil {
		return all, err
	}
	for _, p := range schema.Properties {
		attribute, err := s.catalogue.Resolve(m.Method, p.Schema)
		if err != nil {
			return nil, err
		}
		add(p.Name, attribute.Description)
	}
	return all, nil
}

// quoteParameters makes texts of the parameters of methods that EXEC alone reaches. StackQL takes no literal
// at all for an integer or a boolean there; now it takes '1' and 'true', and both are the same in a URL.
func quoteParameters(s *service) error {
	methods, err := s.methods()
	if err != nil {
		return err
	}
	shared := map[*yaml.Node]bool{} // operations that SQL reaches as well
	for _, m := range methods {
		if !m.isExec() {
			shared[m.operation] = true
		}
	}
	for _, m := range methods {
		if !m.isExec() || shared[m.operation] {
			continue
		}
		parameters := child(m.operation, "parameters")
		if parameters == nil {
			continue
		}
		for i, p := range parameters.Content {
			given := s.resolve(p)
			schema := s.resolve(child(given, "schema"))
			if schema == nil || typeOf(schema) == "string" || typeOf(schema) == "array" || typeOf(schema) == "object" {
				continue
			}
			quoted := clone(given)
			set(quoted, "schema", object("type", "string"))
			parameters.Content[i] = quoted
		}
	}
	return nil
}
