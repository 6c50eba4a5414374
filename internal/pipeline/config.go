package pipeline

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// settings parse the settings of pipeline.yaml, by key.
func settings() map[string]func(d *Definition, n *yaml.Node) error {
	text := func(of func(*Definition) *string) func(*Definition, *yaml.Node) error {
		return func(d *Definition, n *yaml.Node) error {
			if n.Decode(of(d)) != nil {
				return provider.Usagef("is not one text")
			}
			return nil
		}
	}
	number := func(of func(*Definition) *int, most int) func(*Definition, *yaml.Node) error {
		return func(d *Definition, n *yaml.Node) error {
			i, err := strconv.Atoi(n.Value) // YAML's own reading makes 1 of 1.5
			if err != nil || i < 1 || i > most {
				return provider.Usagef("%s is not a whole number between 1 and %d", nodeText(n), most)
			}
			*of(d) = i
			return nil
		}
	}
	return map[string]func(*Definition, *yaml.Node) error{
		"name":        setName,
		"description": text(func(d *Definition) *string { return &d.Description }),
		"workspaces":  setWorkspaces,
		"schedule":    text(func(d *Definition) *string { return &d.Schedule }),
		"timezone":    text(func(d *Definition) *string { return &d.Timezone }),
		"store":       text(func(d *Definition) *string { return &d.Store }),
		"concurrency": number(func(d *Definition) *int { return &d.Concurrency }, MaxConcurrency),
		"rate":        setRate,
		"retention":   setRetention,
		"on_error":    setOnError,
		"attempts":    number(func(d *Definition) *int { return &d.Attempts }, maxAttempts),
		"variables":   setVariables,

		"query_timeout": setQueryTimeout,
		"query_size":    number(func(d *Definition) *int { return &d.QuerySize }, mostQuerySize),
		"query_rows":    setQueryRows,
		"check_timeout": setCheckTimeout,
		"notify":        setNotify,
	}
}

// parseConfig reads pipeline.yaml. Its errors tell the place.
func parseConfig(data []byte) (*Definition, error) {
	root, err := readYAML(data)
	if err != nil {
		return nil, err
	}
	d := &Definition{Concurrency: defaultConcurrency, Attempts: defaultAttempts, OnError: Continue, Retention: defaultRetention}
	known, places := settings(), map[string]*yaml.Node{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		set, ok := known[key.Value]
		if !ok {
			names := make([]string, 0, len(known))
			for name := range known {
				names = append(names, name)
			}
			slices.Sort(names)
			return nil, provider.Usagef("%s is not known here", provider.Quote(key.Value)).
				At(placeOf(key)).
				Hintf("it may say %s", strings.Join(names, ", "))
		}
		if places[key.Value] != nil {
			return nil, atNode(key, provider.Usagef("%s is said twice", key.Value))
		}
		places[key.Value] = value
		if value.Tag == "!!null" && key.Value != "workspaces" {
			continue // as if it were not said
		}
		for value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if err := set(d, value); err != nil {
			return nil, inKey(key.Value, places, err)
		}
	}
	if d.Name == "" {
		return nil, provider.Usagef("name: not said: what the pipeline is called, such as name: inventory")
	}
	if places["workspaces"] == nil {
		return nil, provider.Usagef("workspaces: not said: all, or a list of deployment names, or {query: \"SELECT …\"}")
	}
	if _, err := d.location(); err != nil {
		return nil, inKey("timezone", places, err)
	}
	if d.Schedule != "" {
		if _, err := d.next(time.Now()); err != nil {
			return nil, inKey("schedule", places, err)
		}
	}
	return d, nil
}

// readYAML reads the one mapping that the file is; an empty file is an empty one.
func readYAML(data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return &yaml.Node{Kind: yaml.MappingNode}, nil
	}
	if err == nil {
		switch err = dec.Decode(&more); {
		case err == nil:
			return nil, atNode(&more, provider.Usagef("a second document begins: the file is one"))
		case errors.Is(err, io.EOF):
			err = nil
		}
	}
	if err != nil {
		return nil, yamlError(err)
	}
	root := doc.Content[0]
	if root.Tag == "!!null" {
		return &yaml.Node{Kind: yaml.MappingNode}, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, atNode(root, provider.Usagef("the file is not a list of key: value, such as name: inventory"))
	}
	return root, nil
}

// yamlPlace is how the library says where.
var yamlPlace = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^line (\d+): `)
})

func yamlError(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	e := provider.Usagef("not YAML: %s", provider.Printable(yamlPlace().ReplaceAllString(text, ""))).
		Because(err)
	if place := yamlPlace().FindStringSubmatch(text); place != nil {
		e.Position.Line, _ = strconv.Atoi(place[1])
		e.Position.Column = 1
	}
	return e
}

func placeOf(n *yaml.Node) provider.Position {
	return provider.Position{Line: n.Line, Column: n.Column}
}

// atNode returns an error its place, unless it has one.
func atNode(n *yaml.Node, err error) error {
	if n == nil {
		return err
	}
	return provider.At(err, placeOf(n))
}

// inKey says which key an error is about.
func inKey(key string, places map[string]*yaml.Node, err error) error {
	named := provider.Change(err, func(e *provider.Error) {
		if !strings.HasPrefix(e.Message, key+": ") {
			e.Message = key + ": " + e.Message
		}
	})
	return atNode(places[key], named)
}

// nodeText returns the text of a node, for a message.
func nodeText(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		return "what is there"
	}
	return provider.Quote(n.Value)
}

func setName(d *Definition, n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode || !names().MatchString(n.Value) || strings.HasSuffix(n.Value, "_") || strings.Contains(n.Value, "__") { // it is that of a queue of River's
		return provider.Usagef("%s is not the name of a pipeline: a small letter, then up to 40 small letters and digits, with single _ in between", nodeText(n))
	}
	d.Name = n.Value
	return nil
}

// leastRate is about one call in 12 days. The pauses of lower rates would overflow a time.Duration.
const leastRate, mostRate = 1e-6, 1e6

func setRate(d *Definition, n *yaml.Node) error {
	if n.Decode(&d.Rate) != nil || d.Rate != 0 && !(d.Rate >= leastRate && d.Rate <= mostRate) { // NaN is neither
		return provider.Usagef("%s is not a number of calls a second, nor 0 for no limit", nodeText(n))
	}
	return nil
}

func setOnError(d *Definition, n *yaml.Node) error {
	d.OnError = OnError(n.Value)
	if d.OnError != Continue && d.OnError != Stop {
		return provider.Usagef("%s is neither continue nor stop", nodeText(n))
	}
	return nil
}

// setRetention reads how long history is kept: 90d, 12h; 0 or never: for ever.
func setRetention(d *Definition, n *yaml.Node) error {
	switch n.Value {
	case "0", "never", "forever":
		d.Retention = 0
		return nil
	}
	if number, ok := strings.CutSuffix(n.Value, "d"); ok {
		if days, err := strconv.ParseFloat(number, 64); err == nil && days < 36_500 { // NaN is not below
			d.Retention = time.Duration(days * 24 * float64(time.Hour))
		} else {
			d.Retention = 0
		}
	} else {
		d.Retention, _ = time.ParseDuration(n.Value) // 0 where it is none
	}
	if d.Retention <= 0 {
		return provider.Usagef("%s is not a time such as 90d or 12h, nor forever", nodeText(n))
	}
	return nil
}

// mostQuerySize is SQLite's limit.
const mostQuerySize = 100 << 20

// setQueryTimeout reads how long a query may take.
func setQueryTimeout(d *Definition, n *yaml.Node) error {
	var ok bool
	if d.QueryTimeout, ok = parseTimeout(n.Value); !ok {
		return provider.Usagef("%s is not a time such as 30m or 2h, nor never", nodeText(n))
	}
	return nil
}

// setCheckTimeout reads how long the query of a check may take.
func setCheckTimeout(d *Definition, n *yaml.Node) error {
	var err error
	if d.CheckTimeout, err = time.ParseDuration(n.Value); err != nil || d.CheckTimeout <= 0 {
		return provider.Usagef("%s is not a time such as 30s or 5m", nodeText(n))
	}
	return nil
}

func setQueryRows(d *Definition, n *yaml.Node) error {
	rows, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil || rows < 1 {
		return provider.Usagef("%s is not a whole number above 0", nodeText(n))
	}
	d.QueryRows = rows
	return nil
}

func setWorkspaces(d *Definition, n *yaml.Node) error {
	w, err := parseWorkspaces(n)
	d.Workspaces = w
	return err
}

func parseWorkspaces(n *yaml.Node) (Workspaces, error) {
	wrong := provider.Usagef("neither all, nor a list of deployment names, nor {query: \"SELECT …\"}")
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Value == "all" || n.Value == "*" {
			return Workspaces{All: true}, nil
		}
	case yaml.SequenceNode:
		var list []string
		for _, item := range n.Content {
			var name string
			if item.Decode(&name) != nil {
				return Workspaces{}, wrong
			}
			if name == "" || slices.Contains(list, name) {
				return Workspaces{}, atNode(item, provider.Usagef("a deployment name is empty, or in the list twice"))
			}
			list = append(list, name)
		}
		if len(list) > 0 {
			return Workspaces{Names: list}, nil
		}
	case yaml.MappingNode:
		var m struct {
			Query string `yaml:"query"`
		}
		if len(n.Content) == 2 && n.Content[0].Value == "query" && n.Decode(&m) == nil && m.Query != "" {
			return Workspaces{Query: m.Query}, nil
		}
	case yaml.DocumentNode, yaml.AliasNode:
	}
	return Workspaces{}, wrong
}

// variableName matches valid names of variables.
var variableName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z_]\w*$`)
})

// taken are the names that mean something else between {{ and }}.
func taken() []string {
	return []string{deploymentName, "quote", "true", "false", "nil", "if", "else", "end", "range", "with", "define", "block", "template", "break", "continue"}
}

func setVariables(d *Definition, n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return provider.Usagef("not a list of name: value")
	}
	d.Variables = map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := key.Value
		if !variableName().MatchString(name) || slices.Contains(taken(), name) {
			return atNode(key, provider.Usagef("%s cannot be the name of one", nodeText(key)))
		}
		if _, twice := d.Variables[name]; twice {
			return atNode(key, provider.Usagef("%s is said twice", name))
		}
		if value.Kind != yaml.ScalarNode {
			return atNode(value, provider.Usagef("%s is not one value", name))
		}
		d.Variables[name] = value.Value
	}
	return nil
}
