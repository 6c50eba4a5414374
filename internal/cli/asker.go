package cli

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/provider"
)

// asker makes the queries of pipelines, each in a new session, over one connection.
type asker struct {
	connection *connection
	programs   *engine.Programs
	note       func(format string, args ...any)
}

const (
	// idleConnections are kept for pipelines: they come back to many workspaces.
	idleConnections = 2048
	// queryPatience is how long a pipeline's query retries a refused call itself. After that it waits in
	// the queue, where it does not block a worker.
	queryPatience = 10 * time.Second
)

// askers opens the connection that the queries of pipelines share.
func (c *command) askers() (*asker, error) {
	found, err := c.connect(func(o *connect.Options) {
		o.IdleConnections, o.Retry.Budget = idleConnections, queryPatience
	})
	if err != nil {
		return nil, err
	}
	programs := &engine.Programs{}
	end := found.close
	found.close = func() {
		_ = programs.Close() // nothing is lost with them
		end()
	}
	return &asker{found, programs, c.note}, nil
}

// session makes a session. Its calls go to a workspace unless a statement names another one.
func (a *asker) session(workspace string, pace pipeline.Pacer) *engine.Session {
	session := a.connection.Session()
	session.Client.Deployment = workspace
	session.Client.Confined = workspace != "" // or its rows would be those of another
	if pace != nil {
		session.Client.Pacer = pace
	}
	session.QueriesOnly, session.Masked, session.Programs = true, true, a.programs
	session.Note = func(line string) {
		if workspace != "" { // else the query is only checked
			line = workspace + ": " + line
		}
		a.note("%s", line)
	}
	return session
}

// Columns implements [pipeline.Asker].
func (a *asker) Columns(_ context.Context, query string) ([]provider.Column, error) {
	session := a.session("", nil)
	defer session.Close()
	return session.Columns(query)
}

// Ask implements [pipeline.Asker].
func (a *asker) Ask(ctx context.Context, workspace, query string, pace pipeline.Pacer, read func(provider.Rows) error) error {
	session := a.session(workspace, pace)
	defer session.Close()
	return readQuery(ctx, session, query, read)
}

// readQuery runs a text, which has to be one query, and hands its rows to read. A template may give another text
// for each workspace.
func readQuery(ctx context.Context, session *engine.Session, query string, read func(provider.Rows) error) error {
	if n, err := session.Count(query); err != nil || n != 1 {
		return cmp.Or(err, error(provider.Usagef("there are %d statements where one query has to be", n)))
	}
	for rows, err := range session.Run(ctx, query) {
		if err != nil {
			return err
		}
		if err := errors.Join(read(rows), rows.Close()); err != nil {
			return err
		}
	}
	return nil
}

// CheckWorkspace implements [pipeline.Asker].
func (a *asker) CheckWorkspace(name string) error { return a.connection.CheckWorkspace(name) }

// HostOf implements [pipeline.Asker].
func (a *asker) HostOf(name string) string { return a.connection.HostOf(name) }
