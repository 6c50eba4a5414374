// Package proxy serves endpoints of Lakebase to clients of PostgreSQL on this machine. A client needs no
// password and no TLS: the proxy logs in with a token, over TLS, and then passes bytes both ways.
//
// A connection begins in startup.go: the client's first messages, and the proxy's own password if it has
// one. upstream.go logs in to the endpoint. relay.go passes bytes, and follows the messages only so far
// as to know whether a session waits between two transactions: such a session can be ended without loss.
// metrics.go counts.
package proxy

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/internal/pgwire/pglogin"
	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/provider"
)

// Endpoint is what connections of a route lead to; *lakebase.Endpoint is one.
type Endpoint interface {
	// Login returns what opens a new connection.
	Login(ctx context.Context) (lakebase.Login, error)
	// Refused is called for a password that the server refused.
	Refused(ctx context.Context, password provider.Secret)
}

// Route leads from a listener to an endpoint.
type Route struct {
	Name     string // of the endpoint, for logs and metrics
	Endpoint Endpoint
	Listener net.Listener // the server closes it
}

// Options say who may connect, and for how long. The zero value is usable.
type Options struct {
	// TLS is how connections of clients are encrypted; nil: they are not. With it, others are refused.
	TLS *tls.Config
	// Password is what clients log in with, by SCRAM-SHA-256; nil: they need none.
	Password *pglogin.Password
	// Roots are the certificates that endpoints are verified by; nil: the system's. Endpoints on this
	// machine are connected to without TLS unless Roots is set.
	Roots *x509.CertPool
	// MaxConnections is how many connections there may be at once; 0: 100.
	MaxConnections int
	// Lifetime is how old a connection becomes: an older one ends as soon as it waits between two
	// transactions. 0: no limit.
	Lifetime time.Duration
	// IdleTimeout ends a connection that waits between two transactions for that long; 0: never.
	IdleTimeout time.Duration
	// StartTimeout is how long a client may take to log in; 0: 10 seconds.
	StartTimeout time.Duration
	// ConnectTimeout is how long the login to an endpoint may take, which may have to wake; 0: 30 seconds.
	ConnectTimeout time.Duration
	// DrainTimeout is how long transactions may go on when the server ends; 0: 10 seconds.
	DrainTimeout time.Duration
	// Logger gets an event for each connection that ended; nil: none.
	Logger *slog.Logger
}

const (
	usualConnections = 100
	usualStart       = 10 * time.Second
	usualConnect     = 30 * time.Second
	usualDrain       = 10 * time.Second
	// strangers is how many connections may be there that have not logged in, besides the others.
	strangers = 100
)

// Server passes connections to endpoints.
type Server struct {
	options  Options
	routes   []Route
	places   chan struct{} // one for each session
	starting chan struct{} // one for each connection that is no session yet
	metrics  *metrics
	template *pgconn.Config

	mu       sync.Mutex
	sessions map[uint32]*session
	draining bool
	wait     sync.WaitGroup
}

// New makes a server for routes.
func New(o Options, routes ...Route) (*Server, error) {
	config, err := postgres.Template()
	if err != nil {
		return nil, err
	}
	o.MaxConnections = cmp.Or(o.MaxConnections, usualConnections)
	o.StartTimeout = cmp.Or(o.StartTimeout, usualStart)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, usualConnect)
	o.DrainTimeout = cmp.Or(o.DrainTimeout, usualDrain)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{
		options:  o,
		routes:   routes,
		places:   make(chan struct{}, o.MaxConnections),
		starting: make(chan struct{}, o.MaxConnections+strangers),
		metrics:  newMetrics(routes),
		template: config,
		sessions: map[uint32]*session{},
	}, nil
}

// Serve accepts connections until ctx ends. Then sessions that wait between two transactions end at once,
// and others have the time of Options.DrainTimeout.
func (s *Server) Serve(ctx context.Context) error {
	hard, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	stop := context.AfterFunc(ctx, s.drain)
	defer stop()
	failed := make(chan error, len(s.routes))
	for _, route := range s.routes {
		s.wait.Go(func() { failed <- s.accept(ctx, hard, route) })
	}
	watched := make(chan struct{})
	watching, endWatch := context.WithCancel(hard)
	go func() { defer close(watched); s.watch(watching) }()
	defer func() { endWatch(); <-watched }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed: // one listener is broken
		s.drain()
	}
	done := make(chan struct{})
	go func() { s.wait.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(s.options.DrainTimeout):
		cancel(errDrained)
		s.endAll()
		<-done
	}
	return err
}

var errDrained = errors.New("the proxy ends")

func (s *Server) accept(ctx, hard context.Context, route Route) error {
	for {
		conn, err := route.Listener.Accept()
		if err != nil {
			if ctx.Err() != nil || s.isDraining() {
				return nil //nolint:nilerr // that is why
			}
			if !isExhausted(err) {
				return provider.Errorf(provider.Network, "accept connections for %s: %v", route.Name, err)
			}
			select { // until a connection ends
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		select {
		case s.starting <- struct{}{}:
			s.wait.Go(func() { s.serve(hard, route, conn) })
		default:
			_ = conn.Close() // there are too many that say nothing
		}
	}
}

// drain closes the listeners, and ends the sessions that wait between two transactions, now or later.
func (s *Server) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for _, route := range s.routes {
		_ = route.Listener.Close() // Accept returns with it
	}
	for _, session := range s.sessions {
		session.endWhenIdle("the proxy ends")
	}
}

func (s *Server) isDraining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

func (s *Server) endAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, session := range s.sessions {
		session.end("the proxy ends")
	}
}

// watch ends sessions that are too old, or idle for too long.
func (s *Server) watch(ctx context.Context) {
	every := time.Second
	for _, limit := range []time.Duration{s.options.Lifetime, s.options.IdleTimeout} {
		if limit > 0 {
			every = min(every, max(limit/4, 10*time.Millisecond))
		}
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			s.mu.Lock()
			for _, session := range s.sessions {
				if s.options.Lifetime > 0 && now.Sub(session.begun) > s.options.Lifetime {
					session.endWhenIdle("the connection has reached its lifetime")
				}
				if s.options.IdleTimeout > 0 {
					session.endIfIdleSince(now.Add(-s.options.IdleTimeout))
				}
			}
			s.mu.Unlock()
		}
	}
}

// isExhausted reports whether the process has no file descriptor left, which passes.
func isExhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// admit gives a session its id and key, by which its client may cancel. It reports whether the server goes on.
func (s *Server) admit(session *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	var random [8]byte
	for session.id == 0 || s.sessions[session.id] != nil {
		_, _ = rand.Read(random[:]) // it never fails
		session.id = binary.BigEndian.Uint32(random[:]) & 0x7fffffff
	}
	session.key = random[4:]
	s.sessions[session.id] = session
	return true
}

func (s *Server) forget(session *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, session.id)
}

// Ready reports why new connections would fail: the server ends, or there is no token for an endpoint. It
// does not connect to an endpoint, because that would wake one that sleeps.
func (s *Server) Ready(ctx context.Context) error {
	if s.isDraining() {
		return errDrained
	}
	for _, route := range s.routes {
		if _, err := route.Endpoint.Login(ctx); err != nil {
			return err
		}
	}
	return nil
}
