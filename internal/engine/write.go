package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/fetch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// write is an INSERT, UPDATE, REPLACE or DELETE of a resource: one call for each row of its query.
// All rows are read and checked before the first call.
type write struct {
	session   *Session
	env       *vtab.Env
	position  provider.Position
	what      string // INSERT INTO provider.service.resource
	done      string // inserted
	method    *provider.Method
	await     bool
	program   *vtab.Program                          // returns a row for each call
	bind      func(row []any) (*bind.Binding, error) // binds a row
	returning *statement.Query                       // nil: no rows come back
	subject   string                                 // full name of the resource, as the statement has it
	alias     string                                 // of the resource in RETURNING
	gives     []statement.Ident                      // the columns that the statement gives, for EXPLAIN
	spent     *spending
	echoes    bool // RETURNING has the values of the statement, as the method answers nothing
}

// plan makes the plan of a write.
func (w *write) plan() *plan {
	w.spent = &spending{used: map[int]fetch.Cost{}}
	run := func(ctx context.Context) (provider.Rows, error) {
		changes, err := w.changes(ctx)
		if err != nil {
			return nil, err
		}
		if w.session.DryRun {
			requests := make([]*dispatch.Request, len(changes))
			for i, c := range changes {
				requests[i] = c.req
			}
			return w.session.Client.Describe(requests...)
		}
		answers, done, err := w.send(ctx, changes)
		if err != nil {
			w.session.affected = int64(done)
			return nil, err
		}
		w.session.changedRows(int64(done), w.done)
		rows, err := w.returned(ctx, answers)
		if err != nil {
			return nil, err
		}
		return &vtab.Done{Rows: rows, Used: w.spent.used}, nil
	}
	return &plan{run: run, program: w.program, explain: w.explain, close: func() { _ = w.program.Close() }}
}

func rowCount(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// changes reads the rows and checks the call of each.
func (w *write) changes(ctx context.Context) ([]change, error) {
	if w.session.DryRun && w.program.Calls() {
		err := w.refuse("a dry run asks nothing, and the rows come from answers", "run the SELECT by itself")
		return nil, errors.Join(err, w.program.Close())
	}
	rows, err := w.program.Start(ctx)
	if err != nil {
		return nil, err
	}
	changes, err := w.readChanges(ctx, rows)
	if err := errors.Join(err, rows.Close()); err != nil {
		return nil, err
	}
	w.spent.used = rows.Costs()
	if missing := w.session.Missing(); len(missing) > 0 {
		// Nobody can see later that the written rows come from an incomplete answer.
		return nil, provider.Errorf(provider.Partial, "%s: nothing was sent, because the result of the query for its rows is not complete: %s", w.what, missing[0].String()).
			At(w.position).
			Because(missing[0].Err)
	}
	return changes, nil
}

func (w *write) readChanges(ctx context.Context, rows *vtab.Rows) ([]change, error) {
	var changes []change
	for {
		row, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return changes, nil
		}
		if err != nil {
			return nil, w.unsent(err)
		}
		c, err := w.change(row, len(changes))
		if err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
}

// unsent says of a write that was stopped while its rows were read that nothing was sent.
func (w *write) unsent(err error) error {
	if provider.CodeOf(err) != provider.Canceled {
		return err
	}
	return provider.Change(err, func(e *provider.Error) {
		e.Message = "canceled: " + w.what + " stopped before its first call; nothing was sent"
	})
}

// change makes the call of a row, and checks it. An error of another row than the first has its
// number.
func (w *write) change(row []any, number int) (change, error) {
	b, err := w.bind(row)
	var req *dispatch.Request
	if err == nil {
		if req, err = w.session.Client.Plan(b.Call()); err != nil {
			err = b.Locate(err)
		}
	}
	if err == nil {
		c := newChange(req, b)
		if w.echoes {
			c.echo = w.echo(b.Call())
		}
		return c, nil
	}
	if number > 0 {
		err = provider.Change(err, func(e *provider.Error) { e.Message = fmt.Sprintf("row %d: %s", number+1, e.Message) })
	}
	return change{}, provider.At(err, w.position)
}

// constant reports whether the rows come from the statement itself.
func (w *write) constant() bool { return w.program.IsConstant() }

// checkedAhead is the number of rows of a statement that are checked before any statement of its
// text runs. It bounds the cost of a query that returns rows without end, which nothing could
// interrupt.
const checkedAhead = 10_000

// checkRows checks rows that are constants, so that a fault in them is reported before any
// statement of the text runs.
func (w *write) checkRows() error {
	if !w.constant() || w.session.sampled {
		return nil // what they will be is not known yet
	}
	number := -1
	return w.program.Each(checkedAhead, func(row []any) error {
		number++
		_, err := w.change(row, number)
		return err
	})
}

// spending is the cost of the calls of a write.
type spending struct {
	mu   sync.Mutex
	used map[int]fetch.Cost // by the key of a step
}

// add adds the cost of the call that returned rows.
func (s *spending) add(rows provider.Rows) {
	counted, ok := rows.(interface{ Usage() dispatch.Usage })
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.used[vtab.OwnCalls]
	own.Calls++
	own.Usage.Add(counted.Usage())
	s.used[vtab.OwnCalls] = own
}
