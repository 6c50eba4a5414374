package pgstore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// The types of the columns that a store makes.
const (
	int8Type   = "int8"
	float8Type = "float8"
	boolType   = "bool"
	textType   = "text"
	timeType   = "timestamptz"
	jsonType   = "jsonb"
)

// dateTime is OpenAPI's format of a time.
const dateTime = "date-time"

// typeOf returns the type of a column with a documented type; empty for the result of an expression.
func typeOf(c provider.Column) string {
	switch c.Type {
	case "integer":
		return int8Type
	case "number":
		return float8Type
	case "boolean":
		return boolType
	case "string":
		if c.Format == dateTime {
			return timeType
		}
		return textType
	case "object", "array":
		return jsonType
	}
	return ""
}

// column is a column of a table in PostgreSQL.
type column struct {
	name string
	typ  string // as pg_type has it; that of a domain is the one below
	kind string // pg_type.typtype: b, e, c, r, …
	list bool   // an array
}

// column returns the description of the column, in the types of the documents.
func (c *column) described() provider.Column {
	typ, format := "string", ""
	switch {
	case c.list, c.kind == "c":
		typ = "object"
	default:
		switch c.typ {
		case "int2", "int4", int8Type, "oid":
			typ = "integer"
		case "float4", float8Type, "numeric":
			typ = "number"
		case boolType:
			typ = "boolean"
		case timeType:
			format = dateTime
		case jsonType, "json":
			typ = "object"
		}
	}
	return provider.Column{Name: c.name, Type: typ, Format: format}
}

// expression is how the column is selected, so that Values returns an int64, a float64, a bool, a
// time or a text.
func (c *column) expression() string {
	name := pgx.Identifier{c.name}.Sanitize()
	switch d := c.described(); {
	case c.list, c.kind == "c":
		return "to_jsonb(" + name + ")::text"
	case d.Type == "integer":
		return name + "::int8"
	case d.Type == "number" && c.typ != "numeric":
		return name + "::float8"
	case c.typ == boolType, c.typ == timeType:
		return name
	}
	return name + "::text"
}

// cast converts a parameter to the type of the column.
func (c *column) cast() string {
	switch {
	case c.list, c.kind != "b":
		return ""
	case c.described().Type == "string" && c.typ != timeType, c.typ == jsonType, c.typ == "json":
		return "::text::" + pgx.Identifier{c.typ}.Sanitize()
	}
	return "::" + pgx.Identifier{c.typ}.Sanitize()
}

// takes reports whether PostgreSQL finds all rows in which the column equals a text or an integer.
func (c *column) takes() bool {
	switch c.typ {
	case textType, "varchar", "int2", "int4", int8Type:
		return !c.list
	}
	return false
}

// read converts a value of the database to one of a row.
func (c *column) read(value any) (any, error) {
	switch v := value.(type) {
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), nil
	case pgtype.InfinityModifier:
		return v.String(), nil
	case float64:
		if math.IsNaN(v) {
			return "NaN", nil // SQLite has NULL in its place
		}
	case string:
		switch {
		case c.typ == "numeric" && !c.list:
			return number(c.name, v)
		case c.described().Type == "object":
			return readJSON(postgres.UnescapeJSON(json.RawMessage(v))), nil
		}
		return postgres.UnescapeText(v), nil
	}
	return value, nil
}

// returned converts a value of an expression's column, as pgx has it.
func (c *column) returned(value any) (any, error) {
	switch v := value.(type) {
	case nil, bool, int64, float64, string, time.Time, pgtype.InfinityModifier:
		return c.read(v)
	case int32:
		return int64(v), nil
	case int16:
		return int64(v), nil
	case float32:
		return float64(v), nil
	case pgtype.Numeric:
		text, err := v.Value()
		if err != nil || text == nil {
			return nil, err
		}
		return number(c.name, text.(string))
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return readJSON(postgres.UnescapeJSON(encoded)), nil
}

// number converts a numeric. One with more digits than a number of lakeql has is an error.
func number(column, text string) (any, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		exact := strconv.FormatFloat(f, 'f', -1, 64)
		if strings.Contains(text, ".") {
			text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
		}
		switch {
		case math.IsNaN(f):
			return "NaN", nil // SQLite has NULL in its place
		case exact == text, math.IsInf(f, 0):
			return f, nil
		}
	}
	return nil, provider.Errorf(provider.API, "the column %s holds a number with more digits than a double has", provider.Quote(column)).
		Hintf("make a view in PostgreSQL that has it as text")
}

// readJSON returns JSON as SQLite has it: strings and numbers are values of SQL.
func readJSON(v json.RawMessage) any {
	var value any
	switch {
	case len(v) > 0 && (v[0] == '{' || v[0] == '['):
		var compact bytes.Buffer // as answers have it
		if json.Compact(&compact, v) != nil {
			return v
		}
		return json.RawMessage(compact.Bytes())
	case json.Unmarshal(v, &value) != nil:
		return string(v)
	}
	switch value := value.(type) {
	case string:
		return value
	case float64:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return n
		}
		return value
	}
	return string(v) // true, false, null
}

// cell is a value of SQLite.
type cell interface {
	Type() sqlite3.Datatype
	Int64() int64
	Float() float64
	Text() string
}

// stmtCell is a value of the current row of a statement.
type stmtCell struct {
	stmt *sqlite3.Stmt
	n    int
}

func (c stmtCell) Type() sqlite3.Datatype { return c.stmt.ColumnType(c.n) }
func (c stmtCell) Int64() int64           { return c.stmt.ColumnInt64(c.n) }
func (c stmtCell) Float() float64         { return c.stmt.ColumnFloat(c.n) }
func (c stmtCell) Text() string           { return c.stmt.ColumnText(c.n) }

// value returns the cell as Go has it.
func value(c cell) any {
	switch c.Type() {
	case sqlite3.INTEGER:
		return c.Int64()
	case sqlite3.FLOAT:
		return c.Float()
	case sqlite3.TEXT, sqlite3.BLOB:
		return c.Text()
	case sqlite3.NULL:
	}
	return nil
}

// write converts a value of SQLite to one of a type of PostgreSQL: nil, string, int64, float64, bool,
// time.Time or json.RawMessage.
func write(name, typ string, v any) (any, error) {
	if v == nil {
		return nil, nil //nolint:nilnil // NULL
	}
	var converted any
	switch typ {
	case "int2", "int4", int8Type, "oid":
		converted = asInteger(v)
	case "float4", float8Type:
		converted = asNumber(v)
	case boolType:
		converted = asBoolean(v)
	case timeType:
		if text, ok := v.(string); ok {
			if t, ok := statement.ParseTime(strings.TrimSpace(text)); ok {
				converted = t.UTC().Truncate(time.Microsecond)
			}
		}
	case jsonType, "json":
		converted = asJSON(v)
	default:
		return postgres.EscapeText(asText(v)), nil
	}
	if converted == nil {
		return nil, provider.Errorf(provider.API, "the column %s has the type %s in the store, and a row has another value there", provider.Quote(name), typ).
			Hintf("write CAST(… AS TEXT) AS name in place of the column")
	}
	return converted, nil
}

func asInteger(v any) any {
	switch v := v.(type) {
	case int64:
		return v
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
		return v
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return f
		}
	}
	return nil
}

func asBoolean(v any) any {
	switch v := v.(type) {
	case int64:
		if v == 0 || v == 1 {
			return v == 1
		}
	case string:
		if truth, ok := statement.Truth(v); ok {
			return truth
		}
	}
	return nil
}

func asText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// asJSON returns a value as JSON. A text is JSON if it holds an object or array.
func asJSON(v any) any {
	if text, ok := v.(string); ok && text != "" && strings.ContainsRune("{[", rune(text[0])) && json.Valid([]byte(text)) {
		return postgres.EscapeJSON(json.RawMessage(text))
	}
	if text, ok := v.(string); ok {
		v = postgres.EscapeText(text)
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return json.RawMessage(encoded)
}
