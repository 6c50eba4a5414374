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
	"time"

	"github.com/lakeql/lakeql/provider"
)

// check compares a value with its schema and gives it as it goes on the wire. A string where the
// schema wants an array, an object, a number or a boolean is read as JSON, because the documented
// statements write it so ("claims": "[]"). A null attribute counts as absent, as in the official
// SDK, whose types cannot hold one.
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
		return c.checkString(schema, value, path)
	}
	if text, ok := value.(string); ok {
		parsed, err := parse(text)
		if err != nil {
			e := usage("", path, "%s is not %s", provider.Quote(text), article(schema.Type))
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
		return checkNumber(schema, value, path)
	case "boolean":
		if _, ok := value.(bool); !ok {
			return nil, mismatch(schema, value, path)
		}
		return value, nil
	}
	return nil, &provider.Error{Code: provider.Internal, Message: fmt.Sprintf("%s: schema of unknown type %q", m.FullName(), schema.Type)}
}

func (c *Client) checkArray(m *provider.Method, schema *provider.Schema, value any, path provider.Path) (any, error) {
	items, ok := value.([]any)
	if !ok {
		return nil, mismatch(schema, value, path)
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
		return nil, mismatch(schema, value, path)
	}
	if len(schema.Properties) == 0 && schema.Additional == nil && len(path) > 0 {
		return attributes, nil // free-form
	}
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
		if _, given := checked[name]; !given {
			return nil, usage("", join(path, name), "missing: it is required")
		}
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

func (c *Client) checkString(schema *provider.Schema, value any, path provider.Path) (any, error) {
	text, ok := value.(string)
	if !ok {
		return nil, mismatch(schema, value, path)
	}
	if len(schema.Enum) > 0 && !slices.Contains(schema.Enum, any(text)) {
		return nil, usage("", path, "%s is not one of %s", quoteFor(schema, text), enumeration(schema.Enum))
	}
	if schema.Pattern != "" {
		matches, err := c.matchPattern(schema.Pattern, text)
		if err != nil {
			return nil, err
		}
		if !matches && schema.NameTemplate != "" {
			return nil, usage("", path, "%s does not have the form %s", quoteFor(schema, text), schema.NameTemplate)
		}
		if !matches {
			return nil, usage("", path, "%s does not match the pattern %s", quoteFor(schema, text), schema.Pattern)
		}
	}
	if schema.Format == "date-time" {
		if _, err := time.Parse(time.RFC3339Nano, text); err != nil {
			e := usage("", path, "%s is not a time", provider.Quote(text))
			e.Hint = "write it as 2026-01-31T12:00:00Z"
			return nil, e
		}
	}
	return text, nil
}

// quoteFor quotes a value for a message, unless it is a secret.
func quoteFor(schema *provider.Schema, text string) string {
	if schema.Secret() {
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
func checkNumber(schema *provider.Schema, value any, path provider.Path) (any, error) {
	number, ok := value.(json.Number)
	if !ok {
		return nil, mismatch(schema, value, path)
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
func mismatch(schema *provider.Schema, value any, path provider.Path) error {
	text := "****"
	if !schema.Secret() {
		encoded, err := json.Marshal(value)
		if err != nil {
			encoded = []byte(fmt.Sprint(value))
		}
		text = string(encoded)
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

// matchPattern matches a pattern of a document. OpenAPI's patterns are ECMAScript's; those of the
// documents keep to what RE2 reads the same way, which a test of theirs shows.
func (c *Client) matchPattern(pattern, text string) (bool, error) {
	compiled, ok := c.patterns.Load(pattern)
	if !ok {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return false, &provider.Error{Code: provider.Internal, Message: fmt.Sprintf("pattern %q of the document", pattern), Err: err}
		}
		compiled, _ = c.patterns.LoadOrStore(pattern, re)
	}
	return compiled.(*regexp.Regexp).MatchString(text), nil
}
