package mcp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lakeql/lakeql/internal/loopback"
	"github.com/lakeql/lakeql/provider"
)

// Path is where clients find the server.
const Path = "/mcp"

// HTTPOptions say who may connect.
type HTTPOptions struct {
	// Token is what every request has to have, as Authorization: Bearer.
	Token provider.Secret
	// TLS is how connections are encrypted; nil: they are not.
	TLS *tls.Config
	// Drain is how long requests may go on when the server ends; 0: 10 seconds.
	Drain time.Duration
}

const (
	usualDrain = 10 * time.Second
	// idleSession ends a session without a request for that long.
	idleSession = time.Hour
	// lastWrite bounds how long the last answers may take to be written.
	lastWrite = time.Second
	// slowHeaders bounds how long a client may take to send the headers of a request.
	slowHeaders = 10 * time.Second
	// longestRequest bounds the body of a request, in bytes. A statement has at most longestText.
	longestRequest = 4 * longestText
	// stateless is the first version of the protocol without sessions.
	stateless = "2026-07-28"
)

// ServeHTTP serves clients until ctx ends.
func (s *Server) ServeHTTP(ctx context.Context, listener net.Listener, o HTTPOptions) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := &http.Server{
		Handler: s.handler(o), TLSConfig: o.TLS, ReadHeaderTimeout: slowHeaders,
		BaseContext: func(net.Listener) context.Context { return base },
	}
	ended := make(chan error, 1)
	go func() {
		if o.TLS != nil {
			ended <- server.ServeTLS(listener, "", "")
			return
		}
		ended <- server.Serve(listener)
	}()
	select {
	case err := <-ended:
		return provider.Errorf(provider.Network, "accept connections: %v", err).Because(err)
	case <-ctx.Done():
	}
	drain := o.Drain
	if drain == 0 {
		drain = usualDrain
	}
	most, stop := context.WithTimeout(base, drain)
	defer stop()
	s.drain(most)
	s.answered(most)
	cancel() // streams that wait for messages of ours would never end
	last, stopLast := context.WithTimeout(context.WithoutCancel(ctx), lastWrite)
	defer stopLast()
	_ = server.Shutdown(last) // what is answered is written
	_ = server.Close()
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return provider.Errorf(provider.Network, "accept connections: %v", err).Because(err)
	}
	return nil
}

// drain waits until no statement runs, and keeps others from starting.
func (s *Server) drain(ctx context.Context) {
	for range cap(s.running) {
		select {
		case s.running <- struct{}{}:
		case <-ctx.Done():
			return
		}
	}
}

// answered waits until no request is being answered: a statement ends before its answer is written.
func (s *Server) answered(ctx context.Context) {
	tick := time.NewTicker(10 * time.Millisecond) //nolint:mnd // as often as http.Server's Shutdown looks, at first
	defer tick.Stop()
	for s.posts.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// handler answers requests that may be answered. Versions of the protocol with sessions and without have a
// handler each: only in a session can the server ask a client of the former.
func (s *Server) handler(o HTTPOptions) http.Handler {
	get := func(*http.Request) *sdk.Server { return s.server }
	withSessions := sdk.NewStreamableHTTPHandler(get, &sdk.StreamableHTTPOptions{SessionTimeout: idleSession, MaxRequestBodyBytes: longestRequest})
	without := sdk.NewStreamableHTTPHandler(get, &sdk.StreamableHTTPOptions{Stateless: true, PropagateRequestCancellation: true, MaxRequestBodyBytes: longestRequest})
	want := sha256.Sum256([]byte(o.Token.Reveal()))
	mux := http.NewServeMux()
	mux.HandleFunc(Path, func(w http.ResponseWriter, r *http.Request) {
		if origin := r.Header.Get("Origin"); origin != "" && !isSameOrigin(origin, r) {
			http.Error(w, "a page of another origin may not call this server", http.StatusForbidden)
			return
		}
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		given := sha256.Sum256([]byte(strings.TrimSpace(token)))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="lakeql"`)
			http.Error(w, "the request needs the server's token: Authorization: Bearer …", http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodPost {
			s.posts.Add(1)
			defer s.posts.Add(-1)
		}
		if r.Header.Get("MCP-Protocol-Version") >= stateless {
			without.ServeHTTP(w, r)
			return
		}
		withSessions.ServeHTTP(w, r)
	})
	return loopback.Guard(mux)
}

// isSameOrigin reports whether a page comes from this server.
func isSameOrigin(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// CheckToken reports whether a token can be used: others must not guess it, and it has to fit a header.
func CheckToken(token provider.Secret) error {
	const shortest = 16
	text := token.Reveal()
	if len(text) < shortest || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("a token has at least 16 characters, of ASCII, without blanks")
	}
	return nil
}
