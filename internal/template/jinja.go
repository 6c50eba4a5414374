package template

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/provider"
)

// Filters lists the filters of Jinja that placeholders may have.
func Filters() []string {
	return []string{
		"b64decode", "b64encode", "capitalize", "default", "first", "float", "from_json", "int", "join", "last", "length", "lower", "replace",
		"reverse", "sort", "split", "sql_escape", "sql_list", "string", "title", "to_json", "trim", "unique", "upper",
	}
}

// otherNames are other names of filters.
var otherNames = map[string]string{
	"d": "default", "count": "length", "tojson": "to_json", "fromjson": "from_json", "base64_encode": "b64encode", "base64_decode": "b64decode",
}

// filtered matches a placeholder with filters: {{ name | filter(…) | filter }}.
var filtered = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\{\{-?\s*\.?([A-Za-z_]\w*)\s*\|([^{}]*?)-?\}\}`)
})

// oneFilter matches a filter, with its arguments.
var oneFilter = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*([A-Za-z_]\w*)\s*(\(((?:[^()'"]|'[^']*'|"[^"]*")*)\))?\s*(\||$)`)
})

// oneArgument matches an argument: a text, a number or a word.
var oneArgument = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*(?:'([^']*)'|"([^"]*)"|([\w.+-]+))\s*(?:,|$)`)
})

// Jinja applies the filters of placeholders as Jinja writes them, {{ name | replace('a', 'b') }}, and
// puts a function in place of each, which it adds to the functions. A placeholder with a filter that it
// does not know, or without a value, stays as it is: [Fill] finds the error.
func Jinja(text string, values map[string]any, functions Functions, limits Limits) (string, error) {
	var fault error
	n := 0
	filled := filtered().ReplaceAllStringFunc(text, func(placeholder string) string {
		match := filtered().FindStringSubmatch(placeholder)
		calls, ok := filterCalls(match[2], functions)
		if !ok || fault != nil {
			return placeholder
		}
		value, known := values[match[1]]
		if !known && calls[0].name != "default" {
			return placeholder
		}
		for _, call := range calls {
			var err error
			if value, err = call.apply(value, known, limits.Size); err != nil {
				at := strings.Index(text, placeholder)
				fault = provider.Usagef("fill in the statement: the filter %s: %v", call.name, err).At(provider.PositionAt(text, at))
				return placeholder
			}
			known = true
		}
		n++
		name := fmt.Sprintf("lakeql_filtered_%d", n)
		made := rendered(value)
		functions[name] = func() string { return made }
		return "{{ " + name + " }}"
	})
	if fault != nil {
		return "", fault
	}
	return filled, nil
}

// filterCall is one filter of a placeholder.
type filterCall struct {
	name string
	args []any
}

// filterCalls reads the filters behind a name; ok is false if one of them is none of Jinja's, or a
// function of text/template's that the template may mean.
func filterCalls(text string, functions Functions) (calls []filterCall, ok bool) {
	for {
		match := oneFilter().FindStringSubmatch(text)
		if match == nil {
			return nil, false
		}
		name := match[1]
		if other, known := otherNames[name]; known {
			name = other
		}
		if _, taken := functions[name]; taken || !slices.Contains(Filters(), name) {
			return nil, false
		}
		call := filterCall{name: name}
		for rest := match[3]; strings.TrimSpace(rest) != ""; {
			arg := oneArgument().FindStringSubmatch(rest)
			if arg == nil {
				return nil, false
			}
			switch word := arg[3]; {
			case word == "":
				call.args = append(call.args, arg[1]+arg[2])
			case json.Valid([]byte(word)):
				call.args = append(call.args, json.Number(word))
			default:
				call.args = append(call.args, word)
			}
			rest = rest[len(arg[0]):]
		}
		calls = append(calls, call)
		if match[4] == "" {
			return calls, true
		}
		text = text[len(match[0]):]
	}
}

// rendered is a value as it is put into a statement: a text as it is, anything else as JSON.
func rendered(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(value) != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// argument is the n-th argument of a call as a text; other if there is none.
func (c filterCall) argument(n int, other string) string {
	if n < len(c.args) {
		return rendered(c.args[n])
	}
	return other
}

func (c filterCall) apply(value any, known bool, size int) (any, error) {
	text := rendered(value)
	switch c.name {
	case "default":
		if len(c.args) == 0 {
			return nil, errors.New("the value is missing: default('x')")
		}
		if !known || value == nil || text == "" && c.argument(1, "") != "" {
			return c.args[0], nil
		}
		return value, nil
	case "from_json":
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		var parsed any
		if dec.Decode(&parsed) != nil || dec.More() {
			return nil, errors.New("the value is no JSON")
		}
		return parsed, nil
	case "to_json":
		encoded, err := json.Marshal(value)
		return string(encoded), err
	case "replace":
		if len(c.args) != 2 {
			return nil, errors.New("it takes two texts: replace('a', 'b')")
		}
		from, to := c.argument(0, ""), c.argument(1, "")
		if count := strings.Count(text, from); (len(text) + count*len(to)) > size {
			return nil, errors.New("the text becomes too long")
		}
		return strings.ReplaceAll(text, from, to), nil
	case "int", "float":
		f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return nil, errors.New("the value is no number")
		}
		if c.name == "int" {
			return json.Number(strconv.FormatFloat(float64(int64(f)), 'f', -1, 64)), nil
		}
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64)), nil
	case "b64encode":
		return base64.StdEncoding.EncodeToString([]byte(text)), nil
	case "b64decode":
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, errors.New("the value is not base64")
		}
		return string(decoded), nil
	case "split":
		var parts []any
		for part := range strings.SplitSeq(text, c.argument(0, " ")) {
			parts = append(parts, part)
		}
		return parts, nil
	case "join", "first", "last", "sort", "unique", "sql_list", "reverse", "length":
		return c.ofList(value, text)
	default:
		return ofText(c.name, text), nil
	}
}

// ofText applies a filter of texts.
func ofText(name, text string) string {
	switch name {
	case "upper":
		return strings.ToUpper(text)
	case "lower":
		return strings.ToLower(text)
	case "trim":
		return strings.TrimSpace(text)
	case "capitalize":
		return firstUpper(strings.ToLower(text))
	case "title":
		words := strings.SplitAfter(strings.ToLower(text), " ")
		for i, word := range words {
			words[i] = firstUpper(word)
		}
		return strings.Join(words, "")
	case "sql_escape":
		return strings.ReplaceAll(text, "'", "''")
	default: // string
		return text
	}
}

func firstUpper(text string) string {
	for i := range text {
		if i > 0 {
			return strings.ToUpper(text[:i]) + text[i:]
		}
	}
	return strings.ToUpper(text)
}

// ofList applies a filter of lists. A text that is a JSON list is one; any other text is its characters.
func (c filterCall) ofList(value any, text string) (any, error) {
	list, isList := value.([]any)
	if parsed := []any(nil); !isList && json.Unmarshal([]byte(text), &parsed) == nil {
		list, isList = parsed, true
	}
	if !isList {
		for _, r := range text {
			list = append(list, string(r))
		}
	}
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i] = rendered(item)
	}
	switch c.name {
	case "length":
		if object, ok := value.(map[string]any); ok {
			return json.Number(strconv.Itoa(len(object))), nil
		}
		return json.Number(strconv.Itoa(len(list))), nil
	case "join":
		return strings.Join(texts, c.argument(0, "")), nil
	case "first", "last":
		if len(list) == 0 {
			return nil, errors.New("the list is empty")
		}
		if c.name == "first" {
			return list[0], nil
		}
		return list[len(list)-1], nil
	case "sql_list":
		if !isList {
			return nil, errors.New("the value is no list")
		}
		for i := range texts {
			texts[i] = "'" + strings.ReplaceAll(texts[i], "'", "''") + "'"
		}
		return "(" + strings.Join(texts, ",") + ")", nil
	case "reverse":
		list = slices.Clone(list)
		slices.Reverse(list)
	case "sort":
		list = slices.Clone(list)
		slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(rendered(a), rendered(b)) })
	case "unique":
		var seen []string
		list = slices.DeleteFunc(slices.Clone(list), func(item any) bool {
			text := rendered(item)
			if slices.Contains(seen, text) {
				return true
			}
			seen = append(seen, text)
			return false
		})
	}
	if !isList {
		return strings.Join(textsOf(list), ""), nil
	}
	return list, nil
}

func textsOf(list []any) []string {
	texts := make([]string, len(list))
	for i, item := range list {
		texts[i] = rendered(item)
	}
	return texts
}
