package pipeline

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lakeql/lakeql/provider"
)

// postgresDatabase is a PostgreSQL server, on which any number of processes work.
type postgresDatabase struct {
	pgConn

	pool  *pgxpool.Pool
	life  *pgxpool.Pool // one connection for what must not wait for others
	queue *riverQueue[pgx.Tx]
}

// migrationLock is the advisory lock under which tables are made: several workers may start at once.
const migrationLock = 0x6c616b6570

// openPostgres connects to a server.
func openPostgres(ctx context.Context, dsn string, minter Minter) (*postgresDatabase, error) {
	config, where, err := postgresConfig(dsn, minter)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, storeError(where, err)
	}
	single := config.Copy()
	single.MaxConns = 1
	life, err := pgxpool.NewWithConfig(ctx, single)
	if err != nil {
		pool.Close()
		return nil, storeError(where, err)
	}
	p := &postgresDatabase{pgConn: pgConn{pool}, pool: pool, life: life}
	if err := p.migrate(ctx); err != nil {
		p.close()
		return nil, storeError(where, err)
	}
	return p, nil
}

// Minter returns the password and the host of a Lakebase endpoint, projects/…/branches/…/endpoints/…, in a
// workspace (empty: the configured one).
type Minter func(ctx context.Context, workspace, endpoint string) (Login, error)

// Login holds the credentials of a Lakebase endpoint.
type Login struct {
	Host     string
	User     string // the identity that the password is for; empty: not known
	Password provider.Secret
	Expires  time.Time // when it opens no new connection any more
}

// The parameters of a connection string that name a Lakebase endpoint.
const (
	lakebaseEndpoint  = "lakebase_endpoint"
	lakebaseWorkspace = "lakebase_workspace"
)

// postgresConfig reads a connection string. where names the server without its password.
func postgresConfig(dsn string, minter Minter) (config *pgxpool.Config, where string, err error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, "", unreadableDSN() // the error would quote the string, password and all
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
	u.RawQuery = query.Encode()
	if config, err = pgxpool.ParseConfig(u.String()); err != nil {
		return nil, "", unreadableDSN()
	}
	if !query.Has("pool_max_conns") {
		config.MaxConns = 8
	}
	config.MaxConns = max(config.MaxConns, 2) // one listens for jobs
	config.ConnConfig.RuntimeParams["application_name"] = "lakeql"
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if !query.Has(idleSetting) {
		config.AfterConnect = endIdleTransactions
	}
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

const (
	idleSetting = "idle_in_transaction_session_timeout"
	// longestIdle is the longest time without activity in a transaction: a worker that freezes in one
	// blocks all others. patientIdle is the limit for transactions that read or write much besides the
	// database: one that compares a million rows is idle for some seconds.
	longestIdle = 15 * time.Second
	patientIdle = 5 * time.Minute
)

// endIdleTransactions is no parameter of the connection, which proxies refuse that do not know it.
func endIdleTransactions(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, fmt.Sprintf("SET %s = %d", idleSetting, longestIdle.Milliseconds()))
	return err
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

func unreadableDSN() error {
	return provider.Usagef("the connection string of the store cannot be read").
		Hintf("write postgres://user@host:5432/database, with the password in PGPASSWORD or ~/.pgpass, or ?lakebase_endpoint=projects/…/branches/…/endpoints/…")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// isPostgres reports whether a store is the connection string of a server, not the name of a file.
func isPostgres(store string) bool {
	return strings.HasPrefix(store, "postgres://") || strings.HasPrefix(store, "postgresql://")
}

// logins mint the password of an endpoint before a connection, and keep it while it is good for more.
type logins struct {
	mint                Minter
	workspace, endpoint string
	host, user          bool // the endpoint says them

	mu     sync.Mutex
	last   Login
	minted time.Time
}

const (
	// renewal is how long before its end a password is not used for new connections any more.
	renewal = 5 * time.Minute
	// mintPause is how long a password is kept at least that the server refuses: another one may not be better.
	mintPause = 5 * time.Second
)

func (l *logins) fill(ctx context.Context, config *pgx.ConnConfig) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Until(l.last.Expires) < renewal {
		login, err := l.mint(ctx, l.workspace, l.endpoint)
		if err != nil {
			return err
		}
		l.last, l.minted = login, time.Now()
	}
	used, tell := l.last.Password, config.OnPgError
	config.OnPgError = func(conn *pgconn.PgConn, err *pgconn.PgError) bool {
		if strings.HasPrefix(err.Code, "28") {
			l.refused(used)
		}
		return tell(conn, err)
	}
	config.Password = used.Reveal()
	if l.user && l.last.User != "" {
		config.User = l.last.User
	}
	if l.host {
		config.Host = l.last.Host
		config.Fallbacks = slices.DeleteFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool { return f.Host != l.last.Host })
		if config.TLSConfig != nil {
			config.TLSConfig = config.TLSConfig.Clone()
			config.TLSConfig.ServerName = l.last.Host
		}
	}
	return nil
}

// refused forgets a password that did not open the server: it may have been taken back.
func (l *logins) refused(password provider.Secret) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last.Password == password && time.Since(l.minted) > mintPause {
		l.last = Login{}
	}
}

func (p *postgresDatabase) migrate(ctx context.Context) error {
	conn, err := p.life.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, fmt.Sprintf("SELECT pg_advisory_lock(%d)", migrationLock)); err != nil {
		return err
	}
	defer func() { // with the session at the latest
		_, _ = conn.Exec(context.WithoutCancel(ctx), fmt.Sprintf("SELECT pg_advisory_unlock(%d)", migrationLock))
	}()
	if p.queue, err = openPostgresQueue(p.pool); err != nil {
		return err
	}
	return p.queue.migrate(ctx)
}

func (p *postgresDatabase) dialect() *dialect {
	d := &dialect{postgres: true}
	if p.pool.Config().AfterConnect != nil { // else the connection string says it
		d.patience = fmt.Sprintf("SET LOCAL %s = %d", idleSetting, patientIdle.Milliseconds())
	}
	return d
}

func (p *postgresDatabase) signs() conn { return pgConn{p.life} }

func (p *postgresDatabase) transact(ctx context.Context, f func(tx) error) error {
	t, err := p.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback(context.WithoutCancel(ctx)) }() // after Commit there is nothing to take back
	c := pgConn{t}
	if err := f(&postgresTx{pgConn: c, queueTx: p.queue.in(t, c), tx: t}); err != nil {
		return err
	}
	return t.Commit(ctx)
}

func (p *postgresDatabase) work(ctx context.Context, w *queueWorker) (worker, error) {
	return p.queue.work(ctx, w)
}

func (p *postgresDatabase) close() {
	p.pool.Close()
	p.life.Close()
}

// pgConn runs statements by pgx.
type pgConn struct {
	db interface {
		Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
		Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	}
}

func (c pgConn) exec(ctx context.Context, query string, args ...any) (int64, error) {
	done, err := c.db.Exec(ctx, (&dialect{postgres: true}).bind(query), args...)
	return done.RowsAffected(), err
}

func (c pgConn) query(ctx context.Context, query string, args ...any) (resultRows, error) {
	return c.db.Query(ctx, (&dialect{postgres: true}).bind(query), args...) //nolint:sqlclosecheck // whoever asked closes them
}

type postgresTx struct {
	pgConn
	queueTx

	tx pgx.Tx
}

func (t *postgresTx) insert(ctx context.Context, table string, columns []string, rows [][]any) error {
	_, err := t.tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
	return copyError(err)
}

// copyPlace is where PostgreSQL says which line of a COPY it refuses, and which column.
var copyPlace = regexp.MustCompile(`COPY \S+, [^\d]+ (\d+)(?:, \S+ ([^\s:]+))?`)

// copyError finds the row of a COPY with a value that PostgreSQL refuses: SQLSTATEs of the classes 22 (data)
// and 54 (limits).
func copyError(err error) error {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || !strings.HasPrefix(e.Code, "22") && !strings.HasPrefix(e.Code, "54") {
		return err
	}
	refused := &rowError{row: -1, message: e.Message, err: err}
	if place := copyPlace.FindStringSubmatch(e.Where); place != nil {
		line, _ := strconv.Atoi(place[1]) // digits
		refused.row, refused.column = line-1, place[2]
	}
	return refused
}
