package engine

import (
	"slices"

	"github.com/lakeql/lakeql/provider"
)

// shape is what the bytecode of a program tells about how it will ask.
type shape struct {
	// calls counts the places in the program that make calls.
	calls int
	// repeats is set where more than one call may be made, or one more than once.
	repeats bool
	// limited is set where the program may stop before the last row.
	limited bool
}

// operation is an instruction of SQLite's virtual machine, as EXPLAIN lists it
// (https://sqlite.org/opcode.html).
type operation struct {
	code       string
	p1, p2, p3 int
	p4         string
}

// operations lists the instructions of the program.
func (p *program) operations() ([]operation, error) {
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
	return all, stmt.Err()
}

// shape reads the bytecode.
func (p *program) shape() (shape, error) {
	var s shape
	if len(p.tables) == 0 {
		return s, nil
	}
	all, err := p.operations()
	if err != nil {
		return s, err
	}
	sorted := false
	for i, op := range all {
		switch op.code {
		case "VFilter":
			s.calls++
			s.repeats = s.repeats || inLoop(all, i)
		case "DecrJumpZero", "IfNotZero":
			s.limited = true
		case "SorterSort", "Sort":
			sorted = true
		case "Gosub", "BeginSubrtn": // what runs there may run again
			s.repeats = true
		}
	}
	s.repeats = s.repeats || s.calls > 1
	s.limited = s.limited && !sorted
	return s, nil
}

// inLoop reports whether an instruction lies between a jump back and where that leads.
func inLoop(all []operation, at int) bool {
	jumps := []string{"Next", "Prev", "VNext", "SorterNext", "Goto", "IfPos", "Yield"}
	for i := at + 1; i < len(all); i++ {
		if all[i].p2 <= at && all[i].p2 > 0 && slices.Contains(jumps, all[i].code) && all[i].p2 != 1 {
			return true
		}
	}
	return false
}
