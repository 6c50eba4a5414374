package registry

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// nextPosition is the attribute that the templates below add to a page: where the next one begins. It is
// missing from the last page.
const nextPosition = "lakeql_next"

// The templates copy the list and add the next position; they pass on an answer without items unchanged.
// text/template cannot add: printf pads two texts to the given widths, and the length of both is the sum.
const (
	// offsetTemplate: the list, and the attribute of the response's position. totalResults is SCIM's.
	offsetTemplate = `{{- if .%[1]s -}}{"%[1]s": {{ toJson .%[1]s }}` +
		`{{- $next := len (printf "%%*s%%*s" (toInt .%[2]s) "" (len .%[1]s) "") -}}` +
		`{{- if le $next (toInt .totalResults) }}, "` + nextPosition + `": "{{ $next }}"{{ end -}} }` +
		`{{- else -}}{{ toJson . }}{{- end -}}`
	// pageTemplate: the list, and the attribute of the response's page number. An empty page is the end.
	pageTemplate = `{{- if .%[1]s -}}{"%[1]s": {{ toJson .%[1]s }}, "` + nextPosition + `": "{{ plus1 (toInt .%[2]s) }}"}` +
		`{{- else -}}{{ toJson . }}{{- end -}}`
)

// pageByPosition says in StackQL's keys how the lists go on that have no token. any-sdk knows a request's
// token and where the answer has the next one: for positions and page numbers a template works that out.
func pageByPosition(s *service) error {
	return s.eachMethod(func(m *method) error {
		if m.Paging == nil {
			return nil
		}
		return s.page(m)
	})
}

func (s *service) page(m *method) error {
	p := m.Paging
	switch p.Kind {
	case provider.ByToken:
		return nil // said on the method by the documents
	case provider.ByOffset:
		return s.pageWith(m, fmt.Sprintf(offsetTemplate, p.Items, p.ResponseToken))
	case provider.ByPage:
		return s.pageWith(m, fmt.Sprintf(pageTemplate, p.Items, p.ResponseToken))
	case provider.ByNextRequest:
		// The next request differs from this one in its offset.
		m.setPaging("offset", "body", "$."+p.ResponseToken+".offset")
		return nil
	case provider.ByMerging:
		m.setPaging(p.RequestToken, string(provider.InQuery), "$."+p.ResponseToken)
		m.resource.describe("Where the answer comes in several parts, StackQL gives a row for each, whose lists are those of the part.")
		return nil
	default:
		return fmt.Errorf("no kind of paging is %q", p.Kind)
	}
}

// pageWith adds the next position to the answer.
func (s *service) pageWith(m *method, template string) error {
	schema := s.resolve(child(m.answer(), "schema"))
	if schema == nil {
		return errors.New("the operation has no answer 200")
	}
	if properties := child(schema, "properties"); child(properties, nextPosition) == nil {
		set(properties, nextPosition, object("type", "string", "description", "Where the next page begins."))
	}
	m.setPaging(m.Paging.RequestToken, string(m.Paging.RequestIn), "$."+nextPosition)
	return m.transformAnswer(templateType, template)
}

// setPaging says on the method where the request and the answer have the token.
func (m *method) setPaging(request, location, answer string) {
	config := child(m.node, "config")
	if config == nil {
		config = object()
		set(m.node, "config", config)
	}
	flow := func(n *yaml.Node) *yaml.Node { n.Style = yaml.FlowStyle; return n }
	set(config, "pagination", object(
		"requestToken", flow(object("key", request, "location", location)),
		"responseToken", flow(object("key", answer, "location", "body"))))
}

// takeMissingLists points to the items of a list rather than to the list: the API leaves out a list that is
// empty, which any-sdk takes for an error, and with it drops the pages before it.
func takeMissingLists(s *service) error {
	return s.eachMethod(func(m *method) error {
		key := child(m.node, "response", "objectKey")
		if key == nil {
			return nil
		}
		list := s.resolve(child(m.answer(), "schema"))
		for name := range strings.SplitSeq(strings.TrimPrefix(key.Value, "$."), ".") {
			list = s.resolve(child(list, "properties", name))
		}
		if list == nil {
			return fmt.Errorf("the answer has no %s", key.Value)
		}
		if typeOf(list) == "array" {
			key.SetString(key.Value + "[*]")
		}
		return nil
	})
}
