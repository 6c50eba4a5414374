// Package fetch makes the calls of one statement. It makes each distinct request once, however many
// cursors, passes and repetitions ask for it, and keeps the pages for as long as they may be read
// again.
//
//   - [Fetcher] holds the calls of a statement. Closing it cancels the calls and waits for them.
//   - [Answer] is one call and the pages that have arrived.
//   - [Reading] is the position of one reader in an answer.
//
// All answers of a statement share one memory budget, which counts them from their arrival. Answers
// beyond the budget go to an encrypted temporary file (package spill).
package fetch

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/spill"
)

// Fetcher makes the calls of one statement, on goroutines that it starts, and keeps the answers for all
// readers: the statement, and the passes that run ahead of it. Make it with [New]; set Ahead, Keep and
// Memory before the first call.
type Fetcher struct {
	// Ahead makes it fetch pages before they are read. Leave it unset if the statement may stop
	// early.
	Ahead bool
	// Keep keeps pages that were read. Set it if an answer may be read more than once.
	Keep bool
	// Memory is how many bytes of answers are in memory at once. 0 means 256 MiB.
	Memory int
	// Process, if set, is a budget that the statement's is a part of.
	Process *spill.Budget

	client *dispatch.Client
	ctx    context.Context //nolint:containedctx // SQLite's callbacks carry none: it is the statement's
	cancel context.CancelCauseFunc
	group  sync.WaitGroup
	// slots bound the calls that are under way before the statement itself asks for them.
	slots chan struct{}

	mu    sync.Mutex
	calls map[string]*Answer
	asked int          // calls that the statement itself has made
	store *spill.Store // made with the first call
}

const (
	// aheadPages is the number of pages of a list that are fetched before they are read: one that is
	// arriving, and one that is ready.
	aheadPages = 2
	// earlyCalls is the number of calls that run ahead of the statement. Each takes a goroutine;
	// the dispatcher bounds how many are under way at one host.
	earlyCalls = 256
)

// New makes the fetcher of a statement. Its calls end when ctx ends.
func New(ctx context.Context, client *dispatch.Client) *Fetcher {
	f := &Fetcher{client: client, calls: map[string]*Answer{}, slots: make(chan struct{}, earlyCalls)}
	f.ctx, f.cancel = context.WithCancelCause(ctx)
	return f
}

// pagesAhead is the number of pages to fetch before they are read.
func (f *Fetcher) pagesAhead() int {
	if f.Ahead {
		return aheadPages
	}
	return 0
}

// errClosed is the cause for which calls end when the statement does.
var errClosed = errors.New("the statement is over")

// Close ends every call and every function of [Fetcher.Go], and waits for them.
func (f *Fetcher) Close() error {
	f.cancel(errClosed)
	f.group.Wait()
	if f.store == nil {
		return nil
	}
	return f.store.Close()
}

// Go runs a function on a goroutine that Close waits for. The function's context ends with the
// statement. A panic ends this function alone, because the statement does not need passes ahead.
func (f *Fetcher) Go(run func(context.Context)) {
	f.group.Go(func() {
		defer func() { _ = recover() }()
		run(f.ctx)
	})
}

// Call returns the answer to a request that the statement itself makes, new or not. step is the
// step of the statement that the call is counted for, if it is new.
func (f *Fetcher) Call(req *dispatch.Request, step int) (a *Answer, isNew bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a, isNew = f.find(req, step, true)
	if !a.reached {
		a.reached = true
		f.asked++
	}
	return a, isNew
}

// Early is [Fetcher.Call] for a pass that runs ahead of the statement. For a request that is new
// and must not be made it returns nil.
func (f *Fetcher) Early(req *dispatch.Request, step int, mayMake bool) (a *Answer, isNew bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.find(req, step, mayMake)
}

func (f *Fetcher) find(req *dispatch.Request, step int, mayMake bool) (a *Answer, isNew bool) {
	key := req.Key()
	if a, ok := f.calls[key]; ok || !mayMake {
		return a, false
	}
	if f.store == nil {
		f.store = spill.New(spill.NewBudget(cmp.Or(int64(f.Memory), spill.UsualMemory), f.Process))
	}
	a = &Answer{fetcher: f, step: step, reader: f.client.OpenIn(req, f.store), changed: make(chan struct{})}
	f.calls[key] = a
	return a, true
}

// Reach returns the number of calls that the statement has made (asked), and of calls that only passes
// ahead have made (ahead).
func (f *Fetcher) Reach() (asked, ahead int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked, len(f.calls) - f.asked
}

// Cost is the cost of a step's calls.
type Cost struct {
	Calls int
	Usage dispatch.Usage
}

// Costs returns the cost of each step's calls until now.
func (f *Fetcher) Costs() map[int]Cost {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[int]Cost{}
	for _, a := range f.calls {
		sum := all[a.step]
		sum.Calls++
		sum.Usage.Add(a.used())
		all[a.step] = sum
	}
	return all
}
