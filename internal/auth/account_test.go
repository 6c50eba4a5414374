package auth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/provider"
)

// TestAccountCalls shows where calls of the account's API go, and with which credential.
func TestAccountCalls(t *testing.T) {
	const accounts = "[DEFAULT]\nhost = https://" + one + "\ntoken = s3cret\n\n[account]\nhost = https://" + account + "\ntoken = s3cret-account\n"
	for name, test := range map[string]struct {
		file       string
		env        string // DATABRICKS_HOST or _TOKEN
		documented string
		url        string // or
		err        string
		credential string // or
		refused    string
	}{
		"nothing configured":         {"", "", account, "https://" + account, "", "", "none is configured"},
		"a token without a host":     {"", "TOKEN=s3cret", account, "https://" + account, "", "Bearer s3cret", ""},
		"a document of a stranger":   {"", "TOKEN=s3cret", "evil.com", "", "neither one DNS label nor a host", "", ""},
		"the account configured":     {"", "HOST=https://accounts.azuredatabricks.net", account, "https://accounts.azuredatabricks.net", "", "", "none is configured"},
		"a workspace on Azure":       {"", "HOST=https://" + azure, account, "https://accounts.azuredatabricks.net", "", "", "is not sent to another host"},
		"a workspace's token":        {"[DEFAULT]\nhost = https://" + one + "\ntoken = s3cret\n", "", account, "https://" + account, "", "", "is not sent to another host"},
		"a profile for the account":  {accounts, "", account, "https://" + account, "", "Bearer s3cret-account", ""},
		"a host of one's own":        {"", "HOST=https://lake.example.com", account, "", "the account's API is not at the configured host", "", ""},
		"an emulator":                {"", "HOST=http://127.0.0.1:8080", account, "http://127.0.0.1:8080", "", "", "none is configured"},
		"a file that is none":        {"s3cret", "", account, "", "neither a [profile] nor key = value", "", ""},
		"a host configured in plain": {"", "HOST=http://example.com", account, "", "plain http", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.file != "" {
				configure(t, test.file)
			}
			if name, value, ok := strings.Cut(test.env, "="); ok {
				t.Setenv("DATABRICKS_"+name, value)
			}
			chain := auth.NewChain(auth.Options{Transport: w.transport})
			r := &http.Request{URL: &url.URL{Scheme: "https", Host: test.documented, Path: "/p"}, Header: http.Header{}}
			err := chain.Direct(r, "")
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("directs to %s: %v", r.URL, err)
				}
				noSecret(t, err)
				return
			}
			if err != nil || r.URL.String() != test.url+"/p" {
				t.Fatalf("directs to %s, want %s: %v", r.URL, test.url, err)
			}
			err = chain.Authorize(r)
			if test.refused != "" && (code(err) != provider.Unauthorized || !strings.Contains(err.Error(), test.refused)) || test.refused == "" && err != nil {
				t.Errorf("authorize: %v", err)
			}
			if got := r.Header.Get("Authorization"); got != test.credential {
				t.Errorf("authorized with %q, want %q", got, test.credential)
			}
			w.expect(t)
		})
	}
}

// TestAccountID returns the configured account, without a call.
func TestAccountID(t *testing.T) {
	w := newWorld(t)
	if got := auth.NewChain(auth.Options{Transport: w.transport}).AccountID(); got != "" {
		t.Errorf("without one: %q", got)
	}
	t.Setenv("DATABRICKS_ACCOUNT_ID", "0000-1111")
	if got := auth.NewChain(auth.Options{Transport: w.transport}).AccountID(); got != "0000-1111" {
		t.Errorf("got %q", got)
	}
	if got := auth.NewChain(auth.Options{Transport: w.transport, Profile: "gone"}).AccountID(); got != "" {
		t.Errorf("of a profile that is gone: %q", got)
	}
	w.expect(t)
}
