package openapi

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// Finding is something suspicious in a document.
type Finding struct {
	File         string // as the folder has it
	Line, Column int    // from 1
	Rule         string // a stable name; see [Lint]
	Message      string
}

// String words a finding as compilers do: file:line:column: rule: message.
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s", f.File, f.Line, f.Column, f.Rule, f.Message)
}

// Lint reads the provider folders below fsys, or the one that fsys is, and returns what is suspicious in them,
// sorted by place. It reports more than [Documents.Check], which stops at the first fault. The rules are:
//
//	syntax                   the file is no YAML, or empty
//	missing-file             provider.yaml names a service whose file is not there
//	duplicate-name           a key stands twice: a method, a resource, a path, a property
//	unresolved-reference     a $ref leads nowhere
//	method-without-operation a method has no operation, or one that is not in the document
//	unknown-method           sqlVerbs names a method that the resource does not have
//	parameter-without-schema a parameter has neither schema nor content
//	path-parameter           the names in a path and its parameters in path differ
//	required-not-property    required names an attribute that the schema does not have
//	docstring                a description has the markup of another documentation: :param x:, :class:`X`
//	empty-description        a description is there and says nothing
//	resource-without-id      a resource has no id, and therefore no page
//
// A description with x-lakeql-allow: [docstring] beside it may break that rule.
func Lint(fsys fs.FS) ([]Finding, error) {
	dirs := []string{"."}
	if _, err := fs.Stat(fsys, providerFile); err != nil {
		entries, err := fs.ReadDir(fsys, ".")
		if err != nil {
			return nil, fmt.Errorf("read provider folders: %w", err)
		}
		dirs = nil
		for _, entry := range entries {
			dir, found, err := latest(fsys, entry.Name())
			if err != nil {
				return nil, err
			}
			if found {
				dirs = append(dirs, dir)
			}
		}
		if len(dirs) == 0 {
			return nil, noDocuments()
		}
	}
	l := &linter{fsys: fsys}
	for _, dir := range dirs {
		l.folder(dir)
	}
	slices.SortStableFunc(l.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return l.found, nil
}

type linter struct {
	fsys  fs.FS
	doc   *document
	found []Finding
}

func (l *linter) add(n *yaml.Node, rule, format string, args ...any) {
	f := Finding{File: l.doc.name, Line: 1, Column: 1, Rule: rule, Message: fmt.Sprintf(format, args...)}
	if n != nil && n.Line > 0 {
		f.Line, f.Column = n.Line, n.Column
	}
	l.found = append(l.found, f)
}

// read parses a file; it is false if the file cannot be looked into.
func (l *linter) read(name string) bool {
	l.doc = &document{name: path.Clean(name)}
	text, err := fs.ReadFile(l.fsys, l.doc.name)
	if err != nil {
		l.add(nil, "missing-file", "%s", err)
		return false
	}
	var parsed yaml.Node
	err = yaml.Unmarshal(text, &parsed)
	switch {
	case err != nil:
		line := 1
		_, _ = fmt.Sscanf(err.Error(), "yaml: line %d:", &line) // without one it is the first
		l.add(&yaml.Node{Line: line, Column: 1}, "syntax", "%s", provider.Printable(err.Error()))
		return false
	case parsed.Kind != yaml.DocumentNode || len(parsed.Content) == 0:
		l.add(nil, "syntax", "the document is empty")
		return false
	}
	l.doc.root = parsed.Content[0]
	return true
}

func (l *linter) folder(dir string) {
	if !l.read(path.Join(dir, providerFile)) {
		return
	}
	header := l.doc
	l.walk(header.root, anything)
	for _, entry := range pairs(lookupPlain(header.root, "providerServices")) {
		ref := lookupPlain(lookupPlain(entry.value, "service"), "$ref")
		l.doc = header
		if ref == nil || ref.Kind != yaml.ScalarNode {
			l.add(entry.node, "missing-file", "service %s has no service.$ref", provider.Quote(entry.key))
			continue
		}
		file, ok := serviceFile(ref.Value)
		file = spelled(l.fsys, path.Join(dir, file))
		if _, err := fs.Stat(l.fsys, file); !ok || err != nil {
			l.add(ref, "missing-file", "service %s has its document in %s, which is not there", provider.Quote(entry.key), provider.Quote(ref.Value))
			continue
		}
		if !l.read(file) {
			continue
		}
		l.walk(l.doc.root, anything)
		l.paths()
		l.resources()
	}
}

// pairs returns the entries of a mapping as it is written; none of anything else.
func pairs(n *yaml.Node) fields {
	n = target(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var all fields
	for i := 0; i+1 < len(n.Content); i += 2 {
		all = append(all, entry{n.Content[i].Value, n.Content[i], target(n.Content[i+1])})
	}
	return all
}

func lookupPlain(n *yaml.Node, key string) *yaml.Node { return pairs(n).get(key) }

// kind says how the keys of a mapping are read.
type kind int

const (
	anything kind = iota // they are fields of the document
	named                // they are names of the document's author
	part                 // they are fields of a schema that is one of several, as in allOf
)

// namedBelow are the fields whose own keys are names.
func namedBelow(key string) bool {
	switch key {
	case "properties", "patternProperties", "schemas", "responses", "parameters", "requestBodies", "headers", "content",
		"variables", "paths", "methods", "x-stackQL-resources", "providerServices", "securitySchemes", "callbacks", "links":
		return true
	}
	return false
}

// walk looks at what any place of a document may have. It does not follow aliases.
func (l *linter) walk(n *yaml.Node, as kind) {
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			l.walk(item, as)
		}
		return
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if seen[key.Value] && !isMerge(key) {
			l.add(key, "duplicate-name", "%s is given twice", provider.Quote(key.Value))
		}
		seen[key.Value] = true
		if as == named {
			l.walk(value, anything)
			continue
		}
		switch key.Value {
		case "example", "examples", "default", "enum", "mapping", "sqlVerbs", "service":
		case "$ref":
			l.reference(value)
		case "description":
			l.description(value, lookupPlain(n, "x-lakeql-allow"))
		case "allOf", "oneOf", "anyOf", "not":
			l.walk(value, part)
		default:
			if namedBelow(key.Value) && value.Kind == yaml.MappingNode {
				l.walk(value, named)
				continue
			}
			if !strings.HasPrefix(key.Value, "x-") || key.Value == "x-stackQL-resources" {
				l.walk(value, anything)
			}
		}
	}
	if as == anything {
		l.required(n)
	}
}

func (l *linter) reference(n *yaml.Node) {
	n = target(n)
	if n.Kind != yaml.ScalarNode {
		l.add(n, "unresolved-reference", "a reference is %s, not text", kindOf(n))
		return
	}
	if r := l.doc.reader(); r.at(n) == nil {
		l.add(n, "unresolved-reference", "%s leads nowhere in this document", provider.Quote(n.Value))
	}
}

var docstring = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("(?m)^\\s*:(param|returns?|raises|type|rtype)\\b[^:\\n]*:|:(class|meth|func|ref|attr):`")
})

// description looks at a description; allowed lists rules that it breaks on purpose.
func (l *linter) description(n, allowed *yaml.Node) {
	n = target(n)
	if n.Kind != yaml.ScalarNode {
		return
	}
	if strings.TrimSpace(n.Value) == "" {
		l.add(n, "empty-description", "the description says nothing: write one, or leave it out")
	}
	if mark := docstring().FindString(n.Value); mark != "" && !slices.Contains(l.doc.reader().texts(allowed), "docstring") {
		l.add(n, "docstring", "the description has markup of another documentation: %s", provider.Quote(strings.TrimSpace(mark)))
	}
}

// required looks for names of required that are no properties. A part of a schema may name those of another part.
func (l *linter) required(n *yaml.Node) {
	names, properties := lookupPlain(n, "required"), lookupPlain(n, "properties")
	if names == nil || names.Kind != yaml.SequenceNode || properties == nil {
		return
	}
	for _, other := range []string{"allOf", "oneOf", "anyOf", "additionalProperties", "$ref"} {
		if lookupPlain(n, other) != nil {
			return
		}
	}
	for _, name := range names.Content {
		if lookupPlain(properties, name.Value) == nil {
			l.add(name, "required-not-property", "%s is required, and no property", provider.Quote(name.Value))
		}
	}
}

var placeholder = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\{([^{}]*)\}`)
})

// paths looks at the parameters of each operation.
func (l *linter) paths() {
	for _, item := range pairs(lookupPlain(l.doc.root, "paths")) {
		r := l.doc.reader()
		shared := r.list(lookupPlain(r.follow(item.value), "parameters"))
		l.schemas(shared)
		for _, op := range pairs(r.follow(item.value)) {
			if !isVerb(op.key) {
				continue
			}
			own := r.list(lookupPlain(r.follow(op.value), "parameters"))
			l.schemas(own)
			l.pathParameters(item.key, op, slices.Concat(shared, own))
		}
	}
}

// schemas looks for parameters of which nothing says what values they take.
func (l *linter) schemas(params []*yaml.Node) {
	for _, n := range params {
		at := l.doc.reader().follow(n)
		if at != nil && lookupPlain(at, "schema") == nil && lookupPlain(at, "content") == nil {
			name := ""
			if n := lookupPlain(at, "name"); n != nil {
				name = n.Value
			}
			l.add(n, "parameter-without-schema", "parameter %s has no schema", provider.Quote(name))
		}
	}
}

func (l *linter) pathParameters(name string, op entry, params []*yaml.Node) {
	name, _, _ = strings.Cut(name, "#")
	var have []string
	for _, n := range params {
		at := l.doc.reader().follow(n)
		if in := lookupPlain(at, "in"); in == nil || in.Value != "path" {
			continue
		}
		if n := lookupPlain(at, "name"); n != nil {
			have = append(have, n.Value)
			if !strings.Contains(name, "{"+n.Value) {
				l.add(n, "path-parameter", "parameter %s is not in the path %s", provider.Quote(n.Value), provider.Quote(name))
			}
		}
	}
	for _, match := range placeholder().FindAllStringSubmatch(name, -1) {
		inner := strings.TrimRight(match[1], "+*")
		if !slices.Contains(have, match[1]) && !slices.Contains(have, inner) {
			l.add(op.node, "path-parameter", "%s of the path %s is no parameter of %s", provider.Quote(match[1]), provider.Quote(name), op.key)
		}
	}
}

// resources looks at the methods of each resource, and at what sqlVerbs says of them.
func (l *linter) resources() {
	for _, resource := range pairs(lookupPlain(lookupPlain(l.doc.root, "components"), "x-stackQL-resources")) {
		if id := lookupPlain(resource.value, "id"); id == nil || id.Value == "" {
			l.add(resource.node, "resource-without-id", "resource %s has no id, and therefore no page", provider.Quote(resource.key))
		}
		methods := pairs(lookupPlain(resource.value, "methods"))
		for _, m := range methods {
			ref := lookupPlain(lookupPlain(m.value, "operation"), "$ref")
			r := l.doc.reader()
			if r.operation(m, ref); r.err != nil && (ref == nil || l.doc.reader().at(ref) != nil) {
				l.add(m.node, "method-without-operation", "method %s has no operation of the document", provider.Quote(m.key))
			} else if r.err != nil {
				l.add(m.node, "method-without-operation", "the operation of method %s is not in the document", provider.Quote(m.key))
			}
		}
		for _, verb := range pairs(lookupPlain(resource.value, "sqlVerbs")) {
			if verb.value.Kind != yaml.SequenceNode {
				continue
			}
			for _, item := range verb.value.Content {
				ref := lookupPlain(item, "$ref")
				if ref == nil {
					l.add(item, "unknown-method", "an entry of sqlVerbs.%s has no $ref", verb.key)
				} else if _, ok := methodName(ref.Value, methods); !ok {
					l.add(ref, "unknown-method", "sqlVerbs.%s names %s, which is no method of the resource", verb.key, provider.Quote(ref.Value))
				}
			}
		}
	}
}
