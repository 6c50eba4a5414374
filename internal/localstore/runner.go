package localstore

import (
	"context"

	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// Runner checks a statement over the stores of a session. It is for one statement.
type Runner struct {
	Stores *Stores
	Env    *vtab.Env
	// DryRun makes changes that end with the session, and sends nothing.
	DryRun bool
	// Note receives the messages about the statement.
	Note Note
	// Whole returns an error if the statement continued without a part of an answer. A gap in stored
	// rows would be invisible later.
	Whole func(pos provider.Position) error
	// Changed receives the number of changed rows, and the verb, such as inserted.
	Changed func(rows int64, done string)
}

// Work is a statement that was checked, ready to run.
type Work struct {
	// Run carries it out.
	Run func(context.Context) (provider.Rows, error)
	// Close releases the resources of work that does not run; nil if it holds none.
	Close func()
	// Program is the query that makes the work's calls; nil if it makes no call.
	Program *vtab.Program
}

// nothing is the work of a statement with nothing to do.
func nothing() *Work {
	return &Work{Run: func(context.Context) (provider.Rows, error) { return provider.NewRows(nil, nil), nil }}
}

// change is the work of a statement that changes a store and returns no rows. The program, if any,
// was compiled to check it.
func (r *Runner) change(change func(context.Context) error, checked *vtab.Program) *Work {
	discard := func() {
		if checked != nil {
			_ = checked.Close() // there is nothing in it
		}
	}
	run := func(ctx context.Context) (provider.Rows, error) {
		discard()
		if r.DryRun {
			r.noteDryRun()
		}
		return provider.NewRows(nil, nil), change(ctx)
	}
	return &Work{Run: run, Close: discard}
}

// writable returns the store to change in place of another one: a dry run changes nothing that
// outlives it.
func (r *Runner) writable(st Backend) Backend {
	if r.DryRun {
		return r.Stores.all[0]
	}
	return st
}

func (r *Runner) noteDryRun() { r.Note("a dry run changes nothing") }

// noteMasked says that credentials were not kept, if there were any.
func (r *Runner) noteMasked(p *vtab.Program) {
	if p.Masked {
		r.Note("credentials are not kept: a mask is in their place")
	}
}
