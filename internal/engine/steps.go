package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// explain lists the steps of a query as SQLite will go about it.
func (p *program) explain() ([]step, error) {
	trace, lines, at, err := p.tracer()
	if err != nil {
		return nil, err
	}
	depths, scans := map[int]int{0: -1}, map[int]int{}
	steps := make([]step, 0, len(lines)+1)
	for i, line := range lines {
		s := step{text: "sqlite: " + strings.ToLower(line.detail)}
		switch {
		case at[i] > 0 && line.isTarget():
			s = p.targetStep(trace, at[i], line)
		case at[i] > 0:
			if s, err = p.asks(trace, at[i], line); err != nil {
				return nil, err
			}
		case line.alias != "":
			s.text = "sqlite: " + line.alias // a function that gives rows
		}
		s.depth = depths[line.parent] + 1
		if strings.HasPrefix(line.detail, "SCAN ") || strings.HasPrefix(line.detail, "SEARCH ") {
			s.depth += scans[line.parent] // loops are nested in those before
			scans[line.parent]++
		}
		depths[line.id] = s.depth
		steps = append(steps, s)
	}
	shape, err := p.shape()
	if err == nil && (shape.stops || shape.limited) {
		steps = append(steps, step{text: "sqlite: limit, which ends the calls"})
	}
	return steps, err
}

// tracer finds out which cursor reads what, and gives for each line of the plan the instruction that
// makes its calls; 0: none does.
func (p *program) tracer() (trace *tracer, lines []planLine, at []int, err error) {
	all, err := p.operations()
	if err != nil {
		return nil, nil, nil, err
	}
	if lines, err = p.queryPlan(); err != nil {
		return nil, nil, nil, err
	}
	trace = &tracer{all: all, names: map[int]string{}, fields: map[int][]field{}, placeholder: p.stmt.BindName}
	filters := map[string][]int{} // the instructions of each plan, in order
	for i, op := range all {
		switch op.code {
		case "VFilter":
			filters[op.p4] = append(filters[op.p4], i)
		case "OpenRead":
			if err := p.stored(trace, op); err != nil {
				return nil, nil, nil, err
			}
		}
	}
	at = make([]int, len(lines))
	for i, line := range lines {
		found := filters[line.key]
		if line.alias == "" || len(found) == 0 {
			continue
		}
		filters[line.key] = found[1:]
		cursor := all[found[0]].p1
		trace.names[cursor] = line.alias
		switch {
		case line.isTarget():
			at[i], trace.fields[cursor] = found[0], p.target.fields
			continue
		case !line.isResource():
			continue
		}
		at[i] = found[0]
		chosen, err := readPlan(line.key)
		if err != nil {
			return nil, nil, nil, err
		}
		trace.fields[cursor] = p.list[chosen.table].fields
	}
	return trace, lines, at, nil
}

// stored tells the tracer which table of a store a cursor reads.
func (p *program) stored(trace *tracer, op operation) error {
	schema := p.db.DBName(op.p3)
	stmt, _, err := p.db.Prepare("SELECT t.name, c.name FROM " + sqlite3.QuoteIdentifier(schema) + ".sqlite_schema t, pragma_table_info(t.name, ?) c WHERE t.type = 'table' AND t.rootpage = ? ORDER BY c.cid")
	if err != nil {
		return &provider.Error{Code: provider.Internal, Message: "look up a table", Err: err}
	}
	defer func() { _ = stmt.Close() }() // it gives the error of the last step again
	if err := stmt.BindText(1, schema); err != nil {
		return err
	}
	if err := stmt.BindInt(2, op.p2); err != nil {
		return err
	}
	for stmt.Step() {
		trace.names[op.p1] = stmt.ColumnText(0)
		trace.fields[op.p1] = append(trace.fields[op.p1], field{name: stmt.ColumnText(1)})
	}
	return stmt.Err()
}

// asks describes an instruction that makes calls.
func (p *program) asks(trace *tracer, at int, line planLine) (step, error) {
	chosen, err := readPlan(line.key)
	if err != nil {
		return step{}, err
	}
	t := p.list[chosen.table]
	a := t.methods[line.method]
	s := step{text: shortName(a.method), method: a.method, key: strconv.Itoa(line.method) + ":" + line.key}
	if line.alias != t.resource.Name {
		s.text += " " + provider.Printable(line.alias)
	}
	s.traced(trace, at, t.fields, chosen.fields)
	all := 0
	for i, f := range t.fields {
		if a.columns[i] < 0 {
			continue
		}
		all++
		if chosen.used>>min(i, 63)&1 == 1 {
			s.columns = append(s.columns, f.name)
		}
	}
	if len(s.columns) == all && all > 1 {
		s.columns = []string{"*"}
	}
	return s, nil
}

// shortName is a method's name with its resource's.
func shortName(m *provider.Method) string {
	return m.Resource[strings.LastIndexByte(m.Resource, '.')+1:] + "." + m.Name
}

// targetStep describes what an UPDATE or DELETE takes from its WHERE.
func (p *program) targetStep(trace *tracer, at int, line planLine) step {
	s := step{method: p.target.access.method, target: true}
	var used []int
	for text := range strings.SplitSeq(line.key, ",") {
		if n, err := strconv.Atoi(text); err == nil {
			used = append(used, n)
		}
	}
	s.traced(trace, at, p.target.fields, used)
	return s
}

// traced words where the arguments of an instruction come from, and how many calls that makes.
func (s *step) traced(trace *tracer, at int, fields []field, used []int) {
	calls, feeds := 1, []string(nil)
	for i, n := range used {
		from := trace.register(at, trace.all[at].p3+2+i, 0)
		s.parameters = append(s.parameters, assigned(fields[n].name, from))
		calls *= max(from.count, 1)
		feeds = append(feeds, from.feeds...)
	}
	s.calls = expected(calls, feeds, s.method)
}

// assigned words that a parameter has a value.
func assigned(name string, from source) string {
	if strings.HasPrefix(from.text, "IN (") {
		return name + " " + from.text
	}
	return name + " = " + from.text
}

// expected words how many calls a step makes.
func expected(calls int, feeds []string, m *provider.Method) string {
	text := strconv.Itoa(calls)
	feeds = slices.Compact(slices.Sorted(slices.Values(feeds)))
	if len(feeds) > 0 {
		text += " per row of " + strings.Join(feeds, ", ")
	}
	if m.Paging != nil {
		text += " + pages"
	}
	return text
}

// planLine is a line of EXPLAIN QUERY PLAN.
type planLine struct {
	id, parent int
	detail     string
	alias, key string // of a virtual table
	method     int
}

// isResource reports whether the line is about the virtual table of a resource, isTarget whether it is
// about that of an UPDATE or DELETE. SQLite has others, such as json_each.
func (l *planLine) isResource() bool {
	_, err := readPlan(l.key)
	return l.alias != "" && err == nil
}

func (l *planLine) isTarget() bool { return l.alias != "" && l.method == targetPlan }

func (p *program) queryPlan() ([]planLine, error) {
	stmt, _, err := p.db.Prepare("EXPLAIN QUERY PLAN " + p.stmt.SQL())
	if err != nil {
		return nil, &provider.Error{Code: provider.Internal, Message: "explain the query", Err: err}
	}
	defer func() { _ = stmt.Close() }() // it gives the error of the last step again
	var lines []planLine
	for stmt.Step() {
		line := planLine{id: stmt.ColumnInt(0), parent: stmt.ColumnInt(1), detail: stmt.ColumnText(3)}
		if before, after, ok := strings.Cut(line.detail, " VIRTUAL TABLE INDEX "); ok {
			number, key, _ := strings.Cut(after, ":")
			_, line.alias, _ = strings.Cut(strings.TrimSuffix(before, " EXISTS"), " ")
			line.key, _, _ = strings.Cut(key, " LEFT-JOIN")
			if line.method, err = strconv.Atoi(number); err != nil {
				return nil, &provider.Error{Code: provider.Internal, Message: "read SQLite's plan", Err: err}
			}
		}
		lines = append(lines, line)
	}
	return lines, stmt.Err()
}

// results words where the columns of the program's rows come from, after their first ones; nil where
// several places give rows.
func (p *program) results(names []statement.Ident, first int) ([]string, error) {
	trace, _, _, err := p.tracer()
	if err != nil {
		return nil, err
	}
	found := -1
	for i, op := range trace.all {
		if op.code == "ResultRow" {
			if found >= 0 {
				return nil, nil
			}
			found = i
		}
	}
	if found < 0 {
		return nil, nil
	}
	var parts []string
	for i, name := range names {
		parts = append(parts, assigned(name.Text, trace.register(found, trace.all[found].p1+first+i, 0)))
	}
	return parts, nil
}

// explain lists the call of a write above the steps that give its rows. What its WHERE gives is its own.
func (w *write) explain() ([]step, error) {
	steps, err := w.program.explain()
	if err != nil {
		return nil, err
	}
	first := 0
	if w.program.target != nil {
		first = 1
	}
	given, err := w.program.results(w.gives, first)
	if err != nil {
		return nil, err
	}
	own := step{text: shortName(w.method), method: w.method, calls: "1 per row", parameters: given}
	if w.constant() && w.program.target == nil {
		n, err := w.program.count()
		if err != nil {
			return nil, err
		}
		own.calls = strconv.Itoa(n)
	}
	all := []step{own}
	for _, below := range steps {
		if below.target {
			all[0].parameters, all[0].calls = slices.Concat(below.parameters, given), below.calls
			continue
		}
		below.depth++
		all = append(all, below)
	}
	return all, nil
}

// count counts the rows of a program that asks nothing.
func (p *program) count() (int, error) {
	n := 0
	for p.stmt.Step() {
		n++
	}
	if err := p.stmt.Err(); err != nil {
		return 0, p.sqlError(err)
	}
	return n, p.stmt.Reset()
}

// explain describes the call of an EXEC.
func (b *binding) explain() step {
	s := step{text: shortName(b.method), method: b.method, calls: expected(1, nil, b.method)}
	for _, p := range b.method.Params {
		if value, ok := b.args[p.Name]; ok {
			s.parameters = append(s.parameters, p.Name+" = "+b.constant(p.Schema, value))
		}
	}
	if b.wholeValue != nil {
		s.parameters = append(s.parameters, "body = constant")
	}
	return s
}

// constant words a value of the statement itself; a credential is masked.
func (b *binding) constant(schema *provider.Schema, value any) string {
	if resolved, err := b.session.Catalogue.Resolve(b.method, schema); err != nil || resolved.Secret() {
		return provider.Secret("").String()
	}
	switch value := value.(type) {
	case string:
		return sqlText(value)
	case json.Number, bool:
		return fmt.Sprint(value)
	}
	return "constant"
}
