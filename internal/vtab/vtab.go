// Package vtab presents the resources of the API to SQLite as virtual tables, and runs queries over
// them.
//
// A [Program] is one query, compiled by SQLite in a separate database in memory. [Program.Rewrite]
// prepares the text: it replaces the three-part names of resources by the names of virtual tables, and
// makes these tables. SQLite then asks each table for the cost of a plan (bestindex.go). The table takes
// the parameters that the plan supplies, chooses the method for them, and refuses a plan that lacks a
// required one, so that SQLite orders a join by its data flow. To read a table, SQLite opens a cursor
// (cursor.go), which makes one call.
//
// [Program.Start] runs a program. Its calls belong to the statement, not to a cursor (package fetch), and
// passes run ahead of it (scout.go), so that calls overlap that SQLite makes one after the other.
// [Program.Requests] lists the first calls of a program, and [Program.Steps] explains it.
// [Program.AddTarget] is for UPDATE and DELETE: it makes a table whose rows are the parameters that a
// condition supplies.
//
// A program needs an [Env], not a session. It knows only the tables of resources; other tables come from
// Env.Provide.
package vtab

import (
	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// Env holds the parts of a session that the programs of one statement need. All programs of a statement
// share one Env, so that their steps and costs have the same numbers. Each statement has a new Env.
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
	// Ended receives the reason for the end of an answer, io.EOF or an error, and returns how the answer
	// ends for the statement: io.EOF means to continue without the rest. cut is set if the page limit
	// ended the answer. of is the same for every reader of one answer.
	Ended func(of any, req *dispatch.Request, cut bool, err error) error
	// Provide, if set, makes a table that is not a resource part of a program's database, and reports
	// whether it could. The name is the one that SQLite does not find, with its schema if the statement
	// has one.
	Provide func(p *Program, table string) (bool, error)
	// Tables, if set, lists the names of the tables that Provide can make.
	Tables func() []string
	// Functions are the full names of resources that a query may also read as a function, by its name in
	// lower case.
	Functions map[string]string
	// Renamed, if set, receives a sentence about each former name in a query.
	Renamed func(sentence string)
	// Starts, if set, is called before a program runs.
	Starts func(p *Program) error

	choices *choices // nil until the first program is compiled
}

// Scope returns the scope to bind values in.
func (e *Env) Scope() bind.Scope {
	return bind.Scope{Catalogue: e.Catalogue, Account: e.Account, Args: e.Args}
}
