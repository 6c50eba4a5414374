package vtab

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Pool keeps the programs of queries that have run, for the next run of the same query. A pipeline asks
// each of its queries once a workspace. To compile one costs more than to run it: SQLite opens a database,
// the tables are read from the documents, and SQLite plans the query.
//
// The zero value is empty. A Pool may be used by several goroutines. A nil *Pool keeps nothing.
type Pool struct {
	mu       sync.Mutex
	idle     []*Program // the one that ran last is the last
	compiled int        // programs that no idle one could replace
	closed   bool
}

const (
	// mostIdle bounds the programs of a pool. One takes about 0.3 MB.
	mostIdle = 64
	// mostRead is how many bytes a program may have read. SQLite keeps the memory that it once needed,
	// so a program that has read more is closed. What a query makes of little, such as zeroblob(n), does
	// not count; its bound is that of each program.
	mostRead = 1 << 20
)

// source is all that a compiled query depends on. The other parts of an Env are read when the program runs.
type source struct {
	query     *statement.Query
	settings  settings
	functions map[string]string
}

type settings struct {
	catalogue *provider.Catalogue
	memory    int64 // SQLite's
	masked    bool
	bytes     bool // see dispatch.Client.Bytes
	account   bool // one is configured, so a call needs no other
}

// Query compiles a query, or takes an idle program that was compiled from the same query, documents and
// settings. After the last row, closing the rows gives the program back. A query with placeholders is
// compiled each time: their values are part of the plan.
func (o *Pool) Query(env *Env, q *statement.Query) (*Program, error) {
	compile := func() (*Program, error) {
		return Compile(env, q.Position, func(p *Program) (string, error) { return p.Rewrite(q) })
	}
	if o == nil || !env.Args.Empty() {
		return compile()
	}
	from := &source{q, settings{env.Catalogue, env.SQLMemory, env.Masked, env.Client.Bytes, env.Account() != ""}, env.Functions}
	if p := o.take(from); p != nil {
		p.begin(env)
		return p, nil
	}
	p, err := compile()
	if err == nil {
		p.pool, p.source = o, from
	}
	return p, err
}

// take removes an idle program of a source; nil if there is none.
func (o *Pool) take(from *source) *Program {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, p := range slices.Backward(o.idle) {
		if p.source.settings == from.settings && p.source.query.Equal(from.query) && maps.Equal(p.source.functions, from.functions) {
			o.idle = slices.Delete(o.idle, i, i+1)
			return p
		}
	}
	o.compiled++
	return nil
}

// Compiled is how many queries the pool had no program for.
func (o *Pool) Compiled() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.compiled
}

// keep takes a program that has returned its last row, and reports whether it did. The program is then
// as if it were closed: the next run has another *Program.
func (o *Pool) keep(p *Program) bool {
	if o == nil || !p.isAlone() || p.err != nil || p.read > mostRead {
		return false
	}
	if err := p.Catch(p.stmt.Reset); err != nil {
		return false
	}
	next := *p
	next.tables.program = &next
	for _, t := range next.tables.list {
		t.program = &next
	}
	next.env, next.ask = &Env{choices: p.env.choices}, nil // what the run had may go
	next.ctx, next.rowIDs, next.read, next.Masked = nil, nil, 0, false
	next.functions.Restart()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	p.DB, p.stmt = nil, nil
	o.idle = append(o.idle, &next)
	if len(o.idle) > mostIdle {
		_ = o.idle[0].Close() // it was read to its end
		o.idle = slices.Delete(o.idle, 0, 1)
	}
	return true
}

// isAlone reports whether nothing but the documents and SQLite's own functions is in the program's
// database: a table of Env.Provide may be another one at the next run.
func (p *Program) isAlone() bool {
	return !p.writes && p.Target == nil && len(p.provided)+len(p.externals)+len(p.closers) == 0
}

// begin starts the next run of an idle program, for a statement.
func (p *Program) begin(env *Env) {
	p.DB.SetInterrupt(context.Background()) // that of the last run may have ended
	env.choices = p.env.choices             // the steps have the numbers of its plan
	p.env = env
	if env.Renamed != nil {
		for _, sentence := range p.renamed {
			env.Renamed(sentence)
		}
	}
}

// Close closes the idle programs. A program that still runs is closed with its rows.
func (o *Pool) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for _, p := range o.idle {
		errs = append(errs, p.Close())
	}
	o.idle, o.closed = nil, true
	return errors.Join(errs...)
}
