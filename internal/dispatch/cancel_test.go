package dispatch_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// stalled returns a client for a server that accepts connections and never answers, and a channel that
// reports the first connection.
func stalled(t *testing.T) (*dispatch.Client, <-chan struct{}) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	reached, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		close(reached)
		_, _ = io.Copy(io.Discard, conn) // until the client leaves
		_ = conn.Close()
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return clientFor(t, "https://"+listener.Addr().String()), reached
}

// TestCancel stops a call in each of its phases.
func TestCancel(t *testing.T) {
	type setup func(t *testing.T, reached chan struct{}) (*dispatch.Client, <-chan struct{})
	serving := func(handler func(w http.ResponseWriter, reached chan struct{})) setup {
		return func(t *testing.T, reached chan struct{}) (*dispatch.Client, <-chan struct{}) {
			t.Helper()
			return serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				handler(w, reached)
				<-r.Context().Done()
			}), reached
		}
	}
	phases := map[string]setup{
		"connecting": func(t *testing.T, _ chan struct{}) (*dispatch.Client, <-chan struct{}) {
			t.Helper()
			return stalled(t)
		},
		"waiting for the answer": serving(func(_ http.ResponseWriter, reached chan struct{}) { close(reached) }),
		"reading the body": serving(func(w http.ResponseWriter, reached chan struct{}) {
			answer(w, `{"name": `)
			w.(http.Flusher).Flush()
			close(reached)
		}),
		"reading an error": serving(func(w http.ResponseWriter, reached chan struct{}) {
			w.WriteHeader(http.StatusBadRequest)
			answer(w, `{"message": `)
			w.(http.Flusher).Flush()
			close(reached)
		}),
		"between attempts": func(t *testing.T, reached chan struct{}) (*dispatch.Client, <-chan struct{}) {
			t.Helper()
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "200")
				w.WriteHeader(http.StatusServiceUnavailable)
			})
			c.Retry = dispatch.Retry{}
			c.OnRetry = func(error, time.Duration) { close(reached) }
			return c, reached
		},
		"authorizing": func(t *testing.T, reached chan struct{}) (*dispatch.Client, <-chan struct{}) {
			t.Helper()
			c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent without a credential") })
			c.Authorizer = authorizer{c.Authorizer, func(r *http.Request) error {
				close(reached)
				<-r.Context().Done()
				return context.Cause(r.Context())
			}}
			return c, reached
		},
	}
	const maybe = "it was sent, and the workspace may have carried it out"
	const read = "not all of the answer was read; a read changes nothing"
	states := map[string]map[string]string{ // what may have been done, by phase and method
		"connecting":             {"get": "it was not sent", "create": "it was not sent"},
		"waiting for the answer": {"get": read, "create": maybe},
		"reading the body":       {"get": read, "create": maybe},
		"reading an error":       {"get": read, "create": maybe},
		"between attempts":       {"get": "it waited for its next attempt, and the last one did nothing", "create": "it waited for its next attempt, and the last one did nothing"},
		"authorizing":            {"get": "it was not sent", "create": "it was not sent"},
	}
	for name, phase := range phases {
		for _, r := range []request{get(), post()} {
			t.Run(name+" "+r.method, func(t *testing.T) {
				t.Parallel()
				c, reached := phase(t, make(chan struct{}))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					<-reached
					cancel()
				}()
				began := time.Now()
				_, err := r.call(ctx, t, c)
				if e := asError(t, err); e.Code != provider.Canceled || !strings.HasSuffix(e.Message, ": canceled: "+states[name][r.method]) || (e.Hint != "") != strings.HasSuffix(e.Message, maybe) || !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, cause %v", err, errors.Unwrap(err))
				}
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("took %s to stop", took)
				}
			})
		}
	}
}

// TestDeadline shows that the errors distinguish a statement that ran out of time from a stopped one.
func TestDeadline(t *testing.T) {
	t.Parallel()
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // enough to send the request on a busy machine
	defer cancel()
	_, err := get().call(ctx, t, c)
	if e := asError(t, err); e.Code != provider.Network || e.Message != "the time for the statement is up: not all of the answer was read; a read changes nothing" {
		t.Errorf("got %v", err)
	}
}

// TestSilentAuthorizer shows that the wait for a credential is bounded as that for an answer is.
func TestSilentAuthorizer(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent without a credential") })
	c.RequestTimeout = 20 * time.Millisecond
	c.Authorizer = authorizer{c.Authorizer, func(r *http.Request) error {
		<-r.Context().Done()
		return context.Cause(r.Context())
	}}
	_, err := get().call(t.Context(), t, c)
	if e := asError(t, err); e.Code != provider.Network || !strings.Contains(e.Message, "no credential within 20ms") || e.Hint == "" {
		t.Errorf("got %v", err)
	}
}

// TestSlowAnswersArrive shows that the time-out is for each part of an answer, not for all.
func TestSlowAnswersArrive(t *testing.T) {
	const part = 100 * time.Millisecond
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		ticker := time.NewTicker(part)
		defer ticker.Stop()
		for text := range strings.SplitSeq(`{"name": |"n", |"size"|: 1|}`, "|") {
			<-ticker.C
			_, _ = io.WriteString(w, text)
			w.(http.Flusher).Flush()
		}
	})
	c.RequestTimeout = 4 * part
	rows, err := post().call(t.Context(), t, c)
	if err != nil || len(rows) != 1 {
		t.Errorf("rows %v: %v", rows, err)
	}
}

// TestLog shows the log of a call, and that it has neither arguments of the query nor tokens.
func TestLog(t *testing.T) {
	tries := 0
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if tries++; tries == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		answer(w, `{}`)
	})
	var log bytes.Buffer
	c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if _, err := (request{method: "list", args: map[string]any{"key": "s3cret", "X-Key": "s3cret"}}).call(t.Context(), t, c); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"event=send", "event=answer", "status=503", "event=retry", "status=200", "path=/api/things"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, &log)
		}
	}
	if strings.Contains(log.String(), "s3cret") || strings.Contains(log.String(), token) {
		t.Errorf("the log tells a secret:\n%s", &log)
	}
}
