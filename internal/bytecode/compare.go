package bytecode

// Compares reports whether a condition of the program looks at a column of a virtual table's
// cursor, or at an expression over it. DISTINCT and ORDER BY are not conditions.
func (p *Program) Compares(cursor, column int) bool {
	for at, read := range p.all {
		if read.code == "VColumn" && read.p1 == cursor && read.p2 == column && compared(p.all[at+1:], read.p3) {
			return true
		}
	}
	return false
}

// compared reports whether instructions compare the value of a register, or a value made from it,
// before the next row.
func compared(all []instruction, register int) bool {
	held := map[int]bool{register: true}
	for i, op := range all {
		if op.code == "Found" && i+1 < len(all) && all[i+1].code == "MakeRecord" {
			continue // DISTINCT, which keeps one row of each value
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
