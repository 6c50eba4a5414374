package document

import (
	"bytes"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// object is a mapping with ordered keys.
type object struct{ node *yaml.Node }

func newObject() *object {
	return &object{&yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}}
}

// flow writes the object on one line, which saves a third of the size of small ones.
func (o *object) flow() *object {
	o.node.Style = yaml.FlowStyle
	return o
}

// set adds a key. Values are strings, booleans, integers, objects, and lists of strings or objects.
func (o *object) set(key string, value any) *object {
	o.node.Content = append(o.node.Content, scalar(key), valueNode(value))
	return o
}

// setUnlessEmpty adds a key unless its value is empty, false, 0 or nil.
func (o *object) setUnlessEmpty(key string, value any) *object {
	switch v := value.(type) {
	case string:
		if v == "" {
			return o
		}
	case bool:
		if !v {
			return o
		}
	case int:
		if v == 0 {
			return o
		}
	case []string:
		if len(v) == 0 {
			return o
		}
	case []*object:
		if len(v) == 0 {
			return o
		}
	case *object:
		if v == nil || len(v.node.Content) == 0 {
			return o
		}
	}
	return o.set(key, value)
}

func (o *object) empty() bool { return len(o.node.Content) == 0 }

func valueNode(value any) *yaml.Node {
	switch v := value.(type) {
	case string:
		return scalar(v)
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)}
	case int:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(v)}
	case *object:
		return v.node
	case []string:
		// Short lists of words read well on one line; so does the empty one.
		list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
		for _, s := range v {
			list.Content = append(list.Content, scalar(s))
		}
		return list
	case []*object:
		list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if len(v) == 0 {
			list.Style = yaml.FlowStyle
		}
		for _, o := range v {
			list.Content = append(list.Content, o.node)
		}
		return list
	}
	panic("document: a value that YAML is not written of") // a mistake in this package
}

// ambiguous are plain words that some reader of YAML takes for something else than a string: the
// booleans and null of YAML 1.1, its numbers (hexadecimal, octal and sexagesimal ones included)
// and dates.
var ambiguous = regexp.MustCompile(`^(?:(?i:y|n|yes|no|on|off|true|false|null|~|=|<<|[-+]?\.inf|\.nan)` +
	`|[-+]?\.?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|[-+]?0[xX][0-9a-fA-F_]+|[-+]?0o?[0-7_]+|[-+]?0b[01_]+` +
	`|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*)?$`)

func scalar(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if ambiguous.MatchString(s) {
		n.Style = yaml.SingleQuotedStyle
	}
	return n
}

// ref is {$ref: target}, on one line.
func ref(target string) *object { return newObject().set("$ref", target).flow() }

// encode writes a document.
func encode(o *object) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# " + heading + "\n")
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(o.node); err != nil {
		return nil, err
	}
	if err := e.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
