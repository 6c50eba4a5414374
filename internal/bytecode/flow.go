package bytecode

import (
	"cmp"
	"slices"
)

// Flow says how a program reads from virtual tables.
type Flow struct {
	// Filters is the number of places that read.
	Filters int
	// Repeats is set if the program may read more than once in all.
	Repeats bool
	// Stops is set if the program may stop reading before the last row of a place.
	Stops bool
	// Limited is set if the program may end before reads that it would make otherwise.
	Limited bool
	// Decides lists, by the choice of each place, the places that its rows decide: whether they
	// read, or with which arguments.
	Decides map[Choice]map[Choice]bool
}

// Flow works out how the program reads.
func (p *Program) Flow() Flow {
	f := Flow{Decides: map[Choice]map[Choice]bool{}}
	after := p.successors()
	next := func(at int) []int { return after[at] }
	unread := func(at int) []int { // as far as the next read
		if p.all[at].code == "VFilter" {
			return nil
		}
		return after[at]
	}
	counters := map[int]bool{} // registers that count down a LIMIT
	for i, op := range p.all {
		switch op.code {
		case "VFilter":
			f.Filters++
			f.Repeats = f.Repeats || reachable(i+1, next)[i]
			p.decide(&f, after, i)
		case "DecrJumpZero":
			counters[op.p1] = true
		}
	}
	f.Repeats = f.Repeats || f.Filters > 1
	for i, op := range p.all {
		if op.code != "DecrJumpZero" && (op.code != "IfNot" || !counters[op.p1]) {
			continue
		}
		// The calls that the program reaches if it goes on, and does not reach if it stops here.
		f.Limited = f.Limited || p.lost("VFilter", reachable(i+1, next), reachable(op.p2, next))
		f.Stops = f.Stops || p.lost("VNext", reachable(i+1, unread), reachable(op.p2, unread))
	}
	return f
}

// decide records the places that the rows of a place decide: the program may reach them from this place
// before an outer loop continues, and does not reach them in any case.
func (p *Program) decide(f *Flow, after [][]int, place int) {
	choice := p.choice(place)
	decided := f.Decides[choice]
	if decided == nil {
		decided = map[Choice]bool{}
		f.Decides[choice] = decided
	}
	reached := reachable(place, func(at int) []int {
		back := func(to int) bool { return at > place && to <= place && to > 1 }
		return slices.DeleteFunc(slices.Clone(after[at]), back)
	})
	for at := p.all[place].p2; reached[at]; { // the way without rows, up to a fork
		reached[at] = false
		if p.all[at].code == "VFilter" {
			at = p.all[at].p2
		} else if len(after[at]) == 1 {
			at = after[at][0]
		}
	}
	for at, op := range p.all {
		if op.code == "VFilter" && reached[at] && at != place {
			decided[p.choice(at)] = true
		}
	}
}

// lost reports whether an instruction with the opcode is on one way and not on the other.
func (p *Program) lost(code string, on, off map[int]bool) bool {
	for i, op := range p.all {
		if op.code == code && on[i] && !off[i] {
			return true
		}
	}
	return false
}

// successors lists, for each instruction, the instructions that may follow it. A subroutine or coroutine
// may continue at every place that may have called it.
func (p *Program) successors() [][]int {
	after := make([][]int, len(p.all))
	for i, op := range p.all {
		switch controls[op.code] {
		case ends:
		case jumps:
			after[i] = []int{op.p2}
		case returns:
			after[i] = p.callers(op.p1, "Gosub")
			if op.p3 == 1 { // or falls through if nothing called
				after[i] = append(after[i], i+1)
			}
		case starts:
			after[i] = []int{cmp.Or(op.p2, i+1)}
		case yields:
			after[i] = p.callers(op.p1, op.code)
		case jumpsThreeWays:
			after[i] = []int{op.p1, op.p2, op.p3}
		case branches:
			after[i] = []int{i + 1, op.p2}
		case goesOn:
			after[i] = []int{i + 1}
		}
		after[i] = slices.DeleteFunc(after[i], func(to int) bool { return to < 0 || to >= len(p.all) })
	}
	return after
}

// callers lists the places that a subroutine may return to (its return address is in a register), or
// that a Yield or the end of a coroutine may switch to.
func (p *Program) callers(register int, by string) []int {
	var places []int
	for i, op := range p.all {
		switch {
		case op.p1 != register:
		case op.code == "Gosub" && by == "Gosub", op.code == "Yield" && by == "Yield":
			places = append(places, i+1)
		case op.code == "Yield" && by == "EndCoroutine" && op.p2 > 0: // the one that waits, and not one inside
			places = append(places, op.p2)
		case op.code == "InitCoroutine" && by == "Yield":
			places = append(places, op.p3)
		}
	}
	return places
}

// reachable marks the instructions that a program may reach from a given one. next lists the successors
// of an instruction.
func reachable(from int, next func(at int) []int) map[int]bool {
	reached := map[int]bool{}
	ahead := []int{from}
	for len(ahead) > 0 {
		at := ahead[len(ahead)-1]
		ahead = ahead[:len(ahead)-1]
		if !reached[at] {
			reached[at] = true
			ahead = append(ahead, next(at)...)
		}
	}
	return reached
}
