package engine

import (
	"github.com/lakeql/lakeql/internal/localstore"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// MemoryStore is the path of a store that ends with the session.
const MemoryStore = localstore.Memory

// stores are those of the session. They are made when they are first needed.
func (s *Session) stores() *localstore.Stores {
	s.once.Do(func() { s.local = localstore.New(s.StorePath) })
	return s.local
}

// Close releases what the session keeps in memory.
func (s *Session) Close() {
	if s.local != nil {
		s.local.Close()
	}
}

// env is what the programs of a statement need of the session.
func (s *Session) env() *vtab.Env {
	return &vtab.Env{
		Catalogue: s.Catalogue, Client: s.Client, Account: s.account, Args: s.args, Masked: s.Masked, Ended: s.ended,
		Provide: func(p *vtab.Program, table string) (bool, error) { return s.stores().Provide(p, table) },
		Starts:  func(p *vtab.Program) error { return s.stores().NoteStale(p, s.note) },
	}
}

// overStores plans a statement over the session's tables and views.
func (s *Session) overStores(check func(*localstore.Runner) (*localstore.Work, error)) (*plan, error) {
	work, err := check(&localstore.Runner{
		Stores: s.stores(), Env: s.env(), DryRun: s.DryRun, Note: s.note, Whole: s.whole, Changed: s.changedRows,
	})
	if err != nil {
		return nil, err
	}
	p := &plan{run: work.Run, close: work.Close}
	if work.Program != nil {
		p.program, p.explain = work.Program, work.Program.Steps
	}
	return p, nil
}

// whole is an error if the statement went on without a part of an answer. Gaps in what is kept could not
// be seen any more.
func (s *Session) whole(pos provider.Position) error {
	missing := s.Missing()
	if len(missing) == 0 {
		return nil
	}
	return &provider.Error{
		Code:     provider.CodeOf(missing[0].Err),
		Message:  "nothing was kept, because the rows are not complete: " + missing[0].String(),
		Position: pos,
		Err:      missing[0].Err,
	}
}
