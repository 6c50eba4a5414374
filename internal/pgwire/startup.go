package pgwire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lakeql/lakeql/internal/pgwire/pglogin"
)

// start takes a connection from its first message to the point where the client may send statements. It
// reports whether it got there.
func (s *session) start(ctx context.Context) bool {
	_ = s.conn.SetDeadline(time.Now().Add(loginTimeout)) // a connection that takes no deadline ends by itself
	conn, message, err := pglogin.Start(ctx, s.conn, s.server.options.TLS)
	s.over(conn)
	switch message := message.(type) {
	case *pgproto3.CancelRequest:
		if err == nil {
			s.server.cancel(message)
		}
		return false
	case *pgproto3.StartupMessage:
		if err != nil {
			s.refuse(&fault{state: "28000", message: "this server takes encrypted connections only", hint: "connect with sslmode=require, or sslmode=verify-full and the server's certificate"})
			return false
		}
		return s.admitted(message)
	}
	return false // the client left, or speaks something else
}

// admitted takes a connection from the startup message on.
func (s *session) admitted(startup *pgproto3.StartupMessage) bool {
	if err := s.login(startup); err != nil {
		s.refuse(err)
		return false
	}
	s.backend.Send(&pgproto3.AuthenticationOk{})
	if err := s.server.admit(s); err != nil {
		s.refuse(err)
		return false
	}
	for _, name := range reported() {
		s.backend.Send(&pgproto3.ParameterStatus{Name: name, Value: s.settings[settingKey(name)]})
	}
	s.backend.Send(&pgproto3.BackendKeyData{ProcessID: s.id, SecretKey: s.key})
	for _, text := range s.warnings {
		s.notice(stateWarning, text)
	}
	s.ready()
	s.ongoing = true
	_ = s.conn.SetDeadline(time.Time{})
	if s.backend.Flush() != nil {
		s.server.forget(s)
		return false
	}
	return true
}

// refuse tells a client why it is not let in.
func (s *session) refuse(err error) {
	told := response(err, "")
	told.Severity, told.SeverityUnlocalized = "FATAL", "FATAL"
	s.backend.Send(told)
	_ = s.backend.Flush() // the client may be gone
}

// over reads and writes messages over a connection.
func (s *session) over(conn net.Conn) {
	s.conn = conn
	s.reader = bufio.NewReader(conn)
	s.backend = pgproto3.NewBackend(s.reader, conn)
	s.backend.SetMaxBodyLen(longestMessage)
}

// login checks who connects, and makes the session.
func (s *session) login(startup *pgproto3.StartupMessage) error {
	s.user = startup.Parameters["user"]
	s.database = startup.Parameters["database"]
	if s.database == "" {
		s.database = s.user
	}
	if s.server.isDraining() {
		return &fault{state: "57P03", message: "the server ends"}
	}
	if password := s.server.options.Password; password != nil {
		if err := s.authenticate(password); err != nil {
			return err
		}
	}
	return s.begin(startup.Parameters)
}

// authenticate asks for the password.
func (s *session) authenticate(password *pglogin.Password) error {
	err := password.Check(s.conn)
	if errors.Is(err, pglogin.ErrPassword) {
		return &fault{state: "28P01", message: fmt.Sprintf("password authentication failed for user %q", s.user)}
	}
	return err
}
