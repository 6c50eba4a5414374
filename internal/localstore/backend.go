package localstore

import (
	"context"
	"io"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// Backend is a database that keeps tables and views. SQLite is one, in memory or in a file; package
// pgstore has another one. Each change is one transaction: it happens completely, or not at all.
type Backend interface {
	// Native reports whether its tables are SQLite's own, so that SQLite runs an INSERT of them.
	Native() bool
	// Schema is the name before its tables in statements, such as store in store.t.
	Schema() string
	// Objects lists its tables and views, sorted by name.
	Objects() ([]Object, error)
	// Version writes a text that is another one once a table or view was made, changed or dropped.
	Version(sum io.Writer) error
	// Columns lists the columns of a table or materialized view.
	Columns(o *Object) ([]string, error)
	// Check returns an error if the backend cannot have a table with the name and the columns.
	Check(name string, columns []provider.Column) error
	// CheckDefinition is Check for a table with column definitions.
	CheckDefinition(c *statement.Create) error

	// Provide makes a table part of a program's database; an empty name stands for all tables that the
	// backend can provide at once. It reports whether it added something.
	Provide(p *vtab.Program, name string) (bool, error)
	// ProvideAt makes <table>_at(time) part of a program's database if the backend has the history of
	// the table, and reports whether it has. While the program runs, it calls note with the gaps.
	ProvideAt(p *vtab.Program, table string, note Note) (bool, error)
	// NoteStale tells each [Gap] of the tables of pipelines that a program reads.
	NoteStale(p *vtab.Program, note, missing Note) error

	// Define makes a table with column definitions.
	Define(ctx context.Context, c *statement.Create, admit Admit) error
	// PutView keeps a view, in place of one with its name.
	PutView(ctx context.Context, o *Object, admit Admit) error
	// Fill replaces the table of an object by the rows in [FreshTable] of a program. Without a program,
	// the table has no rows.
	Fill(ctx context.Context, p *vtab.Program, f *Filling) error
	// Drop removes a table or view.
	Drop(ctx context.Context, o *Object) error
	// Insert inserts the rows in [FreshTable] of a program; nil: one row of defaults. It returns the rows of
	// RETURNING.
	Insert(ctx context.Context, p *vtab.Program, in *Insertion) (Inserted, error)
	// Begin begins the transaction in which a program changes the backend.
	Begin(ctx context.Context, p *vtab.Program) (Transaction, error)
}

// Inserted is the result of an INSERT.
type Inserted struct {
	Columns []provider.Column // of RETURNING
	Rows    [][]any
	Changed int64
}

// Note receives messages about a statement.
type Note = func(format string, args ...any)

// Admit checks a change against the objects of its backend, just before it is made. exists reports that
// the object is there and stays as it is.
type Admit func(all []Object) (exists bool, err error)

// Transaction is a change that is under way.
type Transaction interface {
	Commit() error
	Rollback() error
}
