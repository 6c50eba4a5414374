package postgres

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/provider"
)

// Template returns the configuration that logins to endpoints begin with. It has nothing of the environment,
// where PGHOST and the like are for clients.
func Template() (*pgconn.Config, error) {
	config, err := pgconn.ParseConfig("host=localhost port=5432 user=nobody dbname=nothing password=none sslmode=disable target_session_attrs=any")
	if err != nil {
		return nil, provider.Usagef("an environment variable of PostgreSQL (PG…) cannot be used").Hintf("unset PGSERVICE and the others").Because(err)
	}
	config.Fallbacks, config.ConnectTimeout = nil, 0
	return config, nil
}

// LogIn connects to an endpoint. config is a copy of [Template], and LogIn sets host, user, database, password
// and TLS in it. Certificates are verified by roots; nil: the system's. A server on this machine is connected
// to without TLS unless roots is set. Errors of the server are *pgconn.PgError; neither they nor others have
// the password.
func LogIn(ctx context.Context, config *pgconn.Config, login lakebase.Login, database string, roots *x509.CertPool) (*pgconn.PgConn, error) {
	config.Host, config.Port, config.User, config.Database = login.Host, login.Port, login.User, login.Database
	config.Password, config.TLSConfig = login.Password.Reveal(), nil
	if database != "" {
		config.Database = database
	}
	if !login.IsSocket() && (roots != nil || !login.IsLocal()) {
		config.TLSConfig = &tls.Config{ServerName: login.Host, RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, LoginError(login, err)
	}
	return conn, nil
}

// NoServer is the hint for an endpoint of an emulator that cannot be reached.
const NoServer = "behind the endpoints of an emulator is a server if that was started with --postgres; --endpoint-port is its port"

// LoginError words an error of a login, without the password, whoever may have repeated it. Errors of the server
// keep their SQLSTATE.
func LoginError(login lakebase.Login, err error) error {
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
	if strings.HasSuffix(login.Host, ".localhost") {
		e = e.Hintf(NoServer)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return e.Because(dns)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e.Hintf("this machine does not trust the certificate for that host; no password was sent")
	}
	return e
}
