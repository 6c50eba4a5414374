package stackqlproject

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/internal/template"
)

// values are the values of the placeholders of one resource.
type values struct {
	raw         map[string]any      // may have placeholders of others
	environment map[string][]string // names whose value depends on the environment, with the environments
	outer       *values             // those of all resources; nil: these are them
}

// deepest is how many placeholders may stand within each other.
const deepest = 10

var (
	placeholder = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?s)\{\{.*?\}\}`) })
	plainName   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\{\{-?\s*([A-Za-z_]\w*)\s*-?\}\}$`) })
	dottedName  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\{\{-?\s*([A-Za-z_]\w*)\.([\w.]+)`) })
	firstName   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\{\{-?\s*([A-Za-z_]\w*)`) })
)

// lookup returns the value of a name, with the placeholders in it filled in.
func (v values) lookup(ctx context.Context, name string, depth int) (any, error) {
	value, known := v.raw[name]
	switch {
	case !known && v.environment[name] != nil:
		return nil, fmt.Errorf("{{ %s }} depends on the environment: give --environment, one of %s", name, strings.Join(v.environment[name], ", "))
	case !known && name == "stack_env":
		return nil, fmt.Errorf("{{ %s }} has no value: give --environment", name)
	case !known:
		return nil, fmt.Errorf("{{ %s }} has no value: give it with --var %[1]s=…", name)
	case depth > deepest:
		return nil, fmt.Errorf("{{ %s }} refers to itself", name)
	}
	return v.behind(name).within(ctx, value, depth+1)
}

// behind are the values that a value may refer to. By its own name it means the one of all resources.
func (v values) behind(name string) values {
	made := values{maps.Clone(v.raw), v.environment, v.outer}
	delete(made.raw, name)
	if v.outer != nil {
		if value, ok := v.outer.raw[name]; ok {
			made.raw[name] = value
		}
		made.outer = nil
	}
	return made
}

// within fills in the placeholders in a value.
func (v values) within(ctx context.Context, value any, depth int) (any, error) {
	switch value := value.(type) {
	case string:
		return v.fill(ctx, value, depth)
	case []any:
		made := make([]any, len(value))
		for i := range value {
			var err error
			if made[i], err = v.within(ctx, value[i], depth); err != nil {
				return nil, err
			}
		}
		return made, nil
	case map[string]any:
		made := map[string]any{}
		for key := range value {
			var err error
			if made[key], err = v.within(ctx, value[key], depth); err != nil {
				return nil, err
			}
		}
		return made, nil
	}
	return value, nil
}

// fill fills in the placeholders of a text.
func (v values) fill(ctx context.Context, text string, depth int) (string, error) {
	return replaced(text, func(p string) (string, error) {
		if name := plainName().FindStringSubmatch(p); name != nil {
			value, err := v.lookup(ctx, name[1], depth)
			return written(value), err
		}
		return v.computed(ctx, p, depth)
	})
}

// replaced puts others in place of the placeholders of a text.
func replaced(text string, by func(p string) (string, error)) (string, error) {
	var fault error
	made := placeholder().ReplaceAllStringFunc(text, func(p string) string {
		if fault != nil {
			return p
		}
		var other string
		other, fault = by(p)
		return other
	})
	return made, fault
}

// computed fills in a placeholder with filters.
func (v values) computed(ctx context.Context, p string, depth int) (string, error) {
	shown := strings.Join(strings.Fields(p), " ")
	name := firstName().FindStringSubmatch(p)
	if name == nil {
		return "", fmt.Errorf("%s is more than a name and filters", shown)
	}
	if dotted := dottedName().FindStringSubmatch(p); dotted != nil {
		if dotted[1] == "vars" {
			return "", fmt.Errorf("%s has no value: stackql-deploy takes it from its command line", shown)
		}
		return "", fmt.Errorf("%s is known only while stackql-deploy runs: another statement returns it", shown)
	}
	known := map[string]any{}
	value, err := v.lookup(ctx, name[1], depth)
	if err == nil {
		known[name[1]] = jsonValue(value)
	} else if !regexp.MustCompile(`\|\s*(default|d)\b`).MatchString(p) {
		return "", err
	}
	functions := template.Functions{}
	limits := template.Limits{Size: template.DefaultSize, Steps: template.DefaultSteps}
	made, err := template.Jinja(p, known, functions, limits)
	if err == nil {
		made, err = template.Fill(ctx, "placeholder", made, functions, known, limits)
	}
	if err != nil {
		return "", fmt.Errorf("%s has a filter that lakeql does not know, or cannot apply", shown)
	}
	return made, nil
}

// jsonValue is a value of YAML as one of JSON, which the filters take.
func jsonValue(value any) any {
	data, err := json.Marshal(value)
	if err != nil {
		return value
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	var made any
	if decoder.Decode(&made) != nil {
		return value
	}
	return made
}

// written is how a value stands in a statement.
func written(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case []any, map[string]any:
		data, err := json.Marshal(value)
		if err == nil {
			return string(data)
		}
	}
	return fmt.Sprint(value)
}

// with returns the values with those of a resource before the ones of all.
func (v values) with(props []property, environment string) values {
	made := values{maps.Clone(v.raw), maps.Clone(v.environment), &v}
	for _, p := range props {
		value, known, environments := p.value(environment)
		switch {
		case known:
			made.raw[p.Name] = value
		case environments != nil:
			delete(made.raw, p.Name)
			made.environment[p.Name] = environments
		}
	}
	return made
}

// property is a global value, or one of a resource, as the manifest declares it.
type property struct {
	Name    string                    `yaml:"name"`
	Value   any                       `yaml:"value"`
	Default any                       `yaml:"default"`
	Values  map[string]map[string]any `yaml:"values"` // by environment: value
}

// value returns the value in an environment; otherwise the environments that have one.
func (p property) value(environment string) (value any, known bool, environments []string) {
	switch {
	case p.Value != nil:
		return p.Value, true, nil
	case p.Values != nil:
		if of, ok := p.Values[environment]; ok {
			return of["value"], true, nil
		}
		return nil, false, slices.Sorted(maps.Keys(p.Values))
	}
	return p.Default, p.Default != nil, nil
}
