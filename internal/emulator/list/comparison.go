package list

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// dialect describes the filters of a kind's lists.
type dialect struct {
	// root is the attribute that holds the attributes of filters: info of a run.
	root string
	// names maps names in filters to attributes.
	names map[string]string
	// keyed maps prefixes of keys, as in metrics.loss, to arrays of {key, value}.
	keyed map[string]string
	// single is true if a filter has one comparison only.
	single bool
	// contains is true if LIKE without % looks for the text anywhere.
	contains bool
}

// dialects are the dialects of lists that have a parameter or an attribute named filter, except
// SCIM's.
var dialects = map[string]dialect{
	"/pipelines": {single: true, names: map[string]string{"id": "pipeline_id", "notebook": "spec.libraries.notebook.path"}},
	"/mlflow/runs": {
		root: "info", names: map[string]string{"created": "start_time"},
		keyed: map[string]string{"metrics": "data.metrics", "params": "data.params", "tags": "data.tags"},
	},
	"/mlflow/logged-models": {
		root: "info", names: map[string]string{"creation_timestamp": "creation_timestamp_ms", "last_updated_timestamp": "last_updated_timestamp_ms"},
		keyed: map[string]string{"metrics": "data.metrics", "params": "data.params", "tags": "info.tags"},
	},
	"/mlflow/experiments":       {keyed: map[string]string{"tags": "tags"}},
	"/mlflow/registered-models": {keyed: map[string]string{"tags": "tags"}, contains: true},
	"/mlflow/model-versions": {
		names: map[string]string{"source_path": "source", "version_number": "version"},
		keyed: map[string]string{"tags": "tags"},
	},
}

// prefixes are the prefixes of names in MLflow's filters, and their meaning. Attributes have none.
var prefixes = map[string]string{
	"attribute": "", "attributes": "", "attr": "", "run": "", "metric": "metrics", "metrics": "metrics",
	"param": "params", "params": "params", "parameter": "params", "parameters": "params", "tag": "tags", "tags": "tags",
}

func (d dialect) understood() string {
	text := "comparisons of attributes joined by AND, such as name LIKE '%sales%' AND level IN ('WARN', 'ERROR') AND id != 'x'"
	switch {
	case d.single:
		text = "one comparison of an attribute, such as name LIKE '%sales%' or id = 'x'"
	case d.keyed["metrics"] != "":
		text = "comparisons joined by AND, such as attributes.status = 'FINISHED' AND params.depth = '4' AND metrics.loss < 2 AND tags.\"my key\" LIKE '%x%'"
	case d.keyed != nil:
		text = "comparisons joined by AND, such as name LIKE '%sales%' AND tags.team = 'roastery'"
	}
	return text + "; with =, !=, <, <=, >, >=, LIKE, ILIKE, IN and NOT before the last three"
}

// comparisons reads filters that are comparisons joined by AND.
type comparisons struct {
	*filterReader

	dialect
	kind *documents.Kind
}

// parseComparisons reads a filter of a kind's lists. It refuses attributes that the kind does not
// have.
func parseComparisons(text string, k *documents.Kind) (Condition, error) {
	d := dialects[k.Name]
	reader, err := newFilterReader(text, d.understood(), false)
	if err != nil {
		return nil, err
	}
	f := &comparisons{reader, d, k}
	all, err := f.all()
	if err != nil {
		return nil, err
	}
	return func(r resource.Record) bool {
		return !slices.ContainsFunc(all, func(fits Condition) bool { return !fits(r) })
	}, f.done()
}

func (f *comparisons) all() ([]Condition, error) {
	var all []Condition
	for {
		start := f.peek()
		if f.accept("(") {
			if err := f.enter(start.at); err != nil {
				return nil, err
			}
			inner, err := f.all()
			if err == nil {
				err = f.expect(")")
			}
			if err != nil {
				return nil, err
			}
			f.nested--
			all = append(all, inner...)
		} else {
			fits, err := f.comparison()
			if err != nil {
				return nil, err
			}
			all = append(all, fits)
		}
		if f.single && len(all) > 1 {
			return nil, f.failure(start.at, "it has more than one comparison")
		}
		if !f.accept("AND") {
			return all, nil
		}
	}
}

// comparison reads an attribute, an operator and a value.
func (f *comparisons) comparison() (Condition, error) {
	values, err := f.attribute()
	if err != nil {
		return nil, err
	}
	not := f.accept("NOT")
	op := f.take()
	var test func(string) bool
	switch {
	case op.is("LIKE"), op.is("ILIKE"):
		pattern := f.take()
		if pattern.kind != quotedToken {
			return nil, f.failure(pattern.at, "there is %s where a pattern in quotes should be", pattern)
		}
		if f.contains && !strings.Contains(pattern.text, "%") {
			pattern.text = "%" + pattern.text + "%"
		}
		test = like(pattern.text, op.is("ILIKE")).MatchString
	case op.is("IN"):
		test, err = f.among()
	case op.kind == operatorToken && !not && (operators[op.text] != nil || op.text == "!="):
		var wanted literal
		wanted, err = f.value()
		not = op.text == "!="
		order := operators[op.text]
		if not {
			order = operators["="]
		}
		test = func(have string) bool { return order(wanted.compare(have)) }
	default:
		err = f.failure(op.at, "there is %s where an operator should be", op)
	}
	if err != nil {
		return nil, err
	}
	// An attribute without a value fits no comparison, as in SQL.
	return func(r resource.Record) bool {
		have := values(r)
		return len(have) > 0 && slices.ContainsFunc(have, test) != not
	}, nil
}

// among reads the values of IN.
func (f *comparisons) among() (func(string) bool, error) {
	if err := f.expect("("); err != nil {
		return nil, err
	}
	var all []literal
	for {
		wanted, err := f.value()
		if err != nil {
			return nil, err
		}
		all = append(all, wanted)
		if !f.accept(",") {
			break
		}
	}
	return func(have string) bool {
		return slices.ContainsFunc(all, func(l literal) bool { return l.compare(have) == 0 })
	}, f.expect(")")
}

// plainValue is a value without quotes: a number, true or false.
var plainValue = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?i:[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|true|false)$`)
})

func (f *comparisons) value() (literal, error) {
	t := f.take()
	switch {
	case t.kind == quotedToken:
		return literal{t.text, true}, nil
	case t.kind == wordToken && plainValue().MatchString(t.text):
		return literal{strings.ToLower(t.text), false}, nil
	}
	return literal{}, f.failure(t.at, "there is %s where a number or text in quotes should be", t)
}

// plainName is a name without quotes. A key in quotes may follow its last dot.
var plainName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_][\w-]*(\.[\w-]+)*\.?$`) })

// attribute reads the name of an attribute or a key, and returns a function that finds its values.
func (f *comparisons) attribute() (func(r resource.Record) []string, error) {
	t := f.take()
	name := t.text
	if t.kind != quotedToken && (t.kind != wordToken || !plainName().MatchString(name)) {
		return nil, f.failure(t.at, "there is %s where an attribute's name should be", t)
	}
	prefix, rest, dotted := strings.Cut(name, ".")
	of, known := prefixes[strings.ToLower(prefix)]
	if dotted && rest == "" { // the key is in quotes
		if quoted := f.peek(); known && quoted.kind == quotedToken {
			rest = f.take().text
		} else {
			return nil, f.failure(quoted.at, "there is %s where a key in quotes should be", quoted)
		}
	}
	if t.kind == wordToken && dotted && known && f.keyed != nil {
		if of == "" {
			name = rest
		} else if list, ok := f.keyed[of]; ok {
			path := strings.Split(list, ".")
			return func(r resource.Record) []string { return valuesOfKey(resource.ObjectsAt(r, path), rest) }, nil
		}
	}
	if other, ok := f.names[name]; ok {
		name = other
	}
	path := strings.Split(name, ".")
	if f.root != "" {
		path = append([]string{f.root}, path...)
	}
	if !f.kind.Leads(path) {
		return nil, f.failure(t.at, "%s is no attribute that %ss have", t, documents.Noun(f.kind.Name))
	}
	return func(r resource.Record) []string { return resource.ValuesAt(r, path) }, nil
}

// valuesOfKey returns the values of a key in an array of {key, value}.
func valuesOfKey(items []map[string]any, key string) []string {
	var values []string
	for _, item := range items {
		if item["key"] == key {
			values = append(values, resource.Text(item["value"]))
		}
	}
	return values
}
