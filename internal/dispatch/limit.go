package dispatch

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// defaultParallel is how many requests are under way to one host at once, unless the client says
// otherwise.
const defaultParallel = 16

// Limits bound the concurrent requests to each host. The zero value is ready. If clients share Limits,
// the first client to call a host sets the bound.
type Limits struct {
	hosts sync.Map // a *limit for each
}

// limit bounds the concurrent requests to one host. The bound follows the answers: it is halved when the
// host refuses a request (429), and grows by one after as many successes in a row as it allows (additive
// increase, multiplicative decrease).
type limit struct {
	most int

	mu       sync.Mutex
	allowed  int
	underWay int
	answered int // in a row since allowed last changed
	halved   time.Time
	waiting  []chan struct{} // in order of arrival
}

// limitFor returns the limit of the request's host. The Host header distinguishes workspaces with the
// same address.
func (c *Client) limitFor(req *Request) *limit {
	host := req.http.URL.Host + " " + req.http.Host
	if req.connects() { // it waits for requests to that host, and must not take their turns
		host += " connections"
	}
	limits := c.Limits
	if limits == nil {
		limits = &c.ownLimits
	}
	if l, ok := limits.hosts.Load(host); ok {
		return l.(*limit) //nolint:forcetypeassert // nothing else is stored
	}
	most := c.Parallel
	if most <= 0 {
		most = defaultParallel
	}
	l, _ := limits.hosts.LoadOrStore(host, &limit{most: most, allowed: most})
	return l.(*limit) //nolint:forcetypeassert // nothing else is stored
}

// enter waits for a turn.
func (l *limit) enter(ctx context.Context) error {
	l.mu.Lock()
	if l.underWay < l.allowed && len(l.waiting) == 0 {
		l.underWay++
		l.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	l.waiting = append(l.waiting, turn)
	l.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, other := range l.waiting {
		if other == turn {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			return ctx.Err()
		}
	}
	l.underWay-- // the turn came at the same moment, and goes to the next
	l.admit()
	return ctx.Err()
}

// again passes the turn to another request if more are running than the reduced bound allows, and waits
// for a new turn. An error means that it got none.
func (l *limit) again(ctx context.Context) error {
	l.mu.Lock()
	over := l.underWay > l.allowed
	if over {
		l.underWay--
	}
	l.mu.Unlock()
	if !over {
		return nil
	}
	return l.enter(ctx)
}

// leave ends a turn. Whoever sends a request again keeps the turn while waiting, so that a host that
// turns requests away gets no more of them.
func (l *limit) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.underWay--
	l.admit()
}

// learn takes in how an attempt that began at a time went.
func (l *limit) learn(began time.Time, err error) {
	e, isError := errors.AsType[*provider.Error](err)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case isError && e.Status == http.StatusTooManyRequests:
		l.answered = 0
		if began.After(l.halved) { // those sent before the bound was halved say nothing new
			l.allowed, l.halved = max(1, l.allowed/2), time.Now()
		}
	case err == nil:
		if l.answered++; l.answered >= l.allowed && l.allowed < l.most {
			l.allowed++
			l.answered = 0
			l.admit()
		}
	}
}

// admit starts waiting calls while the limit allows.
func (l *limit) admit() {
	for l.underWay < l.allowed && len(l.waiting) > 0 {
		close(l.waiting[0])
		l.waiting = l.waiting[1:]
		l.underWay++
	}
}
