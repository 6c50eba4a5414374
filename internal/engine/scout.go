package engine

import (
	"context"
	"errors"
	"sync"

	"github.com/lakeql/lakeql/internal/dispatch"
)

// scouts run a statement ahead of itself, so that calls which SQLite makes one after the other are
// under way at the same time. Each pass is the same program over a connection of its own: a call
// that an earlier pass, or the statement, asked for gives its rows; one that is new is begun, and
// gives none. So the first pass begins what needs nothing (the values of an IN list, say), the next
// what is fed by that, and so on, one level of a join a pass. The calls are those that the statement
// would make, because SQLite itself has looked at every condition on the way.
type scouts struct {
	query  *query
	levels int // how many passes may find something new
	// limited is set for a statement that may stop before its last row (LIMIT). Then nothing runs
	// ahead until it has made a few calls, and never more than it has made.
	limited bool

	group  sync.WaitGroup
	mu     sync.Mutex
	misses int // calls that the statement itself began
	busy   bool
}

// start begins the passes of a statement that reads everything.
func (s *scouts) start() {
	if s.limited {
		return
	}
	s.busy = true
	s.group.Go(func() { s.run(-1) })
}

// missesBeforeScouting is how many calls a statement with a LIMIT makes one by one.
const missesBeforeScouting = 3

// missed is told of each call that the statement began itself.
func (s *scouts) missed() {
	if !s.limited {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.misses++
	if s.busy || s.misses < missesBeforeScouting {
		return
	}
	s.busy = true
	begun := s.query.fetch.count()
	s.group.Go(func() { s.run(begun) })
}

// stop waits until no pass runs. The fetcher was closed before.
func (s *scouts) stop() { s.group.Wait() }

// run makes passes until one finds nothing new. No more than most calls are begun; -1: no bound.
func (s *scouts) run(most int) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.busy = false
	}()
	for pass := 1; pass <= s.levels; pass++ {
		found, err := s.pass(pass, &most)
		if err != nil || found == 0 {
			return // the statement will come across the error itself
		}
	}
}

// errEnough ends a pass that has begun as many calls as it may.
var errEnough = errors.New("enough calls run ahead")

// pass runs the program once and gives how many calls it began.
func (s *scouts) pass(number int, most *int) (int, error) {
	own := s.query.program
	p, err := own.session.compile(own.statement)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancelCause(s.query.fetch.ctx)
	defer cancel(nil)
	found := 0
	p.ask = func(a *access, req *dispatch.Request) (*reading, error) {
		if c := s.query.fetch.find(req); c != nil {
			if c.pass == number {
				return nil, nil //nolint:nilnil // it has just been begun
			}
			rows, err := open(ctx, c, a, func(err error) error { return err })
			if err != nil {
				return nil, nil //nolint:nilnil,nilerr // the statement will come across it, if it gets there
			}
			return rows, nil
		}
		if *most == 0 {
			cancel(errEnough)
			return nil, errEnough
		}
		*most--
		found++
		c, _ := s.query.fetch.call(req, number)
		return nil, c.begin(ctx)
	}
	p.run(ctx)
	err = p.drain()
	return found, errors.Join(err, p.close())
}
