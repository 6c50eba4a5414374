package vtab

import (
	"errors"
	"io"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/fetch"
	"github.com/lakeql/lakeql/provider"
)

// cursor reads the rows of one call.
type cursor struct {
	table  *table
	access *access
	given  map[string]any // the arguments, by field name
	req    *dispatch.Request
	rows   *fetch.Reading // nil where there are none
	row    []any          // nil behind the last
	ids    rowIDs
	// names has the deployment name under which each call was made first, where the names come from a
	// list.
	names map[string]string
}

// Filter makes the call that BestIndex chose.
func (c *cursor) Filter(idxNum int, _ string, args ...sqlite3.Value) error {
	program := c.table.program
	chosen := program.env.choices.at(idxNum)
	c.access, c.given, c.req, c.rows, c.row = c.table.methods[chosen.method], map[string]any{}, nil, nil, nil
	c.ids = rowIDs{}
	for i, n := range chosen.fields {
		f := c.table.fields[n]
		value := argument(args[i], f.typ)
		if value == nil {
			return nil // nothing equals NULL
		}
		c.given[f.name] = value
	}
	call, ok, err := program.env.Scope().Call(c.access.method, c.given)
	if err != nil {
		return c.table.fail(err)
	}
	if !ok {
		return nil
	}
	if c.req, err = program.env.Client.Plan(call); err != nil {
		return c.table.fail(err)
	}
	if chosen.listed && c.again() {
		return nil
	}
	if c.rows, err = program.ask(c.access, c.req, idxNum); err != nil {
		return c.table.fail(err)
	}
	if c.rows == nil {
		return nil
	}
	c.rows.Wanted = c.access.wanted(chosen)
	return c.Next()
}

// again reports whether the call at hand was made under another name of the same workspace that is in
// the list: its rows are there.
func (c *cursor) again() bool {
	if c.names == nil {
		c.names = map[string]string{}
	}
	key, name := c.req.Key(), c.req.Workspace()
	first, known := c.names[key]
	if !known {
		c.names[key], first = name, name
	}
	return first != name
}

// wanted marks the columns of the method's rows that a choice uses.
func (a *access) wanted(chosen choice) []bool {
	wanted := make([]bool, 0, len(a.columns))
	for field, column := range a.columns {
		for column >= len(wanted) {
			wanted = append(wanted, false)
		}
		if column >= 0 && chosen.uses(field) {
			wanted[column] = true
		}
	}
	return wanted
}

// Next moves to the next row.
func (c *cursor) Next() error {
	row, err := c.rows.Next(c.table.program.ctx)
	if errors.Is(err, io.EOF) {
		c.rows, c.row = nil, nil
		return nil
	}
	if err != nil {
		return c.table.fail(err)
	}
	c.row = row
	c.ids.next()
	return nil
}

// EOF reports whether the last row was passed.
func (c *cursor) EOF() bool { return c.row == nil }

// Column returns a value of the row: the one in the answer, or else the argument of that name.
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
	if p := c.table.program; p.writes || p.env.Masked {
		var err error
		if value, err = c.masked(n, value); err != nil {
			return c.table.fail(err)
		}
	}
	if err := c.table.program.result(ctx, value); err != nil {
		return c.table.fail(err)
	}
	return nil
}

// parameter returns the value of a column that the answer does not hold: the argument of that name.
// A parameter without an argument has no value to compare; only the workspace is always known.
func (c *cursor) parameter(f field) (any, error) {
	value, ok := c.given[f.name]
	switch {
	case ok || !f.hidden:
		return value, nil
	case f.name == c.table.tenant:
		return c.req.Workspace(), nil
	}
	return nil, c.table.fail(provider.Usagef("%s: %s is a parameter, which has no value but the one given, and here it has none", c.table.resource.FullName(), f.name).
		Hintf("give it by = or IN in every alternative of an OR, or by a join"))
}

// Close releases the rows.
func (c *cursor) Close() error {
	c.rows, c.row = nil, nil
	return nil
}
