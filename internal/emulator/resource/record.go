package resource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Record is a resource as the emulator keeps it: attributes by name, possibly more than any answer
// shows. A record in a [Collections] is never modified, only replaced.
type Record = map[string]any

// Text writes a JSON scalar the way it appears in a path or a query. It writes null as an empty
// string, and arrays and objects as JSON.
func Text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case int64:
		return strconv.FormatInt(v, 10)
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return string(JSON(value))
}

// Object returns an attribute that is an object, or an empty record if it is not one.
func Object(r map[string]any, name string) Record {
	if v, ok := r[name].(Record); ok {
		return v
	}
	return Record{}
}

// TextOr returns value if it is a string that is not empty, and other if not.
func TextOr(value any, other string) string {
	if text, ok := value.(string); ok && text != "" {
		return text
	}
	return other
}

// Int reads an integer from a number or from its digits.
func Int(value any) (int64, bool) {
	n, err := strconv.ParseInt(Text(value), 10, 64)
	return n, err == nil
}

// ValueField holds the value of a resource that is a plain value and not an object, as in a few
// lists.
const ValueField = "\x00value"

// JSON encodes a value that the emulator made. All such values can be encoded.
func JSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Appendf(nil, `{"error_code":"INTERNAL_ERROR","message":%q}`, err.Error())
	}
	return b
}

// Decode reads one JSON value with nothing after it. Numbers are json.Number, as they are written.
func Decode(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errors.New("it ends too early")
		}
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows after its end")
	}
	return value, nil
}
