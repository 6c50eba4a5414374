package vtab

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/bytecode"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/fetch"
	"github.com/lakeql/lakeql/internal/functions"
	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Text puts the text of a program together, and makes the tables that it names.
type Text func(*Program) (string, error)

// Program is a query as SQLite compiled it, over virtual tables for the resources that it names.
type Program struct {
	// DB is the program's database, in memory. It holds the definitions of the tables.
	DB *sqlite3.Conn
	// Columns describes the rows.
	Columns []provider.Column
	// Queries are the queries that form the text, with those of views.
	Queries []*statement.Query
	// Target is the table of an UPDATE or DELETE; nil for other statements.
	Target *Target
	// Masked reports whether a credential was replaced by a mask.
	Masked bool

	env      *Env
	full     string             // the text that was compiled
	edited   []statement.Edited // its parts, and the queries of views
	position provider.Position  // of the statement
	text     Text
	ahead    Text // of the passes that run ahead; nil: none do
	writes   bool // it changes a store; credentials must not go there

	stmt      *sqlite3.Stmt
	code      *bytecode.Program // of stmt, once it was read
	tables    tables
	former    map[string]*provider.Resource // see tables
	provided  map[string]bool               // keys of FirstTime
	functions *functions.Set
	externals []*external
	closers   []func() error
	rowIDs    map[rowKey]int64
	renamed   []string        // the sentences for Env.Renamed
	read      int64           // bytes that the tables have returned to SQLite
	pool      *Pool           // that the program goes back to; nil: none
	source    *source         // by which the pool finds it
	ctx       context.Context //nolint:containedctx // SQLite's callbacks carry none: it is the statement's
	// ask makes the call that a table needs, for the choice with the number step. No reading means
	// no rows.
	ask func(a *access, req *dispatch.Request, step int) (*fetch.Reading, error)
	// err is the first error of a virtual table. SQLite passes on its text only.
	err error
}

// Compile prepares a query.
func Compile(env *Env, position provider.Position, text Text) (*Program, error) {
	return compiled(func() *Program { return &Program{env: env, position: position, text: text, ahead: text} })
}

// CompileWrite is [Compile] for a text that changes a store. Passes run ahead of it with the text
// ahead, which must change nothing; nil: none do.
func CompileWrite(env *Env, position provider.Position, ahead, text Text) (*Program, error) {
	return compiled(func() *Program {
		return &Program{env: env, position: position, text: text, ahead: ahead, writes: true}
	})
}

// compiled prepares a new program. If that fails, it tries the methods that the name of a resource had in
// earlier documents.
func compiled(begin func() *Program) (*Program, error) {
	first := begin()
	if first.env.choices == nil {
		first.env.choices = &choices{}
	}
	p, err := first.prepared()
	if err == nil || provider.CodeOf(err) != provider.Usage {
		return p, err
	}
	former := map[string]*provider.Resource{}
	for _, r := range first.tables.asked {
		found, fault := first.env.Catalogue.Formerly(r, provider.Select)
		if fault != nil {
			return nil, fault
		}
		if found != nil {
			former[r.FullName()] = found
		}
	}
	if len(former) != 1 { // of several, it is not clear which one the text means
		return nil, err
	}
	second := begin()
	second.former, second.renamed = former, first.renamed
	if p, fault := second.prepared(); fault == nil {
		return p, nil
	}
	return nil, err
}

// prepared opens the program's database and prepares its text there.
func (p *Program) prepared() (*Program, error) {
	var err error
	if p.DB, err = sandbox.Open(p.env.SQLMemory); err != nil {
		return nil, provider.Internalf("open SQLite").Because(err)
	}
	p.tables = tables{program: p, named: map[string]*table{}, former: p.former}
	if err := p.Catch(p.prepare); err != nil {
		_ = p.Close() // the error at hand counts
		return nil, err
	}
	return p, nil
}

func (p *Program) prepare() error {
	var err error
	if p.functions, err = functions.New(p.DB); err != nil {
		return err
	}
	if err := addOwn(p.DB); err != nil {
		return err
	}
	text, err := p.text(p)
	if err != nil {
		return err
	}
	p.full = text
	stmt, err := sandbox.Prepare(p.DB, text)
	for err != nil {
		if errors.Is(err, sandbox.ErrMore) || errors.Is(err, sandbox.ErrNone) {
			return provider.Usagef("the query has text behind its end").At(p.position)
		}
		found, fault := p.provide(err)
		if fault != nil {
			return provider.At(fault, p.position)
		} else if !found {
			return p.SQLError(err)
		}
		stmt, err = sandbox.Prepare(p.DB, text)
	}
	p.stmt = stmt
	if err := checkOrder(p); err != nil {
		return err
	}
	if !stmt.ReadOnly() && !p.writes {
		return provider.Usagef("the statement would change something, which a query cannot").At(p.position)
	}
	if p.writes || p.env.Masked {
		if err := p.CheckKept(); err != nil {
			return err
		}
	}
	if err := p.BindArgs(stmt); err != nil {
		return err
	}
	for i := range stmt.ColumnCount() {
		typ, format := typeOfDeclared(stmt.ColumnDeclType(i))
		p.Columns = append(p.Columns, provider.Column{Name: stmt.ColumnName(i), Type: typ, Format: format})
	}
	return nil
}

// provide makes the table or function that SQLite does not know part of the program's database, and
// reports whether it could.
func (p *Program) provide(unknown error) (bool, error) {
	name, ok := MissingTable(unknown)
	if !ok {
		return p.functions.Provide(unknown)
	}
	if made, err := functions.Provide(p.DB, name); made || err != nil {
		return made, err
	}
	if p.env.Provide != nil {
		if made, err := p.env.Provide(p, name); made || err != nil {
			return made, err
		}
	}
	return p.tables.addFunction(name)
}

// MissingTable reads from an error of SQLite which table does not exist.
func MissingTable(err error) (name string, ok bool) {
	_, name, ok = strings.Cut(err.Error(), "no such table: ")
	return name, ok
}

// FirstTime reports whether this is the first call with the key. Env.Provide uses it to remember the
// parts of the database.
func (p *Program) FirstTime(key string) bool {
	if p.provided[key] {
		return false
	}
	if p.provided == nil {
		p.provided = map[string]bool{}
	}
	p.provided[key] = true
	return true
}

// noteRenamed passes a sentence about a former name on.
func (p *Program) noteRenamed(sentence string) {
	p.renamed = append(p.renamed, sentence)
	if p.env.Renamed != nil {
		p.env.Renamed(sentence)
	}
}

// Has reports whether FirstTime was called with the key.
func (p *Program) Has(key string) bool { return p.provided[key] }

// Calls reports whether the program reads resources.
func (p *Program) Calls() bool { return len(p.tables.list) > 0 }

// IsConstant reports whether all that the program reads stands in its text: no resource, and no
// table of Env.Provide.
func (p *Program) IsConstant() bool { return !p.Calls() && len(p.provided) == 0 }

// Rewrite returns a query in a form that SQLite reads: the names of virtual tables replace those of
// resources. It makes these tables.
func (p *Program) Rewrite(q *statement.Query) (string, error) {
	p.Queries = append(p.Queries, q)
	return p.tables.rewrite(q)
}

// CreateView makes a view of a query, and the tables of that. columns are the names of its columns;
// empty: the query's.
func (p *Program) CreateView(name string, columns []string, definition string) error {
	return p.tables.createView(name, columns, definition)
}

// SetSubject names the resource that a write is about, and the table that stands for its rows. A
// column that is qualified with the resource's name is that table's.
func (p *Program) SetSubject(resource, alias string) {
	p.tables.subject, p.tables.alias = resource, alias
}

// Placeholders counts the placeholders of the statement.
func (p *Program) Placeholders() int { return p.stmt.BindCount() }

// BindArgs returns the placeholders of a statement in the program's database their values.
func (p *Program) BindArgs(stmt *sqlite3.Stmt) error {
	for i := range stmt.BindCount() {
		n := i + 1
		name := stmt.BindName(n)
		value, ok := p.env.Args.Numbered(n, name)
		if !ok {
			if name == "" {
				name = fmt.Sprintf("?%d", n)
			}
			return provider.Usagef("no value for the placeholder %s", name).At(p.position)
		}
		if err := BindValue(stmt, n, value); err != nil {
			return err
		}
	}
	return nil
}

// Bytecode reads the program's instructions.
func (p *Program) Bytecode() (*bytecode.Program, error) {
	if p.code != nil {
		return p.code, nil
	}
	err := p.Catch(func() (err error) {
		if p.code, err = bytecode.Read(p.DB, p.stmt.SQL()); err != nil {
			return provider.Internalf("explain the query").Because(err)
		}
		return nil
	})
	return p.code, err
}

// flow reports how the program reads. It is an error if the program compares a workspace that it
// was not given.
func (p *Program) flow() (bytecode.Flow, error) {
	if len(p.tables.named) == 0 {
		return bytecode.Flow{}, nil
	}
	code, err := p.Bytecode()
	if err != nil {
		return bytecode.Flow{}, err
	}
	if err := checkCompared(p, code); err != nil {
		return bytecode.Flow{}, err
	}
	return code.Flow(), nil
}

// Context is the context of the statement. Before the program runs, it is never canceled.
func (p *Program) Context() context.Context {
	if p.ctx == nil {
		return context.Background()
	}
	return p.ctx
}

// setContext sets the context of all that follows.
func (p *Program) setContext(ctx context.Context) {
	p.ctx = ctx
	p.DB.SetInterrupt(ctx)
}

// Close releases the program. It may be called more than once.
func (p *Program) Close() error {
	if p.DB == nil {
		return nil
	}
	db := p.DB
	p.DB, p.stmt = nil, nil
	err := sandbox.Close(db)
	for _, release := range p.closers {
		err = errors.Join(err, release())
	}
	return err
}

// OnClose has a function called when the program is closed.
func (p *Program) OnClose(release func() error) { p.closers = append(p.closers, release) }

// Catch runs a function that uses the program's database, and makes an error of a panic in SQLite,
// which has no other way to say that its memory is used up. The program can only be closed then.
func (p *Program) Catch(f func() error) error {
	return provider.At(sandbox.Catch(p.env.SQLMemory, f), p.position)
}

// stopped is the error of a program that was stopped.
func (p *Program) stopped(ctx context.Context) error {
	if p.writes {
		return provider.Stopped(ctx, "the statement stopped before its end, and the store is as it was").At(p.position)
	}
	return provider.Stopped(ctx, "the query stopped before its last row, and changed nothing").At(p.position)
}

// fail keeps the first error of the program, because SQLite would lose its type.
func (p *Program) fail(err error) error {
	if p.err == nil {
		p.err = provider.At(err, p.position)
	}
	return err
}

// SQLError is the error to report for one of SQLite. If a virtual table caused it, it is that
// table's.
func (p *Program) SQLError(err error) error {
	if p.err != nil {
		return p.err
	}
	if p.ctx != nil && p.ctx.Err() != nil {
		return p.stopped(p.ctx)
	}
	if errors.Is(err, sqlite3.TOOBIG) {
		return sandbox.TooLong(p.env.SQLMemory).At(p.position)
	}
	e := p.located(err)
	if p.Target != nil && strings.HasPrefix(e.Message, "no such column") {
		e.Hint = "the WHERE identifies the resource, by " + strings.Join(p.Target.names(), ", ")
	}
	if strings.Contains(e.Message, "no query solution") {
		e.Message, e.Hint = p.tables.unsolved()
	}
	return e
}

// Message is the text of an error of SQLite for a person.
func Message(err error) string {
	return provider.Printable(strings.TrimPrefix(strings.TrimPrefix(err.Error(), "sqlite3: "), "SQL logic error: "))
}
