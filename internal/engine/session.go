// Package engine knows what statements mean. A [Session] parses a text, plans every statement of
// it, and runs them in order.
//
// A planner (plan.go) checks one statement completely before anything is sent: names, parameters,
// bodies, hosts. A SELECT becomes a program of package vtab; an EXEC one call; an INSERT, UPDATE or
// DELETE of a resource a write (write.go), whose query supplies a row for each call. Statements
// over the user's tables and views go to package localstore. SHOW and DESCRIBE read the catalogue.
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

// Session runs the statements of one user, one statement at a time.
type Session struct {
	Catalogue *provider.Catalogue
	Client    *dispatch.Client
	// DryRun shows the requests that statements would send instead of sending them.
	DryRun bool
	// OnError selects the reaction of a statement to a failed call; empty: Fail.
	OnError OnError
	// Note, if set, is called with each line to say about a statement besides its rows, after those
	// were read.
	Note func(line string)
	// Warn, if set, receives in place of Note that values of the rows are not those of the API.
	Warn func(line string)
	// QueriesOnly refuses all statements but queries.
	QueriesOnly bool
	// Masked replaces the credentials in the rows of queries by masks, for rows that are stored.
	Masked bool
	// Memory is how many bytes of a statement's answers are in memory at once; those beyond are in a
	// temporary file. 0 means 256 MiB.
	Memory int
	// Foreign are texts that were put into the statements from outside, such as the values of
	// --var. Errors do not show them unless the statement gives them a meaning.
	Foreign []string
	// Functions are the full names of resources that a query may also read as a function, FROM f('…'), by
	// its name in lower case. The arguments are the parameters of its method, in their order.
	Functions map[string]string
	// SQLMemory is how many bytes of memory SQLite may take for one query of a statement. 0 means
	// 256 MiB.
	SQLMemory int64
	// Programs, if set, keeps the compiled queries of several sessions for the next that asks the same.
	Programs *Programs
	// Version is the answer to SHOW VERSION.
	Version Version

	// StorePath is the SQLite file of tables and views; MemoryStore or empty: they end with the
	// session.
	StorePath string
	// Backend, if set, keeps the tables and views in place of the file.
	Backend localstore.Backend

	scope    statement.Scope // of short names; see used
	counted  counted
	args     *bind.Args
	sampled  bool // args are samples: Describe comes before the values
	affected int64
	gaps     gaps
	replaced replaced
	parts    parts
	renamed  *renamed  // of the statement that runs
	once     sync.Once // makes local
	local    *localstore.Stores
}

// Affected counts the rows that the last statement inserted, changed or deleted.
func (s *Session) Affected() int64 { return s.affected }

// changedRows records and notes how many rows a statement changed.
func (s *Session) changedRows(n int64, done string) {
	s.affected = n
	s.note("%s %s", rowCount(n), done)
}

// Version describes a build of the program.
type Version struct {
	Number, Commit, BuildDate, Platform string
}

// Run runs the statements of a text in order and yields the rows of each, which must be read and
// closed before the next statement. All are checked before the first one runs: a text with a fault
// anywhere sends nothing. It ends after the first error.
func (s *Session) Run(ctx context.Context, text string) iter.Seq2[provider.Rows, error] {
	return s.RunArgs(ctx, text, nil)
}

// parse reads the statements of a text, in which no template is left.
func (s *Session) parse(text string) ([]statement.Statement, error) {
	before := s.counted
	s.counted = counted{}
	statements, err := before.statements, error(nil)
	if before.text != text || before.used != s.Used() || len(statements) == 0 {
		statements, err = s.used().Parse(text)
	}
	if err == nil {
		err = statement.Unfilled(text)
	}
	return statements, err
}

// counted are the statements of a text that Count has parsed, for the run that follows. Nothing else uses them.
type counted struct {
	text       string
	used       string
	statements []statement.Statement
}

// Programs keeps compiled queries. Close it when the sessions that have it are closed.
type Programs = vtab.Pool

// Arg is a value for a placeholder in a statement.
type Arg = bind.Arg

// RunArgs is [Session.Run] for statements with placeholders, each of which may take any of the
// values.
func (s *Session) RunArgs(ctx context.Context, text string, args []Arg) iter.Seq2[provider.Rows, error] {
	return func(yield func(provider.Rows, error) bool) {
		s.args = bind.NewArgs(args)
		s.Client.OnReplaced = s.replaced.add
		statements, err := s.parse(text)
		if err != nil {
			yield(nil, s.shownError(text, err))
			return
		}
		plans, err := s.checked(statements)
		defer func() {
			for _, p := range plans {
				p.discard()
			}
		}()
		if err != nil {
			s.noteRenamed()
			yield(nil, s.shownError(text, err))
			return
		}
		s.renamed = nil // of plans that have to wait for their turn
		s.Client.OnPart = s.parts.add
		for i, st := range statements {
			rows, err := s.begin(ctx, st, plans[i])
			plans[i] = nil
			if err == nil {
				rows = &shownRows{rows, s, text}
			}
			more := yield(rows, s.shownError(text, err))
			s.noteRenamed()
			s.noteReplaced()
			if _, isExec := st.(*statement.Exec); isExec {
				s.parts.note(s.note) // its row is the answer, whole
			} else {
				s.parts.note(s.partly)
			}
			if err == nil && !asksErrors(st) { // which lists what was told already
				s.noteMissing()
			}
			if !more || err != nil {
				return
			}
		}
	}
}

// check plans every statement. It keeps the plan of a single statement; several are planned again
// when their turn comes, because a plan holds a database, and an earlier statement may change a
// later one's meaning.
func (s *Session) check(statements []statement.Statement) ([]*plan, error) {
	plans := make([]*plan, len(statements))
	var made madeNames
	later := false // some statement can only be checked when its turn comes
	for i, st := range statements {
		if _, ok := st.(*statement.Query); !ok && s.QueriesOnly {
			return plans, notQuery(st.Pos())
		}
		p, err := s.planned(st)
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

// runOne runs a statement. p is its plan, or nil.
func (s *Session) runOne(ctx context.Context, st statement.Statement, p *plan) (provider.Rows, error) {
	if p == nil {
		var err error
		if p, err = s.planned(st); err != nil {
			return nil, err
		}
	}
	s.renamed = p.renamed
	if !asksErrors(st) {
		s.gaps.reset()
		s.affected = 0
	}
	s.replaced.reset()
	return p.run(ctx)
}

// asksErrors reports whether a statement lists the gaps of the one before.
func asksErrors(st statement.Statement) bool {
	show, ok := st.(*statement.Show)
	return ok && show.What == showErrors
}
