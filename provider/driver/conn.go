package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"iter"
	"reflect"
	"time"

	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/provider"
)

// conn is a session.
type conn struct {
	session *engine.Session
}

var (
	_ driver.QueryerContext = (*conn)(nil)
	_ driver.ExecerContext  = (*conn)(nil)

	_ driver.NamedValueChecker = (*conn)(nil)

	_ driver.RowsNextResultSet              = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*rows)(nil)
)

// Prepare keeps the text; it is checked when it runs.
func (c *conn) Prepare(query string) (driver.Stmt, error) { return &stmt{c, query}, nil }

// Begin is an error: there are no transactions.
func (*conn) Begin() (driver.Tx, error) {
	return nil, failed(provider.Usagef("the API has no transactions"))
}

// Close ends the session.
func (c *conn) Close() error {
	c.session.Close()
	return nil
}

// CheckNamedValue converts a value of database/sql to one that a placeholder takes.
func (*conn) CheckNamedValue(value *driver.NamedValue) error {
	converted, err := driver.DefaultParameterConverter.ConvertValue(value.Value)
	if err != nil {
		return failed(provider.Usagef("the value for placeholder %d: %v", value.Ordinal, err).Because(err))
	}
	switch v := converted.(type) {
	case time.Time:
		converted = v.UTC().Format(time.RFC3339Nano)
	case []byte:
		converted = string(v)
		if v == nil {
			converted = nil
		}
	}
	value.Value = converted
	return nil
}

// QueryContext runs the first statement and returns its rows.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	count, err := c.session.Count(query)
	if err != nil {
		return nil, failed(err)
	}
	next, stop := iter.Pull2(c.session.RunArgs(ctx, query, values(args)))
	found, err, ok := next()
	if !ok {
		stop()
		return nil, failed(provider.Usagef("there is no statement"))
	}
	if err != nil {
		stop()
		return nil, failed(err)
	}
	return &rows{ctx: ctx, rows: found, left: count - 1, next: next, stop: stop}, nil
}

// ExecContext runs statements and leaves their rows.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	for found, err := range c.session.RunArgs(ctx, query, values(args)) {
		for err == nil {
			_, err = found.Next(ctx)
		}
		if !errors.Is(err, io.EOF) {
			if found != nil {
				err = errors.Join(err, found.Close())
			}
			return nil, failed(err)
		}
		if err := found.Close(); err != nil {
			return nil, failed(err)
		}
	}
	return result{c.session.Affected()}, nil
}

func values(args []driver.NamedValue) []engine.Arg {
	all := make([]engine.Arg, len(args))
	for i, a := range args {
		all[i] = engine.Arg{Name: a.Name, Ordinal: a.Ordinal, Value: a.Value}
	}
	return all
}

// result holds the number of rows that a statement changed.
type result struct{ affected int64 }

// LastInsertId is an error: created resources have names, not numbers. Use RETURNING.
func (result) LastInsertId() (int64, error) {
	return 0, failed(provider.Usagef("there is no last id; use RETURNING"))
}

// RowsAffected counts the rows that the last statement inserted, changed or deleted.
func (r result) RowsAffected() (int64, error) { return r.affected, nil }

// stmt is a text to run more than once.
type stmt struct {
	conn  *conn
	query string
}

func (*stmt) Close() error { return nil }

// NumInput is -1: the number of placeholders is checked when the statement runs.
func (*stmt) NumInput() int { return -1 }

// Exec is there for the interface; database/sql calls ExecContext.
func (s *stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), named(args))
}

// Query is there for the interface; database/sql calls QueryContext.
func (s *stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), named(args))
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.conn.ExecContext(ctx, s.query, args)
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.conn.QueryContext(ctx, s.query, args)
}

func named(args []driver.Value) []driver.NamedValue {
	all := make([]driver.NamedValue, len(args))
	for i, value := range args {
		all[i] = driver.NamedValue{Ordinal: i + 1, Value: value}
	}
	return all
}

// rows are the rows of one statement, and after NextResultSet those of the next one in the text.
type rows struct {
	ctx  context.Context //nolint:containedctx // database/sql gives it to QueryContext alone
	rows provider.Rows
	left int // statements behind it
	next func() (provider.Rows, error, bool)
	stop func()
}

// Columns names the columns.
func (r *rows) Columns() []string {
	var names []string
	for _, c := range r.rows.Columns() {
		names = append(names, c.Name)
	}
	return names
}

// ColumnTypeDatabaseTypeName returns a column's type as the documents have it, in upper case: STRING,
// INTEGER, NUMBER, BOOLEAN, OBJECT or ARRAY. It is TIMESTAMP for a time, and empty for the result of an
// expression.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string { return databaseType(r.rows.Columns()[i]) }

// ColumnTypeScanType returns a Go type that holds a column's values, NULL among them.
func (r *rows) ColumnTypeScanType(i int) reflect.Type { return scanType(r.rows.Columns()[i]) }

// ColumnTypeNullable is true for every column: the API leaves out attributes without a value.
func (*rows) ColumnTypeNullable(int) (nullable, ok bool) { return true, true }

// Next reads a row.
func (r *rows) Next(dest []driver.Value) error {
	row, err := r.rows.Next(r.ctx)
	if err != nil {
		return failed(err)
	}
	columns := r.rows.Columns()
	for i, value := range row {
		dest[i] = valueOf(columns[i], value)
	}
	return nil
}

// HasNextResultSet reports whether the text has another statement.
func (r *rows) HasNextResultSet() bool { return r.left > 0 }

// NextResultSet runs the next statement and goes on to its rows.
func (r *rows) NextResultSet() error {
	if r.left == 0 {
		return io.EOF
	}
	r.left--
	if err := r.rows.Close(); err != nil {
		return failed(err)
	}
	found, err, ok := r.next()
	switch {
	case !ok:
		return io.EOF
	case err != nil:
		r.left = 0
		return failed(err)
	}
	r.rows = found
	return nil
}

// Close stops the statement and its requests.
func (r *rows) Close() error {
	err := r.rows.Close()
	r.stop()
	return failed(err)
}
