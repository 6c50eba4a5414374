package openapi

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// maxReferences bounds a chain of references; a longer one goes in circles.
const maxReferences = 32

// follow returns the target of a reference, or n itself if it is not a reference.
func (r *reader) follow(n *yaml.Node) *yaml.Node {
	for range maxReferences {
		n = target(n)
		if r.err != nil || n == nil || n.Kind != yaml.MappingNode {
			return n
		}
		ref := r.mapping(n).get("$ref")
		if ref == nil {
			return n
		}
		n = r.at(ref)
	}
	r.fail(n, "a reference leads back to itself")
	return nil
}

// at returns the node that the reference's text points to.
func (r *reader) at(ref *yaml.Node) *yaml.Node {
	steps, err := ParsePointer(r.text(ref))
	if err != nil {
		r.fail(ref, "%s", err)
		return nil
	}
	n := r.doc.root
	for _, step := range steps {
		if n = r.child(n, step); n == nil {
			r.fail(ref, "reference %s leads nowhere", provider.Quote(ref.Value))
			return nil
		}
	}
	return n
}

// child takes one step of a JSON pointer. A name may be percent-encoded, as in {id} → %7Bid%7D.
func (r *reader) child(n *yaml.Node, step string) *yaml.Node {
	n = target(n)
	if n == nil {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		for _, spelling := range spellings(step) {
			if found := r.lookup(n, spelling); found != nil {
				return found
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Content) {
			return target(n.Content[i])
		}
	default: // a single value has no parts
	}
	return nil
}

// ParsePointer takes a reference within a document (RFC 6901 after #) apart into its steps.
func ParsePointer(ref string) ([]string, error) {
	file, inner, ok := strings.Cut(ref, "#")
	switch {
	case !ok || !strings.HasPrefix(inner, "/"):
		return nil, fmt.Errorf("reference %s is not of the form #/…", provider.Quote(ref))
	case file != "":
		return nil, fmt.Errorf("reference %s leads out of the document", provider.Quote(ref))
	}
	steps := strings.Split(inner[1:], "/")
	for i, step := range steps {
		steps[i] = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
	}
	return steps, nil
}

// EscapePointer writes a name as a step of a pointer.
func EscapePointer(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// spellings returns a step as it is written and, where that differs, percent-decoded.
func spellings(step string) []string {
	if decoded, err := url.PathUnescape(step); err == nil && decoded != step {
		return []string{step, decoded}
	}
	return []string{step}
}
