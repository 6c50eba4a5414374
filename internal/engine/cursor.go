package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	req    *dispatch.Request
	rows   *reading // nil where there are none
	row    []any    // nil behind the last
	id     int64
}

// Filter makes the call that BestIndex chose.
func (c *cursor) Filter(idxNum int, idxStr string, args ...sqlite3.Value) error {
	c.access, c.given, c.req, c.rows, c.row = c.table.methods[idxNum], map[string]any{}, nil, nil, nil
	fields, used, err := readPlan(idxStr)
	if err != nil {
		return c.table.fail(err)
	}
	for i, n := range fields {
		f := c.table.fields[n]
		value := argument(args[i], f.typ)
		if value == nil {
			return nil // nothing equals NULL
		}
		c.given[f.name] = value
	}
	call, err := c.call()
	if err != nil {
		return c.table.fail(err)
	}
	program := c.table.program
	if c.req, err = program.session.Client.Plan(call); err != nil {
		return c.table.fail(err)
	}
	if c.rows, err = program.ask(c.access, c.req); err != nil {
		return c.table.fail(err)
	}
	if c.rows == nil {
		return nil
	}
	c.rows.wanted = c.access.wanted(used)
	return c.Next()
}

// readPlan takes the text apart that BestIndex left: the fields that arguments are for, and which
// columns are used, as bits; the last bit stands for all columns from there on.
func readPlan(text string) (fields []int, used uint64, err error) {
	params, mask, _ := strings.Cut(text, " ")
	if used, err = strconv.ParseUint(mask, 16, 64); err != nil {
		return nil, 0, &provider.Error{Code: provider.Internal, Message: "read a plan", Err: err}
	}
	for number := range strings.SplitSeq(params, ",") {
		if number == "" {
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, 0, &provider.Error{Code: provider.Internal, Message: "read a plan", Err: err}
		}
		fields = append(fields, n)
	}
	return fields, used, nil
}

// wanted tells which of the method's columns are used.
func (a *access) wanted(used uint64) []bool {
	wanted := make([]bool, 0, len(a.columns))
	for field, column := range a.columns {
		for column >= len(wanted) {
			wanted = append(wanted, false)
		}
		if column >= 0 && used>>min(field, 63)&1 == 1 {
			wanted[column] = true
		}
	}
	return wanted
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
	c.table.program.session.fillAccount(call.Method, call.Args)
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
	row, err := c.rows.next(c.table.program.ctx)
	if errors.Is(err, io.EOF) {
		c.rows, c.row = nil, nil
		return nil
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
		var err error
		if value, err = c.parameter(c.table.fields[n]); err != nil {
			return err
		}
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

// parameter gives what a column has that the answer does not hold: the argument of that name. A
// parameter that was not given has no value that a condition could be held to; only the workspace is
// always known.
func (c *cursor) parameter(f field) (any, error) {
	value, ok := c.given[f.name]
	switch {
	case ok || !f.hidden:
		return value, nil
	case f.name == deploymentName:
		return c.req.Workspace(), nil
	}
	return nil, c.table.fail(&provider.Error{
		Code:    provider.Usage,
		Message: fmt.Sprintf("%s: %s is a parameter, which has no value but the one given, and here it has none", c.table.resource.FullName(), f.name),
		Hint:    "give it by = or IN in every alternative of an OR, or by a join",
	})
}

// RowID numbers the rows of the cursor.
func (c *cursor) RowID() (int64, error) { return c.id, nil }

// Close lets the rows go.
func (c *cursor) Close() error {
	c.rows, c.row = nil, nil
	return nil
}
