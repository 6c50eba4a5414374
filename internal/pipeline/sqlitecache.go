package pipeline

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/ncruces/go-sqlite3"
	sqlitedriver "github.com/ncruces/go-sqlite3/driver"

	"github.com/lakeql/lakeql/internal/sandbox"
)

// cachingConnector opens connections that keep prepared statements.
type cachingConnector struct{ driver.Connector }

// Connect opens a connection.
func (c cachingConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	own, ok := conn.(sqlitedriver.Conn)
	if !ok {
		return conn, nil
	}
	err = sandbox.Confine(own.Raw(), 0) // the file may be anybody's
	if err == nil {
		// Else SQLite plans a statement again at each run if a parameter might decide between two plans, such as
		// River's statement that takes jobs. There is one plan for all: nobody runs ANALYZE.
		_, err = own.Raw().Config(sqlite3.DBCONFIG_ENABLE_QPSG, true)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &cachingConn{Conn: own, idle: map[string]driver.Stmt{}}, nil
}

// mostIdle is how many prepared statements a connection keeps. River and the store have fewer that come
// again; those with the names of tables in them come and go.
const mostIdle = 200

// cachingConn is a connection that returns a prepared statement again if it is not in use. It passes
// texts without parameters to the driver, which runs them as scripts.
type cachingConn struct {
	sqlitedriver.Conn

	idle map[string]driver.Stmt
}

// ExecContext runs statements without arguments.
func (c *cachingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if direct, ok := c.Conn.(driver.ExecerContext); ok && len(args) == 0 {
		return direct.ExecContext(ctx, query, args)
	}
	return nil, driver.ErrSkip
}

// PrepareContext returns a statement of the text.
func (c *cachingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, ok := c.idle[query]
	if ok {
		delete(c.idle, query)
	} else {
		var err error
		if stmt, err = c.Conn.PrepareContext(ctx, query); err != nil {
			return nil, err
		}
	}
	both, ok := stmt.(queryExecer)
	if !ok {
		return stmt, nil
	}
	return &cachedStmt{queryExecer: both, conn: c, query: query}, nil
}

// Close ends the connection with its statements.
func (c *cachingConn) Close() error {
	var errs []error
	for _, stmt := range c.idle {
		errs = append(errs, stmt.Close())
	}
	c.idle = map[string]driver.Stmt{}
	return errors.Join(append(errs, c.Conn.Close())...)
}

// CheckNamedValue lets the driver look at the arguments of statements.
func (c *cachingConn) CheckNamedValue(arg *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(arg)
	}
	return driver.ErrSkip
}

// queryExecer is the interface of the driver's statements.
type queryExecer interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
	driver.NamedValueChecker
}

// cachedStmt is a statement that goes back to its connection.
type cachedStmt struct {
	queryExecer

	conn  *cachingConn
	query string
}

// Close returns the statement to the cache, or closes it if the cache has one with its text.
func (s *cachedStmt) Close() error {
	if _, there := s.conn.idle[s.query]; there || len(s.conn.idle) >= mostIdle {
		return s.queryExecer.Close()
	}
	s.conn.idle[s.query] = s.queryExecer
	return nil
}
