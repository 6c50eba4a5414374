package auth_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/provider"
)

// world stands for every https host: one server that answers to all names, and records the requests to
// each.
type world struct {
	transport *http.Transport
	// answer, if set, answers instead of the host, unless it is false.
	answer func(w http.ResponseWriter, r *http.Request) bool

	mu   sync.Mutex
	seen []string
}

// newWorld makes a world, and a machine without any configuration to look at it from.
func newWorld(t *testing.T) *world {
	t.Helper()
	isolate(t)
	w := &world{}
	server := httptest.NewUnstartedServer(w)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	w.transport = &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // it has a certificate for none of the names
	}
	t.Cleanup(w.transport.CloseIdleConnections)
	return w
}

// isolate hides the configuration of the machine that runs the tests.
func isolate(t *testing.T) {
	t.Helper()
	home := t.TempDir()
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		for _, prefix := range []string{"DATABRICKS_", "ARM_", "GOOGLE_", "ACTIONS_", "SYSTEM_", "CLOUDSDK_", "MSI_", "IDENTITY_"} {
			if strings.HasPrefix(name, prefix) {
				t.Setenv(name, "")
			}
		}
	}
	t.Setenv("HOME", home)
	t.Setenv("PATH", home)
}

// configure writes ~/.databrickscfg.
func configure(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(os.Getenv("HOME"), ".databrickscfg"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	line := fmt.Sprintf("%s %s%s", r.Method, r.Host, r.URL.Path)
	if user, password, ok := r.BasicAuth(); ok {
		line += " Basic " + user + ":" + password
	} else if credential := r.Header.Get("Authorization"); credential != "" {
		line += " " + credential
	}
	if len(body) > 0 {
		line += " " + string(body)
	}
	w.mu.Lock()
	w.seen = append(w.seen, line)
	w.mu.Unlock()
	if w.answer != nil && w.answer(rw, r) {
		return
	}
	user, _, _ := r.BasicAuth()
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/oauth-authorization-server"):
		_ = json.NewEncoder(rw).Encode(map[string]string{"token_endpoint": "https://" + r.Host + "/oidc/v1/token"})
	case strings.HasSuffix(r.URL.Path, "/v1/token"):
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(map[string]any{"access_token": user + "@" + r.Host, "token_type": "Bearer", "expires_in": 3600})
	default:
		_, _ = io.WriteString(rw, "{}")
	}
}

// take returns the requests since the last call of take.
func (w *world) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

// expect compares the requests since the last call with the expected ones.
func (w *world) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := w.take(); !slices.Equal(got, want) {
		t.Errorf("sent\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// call goes the way of the dispatcher: direct, authorize, send.
func (w *world) call(ctx context.Context, chain *auth.Chain, deployment string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/api", http.NoBody)
	if err != nil {
		return err
	}
	if err := chain.Direct(r, deployment); err != nil {
		return err
	}
	if err := chain.Authorize(r); err != nil {
		return err
	}
	resp, err := w.transport.RoundTrip(r)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// login returns the requests of an OAuth client for a token.
func login(host, client string) []string {
	return []string{
		"GET " + host + "/oidc/.well-known/oauth-authorization-server",
		"POST " + host + "/oidc/v1/token Basic " + client + " grant_type=client_credentials&scope=all-apis",
	}
}

// noSecret shows that no link of an error repeats a secret.
func noSecret(t *testing.T, err error) {
	t.Helper()
	for e := err; e != nil; {
		if strings.Contains(e.Error(), "s3cret") || strings.Contains(provider.HintOf(e), "s3cret") {
			t.Errorf("the error tells a secret: %v", e)
		}
		wrapped, ok := e.(interface{ Unwrap() error })
		if !ok {
			return
		}
		e = wrapped.Unwrap()
	}
}

func code(err error) provider.Code { return provider.CodeOf(err) }
