package engine

import (
	"context"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// planQuery has SQLite prepare a query.
func (s *Session) planQuery(q *statement.Query) (*plan, error) {
	return s.planText(q.Position, func(p *vtab.Program) (string, error) { return p.Rewrite(q) })
}

// planText plans a query whose text is put together over the program's tables.
func (s *Session) planText(pos provider.Position, text vtab.Text) (*plan, error) {
	p, err := vtab.Compile(s.env(), pos, text)
	if err != nil {
		return nil, err
	}
	run := func(ctx context.Context) (provider.Rows, error) {
		if s.DryRun {
			return p.Requests(ctx)
		}
		return p.Start(ctx)
	}
	return &plan{run: run, program: p, explain: p.Steps, close: func() { _ = p.Close() }}, nil
}
