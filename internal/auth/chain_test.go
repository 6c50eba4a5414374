package auth_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/provider"
)

// The hosts of these tests: two workspaces on AWS with their account, one on Azure.
const (
	one     = "dbc-1.cloud.databricks.com"
	two     = "dbc-2.cloud.databricks.com"
	account = "accounts.cloud.databricks.com"
	azure   = "adb-3.4.azuredatabricks.net"
)

// TestCredentials shows for every way to configure a credential which host is sent which: all
// requests are there, those for tokens as well, so whatever is not there was not sent.
func TestCredentials(t *testing.T) {
	const profiles = `
[DEFAULT]
host = https://dbc-1.cloud.databricks.com
token = s3cret-default

[two]
host = https://DBC-2.cloud.databricks.com/
token = s3cret-two

[two-again]
host = https://dbc-2.cloud.databricks.com
token = s3cret-again

[azure]
host = adb-3.4.azuredatabricks.net
client_id = azure-client
client_secret = s3cret-azure

[child.of]
token = s3cret-child

[user]
host = https://dbc-6.cloud.databricks.com
username = u
password = s3cret-password
`
	const accountProfile = `
[DEFAULT]
host = https://accounts.cloud.databricks.com
account_id = 0000-1111
client_id = account-client
client_secret = s3cret-account
`
	env := func(pairs ...string) map[string]string {
		vars := map[string]string{}
		for _, pair := range pairs {
			name, value, _ := strings.Cut(pair, "=")
			vars["DATABRICKS_"+name] = value
		}
		return vars
	}
	api := func(host, credential string) []string { return []string{"GET " + host + "/api " + credential} }
	nothing := []string(nil)
	tests := map[string]struct {
		file        string
		env         map[string]string
		options     auth.Options
		deployments []string
		want        []string
		err         string // of the last deployment
	}{
		"token and host":                            {"", env("HOST=https://"+one, "TOKEN=s3cret-env"), auth.Options{}, []string{""}, api(one, "Bearer s3cret-env"), ""},
		"token and host, called by its name":        {"", env("HOST=https://"+one, "TOKEN=s3cret-env"), auth.Options{}, []string{"dbc-1"}, api(one, "Bearer s3cret-env"), ""},
		"token and host, another called":            {"", env("HOST=https://"+one, "TOKEN=s3cret-env"), auth.Options{}, []string{"dbc-2"}, nothing, "the configured one is for https://" + one + " and is not sent to another host"},
		"token and host, another port":              {"", env("HOST=https://"+one+":8443", "TOKEN=s3cret-env"), auth.Options{}, []string{one}, nothing, "is not sent to another host"},
		"token and host with its usual port":        {"", env("HOST=https://"+one+":443", "TOKEN=s3cret-env"), auth.Options{}, []string{one}, api(one, "Bearer s3cret-env"), ""},
		"token and host, the flag says another":     {"", env("HOST=https://"+one, "TOKEN=s3cret-env"), auth.Options{Host: "https://" + two}, []string{""}, nothing, "is not sent to another host"},
		"token and host, the flag says the same":    {"", env("HOST=https://"+one, "TOKEN=s3cret-env"), auth.Options{Host: one}, []string{""}, api(one, "Bearer s3cret-env"), ""},
		"token without a host":                      {"", env("TOKEN=s3cret-env"), auth.Options{}, []string{"dbc-1", azure}, slices.Concat(api(one, "Bearer s3cret-env"), api(azure, "Bearer s3cret-env")), ""},
		"token without a host, by the flag":         {"", env("TOKEN=s3cret-env"), auth.Options{Host: "https://" + one}, []string{""}, api(one, "Bearer s3cret-env"), ""},
		"token without a host, before profiles":     {profiles, env("TOKEN=s3cret-env"), auth.Options{}, []string{"dbc-2"}, api(two, "Bearer s3cret-env"), ""},
		"the default profile":                       {profiles, nil, auth.Options{}, []string{""}, api(one, "Bearer s3cret-default"), ""},
		"the profile of the host":                   {profiles, nil, auth.Options{}, []string{"dbc-2"}, api(two, "Bearer s3cret-two"), ""},
		"each host its profile":                     {profiles, nil, auth.Options{}, []string{"", "dbc-2", "", "dbc-2"}, slices.Concat(api(one, "Bearer s3cret-default"), api(two, "Bearer s3cret-two"), api(one, "Bearer s3cret-default"), api(two, "Bearer s3cret-two")), ""},
		"the profile of a host of another cloud":    {profiles, nil, auth.Options{}, []string{"adb-3"}, slices.Concat(login(azure, "azure-client:s3cret-azure"), api(azure, "Bearer azure-client@"+azure)), ""},
		"a profile of a user":                       {profiles, nil, auth.Options{}, []string{"dbc-6"}, api("dbc-6.cloud.databricks.com", "Basic u:s3cret-password"), ""},
		"a host of no profile":                      {profiles, nil, auth.Options{}, []string{"dbc-5"}, nothing, "no credential for https://dbc-5.cloud.databricks.com"},
		"a profile by the flag":                     {profiles, nil, auth.Options{Profile: "two-again"}, []string{""}, api(two, "Bearer s3cret-again"), ""},
		"a profile by the environment":              {profiles, env("CONFIG_PROFILE=two-again"), auth.Options{}, []string{""}, api(two, "Bearer s3cret-again"), ""},
		"the flag before the environment's profile": {profiles, env("CONFIG_PROFILE=azure"), auth.Options{Profile: "two"}, []string{""}, api(two, "Bearer s3cret-two"), ""},
		"a profile by the flag, another token near": {profiles, env("HOST=https://"+one, "TOKEN=s3cret-env"), auth.Options{Profile: "two"}, []string{""}, api(two, "Bearer s3cret-two"), ""},
		"a profile by the flag, a client near":      {profiles, env("CLIENT_ID=env-client", "CLIENT_SECRET=s3cret-env"), auth.Options{Profile: "two"}, []string{""}, api(two, "Bearer s3cret-two"), ""},
		"a profile by the flag, another host":       {profiles, nil, auth.Options{Profile: "two", Host: "https://dbc-5.cloud.databricks.com"}, []string{""}, nothing, "is not sent to another host"},
		"a profile by the flag, another's host":     {profiles, nil, auth.Options{Profile: "two"}, []string{"dbc-1"}, api(one, "Bearer s3cret-default"), ""},
		"a profile of no host":                      {profiles, nil, auth.Options{Profile: "child.of"}, []string{"dbc-2"}, api(two, "Bearer s3cret-child"), ""},
		"a profile and another host":                {profiles, env("CONFIG_PROFILE=two", "HOST=https://"+one), auth.Options{}, []string{""}, nothing, "the credential of profile \"two\" is for https://" + two},
		"a profile, and another host and token":     {profiles, env("CONFIG_PROFILE=two", "HOST=https://"+one, "TOKEN=s3cret-env"), auth.Options{}, []string{""}, api(one, "Bearer s3cret-env"), ""},
		"a profile and its own host":                {profiles, env("CONFIG_PROFILE=two", "HOST="+two), auth.Options{}, []string{""}, api(two, "Bearer s3cret-two"), ""},
		"a profile and a token":                     {profiles, env("CONFIG_PROFILE=two", "TOKEN=s3cret-env"), auth.Options{}, []string{""}, api(two, "Bearer s3cret-env"), ""},
		"a profile that needs the environment":      {profiles, env("CONFIG_PROFILE=two", "HOST=https://"+one, "CLIENT_ID=c"), auth.Options{}, []string{""}, nothing, "more than one authorization method"},
		"a host alone, with its profile":            {profiles, env("HOST=https://" + two), auth.Options{}, []string{""}, api(two, "Bearer s3cret-two"), ""},
		"user and password":                         {"", env("HOST=https://"+one, "USERNAME=u", "PASSWORD=s3cret:env"), auth.Options{}, []string{""}, api(one, "Basic u:s3cret:env"), ""},
		"user and password, another called":         {"", env("HOST=https://"+one, "USERNAME=u", "PASSWORD=s3cret-env"), auth.Options{}, []string{"dbc-2"}, nothing, "is not sent to another host"},
		"a client":                                  {"", env("HOST=https://"+one, "CLIENT_ID=c", "CLIENT_SECRET=s3cret-env"), auth.Options{}, []string{"", "dbc-1"}, slices.Concat(login(one, "c:s3cret-env"), api(one, "Bearer c@"+one), api(one, "Bearer c@"+one)), ""},
		"a client, another called":                  {"", env("HOST=https://"+one, "CLIENT_ID=c", "CLIENT_SECRET=s3cret-env"), auth.Options{}, []string{"dbc-2"}, nothing, "is not sent to another host"},
		"a client without a host":                   {"", env("CLIENT_ID=c", "CLIENT_SECRET=s3cret-env"), auth.Options{}, []string{"dbc-1", "dbc-2"}, slices.Concat(login(one, "c:s3cret-env"), api(one, "Bearer c@"+one), login(two, "c:s3cret-env"), api(two, "Bearer c@"+two)), ""},
		"an account's client, a workspace":          {accountProfile, nil, auth.Options{}, []string{"dbc-1", "dbc-2", "dbc-1"}, slices.Concat(login(one, "account-client:s3cret-account"), api(one, "Bearer account-client@"+one), login(two, "account-client:s3cret-account"), api(two, "Bearer account-client@"+two), api(one, "Bearer account-client@"+one)), ""},
		"an account's client, by the flag":          {accountProfile, nil, auth.Options{Profile: "DEFAULT"}, []string{"dbc-1"}, slices.Concat(login(one, "account-client:s3cret-account"), api(one, "Bearer account-client@"+one)), ""},
		"an account's client, the account": {accountProfile, nil, auth.Options{}, []string{""}, slices.Concat(
			[]string{"POST " + account + "/oidc/accounts/0000-1111/v1/token Basic account-client:s3cret-account grant_type=client_credentials&scope=all-apis"},
			api(account, "Bearer account-client@"+account)), ""},
		"an account's client, another cloud":        {accountProfile, nil, auth.Options{}, []string{azure}, nothing, "is not sent to another host"},
		"an account's client, another domain":       {accountProfile, nil, auth.Options{}, []string{"x.gcp.databricks.com"}, nothing, "is not sent to another host"},
		"an account's client of one's own domain":   {strings.ReplaceAll(accountProfile, account, "accounts.example.com"), nil, auth.Options{}, []string{"dbc-1"}, nothing, "is not sent to another host"},
		"an account's token":                        {"", env("HOST=https://"+account, "ACCOUNT_ID=a", "TOKEN=s3cret-env"), auth.Options{}, []string{"dbc-1"}, nothing, "is not sent to another host"},
		"an account's token beside its client":      {"", env("HOST=https://"+account, "ACCOUNT_ID=a", "TOKEN=s3cret-env", "CLIENT_ID=c", "CLIENT_SECRET=s3cret-env", "AUTH_TYPE=pat"), auth.Options{}, []string{"dbc-1"}, nothing, "is not sent to another host"},
		"a token of two, chosen by type":            {"", env("HOST=https://"+one, "TOKEN=s3cret-env", "CLIENT_ID=c", "CLIENT_SECRET=s3cret-env", "AUTH_TYPE=pat"), auth.Options{}, []string{""}, api(one, "Bearer s3cret-env"), ""},
		"two and no choice":                         {"", env("HOST=https://"+one, "TOKEN=s3cret-env", "CLIENT_ID=c", "CLIENT_SECRET=s3cret-env"), auth.Options{}, []string{""}, nothing, "more than one authorization method configured: oauth and pat"},
		"an unknown type":                           {"", env("HOST=https://"+one, "TOKEN=s3cret-env", "AUTH_TYPE=magic"), auth.Options{}, []string{""}, nothing, `auth type "magic" not found`},
		"nothing":                                   {"", nil, auth.Options{}, []string{"dbc-1"}, nothing, "no credential for https://" + one + ": none is configured"},
		"a host alone":                              {"", env("HOST=https://" + one), auth.Options{}, []string{""}, nothing, "none is configured"},
		"a profile that does not exist":             {profiles, nil, auth.Options{Profile: "three"}, []string{""}, nothing, "has no three profile configured"},
		"such a profile, with a deployment name":    {profiles, env("TOKEN=s3cret-env"), auth.Options{Profile: "three"}, []string{"dbc-1"}, nothing, "has no three profile configured"},
		"such a profile, by the environment":        {profiles, env("CONFIG_PROFILE=three"), auth.Options{}, []string{"dbc-1"}, nothing, "has no three profile configured"},
		"a profile where there is no file":          {"", env("TOKEN=s3cret-env"), auth.Options{Profile: "three"}, []string{"dbc-1"}, nothing, "no such file"},
		"the environment's, where there is no file": {"", env("CONFIG_PROFILE=three", "HOST="+one, "TOKEN=s3cret-env"), auth.Options{}, []string{""}, api(one, "Bearer s3cret-env"), ""},
		"a file that is none":                       {"[DEFAULT]\nhost = https://" + one + "\ns3cret-token\n", nil, auth.Options{}, []string{""}, nothing, "neither a [profile] nor key = value"},
		"a file that is none, by name":              {"[two]\nhost: x\n= s3cret-token\n", nil, auth.Options{}, []string{"dbc-1"}, nothing, "neither a [profile] nor key = value"},
		"a file with a heading cut short":           {"[two\ntoken = s3cret-token\n", nil, auth.Options{Profile: "two"}, []string{"dbc-1"}, nothing, "neither a [profile] nor key = value"},
		"a file that is none, and not needed":       {"s3cret-token", env("HOST=https://"+one, "TOKEN=s3cret-env"), auth.Options{}, []string{""}, api(one, "Bearer s3cret-env"), ""},
		"an attribute that is none":                 {"[DEFAULT]\nhost = https://" + one + "\nrate_limit = many\ntoken = s3cret-token\n", nil, auth.Options{}, []string{""}, nothing, "invalid syntax"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.file != "" {
				configure(t, test.file)
			}
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			test.options.Transport = w.transport
			chain := auth.NewChain(test.options)
			var err error
			for i, deployment := range test.deployments {
				if err = w.call(t.Context(), chain, deployment); err != nil && i < len(test.deployments)-1 {
					t.Fatal(err)
				}
			}
			w.expect(t, test.want...)
			switch {
			case test.err == "" && err != nil:
				t.Error(err)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("got %v, want %s", err, test.err)
			case test.err != "" && code(err) != provider.Unauthorized:
				t.Errorf("code %v: %v", code(err), err)
			}
			noSecret(t, err)
		})
	}
}

// TestConfigFileOfTheEnvironment reads the file that DATABRICKS_CONFIG_FILE names, and no other.
func TestConfigFileOfTheEnvironment(t *testing.T) {
	w := newWorld(t)
	configure(t, "[two]\nhost = https://"+two+"\ntoken = s3cret-home\n")
	other := filepath.Join(t.TempDir(), "cfg")
	t.Setenv("DATABRICKS_CONFIG_FILE", other)
	for _, step := range []struct {
		file string
		sent []string
	}{
		{"", nil},
		{"[two]\nhost = https://" + two + "\ntoken = s3cret-other\n", []string{"GET " + two + "/api Bearer s3cret-other"}},
	} {
		if step.file != "" {
			if err := os.WriteFile(other, []byte(step.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, options := range []auth.Options{{}, {Profile: "two"}} {
			options.Transport = w.transport
			err := w.call(t.Context(), auth.NewChain(options), "dbc-2")
			if (err == nil) != (step.sent != nil) || err != nil && code(err) != provider.Unauthorized {
				t.Errorf("%+v: %v", options, err)
			}
			w.expect(t, step.sent...)
		}
	}
}

// TestManyCallsAtOnce shows that a chain may be used by many, and that none of them is sent the
// credential of another's host.
func TestManyCallsAtOnce(t *testing.T) {
	w := newWorld(t)
	configure(t, "[one]\nhost = https://"+one+"\nclient_id = first\nclient_secret = s3cret-1\n\n[two]\nhost = https://"+two+"\nclient_id = second\nclient_secret = s3cret-2\n")
	chain := auth.NewChain(auth.Options{Transport: w.transport})
	var calls sync.WaitGroup
	for i := range 64 {
		calls.Go(func() {
			if err := w.call(t.Context(), chain, []string{"dbc-1", "dbc-2"}[i%2]); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	seen := w.take()
	slices.Sort(seen)
	want := slices.Concat(login(one, "first:s3cret-1"), login(two, "second:s3cret-2"))
	for range 32 {
		want = append(want, "GET "+one+"/api Bearer first@"+one, "GET "+two+"/api Bearer second@"+two)
	}
	slices.Sort(want)
	if !slices.Equal(seen, want) {
		t.Errorf("sent\n  %s", strings.Join(seen, "\n  "))
	}
}
