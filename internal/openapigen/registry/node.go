package registry

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// pair is an entry of a YAML mapping.
type pair struct {
	key   string
	name  *yaml.Node
	value *yaml.Node
}

// pairs lists the entries of a mapping in document order; none for anything else.
func pairs(n *yaml.Node) []pair {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var all []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		all = append(all, pair{n.Content[i].Value, n.Content[i], n.Content[i+1]})
	}
	return all
}

// child finds an entry of a mapping, and goes on inside it by the further keys; nil where one is missing.
func child(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		var found *yaml.Node
		for _, p := range pairs(n) {
			if p.key == key {
				found = p.value
			}
		}
		n = found
	}
	return n
}

// set replaces an entry of a mapping, or adds it at the end.
func set(n *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content[i+1] = value
			return
		}
	}
	n.Content = append(n.Content, text(key), value)
	n.Style = 0 // what was written on one line may now be too long for one
}

// remove deletes an entry of a mapping.
func remove(n *yaml.Node, key string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content = append(n.Content[:i], n.Content[i+2:]...)
			return
		}
	}
}

// object makes a mapping from keys and values in turn. A value is a node or a string.
func object(keysAndValues ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; i+1 < len(keysAndValues); i += 2 {
		n.Content = append(n.Content, text(keysAndValues[i].(string)), asNode(keysAndValues[i+1]))
	}
	return n
}

func asNode(value any) *yaml.Node {
	switch v := value.(type) {
	case *yaml.Node:
		return v
	case string:
		return text(v)
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(v)}
	default:
		panic(fmt.Sprintf("no YAML for %T", value))
	}
}

func text(value string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(value) // chooses the style: a block for several lines
	return n
}

func reference(pointer string) *yaml.Node {
	n := object("$ref", pointer)
	n.Style = yaml.FlowStyle
	return n
}

// encode writes a document below a heading.
func encode(heading string, root *yaml.Node) ([]byte, error) {
	b := bytes.NewBufferString(heading)
	enc := yaml.NewEncoder(b)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

// clone copies a node with all that is in it.
func clone(n *yaml.Node) *yaml.Node {
	if n == nil {
		return nil
	}
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, inner := range n.Content {
		c.Content[i] = clone(inner)
	}
	return &c
}
