package auth_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/auth"
)

// TestPrincipal shows the owner of a credential, which is found without a call and without revealing the
// credential.
func TestPrincipal(t *testing.T) {
	const file = "[DEFAULT]\nhost = https://" + one + "\ntoken = s3cret\n\n[p]\nhost = https://" + two + "\nclient_id = c\nclient_secret = s3cret\n"
	for name, test := range map[string]struct {
		file                    string
		env                     map[string]string
		options                 auth.Options
		principal, kind, source string
	}{
		"nothing":                         {"", nil, auth.Options{}, "", "none", ""},
		"a token":                         {"", map[string]string{"DATABRICKS_TOKEN": "s3cret"}, auth.Options{}, "", "pat", "environment"},
		"a user":                          {"", map[string]string{"DATABRICKS_HOST": one, "DATABRICKS_USERNAME": "u", "DATABRICKS_PASSWORD": "s3cret"}, auth.Options{}, "u", "basic", "environment"},
		"the default profile":             {file, nil, auth.Options{}, "", "pat", "profile DEFAULT"},
		"a profile":                       {file, nil, auth.Options{Profile: "p"}, "c", "oauth-m2m", "profile p"},
		"a profile of the environment":    {file, map[string]string{"DATABRICKS_CONFIG_PROFILE": "p"}, auth.Options{}, "c", "oauth-m2m", "profile p"},
		"a profile that does not come in": {file, map[string]string{"DATABRICKS_CONFIG_PROFILE": "DEFAULT", "DATABRICKS_HOST": two, "DATABRICKS_TOKEN": "s3cret"}, auth.Options{}, "", "pat", "environment"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.file != "" {
				configure(t, test.file)
			}
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			test.options.Transport = w.transport
			principal, kind, source, err := auth.NewChain(test.options).Principal()
			if err != nil || principal != test.principal || kind != test.kind || source != test.source {
				t.Errorf("got %q, %q, %q: %v", principal, kind, source, err)
			}
			w.expect(t)
		})
	}
}

// TestCallsAtOnce finds hosts and credentials at the same time, as concurrent calls do. The race detector
// is the judge.
func TestCallsAtOnce(t *testing.T) {
	w := newWorld(t)
	t.Setenv("DATABRICKS_HOST", "https://"+one)
	t.Setenv("DATABRICKS_TOKEN", "s3cret")
	chain := auth.NewChain(auth.Options{Transport: w.transport})
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/api", nil)
			if err != nil {
				t.Error(err)
				return
			}
			if err := chain.Direct(r, ""); err != nil {
				t.Error(err)
			}
			if err := chain.Authorize(r); err != nil || r.Header.Get("Authorization") != "Bearer s3cret" {
				t.Error(r.Header, err)
			}
		})
	}
	calls.Wait()
}
