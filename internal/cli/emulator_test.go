package cli_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
)

const uidOfP = "SELECT uid FROM databricks_workspace.postgres.postgres_projects WHERE name = 'projects/p'"

// TestProfilesOfNamedWorkspaces reaches workspaces of an emulator by hosts under localhost, with a
// token and with an OAuth client. No name server is asked: there need not be one.
func TestProfilesOfNamedWorkspaces(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2"}})
	ask := func(env []string, suffix string) result {
		return run{args: []string{"exec", "-o", "csv", "-H", uidOfP + suffix}, env: env}.do(t)
	}
	uids := map[string]string{}
	for _, name := range []string{"dbc-1", "dbc-2"} {
		uids[name] = ask(env, " AND deployment_name = '"+name+"'").stdout
	}
	if uids["dbc-1"] == "" || uids["dbc-1"] == uids["dbc-2"] {
		t.Fatalf("the workspaces have the projects %v", uids)
	}
	config := configured(t, fmt.Sprintf("[one]\nhost = %s\ntoken = %s\n[two]\nhost = %s\nclient_id = %s\nclient_secret = %s\n[gone]\nhost = %s\ntoken = %[2]s\n",
		server.WorkspaceURL("dbc-1"), server.Token(), server.WorkspaceURL("dbc-2")+"/", server.ClientID(), server.ClientSecret(), server.WorkspaceURL("dbc-9")))
	profile := func(name string) []string {
		return []string{"DATABRICKS_CONFIG_FILE=" + config, "DATABRICKS_CONFIG_PROFILE=" + name}
	}
	for _, tt := range []struct {
		env          []string
		suffix, want string
	}{
		{profile("one"), "", "dbc-1"},
		{profile("two"), "", "dbc-2"},
		{profile("one"), " AND deployment_name = 'dbc-2'", "dbc-2"},
		{[]string{"DATABRICKS_HOST=" + server.WorkspaceURL("dbc-2"), "DATABRICKS_TOKEN=" + server.Token(), "HTTP_PROXY=http://" + testworld.ClosedAddress(t)}, "", "dbc-2"},
	} {
		if got := ask(tt.env, tt.suffix); got.status != 0 || got.stdout != uids[tt.want] {
			t.Errorf("%v%s: status %d, %q, want %q; stderr:\n%s", tt.env, tt.suffix, got.status, got.stdout, uids[tt.want], got.stderr)
		}
	}
	// An account with workspaces of its own has no others.
	for _, got := range []result{ask(profile("gone"), ""), ask(env, " AND deployment_name = 'dbc-9'")} {
		if got.status != 1 || got.stdout != "" || !strings.Contains(got.stderr, `There is no workspace "dbc-9"`) || !strings.Contains(got.stderr, "HTTP 404") {
			t.Errorf("status %d, %q, stderr:\n%s", got.status, got.stdout, got.stderr)
		}
	}
	_, env = workspace(t, emulator.Options{})
	if got := ask(env, " AND deployment_name = 'dbc-9'"); got.status != 0 || got.stdout == "" {
		t.Errorf("an emulator without names: status %d, stderr:\n%s", got.status, got.stderr)
	}
}

// TestPostgresThatIsNotThere starts the emulator with a server that does not answer.
func TestPostgresThatIsNotThere(t *testing.T) {
	t.Parallel()
	host, port, err := net.SplitHostPort(testworld.ClosedAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	got := run{args: []string{"emulator", "--postgres", "host=" + host + " port=" + port + " user=postgres dbname=postgres"}}.do(t)
	if got.status != 1 || got.stdout != "" || !strings.Contains(got.stderr, "error: the PostgreSQL server at "+host+":"+port+" cannot be used: ") || !strings.Contains(got.stderr, "hint: check the connection string of --postgres") {
		t.Errorf("status %d after %v, stdout %q, stderr:\n%s", got.status, time.Since(begun), got.stdout, got.stderr)
	}
}

// noAdministrator: a role that cannot create roles and databases is refused at the start.
func noAdministrator(t *testing.T, c *cluster) {
	t.Helper()
	c.do(t, "CREATE ROLE guest LOGIN CREATEROLE PASSWORD 'x'")
	for user, want := range map[string]string{
		"guest password=x":     `the role "guest" of the PostgreSQL server may not create roles and databases`,
		"guest password=wrong": "cannot be used: ",
	} {
		got := run{args: []string{"emulator", "--postgres", fmt.Sprintf("host=%s port=%d sslmode=disable dbname=postgres user=%s", loopback, c.Port, user)}}.do(t)
		if got.status != 4 || got.stdout != "" || !strings.Contains(got.stderr, want) || strings.Contains(got.stderr, "wrong") {
			t.Errorf("%s: status %d, stdout %q, stderr:\n%s", user, got.status, got.stdout, got.stderr)
		}
	}
}
