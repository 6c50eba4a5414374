package dispatch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/lakeql/lakeql/provider"
)

// check checks a value against its schema, and returns the value to send. If the schema wants an array,
// an object, a number or a boolean, check reads a string as JSON, because the documented statements
// write such values in this form ("claims": "[]"). A null attribute counts as absent, as in the official
// SDK, whose types cannot hold null.
func (c *Client) check(m *provider.Method, schema *provider.Schema, value any, path provider.Path) (any, error) {
	schema, err := c.Catalogue.Resolve(m, schema)
	if err != nil {
		return nil, err
	}
	if schema == nil {
		return value, nil
	}
	switch schema.Type {
	case "":
		return value, nil
	case "string":
		return c.checkString(m, schema, value, path)
	}
	if text, ok := value.(string); ok {
		parsed, err := parse(text)
		if err != nil {
			e := usage("", path, "%s is not %s", c.quoteFor(m, schema, text), article(schema.Type))
			if strings.ContainsAny(text, "[{") {
				e.Message += ": " + err.Error()
			}
			return nil, e
		}
		value = parsed
	}
	switch schema.Type {
	case "array":
		return c.checkArray(m, schema, value, path)
	case "object":
		return c.checkObject(m, schema, value, path)
	case "integer", "number":
		return c.checkNumber(m, schema, value, path)
	case "boolean":
		if _, ok := value.(bool); !ok {
			return nil, c.mismatch(m, schema, value, path)
		}
		return value, c.checkEnum(m, schema, value, path)
	}
	return nil, provider.Internalf("%s: schema of unknown type %q", m.FullName(), schema.Type)
}

func (c *Client) checkArray(m *provider.Method, schema *provider.Schema, value any, path provider.Path) (any, error) {
	items, ok := value.([]any)
	if !ok {
		return nil, c.mismatch(m, schema, value, path)
	}
	checked := make([]any, len(items))
	for i, item := range items {
		var err error
		if checked[i], err = c.check(m, schema.Items, item, join(path, i)); err != nil {
			return nil, err
		}
	}
	return checked, nil
}

func (c *Client) checkObject(m *provider.Method, schema *provider.Schema, value any, path provider.Path) (any, error) {
	attributes, ok := value.(map[string]any)
	if !ok {
		return nil, c.mismatch(m, schema, value, path)
	}
	freeForm := len(schema.Properties) == 0 && schema.Additional == nil && len(path) > 0
	names := make([]string, 0, len(attributes))
	for name := range attributes {
		names = append(names, name)
	}
	slices.Sort(names) // errors are the same each time
	checked := make(map[string]any, len(attributes))
	for _, name := range names {
		property, known := schema.Property(name)
		if !known {
			property = schema.Additional
		}
		if freeForm {
			checked[name] = attributes[name]
			continue
		}
		if property == nil {
			e := usage("", join(path, name), "unknown attribute")
			e.Hint = "known are " + list(schema.Properties, name)
			return nil, e
		}
		if attributes[name] == nil {
			continue
		}
		var err error
		if checked[name], err = c.check(m, property, attributes[name], join(path, name)); err != nil {
			return nil, err
		}
	}
	for _, name := range schema.Required {
		if _, given := checked[name]; given {
			continue
		}
		property, _ := schema.Property(name)
		if property, err := c.Catalogue.Resolve(m, property); err != nil {
			return nil, err
		} else if property != nil && property.ReadOnly {
			continue // the server gives it: required in answers only (OpenAPI 3.0.3, readOnly)
		}
		return nil, usage("", join(path, name), "missing: it is required")
	}
	return checked, nil
}

// list names attributes for a hint: the nearest to the wrong name where there are many.
func list(properties []provider.Property, wrong string) string {
	names := make([]string, len(properties))
	for i, p := range properties {
		names[i] = p.Name
	}
	if len(names) > 8 {
		if near := provider.Nearest(names, wrong, 3); len(near) > 0 {
			return strings.Join(near, ", ") + " and others"
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func (c *Client) checkString(m *provider.Method, schema *provider.Schema, value any, path provider.Path) (any, error) {
	text, ok := value.(string)
	if !ok {
		return nil, c.mismatch(m, schema, value, path)
	}
	if !utf8.ValidString(text) { // or the encoder would put another character in silently
		return nil, usage("", path, "%s is not valid UTF-8", c.quoteFor(m, schema, text))
	}
	if err := c.checkEnum(m, schema, text, path); err != nil {
		return nil, err
	}
	if schema.Pattern != "" {
		matches, err := c.matchPattern(schema.Pattern, text)
		if err != nil {
			return nil, err
		}
		if !matches && schema.NameTemplate != "" {
			return nil, usage("", path, "%s does not have the form %s", c.quoteFor(m, schema, text), schema.NameTemplate)
		}
		if !matches {
			return nil, usage("", path, "%s does not match the pattern %s", c.quoteFor(m, schema, text), schema.Pattern)
		}
	}
	if schema.Format == "date-time" {
		if _, err := time.Parse(time.RFC3339Nano, text); err != nil || !timeForm().MatchString(text) {
			e := usage("", path, "%s is not a time", provider.Quote(text))
			e.Hint = "write it as 2026-01-31T12:00:00Z"
			return nil, e
		}
	}
	return text, nil
}

// timeForm is the form of RFC 3339 §5.6, to which time.Parse does not keep: it takes an hour of one
// digit, a comma for the point, and a zone of 99 hours (https://go.dev/issue/54580).
var timeForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)
})

// checkEnum compares a scalar with the values that a schema lists.
func (c *Client) checkEnum(m *provider.Method, schema *provider.Schema, value any, path provider.Path) error {
	if len(schema.Enum) == 0 || slices.ContainsFunc(schema.Enum, func(listed any) bool { return sameScalar(listed, value) }) {
		return nil
	}
	text := plain(value)
	if _, ok := value.(string); ok || c.holdsSecret(m, schema) {
		text = c.quoteFor(m, schema, text)
	}
	return usage("", path, "%s is not one of %s", text, enumeration(schema.Enum))
}

// sameScalar compares a value that a document lists with one of a call, which has its numbers as
// text.
func sameScalar(listed, given any) bool {
	number, ok := given.(json.Number)
	if !ok {
		return listed == given
	}
	if _, isText := listed.(string); isText {
		return false
	}
	a, b := new(big.Rat), new(big.Rat)
	if _, ok := a.SetString(fmt.Sprint(listed)); !ok || !shortExponent(number.String()) {
		return false
	}
	_, ok = b.SetString(number.String())
	return ok && a.Cmp(b) == 0
}

// quoteFor quotes a value for a message, unless it is a secret or may hold one.
func (c *Client) quoteFor(m *provider.Method, schema *provider.Schema, text string) string {
	if c.holdsSecret(m, schema) {
		return provider.Secret(text).String()
	}
	return provider.Quote(text)
}

func enumeration(values []any) string {
	const limit = 20
	words := make([]string, 0, limit)
	for _, v := range values[:min(limit, len(values))] {
		words = append(words, fmt.Sprint(v))
	}
	if len(values) > limit {
		words = append(words, "…")
	}
	return strings.Join(words, ", ")
}

// checkNumber keeps numbers as they are written, so that none loses digits.
func (c *Client) checkNumber(m *provider.Method, schema *provider.Schema, value any, path provider.Path) (any, error) {
	number, ok := value.(json.Number)
	if !ok {
		return nil, c.mismatch(m, schema, value, path)
	}
	if err := c.checkEnum(m, schema, number, path); err != nil {
		return nil, err
	}
	if schema.Type == "number" {
		return number, nil
	}
	bits := 64
	if schema.Format == "int32" {
		bits = 32
	}
	n, err := strconv.ParseInt(number.String(), 10, bits)
	if err == nil {
		return json.Number(strconv.FormatInt(n, 10)), nil
	}
	// 1e3 and 2.0 are integers too. An exponent of more than a few digits is not worth expanding.
	if r, ok := new(big.Rat).SetString(number.String()); ok && len(number) < 32 && shortExponent(number.String()) && r.IsInt() && r.Num().IsInt64() {
		if n := r.Num().Int64(); bits == 64 || n >= math.MinInt32 && n <= math.MaxInt32 {
			return json.Number(strconv.FormatInt(n, 10)), nil
		}
	}
	return nil, usage("", path, "%s is not an integer of %d bits", number, bits)
}

func shortExponent(number string) bool {
	i := strings.IndexAny(number, "eE")
	return i < 0 || len(number)-i <= 4
}

// mismatch is the error that a value has another type than its schema.
func (c *Client) mismatch(m *provider.Method, schema *provider.Schema, value any, path provider.Path) error {
	encoded, err := json.Marshal(value)
	if err != nil {
		encoded = []byte(fmt.Sprint(value))
	}
	text := string(encoded)
	if schema.Secret() || strings.Contains(text, `"`) && c.holdsSecret(m, schema) {
		text = provider.Secret("").String()
	}
	if runes := []rune(text); len(runes) > 80 {
		text = string(runes[:80]) + "…"
	}
	return usage("", path, "%s is not %s", provider.Printable(text), article(schema.Type))
}

func article(typ string) string {
	if strings.ContainsRune("aeiou", rune(typ[0])) {
		return "an " + typ
	}
	return "a " + typ
}

// join extends a path without touching the array behind it.
func join(path provider.Path, step any) provider.Path {
	return append(path[:len(path):len(path)], step)
}

// parse reads a text as one JSON value.
func parse(text string) (any, error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errors.New("the text ends too early")
		}
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more text after the end of the value")
	}
	return value, nil
}

// matchPattern matches a pattern of a document. OpenAPI has the patterns of ECMAScript. A test shows that
// RE2 reads the patterns of the documents in the same way.
func (c *Client) matchPattern(pattern, text string) (bool, error) {
	compiled, err := c.documents().patterns.get(pattern, func() (*regexp.Regexp, error) { return regexp.Compile(pattern) })
	if err != nil {
		return false, provider.Internalf("pattern %q of the document", pattern).Because(err)
	}
	return compiled.MatchString(text), nil
}
