package fetch

import (
	"context"
	"sync"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// Answer is one call of the statement, and the pages that have arrived.
type Answer struct {
	fetcher *Fetcher
	step    int  // that the call is counted for
	reached bool // the statement itself has made it; guarded by the fetcher

	mu      sync.Mutex
	reader  *dispatch.Reader
	pages   []keptPage
	want    int // pages to fetch for now
	running bool
	usage   dispatch.Usage
	ended   error         // why there are no more pages: io.EOF, or an error
	changed chan struct{} // closed when any of the above has changed
}

// Begin fetches the first pages before the statement reads them. It waits while too many calls run
// ahead already.
func (a *Answer) Begin(ctx context.Context) error {
	select {
	case a.fetcher.slots <- struct{}{}:
	case <-ctx.Done():
		return provider.Stopped(ctx, "the query stopped before its last row, and changed nothing")
	}
	a.demand(1+a.fetcher.pagesAhead(), func() { <-a.fetcher.slots })
	return nil
}

// demand fetches pages until there are so many, on a goroutine, and calls done, if set, when that
// ends.
func (a *Answer) demand(pages int, done func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.want = max(a.want, pages)
	if a.running || a.ended != nil || len(a.pages) >= a.want {
		if done != nil {
			done()
		}
		return
	}
	a.running = true
	a.fetcher.group.Go(func() {
		if done != nil {
			defer done()
		}
		for a.fetch() {
			continue
		}
	})
}

// fetch fetches the next page, and reports whether another one is wanted.
func (a *Answer) fetch() bool {
	kept, err := a.next()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended = err; err == nil {
		a.pages = append(a.pages, kept)
	}
	a.usage = a.reader.Usage()
	a.running = a.ended == nil && len(a.pages) < a.want
	close(a.changed)
	a.changed = make(chan struct{})
	return a.running
}

// next fetches the next page and keeps it.
func (a *Answer) next() (kept keptPage, err error) {
	defer provider.Recover(&err)
	page, err := a.reader.Next(a.fetcher.ctx)
	if err != nil {
		return keptPage{}, err
	}
	return a.fetcher.keep(page)
}

// page returns a page by its number, from 0, and io.EOF after the last.
func (a *Answer) page(ctx context.Context, n int) (*dispatch.Page, error) {
	a.demand(n+1+a.fetcher.pagesAhead(), nil)
	for {
		a.mu.Lock()
		have, ended, changed := n < len(a.pages), a.ended, a.changed
		var kept keptPage
		if have {
			kept = a.pages[n]
			if !a.fetcher.Keep {
				a.pages[n] = keptPage{} // it is not read again
			}
		}
		a.mu.Unlock()
		switch {
		case have:
			page, err := a.fetcher.load(kept)
			if !a.fetcher.Keep {
				kept.page.Release()
			}
			return page, err
		case ended != nil:
			return nil, ended
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, provider.Stopped(ctx, "the query stopped before its last row, and changed nothing")
		}
	}
}

// Has reports whether a page is there, or known not to come.
func (a *Answer) Has(n int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return n < len(a.pages) || a.ended != nil
}

// Cut reports whether the page limit ended the answer.
func (a *Answer) Cut() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.running && a.reader.Cut()
}

// used reports what the call has cost until now.
func (a *Answer) used() dispatch.Usage {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.usage
}
