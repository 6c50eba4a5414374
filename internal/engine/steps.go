package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/bytecode"
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
		case at[i] != nil && line.isTarget():
			s = p.targetStep(trace, at[i], line)
		case at[i] != nil:
			s = p.asks(trace, at[i], line)
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
	flow, err := p.flow()
	if err == nil && (flow.Stops || flow.Limited) {
		steps = append(steps, step{text: "sqlite: limit, which ends the calls"})
	}
	return steps, err
}

// tracer finds out which cursor reads what, and gives for each line of the plan the place in the
// bytecode that makes its calls; nil: none does.
func (p *program) tracer() (trace *bytecode.Tracer, lines []planLine, at []*bytecode.Filter, err error) {
	code, err := p.operations()
	if err != nil {
		return nil, nil, nil, err
	}
	if lines, err = p.queryPlan(); err != nil {
		return nil, nil, nil, err
	}
	trace = &bytecode.Tracer{Program: code, Names: map[int]string{}, Columns: map[int][]string{}, Placeholder: p.stmt.BindName, Same: workspaceFunction}
	for _, table := range code.Tables() {
		if err := p.stored(trace, table); err != nil {
			return nil, nil, nil, err
		}
	}
	places := map[bytecode.Choice][]bytecode.Filter{} // of each plan, in order
	for _, place := range code.Filters() {
		places[place.Choice] = append(places[place.Choice], place)
	}
	at = make([]*bytecode.Filter, len(lines))
	for i, line := range lines {
		found := places[line.choice]
		if line.alias == "" || len(found) == 0 {
			continue
		}
		places[line.choice] = found[1:]
		trace.Names[found[0].Cursor] = line.alias
		switch {
		case line.isTarget():
			at[i], trace.Columns[found[0].Cursor] = &found[0], fieldNames(p.target.fields)
			continue
		case !line.isResource():
			continue
		}
		at[i] = &found[0]
		trace.Columns[found[0].Cursor] = fieldNames(p.list[line.chosen.table].fields)
	}
	return trace, lines, at, nil
}

func fieldNames(fields []field) []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.name
	}
	return all
}

// stored tells the tracer which table of a store a cursor reads.
func (p *program) stored(trace *bytecode.Tracer, table bytecode.Table) error {
	schema := p.db.DBName(table.Database)
	stmt, _, err := p.db.Prepare("SELECT t.name, c.name FROM " + sqlite3.QuoteIdentifier(schema) + ".sqlite_schema t, pragma_table_info(t.name, ?) c WHERE t.type = 'table' AND t.rootpage = ? ORDER BY c.cid")
	if err != nil {
		return &provider.Error{Code: provider.Internal, Message: "look up a table", Err: err}
	}
	defer func() { _ = stmt.Close() }() // it gives the error of the last step again
	if err := stmt.BindText(1, schema); err != nil {
		return err
	}
	if err := stmt.BindInt(2, table.Root); err != nil {
		return err
	}
	for stmt.Step() {
		trace.Names[table.Cursor] = stmt.ColumnText(0)
		trace.Columns[table.Cursor] = append(trace.Columns[table.Cursor], stmt.ColumnText(1))
	}
	return stmt.Err()
}

// asks describes an instruction that makes calls.
func (p *program) asks(trace *bytecode.Tracer, at *bytecode.Filter, line planLine) step {
	chosen := line.chosen
	t := p.list[chosen.table]
	a := t.methods[chosen.method]
	s := step{text: shortName(a.method), method: a.method, key: line.choice.Number}
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
		if chosen.uses(i) {
			s.columns = append(s.columns, f.name)
		}
	}
	if len(s.columns) == all && all > 1 {
		s.columns = []string{"*"}
	}
	return s
}

// shortName is a method's name with its resource's.
func shortName(m *provider.Method) string {
	return m.Resource[strings.LastIndexByte(m.Resource, '.')+1:] + "." + m.Name
}

// targetStep describes what an UPDATE or DELETE takes from its WHERE.
func (p *program) targetStep(trace *bytecode.Tracer, at *bytecode.Filter, line planLine) step {
	s := step{method: p.target.access.method, target: true}
	s.traced(trace, at, p.target.fields, line.chosen.fields)
	return s
}

// traced words where the arguments of an instruction come from, and how many calls that makes.
func (s *step) traced(trace *bytecode.Tracer, at *bytecode.Filter, fields []field, used []int) {
	calls, feeds := 1, []string(nil)
	for i, n := range used {
		from := trace.Argument(*at, i)
		s.parameters = append(s.parameters, assigned(fields[n].name, from))
		calls *= max(from.Count, 1)
		feeds = append(feeds, from.Feeds...)
	}
	s.calls = expected(calls, feeds, s.method)
}

// assigned words that a parameter has a value.
func assigned(name string, from bytecode.Source) string {
	if strings.HasPrefix(from.Text, "IN (") {
		return name + " " + from.Text
	}
	return name + " = " + from.Text
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
	alias      string // of a virtual table
	choice     bytecode.Choice
	chosen     *choice // of a table of ours
}

// isResource reports whether the line is about the virtual table of a resource, isTarget whether it is
// about that of an UPDATE or DELETE. SQLite has others, such as json_each.
func (l *planLine) isResource() bool { return l.chosen != nil && l.chosen.table != ofTarget }

func (l *planLine) isTarget() bool { return l.chosen != nil && l.chosen.table == ofTarget }

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
			line.choice.Text, _, _ = strings.Cut(key, " LEFT-JOIN")
			if line.choice.Number, err = strconv.Atoi(number); err != nil {
				return nil, &provider.Error{Code: provider.Internal, Message: "read SQLite's plan", Err: err}
			}
			if chosen, ok := p.env.choices.find(line.choice); ok {
				line.chosen = &chosen
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
	var parts []string
	for i, from := range trace.Results(first, len(names)) {
		parts = append(parts, assigned(names[i].Text, from))
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
	own := step{text: shortName(w.method), method: w.method, calls: "1 per row", parameters: given, key: ownCalls}
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

// explainExec describes the call of an EXEC.
func (s *Session) explainExec(b *bind.Binding) step {
	call := b.Call()
	one := step{text: shortName(call.Method), method: call.Method, calls: expected(1, nil, call.Method), key: ownCalls}
	for _, p := range call.Method.Params {
		if value, ok := call.Args[p.Name]; ok {
			one.parameters = append(one.parameters, p.Name+" = "+s.constant(call.Method, p.Schema, value))
		}
	}
	if call.Body != nil {
		one.parameters = append(one.parameters, "body = constant")
	}
	return one
}

// constant describes a value that the statement itself gives; a credential is masked.
func (s *Session) constant(m *provider.Method, schema *provider.Schema, value any) string {
	if resolved, err := s.Catalogue.Resolve(m, schema); err != nil || resolved.Secret() {
		return provider.Secret("").String()
	}
	switch value := value.(type) {
	case string:
		return "'" + strings.ReplaceAll(value, "'", "''") + "'"
	case json.Number, bool:
		return fmt.Sprint(value)
	}
	return "constant"
}
