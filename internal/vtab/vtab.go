// Package vtab presents the resources of the API to SQLite as virtual tables, and runs queries over
// them.
//
// A [Program] is one query as SQLite compiled it, in a database of its own in memory. Its text is
// put together over the program: [Program.Rewrite] replaces the three-part names of resources by
// the names of virtual tables, which it makes. SQLite then asks each table what a plan costs
// (bestindex.go): the table takes the parameters that the plan supplies, chooses the method for
// them, and refuses a plan that lacks a required one, so that SQLite orders a join by what feeds
// what. To read a table, SQLite opens a cursor (cursor.go), which makes one call.
//
// [Program.Start] runs a program. Its calls belong to the statement, not to a cursor (package
// fetch), and passes run ahead of it (scout.go), so that calls overlap which SQLite makes one by
// one. [Program.Requests] lists the calls that a program would begin with, and [Program.Steps]
// explains it. [Program.AddTarget] is for UPDATE and DELETE: a table whose rows are the parameters
// that a condition gives.
//
// A program needs an [Env], not a session. It knows no tables but those of resources; others come
// from Env.Provide.
package vtab

import (
	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// Env is what the programs of one statement need of the session that runs it. All programs of a
// statement share one Env, so that their steps and costs have the same numbers; another statement
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
	// Memory is how many bytes of a statement's answers are in memory at once. 0 means 256 MiB.
	Memory int
	// SQLMemory is how many bytes of memory SQLite may take for one program. 0 means 256 MiB.
	SQLMemory int64
	// Ended is told why an answer ends, io.EOF or an error, and returns how it ends for the
	// statement: io.EOF to go on without the rest. cut is set if the page limit ended it. of is the
	// same for every reader of one answer.
	Ended func(of any, req *dispatch.Request, cut bool, err error) error
	// Provide, if set, makes a table that is not a resource part of a program's database, and
	// reports whether it could. The name is the one that SQLite misses, with its schema if the
	// statement has one.
	Provide func(p *Program, table string) (bool, error)
	// Tables, if set, lists the names of the tables that Provide can make.
	Tables func() []string
	// Starts, if set, is called before a program runs.
	Starts func(p *Program) error

	choices choices
}

// Scope is what values are bound in.
func (e *Env) Scope() bind.Scope {
	return bind.Scope{Catalogue: e.Catalogue, Account: e.Account, Args: e.Args}
}
