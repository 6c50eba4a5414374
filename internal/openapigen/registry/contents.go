package registry

import (
	"cmp"
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// Templates that make an object of another answer.
const (
	// textTemplate takes the answer as a text.
	textTemplate = "golang_template_text_v0.3.0"
	contentsBody = `{"contents": {{ toJson . }}, "contents_encoding": "text"}`
)

// answerWithObjects turns every answer that SELECT reaches and that is not an object into one with lakeql's
// columns: files and other texts, maps, and answers in headers. StackQL has no columns for them, so that
// DESCRIBE and SELECT would fail.
func answerWithObjects(s *service) error {
	return s.eachMethod(func(m *method) error {
		if m.Response == nil || m.SQLVerb != provider.Select {
			return nil
		}
		return s.answerWithObject(m)
	})
}

func (s *service) answerWithObject(m *method) error {
	schema, err := s.catalogue.Resolve(m.Method, m.Response.Schema)
	if err != nil {
		return err
	}
	switch {
	case schema == nil && len(m.Response.Headers) > 0:
		columns := object()
		for _, h := range m.Response.Headers {
			set(columns, h.Name, object("type", "string"))
		}
		m.resource.describe("StackQL does not read the headers that hold the answer: a row of nulls says that the file is there.")
		return s.answerWith(m, columns, textTemplate, "{}")
	case !provider.IsJSON(m.Response.MediaType):
		m.resource.describe("StackQL reads the contents as text, so that files of other bytes arrive changed.")
		return s.answerWith(m, object("contents", object("type", "string"), "contents_encoding", object("type", "string")), textTemplate, contentsBody)
	case schema != nil && schema.Type == "object" && len(schema.Properties) == 0 && schema.Additional != nil:
		column := object("type", "object")
		return s.answerWith(m, object(m.Name, column), templateType, fmt.Sprintf(`{%q: {{ toJson . }}}`, m.Name))
	}
	return nil
}

// answerWith returns a method the schema of an object, and the template that makes it of the answer.
func (s *service) answerWith(m *method, columns *yaml.Node, kind, body string) error {
	success := child(m.operation, "responses", "200")
	if success == nil {
		return errors.New("the operation has no answer 200")
	}
	ref, err := s.addSchema(m.OperationID+"_row", object("type", "object", "properties", columns))
	if err != nil {
		return err
	}
	set(success, "content", object(cmp.Or(m.Response.MediaType, jsonType), object("schema", ref)))
	return m.transformAnswer(kind, body)
}
