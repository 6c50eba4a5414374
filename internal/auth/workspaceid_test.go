package auth_test

import (
	"net/http"
	"testing"

	"github.com/lakeql/lakeql/internal/auth"
)

// TestWorkspaceID shows which calls carry the configured workspace id: calls of a workspace, with the id
// that belongs to their credential.
func TestWorkspaceID(t *testing.T) {
	const profiles = `
[DEFAULT]
host = https://dbc-1.cloud.databricks.com
token = s3cret-default
workspace_id = 11

[two]
host = https://dbc-2.cloud.databricks.com
token = s3cret-two
workspace_id = 22

[none]
host = https://dbc-3.cloud.databricks.com
token = s3cret-none

[account]
host = https://accounts.cloud.databricks.com
account_id = 0000-1111
client_id = account-client
client_secret = s3cret-account
workspace_id = 44
`
	tests := map[string]struct {
		env              map[string]string
		options          auth.Options
		host, deployment string // host is that of a document
		want             string
	}{
		"of the environment":               {map[string]string{"HOST": one, "TOKEN": "s3cret", "WORKSPACE_ID": "7"}, auth.Options{}, "", "", "7"},
		"of the environment, by the name":  {map[string]string{"HOST": one, "TOKEN": "s3cret", "WORKSPACE_ID": "7"}, auth.Options{}, "", "dbc-1", "7"},
		"of a credential without a host":   {map[string]string{"TOKEN": "s3cret", "WORKSPACE_ID": "7"}, auth.Options{}, "", "dbc-5", "7"},
		"of the host of the flag":          {map[string]string{"TOKEN": "s3cret", "WORKSPACE_ID": "7"}, auth.Options{Host: "acme.databricks.com"}, "", "", "7"},
		"of the default profile":           {nil, auth.Options{}, "", "", "11"},
		"of a profile":                     {nil, auth.Options{Profile: "two"}, "", "", "22"},
		"of the profile of a host":         {map[string]string{"WORKSPACE_ID": "7"}, auth.Options{Profile: "two"}, "", "dbc-1", "11"},
		"a profile without":                {nil, auth.Options{}, "", "dbc-3", ""},
		"of an account, for its workspace": {nil, auth.Options{Profile: "account"}, "", "dbc-5", "44"},
		"of another host's credential":     {map[string]string{"HOST": one, "TOKEN": "s3cret", "WORKSPACE_ID": "7"}, auth.Options{}, "", "dbc-5", ""},
		"a call of the account":            {map[string]string{"HOST": one, "TOKEN": "s3cret", "WORKSPACE_ID": "7"}, auth.Options{}, account, "", ""},
		"a call of the profile's account":  {nil, auth.Options{Profile: "account"}, account, "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			newWorld(t)
			configure(t, profiles)
			for name, value := range test.env {
				t.Setenv("DATABRICKS_"+name, value)
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/api", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.URL.Host = test.host
			if err := auth.NewChain(test.options).Direct(r, test.deployment); err != nil {
				t.Fatal(err)
			}
			if got := r.Header.Get("X-Databricks-Workspace-Id"); got != test.want {
				t.Errorf("%s gets the id %q, want %q", r.URL, got, test.want)
			}
		})
	}
}
