package auth_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/provider"
)

// FuzzProfiles shows that whatever is in ~/.databrickscfg, no host is given a token that belongs to another,
// and that each error has a code and steers no terminal.
func FuzzProfiles(f *testing.F) {
	for _, seed := range []string{
		"[DEFAULT]\nhost = https://dbc-1.cloud.databricks.com\ntoken = s3cret-1\n",
		"[a]\nhost = dbc-1.cloud.databricks.com\ntoken = s3cret-1\n[b]\nhost = https://dbc-2.cloud.databricks.com\ntoken = s3cret-2\n",
		"[__settings__]\ndefault_profile = a\n[a]\nhost = http://127.0.0.1:9\ntoken = x\n", "[a\nhost", "host = x\x00\n", "[a]\nhost = https://u:p@dbc-1.cloud.databricks.com\ntoken = s3cret-1", "[a]\nhost = %(host)s\n", "\xff",
	} {
		f.Add(seed, "a", "dbc-1")
	}
	home := f.TempDir()
	f.Fuzz(func(t *testing.T, text, profile, deployment string) {
		isolate(t)
		t.Setenv("HOME", home)
		if err := os.WriteFile(filepath.Join(home, ".databrickscfg"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "client_") || strings.Contains(text, "auth_type") || strings.Contains(text, "metadata") || strings.Contains(text, "azure") || strings.Contains(text, "google") {
			t.Skip("it may ask a server for a token")
		}
		for _, options := range []auth.Options{{}, {Profile: profile}} {
			chain := auth.NewChain(options)
			r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, "/api", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if err = chain.Direct(r, deployment); err == nil {
				err = chain.Authorize(r)
			}
			if err != nil {
				if provider.CodeOf(err) == provider.Internal || strings.ContainsAny(err.Error(), "\x00\x1b\r") {
					t.Errorf("%q: %q", text, err)
				}
				continue
			}
			if r.URL.Scheme != "https" && r.URL.Hostname() != "localhost" && !strings.HasPrefix(r.URL.Hostname(), "127.") && r.URL.Hostname() != "::1" {
				t.Errorf("%q: a credential goes to %s", text, r.URL)
			}
		}
	})
}
