package functions

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

func arrayFunctions() []function {
	length := func(args []sqlite3.Value) (any, error) {
		list, err := arrayOf(args[0])
		if err == nil && len(args) > 1 && (len(list) == 0 || args[1].Int() != 1) {
			return nil, nil //nolint:nilnil // NULL, as in PostgreSQL
		}
		return int64(len(list)), err
	}
	return []function{
		{name: "array_length", args: []int{2}, call: length},
		{name: "array_upper", args: []int{2}, call: length},
		{name: "cardinality", args: []int{1}, call: length},
		{name: "array_to_string", args: []int{2, 3}, call: arrayToString},
		{name: "string_to_array", args: []int{2}, call: func(args []sqlite3.Value) (any, error) {
			switch text, separator := args[0].Text(), args[1].Text(); {
			case text == "":
				return document("[]"), nil
			case separator == "":
				return encodeJSON([]string{text})
			default:
				return encodeJSON(strings.Split(text, separator))
			}
		}},
		{name: "array_position", args: []int{2}, nulls: true, call: func(args []sqlite3.Value) (any, error) {
			if args[0].Type() == sqlite3.NULL {
				return nil, nil //nolint:nilnil // NULL
			}
			list, err := arrayOf(args[0])
			if err != nil {
				return nil, err
			}
			if i := slices.IndexFunc(list, isValue(args[1])); i >= 0 {
				return int64(i) + 1, nil
			}
			return nil, nil //nolint:nilnil // NULL
		}},
		{name: "array_append", args: []int{2}, nulls: true, call: func(args []sqlite3.Value) (any, error) {
			list, err := arrayOf(args[0])
			if err != nil {
				return nil, err
			}
			return encodeJSON(append(list, embedded(args[1])))
		}},
		{name: "array_prepend", args: []int{2}, nulls: true, call: func(args []sqlite3.Value) (any, error) {
			list, err := arrayOf(args[1])
			if err != nil {
				return nil, err
			}
			return encodeJSON(append([]any{embedded(args[0])}, list...))
		}},
		{name: "array_cat", args: []int{2}, call: concatJSON},
		{name: "array_remove", args: []int{2}, call: func(args []sqlite3.Value) (any, error) {
			list, err := arrayOf(args[0])
			if err != nil {
				return nil, err
			}
			return encodeJSON(slices.DeleteFunc(list, isValue(args[1])))
		}},
		{name: "lakeql_array", args: []int{1}, nulls: true, call: func(args []sqlite3.Value) (any, error) {
			if args[0].Type() == sqlite3.NULL {
				return nil, nil //nolint:nilnil // NULL
			}
			list, err := arrayOf(args[0])
			if err != nil {
				return nil, err
			}
			return encodeJSON(list)
		}},
		{name: "lakeql_element", args: []int{2}, call: func(args []sqlite3.Value) (any, error) {
			list, err := arrayOf(args[0])
			if i := args[1].Int64(); err == nil && i >= 1 && i <= int64(len(list)) {
				return scalar(list[i-1])
			}
			return nil, err
		}},
	}
}

// arrayOf reads an array: JSON, or as PostgreSQL writes it, {a,b}.
func arrayOf(v sqlite3.Value) ([]any, error) {
	text := strings.TrimSpace(v.Text())
	if v.Type() == sqlite3.NULL {
		return []any{}, nil
	}
	if parsed, err := parseJSON(text); err == nil {
		if list, ok := parsed.([]any); ok {
			return list, nil
		}
		if object, ok := parsed.(map[string]any); !ok || len(object) > 0 {
			return nil, errors.New("the JSON is no array")
		}
	}
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return nil, errors.New("the text is no array")
	}
	list := []any{}
	if inner := strings.TrimSpace(text[1 : len(text)-1]); inner != "" {
		for part := range strings.SplitSeq(inner, ",") {
			part = strings.TrimSpace(part)
			if len(part) > 1 && part[0] == '"' && part[len(part)-1] == '"' {
				part = part[1 : len(part)-1]
			}
			list = append(list, part)
		}
	}
	return list, nil
}

// scalar returns an item of an array as SQLite has it.
func scalar(item any) (any, error) {
	switch item := item.(type) {
	case nil, string, bool:
		return item, nil
	case json.Number:
		if whole, err := item.Int64(); err == nil {
			return whole, nil
		}
		f, err := item.Float64()
		return f, err
	}
	return encodeJSON(item)
}

// isValue returns a function that reports whether an item of an array equals a value of SQLite.
func isValue(v sqlite3.Value) func(any) bool {
	wanted := textOf(embedded(v))
	return func(item any) bool { return textOf(item) == wanted }
}

func arrayToString(args []sqlite3.Value) (any, error) {
	list, err := arrayOf(args[0])
	if err != nil {
		return nil, err
	}
	var parts []string
	for _, item := range list {
		if text, ok := textOf(item).(string); ok {
			parts = append(parts, text)
		} else if len(args) > 2 {
			parts = append(parts, args[2].Text())
		}
	}
	return strings.Join(parts, args[1].Text()), nil
}
