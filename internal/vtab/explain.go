package vtab

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/bytecode"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Step is a line of EXPLAIN: a place that makes calls, or an operation of SQLite.
type Step struct {
	Depth int
	// Text names the resource and its alias, or describes the operation of SQLite.
	Text       string
	Method     *provider.Method // nil if nothing is called
	Parameters []string         // with the source of each
	Columns    []string         // that are read
	Calls      string           // how many are expected
	// Key is the key under which the step's calls are counted, or OwnCalls.
	Key int
	// Target is set for the step that only puts the parameters of a write together.
	Target bool
}

// OwnCalls is the key of the calls that a write or an EXEC makes itself.
const OwnCalls = -1

// ShortName is a method's name with its resource's.
func ShortName(m *provider.Method) string {
	return m.Resource[strings.LastIndexByte(m.Resource, '.')+1:] + "." + m.Name
}

// ExpectedCalls describes how many calls a step makes: a number for each row of the tables that
// feed it.
func ExpectedCalls(calls int, feeds []string, m *provider.Method) string {
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

// Steps lists the steps of the program as SQLite will take them.
func (p *Program) Steps() ([]Step, error) {
	e, err := explain(p)
	if err != nil {
		return nil, err
	}
	depths, scans := map[int]int{0: -1}, map[int]int{}
	steps := make([]Step, 0, len(e.lines)+1)
	for i, line := range e.lines {
		s := e.step(i)
		s.Depth = depths[line.parent] + 1
		if strings.HasPrefix(line.detail, "SCAN ") || strings.HasPrefix(line.detail, "SEARCH ") {
			s.Depth += scans[line.parent] // loops are nested in those before
			scans[line.parent]++
		}
		depths[line.id] = s.Depth
		steps = append(steps, s)
	}
	flow, err := p.flow()
	if err == nil && (flow.Stops || flow.Limited) {
		steps = append(steps, Step{Text: "sqlite: limit, which ends the calls"})
	}
	return steps, err
}

// Results describes the sources of the program's columns from the column first on, by the names
// that a method takes them for; nil if several places return rows.
func (p *Program) Results(m *provider.Method, names []statement.Ident, first int) ([]string, error) {
	e, err := explain(p)
	if err != nil {
		return nil, err
	}
	var parts []string
	for i, name := range names {
		e.trace.Constant = p.constants(m, name.Text)
		all := e.trace.Results(first, len(names))
		if all == nil {
			return nil, nil
		}
		parts = append(parts, assigned(name.Text, all[i]))
	}
	return parts, nil
}

// constants returns a function that formats the constants of a parameter or attribute. It shows a
// constant that is no credential and holds none according to the documents, and masks others.
func (p *Program) constants(m *provider.Method, name string) func(string) string {
	schema, known := p.constantSchema(m, name)
	hidden := provider.Secret("").String()
	return func(text string) string {
		switch {
		case !known || dispatch.LooksSecret(text):
			return hidden
		case schema == nil:
			return text
		}
		var value any = text
		if strings.HasPrefix(text, "'") {
			value = strings.ReplaceAll(text[1:len(text)-1], "''", "'")
		}
		masked, found, err := p.env.Client.MaskWritten(m, schema, value)
		if err != nil {
			return hidden
		}
		if !found {
			return text
		}
		encoded, err := json.Marshal(masked)
		if _, whole := masked.(provider.Secret); whole || err != nil {
			return hidden
		}
		return "'" + strings.ReplaceAll(string(encoded), "'", "''") + "'"
	}
}

// constantSchema returns the schema of a method's name; nil for the name of a workspace or resource.
func (p *Program) constantSchema(m *provider.Method, name string) (schema *provider.Schema, known bool) {
	signature, err := bind.NewSignature(p.env.Catalogue, m)
	if err != nil {
		return nil, false
	}
	name = signature.Canonical(name)
	schema, err = signature.Schema(name)
	if err != nil {
		return nil, false
	}
	return schema, schema != nil || slices.Contains(signature.Names(), name)
}

// explanation is SQLite's plan for a program beside its bytecode.
type explanation struct {
	program *Program
	trace   *bytecode.Tracer
	lines   []planLine
	at      []*bytecode.Filter // the place of each line that reads from a virtual table of ours
}

// explain reads the plan and finds the place of each line in the bytecode.
func explain(p *Program) (*explanation, error) {
	code, err := p.Bytecode()
	if err != nil {
		return nil, err
	}
	lines, err := queryPlan(p)
	if err != nil {
		return nil, err
	}
	e := &explanation{
		program: p,
		trace:   &bytecode.Tracer{Program: code, Names: map[int]string{}, Columns: map[int][]string{}, Placeholder: p.stmt.BindName, Same: workspaceFunction},
		lines:   lines,
		at:      make([]*bytecode.Filter, len(lines)),
	}
	for _, table := range code.Tables() {
		if err := e.nameStored(table); err != nil {
			return nil, err
		}
	}
	places := map[bytecode.Choice][]bytecode.Filter{} // of each choice, in order
	for _, place := range code.Filters() {
		places[place.Choice] = append(places[place.Choice], place)
	}
	for i, line := range lines {
		found := places[line.choice]
		if line.alias == "" || len(found) == 0 {
			continue
		}
		places[line.choice] = found[1:]
		cursor := found[0].Cursor
		e.trace.Names[cursor] = line.alias
		if _, ok := e.program.externalStep(line); ok {
			e.trace.Columns[cursor] = e.program.externals[line.choice.Number].names()
		}
		if line.chosen == nil {
			continue // a table of SQLite's own, such as json_each, or an external one
		}
		e.at[i], e.trace.Columns[cursor] = &found[0], fieldNames(e.fields(line.chosen))
	}
	return e, nil
}

// fields returns the columns of the table that a choice is for.
func (e *explanation) fields(chosen *choice) []field {
	if chosen.table == ofTarget {
		return e.program.Target.fields
	}
	return e.program.tables.list[chosen.table].fields
}

func fieldNames(fields []field) []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.name
	}
	return all
}

// nameStored gives the tracer the name of the stored table that a cursor reads.
func (e *explanation) nameStored(table bytecode.Table) error {
	p := e.program
	schema := p.DB.DBName(table.Database)
	stmt, _, err := p.DB.Prepare("SELECT t.name, c.name FROM " + sqlite3.QuoteIdentifier(schema) + ".sqlite_schema t, pragma_table_info(t.name, ?) c WHERE t.type = 'table' AND t.rootpage = ? ORDER BY c.cid")
	if err != nil {
		return provider.Internalf("look up a table").Because(err)
	}
	defer func() { _ = stmt.Close() }() // it gives the error of the last step again
	if err := stmt.BindText(1, schema); err != nil {
		return err
	}
	if err := stmt.BindInt(2, table.Root); err != nil {
		return err
	}
	for stmt.Step() {
		e.trace.Names[table.Cursor] = stmt.ColumnText(0)
		e.trace.Columns[table.Cursor] = append(e.trace.Columns[table.Cursor], stmt.ColumnText(1))
	}
	return stmt.Err()
}

// step describes a line of the plan.
func (e *explanation) step(i int) Step {
	line, at := e.lines[i], e.at[i]
	text, external := e.program.externalStep(line)
	switch {
	case at != nil && line.chosen.table == ofTarget:
		s := Step{Method: e.program.Target.access.method, Target: true}
		e.addSources(&s, *at, line.chosen)
		return s
	case at != nil:
		return e.callStep(line, *at)
	case external:
		return Step{Text: text}
	case line.alias != "":
		return Step{Text: "sqlite: " + line.alias} // a function that returns rows
	}
	return Step{Text: "sqlite: " + strings.ToLower(line.detail)}
}

// callStep describes a place that makes calls.
func (e *explanation) callStep(line planLine, at bytecode.Filter) Step {
	t := e.program.tables.list[line.chosen.table]
	a := t.methods[line.chosen.method]
	s := Step{Text: ShortName(a.method), Method: a.method, Key: line.choice.Number}
	if line.alias != t.resource.Name {
		s.Text += " " + provider.Printable(line.alias)
	}
	e.addSources(&s, at, line.chosen)
	all := 0
	for i, f := range t.fields {
		if a.columns[i] < 0 {
			continue
		}
		all++
		if line.chosen.uses(i) {
			s.Columns = append(s.Columns, f.name)
		}
	}
	if len(s.Columns) == all && all > 1 {
		s.Columns = []string{"*"}
	}
	return s
}

// addSources describes where the arguments of a place come from, and how many calls that makes.
func (e *explanation) addSources(s *Step, at bytecode.Filter, chosen *choice) {
	calls, feeds := 1, []string(nil)
	fields := e.fields(chosen)
	for i, n := range chosen.fields {
		e.trace.Constant = e.program.constants(s.Method, fields[n].name)
		from := e.trace.Argument(at, i)
		s.Parameters = append(s.Parameters, assigned(fields[n].name, from))
		calls *= max(from.Count, 1)
		feeds = append(feeds, from.Feeds...)
	}
	s.Calls = ExpectedCalls(calls, feeds, s.Method)
}

// assigned describes that a parameter gets a value.
func assigned(name string, from bytecode.Source) string {
	if strings.HasPrefix(from.Text, "IN (") {
		return name + " " + from.Text
	}
	return name + " = " + from.Text
}

// planLine is a line of EXPLAIN QUERY PLAN.
type planLine struct {
	id, parent int
	detail     string
	alias      string // of a virtual table
	choice     bytecode.Choice
	chosen     *choice // nil for a table of SQLite's own, such as json_each
}

// queryPlan reads EXPLAIN QUERY PLAN.
func queryPlan(p *Program) ([]planLine, error) {
	stmt, _, err := p.DB.Prepare("EXPLAIN QUERY PLAN " + p.stmt.SQL())
	if err != nil {
		return nil, provider.Internalf("explain the query").Because(err)
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
				return nil, provider.Internalf("read SQLite's plan").Because(err)
			}
			if chosen, ok := p.env.choices.find(line.choice); ok {
				line.chosen = &chosen
			}
		}
		lines = append(lines, line)
	}
	return lines, stmt.Err()
}
