package reference

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"go.yaml.in/yaml/v3"
)

// Values of a document are those of JavaScript: nil, bool, float64, string, *array, and *object.

type array struct{ items []any }

// object is an object of JavaScript: keys that are array indexes come first, by size; the others in the order in
// which they were added.
type object struct {
	keys   []string
	values []any
	places map[string]int // of keys, once there are many
}

// many is how many keys an object has before they are looked up in a map.
const many = 8

func newObject(size int) *object {
	return &object{keys: make([]string, 0, size), values: make([]any, 0, size)}
}

func (o *object) place(key string) int {
	if o.places == nil {
		return slices.Index(o.keys, key)
	}
	if at, ok := o.places[key]; ok {
		return at
	}
	return -1
}

// get returns the value of a key; nil if there is none, or no object.
func (o *object) get(key string) any {
	v, _ := o.lookup(key)
	return v
}

func (o *object) lookup(key string) (any, bool) {
	if o == nil {
		return nil, false
	}
	if at := o.place(key); at >= 0 {
		return o.values[at], true
	}
	return nil, false
}

func (o *object) has(key string) bool { return o.place(key) >= 0 }

// set adds a key, or gives a known one another value, at the place where it stands.
func (o *object) set(key string, value any) {
	if at := o.place(key); at >= 0 {
		o.values[at] = value
		return
	}
	at := len(o.keys)
	if index, ok := arrayIndex(key); ok {
		if before := slices.IndexFunc(o.keys, func(other string) bool {
			n, ok := arrayIndex(other)
			return !ok || n > index
		}); before >= 0 {
			at = before
		}
	}
	o.keys, o.values = slices.Insert(o.keys, at, key), slices.Insert(o.values, at, value)
	switch {
	case o.places != nil && at == len(o.keys)-1:
		o.places[key] = at
	case len(o.keys) > many:
		o.index()
	}
}

func (o *object) index() {
	o.places = make(map[string]int, len(o.keys))
	for i, key := range o.keys {
		o.places[key] = i
	}
}

// remove takes a key out.
func (o *object) remove(key string) {
	at := o.place(key)
	if at < 0 {
		return
	}
	o.keys, o.values = slices.Delete(o.keys, at, at+1), slices.Delete(o.values, at, at+1)
	if o.places != nil {
		o.index()
	}
}

// assign adds the entries of another object, as a spread does.
func (o *object) assign(other *object) {
	if other == nil {
		return
	}
	for i, key := range other.keys {
		o.set(key, other.values[i])
	}
}

// arrayIndex reports whether a key is an array index: a number from 0 to 2³²-2 without leading zeros.
func arrayIndex(key string) (uint64, bool) {
	if key == "" || key[0] < '0' || key[0] > '9' || key[0] == '0' && len(key) > 1 || len(key) > 10 {
		return 0, false
	}
	n, err := strconv.ParseUint(key, 10, 64)
	return n, err == nil && n < math.MaxUint32
}

// scalar reads a YAML scalar by the JSON schema of YAML 1.2, as js-yaml does.
func scalar(n *yaml.Node) any {
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 || n.Style&yaml.TaggedStyle != 0 && n.Tag == "!!str" {
		return n.Value
	}
	switch n.Value {
	case "", "~", "null", "Null", "NULL":
		return nil
	case "true", "True", "TRUE":
		return true
	case "false", "False", "FALSE":
		return false
	case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF":
		return math.Inf(1)
	case "-.inf", "-.Inf", "-.INF":
		return math.Inf(-1)
	case ".nan", ".NaN", ".NAN":
		return math.NaN()
	}
	if number, ok := number(n.Value); ok {
		return number
	}
	return n.Value
}

// number reads an integer or a decimal number. Underscores may stand between digits.
func number(written string) (float64, bool) {
	if strings.Trim(written, "0123456789abcdefABCDEFxo._+-") != "" || strings.HasPrefix(written, "_") || strings.HasSuffix(written, "_") {
		return 0, false
	}
	digits := strings.ReplaceAll(written, "_", "")
	unsigned := strings.TrimLeft(digits, "+-")
	if len(digits)-len(unsigned) > 1 || unsigned == "" {
		return 0, false
	}
	sign := 1.0
	if digits[0] == '-' {
		sign = -1
	}
	for prefix, base := range map[string]int{"0x": 16, "0o": 8, "0b": 2} {
		if rest, ok := strings.CutPrefix(unsigned, prefix); ok {
			n, err := strconv.ParseUint(rest, base, 64)
			return sign * float64(n), err == nil
		}
	}
	if strings.Trim(unsigned, "0123456789.eE+-") != "" || unsigned == "." || unsigned[0] == 'e' || unsigned[0] == 'E' {
		return 0, false
	}
	n, err := strconv.ParseFloat(unsigned, 64)
	return sign * n, err == nil
}

// text is String(value).
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return numberText(v)
	case *array:
		return join(v.items, ",")
	}
	return "[object Object]"
}

// join is Array.join: null is empty.
func join(items []any, separator string) string {
	words := make([]string, len(items))
	for i, item := range items {
		if item != nil {
			words[i] = text(item)
		}
	}
	return strings.Join(words, separator)
}

// numberText writes a number as JavaScript does.
func numberText(v float64) string {
	switch size := math.Abs(v); {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "Infinity"
	case math.IsInf(v, -1):
		return "-Infinity"
	case v == 0:
		return "0"
	case size >= 1e21 || size < 1e-6:
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, 64), "e")
		return mantissa + "e" + exponent[:1] + strings.TrimLeft(exponent[1:], "0")
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// truthy reports whether a condition takes a value for true.
func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case string:
		return v != ""
	}
	return true
}

// compareCodeUnits orders texts as Array.sort does.
func compareCodeUnits(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}
