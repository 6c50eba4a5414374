package proxy

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/internal/postgres"
)

// upstream is a connection to an endpoint that is logged in.
type upstream struct {
	*pgconn.HijackedConn

	notices []*pgproto3.NoticeResponse // of the login
	dial    func(ctx context.Context) (net.Conn, error)
}

const (
	// logins is how many passwords are tried.
	logins = 3
	// firstWait is how long to wait before an endpoint that is starting is tried again, the first time.
	firstWait = 100 * time.Millisecond
)

// connect logs in to an endpoint, with a new token if the server refuses the one at hand.
func (s *Server) connect(ctx context.Context, route Route, database string, values map[string]string) (*upstream, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.ConnectTimeout)
	defer cancel()
	wait, refusals := firstWait, 0
	for {
		login, err := route.Endpoint.Login(ctx)
		if err != nil {
			return nil, err
		}
		up, err := s.logIn(ctx, login, database, values)
		if err == nil {
			return up, nil
		}
		refusal, refused := errors.AsType[*pgconn.PgError](err)
		switch {
		case refused && strings.HasPrefix(refusal.Code, "28") && refusals < logins-1:
			refusals++
			if !renewed(ctx, route.Endpoint, login) {
				return nil, err
			}
		case refused && refusal.Code == stateUnavailable: // it is starting
			select {
			case <-time.After(wait):
				wait *= 2
			case <-ctx.Done():
				return nil, err
			}
		default:
			return nil, err
		}
	}
}

// renewed reports whether there is another password than the one that was refused. One that is new may have been
// replaced at once, as an emulator does with each token of the same role: then there is another one a moment later.
func renewed(ctx context.Context, e Endpoint, refused lakebase.Login) bool {
	for _, wait := range []time.Duration{0, lakebase.Pause} {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return false
		}
		e.Refused(ctx, refused.Password)
		if next, err := e.Login(ctx); err == nil && next.Password != refused.Password {
			return true
		}
	}
	return false
}

// logIn opens a connection with a password.
func (s *Server) logIn(ctx context.Context, login lakebase.Login, database string, values map[string]string) (*upstream, error) {
	config := s.template.Copy()
	config.RuntimeParams = values
	up := &upstream{}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { up.notices = append(up.notices, noticeOf(n)) }
	conn, err := postgres.LogIn(ctx, config, login, database, s.options.Roots)
	if err != nil {
		return nil, err
	}
	if err := conn.SyncConn(ctx); err != nil {
		_ = conn.Close(ctx) // the first error counts
		return nil, postgres.LoginError(login, err)
	}
	if up.HijackedConn, err = conn.Hijack(); err != nil {
		_ = conn.Close(ctx) // the first error counts
		return nil, postgres.LoginError(login, err)
	}
	address := up.Conn.RemoteAddr()
	up.dial = func(ctx context.Context) (net.Conn, error) {
		return config.DialFunc(ctx, address.Network(), address.String())
	}
	up.Config = nil // it has the password
	return up, nil
}

func noticeOf(n *pgconn.Notice) *pgproto3.NoticeResponse {
	return &pgproto3.NoticeResponse{
		Severity: n.Severity, SeverityUnlocalized: n.SeverityUnlocalized, Code: n.Code, Message: n.Message, Detail: n.Detail, Hint: n.Hint,
	}
}

// cancel asks the server to cancel what the connection runs, over another connection.
func (u *upstream) cancel(ctx context.Context) error {
	conn, err := u.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the server has answered by closing it
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if u.TLSConfig != nil {
		if conn, err = encrypt(ctx, conn, u.TLSConfig); err != nil {
			return err
		}
	}
	text, err := (&pgproto3.CancelRequest{ProcessID: u.PID, SecretKey: u.SecretKey}).Encode(nil)
	if err != nil {
		return err
	}
	if _, err := conn.Write(text); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, conn) // the server closes the connection when it has carried out the request
	return nil
}

// encrypt asks a server for TLS, and begins it.
func encrypt(ctx context.Context, conn net.Conn, config *tls.Config) (net.Conn, error) {
	request := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 8), 80877103)
	if _, err := conn.Write(request); err != nil {
		return conn, err
	}
	var answer [1]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return conn, err
	}
	if answer[0] != 'S' {
		return conn, errors.New("the server refuses TLS")
	}
	secure := tls.Client(conn, config)
	return secure, secure.HandshakeContext(ctx)
}
