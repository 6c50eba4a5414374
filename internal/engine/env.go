package engine

import (
	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// Env is what the programs of one statement need of the session that runs it. All programs of a
// statement share one Env, so that what they count and choose can be compared; another statement
// takes another Env.
type Env struct {
	Catalogue *provider.Catalogue
	Client    *dispatch.Client
	// Account returns the id of the configured account; empty if none is known.
	Account func() string
	// Args are the values of the statement's placeholders.
	Args *bind.Args
	// Masked replaces credentials in rows by masks.
	Masked bool
	// Ended is told why an answer ends, io.EOF or an error, and returns how it ends for the
	// statement: io.EOF to go on without the rest. cut is set if the page limit ended it. of is the
	// same for every reader of one answer.
	Ended func(of any, req *dispatch.Request, cut bool, err error) error
	// Provide makes a table that is not a resource part of a program's database, and reports whether
	// it could. The name is the one that SQLite misses, with its schema if the statement has one.
	Provide func(p *program, table string) (bool, error)
	// Starts, if set, is called before a program runs.
	Starts func(p *program) error

	choices choices
}

// scope is what values are bound in.
func (e *Env) scope() bind.Scope {
	return bind.Scope{Catalogue: e.Catalogue, Account: e.Account, Args: e.Args}
}
