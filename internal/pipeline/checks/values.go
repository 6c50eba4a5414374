package checks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Values are the values of a row, in the order of its columns. They are a JSON object.
type Values []Value

// Value is a value of a row: nil, bool, string, or json.RawMessage.
type Value struct {
	Name  string
	Value any
}

// MarshalJSON implements [json.Marshaler].
func (v Values) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, value := range v {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := enc.Encode(value.Name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := enc.Encode(value.Value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON implements [json.Unmarshaler].
func (v *Values) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil {
		return err
	}
	*v = nil
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var value Single
		if err := dec.Decode(&value); err != nil {
			return err
		}
		*v = append(*v, Value{fmt.Sprint(name), value.Value})
	}
	if _, err := dec.Token(); err != nil && err != io.EOF {
		return err
	}
	return nil
}

// Single is a value without a name, which JSON decodes as a value of a row is.
type Single struct{ Value any }

// Text returns the value as a text for people.
func (s Single) Text() string { return text(s.Value) }

// UnmarshalJSON implements [json.Unmarshaler].
func (s *Single) UnmarshalJSON(data []byte) (err error) {
	switch data[0] {
	case '"':
		var text string
		err = json.Unmarshal(data, &text)
		s.Value = text
	case 't', 'f':
		s.Value = data[0] == 't'
	case 'n':
		s.Value = nil
	default:
		s.Value = append(json.RawMessage(nil), data...)
	}
	return err
}

// Text returns a value as a text for people.
func (v Value) Text() string { return text(v.Value) }

// size is about how many bytes the values have.
func (v Values) size() int {
	n := 0
	for _, value := range v {
		n += len(value.Name) + len(text(value.Value))
	}
	return n
}

// Bounded is a value of a row as it is kept: not longer than 4 KiB, and a number as JSON.
func Bounded(v any) any {
	switch v := v.(type) {
	case nil, bool:
		return v
	case string:
		return shorten(v, longestValue)
	case json.RawMessage:
		if len(v) <= longestValue {
			return v
		}
	case int64:
		return json.RawMessage(strconv.FormatInt(v, 10))
	case float64:
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			return json.RawMessage(strconv.FormatFloat(v, 'g', -1, 64))
		}
	}
	return shorten(text(v), longestValue)
}

// text is a value as a text: NULL is empty.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.RawMessage:
		return string(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v) // masks a secret
}

// number is a finite number of a row.
func number(v any) (json.Number, bool) {
	switch v := v.(type) {
	case int64:
		return json.Number(strconv.FormatInt(v, 10)), true
	case float64:
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64)), !math.IsInf(v, 0) && !math.IsNaN(v)
	case json.RawMessage:
		_, ok := parseBound(string(v))
		return json.Number(v), ok
	}
	return "", false
}

// shorten cuts a text to so many bytes, between two characters. Bytes that are not UTF-8 become U+FFFD.
func shorten(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text
	}
	const more = "…"
	end := most - len(more)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}
