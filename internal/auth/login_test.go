//go:build unix

// The CLI of these tests is a shell script.

package auth_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/provider"
)

// install puts an executable into PATH in place of the Databricks CLI, and returns a function that
// returns the arguments of its calls so far.
func install(t *testing.T, token string) (calls func() string) {
	t.Helper()
	home := os.Getenv("HOME")
	script := `#!/bin/sh
echo "$@" >> "$HOME/calls"
case "$1" in
version) echo "Databricks CLI v0.300.0" ;;
*) ` + token + ` ;;
esac
exit
` + strings.Repeat("# The SDK takes a smaller one for the CLI of old.\n", 25_000)
	if err := os.WriteFile(filepath.Join(home, "databricks"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return func() string {
		data, err := os.ReadFile(filepath.Join(home, "calls"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return string(data)
	}
}

// printToken is a CLI that is logged in everywhere: its token repeats the arguments of the request.
const printToken = `echo "{\"access_token\": \"cli$3=$4\", \"token_type\": \"Bearer\", \"expiry\": \"2999-01-01T00:00:00Z\"}"`

// TestLoginOfTheCLI shows when the CLI is asked for a token, and for which host or profile.
func TestLoginOfTheCLI(t *testing.T) {
	tests := map[string]struct {
		file       string
		env        string // DATABRICKS_ variables
		options    auth.Options
		deployment string
		sent       string
		calls      bool
	}{
		"a host alone":                          {"", "HOST=https://" + one, auth.Options{}, "", one + "/api Bearer cli--host=https://" + one, true},
		"nothing but a name":                    {"", "", auth.Options{}, "dbc-1", one + "/api Bearer cli--host=https://" + one, true},
		"a profile":                             {"[p]\nhost = https://" + one + "\nauth_type = databricks-cli\n", "", auth.Options{Profile: "p"}, "", one + "/api Bearer cli--profile=p", true},
		"the profile of the host":               {"[p]\nhost = https://" + one + "\nauth_type = databricks-cli\n", "", auth.Options{}, "dbc-1", one + "/api Bearer cli--profile=p", true},
		"a profile beside one of the same host": {"[a]\nhost = https://" + one + "\ntoken = s3cret\n\n[p]\nhost = https://" + one + "\nauth_type = databricks-cli\n", "", auth.Options{Profile: "p"}, "", one + "/api Bearer cli--profile=p", true},
		"a profile without a type beside one":   {"[a]\nhost = https://" + one + "\ntoken = s3cret\n\n[p]\nhost = https://" + one + "\n", "CONFIG_PROFILE=p", auth.Options{}, "", one + "/api Bearer cli--profile=p", true},
		"a type beside a profile":               {"[a]\nhost = https://" + one + "\ntoken = s3cret\n", "HOST=https://" + one + " AUTH_TYPE=databricks-cli", auth.Options{}, "", one + "/api Bearer cli--host=https://" + one, true},
		"a profile of another host":             {"[p]\nhost = https://" + two + "\nauth_type = databricks-cli\n", "CONFIG_PROFILE=p HOST=https://" + one, auth.Options{}, "", "", false},
		"a host of no profile":                  {"[p]\nhost = https://" + two + "\nauth_type = databricks-cli\n", "", auth.Options{Profile: "p"}, "dbc-1", "", false},
		"a token":                               {"", "HOST=https://" + one + " TOKEN=s3cret", auth.Options{}, "", one + "/api Bearer s3cret", false},
		"a token of another host":               {"", "HOST=https://" + one + " TOKEN=s3cret", auth.Options{}, "dbc-2", "", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			calls := install(t, printToken)
			if test.file != "" {
				configure(t, test.file)
			}
			for pair := range strings.FieldsSeq(test.env) {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv("DATABRICKS_"+name, value)
			}
			test.options.Transport = w.transport
			chain := auth.NewChain(test.options)
			for range 2 {
				err := w.call(t.Context(), chain, test.deployment)
				if test.sent == "" {
					if code(err) != provider.Unauthorized {
						t.Errorf("got %v", err)
					}
					w.expect(t)
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				w.expect(t, "GET "+test.sent)
			}
			if got := calls(); (got != "") != test.calls {
				t.Errorf("the CLI was called with\n%s", got)
			}
		})
	}
}

// TestCLIThatFails shows the errors for a CLI that returns no token.
func TestCLIThatFails(t *testing.T) {
	for name, test := range map[string]struct{ script, message string }{
		"not logged in":  {`echo "databricks auth login, please" >&2; exit 1`, "databricks auth login, please"},
		"no JSON":        {`echo "s3cret-token"`, "cannot parse CLI response"},
		"no expiry":      {`echo '{"access_token": "s3cret-token", "expiry": "soon"}'`, `cannot parse expiry "soon"`},
		"escape on exit": {`printf '\033[31mred' >&2; exit 1`, `\x1b[31mred`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			install(t, test.script)
			err := w.call(t.Context(), auth.NewChain(auth.Options{Transport: w.transport}), "dbc-1")
			if code(err) != provider.Unauthorized || !strings.Contains(err.Error(), test.message) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("got %v", err)
			}
			noSecret(t, err)
			w.expect(t)
		})
	}
}

// TestCLIThatHangs shows that a call that waits for the CLI ends when it is canceled.
func TestCLIThatHangs(t *testing.T) {
	w := newWorld(t)
	install(t, `[ -e "$HOME/on" ] || read line < "$HOME/pipe"; `+printToken)
	pipe := filepath.Join(os.Getenv("HOME"), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	chain := auth.NewChain(auth.Options{Transport: w.transport})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() { failed <- w.call(ctx, chain, "dbc-1") }()
	writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // opens once the CLI reads
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	w.expect(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(pipe), "on"), nil, 0o600); err != nil { // it is called again
		t.Error(err)
	}
	if err := writer.Close(); err != nil {
		t.Error(err)
	}
	if err := w.call(t.Context(), chain, "dbc-1"); err != nil { // with the token that came late
		t.Error(err)
	}
	w.expect(t, "GET "+one+"/api Bearer cli--host=https://"+one)
}

// TestEnvironmentStaysOutOfProfiles shows that a login by a profile does not make use of tokens of
// the environment, which may be meant for another host.
func TestEnvironmentStaysOutOfProfiles(t *testing.T) {
	for name, options := range map[string]auth.Options{"by the host": {}, "by the flag": {Profile: "two"}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			configure(t, "[two]\nhost = https://"+two+"\n")
			t.Setenv("DATABRICKS_HOST", "https://"+one)
			t.Setenv("DATABRICKS_OIDC_TOKEN", "s3cret-of-one")
			t.Setenv("SYSTEM_OIDCREQUESTURI", "https://evil.example.com")
			t.Setenv("SYSTEM_ACCESSTOKEN", "s3cret-of-one")
			options.Transport = w.transport
			err := w.call(t.Context(), auth.NewChain(options), "dbc-2")
			if code(err) != provider.Unauthorized || !strings.Contains(err.Error(), "none is configured") {
				t.Errorf("got %v", err)
			}
			w.expect(t)
		})
	}
}

// TestFederation exchanges a token of the environment at the host that is configured with it.
func TestFederation(t *testing.T) {
	w := newWorld(t)
	t.Setenv("DATABRICKS_HOST", "https://"+one)
	t.Setenv("DATABRICKS_CLIENT_ID", "c")
	t.Setenv("DATABRICKS_OIDC_TOKEN", "s3cret")
	chain := auth.NewChain(auth.Options{Transport: w.transport})
	if err := w.call(t.Context(), chain, ""); err != nil {
		t.Fatal(err)
	}
	seen := w.take()
	for _, line := range seen {
		if !strings.Contains(line, " "+one+"/") || strings.Contains(line, "/api") && strings.Contains(line, "s3cret") {
			t.Errorf("sent %s", line)
		}
	}
	if last := seen[len(seen)-1]; !strings.HasPrefix(last, "GET "+one+"/api Bearer ") {
		t.Errorf("sent %q", seen)
	}
	if err := w.call(t.Context(), chain, "dbc-2"); code(err) != provider.Unauthorized || len(w.take()) != 0 {
		t.Errorf("another host: %v", err)
	}
}
