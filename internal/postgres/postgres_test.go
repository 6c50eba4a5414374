package postgres

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/provider"
)

// minting is an endpoint that counts.
type minting struct {
	opened, logins int
	refused        []provider.Secret
}

func (m *minting) open(context.Context, string, string) (Endpoint, error) {
	m.opened++
	return m, nil
}

func (m *minting) Login(context.Context) (lakebase.Login, error) {
	m.logins++
	return lakebase.Login{Host: "db.example.com", User: "ada", Token: lakebase.Token{Password: provider.Secret(fmt.Sprint("password ", m.logins))}}, nil
}

func (m *minting) Refused(_ context.Context, password provider.Secret) {
	m.refused = append(m.refused, password)
}

// TestLogins shows that each connection asks the endpoint for its password, and tells it of a refusal.
func TestLogins(t *testing.T) {
	m := &minting{}
	config, _, err := Config("postgres:///inventory?lakebase_endpoint=projects/p", m.open)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		conn := config.ConnConfig.Copy()
		if err := config.BeforeConnect(t.Context(), conn); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprint("password ", i+1)
		if conn.Host != "db.example.com" || conn.User != "ada" || conn.Password != want || conn.TLSConfig.ServerName != "db.example.com" {
			t.Errorf("the connection goes to %s@%s", conn.User, conn.Host)
		}
		if conn.OnPgError(nil, &pgconn.PgError{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "28P01"}) {
			t.Error("the connection stays open after a refusal")
		}
		if n := len(m.refused); n != i+1 || m.refused[i].Reveal() != want {
			t.Errorf("the endpoint hears of %d refusals", n)
		}
	}
	if m.opened != 1 {
		t.Errorf("the endpoint is opened %d times", m.opened)
	}
}

// TestStoreTLS shows when a connection is enciphered that a minted password opens.
func TestStoreTLS(t *testing.T) {
	const endpoint = "lakebase_endpoint=projects/p/branches/b/endpoints/e"
	for dsn, want := range map[string]struct{ tls, plain bool }{
		"postgres:///inventory?" + endpoint:                               {true, false},
		"postgres://:5432/inventory?" + endpoint:                          {true, false},
		"postgres://ada@db.example.com/inventory?" + endpoint:             {true, false},
		"postgres://:5432/inventory?sslmode=verify-full&" + endpoint:      {true, false},
		"postgres://:5432/inventory?sslmode=disable&" + endpoint:          {false, true},
		"postgres://127.0.0.1:5432/inventory?sslmode=disable&" + endpoint: {false, true},
		"postgres://127.0.0.1:5432/inventory?" + endpoint:                 {true, true}, // what the server takes
	} {
		config, where, err := Config(dsn, (&minting{}).open)
		if err != nil {
			t.Fatal(err)
		}
		conn := config.ConnConfig.Copy()
		if err := config.BeforeConnect(t.Context(), conn); err != nil {
			t.Fatal(err)
		}
		enciphered, plain := conn.TLSConfig != nil, conn.TLSConfig == nil
		for _, other := range conn.Fallbacks {
			enciphered, plain = enciphered || other.TLSConfig != nil, plain || other.TLSConfig == nil
		}
		if enciphered != want.tls || plain != want.plain {
			t.Errorf("%s is tried enciphered: %v, and not: %v", dsn, enciphered, plain)
		}
		if where != Place(dsn) {
			t.Errorf("%s is told as %s", dsn, where)
		}
	}
}

// TestPlace names stores without their credentials.
func TestPlace(t *testing.T) {
	for store, want := range map[string]string{
		"inventory.db": "inventory.db",
		"postgres://me:s3cr3t@db.example.com:5432/inventory?password=s3cr3t": "postgres://db.example.com:5432/inventory",
		"mysql://me:s3cr3t@db.example.com/inventory":                         "mysql://db.example.com/inventory",
		"postgres://me:s3cr3t%zz@db.example.com/inventory":                   "postgres://…",
		"postgres://me:s3cr3t@db.example.com:port/inventory":                 "postgres://…",
	} {
		if got := Place(store); got != want {
			t.Errorf("%s is told as %s, want %s", store, got, want)
		}
	}
}

// TestLakebaseForm reads the short form of a connection string.
func TestLakebaseForm(t *testing.T) {
	const endpoint = "projects/p/branches/b/endpoints/e"
	for dsn, want := range map[string]struct{ user, database string }{
		"lakebase://" + endpoint:                                    {"ada", "databricks_postgres"},
		"lakebase://" + endpoint + "/inventory":                     {"ada", "inventory"},
		"lakebase://bob@" + endpoint + "/inventory?sslmode=require": {"bob", "inventory"},
		"postgres:///inventory?lakebase_endpoint=" + endpoint:       {"ada", "inventory"},
	} {
		asked := ""
		config, _, err := Config(dsn, func(_ context.Context, _, endpoint string) (Endpoint, error) {
			asked = endpoint
			return &minting{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		conn := config.ConnConfig.Copy()
		if err := config.BeforeConnect(t.Context(), conn); err != nil {
			t.Fatal(err)
		}
		if asked != endpoint || conn.Host != "db.example.com" || conn.User != want.user || conn.Database != want.database || conn.TLSConfig == nil {
			t.Errorf("%s leads to %s of %s, database %s", dsn, asked, conn.User, conn.Database)
		}
	}
	for _, dsn := range []string{"lakebase://", "lakebase://projects/p", "lakebase://projects/p/branches/b/endpoints//x", "lakebase://projects/p/branches/b/endpoints/e/x/y"} {
		if _, _, err := Config(dsn, nil); err == nil || !strings.Contains(err.Error(), "names no endpoint") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

// TestParameters shows that the parameters of a connection string arrive as PostgreSQL's own programs read them.
func TestParameters(t *testing.T) {
	for _, dsn := range []string{"postgres://h/d?options=-c%20a%3Db+c&sslmode=disable", "lakebase://projects/p/branches/b/endpoints/e/d?host=h&options=-c%20a%3Db+c&sslmode=disable"} {
		config, _, err := Config(dsn, (&minting{}).open)
		if err != nil {
			t.Fatal(err)
		}
		if got := config.ConnConfig.RuntimeParams["options"]; got != "-c a=b+c" {
			t.Errorf("%s: the options are %q", dsn, got)
		}
	}
}
