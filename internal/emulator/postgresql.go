package emulator

import (
	"cmp"
	"context"
	"encoding/json"
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
// roles, which it checks itself, and the databases of the endpoints' branches are there.

const (
	// serverTime is how long a call waits for the server at most, for its turn and for connecting
	// included.
	serverTime = 10 * time.Second

	// maxIdentifier is how many bytes the name of a role or a database has at most. PostgreSQL would
	// cut a longer one, and take two identities for one.
	maxIdentifier = 63

	// serverLock is the advisory lock under which emulators change roles and make databases: of two
	// changes of one at the same time PostgreSQL refuses one. The number says lakeql, and nothing more.
	serverLock = 0x6c616b65716c

	// ownerRole owns the databases that emulators make, and every role that gets a token is a member.
	// So it may do in them what a database's owner may, which from PostgreSQL 15 on is needed to create
	// anything in schema public, and has no right outside of them.
	ownerRole = "lakeql_emulator"
)

// SQLSTATEs of what is there already (PostgreSQL's manual, appendix A).
const (
	duplicateObject   = "42710" // a role
	duplicateDatabase = "42P04"
)

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

// admission is what the server gets to know of a credential.
type admission struct {
	identity, token string
	expires         time.Time
	databases       []string // of the endpoint's branch
}

// admit makes a token the password of the role that an identity has, until it expires. The role and
// the databases are made where they are missing. A token that the role had before opens nothing any
// more.
func (p *postgresql) admit(ctx context.Context, a admission) error {
	if err := p.checkIdentity(a.identity); err != nil {
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
		err = a.carryOut(ctx, p.conn)
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
	case len(identity) > maxIdentifier:
		reason = fmt.Sprintf("it has %d bytes, and a role's name has at most %d", len(identity), maxIdentifier)
	case strings.ContainsRune(identity, 0):
		reason = "it contains a NUL character"
	case strings.HasPrefix(identity, "pg_"):
		reason = "names that begin with pg_ are PostgreSQL's own"
	case identity == ownerRole:
		reason = "the databases that the emulator makes belong to this role"
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

// carryOut does what is missing, which mostly is to set the password: two round trips.
func (a *admission) carryOut(ctx context.Context, conn *pgconn.PgConn) error {
	secret, err := conn.EscapeString(a.token)
	if err != nil {
		return err
	}
	found, err := a.look(ctx, conn)
	if err != nil {
		return err
	}
	// Without the password: a statement that fails is in the server's log as it was sent. Of what is
	// there by now, somebody made it in the meantime.
	if !found.owner {
		// Who may not do everything may make a database for no role but those they are members of.
		err := changeRoles(ctx, conn, "CREATE ROLE "+ownerRole+"; GRANT "+ownerRole+" TO CURRENT_USER")
		if err != nil && !hasState(err, duplicateObject) {
			return err
		}
	}
	name := quoted(a.identity)
	if !found.role {
		if err := changeRoles(ctx, conn, "CREATE ROLE "+name); err != nil && !hasState(err, duplicateObject) {
			return err
		}
	}
	if len(found.missing) > 0 {
		if err := a.makeDatabases(ctx, conn); err != nil {
			return err
		}
	}
	return changeRoles(ctx, conn, "GRANT "+ownerRole+" TO "+name+"; ALTER ROLE "+name+" LOGIN PASSWORD '"+secret+"' VALID UNTIL '"+a.expires.UTC().Format(time.RFC3339)+"'")
}

// found is what the server has already.
type found struct {
	role, owner bool
	missing     []string // databases
}

func (a *admission) look(ctx context.Context, conn *pgconn.PgConn) (found, error) {
	const question = `SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1), EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $2),
		(SELECT pg_catalog.json_agg(name) FROM pg_catalog.json_array_elements_text($3) AS name WHERE name NOT IN (SELECT datname FROM pg_catalog.pg_database))`
	var f found
	got := conn.ExecParams(ctx, question, [][]byte{[]byte(a.identity), []byte(ownerRole), encode(a.databases)}, nil, nil, nil).Read()
	if got.Err != nil {
		return f, got.Err
	}
	row := got.Rows[0] // of a query that has no FROM there is one
	f.role, f.owner = string(row[0]) == "t", string(row[1]) == "t"
	if row[2] == nil {
		return f, nil
	}
	return f, json.Unmarshal(row[2], &f.missing)
}

// makeDatabases makes those that are missing once no other emulator is at it. CREATE DATABASE
// cannot be in a transaction, so the lock is the session's, which lets go of it when it breaks.
func (a *admission) makeDatabases(ctx context.Context, conn *pgconn.PgConn) error {
	lock := func(function string) error {
		_, err := conn.Exec(ctx, fmt.Sprintf("SELECT pg_catalog.%s(%d)", function, serverLock)).ReadAll()
		return err
	}
	if err := lock("pg_advisory_lock"); err != nil {
		return err
	}
	err := func() error {
		found, err := a.look(ctx, conn)
		if err != nil {
			return err
		}
		for _, name := range found.missing {
			_, err := conn.Exec(ctx, "CREATE DATABASE "+quoted(name)+" OWNER "+ownerRole).ReadAll()
			if err != nil && !hasState(err, duplicateDatabase) { // else somebody else made it
				return fmt.Errorf("make the database %s: %w", provider.Quote(name), err)
			}
		}
		return nil
	}()
	return cmp.Or(err, lock("pg_advisory_unlock"))
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func hasState(err error, state string) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == state
}

// changeRoles runs statements while no other session of an emulator runs any.
func changeRoles(ctx context.Context, conn *pgconn.PgConn, statements string) error {
	// The statements of one text are one transaction, at whose end the lock is released.
	_, err := conn.Exec(ctx, fmt.Sprintf("SELECT pg_catalog.pg_advisory_xact_lock(%d); ", serverLock)+statements).ReadAll()
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
