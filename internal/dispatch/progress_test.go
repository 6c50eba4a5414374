package dispatch_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// TestAwaitPauses shows that polls begin close together, slow down to one every 10 seconds, and stop
// after the documented time, except for an operation.
func TestAwaitPauses(t *testing.T) {
	t.Parallel()
	c, workspace := scripted(t, `{"cluster_id": "c-1"}`, `{"state": "PENDING", "state_message": "Finding instances"}`)
	noted := waits(c)
	_, err := cluster().await(t.Context(), t, c)
	e := asError(t, err)
	want := "databricks_workspace.compute.clusters.create: cluster_id c-1 is still PENDING after 20m0s (Finding instances), but the work that it began goes on in the workspace"
	if e.Code != provider.Network || e.Message != want {
		t.Errorf("code %d: %s\nwant %s", e.Code, e.Message, want)
	}
	if e.Hint != "look at it with EXEC databricks_workspace.compute.clusters.get @cluster_id = 'c-1'" {
		t.Errorf("hint %s", e.Hint)
	}
	var sum time.Duration
	for i, pause := range *noted {
		sum += pause
		if first := 100 * time.Millisecond << i; i < 6 && (pause > first || pause < first*3/4) {
			t.Errorf("pause %d is %s, want about %s", i, pause, first)
		}
		if pause > 10*time.Second {
			t.Errorf("pause %d is %s", i, pause)
		}
	}
	// The requests themselves took some of the time, too.
	if sum > 20*time.Minute || sum < 19*time.Minute {
		t.Errorf("waited %s", sum)
	}
	if n := len(workspace.requests()); n < 120 || n > 170 {
		t.Errorf("polled %d times", n)
	}
}

// TestAwaitTellsOfProgress shows the messages: each state and message once, and that the work continues.
func TestAwaitTellsOfProgress(t *testing.T) {
	t.Parallel()
	type told struct{ what, state, message string }
	pending := `{"state": "PENDING", "state_message": "Finding instances"}`
	long := slices.Repeat([]string{pending}, 12) // that is 45 seconds of pauses, or more
	tests := map[string]struct {
		begin   begin
		answers []string
		want    []told
	}{
		"an operation": {create(), []string{ongoing, ongoing, `{"done": true, "response": {}}`}, []told{
			{"operation " + operation, dispatch.InProgress, ""}, {"operation " + operation, dispatch.Done, ""},
		}},
		"an operation that fails": {create(), []string{ongoing, ongoing, `{"done": true, "error": {"error_code": "C", "message": "m\n"}}`}, []told{
			{"operation " + operation, dispatch.InProgress, ""}, {"operation " + operation, dispatch.Failed, `m\n`},
		}},
		"a state": {cluster(), []string{`{"cluster_id": "c-1"}`, pending, pending, `{"state": "PENDING", "state_message": "Starting\u001b"}`, `{"state": "RUNNING"}`}, []told{
			{"cluster_id c-1", "PENDING", "Finding instances"}, {"cluster_id c-1", "PENDING", `Starting\x1b`}, {"cluster_id c-1", "RUNNING", ""},
		}},
		"a state that fails": {cluster(), []string{`{"cluster_id": "c-1"}`, `{"state": "ERROR"}`}, []told{{"cluster_id c-1", "ERROR", ""}}},
		"a long time": {cluster(), append(append([]string{`{"cluster_id": "c-1"}`}, long...), `{"state": "RUNNING"}`), []told{
			{"cluster_id c-1", "PENDING", "Finding instances"}, {"cluster_id c-1", "RUNNING", ""},
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := scripted(t, test.answers...)
			var got []told
			var last time.Duration
			c.OnProgress = func(p dispatch.Progress) {
				if gap := p.Elapsed - last; gap < 0 || gap > 11*time.Second { // the requests between take time themselves
					t.Errorf("told at %s, before that at %s", p.Elapsed, last)
				}
				last = p.Elapsed
				got = append(got, told{p.What, p.State, p.Message})
				if p.Method.FullName() != "databricks_workspace."+test.begin.method {
					t.Errorf("told of %s", p.Method.FullName())
				}
			}
			_, _ = test.begin.await(t.Context(), t, c)
			if repeated := len(got) - len(test.want); name == "a long time" && repeated < 4 {
				t.Errorf("told again only %d times that it is still going on", repeated)
			} else if name != "a long time" && repeated != 0 {
				t.Errorf("told %d times", len(got))
			}
			if got = slices.Compact(got); !slices.Equal(got, test.want) {
				t.Errorf("told %q\nwant %q", got, test.want)
			}
		})
	}
}

// TestAwaitStops stops the waiting in each of its phases: the error says that the work goes on.
func TestAwaitStops(t *testing.T) {
	t.Parallel()
	const hint = "look at it with EXEC databricks_workspace.postgres.postgres_operations.get @name = '" + operation + "'"
	errEnough := errors.New("enough")
	stops := map[string]struct {
		cause error
		code  provider.Code
		want  string
	}{
		"canceled": {errEnough, provider.Canceled, "canceled, but the work that it began goes on in the workspace"},
		"late":     {context.DeadlineExceeded, provider.Network, "the time for the statement is up, but the work that it began goes on in the workspace"},
	}
	for name, stop := range stops {
		for _, phase := range []string{"pausing", "polling"} {
			t.Run(name+" "+phase, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				c := serve(t, func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet {
						cancel(stop.cause)
						<-r.Context().Done()
						return
					}
					answer(w, ongoing)
				})
				c.Catalogue = realCatalogue(t)
				c.Retry.Wait = func(ctx context.Context, _ time.Duration) error {
					if phase == "pausing" {
						cancel(stop.cause)
					}
					return ctx.Err()
				}
				_, err := create().await(ctx, t, c)
				e := asError(t, err)
				if e.Code != stop.code || !strings.HasSuffix(e.Message, stop.want) || e.Hint != hint {
					t.Errorf("code %d: %s\nhint %s", e.Code, e.Message, e.Hint)
				}
				if !errors.Is(err, stop.cause) {
					t.Errorf("the cause is not in %v", err)
				}
			})
		}
	}
}

// TestAwaitBoundsTheLastPoll shows that a poll which is never answered does not outlast the document's
// time for long, however often a request may be repeated.
func TestAwaitBoundsTheLastPoll(t *testing.T) {
	t.Parallel()
	var polls atomic.Int64
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet:
			answer(w, `{"cluster_id": "c-1"}`)
		case polls.Add(1) == 1:
			answer(w, `{"state": "PENDING"}`)
		default:
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}
	})
	c.Catalogue = realCatalogue(t)
	c.Retry = dispatch.Retry{Budget: 1000 * time.Hour, Wait: func(ctx context.Context, _ time.Duration) error {
		c.RequestTimeout = time.Millisecond // from the second poll on
		return ctx.Err()
	}}
	b := cluster()
	b.change = func(m *provider.Method) { m.Wait.Timeout = 100 * time.Millisecond }
	_, err := b.await(t.Context(), t, c)
	e := asError(t, err)
	if e.Code != provider.Network || !strings.Contains(e.Message, "is still PENDING after 100ms, but the work that it began goes on") {
		t.Errorf("code %d: %s", e.Code, e.Message)
	}
}
