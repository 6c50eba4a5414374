package engine

import (
	"context"
	"errors"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// planText plans a query whose text refers to the program's tables.
func (p *planner) planText(pos provider.Position, text vtab.Text) (*plan, error) {
	return p.planProgram(vtab.Compile(p.env, pos, text))
}

// planProgram plans to run a program.
func (p *planner) planProgram(program *vtab.Program, err error) (*plan, error) {
	if err != nil {
		return nil, err
	}
	run := func(ctx context.Context) (provider.Rows, error) {
		if p.session.DryRun {
			return program.Requests(ctx)
		}
		return program.Start(ctx)
	}
	return &plan{run: run, program: program, explain: program.Steps, close: func() { _ = program.Close() }}, nil
}

// planNative plans a query over the tables and views of the stores, without rewriting it.
func (p *planner) planNative(n *statement.NativeQuery) (*plan, error) {
	parsed, err := statement.Parse(n.Text)
	if err == nil && len(parsed) == 1 {
		if q, ok := parsed[0].(*statement.Query); ok {
			return p.planText(n.Position, func(*vtab.Program) (string, error) { return q.Text, nil })
		}
	}
	e := provider.Usagef("NATIVEQUERY takes one query: SELECT, VALUES or WITH").At(n.Position).Because(err)
	if fault, ok := errors.AsType[*provider.Error](err); ok {
		e.Message += "; " + fault.Message
	}
	return nil, e
}

// Columns checks a text of one query and describes its rows. It makes no call.
func (s *Session) Columns(text string) ([]provider.Column, error) {
	columns, err := s.columns(text)
	return columns, s.shownError(text, err)
}

func (s *Session) columns(text string) (columns []provider.Column, err error) {
	defer s.recover(&err)
	st, err := s.only(text, "query")
	if err != nil {
		return nil, err
	}
	if _, ok := st.(*statement.Query); !ok {
		return nil, notQuery(st.Pos())
	}
	p, err := s.planner().plan(st)
	if err != nil {
		return nil, err
	}
	defer p.discard()
	return p.program.Columns, nil
}

// only reads a text of one statement, which an error calls by its kind.
func (s *Session) only(text, kind string) (statement.Statement, error) {
	statements, err := s.parse(text)
	if err != nil {
		return nil, err
	}
	if len(statements) != 1 {
		return nil, provider.Usagef("there has to be one %s, and no more", kind)
	}
	return statements[0], nil
}

// Describe checks a text of one statement, with values for its placeholders, and describes its rows. There
// are no columns if it has no rows. It makes no call.
func (s *Session) Describe(text string, args []Arg) ([]provider.Column, error) {
	columns, err := s.describe(text, args)
	return columns, s.shownError(text, err)
}

func (s *Session) describe(text string, args []Arg) (columns []provider.Column, err error) {
	defer s.recover(&err)
	s.args, s.sampled = bind.NewArgs(args), len(args) > 0
	defer func() { s.sampled = false }()
	st, err := s.only(text, "statement")
	if err != nil {
		return nil, err
	}
	if !returnsRows(st, s.DryRun) {
		return nil, nil
	}
	if explain, ok := st.(*statement.Explain); ok {
		if explain.Analyze {
			return analyzeColumns(), nil
		}
		return explainColumns(), nil
	}
	if e, ok := st.(*statement.Exec); ok && s.sampled && !s.DryRun {
		m, err := s.planner().names.method(e.Method)
		if err != nil {
			return nil, err
		}
		return s.answerColumns(m, awaits(e.Hints))
	}
	p, err := s.planner().plan(st)
	if err != nil {
		return nil, err
	}
	defer p.discard()
	switch {
	case p.columns != nil:
		return p.columns()
	case p.program != nil:
		return p.program.Columns, nil
	}
	switch st.(type) {
	case *statement.Show, *statement.Describe, *statement.Registry: // they read the catalogue, and call nothing
		rows, err := p.run(context.Background())
		if err != nil {
			return nil, err
		}
		return rows.Columns(), rows.Close()
	}
	return nil, provider.Usagef("the rows of this statement are known only when it runs").At(st.Pos()).
		Hintf("send it without preparing it")
}

// notQuery is the error for a statement in place of a query.
func notQuery(pos provider.Position) error {
	return provider.Usagef("this is no query: only SELECT, WITH and VALUES are").At(pos)
}
