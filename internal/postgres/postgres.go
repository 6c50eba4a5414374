// Package postgres reaches PostgreSQL servers, for all packages that keep something in one.
//
//   - [Config] reads a connection string. It may name an endpoint of Lakebase, whose passwords are minted.
//   - [CheckStore] refuses a store that is neither a file nor a connection string it reads.
//   - [Place] names a server without what opens it, for messages.
//   - [EscapeText] and [EscapeJSON] make values that PostgreSQL takes (escape.go).
package postgres

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lakeql/lakeql/provider"
)

// The parameters of a connection string that name a Lakebase endpoint.
const (
	lakebaseEndpoint  = "lakebase_endpoint"
	lakebaseWorkspace = "lakebase_workspace"
)

// lakebaseScheme begins the short form of a connection string:
// lakebase://projects/p/branches/b/endpoints/e/database.
const lakebaseScheme = "lakebase"

// usualDatabase is the database that every branch of Lakebase has.
const usualDatabase = "databricks_postgres"

// fromLakebase converts the short form to the long one, postgres:///database?lakebase_endpoint=….
func fromLakebase(u *url.URL) (*url.URL, error) {
	parts := strings.Split(strings.Trim(u.Host+u.Path, "/"), "/")
	if len(parts) == 6 {
		parts = append(parts, usualDatabase)
	}
	if len(parts) != 7 || parts[0] != "projects" || parts[2] != "branches" || parts[4] != "endpoints" || slices.Contains(parts, "") {
		return nil, provider.Usagef("the connection string lakebase://… names no endpoint").
			Hintf("write lakebase://projects/p/branches/b/endpoints/e/database")
	}
	query := u.Query()
	query.Set(lakebaseEndpoint, strings.Join(parts[:6], "/"))
	return &url.URL{Scheme: "postgres", User: u.User, Path: "/" + parts[6], RawQuery: encoded(query)}, nil
}

// encoded writes parameters as PostgreSQL reads them.
func encoded(query url.Values) string { return strings.ReplaceAll(query.Encode(), "+", "%20") }

// Config reads a connection string. where names the server without its password. The sessions count times
// in UTC.
func Config(dsn string, minter Minter) (config *pgxpool.Config, where string, err error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, "", unreadable() // the error would quote the string, password and all
	}
	u.RawQuery = strings.ReplaceAll(u.RawQuery, "+", "%2B") // in such a string, + stands for itself
	if u.Scheme == lakebaseScheme {
		if u, err = fromLakebase(u); err != nil {
			return nil, "", err
		}
	}
	query := u.Query()
	endpoint, workspace := query.Get(lakebaseEndpoint), query.Get(lakebaseWorkspace)
	query.Del(lakebaseEndpoint)
	query.Del(lakebaseWorkspace)
	if endpoint != "" && !query.Has("sslmode") && !isLoopback(u.Hostname()) {
		query.Set("sslmode", "verify-full") // a token is a password
	}
	fromEndpoint := endpoint != "" && u.Hostname() == ""
	if fromEndpoint { // without a host it would be a socket of this machine, for which there is no TLS
		u.Host = endpointHost + u.Host
	}
	u.RawQuery = encoded(query)
	if config, err = pgxpool.ParseConfig(u.String()); err != nil {
		return nil, "", unreadable()
	}
	if !query.Has("pool_max_conns") {
		config.MaxConns = 8
	}
	config.MaxConns = max(config.MaxConns, 2) // one listens for jobs
	config.ConnConfig.RuntimeParams["application_name"] = "lakeql"
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if endpoint != "" {
		if minter == nil {
			return nil, "", provider.Usagef("the connection string names a Lakebase endpoint, for which there is no workspace to ask")
		}
		login := &logins{mint: minter, workspace: workspace, endpoint: endpoint, host: fromEndpoint, user: u.User.Username() == ""}
		config.BeforeConnect = login.fill
	}
	return config, Place(dsn), nil
}

// endpointHost stands for the host of an endpoint until that is asked for.
const endpointHost = "endpoint.invalid"

// keywords is the beginning of libpq's other form of a connection string.
var keywords = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^\s*(host|hostaddr|port|user|password|passfile|dbname|service|sslmode)\s*=`)
})

// CheckStore returns an error for a store that is neither a connection string that [Config] reads nor the
// name of a file. The name of such a file might hold a password.
func CheckStore(store string) error {
	scheme, _, isURL := strings.Cut(store, "://")
	switch {
	case Is(store):
		return nil
	case isURL:
		return provider.Usagef("the store %s://… is neither an SQLite file nor postgres://…", provider.Printable(scheme)).
			Hintf("name a file, or a PostgreSQL server as postgres://user@host/database")
	case keywords().MatchString(store):
		return provider.Usagef("the store is a connection string of keywords, which lakeql does not read").
			Hintf("write it as a URL, postgres://user@host:5432/database; for a file whose name has an equals sign write ./ before it")
	}
	return nil
}

// Place names a store without its password, even if the name cannot be parsed.
func Place(store string) string {
	scheme, _, ok := strings.Cut(store, "://")
	if !ok {
		return store
	}
	u, err := url.Parse(store)
	if err != nil {
		return scheme + "://…"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

func unreadable() error {
	return provider.Usagef("the connection string of the store cannot be read").
		Hintf("write postgres://user@host:5432/database, with the password in PGPASSWORD or ~/.pgpass, or ?lakebase_endpoint=projects/…/branches/…/endpoints/…")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Is reports whether a store is the connection string of a server, not the name of a file.
func Is(store string) bool {
	return slices.ContainsFunc([]string{"postgres", "postgresql", lakebaseScheme}, func(scheme string) bool { return strings.HasPrefix(store, scheme+"://") })
}
