// Package pgserver keeps a real PostgreSQL server behind the endpoints of the emulator. It hides
// the connection, the roles that it creates and the databases.
//
// A token becomes the password of a role with [Server.Admit]. The server itself checks the password
// when a client logs in.
package pgserver

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

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/provider"
)

const (
	// serverTime is how long a call waits for the server at most. It includes the wait for other
	// calls and the time to connect.
	serverTime = 10 * time.Second

	// maxIdentifier is how many bytes the name of a role has at most. PostgreSQL cuts a longer
	// name, so two identities could become one role.
	maxIdentifier = 63

	// serverLock is the advisory lock under which emulators change roles and create databases.
	// PostgreSQL rejects one of two concurrent changes of a role. The number is "lakeql" in ASCII.
	serverLock = 0x6c616b65716c

	// ownerRole owns the databases that emulators create. Every role that gets a token is a member,
	// so it has an owner's rights in these databases and no rights elsewhere. Since PostgreSQL 15
	// only the owner of a database may create objects in its schema public.
	ownerRole = "lakeql_emulator"
)

// SQLSTATEs of objects that exist already (PostgreSQL's manual, appendix A).
const (
	duplicateObject   = "42710" // a role
	duplicateDatabase = "42P04"
)

// Server is one PostgreSQL server. It connects at the first [Server.Admit], and again after the
// connection broke. It may be used by several goroutines. A nil Server stands for none: its Host is
// empty and Close does nothing.
type Server struct {
	config *pgconn.Config

	turn   chan struct{}  // full while a goroutine uses the fields below
	conn   *pgconn.PgConn // nil: not connected
	closed bool
}

// New reads a connection string: a URL, or keywords and values. It does not connect. An empty
// string returns a nil Server.
func New(dsn string) (*Server, error) {
	if dsn == "" {
		return nil, nil
	}
	config, err := pgconn.ParseConfig(dsn)
	if err != nil {
		// The error quotes the string, and cannot always tell where its password is.
		return nil, provider.Usagef("the connection string of the PostgreSQL server cannot be read, or a file that it names cannot").
			Hintf("write postgres://postgres@127.0.0.1:5432/postgres or 'host=127.0.0.1 port=5432 user=postgres dbname=postgres'")
	}
	for _, other := range config.Fallbacks { // where TLS is optional, the same server is in it again
		if other.Host != config.Host || other.Port != config.Port {
			return nil, provider.Usagef("the connection string of the PostgreSQL server names several servers, and one must have the roles")
		}
	}
	// Quoting depends on this encoding.
	config.RuntimeParams["client_encoding"] = "UTF8"
	config.RuntimeParams["standard_conforming_strings"] = "on"
	return &Server{config: config, turn: make(chan struct{}, 1)}, nil
}

// Host is the server's host as clients see it: a name, an address or the folder of a socket.
func (p *Server) Host() string {
	if p == nil {
		return ""
	}
	return p.config.Host
}

// Login is a credential that the server is to accept.
type Login struct {
	Identity, Token string
	Expires         time.Time
	Databases       []string // of the endpoint's branch
}

// Admit makes a token the password of an identity's role until the token expires. It creates the
// role and the databases that are missing. The role's earlier token stops working.
func (p *Server) Admit(ctx context.Context, a Login) error {
	if err := p.checkIdentity(a.Identity); err != nil {
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

// Check connects to the server, and reports whether the role of the connection string has the rights
// that [Server.Admit] needs.
func (p *Server) Check(ctx context.Context) error {
	if p == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, serverTime)
	defer cancel()
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	if _, err := p.connect(ctx); err != nil {
		address, reason := p.reason(err)
		code := provider.Network
		if _, refused := errors.AsType[*pgconn.PgError](err); refused {
			code = provider.Unauthorized
		}
		return provider.Errorf(code, "the PostgreSQL server at %s cannot be used: %s", address, reason).
			Hintf("check the connection string of --postgres, and that the server runs")
	}
	const question = "SELECT rolsuper OR rolcreaterole AND rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user"
	got := p.conn.ExecParams(ctx, question, nil, nil, nil, nil).Read()
	if got.Err != nil {
		address, reason := p.reason(got.Err)
		return provider.Errorf(provider.Network, "the PostgreSQL server at %s cannot be used: %s", address, reason)
	}
	if len(got.Rows) == 0 || string(got.Rows[0][0]) != "t" {
		return provider.Errorf(provider.Unauthorized, "the role %s of the PostgreSQL server may not create roles and databases", provider.Quote(p.config.User)).
			Hintf("use a superuser, or run ALTER ROLE … CREATEROLE CREATEDB")
	}
	return nil
}

// checkIdentity reports whether an identity can be the name of a role.
func (p *Server) checkIdentity(identity string) error {
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
	return apierror.Invalid("The identity %s cannot be given a token as a role of the PostgreSQL server: %s.", provider.Quote(identity), reason)
}

// connect opens a connection unless one is open. It reports whether the connection is new.
func (p *Server) connect(ctx context.Context) (connected bool, err error) {
	if p.closed {
		return false, errors.New("the emulator was closed")
	}
	if p.conn != nil && !p.conn.IsClosed() {
		return false, nil
	}
	p.conn, err = pgconn.ConnectConfig(ctx, p.config)
	return true, err
}

// carryOut creates missing roles and databases and sets the password. If nothing is missing, it
// takes two round trips.
func (a *Login) carryOut(ctx context.Context, conn *pgconn.PgConn) error {
	secret, err := conn.EscapeString(a.Token)
	if err != nil {
		return err
	}
	found, err := a.look(ctx, conn)
	if err != nil {
		return err
	}
	// These statements do not contain the password, because the server logs statements that fail. A
	// duplicate means that another session created the object after look.
	if !found.owner {
		// A user that is no superuser can create a database only for a role of which it is a
		// member.
		err := changeRoles(ctx, conn, "CREATE ROLE "+ownerRole+"; GRANT "+ownerRole+" TO CURRENT_USER")
		if err != nil && !hasState(err, duplicateObject) {
			return err
		}
	}
	name := quoted(a.Identity)
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
	return changeRoles(ctx, conn, "GRANT "+ownerRole+" TO "+name+"; ALTER ROLE "+name+" LOGIN PASSWORD '"+secret+"' VALID UNTIL '"+a.Expires.UTC().Format(time.RFC3339)+"'")
}

// found lists the existing objects of the server.
type found struct {
	role, owner bool
	missing     []string // names of databases
}

func (a *Login) look(ctx context.Context, conn *pgconn.PgConn) (found, error) {
	const question = `SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1), EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $2),
		(SELECT pg_catalog.json_agg(name) FROM pg_catalog.json_array_elements_text($3) AS name WHERE name NOT IN (SELECT datname FROM pg_catalog.pg_database))`
	var f found
	databases, err := json.Marshal(a.Databases)
	if err != nil {
		return f, err
	}
	got := conn.ExecParams(ctx, question, [][]byte{[]byte(a.Identity), []byte(ownerRole), databases}, nil, nil, nil).Read()
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

// makeDatabases creates the missing databases under the advisory lock. CREATE DATABASE cannot run
// in a transaction, so the session holds the lock. PostgreSQL releases it if the session breaks.
func (a *Login) makeDatabases(ctx context.Context, conn *pgconn.PgConn) error {
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

// changeRoles runs statements under the advisory lock.
func changeRoles(ctx context.Context, conn *pgconn.PgConn, statements string) error {
	// PostgreSQL runs the statements of one text in one transaction and releases the lock at its
	// end.
	_, err := conn.Exec(ctx, fmt.Sprintf("SELECT pg_catalog.pg_advisory_xact_lock(%d); ", serverLock)+statements).ReadAll()
	return err
}

// failure makes an API error from an error of the server or of the connection.
func (p *Server) failure(err error) error {
	address, reason := p.reason(err)
	return apierror.New(http.StatusBadGateway, apierror.CodeOf(http.StatusBadGateway),
		"The token could not be made a password of the PostgreSQL server at %s: %s", address, reason)
}

// reason returns the server's address and why a call of it failed.
func (p *Server) reason(err error) (address, reason string) {
	network, at := pgconn.NetworkAddress(p.config.Host, p.config.Port)
	if network == "unix" {
		at = "socket " + at
	}
	cause := err
	if e, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		cause = e.Unwrap() // the outer error repeats the address
	}
	lines := strings.FieldsFunc(cause.Error(), func(r rune) bool { return r == '\n' || r == '\t' })
	reason = strings.Join(slices.Compact(lines), "; ") // attempts with and without TLS may fail alike
	if pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded) {
		reason = "it did not answer in time: " + reason
	}
	return apierror.Printable(at), provider.Printable(reason)
}

// Close waits for the current call, closes the connection and makes later calls of Admit fail.
func (p *Server) Close() {
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
	_ = p.conn.Close(ctx) // no statement is running
	p.conn = nil
}
