// Package pipeline keeps an inventory of workspaces in a database: the same queries over one workspace
// or a thousand, on a schedule, with the history of what changed.
//
// A [Definition] is a folder of SQL files, one a table, and what pipeline.yaml says of them. A [Store] is
// the database, an SQLite file or a PostgreSQL server, which holds the rows, their history, and the queue
// of work. A [Worker] carries that work out: a run is one task for each workspace and table, a task one
// query against one workspace, and its rows and its completion become part of the database in one
// transaction. So whatever is killed, and however often, what was finished stays finished, what was not
// is done again, and no row is there twice.
//
// Queries are asked through an [Asker], which knows the API; this package does not.
package pipeline

import (
	"context"

	"github.com/lakeql/lakeql/provider"
)

// Asker asks queries of workspaces.
type Asker interface {
	// Columns checks a query without any call, and describes its rows.
	Columns(ctx context.Context, query string) ([]provider.Column, error)
	// Ask runs a query against a workspace, the one of its calls that name none, and hands its rows to
	// read. All of them are there when read has seen io.EOF; an answer that is not whole is an error.
	// Credentials are masked.
	Ask(ctx context.Context, workspace, query string, pace Pacer, read func(provider.Rows) error) error
	// CheckWorkspace reports what is wrong with a deployment name.
	CheckWorkspace(name string) error
	// HostOf returns the host that a deployment name leads to. Names with the same host are one
	// workspace.
	HostOf(name string) string
}

// Pacer is asked before each request of a query, and told how it was answered.
type Pacer interface {
	// Wait returns when a request may be sent to a workspace.
	Wait(ctx context.Context, workspace string) error
	// Answered is told the HTTP status of an answer, 0 where there was none.
	Answered(workspace string, status int)
}
