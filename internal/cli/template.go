package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/redact"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/template"
	"github.com/lakeql/lakeql/provider"
)

// isName reports whether --var takes a text for a name: letters, digits and _, no digit first.
func isName(text string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
	return text != "" && strings.Trim(text, letters+"0123456789") == "" && strings.IndexByte(letters, text[0]) >= 0
}

// fill puts the values of --var and -q in place of {{ .name }}, and of {{ name }} as documentation
// pages write it. Without either flag the text stays as it is.
func (c *command) fill(ctx context.Context, text string) (string, error) {
	text, blocks := cutBlocks(text)
	if c.dataFile == "" && len(c.vars) == 0 && blocks == nil {
		return text, nil
	}
	values, err := c.templateValues(ctx, text, blocks)
	if err != nil {
		return "", err
	}
	c.foreign = texts(nil, values)
	shown := redact.Judge{Foreign: c.foreign}.Read(text)
	functions := template.Functions{
		"quote": quoteSQL,
		"json":  toJSON,
	}
	for name, value := range values {
		if _, taken := functions[name]; !taken && isName(name) {
			functions[name] = func() any { return value }
		}
	}
	limits := template.Limits{Size: mostFilled, Steps: mostSteps}
	if at := strings.Index(text, "{%"); at >= 0 && strings.Contains(text[at:], "%}") {
		return "", provider.Usagef("fill in the statement: Jinja's blocks are not supported").
			At(provider.PositionAt(text, at)).
			Hintf("write {{ if .name }} … {{ end }} or {{ range .list }} … {{ end }}")
	}
	text, err = template.Jinja(text, values, functions, limits)
	if err != nil {
		return "", err
	}
	filled, err := template.Fill(ctx, "statement", text, functions, values, limits)
	if _, isOurs := errors.AsType[*provider.Error](err); isOurs || err == nil {
		return filled, err
	}
	return "", templateError(text, err, shown)
}

// The limits of a statement with placeholders: its files may be part of it.
const (
	mostFilled = 64 << 20
	mostSteps  = 1_000_000
)

func templateError(text string, err error, shown *redact.Text) error {
	hint := "give it with --var name=value or in the file of -q"
	missing := regexp.MustCompile(`(?:function "|no entry for key ")(\w+)"`) // the name in text/template's messages about one without a value
	calls := regexp.MustCompile(`\{\{[^}]*\|\s*\w+\s*\(`)                    // a filter with arguments, which text/template cannot read
	if name := missing.FindStringSubmatch(err.Error()); name == nil && calls.MatchString(text) || name != nil && regexp.MustCompile(`\{\{[^}]*\|\s*`+name[1]+`\b`).MatchString(text) {
		hint = statement.FilterHint
		if filter := unknownFilter(text); filter != "" {
			return provider.Usagef("fill in the statement: there is no filter %s", filter).Hintf("%s", hint)
		}
	} else if name != nil && missing.MatchString(shown.Message(err.Error())) {
		hint = fmt.Sprintf("give it with --var %s=VALUE or in the file of -q; a reference for Databricks itself, such as {{job.id}}, is written {{\"{{job.id}}\"}} here", name[1])
	}
	return provider.Usagef("fill in the statement: %s", shown.Message(strings.TrimPrefix(err.Error(), "template: "))).
		Hintf("%s", hint)
}

// unknownFilter returns the first filter in the placeholders of a text that is not there; empty without
// one, and if it does not look like a name.
func unknownFilter(text string) string {
	known := regexp.MustCompile(`\w+`).FindAllString(statement.FilterHint, -1)
	for _, placeholder := range regexp.MustCompile(`\{\{.*?\}\}`).FindAllString(text, -1) {
		for _, filter := range regexp.MustCompile(`\|\s*([a-z_]{1,40})\b`).FindAllStringSubmatch(placeholder, -1) {
			if !slices.Contains(known, filter[1]) {
				return filter[1]
			}
		}
	}
	return ""
}

// texts appends the texts and numbers in a value.
func texts(found []string, value any) []string {
	switch value := value.(type) {
	case string:
		return append(found, value)
	case json.Number:
		return append(found, value.String())
	case []any:
		for _, item := range value {
			found = texts(found, item)
		}
	case map[string]any:
		for _, item := range value {
			found = texts(found, item)
		}
	}
	return found
}

// templateValues joins the values of -q, of the text's blocks, and of --var; a later one counts.
func (c *command) templateValues(ctx context.Context, text string, blocks [][]string) (map[string]any, error) {
	var data []byte
	if c.dataFile != "" {
		var err error
		if data, err = os.ReadFile(c.dataFile); err != nil {
			return nil, provider.Usagef("read the values: %v", err).Because(err)
		}
	}
	readers := text + string(data) // of the variables
	for _, block := range blocks {
		readers += block[2]
	}
	variables, err := c.variables(readers)
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	add := func(from, kind, text string) error {
		found, err := jsonValues, error(nil)
		if kind == "jsonnet" {
			found = func(text string) (map[string]any, error) { return jsonnetValues(ctx, from, text, variables) }
		}
		more, err := found(text)
		if err != nil {
			return provider.Usagef("read the values of %s: %v", from, err).Hintf("%s", provider.HintOf(err)).Because(err)
		}
		maps.Copy(values, more)
		return nil
	}
	if c.dataFile != "" {
		kind := strings.ToLower(strings.TrimPrefix(filepath.Ext(c.dataFile), "."))
		if err := add(c.dataFile, kind, string(data)); err != nil {
			return nil, err
		}
	}
	for _, block := range blocks {
		if err := add("the statements' block", block[1], block[2]); err != nil {
			return nil, err
		}
	}
	for name, value := range variables {
		values[name] = value
	}
	return values, nil
}

// variables reads --var. readers are the texts that read variables.
func (c *command) variables(readers string) (map[string]string, error) {
	variables := map[string]string{}
	for _, v := range c.vars {
		parts := listed(v, readers)
		if parts == nil {
			parts = []string{v}
		}
		for _, part := range parts {
			name, value, ok := strings.Cut(part, "=")
			if !ok || !isName(name) {
				return nil, provider.Usagef("a --var is not name=value"). // without it: it may be a value alone
												Hintf("a name is letters, digits and _")
			}
			variables[name] = value
		}
	}
	return variables, nil
}

// listed returns the parts of a --var that StackQL takes for a list, a=1,b=2; nil for a single value, in
// which commas may stand. It is a list if each part has a name, and the text has a placeholder or
// std.extVar for one behind the first comma, which would otherwise have no value.
func listed(v, text string) []string {
	parts := strings.Split(v, ",")
	needed := false
	for i, part := range parts {
		name, _, ok := strings.Cut(part, "=")
		if !ok || !isName(name) {
			return nil
		}
		needed = needed || i > 0 && regexp.MustCompile(`(?:\{\{[^}]*\b|extVar\(\s*["'])`+name+`\b`).MatchString(text)
	}
	if !needed {
		return nil
	}
	return parts
}

// quoteSQL makes a value a string of SQL: {{ quote .name }} is safe whatever the value holds.
func quoteSQL(value any) string {
	return "'" + strings.ReplaceAll(fmt.Sprint(value), "'", "''") + "'"
}

// toJSON makes a value JSON for use inside an SQL string: '{"name": {{ json .name }}}' is safe
// whatever the value holds.
func toJSON(value any) (string, error) {
	encoded, err := json.Marshal(value)
	return strings.ReplaceAll(string(encoded), "'", "''"), err
}
