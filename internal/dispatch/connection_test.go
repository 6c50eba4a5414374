package dispatch_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// breaking is a listener that closes its first connections before any byte passes.
type breaking struct {
	net.Listener
	left  atomic.Int64
	reset bool
}

func (l *breaking) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || l.left.Add(-1) < 0 {
			return conn, err
		}
		if l.reset {
			_ = conn.(*net.TCPConn).SetLinger(0)
		}
		_ = conn.Close()
	}
}

// TestLostBeforeAByteWasSent shows that every request goes out again when its connection ends
// during the TLS handshake: the server cannot have seen it.
func TestLostBeforeAByteWasSent(t *testing.T) {
	for name, reset := range map[string]bool{"reset": true, "closed": false} {
		for _, r := range []request{get(), post()} {
			t.Run(name+" "+r.method, func(t *testing.T) {
				var calls atomic.Int64
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					calls.Add(1)
					answer(w, thing)
				}))
				listener := &breaking{Listener: server.Listener, reset: reset}
				listener.left.Store(2)
				server.Listener = listener
				server.StartTLS()
				defer server.Close()
				c := clientFor(t, server.URL)
				trust(c, server)
				noted := waits(c)
				if _, err := r.call(t.Context(), t, c); err != nil {
					t.Fatal(err)
				}
				if calls.Load() != 1 || len(*noted) != 2 {
					t.Errorf("%d calls, waited %v", calls.Load(), *noted)
				}
			})
		}
	}
}

// trust lets a client accept the certificate of a server of the tests.
func trust(c *dispatch.Client, server *httptest.Server) {
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	c.HTTP.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
}

// TestLostAfterAByteWasSent shows that only a reading request is sent again after the server may have
// seen it.
func TestLostAfterAByteWasSent(t *testing.T) {
	cut := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"name": "n"`)
	}
	hang := func(linger int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, text)
			_ = conn.(*net.TCPConn).SetLinger(linger)
			_ = conn.Close()
		}
	}
	tests := map[string]struct {
		fail    http.HandlerFunc
		message string
	}{
		"reset before the answer":   {hang(0, ""), "connection reset"},
		"closed before the answer":  {hang(1, ""), "EOF"},
		"closed within the headers": {hang(1, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"), "EOF"},
		"answer cut short":          {cut, "the answer ends too early"},
		"chunks cut short":          {hang(1, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"nam\r\n"), "the answer ends too early"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, r := range []request{get(), post()} {
				var calls atomic.Int64
				c := serve(t, func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					if calls.Add(1) == 1 {
						test.fail(w, r)
						return
					}
					answer(w, thing)
				})
				rows, err := r.call(t.Context(), t, c)
				if r.method == "get" {
					if err != nil || len(rows) != 1 || calls.Load() != 2 {
						t.Errorf("get: %d calls, rows %v: %v", calls.Load(), rows, err)
					}
					continue
				}
				if e := asError(t, err); e.Code != provider.Network || !strings.Contains(e.Message, test.message) || calls.Load() != 1 {
					t.Errorf("post: %d calls: %v", calls.Load(), err)
				}
			}
		})
	}
}

// TestHopelessConnectionsAreFinal shows that permanent errors are not retried for minutes.
func TestHopelessConnectionsAreFinal(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, thing) })
	plain, encrypted := httptest.NewServer(handler), httptest.NewUnstartedServer(handler)
	encrypted.Config.ErrorLog = log.New(io.Discard, "", 0) // it says that the handshake failed
	encrypted.StartTLS()
	defer plain.Close()
	defer encrypted.Close()
	large := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Large", strings.Repeat("x", 4<<20))
		answer(w, thing)
	}))
	defer large.Close()
	tests := map[string]struct{ url, token, message string }{
		"a certificate of nobody":   {encrypted.URL, token, "certificate"},
		"https where http is":       {strings.Replace(plain.URL, "http:", "https:", 1), token, "HTTP response to HTTPS client"},
		"a token with a line break": {plain.URL, "dapi-s3cret\nHost: evil", "invalid header field value"},
		"megabytes of headers":      {large.URL, token, "response headers exceeded"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := clientFor(t, test.url)
			c.Authorizer = authorizer{c.Authorizer, func(r *http.Request) error {
				r.Header.Set("Authorization", "Bearer "+test.token)
				return nil
			}}
			noted := waits(c)
			_, err := post().call(t.Context(), t, c)
			if e := asError(t, err); e.Code != provider.Network || !strings.Contains(e.Message, test.message) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("got %v", err)
			}
			if len(*noted) != 0 {
				t.Errorf("tried again after %v", *noted)
			}
		})
	}
}

// authorizer directs as another does, and authorizes in its own way.
type authorizer struct {
	dispatch.Authorizer
	authorize func(*http.Request) error
}

func (a authorizer) Authorize(r *http.Request) error { return a.authorize(r) }

// TestClientWithoutHTTP shows that a client makes itself one HTTP client, which follows no
// redirects and keeps its connection.
func TestClientWithoutHTTP(t *testing.T) {
	addresses := map[string]bool{}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		addresses[r.RemoteAddr] = true
		if r.Method == http.MethodPost {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		}
		answer(w, thing)
	})
	c.HTTP = nil
	for range 3 {
		if _, err := get().call(t.Context(), t, c); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := post().call(t.Context(), t, c); asError(t, err).Status != 302 {
		t.Errorf("got %v", err)
	}
	if len(addresses) != 1 {
		t.Errorf("opened %d connections", len(addresses))
	}
}

// TestAuthorizerErrorsAreFinal shows that nothing is sent without a credential.
func TestAuthorizerErrorsAreFinal(t *testing.T) {
	var calls atomic.Int64
	c := serve(t, func(http.ResponseWriter, *http.Request) { calls.Add(1) })
	want := errors.New("none")
	c.Authorizer = authorizer{c.Authorizer, func(*http.Request) error { return want }}
	if _, err := get().call(t.Context(), t, c); !errors.Is(err, want) || calls.Load() != 0 {
		t.Errorf("%d calls: %v", calls.Load(), err)
	}
}

// TestSilentServers shows that a server that says nothing is given up, and asked again where that
// is safe.
func TestSilentServers(t *testing.T) {
	tests := map[string]struct {
		start string // of the answer
		r     request
		calls int64
	}{
		"no answer to a GET":        {"", get(), 2},
		"no answer to a POST":       {"", post(), 1},
		"half an answer to a GET":   {`{"name": `, get(), 2},
		"half an answer to a POST":  {`{"name": `, post(), 1},
		"half an error to a GET":    {"!", get(), 1}, // its status says enough
		"headers alone, to a POST":  {" ", post(), 1},
		"headers alone, to a GET":   {" ", get(), 2},
		"no answer to a DELETE":     {"", request{method: "delete", args: map[string]any{"name": "n"}}, 1},
		"no answer to a paged POST": {"", request{method: "search", body: `{}`}, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				if test.start == "!" {
					w.WriteHeader(http.StatusBadRequest)
				}
				if test.start != "" {
					_, _ = io.WriteString(w, test.start)
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done()
			})
			c.RequestTimeout = 50 * time.Millisecond
			c.Retry.Budget = 1200 * time.Millisecond // one wait or a few
			_, err := test.r.call(t.Context(), t, c)
			e := asError(t, err)
			if test.start == "!" {
				if e.Status != http.StatusBadRequest || calls.Load() != 1 {
					t.Errorf("%d calls: %v", calls.Load(), err)
				}
				return
			}
			if e.Code != provider.Network || !strings.Contains(e.Message, "no answer within 50ms") {
				t.Errorf("got %v", err)
			}
			if n := calls.Load(); (n > 1) != (test.calls > 1) {
				t.Errorf("%d calls, want about %d", n, test.calls)
			}
		})
	}
}
