package pipeline

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/lakeql/lakeql/internal/postgres"
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
func openPostgres(ctx context.Context, dsn string, minter postgres.Minter) (*postgresDatabase, error) {
	config, where, err := postgres.Config(dsn, minter)
	if err != nil {
		return nil, err
	}
	if _, said := config.ConnConfig.RuntimeParams[idleSetting]; !said {
		config.AfterConnect = endIdleTransactions
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
var copyPlace = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`COPY \S+, [^\d]+ (\d+)(?:, \S+ ([^\s:]+))?`)
})

// copyError finds the row of a COPY with a value that PostgreSQL refuses: SQLSTATEs of the classes 22 (data)
// and 54 (limits).
func copyError(err error) error {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || !strings.HasPrefix(e.Code, "22") && !strings.HasPrefix(e.Code, "54") {
		return err
	}
	refused := &rowError{row: -1, message: e.Message, err: err}
	if place := copyPlace().FindStringSubmatch(e.Where); place != nil {
		line, _ := strconv.Atoi(place[1]) // digits
		refused.row, refused.column = line-1, place[2]
	}
	return refused
}
