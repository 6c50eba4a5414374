package pgwire

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/lakeql/lakeql/internal/pgwire/pgcatalog"
	"github.com/lakeql/lakeql/provider"
)

// The two formats of values.
const (
	textFormat   = 0
	binaryFormat = 1
)

// columnType is the type that a column has for PostgreSQL.
func columnType(c provider.Column) uint32 { return pgcatalog.OIDOf(c) }

// valueType is the type of a value, for columns whose type nothing tells: the result of an expression.
func valueType(value any) uint32 {
	switch value.(type) {
	case int64:
		return pgtype.Int8OID
	case float64:
		return pgtype.Float8OID
	case bool:
		return pgtype.BoolOID
	case json.RawMessage:
		return pgtype.JSONBOID
	}
	return pgtype.TextOID
}

// typeSize is the size that RowDescription has for a type; -1 is variable.
func typeSize(oid uint32) int16 {
	switch oid {
	case pgtype.Int8OID, pgtype.Float8OID, pgtype.TimestamptzOID:
		return 8
	case pgtype.BoolOID:
		return 1
	case pgtype.Int4OID, pgtype.OIDOID:
		return 4
	case pgtype.Int2OID:
		return 2
	}
	return -1
}

// describe is the header of rows.
func describe(columns []provider.Column, types []uint32, formats []int16) *pgproto3.RowDescription {
	fields := make([]pgproto3.FieldDescription, len(columns))
	for i, c := range columns {
		fields[i] = pgproto3.FieldDescription{
			Name: []byte(c.Name), DataTypeOID: types[i], DataTypeSize: typeSize(types[i]), TypeModifier: -1, Format: formatOf(formats, i),
		}
	}
	return &pgproto3.RowDescription{Fields: fields}
}

// formatOf is the format of column i: none named means text, and one is for all.
func formatOf(formats []int16, i int) int16 {
	switch {
	case len(formats) == 1:
		return formats[0]
	case i < len(formats):
		return formats[i]
	}
	return textFormat
}

// encode writes a value as a type in a format; nil is NULL.
func encode(value any, c provider.Column, oid uint32, format int16) ([]byte, error) {
	if secret, ok := value.(provider.Secret); ok {
		value = string(secret)
	}
	if value == nil {
		return nil, nil
	}
	text := asText(value)
	switch oid {
	case pgtype.Int8OID, pgtype.Int4OID, pgtype.Int2OID, pgtype.OIDOID:
		n, err := strconv.ParseInt(text, 10, 64)
		if b, ok := value.(bool); ok {
			n, err = 0, nil
			if b {
				n = 1
			}
		}
		if err != nil || oid != pgtype.Int8OID && (n < math.MinInt32 || n > math.MaxUint32) {
			return nil, unlike(c, "an integer")
		}
		if format == textFormat {
			return strconv.AppendInt(nil, n, 10), nil
		}
		if typeSize(oid) == 8 {
			return binary.BigEndian.AppendUint64(nil, uint64(n)), nil //nolint:gosec // the same bits
		}
		if oid == pgtype.Int2OID {
			return binary.BigEndian.AppendUint16(nil, uint16(n)), nil //nolint:gosec // the same bits
		}
		return binary.BigEndian.AppendUint32(nil, uint32(n)), nil //nolint:gosec // the same bits
	case pgtype.Float8OID:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, unlike(c, "a number")
		}
		if format == textFormat {
			return []byte(text), nil
		}
		return binary.BigEndian.AppendUint64(nil, math.Float64bits(f)), nil
	case pgtype.BoolOID:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return nil, unlike(c, "true or false")
		}
		return boolean(b, format), nil
	case pgtype.TimestamptzOID:
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return nil, unlike(c, "a time")
		}
		if format == textFormat {
			return []byte(t.UTC().Format("2006-01-02 15:04:05.999999-07")), nil
		}
		return binary.BigEndian.AppendUint64(nil, uint64(t.UnixMicro()-epoch)), nil //nolint:gosec // the same bits
	case pgtype.JSONBOID:
		if raw, ok := value.(json.RawMessage); ok {
			text = string(raw)
		} else if !json.Valid([]byte(text)) {
			quoted, err := json.Marshal(text)
			if err != nil {
				return nil, err
			}
			text = string(quoted)
		}
		if format == binaryFormat {
			return append([]byte{1}, text...), nil // the version of jsonb
		}
	}
	return []byte(text), nil
}

// epoch is 2000-01-01, from which PostgreSQL counts, in microseconds of Unix.
const epoch = 946_684_800_000_000

func boolean(b bool, format int16) []byte {
	switch {
	case format == binaryFormat && b:
		return []byte{1}
	case format == binaryFormat:
		return []byte{0}
	case b:
		return []byte{'t'}
	}
	return []byte{'f'}
}

// unlike is the error for a value that its column's type cannot hold.
func unlike(c provider.Column, wanted string) error {
	return &fault{
		state: stateInvalidText, message: "a value of column " + provider.Printable(c.Name) + " is not " + wanted,
		hint: "cast it to text: the API, or an expression, gives more than one type",
	}
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

// decode reads the value of a parameter.
func decode(data []byte, oid uint32, format int16) (any, error) {
	if data == nil {
		return nil, nil
	}
	if format == textFormat {
		text := string(data)
		switch oid {
		case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID:
			if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil {
				return n, nil
			}
			return nil, faultf(stateInvalidText, "a parameter is not an integer")
		case pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID:
			if n, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil {
				return n, nil
			}
			return nil, faultf(stateInvalidText, "a parameter is not a number")
		case pgtype.BoolOID:
			switch strings.ToLower(strings.TrimSpace(text)) {
			case "t", "true", "y", "yes", "on", "1":
				return true, nil
			case "f", "false", "n", "no", "off", "0":
				return false, nil
			}
			return nil, faultf(stateInvalidText, "a parameter is neither true nor false")
		}
		return text, nil
	}
	wrong := faultf("22P03", "the binary value of a parameter cannot be read")
	switch oid {
	case pgtype.Int2OID:
		if len(data) == 2 {
			return int64(int16(binary.BigEndian.Uint16(data))), nil //nolint:gosec // the same bits
		}
		return nil, wrong
	case pgtype.Int4OID:
		if len(data) == 4 {
			return int64(int32(binary.BigEndian.Uint32(data))), nil //nolint:gosec // the same bits
		}
		return nil, wrong
	case pgtype.OIDOID:
		if len(data) == 4 {
			return int64(binary.BigEndian.Uint32(data)), nil
		}
		return nil, wrong
	case pgtype.Int8OID:
		if len(data) == 8 {
			return int64(binary.BigEndian.Uint64(data)), nil //nolint:gosec // the same bits
		}
		return nil, wrong
	case pgtype.Float4OID:
		if len(data) == 4 {
			return float64(math.Float32frombits(binary.BigEndian.Uint32(data))), nil
		}
		return nil, wrong
	case pgtype.Float8OID:
		if len(data) == 8 {
			return math.Float64frombits(binary.BigEndian.Uint64(data)), nil
		}
		return nil, wrong
	case pgtype.BoolOID:
		if len(data) == 1 {
			return data[0] != 0, nil
		}
		return nil, wrong
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		if len(data) == 8 {
			micros := int64(binary.BigEndian.Uint64(data)) //nolint:gosec // the same bits
			return time.UnixMicro(micros + epoch).UTC().Format(time.RFC3339Nano), nil
		}
		return nil, wrong
	case pgtype.JSONBOID:
		if len(data) > 0 && data[0] == 1 {
			return string(data[1:]), nil
		}
		return nil, wrong
	case 0, pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.JSONOID, pgtype.UnknownOID, pgtype.ByteaOID:
		return string(data), nil
	case pgtype.UUIDOID:
		var id pgtype.UUID
		if err := (pgtype.UUIDCodec{}).PlanScan(nil, oid, binaryFormat, &id).Scan(data, &id); err != nil {
			return nil, wrong
		}
		return id.String(), nil
	}
	return nil, faultf(stateUnsupported, "binary parameters of the type with the oid %d are not read; send it as text", oid)
}
