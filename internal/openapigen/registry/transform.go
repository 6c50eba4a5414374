package registry

import (
	"errors"
	"fmt"
	"strings"
)

// jsonType is the media type of nearly everything.
const jsonType = "application/json"

// transformations are the changes that StackQL needs to accept the documented statements, to describe every
// resource and to read lists to their ends. They are applied to each service's document, in order. The
// comment of each function has its reason.
func transformations() []transformation {
	return []transformation{
		{"split-twins", splitTwins},
		{"hide-required-attributes", hideRequiredAttributes},
		{"type-bodies", typeBodies},
		{"quote-parameters", quoteParameters},
		{"answer-with-objects", answerWithObjects},
		{"answer-with-arguments", answerWithArguments},
		{"join-left", joinLeft},
		{"bind-views", bindViews},
		{"order-selects", orderSelects},
		{"order-inserts", orderInserts},
		{"page-by-position", pageByPosition},
		{"take-missing-lists", takeMissingLists},
		{"show-descriptions", showDescriptions},
	}
}

// transformation changes a document for StackQL. Its name is written into the bundle's documents.
type transformation struct {
	name  string
	apply func(*service) error
}

// transform applies every transformation to a document.
func transform(s *service) ([]byte, error) {
	var heading strings.Builder
	for _, t := range transformations() {
		if err := t.apply(s); err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		fmt.Fprintf(&heading, "# transformed for StackQL: %s\n", t.name)
	}
	return encode(heading.String(), s.root)
}

// hideRequiredAttributes keeps the required attributes of request bodies out of any-sdk's sight.
// It would want each of them as an @ parameter even where @@json holds it, and so refuse the
// documented form of EXEC. The list stays readable as x-lakeql-required.
func hideRequiredAttributes(s *service) error {
	return s.eachMethod(func(m *method) error {
		for _, media := range pairs(child(m.operation, "requestBody", "content")) {
			schema := s.resolve(child(media.value, "schema"))
			if schema == nil {
				return errors.New("the body's schema is missing")
			}
			for _, attribute := range pairs(schema) {
				if attribute.key == "required" {
					attribute.name.Value = "x-lakeql-required"
				}
			}
		}
		return nil
	})
}

// showDescriptions repeats the description of a resource under the key that any-sdk reads. any-sdk looks for
// desription in YAML, so that SHOW EXTENDED RESOURCES would have no description to show.
func showDescriptions(s *service) error {
	resources, err := s.resources()
	if err != nil {
		return err
	}
	for _, r := range resources {
		if said := child(r.node, "description"); said != nil {
			set(r.node, "desription", clone(said))
		}
	}
	return nil
}
