// Package lakebase opens connections to Postgres endpoints of Lakebase from Go programs, with pgx or with
// database/sql. It finds the endpoint, mints a token as the password, and mints another one shortly before
// that ends:
//
//	endpoint, err := lakebase.Open(ctx, "orders/production", lakebase.Config{})
//	config, err := pgxpool.ParseConfig("pool_max_conns=20")
//	config.BeforeConnect = endpoint.BeforeConnect
//	pool, err := pgxpool.NewWithConfig(ctx, config)
//
// or, for database/sql:
//
//	connector, err := endpoint.Connector(nil)
//	db := sql.OpenDB(connector)
//
// An endpoint is named projects/p/branches/b/endpoints/e or p/b/e. A part of the name suffices if one
// endpoint fits: p/b is the only endpoint of the branch or the one that writes, p that of the project's
// default branch, "" that of the only project. instances/i is an instance of the older database service.
//
// PostgreSQL checks a token at login only, so connections outlive it. Lakebase ends connections that are idle
// for a day, and any connection after three days: let a pool replace its connections, with MaxConnLifetime or
// [sql.DB.SetConnMaxLifetime]. Connecting wakes a suspended endpoint.
//
// Errors are [*provider.Error], except those of PostgreSQL itself.
package lakebase

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/provider"
)

// Config says which workspace mints, and how to log in. The zero value is usual: the workspace and the
// credential of the environment or of ~/.databrickscfg, as all Databricks tools find them.
type Config struct {
	// Profile of ~/.databrickscfg to take host and credential from.
	Profile string
	// Host is the workspace that has the endpoint.
	Host string
	// User is the role to log in as; empty: the identity that mints.
	User string
	// Database is the database to connect to; empty: databricks_postgres. A pgx configuration that names
	// a database goes before it.
	Database string
	// ReadOnly limits tokens to reading these tables of Unity Catalog, catalog.schema.table.
	ReadOnly []string
	// Life is how long a token opens connections, from 5 minutes to an hour; 0: an hour.
	Life time.Duration
	// Pooled selects the host that pools connections.
	Pooled bool
	// Port is the port of the endpoint's server; 0: 5432.
	Port uint16
	// Roots are the certificates that the endpoint is verified by; nil: the system's. A server on this
	// machine, as an emulator has it, is connected to without TLS unless Roots is set.
	Roots *x509.CertPool

	// HTTP sends the requests to the workspace; nil: a client that follows no redirects.
	HTTP *http.Client
	// Logger gets one event a request, without credentials; nil: none.
	Logger *slog.Logger
}

// Endpoint is an endpoint that was found. Several goroutines may use it.
type Endpoint struct {
	endpoint *lakebase.Endpoint
	roots    *x509.CertPool
}

// Token is a password for new connections.
type Token struct {
	Password provider.Secret
	Expires  time.Time // when it stops opening connections
}

// Open finds an endpoint and mints its first token. An endpoint that is disabled is an error.
func Open(ctx context.Context, name string, c Config) (*Endpoint, error) {
	connection, err := connect.Open(connect.Options{
		Profile: c.Profile, Host: c.Host, UserAgent: "lakeql-lakebase", HTTP: c.HTTP, Logger: c.Logger,
	})
	if err != nil {
		return nil, err
	}
	opened, err := connection.Lakebase("").Open(ctx, name, lakebase.Options{
		Grant: lakebase.Grant{ReadOnly: c.ReadOnly, Life: c.Life},
		User:  c.User, Database: c.Database, Pooled: c.Pooled, Port: c.Port,
	})
	if err != nil {
		return nil, err
	}
	return &Endpoint{opened, c.Roots}, nil
}

// Name returns the whole name of the endpoint: projects/p/branches/b/endpoints/e, or instances/i.
func (e *Endpoint) Name() string { return e.endpoint.Name().String() }

// Token returns a token that opens new connections. It mints one only when the last one is about to end, once
// for all goroutines that ask.
func (e *Endpoint) Token(ctx context.Context) (Token, error) {
	login, err := e.endpoint.Login(ctx)
	return Token{login.Password, login.Expires}, err
}

// BeforeConnect sets host, port, user, password and TLS of a connection that is about to be opened. It is a
// BeforeConnect of pgxpool.Config, and for [stdlib.OptionBeforeConnect]. Other settings stay: the database if
// it is named, run-time parameters, tracers.
func (e *Endpoint) BeforeConnect(ctx context.Context, config *pgx.ConnConfig) error {
	login, err := e.endpoint.Login(ctx)
	if err != nil {
		return err
	}
	config.Host, config.Port, config.User, config.Password = login.Host, login.Port, login.User, login.Password.Reveal()
	if config.Database == "" {
		config.Database = login.Database
	}
	config.Fallbacks, config.TLSConfig = nil, nil // neither another host, nor this one without TLS
	if !login.IsSocket() && (e.roots != nil || !login.IsLocal()) {
		config.TLSConfig = &tls.Config{ServerName: login.Host, RootCAs: e.roots, MinVersion: tls.VersionTLS12}
	}
	tell := config.OnPgError
	config.OnPgError = func(conn *pgconn.PgConn, refusal *pgconn.PgError) bool {
		if strings.HasPrefix(refusal.Code, "28") { // the next connection has another token
			e.endpoint.Refused(context.WithoutCancel(ctx), login.Password)
		}
		return tell == nil || tell(conn, refusal)
	}
	return nil
}

// ConnConfig returns the configuration of a single connection, for [pgx.ConnectConfig], with a token that is
// good now.
func (e *Endpoint) ConnConfig(ctx context.Context) (*pgx.ConnConfig, error) {
	config, err := e.parse()
	if err != nil {
		return nil, err
	}
	return config, e.BeforeConnect(ctx, config)
}

// parse makes a configuration that names no server. What the environment says of one is not used.
func (e *Endpoint) parse() (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig("host=localhost user=nobody password=none sslmode=disable")
	if err != nil {
		return nil, provider.Usagef("an environment variable of PostgreSQL (PG…) cannot be used").Because(err)
	}
	config.Database = e.endpoint.Database()
	return config, nil
}

// Connector returns a connector for [sql.OpenDB], which gives each new connection a token. change, if not nil,
// changes the configuration that all connections begin with.
func (e *Endpoint) Connector(change func(*pgx.ConnConfig)) (driver.Connector, error) {
	config, err := e.parse()
	if err != nil {
		return nil, err
	}
	if change != nil {
		change(config)
	}
	return stdlib.GetConnector(*config, stdlib.OptionBeforeConnect(e.BeforeConnect)), nil
}
