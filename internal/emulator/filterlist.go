package emulator

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// dialect is what the filters of a kind's lists have beyond comparisons of its attributes.
type dialect struct {
	// root is the attribute in which those are that filters name: a run's are in info.
	root string
	// names are attributes that filters name otherwise.
	names map[string]string
	// keyed are lists of {key, value}, by what filters write before a key: metrics.loss.
	keyed map[string]string
	// single is set where lists take one comparison only.
	single bool
	// contains is set where LIKE looks for the text anywhere.
	contains bool
}

// dialects are those of the lists that have a parameter or an attribute named filter, and are none
// of SCIM's.
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

// prefixes are what may stand before a name in MLflow's filters, and what it means.
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

// listFilter reads filters that are comparisons joined by AND.
type listFilter struct {
	*filterReader

	dialect
	kind *documents.Kind
}

// parseListFilter reads a filter of a kind's lists.
func parseListFilter(text string, k *documents.Kind) (condition, error) {
	d := dialects[k.Name]
	reader, err := newFilterReader(text, d.understood(), false)
	if err != nil {
		return nil, err
	}
	f := &listFilter{reader, d, k}
	all, err := f.comparisons()
	if err != nil {
		return nil, err
	}
	return func(r map[string]any) bool {
		return !slices.ContainsFunc(all, func(fits condition) bool { return !fits(r) })
	}, f.done()
}

func (f *listFilter) comparisons() ([]condition, error) {
	var all []condition
	for {
		start := f.peek()
		if f.accept("(") {
			if err := f.enter(start.at); err != nil {
				return nil, err
			}
			inner, err := f.comparisons()
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

// comparison reads an attribute, an operator and what it is compared with.
func (f *listFilter) comparison() (condition, error) {
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
	case op.kind == operatorToken && !not && (orders[op.text] != nil || op.text == "!="):
		var wanted literal
		wanted, err = f.value()
		not = op.text == "!="
		order := orders[op.text]
		if not {
			order = orders["="]
		}
		test = func(have string) bool { return order(wanted.compare(have)) }
	default:
		err = f.failure(op.at, "there is %s where an operator should be", op)
	}
	if err != nil {
		return nil, err
	}
	// What is not there compares with nothing, as in SQL.
	return func(r map[string]any) bool {
		have := values(r)
		return len(have) > 0 && slices.ContainsFunc(have, test) != not
	}, nil
}

// among reads a list of values.
func (f *listFilter) among() (func(string) bool, error) {
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

// plainValue is what needs no quotes: numbers, true and false.
var plainValue = regexp.MustCompile(`^(?i:[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|true|false)$`)

func (f *listFilter) value() (literal, error) {
	t := f.take()
	switch {
	case t.kind == quotedToken:
		return literal{t.text, true}, nil
	case t.kind == wordToken && plainValue.MatchString(t.text):
		return literal{strings.ToLower(t.text), false}, nil
	}
	return literal{}, f.failure(t.at, "there is %s where a number or text in quotes should be", t)
}

// plainName is a name without quotes. Behind its last dot a key in quotes may follow.
var plainName = regexp.MustCompile(`^[A-Za-z_][\w-]*(\.[\w-]+)*\.?$`)

// attribute reads the name of an attribute or a key, and gives what finds its values.
func (f *listFilter) attribute() (func(r map[string]any) []string, error) {
	t := f.take()
	name := t.text
	if t.kind != quotedToken && (t.kind != wordToken || !plainName.MatchString(name)) {
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
			return func(r map[string]any) []string { return valuesOfKey(objectsAt(r, path), rest) }, nil
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
	return func(r map[string]any) []string { return valuesAt(r, path) }, nil
}

// valuesOfKey finds what a list of {key, value} has for a key.
func valuesOfKey(items []map[string]any, key string) []string {
	var values []string
	for _, item := range items {
		if item["key"] == key {
			values = append(values, resource.Text(item["value"]))
		}
	}
	return values
}
