package emulator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/provider"
)

// A real PostgreSQL server behind the endpoints: the tokens that are minted are passwords of its
// roles, which it checks itself.

const (
	// serverTime is how long a call waits for the server at most, for its turn and for connecting
	// included.
	serverTime = 10 * time.Second

	// maxRoleName is how many bytes the name of a role has at most. PostgreSQL would cut a longer
	// one, and take two identities for one.
	maxRoleName = 63

	// roleLock is the advisory lock under which emulators change roles: of two changes of a role at
	// the same time PostgreSQL refuses one. The number says lakeql, and nothing more.
	roleLock = 0x6c616b65716c
)

// SQLSTATE of a role that is there already (PostgreSQL's manual, appendix A).
const duplicateObject = "42710"

// postgresql is the server of [Options].Postgres. It is connected to when it is first needed, and
// again after the connection broke.
type postgresql struct {
	config *pgconn.Config

	turn   chan struct{}  // whoever has put something in may use what follows
	conn   *pgconn.PgConn // nil: not connected
	closed bool
}

// newPostgreSQL reads a connection string; without one there is no server.
func newPostgreSQL(dsn string) (*postgresql, error) {
	if dsn == "" {
		return nil, nil
	}
	config, err := pgconn.ParseConfig(dsn)
	if err != nil {
		// The error quotes the string, and cannot always tell where its password is.
		return nil, &provider.Error{
			Code:    provider.Usage,
			Message: "the connection string of the PostgreSQL server cannot be read, or a file that it names cannot",
			Hint:    "write postgres://postgres@127.0.0.1:5432/postgres or 'host=127.0.0.1 port=5432 user=postgres dbname=postgres'",
		}
	}
	for _, other := range config.Fallbacks { // where TLS is optional, the same server is in it again
		if other.Host != config.Host || other.Port != config.Port {
			return nil, usage("the connection string of the PostgreSQL server names several servers, and one must have the roles")
		}
	}
	// What quoting relies on.
	config.RuntimeParams["client_encoding"] = "UTF8"
	config.RuntimeParams["standard_conforming_strings"] = "on"
	return &postgresql{config: config, turn: make(chan struct{}, 1)}, nil
}

// host is where the server is, as clients are told: a name, an address or a socket's folder.
func (p *postgresql) host() string {
	if p == nil {
		return ""
	}
	return p.config.Host
}

// admit makes a token the password of the role that an identity has, until it expires. The role is
// made where it is missing. A token that the role had before opens nothing any more.
func (p *postgresql) admit(ctx context.Context, identity, token string, expires time.Time) error {
	if err := p.checkIdentity(identity); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, serverTime)
	defer cancel()
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return p.failure(ctx.Err())
	}
	for {
		connected, err := p.connect(ctx)
		if err != nil {
			return p.failure(err)
		}
		err = setPassword(ctx, p.conn, identity, token, expires)
		if err == nil {
			return nil
		}
		if connected || !p.conn.IsClosed() {
			return p.failure(err)
		}
		// The connection is from before, and broke since: the server may have been started anew.
	}
}

// checkIdentity reports whether an identity can be the name of a role.
func (p *postgresql) checkIdentity(identity string) error {
	reason := ""
	switch {
	case len(identity) > maxRoleName:
		reason = fmt.Sprintf("it has %d bytes, and a role's name has at most %d", len(identity), maxRoleName)
	case strings.ContainsRune(identity, 0):
		reason = "it contains a NUL character"
	case strings.HasPrefix(identity, "pg_"):
		reason = "names that begin with pg_ are PostgreSQL's own"
	case identity == p.config.User:
		reason = "the emulator logs in to the server with this role, whose password has to stay"
	default:
		return nil
	}
	return invalidParameter("The identity %s cannot be given a token as a role of the PostgreSQL server: %s.", provider.Quote(identity), reason)
}

// connect sees to a connection that is not known to be broken; connected says that it is a new one.
func (p *postgresql) connect(ctx context.Context) (connected bool, err error) {
	if p.closed {
		return false, errors.New("the emulator was closed")
	}
	if p.conn != nil && !p.conn.IsClosed() {
		return false, nil
	}
	p.conn, err = pgconn.ConnectConfig(ctx, p.config)
	return true, err
}

// setPassword changes the password of a role until it expires, and sees to it that there is such a
// role and that it can log in.
func setPassword(ctx context.Context, conn *pgconn.PgConn, role, password string, expires time.Time) error {
	name := `"` + strings.ReplaceAll(role, `"`, `""`) + `"`
	secret, err := conn.EscapeString(password)
	if err != nil {
		return err
	}
	known := conn.ExecParams(ctx, "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1", [][]byte{[]byte(role)}, nil, nil, nil).Read()
	if known.Err != nil {
		return known.Err
	}
	if len(known.Rows) == 0 {
		// Without the password: a statement that fails is in the server's log as it was sent.
		err := changeRoles(ctx, conn, "CREATE ROLE "+name)
		if e, ok := errors.AsType[*pgconn.PgError](err); err != nil && (!ok || e.Code != duplicateObject) {
			return err // else somebody made it in the meantime
		}
	}
	return changeRoles(ctx, conn, "ALTER ROLE "+name+" LOGIN PASSWORD '"+secret+"' VALID UNTIL '"+expires.UTC().Format(time.RFC3339)+"'")
}

// changeRoles runs a statement while no other session of an emulator runs one.
func changeRoles(ctx context.Context, conn *pgconn.PgConn, statement string) error {
	// The statements of one text are one transaction, at whose end the lock is released.
	_, err := conn.Exec(ctx, fmt.Sprintf("SELECT pg_catalog.pg_advisory_xact_lock(%d); ", roleLock)+statement).ReadAll()
	return err
}

// failure words what went wrong at the server or on the way to it.
func (p *postgresql) failure(err error) error {
	network, address := pgconn.NetworkAddress(p.config.Host, p.config.Port)
	if network == "unix" {
		address = "socket " + address
	}
	cause := err
	if e, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		cause = e.Unwrap() // it says again where the server is
	}
	lines := strings.FieldsFunc(cause.Error(), func(r rune) bool { return r == '\n' || r == '\t' })
	reason := strings.Join(slices.Compact(lines), "; ") // with TLS and without may fail alike
	if pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded) {
		reason = "it did not answer in time: " + reason
	}
	return newError(http.StatusBadGateway, codeOf(http.StatusBadGateway),
		"The token could not be made a password of the PostgreSQL server at %s: %s", printable(address), provider.Printable(reason))
}

// close ends the connection, and refuses to make another. A call that is at it is waited for.
func (p *postgresql) close() {
	if p == nil {
		return
	}
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	p.closed = true
	if p.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), serverTime)
	defer cancel()
	_ = p.conn.Close(ctx) // nothing is under way on it that could be lost
	p.conn = nil
}
