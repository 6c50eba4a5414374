package pipeline

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/riverqueue/river/rivertype"

	"github.com/lakeql/lakeql/provider"
)

// account lists workspaces, or answers with an error, and counts how often it is asked.
type account struct {
	Asker

	names []string
	err   error
	asked int
}

func (account) HostOf(name string) string { return name + ".cloud.databricks.com" }

func (a *account) Ask(_ context.Context, _, _ string, _ Pacer, read func(provider.Rows) error) error {
	a.asked++
	if a.err != nil {
		return a.err
	}
	var rows [][]any
	for _, name := range a.names {
		rows = append(rows, []any{name, name})
	}
	return read(provider.NewRows(columns("deployment_name workspace_name"), rows))
}

// TestFailuresOfListedWorkspaces: the error of a query says whether its workspace is gone, as far as that is known.
func TestFailuresOfListedWorkspaces(t *testing.T) {
	t.Parallel()
	const hint = "take it off workspaces in pipeline.yaml; the next run marks its rows as left, and lakeql pipeline forget --workspace dbc-2 deletes them"
	status := func(n int, absent bool) *provider.Error {
		e := provider.Errorf(provider.API, "the call failed").Hintf("look")
		e.Status, e.Absent = n, absent
		return e
	}
	missing := provider.Errorf(provider.Network, "the call failed").Because(&net.DNSError{IsNotFound: true})
	refused := provider.Errorf(provider.Unauthorized, "the call failed")
	for name, test := range map[string]struct {
		listed     []string
		workspaces Workspaces
		err        error
		says       string // and its hint
		asked      int
	}{
		"listed no more":           {[]string{"dbc-1"}, Workspaces{Names: []string{"dbc-1", "dbc-2"}}, refused, "the account does not list the workspace dbc-2; " + hint, 1},
		"listed":                   {[]string{"dbc-1", "dbc-2"}, Workspaces{Names: []string{"dbc-1", "dbc-2"}}, refused, "the call failed", 1},
		"another account":          {[]string{"dbc-7"}, Workspaces{Names: []string{"dbc-1", "dbc-2"}}, missing, "the call failed; if the workspace is gone, " + hint, 1},
		"no account":               {nil, Workspaces{Names: []string{"dbc-1", "dbc-2"}}, missing, "the call failed; if the workspace is gone, " + hint, 1},
		"a 404 of a proxy":         {nil, Workspaces{Names: []string{"dbc-1", "dbc-2"}}, status(http.StatusNotFound, false), "the call failed; look; if the workspace is gone, " + hint, 1},
		"a 404 of a resource":      {nil, Workspaces{Names: []string{"dbc-1", "dbc-2"}}, status(http.StatusNotFound, true), "the call failed; look", 1},
		"a query for workspaces":   {[]string{"dbc-1"}, Workspaces{Query: "SELECT 1"}, refused, "the account does not list the workspace dbc-2; " + hint, 1},
		"all workspaces":           {[]string{"dbc-1"}, Workspaces{All: true}, refused, "the call failed", 0},
		"a workspace that is busy": {[]string{"dbc-1"}, Workspaces{Names: []string{"dbc-1", "dbc-2"}}, status(http.StatusTooManyRequests, false), "the call failed; look", 0},
		"a wrong query":            {[]string{"dbc-1"}, Workspaces{Names: []string{"dbc-1", "dbc-2"}}, provider.Usagef("the call failed"), "the call failed", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "store.db"), nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(store.Close)
			for _, workspace := range []string{"dbc-1", "dbc-2"} {
				if _, err := store.db.exec(t.Context(), "INSERT INTO lakeql_task (run_id, table_name, deployment_name, state) VALUES (1, 't', ?1, 'running')", workspace); err != nil {
					t.Fatal(err)
				}
			}
			asker := &account{names: test.listed}
			if test.listed == nil {
				asker.err = provider.Usagef("no account")
			}
			w := &Worker{Store: store, Asker: asker}
			for range 2 {
				task := &task{worker: w, job: &job[taskArgs]{JobRow: &rivertype.JobRow{}, Args: taskArgs{1, "t", "dbc-2"}}, def: &Definition{Workspaces: test.workspaces}}
				if got := told(task.explain(t.Context(), test.err)); got != test.says {
					t.Errorf("it says\n%s\nwant\n%s", got, test.says)
				}
			}
			if asker.asked != test.asked {
				t.Errorf("the account was asked %d times, want %d", asker.asked, test.asked)
			}
		})
	}
}
