// Package engine runs statements: it finds what they name in the catalogue, checks them whole,
// and hands the calls they need to the dispatcher.
package engine

import (
	"context"
	"fmt"
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
	// OnError says whether a statement ends when a call of it fails (empty: Fail).
	OnError OnError
	// Note, if set, is told what is to be said about a statement besides its rows, when those have
	// been read: a line at a time.
	Note func(line string)
	// Version is what SHOW VERSION tells.
	Version Version

	absences absences
}

// Version describes a build of the program.
type Version struct {
	Number, Commit, BuildDate, Platform string
}

// plan is a statement that was checked, ready to run.
type plan struct {
	run func(context.Context) (provider.Rows, error)
	// close lets go what a plan holds that never runs; nil where it holds nothing.
	close func()
}

// Run runs the statements of a text in order and gives the rows of each, which must be read and
// closed before the next one begins. All are checked against the catalogue before the first one
// runs: a text with a fault anywhere sends nothing. It ends after the first error.
func (s *Session) Run(ctx context.Context, text string) iter.Seq2[provider.Rows, error] {
	return func(yield func(provider.Rows, error) bool) {
		statements, err := statement.Parse(text)
		if err != nil {
			yield(nil, err)
			return
		}
		plans, err := s.check(statements)
		defer func() {
			for _, p := range plans {
				p.discard()
			}
		}()
		if err != nil {
			yield(nil, err)
			return
		}
		for i, st := range statements {
			rows, err := s.runOne(ctx, st, plans[i])
			plans[i] = nil
			if !yield(rows, err) || err != nil {
				return
			}
			s.noteMissing()
		}
	}
}

// discard lets go what a plan holds that does not run.
func (p *plan) discard() {
	if p != nil && p.close != nil {
		p.close()
	}
}

// check plans every statement, and keeps the plan of a statement that is alone. Others are planned
// again when their turn comes: a plan holds a database, and what goes before may change what it means.
func (s *Session) check(statements []statement.Statement) ([]*plan, error) {
	plans := make([]*plan, len(statements))
	changed := false
	for i, st := range statements {
		p, err := s.plan(st)
		switch {
		case err != nil && changed && dependsOnStore(st):
			continue // what it names may come into being before it runs
		case err != nil:
			return plans, err
		case len(statements) == 1:
			plans[i] = p
		default:
			p.discard()
		}
		changed = changed || changesStore(st)
	}
	return plans, nil
}

// runOne runs a statement, of which there may be a plan already.
func (s *Session) runOne(ctx context.Context, st statement.Statement, p *plan) (provider.Rows, error) {
	if p == nil {
		var err error
		if p, err = s.plan(st); err != nil {
			return nil, err
		}
	}
	if show, ok := st.(*statement.Show); !ok || show.What != showErrors {
		s.absences.reset()
	}
	return p.run(ctx)
}

// plan checks a statement.
func (s *Session) plan(st statement.Statement) (*plan, error) {
	switch st := st.(type) {
	case *statement.Exec:
		return s.planExec(st)
	case *statement.Query:
		return s.planQuery(st)
	case *statement.Show:
		return s.planShow(st)
	case *statement.Describe:
		return s.planDescribe(st)
	case *statement.Registry:
		return s.planRegistry(st)
	}
	return nil, &provider.Error{Code: provider.Internal, Message: fmt.Sprintf("no plan for a %T", st), Position: st.Pos()}
}

// dependsOnStore reports whether a statement may name tables and views that an earlier one makes.
func dependsOnStore(st statement.Statement) bool {
	_, ok := st.(*statement.Query)
	return ok
}

// changesStore reports whether a statement may change what later ones mean.
func changesStore(statement.Statement) bool { return false }

// fixed is the plan of a statement whose rows are known already.
func fixed(columns []provider.Column, rows [][]any) *plan {
	return &plan{run: func(context.Context) (provider.Rows, error) { return provider.NewRows(columns, rows), nil }}
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
