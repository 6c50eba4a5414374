package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/fetch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// write is an INSERT, UPDATE, REPLACE or DELETE over a resource of the API: one call for each row that
// its query gives. All rows are read and checked before the first call is made.
type write struct {
	session   *Session
	position  provider.Position
	what      string // INSERT INTO provider.service.resource
	done      string // inserted
	method    *provider.Method
	await     bool
	program   *vtab.Program                          // gives a row for each call
	bind      func(row []any) (*bind.Binding, error) // what a row means
	returning *statement.Query                       // nil: no rows come back
	alias     string                                 // of the resource in RETURNING
	gives     []statement.Ident                      // the columns that the statement gives, for EXPLAIN
	spent     *spending
}

// change is a row of a write: its call, and the values that tell whether another row has to wait.
type change struct {
	req    *dispatch.Request
	target string              // what the call changes; empty where it makes something new
	values map[string][]string // texts, by column or the path of an attribute inside it
	words  map[string][]string // the names in them, likewise
}

// plan makes the plan of a write.
func (w *write) plan() *plan {
	w.spent = &spending{used: map[int]fetch.Cost{}}
	run := func(ctx context.Context) (provider.Rows, error) {
		changes, err := w.changes(ctx)
		if err != nil {
			return nil, err
		}
		if w.session.DryRun {
			requests := make([]*dispatch.Request, len(changes))
			for i, c := range changes {
				requests[i] = c.req
			}
			return w.session.Client.Describe(requests...)
		}
		answers, done, err := w.send(ctx, changes)
		if err != nil {
			w.session.affected = int64(done)
			return nil, err
		}
		w.session.changedRows(int64(done), w.done)
		rows, err := w.returned(ctx, answers)
		if err != nil {
			return nil, err
		}
		return &vtab.Done{Rows: rows, Used: w.spent.used}, nil
	}
	return &plan{run: run, program: w.program, explain: w.explain, close: func() { _ = w.program.Close() }}
}

func rowCount(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// changes reads the rows and checks the call of each.
func (w *write) changes(ctx context.Context) ([]change, error) {
	if w.session.DryRun && w.program.Calls() {
		err := w.refuse("a dry run asks nothing, and the rows come from answers", "run the SELECT by itself")
		return nil, errors.Join(err, w.program.Close())
	}
	rows, err := w.program.Start(ctx)
	if err != nil {
		return nil, err
	}
	changes, err := w.readChanges(ctx, rows)
	if err := errors.Join(err, rows.Close()); err != nil {
		return nil, err
	}
	w.spent.used = rows.Costs()
	if missing := w.session.Missing(); len(missing) > 0 {
		// What is written from an answer with gaps cannot be told from what is written from all of it.
		return nil, &provider.Error{
			Code:     provider.Partial,
			Message:  w.what + ": nothing was sent, because the query that gives the rows is not complete: " + missing[0].String(),
			Position: w.position,
			Err:      missing[0].Err,
		}
	}
	return changes, nil
}

func (w *write) readChanges(ctx context.Context, rows *vtab.Rows) ([]change, error) {
	var changes []change
	for {
		row, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return changes, nil
		}
		if err != nil {
			return nil, err
		}
		c, err := w.change(row, len(changes))
		if err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
}

// change makes the call of a row, and checks it. The error says which row it is about, unless it is
// the first.
func (w *write) change(row []any, number int) (change, error) {
	b, err := w.bind(row)
	var req *dispatch.Request
	if err == nil {
		if req, err = w.session.Client.Plan(b.Call()); err != nil {
			err = b.Locate(err)
		}
	}
	if err == nil {
		return newChange(req, b), nil
	}
	if e, ok := errors.AsType[*provider.Error](err); ok && number > 0 {
		told := *e
		told.Message = fmt.Sprintf("row %d: %s", number+1, e.Message)
		err = &told
	}
	return change{}, provider.At(err, w.position)
}

// constant reports whether the rows come from the statement itself.
func (w *write) constant() bool { return w.program.IsConstant() }

// checkedAhead is how many rows of a statement are checked before any statement of its text runs. It
// bounds what a query that gives rows without end costs, which nothing could interrupt.
const checkedAhead = 10_000

// checkRows checks the rows of a write that come from the statement itself, so that a fault in them is
// told before any statement of the text runs.
func (w *write) checkRows() error {
	if !w.constant() {
		return nil // what they will be is not known yet
	}
	number := -1
	return w.program.Each(checkedAhead, func(row []any) error {
		number++
		_, err := w.change(row, number)
		return err
	})
}

// atOnce is how many calls of a write are under way at once, at most; the dispatcher has a limit of
// its own for each host.
const atOnce = 64

// send makes the calls, several at once where rows are independent, and gives the rows that each
// answered, and how many calls did what they were to do. After a failure no further one begins.
func (w *write) send(ctx context.Context, changes []change) (answers [][][]any, done int, err error) {
	s := &sending{write: w, changes: changes, answers: make([][][]any, len(changes)), finished: make([]chan struct{}, len(changes))}
	turns := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	var running []int // rows whose calls may be under way, in order
	for i := range changes {
		running = s.waitFor(i, running)
		turns <- struct{}{}
		if s.stopped(ctx) {
			break
		}
		s.began++
		s.finished[i] = make(chan struct{})
		running = append(running, i)
		group.Go(func() {
			defer func() { <-turns }()
			defer close(s.finished[i])
			s.one(ctx, i)
		})
	}
	group.Wait()
	return s.answers, s.done, s.err(ctx)
}

// sending is the state of the calls of a write.
type sending struct {
	write    *write
	changes  []change
	answers  [][][]any
	finished []chan struct{} // of the calls that began
	began    int

	mu     sync.Mutex
	done   int
	failed error
	row    int // that failed, the first in order
}

// waitFor waits until a row may go: until those are finished that it depends on. It gives the rows
// that are still under way.
func (s *sending) waitFor(i int, running []int) []int {
	left := running[:0]
	for _, j := range running {
		select {
		case <-s.finished[j]:
			continue
		default:
		}
		if s.changes[i].dependsOn(s.changes[j]) {
			<-s.finished[j]
			continue
		}
		left = append(left, j)
	}
	return left
}

// one makes a call.
func (s *sending) one(ctx context.Context, i int) {
	req := s.changes[i].req
	rows, err := s.write.call(ctx, req)
	if err != nil {
		told := s.write.rowError(i, len(s.changes), err)
		if errors.Is(s.write.session.ended(req, req, false, told), io.EOF) {
			return // the session goes on without it, and tells
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.answers[i] = rows
		s.done++
	case s.failed == nil || i < s.row:
		s.failed, s.row = err, i
	}
}

func (s *sending) stopped(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed != nil || ctx.Err() != nil
}

// err words how far the calls came; nil where none failed for good.
func (s *sending) err(ctx context.Context) error {
	err, lost := s.failed, s.began-s.done-1
	if err == nil && s.began < len(s.changes) {
		err = &provider.Error{Code: provider.Canceled, Message: "canceled", Err: context.Cause(ctx)}
		s.row, lost = s.began, lost+1
	}
	if err == nil {
		return nil
	}
	if len(s.changes) == 1 {
		return provider.At(err, s.write.position)
	}
	told := s.write.rowError(s.row, len(s.changes), err)
	told.Message += fmt.Sprintf("; %s %s before it stopped", rowCount(int64(s.done)), s.write.done)
	if lost > 0 {
		told.Message += fmt.Sprintf(", %d more failed or may have been", lost)
	}
	return provider.At(told, s.write.position)
}

// rowError says which row an error is about, where there are more than one.
func (w *write) rowError(i, all int, err error) *provider.Error {
	told := provider.Error{Code: provider.Internal, Message: err.Error(), Err: err}
	if e, ok := errors.AsType[*provider.Error](err); ok {
		told = *e
	}
	if all > 1 {
		told.Message = fmt.Sprintf("row %d of %d: %s", i+1, all, told.Message)
	}
	return &told
}

// call makes one call and reads its rows.
func (w *write) call(ctx context.Context, req *dispatch.Request) ([][]any, error) {
	rows, err := w.session.send(ctx, req, w.await)
	if err != nil {
		return nil, err
	}
	var all [][]any
	for {
		row, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			w.spent.add(rows)
			return all, rows.Close()
		}
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		all = append(all, row)
	}
}

// dependsOn reports whether a row has to wait for an earlier one: both change the same thing, or a
// text of the earlier one, which the two do not share, occurs in another column of this.
func (c change) dependsOn(earlier change) bool {
	if c.target != "" && c.target == earlier.target {
		return true
	}
	for path, values := range earlier.values {
		for _, value := range values {
			if slices.Contains(c.values[path], value) {
				continue
			}
			for other, words := range c.words {
				if other != path && slices.Contains(words, value) {
					return true
				}
			}
		}
	}
	return false
}

// newChange keeps the texts of a binding, and the names in them. Numbers and booleans name nothing
// that a row could make.
func newChange(req *dispatch.Request, b *bind.Binding) change {
	c := change{req, targetOf(req, b), map[string][]string{}, map[string][]string{}}
	for name, value := range b.All() {
		text, _ := value.(string)
		c.keep(strings.TrimPrefix(name, bind.AttributePrefix), bind.Unpack(value), text)
	}
	return c
}

// keep takes in a value: its text, or the texts inside it. A text is cut at what stands between names,
// such as slashes, dots and quotes.
func (c change) keep(path string, value any, text string) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			text, _ := inner.(string)
			c.keep(path+"."+name, inner, text)
		}
	case []any:
		for _, inner := range value {
			text, _ := inner.(string)
			c.keep(path+".*", inner, text)
		}
	default:
		if text == "" {
			return
		}
		c.values[path] = append(c.values[path], text)
		c.words[path] = append(append(c.words[path], text), strings.FieldsFunc(text, func(r rune) bool {
			return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
		})...)
	}
}

// targetOf tells what a call changes: what its path leads to, or what the body names where no part of
// the path does. What a POST of an INSERT leads to is where the new thing goes.
func targetOf(req *dispatch.Request, b *bind.Binding) string {
	call := b.Call()
	m := call.Method
	if m.SQLVerb == provider.Insert && m.Verb == http.MethodPost {
		return ""
	}
	var parts []string
	for _, p := range m.Params {
		if p.In == provider.InPath {
			parts = append(parts, fmt.Sprintf("%q", fmt.Sprint(call.Args[p.Name])))
		}
	}
	if len(parts) == 0 && m.Body != nil {
		body, _ := call.Body.(map[string]any)
		for _, name := range m.Body.RequiredAttributes {
			switch value := bind.Unpack(body[name]).(type) {
			case map[string]any, []any: // what it becomes
			default:
				parts = append(parts, fmt.Sprintf("%q", fmt.Sprint(value)))
			}
		}
	}
	return req.Workspace() + " " + strings.Join(parts, " ")
}

// writeSensitive reports whether a write gives a column that is a credential, or may hold one.
func (s *Session) writeSensitive(name statement.Name, columns []statement.Ident, whole *statement.Query) bool {
	if !isResource(name) {
		return secretSetting.MatchString(whole.Text)
	}
	r, err := s.resource(name)
	if err != nil {
		return secretSetting.MatchString(whole.Text)
	}
	return slices.ContainsFunc(r.Methods, func(m *provider.Method) bool {
		if m.SQLVerb == provider.Select || m.SQLVerb == provider.Exec {
			return false
		}
		signature, err := bind.NewSignature(s.Catalogue, m)
		if err != nil {
			return true
		}
		return slices.ContainsFunc(columns, func(c statement.Ident) bool {
			found, err := s.Client.HasSecret(m, map[string]any{signature.Top(c.Text): "a text that is no JSON"})
			return err != nil || found
		})
	})
}
