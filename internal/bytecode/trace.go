package bytecode

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Source is where a value comes from.
type Source struct {
	// Text describes it: 'a', p.name, IN ('a', 'b'), an expression over p.name.
	Text string
	// Count is the number of values; 0: one for each row of the tables in Feeds.
	Count int
	// Feeds names the tables whose rows supply the values.
	Feeds []string
}

// Tracer follows values backwards through the registers and cursors of a program.
type Tracer struct {
	Program *Program
	// Names are the names of the tables behind cursors; Columns are the column names of those tables.
	Names   map[int]string
	Columns map[int][]string
	// Placeholder returns the name of a placeholder by its number; empty for one without a name.
	Placeholder func(int) string
	// Constant, if set, words a constant of the text; quotes are around a text.
	Constant func(text string) string
	// Same is the name of a function that returns its first argument unchanged.
	Same string
}

// Argument reports the source of an argument of a place, counted from 0.
func (t *Tracer) Argument(f Filter, n int) Source { return t.register(f.at, f.arguments+n, 0) }

// Results reports the sources of count columns of the program's rows, from the column first on;
// nil if rows come from more than one place in the program.
func (t *Tracer) Results(first, count int) []Source {
	found := -1
	for i, op := range t.Program.all {
		if op.code == "ResultRow" {
			if found >= 0 {
				return nil
			}
			found = i
		}
	}
	if found < 0 {
		return nil
	}
	sources := make([]Source, count)
	for i := range sources {
		sources[i] = t.register(found, t.Program.all[found].p1+first+i, 0)
	}
	return sources
}

// deepest bounds the number of instructions that a value is followed through.
const deepest = 50

// register reports the source of the value that an instruction reads from a register.
func (t *Tracer) register(at, register, depth int) Source {
	if depth > deepest {
		return unknownSource()
	}
	all := t.Program.all
	for i := at - 1; i >= 0; i-- {
		if found, ok := t.written(i, register, depth); ok {
			if from, to := t.coroutine(i); at >= to {
				return t.yielded(from, to, register, depth)
			}
			return found
		}
	}
	for i := at + 1; i < len(all); i++ { // constants are set behind the program's end
		if found, ok := t.written(i, register, depth); ok {
			return found
		}
	}
	return unknownSource()
}

func unknownSource() Source { return Source{Text: "an expression", Count: 1} }

// coroutine returns the bounds of the innermost coroutine that an instruction is part of; of the
// whole program if it is part of none.
func (t *Tracer) coroutine(i int) (from, to int) {
	from, to = 0, len(t.Program.all)
	for j := i; j >= 0; j-- {
		if op := t.Program.all[j]; op.code == "InitCoroutine" && op.p2 > i && op.p2 < to {
			return j, op.p2
		}
	}
	return from, to
}

// yielded reports the source of the value that a coroutine leaves in a register. Each part of a UNION
// and each row of VALUES writes the register at a different place.
func (t *Tracer) yielded(from, to, register, depth int) Source {
	var values []Source
	for i := from; i < to; i++ {
		if found, ok := t.written(i, register, depth); ok {
			values = append(values, found)
		}
	}
	return inList(values)
}

// written reports the source of the value that an instruction writes to a register; false if it does not
// write to it.
func (t *Tracer) written(i, register, depth int) (Source, bool) {
	op := t.Program.all[i]
	switch op.code {
	case "String8":
		return t.constant(quoted(op.p4)), op.p2 == register
	case "Integer":
		return t.constant(strconv.Itoa(op.p1)), op.p2 == register
	case "Int64", "Real":
		return t.constant(op.p4), op.p2 == register
	case "Null":
		return Source{Text: "NULL", Count: 1}, op.p2 == register
	case "Variable":
		return Source{Text: cmp.Or(t.Placeholder(op.p1), "?"+strconv.Itoa(op.p1)), Count: 1}, op.p2 == register
	case "Copy", "SCopy", "IntCopy", "Move":
		if register < op.p2 || register > op.p2+op.p3 {
			return Source{}, false
		}
		return t.register(i, op.p1+register-op.p2, depth+1), true
	case "VColumn", "Column":
		if op.p3 != register {
			return Source{}, false
		}
		return t.column(op.p1, op.p2, depth), true
	case "Concat":
		if op.p3 != register {
			return Source{}, false
		}
		return expression(t.register(i, op.p2, depth+1), t.register(i, op.p1, depth+1)), true
	case "Function", "PureFunc":
		if op.p3 != register {
			return Source{}, false
		}
		if t.Same != "" && strings.HasPrefix(op.p4, t.Same) {
			return t.register(i, op.p2, depth+1), true
		}
		var args []Source
		for n := range argumentCount(op.p4) {
			args = append(args, t.register(i, op.p2+n, depth+1))
		}
		return expression(args...), true
	case "Add", "Subtract", "Multiply", "Divide", "Remainder":
		if op.p3 != register {
			return Source{}, false
		}
		return expression(t.register(i, op.p2, depth+1), t.register(i, op.p1, depth+1)), true
	}
	return Source{}, false
}

func (t *Tracer) constant(text string) Source {
	if t.Constant != nil {
		text = t.Constant(text)
	}
	return Source{Text: text, Count: 1}
}

// argumentCount reads the number of arguments from a function as the bytecode names it: like(2).
func argumentCount(text string) int {
	_, count, _ := strings.Cut(strings.TrimSuffix(text, ")"), "(")
	n, err := strconv.Atoi(count)
	if err != nil {
		return 0
	}
	return min(max(n, 0), 8)
}

// expression is the source of a value that is computed from others.
func expression(parts ...Source) Source {
	made := Source{Text: "an expression", Count: 1}
	for _, part := range parts {
		if part.Count == 0 {
			made.Count = 0
		}
		made.Feeds = append(made.Feeds, part.Feeds...)
	}
	if len(made.Feeds) > 0 {
		made.Text += " over " + strings.Join(slices.Compact(slices.Sorted(slices.Values(made.Feeds))), ", ")
	}
	return made
}

// column reports the source of a column of a cursor: over a named table, or over a table that
// SQLite filled.
func (t *Tracer) column(cursor, column, depth int) Source {
	if depth > deepest {
		return unknownSource()
	}
	if name, ok := t.Names[cursor]; ok {
		text := name
		if columns := t.Columns[cursor]; column < len(columns) {
			text += "." + columns[column]
		}
		return Source{Text: text, Feeds: []string{name}}
	}
	all := t.Program.all
	var values []Source
	for i, op := range all {
		if op.code == "SorterData" && op.p3 == cursor { // what was sorted
			return t.column(op.p1, column, depth+1)
		}
		if op.p1 != cursor || op.code != "IdxInsert" && op.code != "Insert" && op.code != "SorterInsert" {
			continue
		}
		record := op.p2
		for j := i - 1; j >= 0; j-- {
			if made := all[j]; made.code == "MakeRecord" && made.p3 == record {
				values = append(values, t.register(j, made.p1+min(column, made.p2-1), depth+1))
				break
			}
		}
	}
	return inList(values)
}

// aSubquery describes a source that cannot be followed further.
const aSubquery = "a subquery"

// inList is the source of a value from a table that SQLite filled with values.
func inList(values []Source) Source {
	var texts []string
	list := Source{Count: len(values)}
	for _, value := range values {
		if !slices.Contains(texts, value.Text) && value.Text != aSubquery {
			texts = append(texts, value.Text)
		}
		list.Feeds = append(list.Feeds, value.Feeds...)
		if value.Count == 0 {
			list.Count = 0
		}
	}
	switch {
	case len(values) == 1 || len(texts) == 1 && list.Count > 0:
		return values[0]
	case list.Count > 0:
		list.Count, list.Text = len(texts), "IN ("+strings.Join(texts, ", ")+")"
		return list
	case len(texts) == 0:
		list.Text = aSubquery
	default:
		list.Text = aSubquery + " over " + strings.Join(texts, ", ")
	}
	if len(list.Feeds) == 0 {
		list.Feeds = []string{aSubquery}
	}
	return list
}

// quoted writes a text as an SQL literal.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
