// Package bytecode reads the program that SQLite compiles a statement into, as EXPLAIN lists it
// (https://sqlite.org/opcode.html). SQLite has no interface that reports which call of a virtual
// table feeds which other one, or whether a statement may stop early; its bytecode shows both.
//
//   - [Program.Filters] lists the places that read from a virtual table. A join has one for each
//     table.
//   - [Program.Flow] reports how often the program reads, whether it may stop early, and which
//     places decide the arguments of which others.
//   - [Program.Compares] reports whether a condition looks at a column.
//   - [Tracer] follows the argument of a place back to its source: a constant, a list, or a column
//     of another table.
//
// SQLite does not promise to keep its opcodes. The package knows those in its table (opcodes.go);
// [Program.Unknown] lists the ones of a program that are not in it. A test runs it over every
// statement in this repository's tests, so a new version of SQLite with new opcodes fails there.
package bytecode

import (
	"fmt"
	"slices"

	"github.com/ncruces/go-sqlite3"
)

// Program is a compiled statement, as a list of instructions.
type Program struct {
	all []instruction
}

// instruction is a line of EXPLAIN. The meaning of p1 to p4 depends on the opcode.
type instruction struct {
	code       string
	p1, p2, p3 int
	p4         string
}

// Read compiles a statement and lists its instructions. It does not run the statement.
func Read(db *sqlite3.Conn, sql string) (*Program, error) {
	stmt, _, err := db.Prepare("EXPLAIN " + sql)
	if err != nil {
		return nil, fmt.Errorf("explain the query: %w", err)
	}
	defer func() { _ = stmt.Close() }() // it returns the error of the last step again
	p := &Program{}
	for stmt.Step() {
		p.all = append(p.all, instruction{
			code: stmt.ColumnText(1), p1: stmt.ColumnInt(2), p2: stmt.ColumnInt(3), p3: stmt.ColumnInt(4), p4: stmt.ColumnText(5),
		})
	}
	if err := stmt.Err(); err != nil {
		return nil, fmt.Errorf("explain the query: %w", err)
	}
	return p, nil
}

// Choice is the result of a virtual table's BestIndex method, which its Filter method gets: the number
// idxNum and the text idxStr.
type Choice struct {
	Number int
	Text   string
}

// Filter is a place in a program that starts to read from a virtual table (opcode VFilter).
type Filter struct {
	Choice Choice
	Cursor int

	at        int // index of the instruction
	arguments int // register of the first argument
}

// Filters lists the places that read from virtual tables, in the order of the program.
func (p *Program) Filters() []Filter {
	var all []Filter
	for i, op := range p.all {
		if op.code == "VFilter" {
			all = append(all, p.filter(i))
		}
	}
	return all
}

func (p *Program) filter(i int) Filter {
	op := p.all[i]
	return Filter{Choice: p.choice(i), Cursor: op.p1, at: i, arguments: op.p3 + 2}
}

// choice reads the choice of a VFilter. Its text is p4; SQLite sets its number with an Integer
// shortly before (sqlite3WhereCodeOneLoopStart in SQLite's wherecode.c).
func (p *Program) choice(filter int) Choice {
	register := p.all[filter].p3
	for i := filter - 1; i >= 0; i-- {
		if op := p.all[i]; op.code == "Integer" && op.p2 == register {
			return Choice{op.p1, p.all[filter].p4}
		}
	}
	return Choice{-1, p.all[filter].p4}
}

// Table is a table of a file or in memory that a program reads (opcode OpenRead).
type Table struct {
	Cursor   int
	Root     int // its first page, as in the column rootpage of sqlite_schema
	Database int // number of the attached database
}

// Tables lists the ordinary tables and indexes that the program reads.
func (p *Program) Tables() []Table {
	var all []Table
	for _, op := range p.all {
		if op.code == "OpenRead" {
			all = append(all, Table{op.p1, op.p2, op.p3})
		}
	}
	return all
}

// Unknown lists the opcodes of the program that this package does not know, sorted. For such a program,
// the results of the other methods may be wrong.
func (p *Program) Unknown() []string {
	var unknown []string
	for _, op := range p.all {
		if _, ok := controls[op.code]; !ok {
			unknown = append(unknown, op.code)
		}
	}
	slices.Sort(unknown)
	return slices.Compact(unknown)
}
