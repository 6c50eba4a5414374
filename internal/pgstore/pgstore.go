// Package pgstore keeps tables and views of the user in a schema of a PostgreSQL database: it is a
// [localstore.Backend].
//
// Tables and materialized views are ordinary tables there, which psql and foreign servers read. PostgreSQL
// does not know the resources that a view reads, so the text of a view is a row of the table
// lakeql_objects, as is the query of a materialized view.
//
//   - table.go and session.go read: a table becomes an external table of a program (package vtab). All
//     scans of a program see one snapshot.
//   - fill.go replaces the rows of a table. The table itself stays, with its indexes, comments and
//     privileges, as long as its columns are the same. Readers see the old rows or the new ones.
//   - modify.go inserts, updates and deletes rows.
//   - types.go converts values.
package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lakeql/lakeql/internal/localstore"
	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// Store is a schema of a database. Sessions may share it.
type Store struct {
	place string
	pool  *pgxpool.Pool

	mu       sync.Mutex
	schema   string // empty until the server says which one is current
	sessions map[*vtab.Program]*session
}

var _ localstore.Backend = (*Store)(nil)

const (
	// searchPath is the parameter of a connection string that names the schema.
	searchPath = "search_path"
	// connectPatience is how long to wait for a connection unless the connection string says it.
	connectPatience = 30 * time.Second
	// lockPatience is how long to wait for another session that writes.
	lockPatience = time.Minute
	// mostConnections is a limit for all sessions of a process, unless the connection string has one.
	mostConnections = 64
)

// Open prepares a store. It connects when a statement needs it. schema empty: the first one of search_path
// in the connection string, or the server's current schema. minter returns passwords of Lakebase endpoints.
func Open(ctx context.Context, dsn, schema string, minter postgres.Minter) (*Store, error) {
	config, place, err := postgres.Config(dsn, minter)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		config.MaxConns = mostConnections
	}
	conn := config.ConnConfig
	// Statements that a connection keeps prepared fail after somebody altered their tables.
	conn.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn.RuntimeParams["datestyle"] = "ISO"
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = connectPatience
	}
	if schema == "" {
		if schema = firstSchema(conn.RuntimeParams[searchPath]); schema != "" {
			delete(conn.RuntimeParams, searchPath) // names are qualified, and proxies refuse parameters that they do not know
		}
	}
	if err := checkName("schema", schema); err != nil && schema != "" {
		return nil, err
	}
	s := &Store{place: place, schema: schema, sessions: map[*vtab.Program]*session{}}
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, s.fault(err)
	}
	return s, nil
}

// firstSchema reads the first name of a search path; empty if the server has to find out.
func firstSchema(path string) string {
	path = strings.TrimSpace(path)
	if !strings.HasPrefix(path, `"`) {
		name, _, _ := strings.Cut(path, ",")
		return strings.ToLower(strings.TrimSpace(name))
	}
	var name strings.Builder
	for rest := path[1:]; ; {
		part, behind, closed := strings.Cut(rest, `"`)
		name.WriteString(part)
		if !closed || !strings.HasPrefix(behind, `"`) {
			break
		}
		name.WriteByte('"')
		rest = behind[1:]
	}
	if name.String() == "$user" {
		return ""
	}
	return name.String()
}

// Close closes the connections.
func (s *Store) Close() { s.pool.Close() }

// Schema implements [localstore.Backend].
func (*Store) Schema() string { return localstore.StoreSchema }

// current returns the name of the schema.
func (s *Store) current(ctx context.Context, db querier) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.schema != "" {
		return s.schema, nil
	}
	var name *string
	if err := db.QueryRow(ctx, "SELECT current_schema()").Scan(&name); err != nil {
		return "", s.fault(err)
	}
	if name == nil {
		return "", provider.Usagef("the store %s has no current schema", provider.Printable(s.place)).
			Hintf("name one: ?search_path=schema in the connection string, or --export.alias")
	}
	s.schema = *name
	return s.schema, nil
}

// querier is a connection or a transaction.
type querier interface {
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

// named qualifies a name with the schema.
func (s *Store) named(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return pgx.Identifier{s.schema, name}.Sanitize()
}

// use runs a function over a connection.
func (s *Store) use(ctx context.Context, f func(db querier) error) error {
	return s.connected(ctx, func(conn *pgxpool.Conn) error { return f(conn) })
}

// connected runs a function over a connection to which the schema is known.
func (s *Store) connected(ctx context.Context, f func(conn *pgxpool.Conn) error) error {
	conn, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err := s.current(ctx, conn); err != nil {
		return err
	}
	return s.fault(f(conn))
}

// acquire takes a connection of the pool.
func (s *Store) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	conn, err := s.pool.Acquire(limited)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return nil, provider.Errorf(provider.Network, "the store %s does not answer, or all %d connections to it are in use", provider.Printable(s.place), s.pool.Config().MaxConns).Because(err)
	}
	return conn, s.fault(err)
}

// change runs a function in a transaction.
func (s *Store) change(ctx context.Context, f func(tx pgx.Tx) error) error {
	return s.connected(ctx, func(conn *pgxpool.Conn) error {
		tx, err := conn.Begin(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after Commit there is nothing to take back
		if _, err := tx.Exec(ctx, fmt.Sprintf("SET LOCAL lock_timeout = %d", lockPatience.Milliseconds())); err != nil {
			return err
		}
		if err := f(tx); err != nil {
			return err
		}
		return s.committed(tx.Commit(ctx))
	})
}

// committed is fault for an error of COMMIT.
func (s *Store) committed(err error) error {
	if _, refused := errors.AsType[*pgconn.PgError](err); err == nil || refused {
		return s.fault(err)
	}
	return provider.Errorf(provider.Network, "the store %s did not say whether it made the change: %s", provider.Printable(s.place), provider.Printable(err.Error())).
		Hintf("look at what it holds, and run the statement again if needed").
		Because(err)
}

// fault is the error to report for one of PostgreSQL.
func (s *Store) fault(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*provider.Error](err); ok {
		return e
	}
	where := provider.Printable(s.place)
	refused, ok := errors.AsType[*pgconn.PgError](err)
	unreachable := postgres.Unreachable(s.place, err)
	switch {
	case errors.Is(err, context.Canceled):
		return provider.Errorf(provider.Canceled, "canceled: the store is as it was").Because(err)
	case !ok && unreachable != nil:
		return unreachable
	case !ok:
		return provider.Errorf(provider.Network, "the store %s: %s", where, provider.Printable(err.Error())).Because(err)
	}
	code, hint := codeOf(refused.Code)
	e := provider.Errorf(code, "the store %s: %s (SQLSTATE %s)", where, provider.Printable(refused.Message), refused.Code).Because(err)
	if refused.Detail != "" {
		e.Message += "; " + provider.Printable(refused.Detail)
	}
	if hint == "" {
		hint = provider.Printable(refused.Hint)
	}
	e.Hint = hint
	return e
}

// codeOf returns the kind of an error of PostgreSQL, and what to do about it.
func codeOf(state string) (provider.Code, string) {
	switch state {
	case "42501":
		return provider.Unauthorized, "ask the owner of the schema for the privilege"
	case "40001", "40P01":
		return provider.API, "another session changed the same rows: run the statement again"
	case "55P03":
		return provider.API, "another session holds the table: try again when its transaction is done"
	case "42P01", "42703", "42P07":
		return provider.Usage, "somebody changed the table meanwhile: run the statement again"
	case "2BP01":
		return provider.Usage, "drop what depends on the table, or keep the names of its columns"
	case "3D000", "3F000":
		return provider.Usage, ""
	}
	switch state[:min(2, len(state))] {
	case "28":
		return provider.Unauthorized, "check the user and the password of the connection string; Lakebase mints one for ?lakebase_endpoint=projects/…/branches/…/endpoints/…"
	case "08", "57":
		return provider.Network, ""
	case "22", "23", "42":
		return provider.Usage, ""
	}
	return provider.API, ""
}

// planPatience is how long planning waits for the store.
const planPatience = time.Minute

// planning is a context for what a statement asks before it runs.
func planning(p *vtab.Program) (context.Context, context.CancelFunc) {
	return context.WithTimeout(p.Context(), planPatience)
}
