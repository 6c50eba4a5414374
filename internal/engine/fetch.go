package engine

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// fetcher makes the calls of one statement, each distinct one once, on goroutines of its own, and
// keeps what was answered for whoever asks: the statement itself, and the passes that run ahead of
// it. Its zero value but for client is no use: see newFetcher.
type fetcher struct {
	client *dispatch.Client
	ctx    context.Context //nolint:containedctx // SQLite's callbacks carry none: it is the statement's
	cancel context.CancelCauseFunc
	group  sync.WaitGroup
	// ahead is how many pages are fetched before they are asked for.
	ahead int
	// keep is set where an answer may be asked for again. Otherwise a page is let go once it was read.
	keep bool
	// slots bound the calls that are under way before the statement itself asks for them.
	slots chan struct{}

	mu    sync.Mutex
	calls map[string]*call
	asked int // calls that the statement itself has come to
	store spill
}

const (
	// pagesAhead is how many pages of a list are fetched before they are read: one that arrives, and
	// one to go on with.
	pagesAhead = 2
	// earlyCalls is how many calls run ahead of the statement; each takes a goroutine, and what of
	// them may be under way at one host the dispatcher bounds.
	earlyCalls = 256
)

func newFetcher(ctx context.Context, client *dispatch.Client) *fetcher {
	f := &fetcher{client: client, calls: map[string]*call{}, slots: make(chan struct{}, earlyCalls)}
	f.ctx, f.cancel = context.WithCancelCause(ctx)
	return f
}

// errClosed is why calls end when the statement does.
var errClosed = errors.New("the statement is over")

// close ends every call, and every pass ahead, and waits for that.
func (f *fetcher) close() error {
	f.cancel(errClosed)
	f.group.Wait()
	return f.store.close()
}

// call is one request of the statement, and the pages that were answered until now.
type call struct {
	fetcher *fetcher
	step    int  // of the plan, which first came to it
	reached bool // the statement itself has come to it; guarded by the fetcher

	mu      sync.Mutex
	reader  *dispatch.Reader
	pages   []keptPage
	want    int // pages to fetch for now
	running bool
	usage   dispatch.Usage
	ended   error         // why there are no more pages: io.EOF, or what went wrong
	changed chan struct{} // closed when any of the above has changed
}

// call gives the call for a request that a step of the statement itself has come to, new or not.
func (f *fetcher) call(req *dispatch.Request, step int) (c *call, isNew bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, isNew = f.find(req, step, true)
	if !c.reached {
		c.reached = true
		f.asked++
	}
	return c, isNew
}

// early gives the call for a request that a pass ahead has come to; nil for a new one, unless it may
// be made.
func (f *fetcher) early(req *dispatch.Request, step int, mayMake bool) (c *call, isNew bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.find(req, step, mayMake)
}

func (f *fetcher) find(req *dispatch.Request, step int, mayMake bool) (c *call, isNew bool) {
	key := req.Key()
	if c, ok := f.calls[key]; ok || !mayMake {
		return c, false
	}
	c = &call{fetcher: f, step: step, reader: f.client.Open(req), changed: make(chan struct{})}
	f.calls[key] = c
	return c, true
}

// reach tells how many calls the statement itself has come to, and how many were made for it that
// it has not come to yet.
func (f *fetcher) reach() (asked, ahead int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked, len(f.calls) - f.asked
}

// costs tells what the calls of each step cost.
func (f *fetcher) costs() map[int]cost {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[int]cost{}
	for _, c := range f.calls {
		usage, _, _ := c.state()
		sum := all[c.step]
		sum.calls++
		sum.usage.Add(usage)
		all[c.step] = sum
	}
	return all
}

// begin has the first pages fetched before anybody reads them. It waits while too many calls run
// ahead already.
func (c *call) begin(ctx context.Context) error {
	select {
	case c.fetcher.slots <- struct{}{}:
	case <-ctx.Done():
		return stopped(ctx)
	}
	c.demand(1+c.fetcher.ahead, func() { <-c.fetcher.slots })
	return nil
}

// demand has pages fetched until there are so many, and calls done, if any, when that goroutine ends.
func (c *call) demand(pages int, done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.want = max(c.want, pages)
	if c.running || c.ended != nil || len(c.pages) >= c.want {
		if done != nil {
			done()
		}
		return
	}
	c.running = true
	c.fetcher.group.Go(func() {
		if done != nil {
			defer done()
		}
		for c.fetch() {
			continue
		}
	})
}

// fetch fetches the next page, and reports whether another one is wanted.
func (c *call) fetch() bool {
	page, err := c.reader.Next(c.fetcher.ctx)
	var kept keptPage
	if err == nil {
		kept, err = c.fetcher.store.keep(page)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended = err; err == nil {
		c.pages = append(c.pages, kept)
	}
	c.usage = c.reader.Usage()
	c.running = c.ended == nil && len(c.pages) < c.want
	close(c.changed)
	c.changed = make(chan struct{})
	return c.running
}

// page gives a page by its number, and io.EOF behind the last.
func (c *call) page(ctx context.Context, n int) (*dispatch.Page, error) {
	c.demand(n+1+c.fetcher.ahead, nil)
	for {
		c.mu.Lock()
		have, ended, changed := n < len(c.pages), c.ended, c.changed
		var kept keptPage
		if have {
			kept = c.pages[n]
			if !c.fetcher.keep {
				c.pages[n] = keptPage{} // nobody reads it again
			}
		}
		c.mu.Unlock()
		switch {
		case have:
			page, err := c.fetcher.store.page(kept)
			if !c.fetcher.keep {
				c.fetcher.store.forget(kept)
			}
			return page, err
		case ended != nil:
			return nil, ended
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, stopped(ctx)
		}
	}
}

// has reports whether a page is there, or known not to come.
func (c *call) has(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return n < len(c.pages) || c.ended != nil
}

// stopped is the error of a statement that ends before its time.
func stopped(ctx context.Context) error {
	e := &provider.Error{Code: provider.Canceled, Message: "canceled", Err: context.Cause(ctx)}
	if errors.Is(e.Err, context.DeadlineExceeded) {
		e.Code, e.Message = provider.Network, "the time for the statement is up"
	}
	return e
}

// reading is somebody's place in the answer of a call.
type reading struct {
	call   *call
	page   *dispatch.Page
	number int // of the page behind the one at hand
	at     int // of the next row in page
	wanted []bool
	// arrived is set for who reads only the pages that are there, and has none fetched.
	arrived bool
	// turned, if set, is told of each row.
	turned func()
	// ended is told why there are no more rows, and gives what the reader is told.
	ended func(error) error
}

// next gives the next row, and io.EOF behind the last.
func (r *reading) next(ctx context.Context) ([]any, error) {
	if r.turned != nil {
		r.turned()
	}
	for r.page == nil || r.at >= r.page.Len() {
		if r.arrived && !r.call.has(r.number) {
			return nil, io.EOF
		}
		page, err := r.call.page(ctx, r.number)
		if err != nil {
			return nil, r.ended(err)
		}
		r.page, r.at = page, 0
		r.number++
	}
	row, err := r.page.Row(r.at, r.wanted)
	if err != nil {
		return nil, r.ended(err)
	}
	r.at++
	return row, nil
}

// state tells what a call cost, and whether its answer was cut at the page limit.
func (c *call) state() (usage dispatch.Usage, cut bool, failed error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil && !errors.Is(c.ended, io.EOF) {
		failed = c.ended
	}
	return c.usage, !c.running && c.reader.Cut(), failed
}
