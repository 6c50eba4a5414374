package auth_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// client makes a chain with an OAuth client for the first workspace.
func client(t *testing.T, w *world) *auth.Chain {
	t.Helper()
	t.Setenv("DATABRICKS_HOST", "https://"+one)
	t.Setenv("DATABRICKS_CLIENT_ID", "c")
	t.Setenv("DATABRICKS_CLIENT_SECRET", "s3cret")
	return auth.NewChain(auth.Options{Transport: w.transport})
}

// TestLoginThatFails shows that a call without a token is not sent, why, and that the next call
// tries anew.
func TestLoginThatFails(t *testing.T) {
	discovery, token := login(one, "c:s3cret")[0], login(one, "c:s3cret")[1]
	tests := map[string]struct {
		path    string // where it goes wrong
		status  int
		body    string
		message string
		sent    []string
	}{
		"the client is refused":     {"/oidc/v1/token", 401, `{"error": "invalid_client", "error_description": "Client authentication failed"}`, "Client authentication failed", []string{discovery, token}},
		"the refusal tells secrets": {"/oidc/v1/token", 401, `{"error": "invalid_client", "error_description": "c:s3cret is not known"}`, "c:**** is not known", []string{discovery, token}},
		"the refusal is a page":     {"/oidc/v1/token", 403, "<html>" + strings.Repeat("no ", 1<<20), "<html>no no", []string{discovery, token}},
		"the token is no JSON":      {"/oidc/v1/token", 200, "<html>", "cannot parse", []string{discovery, token}},
		"there is no token":         {"/oidc/v1/token", 200, `{"token_type": "Bearer"}`, "missing access_token", []string{discovery, token}},
		"OAuth is not served":       {"/oidc/.well-known/oauth-authorization-server", 404, "", "oidc", []string{discovery}},
		"the discovery is no JSON":  {"/oidc/.well-known/oauth-authorization-server", 200, "<html>", "oidc", []string{discovery}},
		"no token endpoint":         {"/oidc/.well-known/oauth-authorization-server", 200, "{}", "", []string{discovery}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			chain := client(t, w)
			w.answer = func(rw http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != test.path {
					return false
				}
				rw.WriteHeader(test.status)
				_, _ = io.WriteString(rw, test.body)
				return true
			}
			for range 2 {
				err := w.call(t.Context(), chain, "")
				if code(err) != provider.Unauthorized || !strings.Contains(err.Error(), test.message) || !strings.Contains(err.Error(), "https://"+one) || provider.HintOf(err) == "" || strings.HasPrefix(provider.HintOf(err), "set ") {
					t.Errorf("got %v", err)
				}
				if text := err.Error(); strings.Contains(text, "s3cret") || len([]rune(text)) > 1000 {
					t.Errorf("%d characters: %.2000s", len(text), text)
				}
				w.expect(t, test.sent...)
			}
			w.answer = nil
			if err := w.call(t.Context(), chain, ""); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLoginStaysWithItsHost shows that no answer leads the client's secret elsewhere or out of
// encryption.
func TestLoginStaysWithItsHost(t *testing.T) {
	discovery, token := login(one, "c:s3cret")[0], login(one, "c:s3cret")[1]
	var strangers atomic.Int64
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strangers.Add(1) }))
	defer stranger.Close()
	tests := map[string]struct {
		path, location, body string
		sent                 []string
	}{
		"discovery is redirected":       {"/oidc/.well-known/oauth-authorization-server", "https://evil.example.com/x", "", []string{discovery}},
		"discovery is redirected here":  {"/oidc/.well-known/oauth-authorization-server", "/elsewhere", "", []string{discovery}},
		"the token is redirected":       {"/oidc/v1/token", "https://evil.example.com/x", "", []string{discovery, token}},
		"the token is to go in plain":   {"/oidc/.well-known/oauth-authorization-server", "", `{"token_endpoint": "http://evil.example.com/oidc/v1/token"}`, []string{discovery}},
		"the token is to go in plain 2": {"/oidc/.well-known/oauth-authorization-server", "", `{"token_endpoint": "http://` + one + `/oidc/v1/token"}`, []string{discovery}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			chain := client(t, w)
			w.answer = func(rw http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != test.path {
					return false
				}
				if test.location != "" {
					rw.Header().Set("Location", test.location)
					rw.WriteHeader(http.StatusTemporaryRedirect)
				}
				_, _ = io.WriteString(rw, test.body)
				return true
			}
			err := w.call(t.Context(), chain, "")
			if code(err) != provider.Unauthorized || !strings.Contains(err.Error(), "not followed") && !strings.Contains(err.Error(), "unencrypted") {
				t.Errorf("got %v", err)
			}
			noSecret(t, err)
			w.expect(t, test.sent...)
		})
	}
	if n := strangers.Load(); n != 0 {
		t.Errorf("%d requests reached a stranger", n)
	}
}

// TestEndlessLogin shows that no answer about a token fills the memory.
func TestEndlessLogin(t *testing.T) {
	w := newWorld(t)
	chain := client(t, w)
	var sent atomic.Int64
	w.answer = func(rw http.ResponseWriter, _ *http.Request) bool {
		for chunk := strings.Repeat(" ", 1<<16); ; {
			n, err := io.WriteString(rw, chunk)
			if sent.Add(int64(n)); err != nil {
				return true
			}
		}
	}
	if err := w.call(t.Context(), chain, ""); code(err) != provider.Unauthorized {
		t.Errorf("got %v", err)
	}
	if n := sent.Load(); n > 64<<20 {
		t.Errorf("took %d MiB", n>>20)
	}
}

// TestSilentLogin shows that a call that waits for a token ends when it is canceled, that one after
// it is not held up, and that a late token goes nowhere.
func TestSilentLogin(t *testing.T) {
	for _, path := range []string{"/oidc/.well-known/oauth-authorization-server", "/oidc/v1/token"} {
		t.Run(path, func(t *testing.T) {
			w := newWorld(t)
			chain := client(t, w)
			reached := make(chan struct{}, 8)
			release := make(chan struct{})
			w.answer = func(_ http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == path {
					reached <- struct{}{}
					<-release
				}
				return false
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			stopped := errors.New("stopped")
			failed := make(chan error)
			go func() { failed <- w.call(ctx, chain, "") }()
			<-reached
			cancel(stopped)
			if err := <-failed; !errors.Is(err, stopped) {
				t.Errorf("got %v", err)
			}
			ctx, done := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer done()
			if err := w.call(ctx, chain, ""); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the next: %v", err)
			}
			for _, line := range w.take() {
				if strings.Contains(line, "/api") {
					t.Errorf("sent %s", line)
				}
			}
			close(release)
			if err := w.call(t.Context(), chain, ""); err != nil {
				t.Errorf("after all: %v", err)
			}
			if seen := w.take(); seen[len(seen)-1] != "GET "+one+"/api Bearer c@"+one {
				t.Errorf("sent %q", seen)
			}
		})
	}
}

// TestUnreachableLogin shows that the errors distinguish a host that does not answer from a host that
// refuses the credential.
func TestUnreachableLogin(t *testing.T) {
	for name, test := range map[string]struct {
		failure error // of every exchange
		message string
	}{
		"no connection":          {&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no route to host")}, "dial tcp: no route to host"},
		"no answer":              {context.DeadlineExceeded, "no answer in time"},
		"no answer for the SDK":  {context.Canceled, "no answer in time"}, // what its own time-out looks like from below
		"no answer to the login": {nil, "no answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			client(t, w)
			err := w.call(t.Context(), auth.NewChain(auth.Options{Transport: failing{w.transport, test.failure}}), "")
			if code(err) != provider.Network || err.Error() != "log in at https://"+one+": "+test.message || provider.HintOf(err) == "" {
				t.Errorf("code %v: %v", code(err), err)
			}
			noSecret(t, err)
		})
	}
}

// failing is a network that fails, at the token endpoint if with no other failure.
type failing struct {
	http.RoundTripper
	failure error
}

func (f failing) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.failure != nil {
		return nil, f.failure
	}
	if r.Method == http.MethodPost {
		return nil, context.DeadlineExceeded
	}
	return f.RoundTripper.RoundTrip(r)
}

// TestEmulatedLogin logs in to the emulator, over plain http on this machine, and calls it.
func TestEmulatedLogin(t *testing.T) {
	isolate(t)
	server := testworld.StartEmulator(t, emulator.Options{})
	t.Setenv("DATABRICKS_HOST", server.URL())
	t.Setenv("DATABRICKS_CLIENT_ID", server.ClientID())
	t.Setenv("DATABRICKS_CLIENT_SECRET", server.ClientSecret())
	chain := auth.NewChain(auth.Options{})
	for range 3 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/api/2.0/postgres/projects", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if err := chain.Direct(r, ""); err != nil {
			t.Fatal(err)
		}
		if err := chain.Authorize(r); err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("answered %s", resp.Status)
		}
	}
	var paths []string
	for _, r := range server.Requests() {
		paths = append(paths, r.Path)
	}
	if got, want := strings.Join(paths, " "), "/oidc/.well-known/oauth-authorization-server /oidc/v1/token"+strings.Repeat(" /api/2.0/postgres/projects", 3); got != want {
		t.Errorf("sent %s", got)
	}
}

// TestRemedies shows that the hint names the cause of a credential that could not be had.
func TestRemedies(t *testing.T) {
	const host = "https://" + one
	tests := map[string]struct {
		file    string
		env     string // DATABRICKS_ variables
		profile string
		refusal string // the code of OAuth
		hint    string
	}{
		"nothing":           {"", "HOST=" + host, "", "", "set DATABRICKS_TOKEN, or "},
		"half a client":     {"", "HOST=" + host + " CLIENT_ID=c", "", "", "DATABRICKS_CLIENT_ID is set, and DATABRICKS_CLIENT_SECRET is not: set both"},
		"the other half":    {"", "HOST=" + host + " CLIENT_SECRET=s3cret", "", "", "DATABRICKS_CLIENT_SECRET is set, and DATABRICKS_CLIENT_ID is not: set both"},
		"a profile's host":  {"[h]\nhost = " + host + "\n", "TOKEN=s3cret", "h", "", `the profile "h" of ~/.databrickscfg has no credential, and with a profile none is taken from the environment: add token, or client_id and client_secret, to the profile`},
		"half of a profile": {"[h]\nhost = " + host + "\nclient_id = c\n", "CLIENT_SECRET=s3cret", "h", "", "client_id is set, and client_secret is not: set both"},
		"a wrong secret":    {"", "HOST=" + host + " CLIENT_ID=c CLIENT_SECRET=s3cret", "", "invalid_client", "the host does not accept the OAuth client: the value of DATABRICKS_CLIENT_ID or DATABRICKS_CLIENT_SECRET is wrong, or the secret has expired or was deleted"},
		"a secret that masks the code": {
			"", "HOST=" + host + " CLIENT_ID=c CLIENT_SECRET=i", "", "invalid_client", "the host does not accept the OAuth client: ",
		},
		"a wrong secret of a profile": {"[h]\nhost = " + host + "\nclient_id = c\nclient_secret = s3cret\n", "", "h", "invalid_client", "the host does not accept the OAuth client: the value of client_id or client_secret is wrong, or the secret has expired or was deleted"},
		"a client that may not":       {"", "HOST=" + host + " CLIENT_ID=c CLIENT_SECRET=s3cret", "", "unauthorized_client", "the OAuth client of DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET may not log in at this host"},
		"some other refusal":          {"", "HOST=" + host + " CLIENT_ID=c CLIENT_SECRET=s3cret", "", "server_error", "a credential is configured, and logging in with it failed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if test.file != "" {
				configure(t, test.file)
			}
			for pair := range strings.FieldsSeq(test.env) {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv("DATABRICKS_"+name, value)
			}
			w.answer = func(rw http.ResponseWriter, r *http.Request) bool {
				if test.refusal == "" || r.URL.Path != "/oidc/v1/token" {
					return false
				}
				rw.WriteHeader(http.StatusUnauthorized)
				_, _ = io.WriteString(rw, `{"error": "`+test.refusal+`", "error_description": "no"}`)
				return true
			}
			err := w.call(t.Context(), auth.NewChain(auth.Options{Transport: w.transport, Profile: test.profile}), "")
			if code(err) != provider.Unauthorized || !strings.HasPrefix(provider.HintOf(err), test.hint) {
				t.Errorf("got %v\nhint: %s", err, provider.HintOf(err))
			}
			noSecret(t, err)
		})
	}
}
