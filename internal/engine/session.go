// Package engine runs statements: it finds what they name in the catalogue, checks them whole,
// and hands the calls they need to the dispatcher.
package engine

import (
	"context"
	"iter"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Session runs the statements of one user.
type Session struct {
	Catalogue *provider.Catalogue
	Client    *dispatch.Client
	// DryRun shows the requests that statements would send instead of sending them.
	DryRun bool
	// Version is what SHOW VERSION tells.
	Version Version
}

// Version describes a build of the program.
type Version struct {
	Number, Commit, BuildDate, Platform string
}

// plan is a statement that was checked, ready to run.
type plan func(context.Context) (provider.Rows, error)

// Run runs the statements of a text in order and gives the rows of each, which must be read and
// closed before the next one begins. All are checked against the catalogue before the first one
// runs: a text with a fault anywhere sends nothing. It ends after the first error.
func (s *Session) Run(ctx context.Context, text string) iter.Seq2[provider.Rows, error] {
	return func(yield func(provider.Rows, error) bool) {
		plans, err := s.plan(text)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, run := range plans {
			rows, err := run(ctx)
			if !yield(rows, err) || err != nil {
				return
			}
		}
	}
}

func (s *Session) plan(text string) ([]plan, error) {
	statements, err := statement.Parse(text)
	if err != nil {
		return nil, err
	}
	plans := make([]plan, len(statements))
	for i, st := range statements {
		switch st := st.(type) {
		case *statement.Exec:
			plans[i], err = s.planExec(st)
		case *statement.Query:
			plans[i], err = s.planQuery(st)
		case *statement.Show:
			plans[i], err = s.planShow(st)
		case *statement.Describe:
			plans[i], err = s.planDescribe(st)
		case *statement.Registry:
			plans[i], err = s.planRegistry(st)
		}
		if err != nil {
			return nil, err
		}
	}
	return plans, nil
}

// fixed is the plan of a statement whose rows are known already.
func fixed(columns []provider.Column, rows [][]any) plan {
	return func(context.Context) (provider.Rows, error) { return provider.NewRows(columns, rows), nil }
}

// resource finds what a name of three parts, or the first three of a longer one, means. The error
// points at the part that is unknown.
func (s *Session) resource(name statement.Name) (*provider.Resource, error) {
	if _, err := s.Catalogue.Provider(name[0].Text); err != nil {
		return nil, at(err, name[0].Pos)
	}
	if _, err := s.Catalogue.Service(name[0].Text, name[1].Text); err != nil {
		return nil, at(err, name[1].Pos)
	}
	r, err := s.Catalogue.Resource(name[0].Text, name[1].Text, name[2].Text)
	return r, at(err, name[2].Pos)
}

// method finds what a name of four parts means.
func (s *Session) method(name statement.Name) (*provider.Method, error) {
	r, err := s.resource(name)
	if err != nil {
		return nil, err
	}
	m, err := s.Catalogue.Method(r.Provider, r.Service, r.Name, name[3].Text)
	return m, at(err, name[3].Pos)
}
