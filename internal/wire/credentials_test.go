package wire

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	databricks "github.com/databricks/databricks-sdk-go"
	"github.com/databricks/databricks-sdk-go/service/compute"
	"github.com/databricks/databricks-sdk-go/service/oauth2"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/testworld"
)

// unifiedHost is a host that serves an account with its workspaces, and records its requests.
type unifiedHost struct {
	url string

	mu    sync.Mutex
	seen  []string
	asked int // for its description, which is not in seen: the SDK asks more often than we do
}

// newUnifiedHost starts a host. Its description names the OAuth endpoints of the account.
func newUnifiedHost(t *testing.T) *unifiedHost {
	t.Helper()
	h := &unifiedHost{}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

func (h *unifiedHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	line := r.Method + " " + r.URL.Path
	if form := r.PostForm.Encode(); form != "" {
		line += " " + form
	}
	if user, password, ok := r.BasicAuth(); ok {
		line += " " + user + ":" + password
	} else if credential := r.Header.Get("Authorization"); credential != "" {
		line += " " + credential
	}
	if id := r.Header.Get("X-Databricks-Workspace-Id"); id != "" {
		line += " workspace " + id
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path == "/.well-known/databricks-config":
		h.asked++
		_, _ = fmt.Fprintf(w, `{"host_type": "unified", "account_id": "a-1", "oidc_endpoint": "%s/oidc/accounts/{account_id}"}`, h.url)
		return
	case strings.HasSuffix(r.URL.Path, "/.well-known/oauth-authorization-server"):
		_, _ = fmt.Fprintf(w, `{"token_endpoint": "%s%s"}`, h.url, strings.Replace(r.URL.Path, ".well-known/oauth-authorization-server", "v1/token", 1))
	case strings.HasSuffix(r.URL.Path, "/v1/token"):
		_, _ = fmt.Fprintf(w, `{"access_token": "of-%s", "token_type": "Bearer", "expires_in": 3600}`, strings.Trim(r.PostForm.Get("assume_group")+"-client", "-"))
	default:
		_, _ = w.Write([]byte("{}"))
	}
	h.seen = append(h.seen, line)
}

// take returns the requests since the last call of take.
func (h *unifiedHost) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	seen := h.seen
	h.seen = nil
	return seen
}

// TestCredentials configures the SDK's clients and ours alike, and compares their requests: a call of a
// workspace and, if an account is configured, a call of the account.
func TestCredentials(t *testing.T) {
	const (
		list    = "GET /api/2.1/clusters/list Bearer "
		apps    = "GET /api/2.0/accounts/a-1/oauth2/custom-app-integrations Bearer "
		atHost  = "GET /oidc/.well-known/oauth-authorization-server"
		token   = "POST /oidc/v1/token "
		atOwner = "GET /oidc/accounts/a-1/.well-known/oauth-authorization-server"
		owner   = "POST /oidc/accounts/a-1/v1/token "
		grant   = "grant_type=client_credentials&scope=all-apis c:s3cret"
		group   = "assume_group=g-1&" + grant
	)
	client := func(more string) string { return "HOST={host} CLIENT_ID=c CLIENT_SECRET=s3cret" + more }
	const file = `
[DEFAULT]
host = {host}
token = of-default
workspace_id = 11

[two]
host = {host}/?o=22&a=a-1
token = of-two

[three]
host = {host}
client_id = c
client_secret = s3cret
workspace_id = 33
account_id = a-1
group_id = g-1
`
	const chosen = file + "\n[__settings__]\ndefault_profile = two\n"
	tests := map[string]struct {
		file, env, host string
		want            []string // or
		err             string   // of ours; the SDK has another one
	}{
		"a token":                              {"", "HOST={host} TOKEN=t", "", []string{list + "t"}, ""},
		"the workspace":                        {"", "HOST={host} TOKEN=t WORKSPACE_ID=7", "", []string{list + "t workspace 7"}, ""},
		"the workspace, in the host":           {"", "HOST={host}/?o=7 TOKEN=t", "", []string{list + "t workspace 7"}, ""},
		"the workspace, by its long name":      {"", "HOST={host}?workspace_id=7 TOKEN=t", "", []string{list + "t workspace 7"}, ""},
		"the workspace, by its newest name":    {"", "HOST={host}/?o=7&w=conn-8 TOKEN=t", "", []string{list + "t workspace conn-8"}, ""},
		"a workspace that is no number":        {"", "HOST={host}/?o=x TOKEN=t", "", []string{list + "t"}, ""},
		"the workspace, twice":                 {"", "HOST={host}/?o=7 TOKEN=t WORKSPACE_ID=8", "", []string{list + "t workspace 8"}, ""},
		"the workspace, in the given host":     {"", "TOKEN=t", "{host}/?o=7", []string{list + "t workspace 7"}, ""},
		"the account, in the host":             {"", "HOST={host}/?a=a-1 TOKEN=t", "", []string{list + "t", apps + "t"}, ""},
		"the account, by its long name":        {"", "HOST={host}/?account_id=a-1&o=7 TOKEN=t", "", []string{list + "t workspace 7", apps + "t"}, ""},
		"the account, in the given host":       {"", "TOKEN=t", "{host}/?a=a-1&w=7", []string{list + "t workspace 7", apps + "t"}, ""},
		"a client":                             {"", client(" ACCOUNT_ID=a-1 WORKSPACE_ID=7"), "", []string{atOwner, owner + grant, list + "of-client workspace 7", apps + "of-client"}, ""},
		"a client, the ids in the host":        {"", "HOST={host}/?o=7&a=a-1 CLIENT_ID=c CLIENT_SECRET=s3cret", "", []string{atOwner, owner + grant, list + "of-client workspace 7", apps + "of-client"}, ""},
		"a client, the account from the host":  {"", client(" WORKSPACE_ID=7"), "", []string{atOwner, owner + grant, list + "of-client workspace 7"}, ""},
		"a client with an endpoint":            {"", client(" WORKSPACE_ID=7 DISCOVERY_URL={host}/oidc/.well-known/oauth-authorization-server"), "", []string{atHost, token + grant, list + "of-client workspace 7"}, ""},
		"a client for a group":                 {"", client(" WORKSPACE_ID=7 GROUP_ID=g-1"), "", []string{atOwner, owner + group, list + "of-g-1-client workspace 7"}, ""},
		"a client and its kind, for a group":   {"", client(" WORKSPACE_ID=7 GROUP_ID=g-1 AUTH_TYPE=oauth-m2m"), "", []string{atOwner, owner + group, list + "of-g-1-client workspace 7"}, ""},
		"a token for a group":                  {"", "HOST={host} TOKEN=t GROUP_ID=g-1", "", nil, `auth type "pat" does not support group role assumption`},
		"a password for a group":               {"", "HOST={host} USERNAME=u PASSWORD=p GROUP_ID=g-1", "", nil, `auth type "basic" does not support group role assumption`},
		"a metadata service for a group":       {"", "HOST={host} METADATA_SERVICE_URL={host}/m GROUP_ID=g-1", "", nil, `auth type "metadata-service" does not support group role assumption`},
		"an identity for a group":              {"", "HOST={host} CLIENT_ID=c OIDC_TOKEN=i WORKSPACE_ID=7 GROUP_ID=g-1", "", []string{atOwner, owner + identity("g-1"), list + "of-g-1-client workspace 7"}, ""},
		"an identity beside a token":           {"", "HOST={host} TOKEN=t CLIENT_ID=c OIDC_TOKEN=i WORKSPACE_ID=7 GROUP_ID=g-1 AUTH_TYPE=env-oidc", "", []string{atOwner, owner + identity("g-1"), list + "of-g-1-client workspace 7"}, ""},
		"an identity":                          {"", "HOST={host} CLIENT_ID=c OIDC_TOKEN=i WORKSPACE_ID=7", "", []string{atOwner, owner + identity(""), list + "of-client workspace 7"}, ""},
		"the default profile":                  {file, "", "", []string{list + "of-default workspace 11"}, ""},
		"the default profile, for a group":     {file, "GROUP_ID=g-1", "", nil, `auth type "pat" does not support group role assumption`},
		"the default profile of the settings":  {chosen, "", "", []string{list + "of-two workspace 22", apps + "of-two"}, ""},
		"a profile before that":                {chosen, "CONFIG_PROFILE=three", "", []string{atOwner, owner + group, list + "of-g-1-client workspace 33", apps + "of-g-1-client"}, ""},
		"a profile and a variable":             {chosen, "CONFIG_PROFILE=three GROUP_ID=g-2", "", []string{atOwner, owner + "assume_group=g-2&" + grant, list + "of-g-2-client workspace 33", apps + "of-g-2-client"}, ""},
		"the section of the settings":          {chosen, "CONFIG_PROFILE=__settings__", "", nil, "__settings__ is a reserved section name"},
		"a default profile that is not there":  {strings.Replace(chosen, "= two", "= gone", 1), "", "", nil, "has no gone profile configured"},
		"a default profile that is none":       {strings.Replace(chosen, "= two", "= __settings__", 1), "", "", nil, "__settings__ is a reserved section name"},
		"a default profile that is not chosen": {strings.Replace(chosen, "= two", "=", 1), "", "", []string{list + "of-default workspace 11"}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			host := newUnifiedHost(t)
			fill := strings.NewReplacer("{host}", host.url)
			config := filepath.Join(t.TempDir(), "config")
			if err := os.WriteFile(config, []byte(fill.Replace(test.file)), 0o600); err != nil {
				t.Fatal(err)
			}
			withoutConfiguration(t)
			t.Setenv("DATABRICKS_CONFIG_FILE", config)
			for pair := range strings.FieldsSeq(fill.Replace(test.env)) {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv("DATABRICKS_"+name, value)
			}
			flag := fill.Replace(test.host)
			theirs := officialCalls(t.Context(), flag, slices.ContainsFunc(test.want, func(line string) bool { return strings.HasPrefix(line, apps) }))
			if sent := byTheSDK(host.take(), test.err != ""); (theirs == nil) != (test.err == "") || !slices.Equal(sent, test.want) {
				t.Errorf("the SDK (%v) sends\n  %s\nwant\n  %s", theirs, strings.Join(sent, "\n  "), strings.Join(test.want, "\n  "))
			}
			host.asked = 0
			ours := ourCalls(t, flag)
			if sent := host.take(); !slices.Equal(sent, test.want) {
				t.Errorf("we (%v) send\n  %s\nwant\n  %s", ours, strings.Join(sent, "\n  "), strings.Join(test.want, "\n  "))
			}
			if needed := strings.Contains(fmt.Sprint(test.want), "/.well-known/"); host.asked > 1 || (host.asked == 1) != needed {
				t.Errorf("we ask the host about itself %d times", host.asked)
			}
			if test.err == "" && ours != nil || test.err != "" && (ours == nil || !strings.Contains(ours.Error(), test.err)) {
				t.Errorf("got %v, want %q", ours, test.err)
			}
		})
	}
}

// identity is the form that a workload sends with its own token to get one of Databricks.
func identity(group string) string {
	form := "client_id=c&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&scope=all-apis" +
		"&subject_token=i&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt"
	if group != "" {
		form = "assume_group=" + group + "&" + form
	}
	return form
}

// byTheSDK leaves out the requests of the SDK's chain for kinds of credential that are not configured.
func byTheSDK(sent []string, fails bool) []string {
	if fails {
		return slices.DeleteFunc(sent, func(line string) bool { return strings.Contains(line, "/.well-known/") })
	}
	return slices.Compact(sent)
}

// withoutConfiguration hides the machine's configuration.
func withoutConfiguration(t *testing.T) {
	t.Helper()
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		for _, prefix := range []string{"DATABRICKS_", "ARM_", "GOOGLE_", "ACTIONS_", "SYSTEM_"} {
			if strings.HasPrefix(name, prefix) {
				t.Setenv(name, "")
			}
		}
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("PATH", home)
}

// officialCalls makes the calls with the SDK.
func officialCalls(ctx context.Context, host string, ofAccount bool) error {
	workspace, err := databricks.NewWorkspaceClient(&databricks.Config{Host: host})
	if err != nil {
		return err
	}
	if _, err := workspace.Clusters.ListAll(ctx, compute.ListClustersRequest{}); err != nil {
		return err
	}
	if !ofAccount {
		return nil
	}
	account, err := databricks.NewAccountClient((*databricks.Config)(workspace.Config))
	if err != nil {
		return err
	}
	_, err = account.CustomAppIntegration.ListAll(ctx, oauth2.ListCustomAppIntegrationsRequest{})
	return err
}

// ourCalls makes the calls with a client of ours.
func ourCalls(t *testing.T, host string) error {
	t.Helper()
	docs := testworld.Catalogue(t)
	chain := auth.NewChain(auth.Options{Host: host})
	c := &dispatch.Client{Catalogue: docs, Authorizer: chain, HTTP: dispatch.NewHTTP()}
	defer c.HTTP.CloseIdleConnections()
	run := func(provider, service, resource, name string, args map[string]any) error {
		method, err := docs.Method(provider, service, resource, name)
		if err != nil {
			t.Fatal(err)
		}
		req, err := c.Plan(dispatch.Call{Method: method, Args: args})
		if err != nil {
			return err
		}
		rows, err := c.Run(t.Context(), req)
		if err != nil {
			return err
		}
		return rows.Close()
	}
	if err := run("databricks_workspace", "compute", "clusters", "list", nil); err != nil {
		return err
	}
	id := chain.AccountID()
	if id == "" {
		return nil
	}
	return run("databricks_account", "oauth2", "custom_app_integration", "custom_app_integration_list", map[string]any{"account_id": id})
}
