package parquet

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"github.com/lakeql/lakeql/provider"
)

// column is a column of the file: its type there, and how values come to it.
type column struct {
	name     string
	required bool
	typ      parquet.Type
	long     bool // values have any length
	convert  func(any) (parquet.Value, error)
}

func newColumn(c Column) (column, error) {
	column := column{name: c.Name, required: c.Required}
	switch c.Type {
	case Text:
		column.typ, column.long, column.convert = longType{parquet.String().Type()}, true, text
	case JSON:
		column.typ, column.long, column.convert = longType{parquet.JSON().Type()}, true, jsonText
	case Integer:
		column.typ, column.convert = parquet.Int64Type, integer
	case Number:
		column.typ, column.convert = parquet.DoubleType, number
	case Boolean:
		column.typ, column.convert = parquet.BooleanType, boolean
	case Timestamp:
		// isAdjustedToUTC is set: the value is a moment, not a local time.
		column.typ, column.convert = parquet.Timestamp(parquet.Microsecond).Type(), timestamp
	default:
		return column, provider.Internalf("column %s of a Parquet file has the unknown type %s", provider.Quote(c.Name), provider.Quote(c.Type))
	}
	return column, nil
}

// value converts a value, and returns the number of bytes of a text or JSON.
func (c *column) value(v any, limit int) (parquet.Value, int, error) {
	size := 0
	switch v := v.(type) {
	case nil:
		if c.required {
			return parquet.Value{}, 0, errors.New("there is no value, and the column requires one")
		}
		return parquet.NullValue(), 0, nil
	case string:
		size = len(v)
	case json.RawMessage:
		size = len(v)
	}
	if size > limit {
		return parquet.Value{}, 0, fmt.Errorf("a value of %d bytes is too long: Parquet files are written with at most %d", size, limit)
	}
	value, err := c.convert(v)
	return value, size, err
}

// level is the definition level of a value: whether it is there, in a column that does without.
func (c *column) level(v any) int {
	if v == nil || c.required {
		return 0
	}
	return 1
}

// exact is the largest integer below which float64 has every integer.
const exact = 1 << 53

func text(v any) (parquet.Value, error) {
	s, ok := v.(string)
	if !ok {
		return mismatch(v, Text)
	}
	if !utf8.ValidString(s) {
		return parquet.Value{}, errors.New("the text is not in UTF-8")
	}
	return parquet.ValueOf(v), nil // unlike ByteArrayValue, it does not copy
}

func jsonText(v any) (parquet.Value, error) {
	raw, ok := v.(json.RawMessage)
	if !ok {
		return mismatch(v, JSON)
	}
	if !json.Valid(raw) || !utf8.Valid(raw) {
		return parquet.Value{}, errors.New("the value is no valid JSON")
	}
	return parquet.ByteArrayValue(raw), nil
}

func integer(v any) (parquet.Value, error) {
	switch v := v.(type) {
	case int64:
		return parquet.Int64Value(v), nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= exact {
			return parquet.Int64Value(int64(v)), nil
		}
		return parquet.Value{}, errors.New("the number is not an integer, or too large for float64 to hold it exactly")
	}
	return mismatch(v, Integer)
}

func number(v any) (parquet.Value, error) {
	switch v := v.(type) {
	case float64:
		return parquet.DoubleValue(v), nil
	case int64:
		if -exact <= v && v <= exact {
			return parquet.DoubleValue(float64(v)), nil
		}
		return parquet.Value{}, errors.New("the integer has more digits than a column of type number can hold")
	}
	return mismatch(v, Number)
}

func boolean(v any) (parquet.Value, error) {
	b, ok := v.(bool)
	if !ok {
		return mismatch(v, Boolean)
	}
	return parquet.BooleanValue(b), nil
}

func timestamp(v any) (parquet.Value, error) {
	t, ok := v.(time.Time)
	if !ok {
		return mismatch(v, Timestamp)
	}
	if t.Before(time.UnixMicro(math.MinInt64)) || t.After(time.UnixMicro(math.MaxInt64)) {
		return parquet.Value{}, fmt.Errorf("the year %d is beyond what timestamps in microseconds reach", t.Year())
	}
	return parquet.Int64Value(t.UnixMicro()), nil
}

// errForeign says that a value has a Go type that rows never have: a fault of ours.
var errForeign = errors.New("which rows do not have")

func mismatch(v any, typ string) (parquet.Value, error) {
	var is string
	switch v.(type) {
	case string:
		is = Text
	case int64:
		is = Integer
	case float64:
		is = Number
	case bool:
		is = Boolean
	case time.Time:
		is = Timestamp
	case json.RawMessage:
		is = JSON
	default:
		return parquet.Value{}, fmt.Errorf("the value is a Go %T, %w", v, errForeign)
	}
	return parquet.Value{}, fmt.Errorf("a value of type %s does not fit the column's type, %s", is, typ)
}
