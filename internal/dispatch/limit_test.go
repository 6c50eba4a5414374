package dispatch_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lakeql/lakeql/internal/dispatch"
)

// crowd counts the requests that are at a server at once, and holds each back until so many are.
type crowd struct {
	mu     sync.Mutex
	here   map[string]int // by the Host header
	most   map[string]int
	gather int           // how many have to come together; 0: nobody waits
	gate   chan struct{} // closed when they have
}

func newCrowd(gather int) *crowd {
	return &crowd{here: map[string]int{}, most: map[string]int{}, gather: gather, gate: make(chan struct{})}
}

// enter takes a request in, and waits until enough are there or the client leaves.
func (c *crowd) enter(r *http.Request) {
	c.mu.Lock()
	c.here[r.Host]++
	c.most[r.Host] = max(c.most[r.Host], c.here[r.Host])
	all := 0
	for _, n := range c.here {
		all += n
	}
	gate := c.gate
	if all >= c.gather && c.gather > 0 {
		c.gather = 0
		close(c.gate)
	}
	c.mu.Unlock()
	select {
	case <-gate:
	case <-r.Context().Done():
	}
}

// leave lets a request go, before its answer is written: so a client never seems to have more under
// way than it has.
func (c *crowd) leave(r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.here[r.Host]--
}

// callAll makes calls concurrently, each to the workspace that deployment names, and waits for all.
func callAll(t *testing.T, c *dispatch.Client, count int, deployment func(int) string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	m := method(t, c, "get")
	var group sync.WaitGroup
	for i := range count {
		group.Go(func() {
			req, err := c.Plan(dispatch.Call{Method: m, Deployment: deployment(i), Args: map[string]any{"name": "n" + strconv.Itoa(i)}})
			if err != nil {
				t.Error(err)
				return
			}
			rows, err := c.Run(ctx, req)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := rows.Next(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// TestAsManyAtOnceAsAllowed shows that a host gets as many requests at once as the client may send,
// and never more, and that workspaces do not wait for each other.
func TestAsManyAtOnceAsAllowed(t *testing.T) {
	tests := map[string]struct {
		parallel   int
		workspaces int
		each       int // requests at once to each
	}{
		"by default":         {0, 1, 16},
		"one at a time":      {1, 1, 1},
		"three":              {3, 1, 3},
		"several workspaces": {0, 3, 16},
		"three in each":      {3, 4, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			together := newCrowd(test.each * test.workspaces)
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				together.enter(r)
				together.leave(r)
				answer(w, thing)
			})
			c.Parallel = test.parallel
			callAll(t, c, 100*test.workspaces, func(i int) string {
				if test.workspaces == 1 {
					return ""
				}
				return "dbc-" + strconv.Itoa(i%test.workspaces)
			})
			if len(together.most) != test.workspaces {
				t.Errorf("requests reached %d workspaces", len(together.most))
			}
			for host, most := range together.most {
				if most != test.each {
					t.Errorf("%s had %d requests at once, want %d", host, most, test.each)
				}
			}
		})
	}
}

// answering is a transport whose test supplies each answer.
type answering chan chan int // of the requests under way, each with where its status goes

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	status := make(chan int)
	a <- status
	return &http.Response{StatusCode: <-status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(thing)), Request: r}, nil
}

// TestTooManyRequests shows that a host which answers 429 gets half as many requests at once, one
// more each time as many were answered, and in the end as many as before. When everything has come to
// rest, exactly as many are under way as may be.
func TestTooManyRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const bound, total = 16, 300
		c := clientFor(t, "http://127.0.0.1:1")
		underWay := make(answering, total)
		c.HTTP.Transport = underWay
		again := make(chan struct{})
		c.Retry.Wait = func(context.Context, time.Duration) error {
			<-again
			return nil
		}
		var calls sync.WaitGroup
		calls.Go(func() { callAll(t, c, total, func(int) string { return "" }) })
		held := []chan int{}
		rest := func() int { // how many are under way when everything has come to rest
			synctest.Wait()
			for len(underWay) > 0 {
				held = append(held, <-underWay)
			}
			return len(held)
		}
		answer := func(status int) {
			held[0] <- status
			held = held[1:]
		}
		if n := rest(); n != bound {
			t.Fatalf("%d requests at once, want %d", n, bound)
		}
		answer(http.StatusTooManyRequests)
		turns, allowed, since := bound, bound/2, 0 // one of the turns is that of the request which waits to be sent again
		for answered := 1; answered <= 200; answered++ {
			rest()
			answer(http.StatusOK)
			if since++; since >= allowed && allowed < bound {
				allowed, since = allowed+1, 0
			}
			if turns--; turns < allowed {
				turns = allowed
			}
			if n := rest(); n != turns-1 {
				t.Fatalf("%d requests at once after %d answers, want %d", n, answered, turns-1)
			}
		}
		if allowed != bound {
			t.Errorf("only %d at once in the end", allowed)
		}
		close(again)
		for range total - 200 {
			rest()
			answer(http.StatusOK)
		}
		calls.Wait()
	})
}

// TestRateLimit shows that all calls are answered by a host that takes only some at a time.
func TestRateLimit(t *testing.T) {
	var mu sync.Mutex
	here := 0
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		here++
		crowded := here > 2
		mu.Unlock()
		if crowded {
			w.WriteHeader(http.StatusTooManyRequests)
		}
		mu.Lock()
		here--
		mu.Unlock()
		if !crowded {
			answer(w, thing)
		}
	})
	callAll(t, c, 200, func(int) string { return "" })
}

// TestWaitingEndsWithTheCall shows that a call which waits for its turn can be stopped, and that its
// turn is not lost.
func TestWaitingEndsWithTheCall(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		answer(w, thing)
	}))
	t.Cleanup(server.Close)
	c := clientFor(t, server.URL)
	c.Parallel = 1
	first := make(chan error)
	go func() {
		_, err := get().call(t.Context(), t, c)
		first <- err
	}()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error)
	for range 5 {
		go func() {
			_, err := get().call(ctx, t, c)
			waiting <- err
		}()
	}
	cancel()
	for range 5 {
		if err := <-waiting; asError(t, err).Message != fmt.Sprintf("%s: canceled: it was not sent", method(t, c, "get").FullName()) {
			t.Errorf("got %v", err)
		}
	}
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
	go func() { <-entered }()
	if _, err := get().call(t.Context(), t, c); err != nil {
		t.Error(err)
	}
}
