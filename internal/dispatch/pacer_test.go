package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// ledger is a pacer that records its calls, and admits a number of requests.
type ledger struct {
	lines []string
	left  int
}

var errSpent = errors.New("there are no more calls")

func (l *ledger) Wait(_ context.Context, workspace string) error {
	if l.left--; l.left < 0 {
		return errSpent
	}
	l.lines = append(l.lines, "wait "+workspace)
	return nil
}

func (l *ledger) Answered(workspace string, status int) {
	l.lines = append(l.lines, fmt.Sprint("answered ", workspace, " ", status))
}

// TestPacer shows that a pacer is asked before each attempt, told how it went, and can refuse it.
func TestPacer(t *testing.T) {
	var calls atomic.Int64
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		answer(w, thing)
	})
	paced := &ledger{left: 2}
	c.Pacer = paced
	c.Deployment = "dbc-7"
	if _, err := get().call(t.Context(), t, c); err != nil {
		t.Fatal(err)
	}
	want := []string{"wait dbc-7", "answered dbc-7 429", "wait dbc-7", "answered dbc-7 200"}
	if got := paced.lines; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("it was told %q, want %q", got, want)
	}
	if _, err := get().call(t.Context(), t, c); !errors.Is(err, errSpent) {
		t.Errorf("a refused request gives %v", err)
	}
	if n := calls.Load(); n != 2 {
		t.Errorf("%d requests were sent, want 2", n)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := get().call(stopped, t, c); provider.CodeOf(err) != provider.Canceled {
		t.Errorf("a call that was stopped gives %v", err)
	}
}

// TestDeploymentOfTheClient shows where calls go that name no workspace.
func TestDeploymentOfTheClient(t *testing.T) {
	var host string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		host, _, _ = net.SplitHostPort(r.Host)
		answer(w, thing)
	})
	c.Deployment = "dbc-1"
	m := method(t, c, "get")
	for given, want := range map[string]string{"": "dbc-1", "dbc-2": "dbc-2"} {
		req, err := c.Plan(dispatch.Call{Method: m, Deployment: given, Args: map[string]any{"name": "n"}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Run(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		if host != want+".localhost" || req.Workspace() != want {
			t.Errorf("a call for %q goes to %s, and is said to be for %s", given, host, req.Workspace())
		}
	}
}

// TestConfinedClients shows that a client may be kept to one workspace.
func TestConfinedClients(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, thing) })
	c.Deployment, c.Confined = "dbc-1", true
	m := method(t, c, "get")
	for given, refused := range map[string]bool{"": false, "dbc-1": false, "dbc-2": true} {
		_, err := c.Plan(dispatch.Call{Method: m, Deployment: given, Args: map[string]any{"name": "n"}})
		if (err != nil) != refused || refused && asError(t, err).Message != `deployment_name: "dbc-2" is asked, and this query is for the workspace dbc-1 alone` {
			t.Errorf("a call for %q: %v", given, err)
		}
	}
}

// TestRetryAfterIsTold shows that an error says how long the server asked to wait.
func TestRetryAfterIsTold(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "90")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	c.Retry.Budget = 10 * time.Second
	_, err := get().call(t.Context(), t, c)
	if e := asError(t, err); e.RetryAfter != 90*time.Second || e.Status != http.StatusTooManyRequests {
		t.Errorf("%+v", e)
	}
}
