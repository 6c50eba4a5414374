package vtab

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/lakeql/lakeql/internal/bytecode"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/fetch"
)

// scouts run a statement ahead of itself, so that calls overlap that SQLite makes one after the other. A
// scout is a pass of the same program over a second connection. It starts each new call and treats it as
// empty; a call of an earlier pass returns its rows. So the first pass starts the calls that need no
// rows, such as those of an IN list, and the second pass the calls that need rows of the first: one level
// of a join for each pass. A pass does not wait for a call that the statement itself has started, because
// then it would not be ahead.
//
// The statement makes all of these calls anyway, because a pass evaluates every condition on the way. If
// a condition depends on rows that have not arrived, the pass starts no call that depends on it.
type scouts struct {
	rows *Rows
	// limited is set for a statement that may stop before its last call (LIMIT). Then nothing runs
	// ahead until it has made a few calls, and never more calls than it has made; only the
	// statement fetches further pages.
	limited bool

	mu   sync.Mutex
	busy bool
}

// callsBeforeScouting is how many calls a statement with a LIMIT makes one by one.
const callsBeforeScouting = 3

// start begins the passes of a statement that reads everything.
func (s *scouts) start() {
	if !s.limited {
		s.begin(-1)
	}
}

// missed is called for each call that the statement starts itself.
func (s *scouts) missed() {
	if !s.limited {
		return
	}
	asked, ahead := s.rows.fetch.Reach()
	if asked >= callsBeforeScouting && ahead < asked {
		s.begin(asked - ahead)
	}
}

// begin runs passes on a goroutine that the fetcher waits for, unless some are running.
func (s *scouts) begin(most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy {
		return
	}
	s.busy = true
	s.rows.fetch.Go(func(ctx context.Context) {
		s.run(ctx, most)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.busy = false
	})
}

// errEnough ends a pass that has started as many calls as it may.
var errEnough = errors.New("enough calls run ahead")

// run makes passes until one finds nothing new. It starts at most most calls; -1: no bound.
func (s *scouts) run(ctx context.Context, most int) {
	own := s.rows.program
	p, err := Compile(own.env, own.position, own.ahead)
	if err != nil {
		return // the statement was compiled: it can do without passes ahead
	}
	defer func() { _ = p.Close() }() // nothing is lost with it
	flow, err := p.flow()
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pass, found := 1, 0
	seen := map[*fetch.Answer]int{} // the pass that came to a call first
	unknown := unknowns{decides: flow.Decides}
	p.ask = func(a *access, req *dispatch.Request, step int) (*fetch.Reading, error) {
		plan := bytecode.Choice{Number: step, Text: choiceText}
		if unknown.decide(plan) {
			return nil, nil //nolint:nilnil // nobody knows yet whether it is asked for
		}
		if a.method.Selectable { // a POST is sent when the statement itself comes to it
			unknown.add(plan)
			return nil, nil //nolint:nilnil // its rows have not arrived
		}
		c, isNew := s.rows.fetch.Early(req, step, most != 0)
		if c == nil {
			cancel(errEnough)
			return nil, errEnough
		}
		if isNew {
			most--
			if err := c.Begin(ctx); err != nil {
				return nil, err
			}
		}
		if len(flow.Decides[plan]) == 0 {
			return nil, nil //nolint:nilnil // its rows lead to no call
		}
		if _, ok := seen[c]; !ok && (!s.limited || !c.Has(0)) {
			seen[c] = pass
			found++
		}
		if seen[c] == pass {
			unknown.add(plan)
			return nil, nil //nolint:nilnil // it has just been begun, here or by the statement
		}
		// Ignore an error here: the statement reports it, if it gets there.
		rows, err := c.Read(ctx, a.single, func(error) error { return io.EOF })
		if rows != nil {
			rows.Arrived, rows.OnRow = s.limited, unknown.loop()
		}
		return rows, err
	}
	p.setContext(ctx)
	for pass <= flow.Filters && p.drain() == nil && found > 0 && p.stmt.Reset() == nil {
		pass, found = pass+1, 0
		unknown.places = nil
	}
}

// unknowns are the places of a pass that returned no rows because their answers have not arrived. While a
// place is unknown, everything that depends on its rows is unknown too, such as the result of NOT EXISTS.
type unknowns struct {
	decides map[bytecode.Choice]map[bytecode.Choice]bool
	places  []bytecode.Choice // by their plans, in the order in which the program came to them
}

// add adds a place.
func (u *unknowns) add(plan bytecode.Choice) { u.places = append(u.places, plan) }

// decide reports whether an unknown answer decides the call of a place. If the place itself was unknown,
// the loop around it has moved to its next row.
func (u *unknowns) decide(plan bytecode.Choice) bool {
	if i := slices.Index(u.places, plan); i >= 0 {
		u.places = u.places[:i]
	}
	return slices.ContainsFunc(u.places, func(place bytecode.Choice) bool { return u.decides[place][plan] })
}

// loop starts a loop over rows, and returns the function to call before each: a place that was
// unknown for one row is not for the next.
func (u *unknowns) loop() func() {
	around := len(u.places)
	return func() { u.places = u.places[:min(around, len(u.places))] }
}
