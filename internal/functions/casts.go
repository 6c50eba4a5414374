package functions

import (
	"encoding/hex"
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/statement"
)

func castFunctions() []function {
	whole := func(bits int, name string) func([]sqlite3.Value) (any, error) {
		return func(args []sqlite3.Value) (any, error) { return integer(args[0], bits, name) }
	}
	one := func(name string, call func([]sqlite3.Value) (any, error)) function {
		return function{name: "lakeql_" + name, args: []int{1}, call: call}
	}
	at := func(shape func(moment) string) func([]sqlite3.Value) (any, error) {
		return func(args []sqlite3.Value) (any, error) {
			m, err := timeOf(args[0])
			if err != nil {
				return nil, err
			}
			return shape(m), nil
		}
	}
	return []function{
		one("text", func(args []sqlite3.Value) (any, error) { return args[0].Text(), nil }),
		{name: "lakeql_text", args: []int{2}, call: func(args []sqlite3.Value) (any, error) { // of a boolean
			if args[0].Type() == sqlite3.INTEGER {
				return strconv.FormatBool(args[0].Int64() != 0), nil
			}
			return args[0].Text(), nil
		}},
		one("int2", whole(16, "smallint")),
		one("int4", whole(32, "int")),
		one("int8", whole(64, "bigint")),
		one("float8", func(args []sqlite3.Value) (any, error) {
			if isNumeric(args[0]) {
				return args[0].Float(), nil
			}
			f, err := strconv.ParseFloat(strings.TrimSpace(args[0].Text()), 64)
			if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
				return nil, errors.New("the text is no number")
			}
			return f, nil
		}),
		one("numeric", numeric),
		one("bool", func(args []sqlite3.Value) (any, error) {
			if isNumeric(args[0]) {
				return args[0].Float() != 0, nil
			}
			truth, ok := statement.Truth(args[0].Text())
			if !ok {
				return nil, errors.New("the text is no boolean: write true or false")
			}
			return truth, nil
		}),
		one("timestamptz", at(func(m moment) string { return zoned(m.Time) })),
		one("timestamp", at(func(m moment) string { return moment{Time: m.Time}.String() })),
		one("date", at(func(m moment) string { return m.Format(time.DateOnly) })),
		one("time", func(args []sqlite3.Value) (any, error) {
			if m, ok := parseMoment(args[0].Text()); ok {
				return m.Format("15:04:05.999999"), nil
			}
			micros, ok := clock(strings.TrimSpace(args[0].Text()) + strings.Repeat(":0", max(1-strings.Count(args[0].Text(), ":"), 0)))
			if !ok || micros < 0 || micros > microsOfDay {
				return nil, errors.New("the text is no time of day: write '03:04:05'")
			}
			return time.UnixMicro(micros).UTC().Format("15:04:05.999999"), nil
		}),
		one("interval", func(args []sqlite3.Value) (any, error) {
			i, err := parseInterval(args[0].Text())
			return i.String(), err
		}),
		one("json", func(args []sqlite3.Value) (any, error) {
			if isNumeric(args[0]) {
				return document(args[0].Text()), nil
			}
			if _, err := parseJSON(args[0].Text()); err != nil {
				return nil, err
			}
			return document(args[0].Text()), nil
		}),
		one("uuid", func(args []sqlite3.Value) (any, error) {
			digits := strings.ToLower(strings.NewReplacer("-", "", "{", "", "}", "").Replace(args[0].Text()))
			if _, err := hex.DecodeString(digits); err != nil || len(digits) != 32 {
				return nil, errors.New("the text is no UUID")
			}
			return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:], nil
		}),
		one("bytea", func(args []sqlite3.Value) (any, error) {
			if encoded, ok := strings.CutPrefix(args[0].Text(), `\x`); ok {
				data, err := hex.DecodeString(encoded)
				if err != nil {
					return nil, errors.New("the text is not hexadecimal")
				}
				return data, nil
			}
			return args[0].Blob(nil), nil
		}),
	}
}

// integer converts to a whole number. A number is rounded as PostgreSQL rounds numeric; a text has to be a whole number.
func integer(v sqlite3.Value, bits int, name string) (any, error) {
	var n int64
	switch v.Type() {
	case sqlite3.INTEGER:
		n = v.Int64()
	case sqlite3.FLOAT:
		f := math.Round(v.Float())
		if math.IsNaN(f) || f < -(1<<63) || f >= 1<<63 {
			return nil, errors.New("the number is beyond " + name)
		}
		n = int64(f)
	default:
		var err error
		if n, err = strconv.ParseInt(strings.TrimSpace(v.Text()), 10, 64); err != nil {
			return nil, errors.New("the text is no whole number")
		}
	}
	if limit := int64(1) << (bits - 1); bits < 64 && (n < -limit || n >= limit) {
		return nil, errors.New("the number is beyond " + name)
	}
	return n, nil
}

// numeric converts to a number: an integer if the value is one and fits into 64 bits, else a float.
func numeric(args []sqlite3.Value) (any, error) {
	if isNumeric(args[0]) {
		return value(args[0]), nil
	}
	text := strings.TrimSpace(args[0].Text())
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	f, _, err := big.ParseFloat(text, 10, 64, big.ToNearestEven)
	if err != nil || f.IsInf() {
		return nil, errors.New("the text is no number")
	}
	nearest, _ := f.Float64()
	if math.IsInf(nearest, 0) {
		return nil, errors.New("the number is too large")
	}
	return nearest, nil
}
