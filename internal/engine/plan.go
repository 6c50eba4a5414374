package engine

import (
	"context"

	"github.com/lakeql/lakeql/internal/localstore"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// plan is a statement that was checked, ready to run.
type plan struct {
	run func(context.Context) (provider.Rows, error)
	// program is the query that makes the calls; nil for a statement without calls.
	program *vtab.Program
	// explain lists the steps of run; nil if it makes no calls.
	explain func() ([]vtab.Step, error)
	// columns describes the rows of a call; nil if the program does, or if no call is made.
	columns func() ([]provider.Column, error)
	// close releases the resources of a plan that does not run; nil for a plan without any.
	close func()
	// renamed has the former names in the statement.
	renamed *renamed
}

// discard releases a plan that does not run.
func (p *plan) discard() {
	if p != nil && p.close != nil {
		p.close()
	}
}

// fixed is the plan of a statement whose rows are known before it runs.
func fixed(columns []provider.Column, rows [][]any) *plan {
	return &plan{run: func(context.Context) (provider.Rows, error) { return provider.NewRows(columns, rows), nil }}
}

// planner plans one statement of a session.
type planner struct {
	session *Session
	env     *vtab.Env // of all programs of the statement
	names   resolver
}

// planner starts to plan a statement.
func (s *Session) planner() *planner {
	names := resolver{s.Catalogue, &renamed{}}
	env := s.env()
	env.Renamed = names.renamed.add
	return &planner{session: s, env: env, names: names}
}

// planned plans a statement.
func (s *Session) planned(st statement.Statement) (*plan, error) {
	planner := s.planner()
	p, err := planner.plan(st)
	if err != nil {
		s.renamed = planner.names.renamed
		return nil, err
	}
	p.renamed = planner.names.renamed
	return p, nil
}

// plan checks the statement.
func (p *planner) plan(st statement.Statement) (*plan, error) {
	switch st := st.(type) {
	case *statement.Exec:
		return p.planExec(st)
	case *statement.Query:
		return p.planProgram(p.session.Programs.Query(p.env, st))
	case *statement.Insert:
		if !isResource(st.Into) {
			return p.overStores(func(r *localstore.Runner) (*localstore.Work, error) { return r.Insert(st) })
		}
		return p.planInsert(st)
	case *statement.Update:
		if !isResource(st.Table) {
			return p.overStores(func(r *localstore.Runner) (*localstore.Work, error) {
				return r.Modify(st.Position, st.Table, st.Whole, "updated")
			})
		}
		return p.planUpdate(st)
	case *statement.Delete:
		if !isResource(st.From) {
			return p.overStores(func(r *localstore.Runner) (*localstore.Work, error) {
				return r.Modify(st.Position, st.From, st.Whole, "deleted")
			})
		}
		return p.planDelete(st)
	case *statement.Create:
		return p.overStores(func(r *localstore.Runner) (*localstore.Work, error) { return r.Create(st) })
	case *statement.Refresh:
		return p.overStores(func(r *localstore.Runner) (*localstore.Work, error) { return r.Refresh(st) })
	case *statement.Drop:
		return p.overStores(func(r *localstore.Runner) (*localstore.Work, error) { return r.Drop(st) })
	case *statement.Explain:
		return p.planExplain(st)
	case *statement.Show:
		return p.planShow(st)
	case *statement.Describe:
		return p.planDescribe(st)
	case *statement.Registry:
		return p.planRegistry(st)
	case *statement.Set:
		return p.planSet(st)
	case *statement.Use:
		return p.planUse(st)
	case *statement.Purge:
		return planPurge(), nil
	case *statement.Sleep:
		return planSleep(st), nil
	case *statement.NativeQuery:
		return p.planNative(st)
	}
	return nil, unknownStatement(st)
}

// env returns the parts of the session that the programs of a statement need.
func (s *Session) env() *vtab.Env {
	return &vtab.Env{
		Catalogue: s.Catalogue, Client: s.Client, Account: s.account, Args: s.args, Masked: s.Masked, Functions: s.Functions, Memory: s.Memory, SQLMemory: s.SQLMemory, Ended: s.ended,
		Provide: func(p *vtab.Program, table string) (bool, error) {
			return s.Stores().Provide(p, table, s.note, s.partly)
		},
		Tables: s.storeNames,
		Starts: func(p *vtab.Program) error { return s.Stores().NoteStale(p, s.note, s.partly) },
	}
}

// overStores plans a statement over the session's tables and views.
func (p *planner) overStores(check func(*localstore.Runner) (*localstore.Work, error)) (*plan, error) {
	s := p.session
	work, err := check(&localstore.Runner{
		Stores: s.Stores(), Env: p.env, DryRun: s.DryRun, Note: s.note, Whole: s.whole, Changed: s.changedRows,
	})
	if err != nil {
		return nil, err
	}
	made := &plan{run: work.Run, close: work.Close}
	if work.Program != nil {
		made.program, made.explain = work.Program, work.Program.Steps
	}
	return made, nil
}

// isResource reports whether a name is that of a resource of the API, not of a table in a store.
func isResource(name statement.Name) bool { return len(name) == 3 }

// unknownStatement is the error for a kind of statement without a plan.
func unknownStatement(st statement.Statement) error {
	return provider.Internalf("no plan for a %T", st).At(st.Pos())
}
