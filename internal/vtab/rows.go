package vtab

import (
	"context"
	"errors"
	"io"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/fetch"
	"github.com/lakeql/lakeql/provider"
)

// Rows are the rows of a running program.
type Rows struct {
	program *Program
	fetch   *fetch.Fetcher
	scouts  *scouts // nil if nothing can run ahead
	ended   error
}

// Start runs the program. Closing the rows closes it; if Start fails, it is closed.
func (p *Program) Start(ctx context.Context) (*Rows, error) {
	flow, err := p.flow()
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	r := &Rows{program: p, fetch: fetch.New(ctx, p.env.Client)}
	r.fetch.Ahead, r.fetch.Keep, r.fetch.Memory = !flow.Stops, flow.Repeats, p.env.Memory
	if flow.Repeats && p.ahead != nil {
		r.scouts = &scouts{rows: r, limited: flow.Limited}
		r.scouts.start()
	}
	p.ask = r.ask
	p.setContext(ctx)
	if p.env.Starts != nil {
		if err := p.env.Starts(p); err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	return r, nil
}

// ask makes a call of the statement's own, or finds that it was made.
func (r *Rows) ask(a *access, req *dispatch.Request, step int) (*fetch.Reading, error) {
	answer, isNew := r.fetch.Call(req, step)
	if isNew && r.scouts != nil {
		r.scouts.missed()
	}
	ended := func(err error) error { return r.program.env.Ended(answer, req, answer.Cut(), err) }
	return answer.Read(r.program.ctx, a.single, ended)
}

// Columns describes the rows.
func (r *Rows) Columns() []provider.Column { return r.program.Columns }

// Next returns the next row, and io.EOF after the last.
func (r *Rows) Next(ctx context.Context) ([]any, error) {
	if r.ended == nil && ctx.Err() != nil {
		r.ended = r.program.stopped(ctx)
	}
	var row []any
	if r.ended == nil {
		r.ended = r.program.Catch(func() (err error) {
			row, err = r.program.step()
			return err
		})
	}
	return row, r.ended
}

// step returns the next row of the statement, and io.EOF after the last.
func (p *Program) step() ([]any, error) {
	if p.stmt.Step() {
		return RowOf(p.stmt, p.Columns), nil
	}
	if err := p.stmt.Err(); err != nil {
		return nil, p.SQLError(err)
	}
	return nil, io.EOF
}

// Costs returns the cost of each step's calls, by Step.Key.
func (r *Rows) Costs() map[int]fetch.Cost { return r.fetch.Costs() }

// Settle ends the calls and passes that still run, and the SQLite statement: its transaction can
// end then, and nothing holds a lock of a store. The program stays open.
func (r *Rows) Settle() error {
	_ = r.program.Catch(r.program.stmt.Reset) // it returns the error of the last step again
	return r.fetch.Close()
}

// Close ends the calls and passes that still run, and closes the program.
func (r *Rows) Close() error {
	if r.program.DB == nil {
		return nil
	}
	whole := errors.Is(r.ended, io.EOF)
	if r.ended == nil {
		r.ended = provider.Internalf("rows are read after they were closed")
	}
	err := r.fetch.Close()
	if whole && err == nil && r.program.pool.keep(r.program) {
		return nil
	}
	return errors.Join(err, r.program.Close())
}

// Done are the rows of a finished statement, with the cost of its calls.
type Done struct {
	provider.Rows
	Used map[int]fetch.Cost // by Step.Key
}

// Costs returns Used.
func (d *Done) Costs() map[int]fetch.Cost { return d.Used }

// Requests runs the program over tables that have no rows, closes it, and lists the requests that
// they would make. Requests that depend on an answer are not among them.
func (p *Program) Requests(ctx context.Context) (provider.Rows, error) {
	var planned []*dispatch.Request
	p.ask = func(_ *access, req *dispatch.Request, _ int) (*fetch.Reading, error) {
		planned = append(planned, req)
		return nil, nil //nolint:nilnil // no rows
	}
	p.setContext(ctx)
	if err := p.drain(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if err := p.Close(); err != nil {
		return nil, err
	}
	return p.env.Client.Describe(planned...)
}

// drain runs the program for its calls, and ignores its rows.
func (p *Program) drain() error {
	return p.Catch(func() error {
		for p.stmt.Step() {
			continue
		}
		if err := p.stmt.Err(); err != nil {
			return p.SQLError(err)
		}
		return nil
	})
}

// Each runs a constant program, and calls visit for at most limit rows; negative: for all. The
// program can run again then.
func (p *Program) Each(limit int, visit func(row []any) error) error {
	for n := 0; n != limit; n++ {
		var row []any
		err := p.Catch(func() (err error) {
			row, err = p.step()
			return err
		})
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = visit(row)
		}
		if err != nil {
			return err
		}
	}
	_ = p.Catch(p.stmt.Reset) // it returns the error of the last step again
	return nil
}
