package docgen_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// filler fills in the placeholders of a method's statements with values that the documents allow.
type filler struct {
	cat    *provider.Catalogue
	method *provider.Method
	body   *provider.Schema // resolved; nil where the method takes none
}

func newFiller(cat *provider.Catalogue, m *provider.Method) (*filler, error) {
	f := &filler{cat: cat, method: m}
	if m.Body == nil {
		return f, nil
	}
	var err error
	f.body, err = cat.Resolve(m, m.Body.Schema)
	return f, err
}

var placeholder = regexp.MustCompile(`\{\{ ([^{}]+) \}\}`)

// fill puts a value in place of each placeholder: as JSON inside @@json, as SQL elsewhere.
func (f *filler) fill(statement string) (string, error) {
	sql, body, _ := strings.Cut(statement, "@@json=")
	filled, err := f.fillPart(sql, false)
	if err != nil || body == "" {
		return filled, err
	}
	rest, err := f.fillPart(body, true)
	return filled + "@@json=" + rest, err
}

func (f *filler) fillPart(text string, inJSON bool) (string, error) {
	var b strings.Builder
	at := 0
	for _, match := range placeholder.FindAllStringSubmatchIndex(text, -1) {
		start, end, name := match[0], match[1], text[match[2]:match[3]]
		value, err := f.value(name, inJSON)
		if err != nil {
			return "", fmt.Errorf("placeholder %s: %w", name, err)
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return "", err
		}
		written := string(encoded)
		if content, isText := value.(string); isText {
			if inJSON {
				written = written[1 : len(written)-1]
			} else {
				written = content
			}
		}
		quote := text[start-1] // the page has to quote what is no number or boolean
		switch value.(type) {
		case string:
			if quote != '\'' && quote != '"' {
				return "", fmt.Errorf("placeholder %s stands for a text without quotes", name)
			}
		case json.Number, bool:
			if quote == '\'' || quote == '"' {
				return "", fmt.Errorf("placeholder %s stands for %s between quotes", name, written)
			}
		}
		if inJSON || quote == '\'' {
			written = strings.ReplaceAll(written, "'", "''")
		}
		b.WriteString(text[at:start] + written)
		at = end
	}
	return b.String() + text[at:], nil
}

// value returns a value for a parameter or an attribute of the body.
func (f *filler) value(name string, inBody bool) (any, error) {
	if inBody && f.body != nil {
		if s, ok := f.body.Property(name); ok {
			return f.sample(s, 0)
		}
		if name == "body" {
			return f.sample(f.body, 0)
		}
	}
	if slices.ContainsFunc(f.method.ServerVariables(), func(v provider.Variable) bool { return v.Name == name }) {
		return "dbc-abcd0123-a1bc", nil
	}
	if p, ok := f.method.Param(name); ok {
		switch {
		case p.MultiSegment && strings.Contains(f.method.Path, "/{"+name+"}"):
			return "a/b", nil
		case p.MultiSegment:
			return "/a/b", nil
		}
		return f.sample(p.Schema, 0)
	}
	if !inBody && f.body != nil {
		if s, ok := f.body.Property(name); ok {
			return f.sample(s, 0)
		}
	}
	return nil, fmt.Errorf("%s takes nothing of this name", f.method.FullName())
}

// deep is the number of levels of a sample. Required attributes may be deeper.
const deep = 5

// sample makes a value that a schema allows, the same each time: objects with all that a caller
// can set, lists of one.
func (f *filler) sample(s *provider.Schema, depth int) (any, error) {
	s, err := f.cat.Resolve(f.method, s)
	if err != nil {
		return nil, err
	}
	switch {
	case s == nil || s.Type == "":
		return map[string]any{"any": true}, nil
	case len(s.Enum) > 0:
		return s.Enum[0], nil
	}
	switch s.Type {
	case "string":
		return sampleText(s)
	case "integer":
		return json.Number("1"), nil
	case "number":
		return json.Number("0.5"), nil
	case "boolean":
		return true, nil
	case "array":
		if depth > deep {
			return []any{}, nil
		}
		item, err := f.sample(s.Items, depth+1)
		return []any{item}, err
	case "object":
		return f.sampleObject(s, depth)
	}
	return nil, fmt.Errorf("type %s", s.Type)
}

func (f *filler) sampleObject(s *provider.Schema, depth int) (any, error) {
	object := map[string]any{}
	for _, p := range s.Properties {
		property, err := f.cat.Resolve(f.method, p.Schema)
		if err != nil {
			return nil, err
		}
		if property.ReadOnly || depth > deep && !slices.Contains(s.Required, p.Name) {
			continue
		}
		if object[p.Name], err = f.sample(property, depth+1); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	if s.Additional != nil && depth <= deep {
		value, err := f.sample(s.Additional, depth+1)
		if err != nil {
			return nil, err
		}
		object["key"] = value
	}
	return object, nil
}

var braces = regexp.MustCompile(`\{[^{}]*\}`)

// sampleText makes a text of a schema's format, form or pattern.
func sampleText(s *provider.Schema) (string, error) {
	text := "it's" // what needs care in SQL
	switch s.Format {
	case "date-time":
		text = "2026-01-31T12:00:00Z"
	case "duration":
		text = "3600s"
	case "byte":
		text = "aGk="
	case "field-mask":
		text = "spec"
	}
	if s.NameTemplate != "" {
		text = braces.ReplaceAllString(s.NameTemplate, "a")
	}
	if s.Pattern == "" {
		return text, nil
	}
	pattern, err := regexp.Compile(s.Pattern)
	if err != nil {
		return "", err
	}
	for _, candidate := range []string{text, "a", "abcd", "1", "projects/a/branches/b/endpoints/c"} {
		if pattern.MatchString(candidate) {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("no sample for the pattern %s", s.Pattern)
}
