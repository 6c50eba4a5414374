// Package driver makes lakeql a driver for database/sql, under the name lakeql:
//
//	db, err := sql.Open("lakeql", "profile=production")
//	rows, err := db.QueryContext(ctx, "SELECT name FROM databricks_workspace.postgres.postgres_projects WHERE deployment_name = ?", "dbc-abcd0123-a1bc")
//
// The data source name is a list of settings, name=value, with semicolons between them; it may be empty. See
// [Config] for what they are. Credentials are found as by every other Databricks tool: in the environment
// and in ~/.databrickscfg.
//
// A connection is a session. SET, USE and CREATE TEMP VIEW change that session only, and a pool may hand the
// connection to another caller later; use [sql.Conn] for them. There are no transactions, because the API
// has none: Begin is an error.
//
// Queries and statements that change data take SQLite's placeholders (?, ?2, :name, @name). EXEC takes
// ? and :name in place of a parameter's value or its body. Values may be of any type that database/sql
// takes. Times become ISO 8601 text in UTC; []byte and json.RawMessage become text.
//
// Columns are int64, float64, bool, string, [time.Time] for what the documents call a date-time, or []byte
// for JSON and for numbers that the others cannot hold; any may be NULL. [sql.ColumnType] returns the matching
// nullable types of package sql, such as [sql.NullInt64]; an expression has no type. JSON scans into
// json.RawMessage, or sql.Null[json.RawMessage] if it may be NULL, and by [JSON] into slices, maps and structs.
//
// A text may hold several statements. Exec runs all of them; RowsAffected is the number of the last one.
// Query runs the first, and NextResultSet runs the next one. All are checked before the first one runs.
//
// A canceled context ends a statement and every request that is under way for it. Errors are an [*Error],
// whose Code is its kind; [errors.As] finds the [*provider.Error] in it.
package driver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/provider"
)

func init() { //nolint:gochecknoinits // database/sql knows drivers by name in no other way
	sql.Register("lakeql", Driver{})
}

// Config holds the settings of a data source name. Its zero value is the default of every setting.
type Config struct {
	// Profile of ~/.databrickscfg to take host and credential from (profile).
	Profile string
	// Host is the workspace that is called where a statement has no deployment_name (host).
	Host string
	// OnError is fail, or partial: continue without the rows of failing calls (on_error). Notes
	// receives a line for each gap, and SHOW ERRORS lists them.
	OnError string
	// PageLimit is how many pages of a list are read at most; 0: all (page_limit).
	PageLimit int
	// Parallel is how many requests are under way to one workspace at once, at most, over all
	// connections; 0: 16 (parallel).
	Parallel int
	// Store is the SQLite file that keeps tables and views (store); empty: in memory, for the connection.
	Store string
	// Memory is how many bytes of memory a statement may take for its answers, and as many for SQLite;
	// 0: 256 MiB (memory, such as 512MiB).
	Memory int64

	// A data source name cannot set the fields below.

	// HTTP sends the requests; nil: a client that follows no redirects. All connections share it, and
	// when the connector is closed, its idle network connections are.
	HTTP *http.Client
	// Logger gets one event a request, without credentials; nil: none.
	Logger *slog.Logger
	// Notes, if set, receives lines about a statement that are not rows.
	Notes func(line string)
}

// ParseConfig reads a data source name.
func ParseConfig(dsn string) (Config, error) {
	c, err := parseConfig(dsn)
	return c, failed(err)
}

func parseConfig(dsn string) (Config, error) {
	var c Config
	seen := map[string]bool{}
	for part := range strings.SplitSeq(dsn, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok {
			return c, provider.Usagef("the data source name has %s, which is no name=value", provider.Quote(name))
		}
		if seen[name] {
			return c, provider.Usagef("the data source name has %s twice", provider.Quote(name))
		}
		seen[name] = true
		var err error
		switch name {
		case "profile":
			c.Profile = value
		case "host":
			c.Host = value
		case "on_error":
			c.OnError = value
		case "store":
			c.Store = value
		case "memory":
			c.Memory, err = engine.ParseMemory(value)
		case "page_limit":
			c.PageLimit, err = count(name, value)
		case "parallel":
			c.Parallel, err = count(name, value)
		default:
			err = provider.Usagef("the data source name has an unknown setting %s; known are profile, host, on_error, page_limit, parallel, store, memory", provider.Quote(name))
		}
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

func count(name, value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return 0, provider.Usagef("%s: %s is no number from 0", name, provider.Quote(value))
	}
	return n, nil
}

// Driver opens connections by data source name.
type Driver struct{}

// Open opens a connection.
func (d Driver) Open(dsn string) (driver.Conn, error) {
	connector, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return connector.Connect(context.Background())
}

// OpenConnector reads a data source name.
func (Driver) OpenConnector(dsn string) (driver.Connector, error) {
	c, err := ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	return NewConnector(c)
}

// Connector opens connections, which share the catalogue, the credentials and the limits on requests. Give
// it to [sql.OpenDB].
type Connector struct {
	config     Config
	onError    engine.OnError
	connection *connect.Connection
}

var (
	_ driver.DriverContext = Driver{}
	_ io.Closer            = (*Connector)(nil)
)

// NewConnector makes a connector. Nothing is called, and no credential is looked for, before a statement
// needs it.
func NewConnector(c Config) (*Connector, error) {
	connector, err := newConnector(c)
	if err != nil {
		return nil, failed(err)
	}
	return connector, nil
}

func newConnector(c Config) (*Connector, error) {
	onError := engine.Fail
	if c.OnError != "" {
		var err error
		if onError, err = engine.ParseOnError(c.OnError); err != nil {
			return nil, err
		}
	}
	if scheme, _, ok := strings.Cut(c.Store, "://"); ok {
		return nil, provider.Usagef("store: the driver keeps tables and views in an SQLite file, not in %s://…", provider.Printable(scheme))
	}
	opened, err := connect.Open(connect.Options{
		Profile: c.Profile, Host: c.Host, UserAgent: "lakeql-driver",
		PageLimit: c.PageLimit, Parallel: c.Parallel, HTTP: c.HTTP, Logger: c.Logger,
	})
	if err != nil {
		return nil, err
	}
	return &Connector{config: c, onError: onError, connection: opened}, nil
}

// Close closes idle network connections; [sql.DB] calls it.
func (c *Connector) Close() error {
	c.connection.Close()
	return nil
}

// Driver returns the driver.
func (*Connector) Driver() driver.Driver { return Driver{} }

// Connect opens a connection.
func (c *Connector) Connect(context.Context) (driver.Conn, error) {
	session := c.connection.Session()
	session.OnError, session.StorePath, session.Note = c.onError, c.config.Store, c.config.Notes
	if c.config.Memory > 0 {
		session.SetMemory(c.config.Memory)
	}
	return &conn{session}, nil
}
