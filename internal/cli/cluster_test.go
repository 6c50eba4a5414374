//go:build unix

package cli_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/internal/testworld"
)

// cluster is a PostgreSQL server of a test's own, with sessions of its roles.
type cluster struct{ *testworld.Postgres }

func startCluster(t *testing.T) *cluster {
	t.Helper()
	return &cluster{testworld.StartPostgres(t)}
}

// login opens a session with pgconn, asks who that is, and closes it.
func (c *cluster) login(t *testing.T, host, role, password string) error {
	t.Helper()
	config, err := pgconn.ParseConfig(fmt.Sprintf("host=%s port=%d dbname=postgres sslmode=disable", host, c.Port))
	if err != nil {
		t.Fatal(err)
	}
	config.User, config.Password = role, password
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // there is nothing left to lose
	if got := ask(ctx, t, conn, "SELECT current_user"); got != role {
		t.Errorf("logged in as %q, want %q", got, role)
	}
	return nil
}

// session opens a session of the role postgres, for as long as use takes.
func (c *cluster) session(t *testing.T, use func(context.Context, *pgconn.PgConn)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := pgconn.Connect(ctx, c.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }() // there is nothing left to lose
	use(ctx, conn)
}

// do runs a statement as the role postgres.
func (c *cluster) do(t *testing.T, statement string) {
	t.Helper()
	c.session(t, func(ctx context.Context, conn *pgconn.PgConn) {
		if _, err := conn.Exec(ctx, statement).ReadAll(); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	})
}

// ask runs a statement as the role postgres and returns its only value.
func (c *cluster) ask(t *testing.T, statement string, args ...string) (value string) {
	t.Helper()
	c.session(t, func(ctx context.Context, conn *pgconn.PgConn) { value = ask(ctx, t, conn, statement, args...) })
	return value
}

// holdRoles blocks emulators from changing roles. The returned function releases them after that many wait.
func (c *cluster) holdRoles(t *testing.T) (release func(waiting string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	conn, err := pgconn.Connect(ctx, c.DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close(ctx) // there is nothing left to lose
		cancel()
	})
	ask(ctx, t, conn, "SELECT pg_advisory_lock(x'6c616b65716c'::int8)")
	return func(waiting string) {
		for ask(ctx, t, conn, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") != waiting {
			// ask again; ctx is the bound
		}
		ask(ctx, t, conn, "SELECT pg_advisory_unlock_all()")
	}
}

func ask(ctx context.Context, t *testing.T, conn *pgconn.PgConn, statement string, args ...string) string {
	t.Helper()
	values := make([][]byte, len(args))
	for i, a := range args {
		values[i] = []byte(a)
	}
	got := conn.ExecParams(ctx, statement, values, nil, nil, nil).Read()
	if got.Err != nil || len(got.Rows) != 1 || len(got.Rows[0]) != 1 {
		t.Fatalf("%s: %d rows, %v", statement, len(got.Rows), got.Err)
	}
	return string(got.Rows[0][0])
}

// refused reports whether the server did not take a password (SQLSTATE 28P01).
func refused(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "28P01"
}

// transaction opens a session that lasts as long as the test. The returned function runs a statement in it and
// returns the first value.
func (c *cluster) transaction(t *testing.T, statement string) func(statement string) string {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), c.DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) }) // there is nothing left to lose
	run := func(statement string) string {
		t.Helper()
		results, err := conn.Exec(t.Context(), statement).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		if last := results[len(results)-1]; len(last.Rows) > 0 {
			return string(last.Rows[0][0])
		}
		return ""
	}
	run(statement)
	return run
}
