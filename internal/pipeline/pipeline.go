// Package pipeline keeps an inventory of workspaces in a database: the same queries over one workspace
// or a thousand, on a schedule, with a history of the changes.
//
// A [Definition] is a folder of SQL files, one for each table, with the settings of pipeline.yaml. A
// [Store] is the database, an SQLite file or a PostgreSQL server, which holds the rows, their history, and
// the queue of work. A [Worker] does the work: a run is one task for each workspace and table, and a task
// is one query against one workspace. One transaction stores the rows of a task together with its
// completion. So finished tasks stay finished, unfinished tasks run again, and no row is stored twice, even
// if workers are killed.
//
// An [Asker] makes the queries. It knows the API; this package does not.
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
	// CheckWorkspace returns an error for an invalid deployment name.
	CheckWorkspace(name string) error
	// HostOf returns the host that a deployment name leads to. Names with the same host are one
	// workspace.
	HostOf(name string) string
}

// Pacer is asked before each request of a query, and told how it was answered.
type Pacer interface {
	// Wait returns when a request may be sent to a workspace.
	Wait(ctx context.Context, workspace string) error
	// Answered receives the HTTP status of an answer, or 0 without an answer.
	Answered(workspace string, status int)
}
