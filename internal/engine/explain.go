package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/fetch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// explainColumns are the columns of EXPLAIN. The longest is last, so that the others fit a terminal.
func explainColumns() []provider.Column {
	return []provider.Column{
		{Name: "step", Type: "string", Description: "What happens: a method that is called, with the alias of its resource, or what SQLite does. A step runs for each row of the one that it is indented under."},
		{Name: "calls", Type: "string", Description: "How many calls are expected; + pages: and one for each further page."},
		{Name: "parameters", Type: "string", Description: "Where each parameter comes from."},
		{Name: "columns", Type: "string", Description: "The columns that are read."},
		{Name: "request", Type: "string", Description: "The request that is made."},
	}
}

// analyzeColumns are the columns of EXPLAIN ANALYZE. The costs of a step follow its name.
func analyzeColumns() []provider.Column {
	columns := explainColumns()
	var costs []provider.Column
	for _, name := range []string{"made", "pages", "rows", "retries", "bytes", "ms"} {
		costs = append(costs, provider.Column{Name: name, Type: "integer"})
	}
	return slices.Insert(columns, 1, costs...)
}

// planExplain explains a statement. With ANALYZE, the statement runs.
func (p *planner) planExplain(e *statement.Explain) (*plan, error) {
	checked, err := p.plan(e.Statement)
	if err != nil {
		return nil, err
	}
	if checked.explain == nil {
		checked.discard()
		return nil, provider.Usagef("EXPLAIN of a statement that makes no call").
			At(e.Position).
			Hintf("explain a SELECT, EXEC, INSERT, UPDATE or DELETE")
	}
	run := func(ctx context.Context) (provider.Rows, error) {
		if !e.Analyze || p.session.DryRun {
			defer checked.discard()
			steps, err := checked.explain()
			if err != nil {
				return nil, err
			}
			return explained(steps), nil
		}
		steps, err := checked.explain()
		if err != nil {
			checked.discard()
			return nil, err
		}
		rows, err := checked.run(ctx)
		if err != nil {
			return nil, err
		}
		used, err := analyze(ctx, rows)
		if err != nil {
			return nil, err
		}
		return analyzed(steps, used), nil
	}
	return &plan{run: run, close: checked.discard}, nil
}

// costs are rows that report the costs of their calls, by the key of a step.
type costs interface {
	Costs() map[int]fetch.Cost
}

// analyze reads all rows and returns their costs.
func analyze(ctx context.Context, rows provider.Rows) (map[int]fetch.Cost, error) {
	var err error
	for err == nil {
		_, err = rows.Next(ctx)
	}
	if !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, rows.Close())
	}
	if watched, ok := rows.(*watchedRows); ok {
		rows = watched.Rows
	}
	used := map[int]fetch.Cost{}
	switch rows := rows.(type) {
	case costs:
		used = rows.Costs()
	case interface{ Usage() dispatch.Usage }:
		used[vtab.OwnCalls] = fetch.Cost{Calls: 1, Usage: rows.Usage()}
	}
	return used, rows.Close()
}

// explained returns the steps as rows.
func explained(steps []vtab.Step) provider.Rows {
	rows := make([][]any, len(steps))
	for i, s := range steps {
		rows[i] = stepRow(s)
	}
	return provider.NewRows(explainColumns(), rows)
}

// analyzed returns the steps and their costs as rows.
func analyzed(steps []vtab.Step, used map[int]fetch.Cost) provider.Rows {
	rows := make([][]any, len(steps))
	for i, s := range steps {
		costs := make([]any, 6)
		if c, ok := used[s.Key]; ok && s.Method != nil {
			u := c.Usage
			costs = []any{int64(c.Calls), int64(u.Requests), int64(u.Rows), int64(u.Retries), u.Bytes, u.Time.Milliseconds()}
			delete(used, s.Key) // what two steps share is counted at the first
		}
		rows[i] = slices.Insert(stepRow(s), 1, costs...)
	}
	return provider.NewRows(analyzeColumns(), rows)
}

func stepRow(s vtab.Step) []any {
	row := []any{strings.Repeat("  ", s.Depth) + s.Text, s.Calls, strings.Join(s.Parameters, ", "), strings.Join(s.Columns, ", "), ""}
	if s.Method != nil {
		row[4] = cmp.Or(s.Method.Connects, s.Method.Verb+" "+s.Method.Path)
	}
	return row
}

// explain lists the call of a write above the steps that supply its rows. The parameters of its
// WHERE are shown with the call.
func (w *write) explain() ([]vtab.Step, error) {
	steps, err := w.program.Steps()
	if err != nil {
		return nil, err
	}
	first := 0
	if w.program.Target != nil {
		first = 1
	}
	given, err := w.program.Results(w.method, w.gives, first)
	if err != nil {
		return nil, err
	}
	own := vtab.Step{Text: vtab.ShortName(w.method), Method: w.method, Calls: "1 per row", Parameters: given, Key: vtab.OwnCalls}
	if w.constant() && w.program.Target == nil {
		n := 0
		err := w.program.Each(-1, func([]any) error { n++; return nil })
		if err != nil {
			return nil, err
		}
		own.Calls = strconv.Itoa(n)
	}
	all := []vtab.Step{own}
	for _, below := range steps {
		if below.Target {
			all[0].Parameters, all[0].Calls = slices.Concat(below.Parameters, given), below.Calls
			continue
		}
		below.Depth++
		all = append(all, below)
	}
	return all, nil
}

// explainExec describes the call of an EXEC.
func explainExec(client *dispatch.Client, b *bind.Binding) vtab.Step {
	call := b.Call()
	one := vtab.Step{Text: vtab.ShortName(call.Method), Method: call.Method, Calls: vtab.ExpectedCalls(1, nil, call.Method), Key: vtab.OwnCalls}
	for _, p := range call.Method.Params {
		if value, ok := call.Args[p.Name]; ok {
			one.Parameters = append(one.Parameters, p.Name+" = "+constant(client, call.Method, p.Schema, value))
		}
	}
	if call.Body != nil {
		one.Parameters = append(one.Parameters, "body = constant")
	}
	return one
}

// constant describes a value in the statement itself; it masks a credential.
func constant(client *dispatch.Client, m *provider.Method, schema *provider.Schema, value any) string {
	value, _, err := client.MaskWritten(m, schema, value)
	if err != nil || client.IsSecret(m, schema) {
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
