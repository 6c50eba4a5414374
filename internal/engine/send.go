package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// atOnce is the maximal number of calls of a write that are under way. The dispatcher has a limit
// for each host.
const atOnce = 64

// send makes the calls, several at once if rows are independent. It returns the rows of each call
// and the number of calls that succeeded. After a failure it starts no further call.
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

// waitFor waits until the rows are finished that a row depends on. It returns the rows that are
// still under way.
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
	rows, err := s.call(ctx, req)
	if err != nil {
		told := rowError(i, len(s.changes), err)
		if errors.Is(s.write.session.ended(req, req, false, told), io.EOF) {
			return // the session goes on without it, and tells
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		if s.write.echoes {
			rows = [][]any{s.changes[i].echo}
		}
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

// err reports how far the calls came; nil if all succeeded, or the session goes on without those
// that failed.
func (s *sending) err(ctx context.Context) error {
	err, lost := s.failed, s.began-s.done-1
	if err == nil && s.began < len(s.changes) {
		err = provider.Stopped(ctx, "this call was not made")
		s.row, lost = s.began, lost+1
	}
	if err == nil {
		return nil
	}
	if len(s.changes) == 1 {
		return provider.At(err, s.write.position)
	}
	told := rowError(s.row, len(s.changes), err)
	told.Message += fmt.Sprintf("; %s %s before it stopped", rowCount(int64(s.done)), s.write.done)
	if lost > 0 {
		told.Message += fmt.Sprintf(", %d more failed or may have been", lost)
	}
	return provider.At(told, s.write.position)
}

// rowError adds the number of the row to an error, if there are more than one.
func rowError(i, all int, err error) *provider.Error {
	told := provider.Copy(err, provider.Internal)
	if all > 1 {
		told.Message = fmt.Sprintf("row %d of %d: %s", i+1, all, told.Message)
	}
	return told
}

// call makes one call and reads its rows.
func (s *sending) call(ctx context.Context, req *dispatch.Request) (answered [][]any, err error) {
	defer provider.Recover(&err)
	rows, err := s.write.session.send(ctx, req, s.write.await)
	if err != nil {
		return nil, err
	}
	var all [][]any
	for {
		row, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			s.write.spent.add(rows)
			return all, rows.Close()
		}
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		all = append(all, row)
	}
}
