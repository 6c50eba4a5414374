package proxy

import (
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lakeql/lakeql/internal/pgwire/pglogin"
	"github.com/lakeql/lakeql/provider"
)

// SQLSTATEs of errors that the proxy makes (PostgreSQL's manual, appendix A).
const (
	stateNoLogin     = "28000"
	statePassword    = "28P01"
	stateTooMany     = "53300"
	stateNoUpstream  = "08006"
	stateShutdown    = "57P01"
	stateUnavailable = "57P03"
	stateViolation   = "08P01"
)

// serve serves one connection to its end.
func (s *Server) serve(ctx context.Context, route Route, raw net.Conn) {
	isStarting := true
	started := func() {
		if isStarting {
			isStarting = false
			<-s.starting
		}
	}
	defer started()
	defer raw.Close()                                           //nolint:errcheck // the client is gone, or was told
	hurry := context.AfterFunc(ctx, func() { _ = raw.Close() }) // the time to drain is over
	defer hurry()
	begun := time.Now()
	_ = raw.SetDeadline(begun.Add(s.options.StartTimeout)) // a connection that takes no deadline ends by itself
	conn, message, err := pglogin.Start(ctx, raw, s.options.TLS)
	if cancel, ok := message.(*pgproto3.CancelRequest); ok {
		if err == nil {
			s.cancel(ctx, cancel)
		}
		return
	}
	startup, ok := message.(*pgproto3.StartupMessage)
	if !ok {
		s.refused(route, raw, err)
		return
	}
	se := &session{server: s, route: route, client: conn, begun: begun, startup: startup}
	if err == nil && s.options.Password != nil {
		err = s.options.Password.Check(conn)
	}
	if err != nil {
		fault := &pgconn.PgError{Code: stateViolation, Message: "the login cannot be read"}
		switch {
		case errors.Is(err, pglogin.ErrPlain):
			fault = &pgconn.PgError{Code: stateNoLogin, Message: "this proxy takes encrypted connections only", Hint: "connect with sslmode=require, or sslmode=verify-full and the proxy's certificate"}
		case errors.Is(err, pglogin.ErrPassword):
			fault = &pgconn.PgError{Code: statePassword, Message: "the password of this proxy is another one"}
		}
		se.tell(fault)
		s.refused(route, raw, err)
		return
	}
	started()
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		se.tell(&pgconn.PgError{Code: stateTooMany, Message: "there are too many connections to the proxy", Hint: "close one, or start the proxy with a greater --max-connections"})
		s.refused(route, raw, errTooMany)
		return
	}
	_ = conn.SetDeadline(time.Time{})
	hurry() // from here on, the server ends the session itself
	se.run(ctx)
}

var errTooMany = errors.New("there are too many connections")

// refused counts and logs a connection that got no session. A client that only looks whether somebody
// listens is not worth a line.
func (s *Server) refused(route Route, client net.Conn, err error) {
	if err == nil || errors.Is(err, io.EOF) {
		return
	}
	s.metrics.of(route.Name).refused.Add(1)
	s.options.Logger.Warn("connection refused", "endpoint", route.Name, "client", addressOf(client), "error", provider.Printable(err.Error()))
}

// addressOf names a client. Clients of a socket have no address.
func addressOf(conn net.Conn) string {
	if a := conn.RemoteAddr(); a != nil && a.String() != "" && a.String() != "@" {
		return a.String()
	}
	return "socket"
}

// parameters returns the run-time parameters of a client's first message, and the names of options of the
// protocol, which the proxy does not know.
func parameters(m *pgproto3.StartupMessage) (values map[string]string, options []string) {
	values = map[string]string{}
	for name, value := range m.Parameters {
		switch {
		case name == "user" || name == "database":
		case strings.HasPrefix(name, "_pq_."):
			options = append(options, name)
		default:
			values[name] = value
		}
	}
	return values, options
}

// cancel passes a client's request to cancel on to the endpoint.
func (s *Server) cancel(ctx context.Context, m *pgproto3.CancelRequest) {
	s.mu.Lock()
	session := s.sessions[m.ProcessID]
	s.mu.Unlock()
	if session == nil || subtle.ConstantTimeCompare(session.key, m.SecretKey) != 1 {
		return // the session has ended, or somebody guesses
	}
	ctx, stop := context.WithTimeout(ctx, s.options.ConnectTimeout)
	defer stop()
	if err := session.upstream.cancel(ctx); err != nil {
		s.options.Logger.Warn("cancel failed", "endpoint", session.route.Name, "error", provider.Printable(err.Error()))
	}
}
