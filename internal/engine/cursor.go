package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// cursor goes over the rows of one call.
type cursor struct {
	table  *table
	access *access
	given  map[string]any // the arguments, by field name
	rows   provider.Rows
	row    []any // nil behind the last
	id     int64
}

// Filter makes the call that BestIndex chose.
func (c *cursor) Filter(idxNum int, idxStr string, args ...sqlite3.Value) error {
	if err := c.Close(); err != nil {
		return err
	}
	c.access, c.given, c.row = c.table.methods[idxNum], map[string]any{}, nil
	if idxStr != "" {
		for i, text := range strings.Split(idxStr, ",") {
			n, err := strconv.Atoi(text)
			if err != nil {
				return c.table.fail(&provider.Error{Code: provider.Internal, Message: "read a plan", Err: err})
			}
			f := c.table.fields[n]
			value := argument(args[i], f.typ)
			if value == nil {
				return nil // nothing equals NULL
			}
			c.given[f.name] = value
		}
	}
	call, err := c.call()
	if err != nil {
		return c.table.fail(err)
	}
	client := c.table.query.session.Client
	req, err := client.Plan(call)
	if err != nil {
		return c.table.fail(err)
	}
	if c.table.query.session.DryRun {
		c.table.query.planned = append(c.table.query.planned, req)
		return nil
	}
	ctx := c.table.query.ctx
	c.rows, err = client.Run(ctx, req)
	if e, ok := errors.AsType[*provider.Error](err); ok && e.Status == http.StatusNotFound && c.access.single {
		return nil // there is no such resource: no row
	}
	if err != nil {
		return c.table.fail(err)
	}
	return c.Next()
}

// call binds the arguments to the method's parameters.
func (c *cursor) call() (dispatch.Call, error) {
	call := dispatch.Call{Method: c.access.method, Args: map[string]any{}}
	for name, value := range c.given {
		if name == deploymentName {
			call.Deployment = fmt.Sprint(value)
		} else if _, ok := call.Method.Param(name); ok {
			call.Args[name] = value
		}
	}
	c.table.query.session.fillAccount(call.Method, call.Args)
	whole := call.Method.NameParam
	if whole == nil {
		return call, nil
	}
	name, ok := c.given[whole.Name]
	if _, isParam := call.Method.Param(whole.Name); !ok || isParam {
		return call, nil
	}
	values, ok := whole.Split(fmt.Sprint(name))
	if !ok {
		return call, &provider.Error{
			Code:    provider.Usage,
			Message: fmt.Sprintf("%s: %s does not have the form %s", whole.Name, provider.Quote(fmt.Sprint(name)), whole.Template),
		}
	}
	for param, value := range values {
		call.Args[param] = value
	}
	return call, nil
}

// argument gives a value of SQLite's as what its parameter takes.
func argument(v sqlite3.Value, typ string) any {
	switch v.Type() {
	case sqlite3.NULL:
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

// Next goes on to the next row.
func (c *cursor) Next() error {
	row, err := c.rows.Next(c.table.query.ctx)
	if errors.Is(err, io.EOF) {
		c.row = nil
		return c.Close()
	}
	if err != nil {
		return c.table.fail(err)
	}
	c.row = row
	c.id++
	return nil
}

// EOF reports whether the rows are at their end.
func (c *cursor) EOF() bool { return c.row == nil }

// Column gives a value of the row: what the answer holds, or else the argument of that name.
func (c *cursor) Column(ctx sqlite3.Context, n int) error {
	var value any
	if i := c.access.columns[n]; i >= 0 {
		value = c.row[i]
	}
	if value == nil {
		value = c.given[c.table.fields[n].name]
	}
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
		return c.table.fail(&provider.Error{Code: provider.Internal, Message: fmt.Sprintf("a row holds a %T", value)})
	}
	return nil
}

// RowID numbers the rows of the cursor.
func (c *cursor) RowID() (int64, error) { return c.id, nil }

// Close ends the call.
func (c *cursor) Close() error {
	if c.rows == nil {
		return nil
	}
	rows := c.rows
	c.rows = nil
	return rows.Close()
}
