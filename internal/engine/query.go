package engine

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/fetch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// planQuery has SQLite prepare a query.
func (s *Session) planQuery(q *statement.Query) (*plan, error) {
	return s.planText(q.Position, func(p *program) (string, error) { return p.rewrite(q) })
}

// planText plans a query whose text is put together over the program's tables.
func (s *Session) planText(pos provider.Position, text func(p *program) (string, error)) (*plan, error) {
	p, err := compile(s.env(), pos, text)
	if err != nil {
		return nil, err
	}
	run := func(ctx context.Context) (provider.Rows, error) {
		if s.DryRun {
			return p.calls(ctx)
		}
		return p.start(ctx)
	}
	return &plan{run: run, program: p, explain: p.explain, close: func() { _ = p.close() }}, nil
}

// calls runs a program over tables that show the calls they would make and have no rows, and gives
// those calls. What depends on an answer is not among them.
func (p *program) calls(ctx context.Context) (provider.Rows, error) {
	var planned []*dispatch.Request
	p.ask = func(_ *access, req *dispatch.Request, _ int) (*fetch.Reading, error) {
		planned = append(planned, req)
		return nil, nil //nolint:nilnil // no rows
	}
	p.run(ctx)
	if err := p.drain(); err != nil {
		return nil, errors.Join(err, p.close())
	}
	if err := p.close(); err != nil {
		return nil, err
	}
	return p.env.Client.Describe(planned...)
}

// drain runs a program for what it asks, and leaves its rows.
func (p *program) drain() error {
	for p.stmt.Step() {
		continue
	}
	if err := p.stmt.Err(); err != nil {
		return p.sqlError(err)
	}
	return nil
}

// query is a program that runs: its rows are those of the SQLite statement.
type query struct {
	program *program
	fetch   *fetch.Fetcher
	scouts  *scouts // nil where nothing can run ahead
	ended   error
}

// costs tells what the calls of each step cost.
func (q *query) costs() map[int]fetch.Cost { return q.fetch.Costs() }

// start runs the program. The rows close it.
func (p *program) start(ctx context.Context) (*query, error) {
	flow, err := p.flow()
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	q := &query{program: p, fetch: fetch.New(ctx, p.env.Client)}
	q.fetch.Ahead, q.fetch.Keep = !flow.Stops, flow.Repeats
	if flow.Repeats && p.ahead != nil {
		q.scouts = &scouts{query: q, limited: flow.Limited}
		q.scouts.start() //nolint:contextcheck // the fetcher has it
	}
	p.ask = q.ask
	p.run(ctx)
	if p.env.Starts != nil {
		if err := p.env.Starts(p); err != nil {
			return nil, errors.Join(err, q.Close())
		}
	}
	return q, nil
}

// ask makes a call of the statement's own, or finds that it was made.
func (q *query) ask(a *access, req *dispatch.Request, step int) (*fetch.Reading, error) {
	answer, isNew := q.fetch.Call(req, step)
	if isNew && q.scouts != nil {
		q.scouts.missed()
	}
	ended := func(err error) error { return q.program.env.Ended(answer, req, answer.Cut(), err) }
	return answer.Read(q.program.ctx, a.single, ended)
}

func (q *query) Columns() []provider.Column { return q.program.columns }

func (q *query) Next(ctx context.Context) ([]any, error) {
	if q.ended == nil {
		q.ended = ctx.Err()
	}
	if q.ended == nil && !q.program.stmt.Step() {
		q.ended = io.EOF
		if err := q.program.stmt.Err(); err != nil {
			q.ended = q.program.sqlError(err)
		}
	}
	if q.ended != nil {
		return nil, q.ended
	}
	row := make([]any, len(q.program.columns))
	for i, c := range q.program.columns {
		row[i] = valueOf(q.program.stmt, i, c.Type)
	}
	return row, nil
}

// Close ends the calls that still run, and the passes ahead.
func (q *query) Close() error {
	if q.program.db == nil {
		return nil
	}
	if q.ended == nil {
		q.ended = &provider.Error{Code: provider.Internal, Message: "rows are read after they were closed"}
	}
	return errors.Join(q.fetch.Close(), q.program.close())
}

// settle ends the SQLite statement, so that its transaction can end, and the calls and passes that still
// run, which may hold locks of a store.
func (q *query) settle() error {
	_ = q.program.stmt.Reset() // it gives the error of the last step again
	return q.fetch.Close()
}

// valueOf gives a value of SQLite's as what its column was declared as.
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
