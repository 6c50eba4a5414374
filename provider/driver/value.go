package driver

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// isTime reports whether the documents say that a column holds times.
func isTime(c provider.Column) bool { return c.Type == "string" && c.Format == "date-time" }

// valueOf returns a value of a column as package sql takes it. A time that does not follow RFC 3339 stays text.
func valueOf(c provider.Column, value any) driver.Value {
	switch value := value.(type) {
	case provider.Secret:
		return value.Reveal()
	case json.RawMessage:
		return []byte(value)
	case string:
		if isTime(c) {
			if t, err := time.Parse(time.RFC3339Nano, value); err == nil {
				return t
			}
		}
	}
	return value
}

// databaseType is the type of a column in SQL's words, or in those of the documents.
func databaseType(c provider.Column) string {
	if isTime(c) {
		return "TIMESTAMP"
	}
	return strings.ToUpper(c.Type)
}

// scanType is a Go type that takes every value of a column, NULL too.
func scanType(c provider.Column) reflect.Type {
	switch c.Type {
	case "integer":
		return reflect.TypeFor[sql.NullInt64]()
	case "number":
		return reflect.TypeFor[sql.NullFloat64]()
	case "boolean":
		return reflect.TypeFor[sql.NullBool]()
	case "string":
		if isTime(c) {
			return reflect.TypeFor[sql.NullTime]()
		}
		return reflect.TypeFor[sql.NullString]()
	case "object", "array":
		return reflect.TypeFor[[]byte]()
	}
	return reflect.TypeFor[any]()
}

// JSONValue is what [JSON] returns.
type JSONValue struct{ value any }

// JSON lets Scan decode a column with JSON, an object or an array, into a Go value, to which v points:
//
//	var tags []string
//	err := rows.Scan(driver.JSON(&tags))
//
// NULL makes the Go value its zero value. As an argument of a query, JSON(v) is v's JSON as text; v need not be a
// pointer then.
func JSON(v any) *JSONValue { return &JSONValue{v} }

// Scan decodes a column's value.
func (j *JSONValue) Scan(src any) error {
	into := reflect.ValueOf(j.value)
	if into.Kind() != reflect.Pointer || into.IsNil() {
		return provider.Usagef("driver.JSON scans into what a pointer points to, and %T is no pointer", j.value).Hintf("write driver.JSON(&v)")
	}
	var text []byte
	switch src := src.(type) {
	case nil:
		into.Elem().SetZero()
		return nil
	case []byte:
		text = src
	case string:
		text = []byte(src)
	default:
		return provider.Usagef("driver.JSON takes JSON, and the column has a value of the type %T", src)
	}
	into.Elem().SetZero() // a value of the row before would shine through
	if err := json.Unmarshal(bytes.Clone(text), j.value); err != nil {
		return provider.Usagef("decode JSON: %v", err).Because(err)
	}
	return nil
}

// Value returns the JSON.
func (j *JSONValue) Value() (driver.Value, error) {
	text, err := json.Marshal(j.value)
	if err != nil {
		return nil, provider.Usagef("encode as JSON: %v", err).Because(err)
	}
	return string(text), nil
}
