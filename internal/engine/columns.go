package engine

import (
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// notQuery is the error of a statement where a query has to be.
func notQuery(pos provider.Position) error {
	return &provider.Error{Code: provider.Usage, Message: "this is no query: only SELECT, WITH and VALUES are", Position: pos}
}

// Columns checks a text that is one query, without any call, and describes its rows.
func (s *Session) Columns(text string) ([]provider.Column, error) {
	statements, err := statement.Parse(text)
	if err != nil {
		return nil, err
	}
	if len(statements) != 1 {
		return nil, &provider.Error{Code: provider.Usage, Message: "there has to be one query, and no more"}
	}
	q, ok := statements[0].(*statement.Query)
	if !ok {
		return nil, notQuery(statements[0].Pos())
	}
	p, err := vtab.Compile(s.env(), q.Position, func(p *vtab.Program) (string, error) { return p.Rewrite(q) })
	if err != nil {
		return nil, err
	}
	return p.Columns, p.Close()
}
