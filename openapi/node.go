package openapi

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// document is one YAML file.
type document struct {
	name string // as messages name it
	root *yaml.Node
}

// parseFile reads a file and checks the whole of it: it must be YAML, and the keys of every mapping
// must be text and differ.
func parseFile(fsys fs.FS, name string) (*document, error) {
	name = path.Clean(name)
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, provider.Usagef("read document: %v", err).Because(err)
	}
	var parsed yaml.Node
	if err := yaml.Unmarshal(text, &parsed); err != nil {
		return nil, syntaxError(name, err)
	}
	if parsed.Kind != yaml.DocumentNode || len(parsed.Content) == 0 {
		return nil, provider.Usagef("%s:1: the document is empty", name)
	}
	doc := &document{name: name, root: parsed.Content[0]}
	r := doc.reader()
	r.checkKeys(doc.root)
	if r.err != nil {
		return nil, r.err
	}
	return doc, nil
}

// syntaxError puts the line that the YAML parser reports where every other error has it.
func syntaxError(name string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := "1"
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if number, message, ok := strings.Cut(rest, ": "); ok {
			line, text = number, message
		}
	}
	return provider.Usagef("%s:%s: %s", name, line, provider.Printable(text)).Because(err)
}

// Limits on the cost of one request to a document. With YAML's aliases and allOf a short document
// can describe an enormous or endless one.
const (
	maxDepth = 500
	maxSteps = 1_000_000
)

// reader reads nodes of one document. It keeps the first fault in err; from then on every method
// returns a zero value, so that callers need to check err only at the end.
type reader struct {
	doc   *document
	err   error
	depth int
	steps int
	// merging names the shared schemas that allOf is taking in, outermost first. Those from
	// direct on have no property or item between them: one of them again is a circle.
	merging []string
	direct  int
}

func (d *document) reader() *reader { return &reader{doc: d} }

// fail keeps the first problem, with the line of the node that has it.
func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	if r.err != nil {
		return
	}
	line := 1
	if n != nil && n.Line > 0 {
		line = n.Line
	}
	r.err = provider.Usagef("%s:%d: %s", r.doc.name, line, fmt.Sprintf(format, args...))
}

// step counts the work done, and reports whether to go on.
func (r *reader) step(n *yaml.Node) bool {
	r.steps++
	if r.steps > maxSteps {
		r.fail(n, "the document grows too large where aliases and references are followed")
	}
	return r.err == nil
}

// enter goes a level deeper, and reports whether it may; leave comes back.
func (r *reader) enter(n *yaml.Node) bool {
	r.depth++
	if r.depth > maxDepth {
		r.fail(n, "nested more than %d deep, or without end", maxDepth)
	}
	return r.step(n)
}

func (r *reader) leave() { r.depth-- }

// checkKeys looks at every mapping as it is written, without following aliases.
func (r *reader) checkKeys(n *yaml.Node) {
	if !r.enter(n) {
		return
	}
	defer r.leave()
	r.steps-- // a document may be as long as it likes
	if n.Kind == yaml.MappingNode {
		seen := make(map[string]bool, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := target(n.Content[i])
			if key.Kind != yaml.ScalarNode {
				r.fail(n.Content[i], "a key is %s, not text", kindOf(key))
				return
			}
			if seen[key.Value] && !isMerge(key) {
				r.fail(n.Content[i], "key %s is given twice", provider.Quote(key.Value))
				return
			}
			seen[key.Value] = true
		}
	}
	for _, child := range n.Content {
		r.checkKeys(child)
	}
}

// target follows an alias. An alias never leads to another.
func target(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isMerge(key *yaml.Node) bool { return key.Value == "<<" && key.ShortTag() == "!!merge" }

func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "a single value"
	}
}

// entry is a key of a mapping with its value.
type entry struct {
	key   string
	node  *yaml.Node // the key's
	value *yaml.Node
}

// fields are a mapping's entries in document order.
type fields []entry

// get returns the value under key; nil where there is none.
func (f fields) get(key string) *yaml.Node {
	for i := range f {
		if f[i].key == key {
			return f[i].value
		}
	}
	return nil
}

// mapping returns the entries of a mapping, including those of a merge key (<<). An absent node and
// null have no entries.
func (r *reader) mapping(n *yaml.Node) fields {
	n = target(n)
	if r.err != nil || isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, "expected a mapping, found %s", kindOf(n))
		return nil
	}
	if !r.enter(n) {
		return nil
	}
	defer r.leave()
	entries := make(fields, 0, len(n.Content)/2)
	var merged map[string]int // where entries of merge keys stand, as others replace them
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := target(n.Content[i]), target(n.Content[i+1])
		if isMerge(key) {
			for _, e := range r.mergeSources(value) {
				if entries.get(e.key) == nil {
					if merged == nil {
						merged = map[string]int{}
					}
					merged[e.key] = len(entries)
					entries = append(entries, e)
				}
			}
			continue
		}
		if at, ok := merged[key.Value]; ok {
			entries[at] = entry{key.Value, key, value}
			continue
		}
		entries = append(entries, entry{key.Value, key, value})
	}
	return entries
}

// mergeSources returns the entries of the mapping or mappings under a merge key.
func (r *reader) mergeSources(n *yaml.Node) fields {
	if n.Kind != yaml.SequenceNode {
		return r.mapping(n)
	}
	var all fields
	for _, item := range n.Content {
		all = append(all, r.mapping(item)...)
		if !r.step(item) || len(all) > maxSteps {
			return nil
		}
		r.steps += len(all)
	}
	return all
}

// lookup finds one key of a mapping. It makes no list of the others: the paths and schemas of a
// document are many, and so are the references to them.
func (r *reader) lookup(n *yaml.Node, key string) *yaml.Node {
	n = target(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return r.mapping(n).get(key)
	}
	merges := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch k := target(n.Content[i]); {
		case isMerge(k):
			merges = true
		case k.Value == key:
			return target(n.Content[i+1])
		}
	}
	if merges {
		return r.mapping(n).get(key)
	}
	return nil
}

// list returns the items of a list. An absent node and null have no items.
func (r *reader) list(n *yaml.Node) []*yaml.Node {
	n = target(n)
	if isNull(n) || !r.step(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "expected a list, found %s", kindOf(n))
		return nil
	}
	return n.Content
}

// text returns a single value as text; empty if the node is absent or null.
func (r *reader) text(n *yaml.Node) string {
	n = target(n)
	if isNull(n) {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		r.fail(n, "expected text, found %s", kindOf(n))
		return ""
	}
	return n.Value
}

// texts returns a list of texts.
func (r *reader) texts(n *yaml.Node) []string {
	var all []string
	for _, item := range r.list(n) {
		all = append(all, r.text(item))
	}
	return all
}

// flag returns a boolean; false if the node is absent or null.
func (r *reader) flag(n *yaml.Node) bool {
	n = target(n)
	if isNull(n) {
		return false
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		r.fail(n, "expected true or false")
		return false
	}
	return strings.EqualFold(n.Value, "true")
}
