package bytecode

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Uses lists, sorted, the marks of the columns whose values the program compares, sorts by, groups by or
// computes on. It does not list a column whose values the program only passes on to its rows or to a
// table; IS NULL, count(column) and coalesce do not count as uses either. mark returns the mark of a
// column of a virtual table's cursor, greater than 0, or 0 for a column that does not matter.
func (p *Program) Uses(mark func(cursor, column int) int) []int {
	u := &uses{program: p, mark: mark, after: p.successors(), stored: map[place]int{}, used: map[int]bool{}, keys: map[int]int{}, same: map[int]int{}}
	for _, op := range p.all {
		switch op.code {
		case "OpenEphemeral", "SorterOpen":
			u.keys[op.p1] = keyFields(op.p4)
		case "OpenDup":
			u.same[op.p1] = op.p2
		}
	}
	// A table that SQLite fills is read at other places than it is filled at, so the program is gone
	// through again until no value turns up in another table.
	for before := -1; before != len(u.stored); {
		before = len(u.stored)
		u.pass()
	}
	return slices.Sorted(maps.Keys(u.used))
}

// uses follows marked values forwards.
type uses struct {
	program *Program
	mark    func(cursor, column int) int
	after   [][]int
	stored  map[place]int // marks of what is in the tables that SQLite fills
	keys    map[int]int   // number of columns that an index or sorter compares, by cursor
	same    map[int]int   // cursors over the table of another one
	used    map[int]bool
}

// place is a column of a cursor's table.
type place struct{ cursor, column int }

// registers are the contents of registers before an instruction.
type registers map[int]held

// held is a marked value, or a record with marked values in it.
type held struct {
	mark   int
	record []int // marks by column; nil: it is no record
}

func (h held) empty() bool { return h.mark == 0 && h.record == nil }

// join adds the register contents of another path to the same instruction, and reports whether they add
// anything new.
func (r registers) join(other registers) bool {
	changed := false
	for register, h := range other {
		old, ok := r[register]
		made := held{max(old.mark, h.mark), old.record}
		for i, mark := range h.record {
			for i >= len(made.record) {
				made.record = append(slices.Clip(made.record), 0)
			}
			if mark > made.record[i] {
				made.record = slices.Clone(made.record)
				made.record[i] = mark
			}
		}
		if !ok || made.mark != old.mark || !slices.Equal(made.record, old.record) {
			r[register], changed = made, true
		}
	}
	return changed
}

// pass goes through the program along every way.
func (u *uses) pass() {
	before := make([]registers, len(u.program.all))
	before[0] = registers{}
	ahead := []int{0}
	for len(ahead) > 0 {
		at := ahead[len(ahead)-1]
		ahead = ahead[:len(ahead)-1]
		state := maps.Clone(before[at])
		u.step(at, state)
		for _, to := range u.after[at] {
			if to == 0 {
				continue // an instruction that does not jump, such as Last for its row alone
			}
			if before[to] == nil {
				before[to] = registers{}
				before[to].join(state)
				ahead = append(ahead, to)
			} else if before[to].join(state) {
				ahead = append(ahead, to)
			}
		}
	}
}

// use records that the values of registers are used.
func (u *uses) use(state registers, first, count int) {
	for i := first; i < first+count; i++ {
		h := state[i]
		for _, mark := range append(slices.Clone(h.record), h.mark) {
			if mark > 0 {
				u.used[mark] = true
			}
		}
	}
}

// set puts a value into a register.
func (r registers) set(register int, h held) {
	if h.empty() {
		delete(r, register)
		return
	}
	r[register] = h
}

// table returns the cursor that was opened for a cursor's table.
func (u *uses) table(cursor int) int {
	if first, ok := u.same[cursor]; ok {
		return first
	}
	return cursor
}

// put adds a record to the table of a cursor. The table may compare the first columns of its records.
func (u *uses) put(cursor int, record []int) {
	for i, mark := range record {
		if mark == 0 {
			continue
		}
		u.stored[place{u.table(cursor), i}] = mark
		if i < u.keys[cursor] {
			u.used[mark] = true
		}
	}
}

// record returns the contents of a row of a cursor's table.
func (u *uses) record(cursor int) held {
	var h held
	for at, mark := range u.stored {
		if at.cursor == u.table(cursor) {
			for at.column >= len(h.record) {
				h.record = append(h.record, 0)
			}
			h.record[at.column] = mark
		}
	}
	return h
}

// compareKeys records a comparison of registers with the first columns of a cursor's table.
func (u *uses) compareKeys(state registers, op instruction) {
	count, _ := strconv.Atoi(op.p4)
	u.use(state, op.p3, max(count, 1))
	for i := range count {
		if mark := u.stored[place{u.table(op.p1), i}]; mark > 0 {
			u.used[mark] = true
		}
	}
}

// step follows one instruction.
func (u *uses) step(at int, state registers) {
	op := u.program.all[at]
	switch op.code {
	case "VColumn":
		state.set(op.p3, held{mark: u.mark(op.p1, op.p2)})
	case "Column":
		state.set(op.p3, held{mark: u.column(at, state)})
	case "SorterData", "RowData":
		state.set(op.p2, u.record(op.p1))
	case "Copy", "SCopy", "IntCopy", "Move":
		u.copy(op, state)
	case "MakeRecord":
		var h held
		for i := range op.p2 {
			if mark := state[op.p1+i].mark; mark > 0 {
				for len(h.record) <= i {
					h.record = append(h.record, 0)
				}
				h.record[i] = mark
			}
		}
		state.set(op.p3, h)
	case "Insert", "IdxInsert", "SorterInsert":
		u.put(op.p1, state[op.p2].record)
	case "Found", "NotFound", "NoConflict", "SeekGE", "SeekGT", "SeekLE", "SeekLT", "IdxGE", "IdxGT", "IdxLE", "IdxLT", "FilterAdd", "Filter":
		u.compareKeys(state, op)
	case "Compare":
		u.compare(at, state)
	case "Eq", "Ne", "Lt", "Le", "Gt", "Ge":
		u.use(state, op.p1, 1)
		u.use(state, op.p3, 1)
	case "If", "IfNot", "MustBeInt", "IfPos":
		u.use(state, op.p1, 1)
	case "SeekRowid", "NotExists", "RowSetTest":
		u.use(state, op.p3, 1)
	case "VFilter":
		u.use(state, op.p3+2, u.arguments(at))
	case "Function", "PureFunc":
		u.use(state, op.p2, functionArguments(op.p4))
		delete(state, op.p3)
	case "AggStep", "AggInverse":
		if !strings.HasPrefix(op.p4, "count(") {
			u.use(state, op.p2, functionArguments(op.p4))
		}
	case "Cast", "Not", "BitNot", "IsTrue", "AddImm":
		u.use(state, op.p1, 1)
		delete(state, op.p2)
	case "Concat", "Add", "Subtract", "Multiply", "Divide", "Remainder", "BitAnd", "BitOr", "ShiftLeft", "ShiftRight", "And", "Or":
		u.use(state, op.p1, 1)
		u.use(state, op.p2, 1)
		delete(state, op.p3)
	case "EndCoroutine":
		u.end(op.p1, state)
	case "Null":
		for register := op.p2; register <= max(op.p2, op.p3); register++ {
			delete(state, register)
		}
	case "String8", "Integer", "Int64", "Real", "Blob", "Variable", "Rowid", "Sequence", "NewRowid", "AggValue":
		delete(state, op.p2)
		if op.code == "AggValue" {
			delete(state, op.p3)
		}
	}
}

// end clears the registers that a coroutine has set, when it ends: no instruction reads a row from it
// afterwards.
func (u *uses) end(coroutine int, state registers) {
	for i, init := range u.program.all {
		if init.code != "InitCoroutine" || init.p1 != coroutine {
			continue
		}
		for _, op := range u.program.all[i:max(i, init.p2)] {
			switch op.code {
			case "VColumn", "Column", "MakeRecord":
				delete(state, op.p3)
			case "SorterData", "RowData", "SCopy", "IntCopy":
				delete(state, op.p2)
			case "Copy", "Move":
				for register := op.p2; register <= op.p2+op.p3; register++ {
					delete(state, register)
				}
			}
		}
	}
}

// column returns the mark of the value that a Column instruction reads: from a table that SQLite filled,
// or from a record in a register that a cursor stands for.
func (u *uses) column(at int, state registers) int {
	op := u.program.all[at]
	for _, open := range u.program.all {
		if open.code == "OpenPseudo" && open.p1 == op.p1 {
			if record := state[open.p2].record; op.p2 < len(record) {
				return record[op.p2]
			}
			return 0
		}
	}
	return u.stored[place{u.table(op.p1), op.p2}]
}

// copy copies or moves values.
func (u *uses) copy(op instruction, state registers) {
	last := op.p3 // Copy: so many more
	switch op.code {
	case "SCopy", "IntCopy":
		last = 0
	case "Move": // so many
		last = op.p3 - 1
	}
	for i := 0; i <= last; i++ {
		h := state[op.p1+i]
		if op.code == "Move" {
			delete(state, op.p1+i)
		}
		state.set(op.p2+i, h)
	}
}

// compare follows a Compare. A Permutation before it says which of the registers it compares.
func (u *uses) compare(at int, state registers) {
	op := u.program.all[at]
	if at > 0 && u.program.all[at-1].code == "Permutation" {
		for _, text := range strings.Split(strings.Trim(u.program.all[at-1].p4, "[]"), ",") {
			if i, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
				u.use(state, op.p1+i, 1)
				u.use(state, op.p2+i, 1)
			}
		}
		return
	}
	u.use(state, op.p1, op.p3)
	u.use(state, op.p2, op.p3)
}

// arguments is how many arguments a VFilter has, which SQLite sets with an Integer before it.
func (u *uses) arguments(filter int) int {
	register := u.program.all[filter].p3 + 1
	for i := filter - 1; i >= 0; i-- {
		if op := u.program.all[i]; op.code == "Integer" && op.p2 == register {
			return op.p1
		}
	}
	return 0
}

// functionArguments reads the number of a function's arguments: like(2).
func functionArguments(text string) int {
	_, count, _ := strings.Cut(strings.TrimSuffix(text, ")"), "(")
	n, err := strconv.Atoi(count)
	if err != nil {
		return 0
	}
	return max(n, 0)
}

// keyFields reads how many columns an index or sorter compares: k(2,B,-B).
func keyFields(text string) int {
	text, ok := strings.CutPrefix(text, "k(")
	if !ok {
		return 0
	}
	count, _, _ := strings.Cut(strings.TrimSuffix(text, ")"), ",")
	n, err := strconv.Atoi(count)
	if err != nil {
		return 0
	}
	return n
}
