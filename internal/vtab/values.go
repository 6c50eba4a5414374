package vtab

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/provider"
)

// argument converts a value of SQLite to the type of a parameter; nil if no row can equal the value.
func argument(v sqlite3.Value, typ string) any {
	switch v.Type() {
	case sqlite3.NULL, sqlite3.BLOB: // no text or number equals a BLOB
		return nil
	case sqlite3.INTEGER:
		if typ == "boolean" {
			return v.Int64() != 0
		}
		return json.Number(strconv.FormatInt(v.Int64(), 10))
	case sqlite3.FLOAT:
		return json.Number(strconv.FormatFloat(v.Float(), 'g', -1, 64))
	default:
		return v.Text()
	}
}

// result returns a value to SQLite. A value that does not fit into its memory is an error.
func (p *Program) result(ctx sqlite3.Context, value any) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = sandbox.Fault(fault, p.env.SQLMemory)
		}
	}()
	size := 0
	switch value := value.(type) {
	case string:
		size = len(value)
	case json.RawMessage:
		size = len(value)
	}
	if int64(size) > sandbox.LongestValue(p.env.SQLMemory) {
		return sandbox.TooLong(p.env.SQLMemory)
	}
	p.read += int64(size) + 8 // a number
	return result(ctx, value)
}

// result returns a value to SQLite.
func result(ctx sqlite3.Context, value any) error {
	switch value := value.(type) {
	case nil:
		ctx.ResultNull()
	case string:
		ctx.ResultText(value)
	case provider.Secret:
		ctx.ResultText(value.Reveal())
	case bool:
		ctx.ResultBool(value)
	case int64:
		ctx.ResultInt64(value)
	case float64:
		ctx.ResultFloat(value)
	case json.RawMessage:
		ctx.ResultText(string(value))
	case json.Number:
		if whole, err := value.Int64(); err == nil {
			ctx.ResultInt64(whole)
		} else {
			ctx.ResultText(value.String())
		}
	default:
		return provider.Internalf("a row holds a %T", value)
	}
	return nil
}

// RowOf returns the current row of a statement. Each value has the declared type of its column.
func RowOf(stmt *sqlite3.Stmt, columns []provider.Column) []any {
	row := make([]any, len(columns))
	for i, c := range columns {
		row[i] = valueOf(stmt, i, c.Type)
	}
	return row
}

// valueOf returns a value of the row at hand as a value of the type.
func valueOf(stmt *sqlite3.Stmt, i int, typ string) any {
	switch stmt.ColumnType(i) {
	case sqlite3.NULL:
		return nil
	case sqlite3.INTEGER:
		if typ == "boolean" {
			return stmt.ColumnInt64(i) != 0
		}
		return stmt.ColumnInt64(i)
	case sqlite3.FLOAT:
		return stmt.ColumnFloat(i)
	case sqlite3.TEXT, sqlite3.BLOB:
	}
	text := stmt.ColumnText(i)
	if (typ == "object" || typ == "array" || typ == "") && json.Valid([]byte(text)) && strings.ContainsAny(text[:1], "[{") {
		return json.RawMessage(text)
	}
	return text
}

// BindValue binds a value to a placeholder. param counts from 1; value has a type of row values.
func BindValue(stmt *sqlite3.Stmt, param int, value any) error {
	switch value := value.(type) {
	case nil:
		return stmt.BindNull(param)
	case bool:
		return stmt.BindBool(param, value)
	case string:
		return stmt.BindText(param, value)
	case int64:
		return stmt.BindInt64(param, value)
	case float64:
		return stmt.BindFloat(param, value)
	case json.RawMessage:
		return stmt.BindText(param, string(value))
	case provider.Secret:
		return stmt.BindText(param, value.Reveal())
	}
	return provider.Internalf("a value of a kind that rows do not hold")
}
