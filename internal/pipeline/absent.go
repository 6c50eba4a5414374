package pipeline

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// A pipeline that lists its workspaces by name fails if one of them does not answer: the list says that it is
// wanted. Whoever reads the failure wants to know whether the query or the workspace is at fault. If the worker
// may ask the account, it asks once a run, and the failure says that the account does not list the workspace.

// accounts is what the account lists, by run.
type accounts struct {
	mu   sync.Mutex
	runs map[int64]func() map[string]bool
}

// keptAccounts bounds the runs whose lists are kept.
const keptAccounts = 8

// of returns what ask returned for a run. It asks once.
func (a *accounts) of(run int64, ask func() map[string]bool) map[string]bool {
	a.mu.Lock()
	if a.runs == nil || len(a.runs) >= keptAccounts && a.runs[run] == nil {
		a.runs = map[int64]func() map[string]bool{}
	}
	if a.runs[run] == nil {
		a.runs[run] = sync.OnceValue(ask)
	}
	answer := a.runs[run]
	a.mu.Unlock()
	return answer()
}

// explain adds to the error of a query what is known about its workspace.
func (t *task) explain(ctx context.Context, err error) error {
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || len(t.def.Workspaces.Names) == 0 && t.def.Workspaces.Query == "" || e.Code != provider.API && e.Code != provider.Network && e.Code != provider.Unauthorized {
		return err
	}
	if e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError { // it is there
		return err
	}
	name := t.job.Args.Workspace
	then := "take it off workspaces in " + ConfigFile + "; the next run marks its rows as left, and lakeql pipeline forget --workspace " + provider.Printable(name) + " deletes them"
	if t.unlisted(ctx) {
		return provider.Change(err, func(e *provider.Error) {
			e.Message = "the account does not list the workspace " + provider.Printable(name)
			e.Hint = then
		})
	}
	lookup, unknown := errors.AsType[*net.DNSError](err)
	if unknown && lookup.IsNotFound || e.Status == http.StatusNotFound && !e.Absent {
		return provider.Change(err, func(e *provider.Error) {
			if e.Hint != "" {
				e.Hint += "; "
			}
			e.Hint += "if the workspace is gone, " + then
		})
	}
	return err
}

// askAccount bounds how long the account is asked.
const askAccount = 30 * time.Second

// unlisted reports whether the account lists other workspaces of the pipeline, and not that of the task. An account
// that lists none of them is another one.
func (t *task) unlisted(ctx context.Context) bool {
	asker := t.worker.Asker
	listed := t.worker.accounts.of(t.job.Args.Run, func() map[string]bool {
		ctx, stop := context.WithTimeout(ctx, askAccount)
		defer stop()
		hosts := map[string]bool{}
		err := asker.Ask(ctx, "", allWorkspaces, t.worker.pacer(t.def, &effort{}), func(rows provider.Rows) error {
			return eachRow(ctx, rows, func(row []any) error {
				if name, ok := row[0].(string); ok && name != "" {
					hosts[asker.HostOf(name)] = true
				}
				return nil
			})
		})
		if err != nil { // nobody may ask it, or no account is configured
			return nil
		}
		return hosts
	})
	if len(listed) == 0 || listed[asker.HostOf(t.job.Args.Workspace)] {
		return false
	}
	names, err := texts(ctx, t.worker.Store.db, "SELECT DISTINCT deployment_name FROM lakeql_task WHERE run_id = ?1", t.job.Args.Run)
	return err == nil && slices.ContainsFunc(names, func(name string) bool { return listed[asker.HostOf(name)] })
}
