package dispatch_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// waits makes a client note how long it would have waited.
func waits(c *dispatch.Client) *[]time.Duration {
	var noted []time.Duration
	c.Retry.Wait = func(_ context.Context, d time.Duration) error {
		noted = append(noted, d)
		return nil
	}
	return &noted
}

// TestBusyServersAreAskedAgain shows how long is waited for a server that says it is busy, after
// a POST as well.
func TestBusyServersAreAskedAgain(t *testing.T) {
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	tests := map[string]struct {
		status   int
		after    string
		min, max time.Duration // of the first wait
	}{
		"503":                       {503, "", 100 * time.Millisecond, 1100 * time.Millisecond},
		"429":                       {429, "", 100 * time.Millisecond, 1100 * time.Millisecond},
		"429 with seconds":          {429, "7", 7 * time.Second, 7701 * time.Millisecond},
		"503 with a date":           {503, in(30 * time.Second), 20 * time.Second, 34 * time.Second},
		"a date that is over":       {503, in(-time.Hour), 100 * time.Millisecond, 1100 * time.Millisecond},
		"zero seconds":              {503, "0", 100 * time.Millisecond, 1100 * time.Millisecond},
		"negative seconds":          {503, "-5", 100 * time.Millisecond, 1100 * time.Millisecond},
		"no number":                 {503, "soon", 100 * time.Millisecond, 1100 * time.Millisecond},
		"a number too long for one": {503, "99999999999999999999", 100 * time.Millisecond, 1100 * time.Millisecond},
	}
	for name, test := range tests {
		for _, r := range []request{get(), post()} {
			t.Run(name+" "+r.method, func(t *testing.T) {
				var calls atomic.Int64
				var bodies []string
				c := serve(t, func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					bodies = append(bodies, r.Header.Get("Authorization")+string(body))
					if calls.Add(1) == 1 {
						if test.after != "" {
							w.Header().Set("Retry-After", test.after)
						}
						w.WriteHeader(test.status)
						return
					}
					answer(w, thing)
				})
				noted := waits(c)
				if _, err := r.call(t.Context(), t, c); err != nil {
					t.Fatal(err)
				}
				if len(*noted) != 1 || (*noted)[0] < test.min || (*noted)[0] > test.max {
					t.Errorf("waited %v, want once between %s and %s", *noted, test.min, test.max)
				}
				if len(bodies) != 2 || bodies[0] != bodies[1] || !strings.HasPrefix(bodies[0], "Bearer "+token) {
					t.Errorf("sent %q", bodies)
				}
			})
		}
	}
}

// TestBackoffGrows shows the waits of a server that stays busy: each bound doubles, up to a
// minute, and together they keep to the budget.
func TestBackoffGrows(t *testing.T) {
	var calls atomic.Int64
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	noted := waits(c)
	var told []time.Duration
	c.OnRetry = func(reason error, wait time.Duration) {
		if !strings.Contains(reason.Error(), "HTTP 503") {
			t.Errorf("reason %v", reason)
		}
		told = append(told, wait)
	}
	_, err := post().call(t.Context(), t, c)
	if e := asError(t, err); e.Status != 503 || !strings.HasSuffix(e.Message, ", tried "+strconv.FormatInt(calls.Load(), 10)+" times") {
		t.Errorf("after %d calls: %v", calls.Load(), err)
	}
	if int(calls.Load()) != len(*noted)+1 || len(told) != len(*noted) || len(*noted) < 6 {
		t.Fatalf("%d calls, %d waits, told of %d", calls.Load(), len(*noted), len(told))
	}
	var sum time.Duration
	bound := time.Second
	for i, wait := range *noted {
		if wait < bound/10 || wait >= bound+bound/10 || told[i] != wait {
			t.Errorf("wait %d is %s (told %s), bound %s", i, wait, told[i], bound)
		}
		sum += wait
		bound = min(2*bound, time.Minute)
	}
	if sum > 5*time.Minute {
		t.Errorf("waited %s in all", sum)
	}
}

// TestBudget shows when a busy server is not asked again.
func TestBudget(t *testing.T) {
	tests := map[string]struct {
		budget time.Duration
		after  string
		calls  int64
	}{
		"none":                     {-1, "1", 1},
		"the wait exceeds it":      {time.Minute, "61", 1},
		"the wait exceeds default": {0, "301", 1},
		"waits use it up":          {20 * time.Second, "8", 3},
		"a wait of centuries":      {0, "Fri, 31 Dec 9999 23:59:59 GMT", 1},
		"longer than a day":        {48 * time.Hour, "999999999", 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int64
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if calls.Add(1) > 10 {
					w.WriteHeader(http.StatusBadRequest) // or it would not end
					return
				}
				w.Header().Set("Retry-After", test.after)
				w.WriteHeader(http.StatusTooManyRequests)
			})
			c.Retry.Budget = test.budget
			_, err := post().call(t.Context(), t, c)
			if e := asError(t, err); e.Status != 429 || calls.Load() != test.calls {
				t.Errorf("%d calls, want %d: %v", calls.Load(), test.calls, err)
			}
		})
	}
}

func TestOtherStatusesAreFinal(t *testing.T) {
	for _, status := range []int{400, 401, 404, 408, 409, 500, 501, 502, 504} {
		var calls atomic.Int64
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(status)
		})
		if _, err := get().call(t.Context(), t, c); asError(t, err).Status != status || calls.Load() != 1 {
			t.Errorf("%d: %d calls: %v", status, calls.Load(), err)
		}
	}
}

// TestNobodyListens shows that a refused connection is tried three times, whatever the request.
func TestNobodyListens(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	for _, r := range []request{get(), post()} {
		c := clientFor(t, server.URL)
		noted := waits(c)
		_, err := r.call(t.Context(), t, c)
		e := asError(t, err)
		if e.Code != provider.Network || !strings.Contains(e.Message, "cannot connect: connection refused, tried 3 times") || e.Hint == "" {
			t.Errorf("%s: %v", r.method, err)
		}
		if len(*noted) != 2 || (*noted)[0] >= 275*time.Millisecond || (*noted)[1] >= 550*time.Millisecond {
			t.Errorf("%s: waited %v", r.method, *noted)
		}
	}
}

// TestUnknownHostsAreFinal shows that a host that no name server knows is asked for once, and one
// that could not be looked up again.
func TestUnknownHostsAreFinal(t *testing.T) {
	for _, test := range []struct {
		err   error
		tries int64
	}{
		{&net.DNSError{Err: "no such host", Name: "x.test", IsNotFound: true}, 1},
		{&net.DNSError{Err: "server misbehaving", Name: "x.test", IsTemporary: true}, 3},
	} {
		var tries atomic.Int64
		c := clientFor(t, "http://127.0.0.1:1")
		c.HTTP.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
			tries.Add(1)
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: test.err}
		}
		_, err := get().call(t.Context(), t, c)
		if e := asError(t, err); e.Code != provider.Network || tries.Load() != test.tries {
			t.Errorf("tried %d times, want %d: %v", tries.Load(), test.tries, err)
		}
	}
}

// TestTheDefaultTimerWaits uses the timer that the other tests take the place of.
func TestTheDefaultTimerWaits(t *testing.T) {
	var calls atomic.Int64
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		answer(w, thing)
	})
	c.Retry = dispatch.Retry{}
	began := time.Now()
	if _, err := get().call(t.Context(), t, c); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 100*time.Millisecond {
		t.Errorf("took %s", took)
	}
}
