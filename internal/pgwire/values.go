package pgwire

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/lakeql/lakeql/internal/pgwire/pgcatalog"
	"github.com/lakeql/lakeql/provider"
)

// encode writes a value as a type in a format; nil is NULL.
func (s *session) encode(value any, c provider.Column, oid uint32, format int16) ([]byte, error) {
	if secret, ok := value.(provider.Secret); ok {
		value = string(secret)
	}
	if value == nil {
		return nil, nil
	}
	if format == binaryFormat {
		if data := plainBinary(value, oid); data != nil {
			return data, nil
		}
	}
	text, wanted := textOf(value, oid)
	if wanted == "" && format == binaryFormat {
		binary, err := s.transcode([]byte(text), oid, textFormat, binaryFormat)
		if err == nil {
			return binary, nil
		}
		wanted = "of its type"
	}
	if wanted != "" {
		return nil, &fault{
			state: stateInvalidText, message: "a value of column " + provider.Printable(c.Name) + " is not " + wanted,
			hint: "cast it to text: the API, or an expression, gives more than one type",
		}
	}
	return []byte(text), nil
}

// plainBinary writes the values that most columns hold, which are those of their types already; nil for
// others.
func plainBinary(value any, oid uint32) []byte {
	switch value := value.(type) {
	case string:
		if oid == pgtype.TextOID {
			return []byte(value)
		}
	case int64:
		if oid == pgtype.Int8OID {
			return binary.BigEndian.AppendUint64(nil, uint64(value)) //nolint:gosec // the same bits
		}
	case float64:
		if oid == pgtype.Float8OID {
			return binary.BigEndian.AppendUint64(nil, math.Float64bits(value))
		}
	}
	return nil
}

// textOf writes a value as PostgreSQL writes those of a type. If it cannot be one, wanted says what it is not.
func textOf(value any, oid uint32) (text, wanted string) {
	text = asText(value)
	switch oid {
	case pgtype.Int8OID, pgtype.Int4OID, pgtype.Int2OID, pgtype.OIDOID:
		return wholeText(value, text, oid)
	case pgtype.Float8OID, pgtype.Float4OID, pgtype.NumericOID:
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return "", "a number"
		}
	case pgtype.BoolOID:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return "", "true or false"
		}
		return map[bool]string{true: "t", false: "f"}[b], ""
	case pgtype.TimestamptzOID, pgtype.TimestampOID, pgtype.DateOID:
		t, ok := parseTime(text)
		if !ok {
			return "", "a time"
		}
		return t.UTC().Format(map[uint32]string{
			pgtype.TimestamptzOID: "2006-01-02 15:04:05.999999-07", pgtype.TimestampOID: "2006-01-02 15:04:05.999999", pgtype.DateOID: time.DateOnly,
		}[oid]), ""
	case pgtype.JSONBOID, pgtype.JSONOID:
		if _, ok := value.(json.RawMessage); !ok && !json.Valid([]byte(text)) {
			return quoted(text), ""
		}
	case pgtype.ByteaOID:
		return `\x` + hex.EncodeToString([]byte(text)), ""
	}
	if element := pgcatalog.ElementOf(oid); element != 0 {
		return arrayText(text, element)
	}
	return text, ""
}

// quoted is a text as JSON has it.
func quoted(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a buffer takes everything
	return strings.TrimSuffix(b.String(), "\n")
}

func wholeText(value any, text string, oid uint32) (string, string) {
	if b, ok := value.(bool); ok {
		return map[bool]string{true: "1", false: "0"}[b], ""
	}
	n, err := strconv.ParseInt(text, 10, 64)
	least, most := int64(math.MinInt64), int64(math.MaxInt64)
	switch oid {
	case pgtype.Int4OID:
		least, most = math.MinInt32, math.MaxInt32
	case pgtype.Int2OID:
		least, most = math.MinInt16, math.MaxInt16
	case pgtype.OIDOID:
		least, most = 0, math.MaxUint32
	}
	if err != nil || n < least || n > most {
		return "", "an integer of its size"
	}
	return text, ""
}

// parseTime reads a time as the API, SQLite or PostgreSQL writes it.
func parseTime(text string) (time.Time, bool) {
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999",
		"2006-01-02T15:04:05.999999999", time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04",
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// arrayText writes an array, which is JSON here, as PostgreSQL does.
func arrayText(text string, element uint32) (array, wanted string) {
	if strings.HasPrefix(text, "{") {
		return text, ""
	}
	var items []json.RawMessage
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		return "", "an array"
	}
	var b strings.Builder
	b.WriteByte('{')
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		if string(item) == "null" {
			b.WriteString("NULL")
			continue
		}
		plain := string(item)
		var inner string
		if json.Unmarshal(item, &inner) == nil {
			plain = inner
		}
		if plain, wanted = textOf(plain, element); wanted != "" {
			return "", wanted
		}
		if plain != "" && !strings.ContainsAny(plain, "{},\"\\ \t\r\n") && !strings.EqualFold(plain, "null") {
			b.WriteString(plain)
			continue
		}
		b.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(plain) + `"`)
	}
	b.WriteByte('}')
	return b.String(), ""
}

func asText(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case bool:
		return strconv.FormatBool(value)
	case int64:
		return strconv.FormatInt(value, 10)
	case float64:
		switch {
		case math.IsInf(value, 1):
			return "Infinity"
		case math.IsInf(value, -1):
			return "-Infinity"
		case math.IsNaN(value):
			return "NaN"
		}
		return strconv.FormatFloat(value, 'g', -1, 64)
	case json.RawMessage:
		return string(value)
	case time.Time:
		return value.UTC().Format(time.RFC3339Nano)
	case []byte:
		return string(value)
	}
	return ""
}

// transcode writes a value of a type in the other format.
func (s *session) transcode(data []byte, oid uint32, from, to int16) ([]byte, error) {
	if s.codecs == nil {
		s.codecs = pgtype.NewMap()
	}
	t, ok := s.codecs.TypeForOID(oid)
	if !ok {
		return nil, faultf(stateUnsupported, "binary values of the type with the oid %d are not served; ask for text", oid)
	}
	value, err := t.Codec.DecodeValue(s.codecs, oid, from, data)
	if err != nil {
		return nil, err
	}
	return s.codecs.Encode(oid, to, value, nil)
}

// decode reads the value of a parameter.
func (s *session) decode(data []byte, oid uint32, format int16) (any, error) {
	if data == nil {
		return nil, nil
	}
	switch oid {
	case 0, pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.JSONOID, pgtype.UnknownOID, pgtype.ByteaOID:
		if oid != pgtype.ByteaOID || format == binaryFormat {
			return string(data), nil
		}
	case pgtype.JSONBOID:
		if format == binaryFormat && len(data) > 0 && data[0] == 1 { // its version
			return string(data[1:]), nil
		}
	}
	if format == binaryFormat {
		text, err := s.transcode(data, oid, binaryFormat, textFormat)
		if known, ok := errors.AsType[*fault](err); ok {
			return nil, known
		} else if err != nil {
			return nil, faultf("22P03", "the binary value of a parameter cannot be read")
		}
		data = text
	}
	return s.decodeText(string(data), oid)
}

// decodeText reads a value as PostgreSQL writes those of a type.
func (s *session) decodeText(text string, oid uint32) (any, error) {
	wrong := func(wanted string) error { return faultf(stateInvalidText, "a parameter is not %s", wanted) }
	trimmed := strings.TrimSpace(text)
	switch oid {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID:
		if n, err := strconv.ParseInt(trimmed, 10, 64); err == nil {
			return n, nil
		}
		return nil, wrong("an integer")
	case pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID:
		if n, err := strconv.ParseInt(trimmed, 10, 64); err == nil {
			return n, nil
		}
		if n, err := strconv.ParseFloat(trimmed, 64); err == nil {
			return n, nil
		}
		return nil, wrong("a number")
	case pgtype.BoolOID:
		switch strings.ToLower(trimmed) {
		case "t", "true", "y", "yes", "on", "1":
			return true, nil
		case "f", "false", "n", "no", "off", "0":
			return false, nil
		}
		return nil, wrong("true or false")
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		if t, ok := parseTime(trimmed); ok {
			return t.UTC().Format(time.RFC3339Nano), nil
		}
	case pgtype.ByteaOID:
		if data, err := hex.DecodeString(strings.TrimPrefix(text, `\x`)); err == nil && strings.HasPrefix(text, `\x`) {
			return string(data), nil
		}
	}
	if element := pgcatalog.ElementOf(oid); element != 0 {
		return s.decodeArray(text, element)
	}
	return text, nil
}

// decodeArray reads an array of one dimension, which is JSON here.
func (s *session) decodeArray(text string, element uint32) (any, error) {
	items, err := s.transcodeArray(text)
	if err != nil {
		return nil, faultf(stateInvalidText, "a parameter is not an array of one dimension")
	}
	list := make([]any, len(items))
	for i, item := range items {
		if item == nil {
			continue
		}
		if list[i], err = s.decodeText(*item, element); err != nil {
			return nil, err
		}
	}
	made, err := json.Marshal(list)
	return string(made), err
}

// transcodeArray reads the items of an array; nil is NULL.
func (s *session) transcodeArray(text string) (items []*string, err error) {
	if s.codecs == nil {
		s.codecs = pgtype.NewMap()
	}
	err = s.codecs.Scan(pgtype.TextArrayOID, textFormat, []byte(text), &items)
	return items, err
}
