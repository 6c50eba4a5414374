package docgen_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// parsed is the content of a statement of a page. Pages write one name or term a line, so it can be read
// without a grammar.
type parsed struct {
	results []string // columns of SELECT or RETURNING
	columns []term   // of INSERT, or of SET
	where   []term
}

type term struct{ name, value string }

var (
	termLine  = regexp.MustCompile(`(?s)^(?:WHERE |AND )?("[^"]+"|\w+) = (.*)$`)
	markerEnd = regexp.MustCompile(`( -- required| /\* required \*/)?,?$`)
)

// parse reads a filled in statement. Its values hold no line ends.
func parse(verb, text string) (*parsed, error) {
	s := &parsed{}
	part := verb
	var names, values []string
	for line := range strings.Lines(strings.TrimSuffix(text, "\n")) {
		line = strings.TrimSuffix(line, "\n")
		switch first, _, _ := strings.Cut(line, " "); {
		case line == ";":
			part = ""
			continue
		case line == "SELECT" || line == "SET" || line == "RETURNING":
			part = line
			continue
		case first == "INSERT" || first == "UPDATE" || first == "REPLACE" || line == ")":
			continue
		case first == "FROM" || first == "DELETE":
			part = "FROM"
			continue
		case first == "WHERE":
			part = "WHERE"
		}
		line = markerEnd.ReplaceAllString(line, "")
		switch {
		case part == "INSERT":
			names = append(names, bareName(line))
		case part == "SELECT" && verb == "INSERT":
			values = append(values, line)
		case part == "SELECT" || part == "RETURNING":
			s.results = append(s.results, bareName(line))
		default:
			match := termLine.FindStringSubmatch(line)
			if match == nil {
				return nil, fmt.Errorf("the line %q says nothing", line)
			}
			t := term{bareName(match[1]), match[2]}
			if part == "SET" {
				s.columns = append(s.columns, t)
			} else {
				s.where = append(s.where, t)
			}
		}
	}
	if len(names) != len(values) {
		return nil, fmt.Errorf("%d columns and %d values", len(names), len(values))
	}
	for i, name := range names {
		s.columns = append(s.columns, term{name, values[i]})
	}
	return s, nil
}

func bareName(text string) string { return strings.Trim(text, `"`) }

// inputs lists the names of all values that a statement passes to its method.
func (s *parsed) inputs() []string {
	var names []string
	for _, t := range slices.Concat(s.columns, s.where) {
		names = append(names, t.name)
	}
	return names
}

// exec writes the call of a statement as EXEC. A name in WHERE, or in the columns of INSERT, is a
// parameter if the method has one of that name, and otherwise an attribute of the body. All names in SET
// are attributes. If a parameter has the name of a required attribute, exec writes both. JSON for an
// attribute of any type is written as JSON, not as text.
func (s *parsed) exec(m *provider.Method, f *filler) (string, error) {
	var params []string
	body := map[string]any{}
	attribute := func(t term) error {
		if text, quoted := strings.CutPrefix(t.value, "'"); quoted {
			text = strings.ReplaceAll(strings.TrimSuffix(text, "'"), "''", "'")
			body[t.name] = text
			schema, err := f.cat.Resolve(m, propertyOf(f.body, t.name))
			if err == nil && schema != nil && schema.Type == "" {
				var value any
				err = json.Unmarshal([]byte(text), &value)
				body[t.name] = value
			}
			return err
		}
		var value any
		err := json.Unmarshal([]byte(t.value), &value)
		body[t.name] = value
		return err
	}
	isParam := func(name string) bool {
		_, ok := m.Param(name)
		return ok || slices.ContainsFunc(m.ServerVariables(), func(v provider.Variable) bool { return v.Name == name })
	}
	for i, t := range slices.Concat(s.columns, s.where) {
		inSet := i < len(s.columns) && m.SQLVerb != provider.Insert
		if isParam(t.name) && !inSet {
			params = append(params, "@"+t.name+" = "+t.value)
			if m.Body == nil || !slices.Contains(m.Body.RequiredAttributes, t.name) {
				continue
			}
		}
		if err := attribute(t); err != nil {
			return "", fmt.Errorf("%s: %w", t.name, err)
		}
	}
	if len(body) > 0 {
		encoded, err := json.Marshal(body)
		if err != nil {
			return "", err
		}
		params = append(params, "@@json = '"+strings.ReplaceAll(string(encoded), "'", "''")+"'")
	}
	return "EXEC " + m.FullName() + " " + strings.Join(params, ", "), nil
}

// propertyOf is the schema of an attribute of a body; nil if the body has no such attribute.
func propertyOf(body *provider.Schema, name string) *provider.Schema {
	if body == nil {
		return nil
	}
	schema, _ := body.Property(name)
	return schema
}
