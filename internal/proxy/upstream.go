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
	"github.com/lakeql/lakeql/provider"
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
		err = worded(login, err)
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

// worded words an error of a login, without the password, whoever may have repeated it. Errors of the server
// keep their SQLSTATE.
func worded(login lakebase.Login, err error) error {
	mask := provider.NewMask(login.Password.Reveal())
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		return &pgconn.PgError{Severity: refusal.Severity, Code: refusal.Code, Message: mask.Text(refusal.Message), Detail: mask.Text(refusal.Detail), Hint: mask.Text(refusal.Hint)}
	}
	cause := err
	if e, ok := errors.AsType[*pgconn.ConnectError](err); ok { // it repeats user and database
		cause = e.Unwrap()
	}
	text := mask.Text(strings.Join(strings.Fields(cause.Error()), " "))
	e := provider.Errorf(provider.Network, "connect to %s: %s", login.Address(), provider.Printable(text))
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e.Hintf("this machine does not trust the certificate for that host; no password was sent")
	}
	return e
}

// logIn opens a connection with a password.
func (s *Server) logIn(ctx context.Context, login lakebase.Login, database string, values map[string]string) (*upstream, error) {
	config := s.template.Copy()
	config.Host, config.Port, config.User, config.Database = login.Host, login.Port, login.User, login.Database
	config.Password, config.RuntimeParams = login.Password.Reveal(), values
	if database != "" {
		config.Database = database
	}
	config.TLSConfig = s.upstreamTLS(login)
	up := &upstream{}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { up.notices = append(up.notices, noticeOf(n)) }
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := conn.SyncConn(ctx); err != nil {
		_ = conn.Close(ctx) // the first error counts
		return nil, err
	}
	if up.HijackedConn, err = conn.Hijack(); err != nil {
		_ = conn.Close(ctx) // the first error counts
		return nil, err
	}
	address := up.Conn.RemoteAddr()
	up.dial = func(ctx context.Context) (net.Conn, error) {
		return config.DialFunc(ctx, address.Network(), address.String())
	}
	up.Config = nil // it has the password
	return up, nil
}

// upstreamTLS is how the connection to a server is encrypted; nil: it is not.
func (s *Server) upstreamTLS(login lakebase.Login) *tls.Config {
	if login.IsSocket() || login.IsLocal() && s.options.Roots == nil {
		return nil
	}
	return &tls.Config{ServerName: login.Host, RootCAs: s.options.Roots, MinVersion: tls.VersionTLS12}
}

// template is the configuration of each login. What the environment says of PostgreSQL is for clients: logIn
// overwrites all of it.
func template() (*pgconn.Config, error) {
	config, err := pgconn.ParseConfig("host=localhost port=5432 user=nobody dbname=nothing password=none sslmode=disable target_session_attrs=any")
	if err != nil {
		return nil, provider.Usagef("an environment variable of PostgreSQL (PG…) cannot be used").Hintf("unset PGSERVICE and the others").Because(err)
	}
	config.Fallbacks, config.ConnectTimeout = nil, 0
	return config, nil
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
