package openapi

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// value returns a node as JSON has it: nil, bool, int64, float64, string, []any, map[string]any.
func (r *reader) value(n *yaml.Node) any {
	n = target(n)
	if n == nil || !r.enter(n) {
		return nil
	}
	defer r.leave()
	switch n.Kind {
	case yaml.SequenceNode:
		all := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			all = append(all, r.value(item))
		}
		return all
	case yaml.MappingNode:
		all := map[string]any{}
		for _, e := range r.mapping(n) {
			all[e.key] = r.value(e.value)
		}
		return all
	default:
		return scalar(n)
	}
}

// scalar returns a single value. Dates stay text, as JSON has none.
func scalar(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int":
		var i int64
		if err := n.Decode(&i); err == nil {
			return i
		}
		return n.Value
	case "!!float":
		var f float64
		if err := n.Decode(&f); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f
		}
		return n.Value
	default:
		return n.Value
	}
}

// note words a value for readers: text as it is, lists as [a, b], objects as JSON.
func (r *reader) note(n *yaml.Node) string {
	n = target(n)
	if n == nil || !r.enter(n) {
		return ""
	}
	defer r.leave()
	switch n.Kind {
	case yaml.SequenceNode:
		all := make([]string, 0, len(n.Content))
		for _, item := range n.Content {
			all = append(all, r.note(item))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case yaml.MappingNode:
		var b strings.Builder
		r.writeJSON(&b, n)
		return b.String()
	default:
		return plain(scalar(n))
	}
}

// plain words a single value.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return "null"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// writeJSON writes a node as JSON without blanks, keys in document order.
func (r *reader) writeJSON(b *strings.Builder, n *yaml.Node) {
	n = target(n)
	if !r.enter(n) {
		return
	}
	defer r.leave()
	switch n.Kind {
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			r.writeJSON(b, item)
		}
		b.WriteByte(']')
	case yaml.MappingNode:
		b.WriteByte('{')
		for i, e := range r.mapping(n) {
			if i > 0 {
				b.WriteByte(',')
			}
			writeText(b, e.key)
			b.WriteByte(':')
			r.writeJSON(b, e.value)
		}
		b.WriteByte('}')
	default:
		if text, ok := scalar(n).(string); ok {
			writeText(b, text)
			return
		}
		b.WriteString(plain(scalar(n)))
	}
}

// writeText writes a JSON string; unlike json.Marshal it leaves <, > and & alone.
func writeText(b *strings.Builder, text string) {
	encoder := json.NewEncoder(trimNewline{b})
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes and a builder always takes it
}

// trimNewline drops the line end that a json.Encoder writes after each value.
type trimNewline struct{ b *strings.Builder }

func (w trimNewline) Write(p []byte) (int, error) {
	w.b.WriteString(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}
