package auth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/provider"
)

// TestProfilesOfOneHost shows which profile supplies the credential for a host that several profiles have,
// one for each of its workspaces.
func TestProfilesOfOneHost(t *testing.T) {
	const (
		host     = "acme.cloud.databricks.com"
		profiles = `
[DEFAULT]
host = https://dbc-1.cloud.databricks.com
token = s3cret-default

[sales]
host = https://acme.cloud.databricks.com
token = s3cret-sales
workspace_id = 11
account_id = 1-2-3

[stock]
host = https://acme.cloud.databricks.com/?o=22
token = s3cret-stock

[stock-again]
host = https://acme.cloud.databricks.com
token = s3cret-again
workspace_id = 22
`
		settings = "\n[__settings__]\nhost = https://acme.cloud.databricks.com\ntoken = s3cret-settings\ndefault_profile = "
		console  = "\n[console]\nhost = https://accounts.cloud.databricks.com\ntoken = s3cret-console\n"
	)
	tests := map[string]struct {
		file, env  string
		options    auth.Options
		deployment string
		ofAccount  bool
		want       string // host, workspace id, credential; or
		err        string
	}{
		"no workspace":                     {profiles, "", auth.Options{}, host, false, "", `https://acme.cloud.databricks.com serves several workspaces: the profiles "sales" and "stock"`},
		"no workspace, by the flag":        {profiles, "", auth.Options{Host: host}, "", false, "", "serves several workspaces"},
		"the profile":                      {profiles, "", auth.Options{Profile: "stock"}, "", false, host + " 22 s3cret-stock", ""},
		"the profile, by its host":         {profiles, "", auth.Options{Profile: "sales"}, host, false, host + " 11 s3cret-sales", ""},
		"the flag's workspace":             {profiles, "", auth.Options{Host: host + "/?o=22"}, "", false, host + " 22 s3cret-stock", ""},
		"the flag's, by the host":          {profiles, "", auth.Options{Host: host + "/?o=11"}, host, false, host + " 11 s3cret-sales", ""},
		"the flag's, of no profile":        {profiles, "", auth.Options{Host: host + "/?o=33"}, "", false, host + " 33 s3cret-sales", ""},
		"the flag's, of a chosen profile":  {profiles, "", auth.Options{Host: host + "/?o=22", Profile: "sales"}, "", false, host + " 22 s3cret-sales", ""},
		"the environment's workspace":      {profiles, "HOST=" + host + " WORKSPACE_ID=22", auth.Options{}, "", false, host + " 22 s3cret-stock", ""},
		"the environment's, in its host":   {profiles, "HOST=" + host + "?o=22", auth.Options{}, "", false, host + " 22 s3cret-stock", ""},
		"the environment's, of no profile": {profiles, "HOST=" + host + " WORKSPACE_ID=33", auth.Options{}, "", false, host + " 33 s3cret-sales", ""},
		"another host's workspace":         {profiles, "HOST=" + two + " TOKEN=s3cret WORKSPACE_ID=22", auth.Options{}, host, false, "", "serves several workspaces"},
		"the profile of the settings":      {profiles + settings + "stock", "", auth.Options{}, "", false, host + " 22 s3cret-stock", ""},
		"the settings', for its host":      {profiles + settings + "stock-again", "HOST=" + host + " WORKSPACE_ID=22", auth.Options{}, "", false, host + " 22 s3cret-again", ""},
		"the settings', another workspace": {profiles + settings + "sales", "", auth.Options{Host: host + "/?o=22"}, "", false, host + " 22 s3cret-stock", ""},
		"settings without a profile":       {settings, "HOST=" + two + " TOKEN=s3cret", auth.Options{}, host, false, "", "is not sent to another host"},
		"the account":                      {profiles, "", auth.Options{Profile: "sales"}, "", true, host + "  s3cret-sales", ""},
		"the account, with its console":    {profiles + console, "", auth.Options{Profile: "sales"}, "", true, account + "  s3cret-console", ""},
		"the account, without its id":      {profiles, "", auth.Options{Profile: "stock"}, "", true, "", "no credential for https://" + account},
		"the account of another domain":    {"", "HOST=acme.databricks.com/?a=1-2-3 TOKEN=s3cret", auth.Options{}, "", true, "acme.databricks.com  s3cret", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			isolate(t)
			configure(t, test.file)
			for pair := range strings.FieldsSeq(test.env) {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv("DATABRICKS_"+name, value)
			}
			chain := auth.NewChain(test.options)
			r := &http.Request{URL: &url.URL{Scheme: "https", Path: "/p"}, Header: http.Header{}}
			if test.ofAccount {
				r.URL.Host = account
			}
			err := chain.Direct(r, test.deployment)
			if err == nil {
				err = chain.Authorize(r.WithContext(t.Context()))
			}
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) || provider.HintOf(err) == "" {
					t.Errorf("got %v", err)
				}
				noSecret(t, err)
				return
			}
			got := r.URL.Host + " " + r.Header.Get("X-Databricks-Workspace-Id") + " " + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			if err != nil || got != test.want {
				t.Errorf("sends %q, want %q: %v", got, test.want, err)
			}
		})
	}
}

// TestDefaultProfileIsMissing shows that the error says where the name of the profile comes from.
func TestDefaultProfileIsMissing(t *testing.T) {
	isolate(t)
	configure(t, "[DEFAULT]\nhost = https://"+one+"\ntoken = s3cret\n[__settings__]\ndefault_profile = gone\n")
	err := auth.NewChain(auth.Options{}).Direct(&http.Request{URL: &url.URL{}, Header: http.Header{}}, "")
	if code(err) != provider.Unauthorized || !strings.HasPrefix(provider.HintOf(err), "default_profile in [__settings__] of ") {
		t.Errorf("got %v, hint %q", err, provider.HintOf(err))
	}
	noSecret(t, err)
}
