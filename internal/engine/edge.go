package engine

import (
	"context"

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// The edge of a session turns every panic below, such as SQLite without memory, into the error of the
// statement. The session continues: each statement opens its own databases, and closing them after a panic
// releases their memory and their locks.

// recover makes an error of a panic. Defer it with the result of a function.
func (s *Session) recover(err *error) {
	if fault := recover(); fault != nil {
		*err = sandbox.Fault(fault, s.SQLMemory)
	}
}

// checked is check at the edge.
func (s *Session) checked(statements []statement.Statement) (plans []*plan, err error) {
	defer s.recover(&err)
	return s.check(statements)
}

// begin is runOne at the edge.
func (s *Session) begin(ctx context.Context, st statement.Statement, p *plan) (rows provider.Rows, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = provider.At(sandbox.Fault(fault, s.SQLMemory), st.Pos())
			p.discard()
		}
	}()
	rows, err = s.runOne(ctx, st, p)
	if err != nil {
		return nil, err
	}
	return &edgeRows{Rows: rows, session: s, position: st.Pos()}, nil
}

// edgeRows are the rows of a statement at the edge.
type edgeRows struct {
	provider.Rows

	session  *Session
	position provider.Position
	fault    error // after a panic
}

// Next returns the next row. After a panic it returns the error of it again.
func (r *edgeRows) Next(ctx context.Context) ([]any, error) {
	if r.fault != nil {
		return nil, r.fault
	}
	var row []any
	err := r.catch(func() (err error) {
		row, err = r.Rows.Next(ctx)
		return err
	})
	return row, err
}

// Close releases the rows.
func (r *edgeRows) Close() error { return r.catch(r.Rows.Close) }

func (r *edgeRows) catch(f func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			r.fault = provider.At(sandbox.Fault(fault, r.session.SQLMemory), r.position)
			err = r.fault
		}
	}()
	return f()
}
