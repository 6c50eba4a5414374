package engine

import (
	"context"
	"slices"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// planExec checks an EXEC: names, parameters, body.
func (p *planner) planExec(e *statement.Exec) (*plan, error) {
	s := p.session
	m, err := p.names.method(e.Method)
	if err != nil {
		return nil, err
	}
	b, err := p.env.Scope().Exec(m, e)
	if err != nil {
		return nil, err
	}
	req, err := s.Client.Plan(b.Call())
	if err != nil {
		return nil, b.Locate(err)
	}
	if s.DryRun {
		return &plan{run: func(context.Context) (provider.Rows, error) { return s.Client.Describe(req) }}, nil
	}
	run := func(ctx context.Context) (provider.Rows, error) {
		rows, err := s.send(ctx, req, awaits(e.Hints))
		return s.watch(req, rows, err)
	}
	return &plan{
		run:     run,
		explain: func() ([]vtab.Step, error) { return []vtab.Step{explainExec(s.Client, b)}, nil },
		columns: func() ([]provider.Column, error) { return s.answerColumns(m, awaits(e.Hints)) },
	}, nil
}

// awaits reports whether the hints ask to wait for the operation that a call starts.
func awaits(hints []string) bool { return slices.Contains(hints, "AWAIT") }

// send makes a call. With await, it waits for the operation that the call starts.
func (s *Session) send(ctx context.Context, req *dispatch.Request, await bool) (provider.Rows, error) {
	if await {
		return s.Client.Await(ctx, req)
	}
	return s.Client.Run(ctx, req)
}

// answerColumns describes the rows that a call returns. With await they are the rows of the operation
// that it starts.
func (s *Session) answerColumns(m *provider.Method, await bool) ([]provider.Column, error) {
	if await {
		return s.Client.AwaitColumns(m)
	}
	return s.Client.Columns(m)
}

// Accounts is an authorizer that knows the configured account. The dispatcher's may be one.
type Accounts interface {
	// AccountID returns the configured account's id; empty if none is configured.
	AccountID() string
}

// account returns the configured account's id; empty if none is known.
func (s *Session) account() string {
	if accounts, ok := s.Client.Authorizer.(Accounts); ok {
		return accounts.AccountID()
	}
	return ""
}
