package pipeline

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// convert converts a value of a query to the type of its column: nil, string, int64, float64, bool, time.Time
// (UTC, whole microseconds), or json.RawMessage with sorted keys.
func (c Column) convert(v any) (any, error) {
	if secret, ok := v.(provider.Secret); ok {
		v = secret.String() // a mask: credentials are never kept
	}
	if v == nil {
		return nil, nil //nolint:nilnil // NULL
	}
	var converted any
	switch c.Type {
	case Text:
		converted = asText(v)
	case Integer:
		converted = asInteger(v)
	case Number:
		converted = asNumber(v)
	case Boolean:
		converted = asBoolean(v)
	case Timestamp:
		converted = asTime(v)
	case JSON:
		converted = asJSON(v)
	}
	if converted == nil {
		return nil, provider.Usagef("the column %s is declared as %s, and %s has another type", c.Name, c.Type, provider.Quote(written(v)))
	}
	return converted, nil
}

// written is a value as a message has it.
func written(v any) string {
	if raw, ok := v.(json.RawMessage); ok {
		return string(raw)
	}
	return fmt.Sprint(v)
}

func asText(v any) any {
	switch v := v.(type) {
	case string:
		return v
	case json.RawMessage:
		return string(v)
	case int64, bool:
		return fmt.Sprint(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return nil
}

func asInteger(v any) any {
	switch v := v.(type) {
	case int64:
		return v
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n
		}
	}
	return nil
}

func asNumber(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		if !math.IsInf(v, 0) && !math.IsNaN(v) { // which JSON does not have, so that the history could not tell them
			return v + 0 // makes -0 what databases keep it as
		}
	case json.RawMessage: // an integer of more than 64 bits
		return asNumber(string(v))
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return asNumber(f)
		}
	}
	return nil
}

func asBoolean(v any) any {
	switch v := v.(type) {
	case bool:
		return v
	case int64:
		if v == 0 || v == 1 {
			return v == 1
		}
	case string:
		if b, err := strconv.ParseBool(strings.ToLower(v)); err == nil && len(v) > 1 {
			return b
		}
	}
	return nil
}

// timeLayouts are how times are written: ISO 8601 as the API has it, and as SQLite's functions do, which
// mean UTC.
var timeLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05",
	"2006-01-02T15:04",
	"2006-01-02 15:04",
	time.DateOnly,
}

// asTime reads a time: a text, or milliseconds since 1970, which the API uses for times as numbers.
func asTime(v any) any {
	switch v := v.(type) {
	case time.Time:
		if t := micro(v); t.Year() >= 1 && t.Year() <= 9999 { // what has four digits, and is a time for both databases
			return t
		}
	case int64:
		return asTime(time.UnixMilli(v))
	case float64:
		if math.Abs(v) < 1<<53 {
			return asTime(time.UnixMicro(int64(math.Round(v * 1000))))
		}
	case string:
		for _, layout := range timeLayouts {
			if t, err := time.Parse(layout, v); err == nil {
				return asTime(t)
			}
		}
	}
	return nil
}

// micro is a time in UTC, as exact as PostgreSQL keeps it.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// asJSON returns a value as JSON that is the same text whenever it means the same.
func asJSON(v any) any {
	switch v := v.(type) {
	case json.RawMessage:
		return sorted(v)
	case string:
		if v != "" && strings.ContainsRune("{[", rune(v[0])) {
			if made := sorted([]byte(v)); made != nil {
				return made
			}
		}
	}
	if made, ok := encodeJSON(v).(json.RawMessage); ok {
		return sorted(made) // which writes what is no UTF-8 otherwise
	}
	return nil
}

// scalar converts JSON to the form in SQLite: objects and arrays become text, and strings and numbers become
// SQL values, so that they read and compare as those of the API do. A value that would read back differently,
// such as true or a string that holds JSON, becomes a BLOB with the JSON.
func scalar(v json.RawMessage) any {
	var native any
	switch {
	case len(v) == 0:
		return []byte(v)
	case v[0] == '{' || v[0] == '[':
		return string(v)
	case v[0] == '"':
		var text string
		if json.Unmarshal(v, &text) == nil {
			native = text
		}
	default:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			native = n
		} else if f, err := strconv.ParseFloat(string(v), 64); err == nil {
			native = f
		}
	}
	if again, ok := asJSON(native).(json.RawMessage); native != nil && ok && bytes.Equal(again, v) {
		return native
	}
	return []byte(v)
}

// sorted returns JSON without blanks and with sorted keys; nil for invalid JSON.
func sorted(data []byte) any {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var value any
	if dec.Decode(&value) != nil || dec.More() {
		return nil
	}
	return encodeJSON(value)
}

// encodeJSON returns JSON in the one form that stored values have.
func encodeJSON(value any) any {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(value) != nil {
		return nil
	}
	return json.RawMessage(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// The tags that values have before them in encoded rows.
const (
	tagNull = iota
	tagText
	tagInteger
	tagNumber
	tagFalse
	tagTrue
	tagTime
	tagJSON
)

// appendValue encodes a value, so that equal values are equal bytes and others are not.
func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		b = binary.AppendUvarint(append(b, tagText), uint64(len(v)))
		return append(b, v...)
	case json.RawMessage:
		b = binary.AppendUvarint(append(b, tagJSON), uint64(len(v)))
		return append(b, v...)
	case int64:
		return binary.AppendVarint(append(b, tagInteger), v)
	case float64:
		return binary.BigEndian.AppendUint64(append(b, tagNumber), math.Float64bits(v))
	case bool:
		if v {
			return append(b, tagTrue)
		}
		return append(b, tagFalse)
	case time.Time:
		return binary.AppendVarint(append(b, tagTime), v.UnixMicro())
	}
	return append(b, tagNull)
}

// errEncoded is the error of bytes that no row was encoded to.
var errEncoded = errors.New("the bytes of a row are damaged")

// readValue decodes a value, and returns the bytes after it.
func readValue(b []byte) (any, []byte, error) {
	if len(b) == 0 {
		return nil, nil, errEncoded
	}
	tag, b := b[0], b[1:]
	switch tag {
	case tagNull:
		return nil, b, nil
	case tagFalse, tagTrue:
		return tag == tagTrue, b, nil
	case tagInteger, tagTime:
		n, size := binary.Varint(b)
		if size <= 0 {
			return nil, nil, errEncoded
		}
		if tag == tagTime {
			return time.UnixMicro(n).UTC(), b[size:], nil
		}
		return n, b[size:], nil
	case tagNumber:
		if len(b) < 8 {
			return nil, nil, errEncoded
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b)), b[8:], nil
	case tagText, tagJSON:
		n, size := binary.Uvarint(b)
		if size <= 0 || n > math.MaxInt32*2 || int64(n) > int64(len(b)-size) {
			return nil, nil, errEncoded
		}
		b = b[size:]
		if tag == tagJSON {
			return json.RawMessage(bytes.Clone(b[:n])), b[n:], nil
		}
		return string(b[:n]), b[n:], nil
	}
	return nil, nil, errEncoded
}

// readRow decodes a row of n values.
func readRow(b []byte, n int) ([]any, error) {
	row := make([]any, n)
	var err error
	for i := range row {
		if row[i], b, err = readValue(b); err != nil {
			return nil, err
		}
	}
	if len(b) > 0 {
		return nil, errEncoded
	}
	return row, nil
}
