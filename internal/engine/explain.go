package engine

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/fetch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// step is a line of EXPLAIN: a place that makes calls, or something that SQLite does by itself.
type step struct {
	depth int
	// text names the resource and its alias, or says what SQLite does.
	text       string
	method     *provider.Method // nil where nothing is called
	parameters []string
	columns    []string
	calls      string
	key        int  // which calls are counted under: the number of a choice, or ownCalls
	target     bool // it only puts together the parameters of a write
}

// ownCalls is the key of the calls that a write or an EXEC makes itself.
const ownCalls = -1

// explainColumns are those of EXPLAIN. What it says of each step is short, and the longest comes last, for
// terminals of the usual width.
func explainColumns() []provider.Column {
	return []provider.Column{
		{Name: "step", Type: "string", Description: "What happens: a method that is called, with the alias of its resource, or what SQLite does. A step runs for each row of the one that it is indented under."},
		{Name: "calls", Type: "string", Description: "How many calls are expected; + pages: and one for each further page."},
		{Name: "parameters", Type: "string", Description: "Where each parameter comes from."},
		{Name: "columns", Type: "string", Description: "The columns that are read."},
		{Name: "request", Type: "string", Description: "The request that is made."},
	}
}

// analyzeColumns are those of EXPLAIN ANALYZE: what each step cost stands behind its name.
func analyzeColumns() []provider.Column {
	columns := explainColumns()
	var costs []provider.Column
	for _, name := range []string{"made", "pages", "rows", "retries", "bytes", "ms"} {
		costs = append(costs, provider.Column{Name: name, Type: "integer"})
	}
	return slices.Insert(columns, 1, costs...)
}

// planExplain explains a statement, and with ANALYZE runs it.
func (s *Session) planExplain(e *statement.Explain) (*plan, error) {
	p, err := s.plan(e.Statement)
	if err != nil {
		return nil, err
	}
	if p.explain == nil {
		p.discard()
		return nil, &provider.Error{
			Code:     provider.Usage,
			Message:  "EXPLAIN of a statement that makes no call",
			Hint:     "explain a SELECT, EXEC, INSERT, UPDATE or DELETE",
			Position: e.Position,
		}
	}
	run := func(ctx context.Context) (provider.Rows, error) {
		if !e.Analyze || s.DryRun {
			defer p.discard()
			steps, err := p.explain()
			if err != nil {
				return nil, err
			}
			return explained(steps), nil
		}
		steps, err := p.explain()
		if err != nil {
			p.discard()
			return nil, err
		}
		rows, err := p.run(ctx)
		if err != nil {
			return nil, err
		}
		used, err := analyze(ctx, rows)
		if err != nil {
			return nil, err
		}
		return analyzed(steps, used), nil
	}
	return &plan{run: run, close: p.discard}, nil
}

// costs are rows that tell what it cost to get them, by the key of a step.
type costs interface {
	costs() map[int]fetch.Cost
}

// spending is what the calls of a statement cost that make changes.
type spending struct {
	mu   sync.Mutex
	used map[int]fetch.Cost // by the key of a step
}

// add takes in what the calls cost that gave rows.
func (s *spending) add(rows provider.Rows) {
	counted, ok := rows.(interface{ Usage() dispatch.Usage })
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.used[ownCalls]
	own.Calls++
	own.Usage.Add(counted.Usage())
	s.used[ownCalls] = own
}

// analyze reads all rows, and gives what they cost.
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
		used = rows.costs()
	case interface{ Usage() dispatch.Usage }:
		used[ownCalls] = fetch.Cost{Calls: 1, Usage: rows.Usage()}
	}
	return used, rows.Close()
}

// explained gives the steps as rows.
func explained(steps []step) provider.Rows {
	rows := make([][]any, len(steps))
	for i, s := range steps {
		rows[i] = s.row()
	}
	return provider.NewRows(explainColumns(), rows)
}

// analyzed gives the steps as rows with what they cost.
func analyzed(steps []step, used map[int]fetch.Cost) provider.Rows {
	rows := make([][]any, len(steps))
	for i, s := range steps {
		costs := make([]any, 6)
		if c, ok := used[s.key]; ok && s.method != nil {
			u := c.Usage
			costs = []any{int64(c.Calls), int64(u.Requests), int64(u.Rows), int64(u.Retries), u.Bytes, u.Time.Milliseconds()}
			delete(used, s.key) // what two steps share is counted at the first
		}
		rows[i] = slices.Insert(s.row(), 1, costs...)
	}
	return provider.NewRows(analyzeColumns(), rows)
}

func (s *step) row() []any {
	row := []any{strings.Repeat("  ", s.depth) + s.text, s.calls, strings.Join(s.parameters, ", "), strings.Join(s.columns, ", "), ""}
	if s.method != nil {
		row[4] = s.method.Verb + " " + s.method.Path
	}
	return row
}
