package engine

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// source is where an argument of a call comes from, as the bytecode of a program tells.
type source struct {
	// text words it: 'a', p.name, IN ('a', 'b'), an expression over p.name.
	text string
	// count is how many values it has; 0: as many as there are rows of what feeds it.
	count int
	// feeds names the tables whose rows give the values.
	feeds []string
}

// tracer follows values through a program's registers and cursors, backwards.
type tracer struct {
	all    []operation
	names  map[int]string  // of the tables behind cursors
	fields map[int][]field // of those tables
	// placeholder gives the name of a placeholder by its number; empty where it has none.
	placeholder func(int) string
}

// deepest bounds how many instructions a value is followed through.
const deepest = 50

// register tells what an instruction finds in a register.
func (t *tracer) register(at, register, depth int) source {
	if depth > deepest {
		return unknownSource()
	}
	for i := at - 1; i >= 0; i-- {
		if found, ok := t.written(i, register, depth); ok {
			if from, to := t.coroutine(i); at >= to {
				return t.yielded(from, to, register, depth)
			}
			return found
		}
	}
	for i := at + 1; i < len(t.all); i++ { // constants are set behind the program's end
		if found, ok := t.written(i, register, depth); ok {
			return found
		}
	}
	return unknownSource()
}

func unknownSource() source { return source{text: "an expression", count: 1} }

// coroutine gives the bounds of the innermost coroutine that an instruction is part of; the whole program
// where it is part of none.
func (t *tracer) coroutine(i int) (from, to int) {
	from, to = 0, len(t.all)
	for j := i; j >= 0; j-- {
		if op := t.all[j]; op.code == "InitCoroutine" && op.p2 > i && op.p2 < to {
			return j, op.p2
		}
	}
	return from, to
}

// yielded tells what a coroutine leaves in a register: there is a place for each part of a UNION, or row
// of VALUES.
func (t *tracer) yielded(from, to, register, depth int) source {
	var values []source
	for i := from; i < to; i++ {
		if found, ok := t.written(i, register, depth); ok {
			values = append(values, found)
		}
	}
	return inList(values)
}

// written tells what an instruction writes to a register, if it writes to that one.
func (t *tracer) written(i, register, depth int) (source, bool) {
	op := t.all[i]
	switch op.code {
	case "String8":
		return source{text: sqlText(op.p4), count: 1}, op.p2 == register
	case "Integer":
		return source{text: strconv.Itoa(op.p1), count: 1}, op.p2 == register
	case "Int64", "Real":
		return source{text: op.p4, count: 1}, op.p2 == register
	case "Null":
		return source{text: "NULL", count: 1}, op.p2 == register
	case "Variable":
		return source{text: cmp.Or(t.placeholder(op.p1), "?"+strconv.Itoa(op.p1)), count: 1}, op.p2 == register
	case "Copy", "SCopy", "IntCopy", "Move":
		if register < op.p2 || register > op.p2+op.p3 {
			return source{}, false
		}
		return t.register(i, op.p1+register-op.p2, depth+1), true
	case "VColumn", "Column":
		if op.p3 != register {
			return source{}, false
		}
		return t.column(op.p1, op.p2, depth), true
	case "Concat":
		if op.p3 != register {
			return source{}, false
		}
		return expression(t.register(i, op.p2, depth+1), t.register(i, op.p1, depth+1)), true
	case "Function", "PureFunc":
		if op.p3 != register {
			return source{}, false
		}
		if strings.HasPrefix(op.p4, workspaceFunction) {
			return t.register(i, op.p2, depth+1), true // the deployment name itself
		}
		var args []source
		for n := range argumentCount(op.p4) {
			args = append(args, t.register(i, op.p2+n, depth+1))
		}
		return expression(args...), true
	case "Add", "Subtract", "Multiply", "Divide", "Remainder":
		if op.p3 != register {
			return source{}, false
		}
		return expression(t.register(i, op.p2, depth+1), t.register(i, op.p1, depth+1)), true
	}
	return source{}, false
}

// argumentCount reads the number of arguments from a function as the bytecode has it: like(2).
func argumentCount(text string) int {
	_, count, _ := strings.Cut(strings.TrimSuffix(text, ")"), "(")
	n, err := strconv.Atoi(count)
	if err != nil {
		return 0
	}
	return min(max(n, 0), 8)
}

// expression is made of others.
func expression(parts ...source) source {
	made := source{text: "an expression", count: 1}
	for _, part := range parts {
		if part.count == 0 {
			made.count = 0
		}
		made.feeds = append(made.feeds, part.feeds...)
	}
	if len(made.feeds) > 0 {
		made.text += " over " + strings.Join(slices.Compact(slices.Sorted(slices.Values(made.feeds))), ", ")
	}
	return made
}

// column tells what a column of a cursor holds: of a table of ours, or of one that SQLite filled.
func (t *tracer) column(cursor, column, depth int) source {
	if depth > deepest {
		return unknownSource()
	}
	if name, ok := t.names[cursor]; ok {
		text := name
		if fields := t.fields[cursor]; column < len(fields) {
			text += "." + fields[column].name
		}
		return source{text: text, feeds: []string{name}}
	}
	var values []source
	for i, op := range t.all {
		if op.code == "SorterData" && op.p3 == cursor { // what was sorted
			return t.column(op.p1, column, depth+1)
		}
		if op.p1 != cursor || op.code != "IdxInsert" && op.code != "Insert" && op.code != "SorterInsert" {
			continue
		}
		record := op.p2
		for j := i - 1; j >= 0; j-- {
			if made := t.all[j]; made.code == "MakeRecord" && made.p3 == record {
				values = append(values, t.register(j, made.p1+min(column, made.p2-1), depth+1))
				break
			}
		}
	}
	return inList(values)
}

// aSubquery is a source of which no more is known.
const aSubquery = "a subquery"

// inList is what a table holds that SQLite filled with values.
func inList(values []source) source {
	var texts []string
	list := source{count: len(values)}
	for _, value := range values {
		if !slices.Contains(texts, value.text) && value.text != aSubquery {
			texts = append(texts, value.text)
		}
		list.feeds = append(list.feeds, value.feeds...)
		if value.count == 0 {
			list.count = 0
		}
	}
	switch {
	case len(values) == 1 || len(texts) == 1 && list.count > 0:
		return values[0]
	case list.count > 0:
		list.count, list.text = len(texts), "IN ("+strings.Join(texts, ", ")+")"
		return list
	case len(texts) == 0:
		list.text = aSubquery
	default:
		list.text = aSubquery + " over " + strings.Join(texts, ", ")
	}
	if len(list.feeds) == 0 {
		list.feeds = []string{aSubquery}
	}
	return list
}

func sqlText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
