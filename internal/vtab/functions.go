package vtab

import (
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/functions"
	"github.com/lakeql/lakeql/provider"
)

// AddFunctions adds to a database all functions that statements may call beyond SQLite's own, and
// those that edits call.
func AddFunctions(db *sqlite3.Conn) error {
	if err := functions.All(db); err != nil {
		return err
	}
	return addOwn(db)
}

// addOwn adds the functions that edits call.
func addOwn(db *sqlite3.Conn) error {
	const pure = sqlite3.DETERMINISTIC | sqlite3.INNOCUOUS
	if err := errors.Join(addSpelling(db), db.CreateFunction(workspaceFunction, 3, pure, workspaceOf)); err != nil {
		return provider.Internalf("add functions to SQLite").Because(err)
	}
	return nil
}

// workspaceFunction returns the deployment name of a workspace that the account lists. A workspace
// without one cannot be called; the function fails, so that the workspace is not left out without a
// message. Its arguments are the deployment name, which EXPLAIN follows, the parameter that takes it, and
// the name of the workspace for the message.
const workspaceFunction = "lakeql_workspace"

func workspaceOf(ctx sqlite3.Context, args ...sqlite3.Value) {
	if name := args[0]; name.Type() != sqlite3.NULL && name.Text() != "" {
		ctx.ResultText(name.Text())
		return
	}
	ctx.ResultError(errors.New(args[1].Text() + " = '*': the workspace " + provider.Quote(args[2].Text()) + " of the account has no deployment name; list the workspaces with IN"))
}
