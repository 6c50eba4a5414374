package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// shape is what the bytecode of a program tells about how it will ask.
type shape struct {
	// calls counts the places in the program that make calls.
	calls int
	// repeats is set where more than one call may be made, or one more than once.
	repeats bool
	// stops is set where the program may leave an answer before its last row.
	stops bool
	// limited is set where it may stop before calls that it would make otherwise.
	limited bool
	// decides tells, by the plan of each place that makes calls, the plans of the places whose calls
	// its rows decide: whether they are made, or for what.
	decides map[string]map[string]bool
}

// operation is an instruction of SQLite's virtual machine, as EXPLAIN lists it
// (https://sqlite.org/opcode.html).
type operation struct {
	code       string
	p1, p2, p3 int
	p4         string
}

// operations lists the instructions of the program, which are read once.
func (p *program) operations() ([]operation, error) {
	if p.bytecode != nil {
		return p.bytecode, nil
	}
	stmt, _, err := p.db.Prepare("EXPLAIN " + p.stmt.SQL())
	if err != nil {
		return nil, &provider.Error{Code: provider.Internal, Message: "explain the query", Err: err}
	}
	defer func() { _ = stmt.Close() }() // it gives the error of the last step again
	var all []operation
	for stmt.Step() {
		all = append(all, operation{
			code: stmt.ColumnText(1), p1: stmt.ColumnInt(2), p2: stmt.ColumnInt(3), p3: stmt.ColumnInt(4), p4: stmt.ColumnText(5),
		})
	}
	if err := stmt.Err(); err != nil {
		return nil, err
	}
	p.bytecode = all
	return all, nil
}

// shape reads the bytecode.
func (p *program) shape() (shape, error) {
	s := shape{decides: map[string]map[string]bool{}}
	if len(p.tables) == 0 {
		return s, nil
	}
	all, err := p.operations()
	if err != nil {
		return s, err
	}
	if err := p.unaddressed(all); err != nil {
		return s, err
	}
	after := flow(all)
	next := func(at int) []int { return after[at] }
	unasked := func(at int) []int { // as far as the next call
		if all[at].code == "VFilter" {
			return nil
		}
		return after[at]
	}
	counters := map[int]bool{} // registers that count what a LIMIT leaves
	for i, op := range all {
		switch op.code {
		case "VFilter":
			s.calls++
			s.repeats = s.repeats || follow(i+1, next)[i]
			s.decide(all, after, i)
		case "DecrJumpZero":
			counters[op.p1] = true
		}
	}
	s.repeats = s.repeats || s.calls > 1
	for i, op := range all {
		if op.code != "DecrJumpZero" && (op.code != "IfNot" || !counters[op.p1]) {
			continue
		}
		// What the program comes to if it goes on, and not if it stops here.
		s.limited = s.limited || lost(all, "VFilter", follow(i+1, next), follow(op.p2, next))
		s.stops = s.stops || lost(all, "VNext", follow(i+1, unasked), follow(op.p2, unasked))
	}
	return s, nil
}

// decide finds what the rows of a place decide: the places that the program may come to from it
// before a loop around it goes on, but for those that it comes to whatever the rows are.
func (s *shape) decide(all []operation, after [][]int, place int) {
	decided := s.decides[all[place].p4]
	if decided == nil {
		decided = map[string]bool{}
		s.decides[all[place].p4] = decided
	}
	reached := follow(place, func(at int) []int {
		back := func(to int) bool { return at > place && to <= place && to > 1 }
		return slices.DeleteFunc(slices.Clone(after[at]), back)
	})
	for at := all[place].p2; reached[at]; { // the way without rows, up to a fork
		reached[at] = false
		if all[at].code == "VFilter" {
			at = all[at].p2
		} else if len(after[at]) == 1 {
			at = after[at][0]
		}
	}
	for at, op := range all {
		if op.code == "VFilter" && reached[at] && at != place {
			decided[op.p4] = true
		}
	}
}

// unaddressed is the error of a program that compares the workspace of rows which no workspace was
// given for, as in an alternative of an OR. They would be those of the configured one alone, and what
// the condition wants of others would be missing without a word.
func (p *program) unaddressed(all []operation) error {
	for _, op := range all {
		chosen, err := readPlan(op.p4)
		if op.code != "VFilter" || err != nil || chosen.table >= len(p.list) {
			continue // no table of ours
		}
		t := p.list[chosen.table]
		column, ok := t.index[deploymentName]
		if !ok || !t.fields[column].hidden || slices.Contains(chosen.fields, column) {
			continue
		}
		for at, read := range all {
			if read.code == "VColumn" && read.p1 == op.p1 && read.p2 == column && compares(all[at+1:], read.p3) {
				return &provider.Error{
					Code:     provider.Usage,
					Message:  fmt.Sprintf("%s: %s is compared where it does not say which workspace to ask", t.resource.FullName(), deploymentName),
					Hint:     "give it by = or IN in every alternative of an OR, or by a join",
					Position: p.position,
				}
			}
		}
	}
	return nil
}

// compares reports whether instructions compare what a register holds, or what is made of it, before
// the next row.
func compares(all []operation, register int) bool {
	held := map[int]bool{register: true}
	for i, op := range all {
		if op.code == "Found" && i+1 < len(all) && all[i+1].code == "MakeRecord" {
			continue // DISTINCT, which keeps one of each
		}
		switch op.code {
		case "Eq", "Ne", "Lt", "Le", "Gt", "Ge", "Found", "NotFound", "If", "IfNot":
			if held[op.p3] && op.code != "If" && op.code != "IfNot" || held[op.p1] && op.code != "Found" && op.code != "NotFound" {
				return true
			}
		case "Copy", "SCopy":
			held[op.p2] = held[op.p1]
		case "Concat":
			held[op.p3] = held[op.p1] || held[op.p2]
		case "Function", "PureFunc":
			made := false
			for i := range argumentCount(op.p4) {
				made = made || held[op.p2+i]
			}
			held[op.p3] = made
		case "VColumn", "Column":
			held[op.p3] = false
		case "VNext", "Next":
			return false
		}
	}
	return false
}

// lost reports whether an instruction of a kind is on one way and not on the other.
func lost(all []operation, code string, on, off map[int]bool) bool {
	for i, op := range all {
		if op.code == code && on[i] && !off[i] {
			return true
		}
	}
	return false
}

// flow gives, for each instruction, those that may come after it. Subroutines and coroutines go on
// wherever they were called from.
func flow(all []operation) [][]int {
	conditional := jumps()
	after := make([][]int, len(all))
	for i, op := range all {
		switch op.code {
		case "Halt":
		case "Goto", "Init", "Gosub":
			after[i] = []int{op.p2}
		case "Return":
			after[i] = called(all, op.p1, "Gosub")
			if op.p3 == 1 { // or goes on where nobody called
				after[i] = append(after[i], i+1)
			}
		case "InitCoroutine":
			after[i] = []int{cmp.Or(op.p2, i+1)}
		case "Yield", "EndCoroutine":
			after[i] = called(all, op.p1, op.code)
		case "Jump":
			after[i] = []int{op.p1, op.p2, op.p3}
		default:
			after[i] = []int{i + 1}
			if conditional[op.code] {
				after[i] = append(after[i], op.p2)
			}
		}
		after[i] = slices.DeleteFunc(after[i], func(to int) bool { return to < 0 || to >= len(all) })
	}
	return after
}

// called gives where a subroutine goes back to that keeps its return address in a register, or what
// a Yield or the end of a coroutine changes over to.
func called(all []operation, register int, by string) []int {
	var places []int
	for i, op := range all {
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

// follow marks the instructions that a program may come to from one of them on; next gives those that
// come after one.
func follow(from int, next func(at int) []int) map[int]bool {
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

// jumps are the instructions that go on at p2 or behind themselves, as it turns out.
func jumps() map[string]bool {
	set := map[string]bool{}
	for code := range strings.FieldsSeq(`DecrJumpZero ElseEq Eq Filter Found Ge Gt IdxGE IdxGT IdxLE IdxLT If IfEmpty
		IfNoHope IfNot IfNotOpen IfNotZero IfNullRow IfPos IfSizeBetween IsNull IsType Last Le Lt MustBeInt Ne Next
		NoConflict NotExists NotFound NotNull Once Prev Program Rewind RowSetRead RowSetTest SeekGE SeekGT SeekLE
		SeekLT SeekRowid Sort SorterNext SorterSort VFilter VNext`) {
		set[code] = true
	}
	return set
}
