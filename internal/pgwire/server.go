// Package pgwire serves statements to clients of PostgreSQL: psql, drivers, and tools that draw tables of what
// they find in pg_catalog.
//
// A Server accepts connections (startup.go: TLS, login). Each has a session of its own (session.go), which takes
// messages one by one: the simple protocol (simple.go), the extended one (extended.go), cursors and COPY. Text is
// split into statements (text.go). What is about the connection is answered here (settings.go), what is about
// pg_catalog in package pgcatalog, and the rest by the engine.
package pgwire

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"iter"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lakeql/lakeql/internal/pgwire/pgcatalog"
	"github.com/lakeql/lakeql/internal/pgwire/pglogin"
	"github.com/lakeql/lakeql/provider"
)

// Runner is a session of statements, which runs one at a time.
type Runner interface {
	// Run runs the statements of a text with values for its placeholders, as the engine's sessions do.
	Run(ctx context.Context, text string, values []any) iter.Seq2[provider.Rows, error]
	// Describe returns the columns of a statement's rows; none if it has no rows. It makes no call.
	Describe(text string, values []any) ([]provider.Column, error)
	// Affected counts the rows that the last statement changed.
	Affected() int64
	// MayChange reports whether a text has a statement that may change something in a workspace or a store.
	MayChange(text string) bool
	// Tables lists the tables and views of the session's store, as pgcatalog.Client wants them.
	Tables(known string) (version string, tables []pgcatalog.Table, err error)
	// Used returns what USE chose to complete short names: provider, or provider.service.
	Used() string
	// UseFirst is USE of the first of the services that the provider has, or ends USE if it has none of them.
	UseFirst(provider string, services []string)
	// HasSetting reports whether SET of a name is the session's, and not the connection's.
	HasSetting(name string) bool
	// Shown returns a text of statements with masks in place of what may be a credential.
	Shown(text string) string
	Close()
}

// Options say who may connect, and to what.
type Options struct {
	// Session makes the session of a connection. It says its notes by the function, while a statement runs.
	Session func(note func(line string)) Runner
	// Catalogue is what pg_catalog describes.
	Catalogue *provider.Catalogue
	// Describe lists the columns of a resource.
	Describe pgcatalog.Describe
	// TLS is how connections are encrypted; nil: they are not. With it, others are refused.
	TLS *tls.Config
	// Password is what clients log in with, by SCRAM-SHA-256; nil: they need none.
	Password *pglogin.Password
	// ReadOnly refuses statements that change something.
	ReadOnly bool

	// Connections is how many clients there may be at once; 0: 100.
	Connections int
	// Running is how many statements run at once; others wait. 0: 16.
	Running int
	// IdleTimeout ends a connection without a message for that long; 0: never.
	IdleTimeout time.Duration
	// StatementTimeout ends a statement that takes longer; 0: never.
	StatementTimeout time.Duration
	// DrainTimeout is how long statements may go on when the server ends; 0: 10 seconds.
	DrainTimeout time.Duration
	// Audit, if set, is called once for each statement that ended.
	Audit func(Record)
}

// Record is what the audit says of a statement.
type Record struct {
	Time        time.Time
	Client      string // address
	Certificate string // the common name in the client's; empty if it has none
	User        string
	Database    string
	Text        string // with masks in place of literals that may be credentials
	Rows        int64
	Duration    time.Duration
	State       string // SQLSTATE; 00000 is success
}

// Server serves clients.
type Server struct {
	options Options
	tables  *pgcatalog.Catalogue
	places  chan struct{} // one for each connection
	running chan struct{} // one for each statement that runs

	// patience is how long a cancel waits for a statement to begin. A cancel may overtake its statement, as they come
	// over two connections. Clients wait until we close the one of the cancel, so what begins meanwhile is what they
	// mean.
	patience time.Duration

	mu       sync.Mutex
	sessions map[uint32]*session
	draining bool
	lastID   uint32
	wait     sync.WaitGroup
}

const (
	usualConnections = 100
	usualRunning     = 16
	usualDrain       = 10 * time.Second
	// loginTimeout is how long a client may take to log in.
	loginTimeout = 30 * time.Second
	// longestMessage bounds what one message of a client may hold, in bytes.
	longestMessage = 32 << 20
)

// New makes a server.
func New(o Options) *Server {
	return &Server{
		options:  o,
		tables:   pgcatalog.New(o.Catalogue, o.Describe),
		places:   make(chan struct{}, cmp.Or(o.Connections, usualConnections)),
		running:  make(chan struct{}, cmp.Or(o.Running, usualRunning)),
		patience: 250 * time.Millisecond,
		sessions: map[uint32]*session{},
	}
}

// Serve accepts connections until ctx ends. Then idle connections end at once, and statements that run have
// the time of Options.DrainTimeout.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() {
		_ = listener.Close() // Accept returns with it
		s.drain()
	})
	defer stop()
	hard, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	for {
		conn, err := listener.Accept()
		if err == nil {
			s.wait.Go(func() { s.serve(hard, conn) })
			continue
		}
		if ctx.Err() == nil {
			var passing net.Error
			if errors.As(err, &passing) && passing.Timeout() {
				continue
			}
			return provider.Errorf(provider.Network, "accept connections: %v", err)
		}
		done := make(chan struct{})
		go func() { s.wait.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(cmp.Or(s.options.DrainTimeout, usualDrain)):
			cancel(errShutdown)
			<-done
		}
		return nil
	}
}

var errShutdown = errors.New("the server ends")

// drain ends the sessions that wait for a message.
func (s *Server) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for _, session := range s.sessions {
		session.wake()
	}
}

// isDraining reports whether the server ends.
func (s *Server) isDraining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// serve serves one connection to its end.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close() //nolint:errcheck // the client is gone, or told
	session := &session{server: s, conn: conn}
	if !session.start(ctx) {
		return
	}
	defer s.forget(session)
	session.loop(ctx)
}

// admit gives a session its key, by which a client may cancel. It is an error if there are too many.
func (s *Server) admit(session *session) error {
	select {
	case s.places <- struct{}{}:
	default:
		return &fault{state: "53300", message: "there are too many connections", hint: "close one, or start the server with a greater --max-connections"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.lastID++; s.sessions[s.lastID] != nil || s.lastID == 0; s.lastID++ {
	}
	session.id = s.lastID
	session.begun = make(chan struct{}, 1)
	session.key = make([]byte, 4)
	_, _ = rand.Read(session.key) // it never fails
	s.sessions[session.id] = session
	return nil
}

func (s *Server) forget(session *session) {
	s.mu.Lock()
	delete(s.sessions, session.id)
	s.mu.Unlock()
	<-s.places
}

// cancel stops the statement of a session, if the key is right.
func (s *Server) cancel(request *pgproto3.CancelRequest) {
	s.mu.Lock()
	session := s.sessions[request.ProcessID]
	s.mu.Unlock()
	if session == nil || string(session.key) != string(request.SecretKey) {
		return
	}
	late := time.After(s.patience)
	for !session.cancelStatement(errCanceled) {
		select {
		case <-session.begun:
		case <-late:
			return
		}
	}
}

var errCanceled = errors.New("canceled by the client")

// begin waits for a place among the statements that run.
func (s *Server) begin(ctx context.Context) error {
	select {
	case s.running <- struct{}{}:
		return nil
	case <-ctx.Done():
		return provider.Stopped(ctx, "nothing was sent")
	}
}

func (s *Server) end() { <-s.running }
