// Package engine runs statements: it finds what they name in the catalogue, checks them whole,
// and hands the calls they need to the dispatcher.
package engine

import (
	"context"
	"iter"
	"sync"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/localstore"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
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
	// QueriesOnly refuses statements that are no queries.
	QueriesOnly bool
	// Masked has masks in place of the credentials in what queries give, for rows that are kept.
	Masked bool
	// Version is what SHOW VERSION tells.
	Version Version

	// StorePath is the SQLite file that keeps tables and views; MemoryStore or empty: none does, and
	// they end with the session.
	StorePath string

	args     *bind.Args
	affected int64
	absences absences
	once     sync.Once // makes local
	local    *localstore.Stores
}

// Affected counts the rows that the last statement inserted, changed or deleted.
func (s *Session) Affected() int64 { return s.affected }

// changedRows takes in and tells how many rows a statement changed.
func (s *Session) changedRows(n int64, done string) {
	s.affected = n
	s.note("%s %s", rowCount(n), done)
}

// Version describes a build of the program.
type Version struct {
	Number, Commit, BuildDate, Platform string
}

// plan is a statement that was checked, ready to run.
type plan struct {
	run func(context.Context) (provider.Rows, error)
	// program is what SQLite runs for it; nil where it runs nothing.
	program *vtab.Program
	// explain lists what run will do; nil for what makes no calls.
	explain func() ([]vtab.Step, error)
	// close lets go what a plan holds that never runs; nil where it holds nothing.
	close func()
}

// Run runs the statements of a text in order and gives the rows of each, which must be read and
// closed before the next one begins. All are checked against the catalogue before the first one
// runs: a text with a fault anywhere sends nothing. It ends after the first error.
func (s *Session) Run(ctx context.Context, text string) iter.Seq2[provider.Rows, error] {
	return s.RunArgs(ctx, text, nil)
}

// Count counts the statements of a text.
func Count(text string) (int, error) {
	statements, err := statement.Parse(text)
	return len(statements), err
}

// Arg is a value for a placeholder in a statement.
type Arg = bind.Arg

// RunArgs is [Session.Run] for statements with placeholders, each of which may take any of the values.
func (s *Session) RunArgs(ctx context.Context, text string, args []Arg) iter.Seq2[provider.Rows, error] {
	return func(yield func(provider.Rows, error) bool) {
		s.args = bind.NewArgs(args)
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
			more := yield(rows, err)
			if err == nil && !asksErrors(st) { // which lists what was told already
				s.noteMissing()
			}
			if !more || err != nil {
				return
			}
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
	var made names
	later := false // some statement can only be checked when its turn comes
	for i, st := range statements {
		if _, ok := st.(*statement.Query); !ok && s.QueriesOnly {
			return plans, notQuery(st.Pos())
		}
		p, err := s.plan(st)
		switch {
		case err != nil && (made.in(st) || made.lacked(err)):
			later = true // what it names may come into being before it runs
		case err != nil:
			return plans, err
		case len(statements) == 1:
			plans[i] = p
		default:
			p.discard()
		}
		made.add(st)
	}
	if later {
		return plans, nil
	}
	return plans, s.args.AllTaken()
}

// runOne runs a statement, of which there may be a plan already.
func (s *Session) runOne(ctx context.Context, st statement.Statement, p *plan) (provider.Rows, error) {
	if p == nil {
		var err error
		if p, err = s.plan(st); err != nil {
			return nil, err
		}
	}
	if !asksErrors(st) {
		s.absences.reset()
		s.affected = 0
	}
	return p.run(ctx)
}

// asksErrors reports whether a statement lists what the one before it went on without.
func asksErrors(st statement.Statement) bool {
	show, ok := st.(*statement.Show)
	return ok && show.What == showErrors
}

// plan checks a statement.
func (s *Session) plan(st statement.Statement) (*plan, error) {
	switch st := st.(type) {
	case *statement.Exec:
		return s.planExec(st)
	case *statement.Query:
		return s.planQuery(st)
	case *statement.Insert:
		if !isResource(st.Into) {
			return s.overStores(func(r *localstore.Runner) (*localstore.Work, error) { return r.Insert(st) })
		}
		return s.planInsert(st)
	case *statement.Update:
		if !isResource(st.Table) {
			return s.overStores(func(r *localstore.Runner) (*localstore.Work, error) {
				return r.Modify(st.Position, st.Table, st.Whole, "updated")
			})
		}
		return s.planUpdate(st)
	case *statement.Delete:
		if !isResource(st.From) {
			return s.overStores(func(r *localstore.Runner) (*localstore.Work, error) {
				return r.Modify(st.Position, st.From, st.Whole, "deleted")
			})
		}
		return s.planDelete(st)
	case *statement.Create:
		return s.overStores(func(r *localstore.Runner) (*localstore.Work, error) { return r.Create(st) })
	case *statement.Refresh:
		return s.overStores(func(r *localstore.Runner) (*localstore.Work, error) { return r.Refresh(st) })
	case *statement.Drop:
		return s.overStores(func(r *localstore.Runner) (*localstore.Work, error) { return r.Drop(st) })
	case *statement.Explain:
		return s.planExplain(st)
	case *statement.Show:
		return s.planShow(st)
	case *statement.Describe:
		return s.planDescribe(st)
	case *statement.Registry:
		return s.planRegistry(st)
	case *statement.Set:
		return s.planSet(st)
	case *statement.Use:
		return s.planUse(st)
	case *statement.Purge:
		return s.planPurge(), nil
	case *statement.Sleep:
		return s.planSleep(st), nil
	case *statement.NativeQuery:
		return s.planNative(st)
	}
	return nil, unknownStatement(st)
}

// isResource tells the name of a resource of the API from that of a table in a store.
func isResource(name statement.Name) bool { return len(name) == 3 }

// fixed is the plan of a statement whose rows are known already.
func fixed(columns []provider.Column, rows [][]any) *plan {
	return &plan{run: func(context.Context) (provider.Rows, error) { return provider.NewRows(columns, rows), nil }}
}

// resource finds what a name of three parts, or the first three of a longer one, means. The error
// points at the part that is unknown.
func (s *Session) resource(name statement.Name) (*provider.Resource, error) {
	found, err := s.lookup(name[:3])
	return found.Resource, err
}

// method finds what a name of four parts means.
func (s *Session) method(name statement.Name) (*provider.Method, error) {
	found, err := s.lookup(name)
	return found.Method, err
}

// lookup finds what a name means. The error points at the part that is unknown.
func (s *Session) lookup(name statement.Name) (provider.Named, error) {
	parts := make([]string, len(name))
	for i, part := range name {
		parts[i] = part.Text
	}
	found, unknown, err := s.Catalogue.Lookup(parts...)
	if err != nil {
		return found, provider.At(err, name[unknown].Pos)
	}
	return found, nil
}
