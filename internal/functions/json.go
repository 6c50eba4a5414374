package functions

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/provider"
)

func jsonFunctions() []function {
	var all []function
	both := func(name string, args []int, nulls bool, call func([]sqlite3.Value) (any, error)) {
		all = append(all, function{name: "json_" + name, args: args, nulls: nulls, call: call}, function{name: "jsonb_" + name, args: args, nulls: nulls, call: call})
	}
	both("build_object", []int{-1}, true, buildObject)
	both("build_array", []int{-1}, true, func(args []sqlite3.Value) (any, error) {
		items := make([]any, len(args))
		for i, arg := range args {
			items[i] = embedded(arg)
		}
		return encodeJSON(items)
	})
	both("typeof", []int{1}, false, func(args []sqlite3.Value) (any, error) {
		parsed, err := parsedJSON(args[0])
		return typeName(parsed), err
	})
	both("strip_nulls", []int{1}, false, func(args []sqlite3.Value) (any, error) {
		parsed, err := parsedJSON(args[0])
		if err != nil {
			return nil, err
		}
		return encodeJSON(stripNulls(parsed))
	})
	both("extract_path", []int{-1}, false, func(args []sqlite3.Value) (any, error) { return pathOf(args, texts(args[1:]), false) })
	both("extract_path_text", []int{-1}, false, func(args []sqlite3.Value) (any, error) { return pathOf(args, texts(args[1:]), true) })
	steps := func(asText bool) func([]sqlite3.Value) (any, error) {
		return func(args []sqlite3.Value) (any, error) {
			path, err := arrayOf(args[1])
			if err != nil {
				return nil, err
			}
			return pathOf(args, path, asText)
		}
	}
	whole := func(args []sqlite3.Value) (any, error) { return encodeJSON(embedded(args[0])) }
	return append(
		all,
		function{name: "json_equal", args: []int{2}, call: jsonEqual},
		function{name: "jsonb_array_length", args: []int{1}, call: func(args []sqlite3.Value) (any, error) {
			parsed, err := parsedJSON(args[0])
			list, ok := parsed.([]any)
			if err == nil && !ok {
				err = errors.New("the JSON is no array")
			}
			return int64(len(list)), err
		}},
		function{name: "to_json", args: []int{1}, call: whole},
		function{name: "to_jsonb", args: []int{1}, call: whole},
		function{name: "lakeql_path", args: []int{2}, call: steps(false)},
		function{name: "lakeql_path_text", args: []int{2}, call: steps(true)},
		function{name: "lakeql_contains", args: []int{2}, call: func(args []sqlite3.Value) (any, error) { return containsJSON(args[0], args[1]) }},
		function{name: "lakeql_contained", args: []int{2}, call: func(args []sqlite3.Value) (any, error) { return containsJSON(args[1], args[0]) }},
		function{name: "lakeql_has_key", args: []int{2}, call: hasKey},
		function{name: "lakeql_json_concat", args: []int{2}, call: concatJSON},
		function{name: "lakeql_json_minus", args: []int{2}, call: minusJSON},
		function{name: "lakeql_json_set", args: []int{3, 4}, call: setJSON},
	)
}

// parseJSON reads one JSON value, its numbers as they are written.
func parseJSON(text string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var parsed any
	if err := dec.Decode(&parsed); err != nil {
		return nil, errors.New("the text is no JSON")
	}
	if _, more := dec.Token(); !errors.Is(more, io.EOF) {
		return nil, errors.New("the text is no JSON")
	}
	return parsed, nil
}

// parsedJSON reads an argument that is JSON.
func parsedJSON(v sqlite3.Value) (any, error) {
	if isNumeric(v) {
		return embedded(v), nil
	}
	return parseJSON(v.Text())
}

// encodeJSON writes a value as JSON, with the attributes of objects in the order of their names.
func encodeJSON(value any) (any, error) {
	encoded, err := encoded(value)
	return document(encoded), err
}

func encoded(value any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return "", errors.New("the value cannot be written as JSON")
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// embedded returns a value as a part of JSON. A text that is a JSON object or array becomes a part as
// such, because a column of JSON is a text in SQLite.
func embedded(v sqlite3.Value) any {
	switch v.Type() {
	case sqlite3.INTEGER:
		return v.Int64()
	case sqlite3.FLOAT:
		if f := v.Float(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
		}
		return v.Text()
	case sqlite3.TEXT:
		text := v.Text()
		if v.Subtype() == subtype || text != "" && strings.IndexByte("{[", text[0]) >= 0 {
			if parsed, err := parseJSON(text); err == nil {
				if raw := json.RawMessage(text); json.Valid(raw) {
					return raw
				}
				return parsed
			}
		}
		return text
	case sqlite3.BLOB:
		return v.Text()
	default:
		return nil
	}
}

// member is an attribute of an object whose order counts.
type member struct {
	name  string
	value any
}

func encodeObject(members []member) (any, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range members {
		name, err := encoded(m.name)
		if err != nil {
			return nil, err
		}
		value, err := encoded(m.value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(name + ":" + value)
	}
	b.WriteByte('}')
	return document(b.String()), nil
}

// buildObject is json_build_object(name, value, …).
func buildObject(args []sqlite3.Value) (any, error) {
	if len(args)%2 != 0 {
		return nil, errors.New("each name needs a value")
	}
	var members []member
	for i := 0; i < len(args); i += 2 {
		if args[i].Type() == sqlite3.NULL {
			return nil, errors.New("a name is NULL")
		}
		members = append(members, member{args[i].Text(), embedded(args[i+1])})
	}
	return encodeObject(members)
}

// typeName returns PostgreSQL's name for the type of a JSON value.
func typeName(parsed any) any {
	switch parsed.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case nil:
		return "null"
	default:
		return "number"
	}
}

func stripNulls(parsed any) any {
	switch parsed := parsed.(type) {
	case map[string]any:
		for name, value := range parsed {
			if value == nil {
				delete(parsed, name)
			} else {
				parsed[name] = stripNulls(value)
			}
		}
	case []any:
		for i, item := range parsed {
			parsed[i] = stripNulls(item)
		}
	}
	return parsed
}

func texts(args []sqlite3.Value) []any {
	all := make([]any, len(args))
	for i, arg := range args {
		all[i] = arg.Text()
	}
	return all
}

// pathOf follows the steps of a path in JSON; nil if it leads nowhere.
func pathOf(args []sqlite3.Value, steps []any, asText bool) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("the JSON is missing")
	}
	parsed, err := parsedJSON(args[0])
	if err != nil {
		return nil, err
	}
	for _, step := range steps {
		name, _ := textOf(step).(string)
		switch inside := parsed.(type) {
		case map[string]any:
			next, ok := inside[name]
			if !ok {
				return nil, nil //nolint:nilnil // NULL
			}
			parsed = next
		case []any:
			i, err := strconv.Atoi(name)
			if i < 0 {
				i += len(inside)
			}
			if err != nil || i < 0 || i >= len(inside) {
				return nil, nil //nolint:nilerr,nilnil // NULL
			}
			parsed = inside[i]
		default:
			return nil, nil //nolint:nilnil // NULL
		}
	}
	if asText {
		return textOf(parsed), nil
	}
	return encodeJSON(parsed)
}

// textOf returns a JSON value as a text: a string without its quotes; nil for null.
func textOf(parsed any) any {
	switch parsed := parsed.(type) {
	case nil:
		return nil
	case string:
		return parsed
	}
	text, err := encoded(parsed)
	if err != nil {
		return nil
	}
	return text
}

// containsJSON is a @> b.
func containsJSON(a, b sqlite3.Value) (any, error) {
	outer, err := parsedJSON(a)
	if err != nil {
		return nil, err
	}
	inner, err := parsedJSON(b)
	if err != nil {
		return nil, err
	}
	if list, ok := outer.([]any); ok { // an array contains a value by itself
		if _, both := inner.([]any); !both && typeName(inner) != "object" {
			return slices.ContainsFunc(list, func(item any) bool { return sameJSON(item, inner) }), nil
		}
	}
	return contains(outer, inner), nil
}

func contains(outer, inner any) bool {
	switch inner := inner.(type) {
	case map[string]any:
		object, ok := outer.(map[string]any)
		if !ok {
			return false
		}
		for name, value := range inner {
			if other, ok := object[name]; !ok || !contains(other, value) {
				return false
			}
		}
		return true
	case []any:
		list, ok := outer.([]any)
		if !ok {
			return false
		}
		for _, item := range inner {
			if !slices.ContainsFunc(list, func(other any) bool { return contains(other, item) }) {
				return false
			}
		}
		return true
	}
	return sameJSON(outer, inner)
}

func hasKey(args []sqlite3.Value) (any, error) {
	parsed, err := parsedJSON(args[0])
	if err != nil {
		return nil, err
	}
	key := args[1].Text()
	switch parsed := parsed.(type) {
	case map[string]any:
		_, ok := parsed[key]
		return ok, nil
	case []any:
		return slices.Contains(parsed, any(key)), nil
	}
	return parsed == key, nil
}

func concatJSON(args []sqlite3.Value) (any, error) {
	a, err := parsedJSON(args[0])
	if err != nil {
		return nil, err
	}
	b, err := parsedJSON(args[1])
	if err != nil {
		return nil, err
	}
	object, isObject := a.(map[string]any)
	other, both := b.(map[string]any)
	if isObject && both {
		maps.Copy(object, other)
		return encodeJSON(object)
	}
	list := func(value any) []any {
		if list, ok := value.([]any); ok {
			return list
		}
		return []any{value}
	}
	return encodeJSON(append(slices.Clone(list(a)), list(b)...))
}

// minusJSON is JSON - name, or JSON - index.
func minusJSON(args []sqlite3.Value) (any, error) {
	parsed, err := parsedJSON(args[0])
	if err != nil {
		return nil, err
	}
	switch parsed := parsed.(type) {
	case map[string]any:
		delete(parsed, args[1].Text())
		return encodeJSON(parsed)
	case []any:
		if args[1].Type() == sqlite3.INTEGER {
			i := args[1].Int64()
			if i < 0 {
				i += int64(len(parsed))
			}
			if i >= 0 && i < int64(len(parsed)) {
				parsed = slices.Delete(parsed, int(i), int(i)+1)
			}
			return encodeJSON(parsed)
		}
		return encodeJSON(slices.DeleteFunc(parsed, func(item any) bool { return item == args[1].Text() }))
	}
	return nil, errors.New("the JSON is neither an object nor an array")
}

// setJSON is jsonb_set(json, path, value [, create]).
func setJSON(args []sqlite3.Value) (any, error) {
	parsed, err := parsedJSON(args[0])
	if err != nil {
		return nil, err
	}
	path, err := arrayOf(args[1])
	if err != nil {
		return nil, err
	}
	value, err := parsedJSON(args[2])
	if err != nil {
		return nil, err
	}
	create := len(args) < 4 || args[3].Bool()
	return encodeJSON(setAt(parsed, path, value, create))
}

func setAt(parsed any, path []any, value any, create bool) any {
	if len(path) == 0 {
		return parsed
	}
	name, _ := textOf(path[0]).(string)
	last := len(path) == 1
	switch inside := parsed.(type) {
	case map[string]any:
		other, ok := inside[name]
		switch {
		case last && (ok || create):
			inside[name] = value
		case ok && !last:
			inside[name] = setAt(other, path[1:], value, create)
		}
	case []any:
		i, err := strconv.Atoi(name)
		if err != nil {
			return parsed
		}
		if i < 0 {
			i += len(inside)
		}
		switch {
		case i >= 0 && i < len(inside) && last:
			inside[i] = value
		case i >= 0 && i < len(inside):
			inside[i] = setAt(inside[i], path[1:], value, create)
		case last && create && i < 0:
			return append([]any{value}, inside...)
		case last && create:
			return append(inside, value)
		}
	}
	return parsed
}

// jsonEqual is json_equal(a, b): 1 if two texts are the same JSON. Blanks, the order of attributes and
// the notation of numbers do not count. A text that is not JSON is an error.
func jsonEqual(args []sqlite3.Value) (any, error) {
	var values [2]any
	for i, arg := range args {
		var err error
		if values[i], err = parseJSON(arg.Text()); err != nil {
			return nil, errors.New(provider.Quote(arg.Text()) + " is not JSON")
		}
	}
	return sameJSON(values[0], values[1]), nil
}

// sameJSON compares decoded values of JSON.
func sameJSON(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		n, ok := b.(json.Number)
		return ok && plainNumber(string(a)) == plainNumber(string(n))
	case []any:
		list, ok := b.([]any)
		return ok && slices.EqualFunc(a, list, sameJSON)
	case map[string]any:
		object, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, object, sameJSON)
	}
	return reflect.DeepEqual(a, b)
}

// plainNumber writes a JSON number in one way: its sign and digits, without zeros at either end, and
// the power of ten behind them.
func plainNumber(text string) string {
	mantissa, power, _ := strings.Cut(strings.ToLower(text), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, negative := strings.CutPrefix(whole+fraction, "-")
	exponent, err := strconv.ParseInt(cmp.Or(power, "0"), 10, 32)
	if err != nil {
		return text // beyond all reason: the same only as written
	}
	short := strings.TrimRight(digits, "0")
	exponent += int64(len(digits) - len(short) - len(fraction))
	if short = strings.TrimLeft(short, "0"); short == "" {
		return "0"
	}
	if negative {
		short = "-" + short
	}
	return short + "e" + strconv.FormatInt(exponent, 10)
}
