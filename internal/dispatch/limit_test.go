package dispatch_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
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

// callAll makes calls at once, each in a workspace of its own where names says so, and waits for all.
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

// TestTooManyRequests shows that a host which answers 429 gets half as many requests at once, one
// more each time as many were answered, and in the end as many as before.
func TestTooManyRequests(t *testing.T) {
	const (
		bound, half = 16, 8
		enough      = 150 // answers, for the bound to have grown to what it was: 8 + 9 + … + 15 are 92
	)
	var mu sync.Mutex
	here, answered, refused, back := 0, 0, "", false
	learned, again := make(chan struct{}), make(chan struct{})
	// arrive gives what the request has to wait for; nil: it is turned away.
	arrive := func(path string) <-chan struct{} {
		mu.Lock()
		defer mu.Unlock()
		here++
		switch allowed := min(half+answered/half, bound); {
		case refused == "" && here == bound:
			refused = path
			here--
			return nil
		case refused != "" && refused != path && here > allowed:
			t.Errorf("%d requests at once, %d answers after the 429", here, answered)
		}
		if answered < enough {
			return learned
		}
		if here == bound && !back {
			back = true
			close(again)
		}
		return again
	}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		gate := arrive(r.URL.Path)
		if gate == nil {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		select {
		case <-gate:
		case <-r.Context().Done():
		}
		mu.Lock()
		here--
		answered++
		mu.Unlock()
		answer(w, thing)
	})
	c.Retry.Wait = func(context.Context, time.Duration) error {
		close(learned) // before it waits
		return nil
	}
	callAll(t, c, 300, func(int) string { return "" })
	if !back {
		t.Errorf("never %d at once again", bound)
	}
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
		if err := <-waiting; asError(t, err).Message != fmt.Sprintf("%s: canceled", method(t, c, "get").FullName()) {
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
