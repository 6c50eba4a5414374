package statement

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/dialect"
	"github.com/lakeql/lakeql/provider"
)

// Kind is the form in which a value is written.
type Kind int

// The kinds of value.
const (
	String Kind = iota
	Number
	Bool
	Null
	// Bound is a placeholder for a value that comes with the statement: ?, $1 or :name in an EXEC. Its Text
	// is the name, or the number: of $1, or of the ? among the placeholders of the EXEC, from 1.
	Bound
)

// Value is a literal of a statement.
type Value struct {
	Kind Kind
	Text string // a string without its quotes; a number as written; true or false

	source string // the whole text, for positions
	raw    string // a string with its quotes
	start  int    // where it begins in source
	given  bool   // it came in place of a placeholder, and has no raw
	sql    bool   // raw follows SQL's rules: a word, or a string without escapes
}

// Pos is where the value begins.
func (v Value) Pos() provider.Position { return provider.PositionAt(v.source, v.start) }

// Quoted returns the text of a string as it counts, with the place in the statements' text of each of
// its bytes; ok is false for a value that is no string of the text.
func (v Value) Quoted() (text string, places []int, ok bool) {
	if v.Kind != String || v.given {
		return "", nil, false
	}
	text, places = v.decode()
	if !json.Valid([]byte(text)) && !v.sql && strings.Contains(text, `\\`) {
		if unescaped, offsets := decode(v.raw, true); json.Valid([]byte(unescaped)) {
			text, places = unescaped, offsets
		}
	}
	for i := range places {
		places[i] += v.start
	}
	return text, places, true
}

// Any returns the value as JSON decoding would: string, json.Number, bool or nil.
func (v Value) Any() any {
	switch v.Kind {
	case Number:
		return json.Number(v.Text)
	case Bool:
		return v.Text == "true"
	case Null:
		return nil
	default:
		return v.Text
	}
}

// With returns the value that comes in place of a placeholder: nil, bool, string, int64 or float64.
func (v Value) With(value any) Value {
	v.given = true
	switch value := value.(type) {
	case nil:
		v.Kind, v.Text = Null, ""
	case bool:
		v.Kind, v.Text = Bool, strconv.FormatBool(value)
	case int64:
		v.Kind, v.Text = Number, strconv.FormatInt(value, 10)
	case float64:
		v.Kind, v.Text = Number, strconv.FormatFloat(value, 'g', -1, 64)
	default:
		v.Kind, v.Text = String, fmt.Sprint(value)
	}
	return v
}

// JSON reads the value as JSON, numbers kept as they are written (json.Number). Errors say where
// in the statement's text the JSON goes wrong.
//
// A backslash in a string of SQL stands for itself, so JSON's escapes are written as in JSON.
// StackQL takes backslashes out first, and scripts made for it write \\" for \". Such a text is
// not JSON as it stands; it is read StackQL's way if that makes it JSON.
func (v Value) JSON() (any, error) {
	value, _, err := v.json()
	return value, err
}

// Locate returns the position in the statement of the element at a path inside the value's JSON, or of
// the nearest enclosing element that exists.
func (v Value) Locate(path provider.Path) provider.Position {
	_, offsets, err := v.json()
	if err != nil || v.Kind != String || v.given {
		return v.Pos()
	}
	text, _ := v.decodeLike(offsets)
	found := locate(text, path)
	if found < 0 || found >= len(offsets) {
		return v.Pos()
	}
	return provider.PositionAt(v.source, v.start+offsets[found])
}

// json parses the value, and returns the offset in raw of each byte of the decoded text.
func (v Value) json() (any, []int, error) {
	if v.Kind != String {
		return v.Any(), nil, nil
	}
	if v.given {
		value, fault := parseJSON(v.Text)
		if fault != nil {
			return nil, nil, provider.Usagef("malformed JSON in the value of the placeholder: %s", fault.message).
				At(v.Pos())
		}
		return value, nil, nil
	}
	text, offsets := v.decode()
	value, fault := parseJSON(text)
	if fault == nil {
		return value, offsets, nil
	}
	if !v.sql && strings.Contains(text, `\\`) {
		unescaped, unescapedOffsets := decode(v.raw, true)
		if value, err := parseJSON(unescaped); err == nil {
			return value, unescapedOffsets, nil
		}
	}
	if placeholder, offset, ok := placeholderNear(text, fault.offset); ok {
		return nil, nil, PlaceholderError(placeholder, v.at(offsets, offset))
	}
	return nil, nil, provider.Usagef("malformed JSON: %s", fault.message).At(v.at(offsets, fault.offset))
}

// at returns the position of an offset in the decoded text. Its end is the closing quote.
func (v Value) at(offsets []int, offset int) provider.Position {
	if offset < len(offsets) {
		return provider.PositionAt(v.source, v.start+offsets[offset])
	}
	return provider.PositionAt(v.source, v.start+len(v.raw)-1)
}

// decode removes the quotes of a string and returns, for each byte of the result, its offset in raw. Two
// quotes stand for one, and so do a backslash and a quote, because the tokenizer continues after both.
// Other backslashes stay; if backslashes is set, they are escapes, as in MySQL's strings.
func decode(raw string, backslashes bool) (string, []int) {
	text := make([]byte, 0, len(raw))
	offsets := make([]int, 0, len(raw))
	for i := 1; i < len(raw)-1; i++ {
		at, c := i, raw[i]
		switch {
		case c == '\'':
			i++ // the second of two
		case c == '\\' && raw[i+1] == '\'':
			i++
			c = '\''
		case c == '\\' && backslashes:
			i++
			c = unescape(raw[i])
		case c == '\\' && raw[i+1] == '\\':
			// A pair: the second must not be taken for the beginning of \'.
			text, offsets = append(text, c), append(offsets, at)
			i++
			at = i
		}
		text, offsets = append(text, c), append(offsets, at)
	}
	return string(text), offsets
}

// decode returns the text of a string as it counts at first, with the offset in raw of each byte.
func (v Value) decode() (string, []int) {
	if !v.sql {
		return decode(v.raw, false)
	}
	if dialect.IsText(v.raw) {
		return v.Text, v.textOffsets()
	}
	quote := v.raw[0]
	if quote != '\'' && quote != '"' && quote != '`' {
		quote = 0 // a word
	}
	var offsets []int
	for i := 0; i < len(v.raw); i++ {
		if v.raw[i] == quote {
			if i == 0 || i == len(v.raw)-1 {
				continue
			}
			i++ // the second of two
		}
		offsets = append(offsets, i)
	}
	return v.Text, offsets
}

// textOffsets returns the offset in raw of each byte of one of PostgreSQL's texts, E'…' or $$…$$. Behind an
// escape they are near.
func (v Value) textOffsets() []int {
	opening := 2 // E'
	if v.raw[0] == '$' {
		opening = strings.IndexByte(v.raw[1:], '$') + 2
	}
	offsets := make([]int, len(v.Text))
	for i := range offsets {
		offsets[i] = min(opening+i, len(v.raw)-1)
	}
	return offsets
}

// decodeLike decodes the way that gave offsets.
func (v Value) decodeLike(offsets []int) (string, []int) {
	if text, same := v.decode(); len(same) == len(offsets) {
		return text, same
	}
	return decode(v.raw, true)
}

// unescape returns the character that a backslash and c stand for in MySQL's strings.
func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case 'b':
		return '\b'
	case '0':
		return 0
	case 'Z':
		return 26
	default:
		return c
	}
}

// jsonFault is where and why a text is not JSON.
type jsonFault struct {
	offset  int
	message string
}

// parseJSON reads one JSON value and nothing after it. An attribute given twice is a fault: which
// one would count is not for us to choose.
func parseJSON(text string) (any, *jsonFault) {
	if err := json.Unmarshal([]byte(text), new(json.RawMessage)); err != nil {
		return nil, asFault(err)
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	return readJSON(dec, text, 0)
}

// maxDepth is how deeply values may nest; encoding/json's own limit when it decodes at once.
const maxDepth = 10000

func readJSON(dec *json.Decoder, text string, depth int) (any, *jsonFault) {
	tok, err := dec.Token()
	if err != nil {
		return nil, asFault(err)
	}
	delim, ok := tok.(json.Delim)
	if !ok {
		return tok, nil
	}
	if depth >= maxDepth {
		return nil, &jsonFault{int(dec.InputOffset()) - 1, "values nested too deeply"}
	}
	if delim == '[' {
		list := []any{}
		for dec.More() {
			item, fault := readJSON(dec, text, depth+1)
			if fault != nil {
				return nil, fault
			}
			list = append(list, item)
		}
		return list, closing(dec)
	}
	object := map[string]any{}
	for dec.More() {
		start := valueStart(text, int(dec.InputOffset()))
		key, err := dec.Token()
		if err != nil {
			return nil, asFault(err)
		}
		name, _ := key.(string) // the decoder takes nothing else for a key
		if _, twice := object[name]; twice {
			return nil, &jsonFault{start, fmt.Sprintf("attribute %s is given twice", provider.Quote(name))}
		}
		value, fault := readJSON(dec, text, depth+1)
		if fault != nil {
			return nil, fault
		}
		object[name] = value
	}
	return object, closing(dec)
}

// closing reads the bracket that ends an array or object.
func closing(dec *json.Decoder) *jsonFault {
	if _, err := dec.Token(); err != nil {
		return asFault(err)
	}
	return nil
}

func asFault(err error) *jsonFault {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	switch {
	case !ok:
		return &jsonFault{0, err.Error()}
	case syntax.Error() == "unexpected end of JSON input":
		return &jsonFault{int(syntax.Offset), "the text ends too early"}
	default:
		return &jsonFault{max(int(syntax.Offset)-1, 0), syntax.Error()} // it counts the byte at fault
	}
}

// locate returns the offset in a JSON text of the element at path, or of the deepest existing element on
// the path; -1 if the text is not JSON.
func locate(text string, path provider.Path) int {
	dec := json.NewDecoder(strings.NewReader(text))
	return locateIn(dec, text, path)
}

func locateIn(dec *json.Decoder, text string, path provider.Path) int {
	start := valueStart(text, int(dec.InputOffset()))
	if len(path) == 0 {
		return start
	}
	tok, err := dec.Token()
	delim, ok := tok.(json.Delim)
	if err != nil || !ok {
		return start
	}
	for i := 0; dec.More(); i++ {
		var step any = i
		if delim == '{' {
			key, err := dec.Token()
			if err != nil {
				return start
			}
			step = key
		}
		if step == path[0] {
			return locateIn(dec, text, path[1:])
		}
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return start
		}
	}
	return start
}

// valueStart skips the characters that may stand between two JSON tokens.
func valueStart(text string, offset int) int {
	return offset + len(text[offset:]) - len(strings.TrimLeft(text[offset:], " \t\r\n,:"))
}

// placeholderNear finds a placeholder, and where it begins, at the place where JSON stopped being
// readable: pages write numbers and booleans without quotes.
func placeholderNear(text string, offset int) (placeholder string, start int, ok bool) {
	from := max(min(offset, len(text))-1, 0)
	at := strings.Index(text[from:], "{{")
	if at < 0 || at > 1 {
		return "", 0, false
	}
	inner, _, ok := strings.Cut(text[from+at:], "}}")
	return inner + "}}", from + at, ok
}
