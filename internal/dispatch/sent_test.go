package dispatch_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// credential signs requests with a header.
type credential struct {
	dispatch.Authorizer
	header, value string
	secrets       []string
}

func (c credential) Authorize(r *http.Request) error {
	r.Header.Set(c.header, c.value)
	return nil
}

func (c credential) Secrets() []string { return c.secrets }

// TestAnswersThatRepeatCredentials has a server repeat the received credentials, in every place and
// spelling. No output, log or store shows them.
func TestAnswersThatRepeatCredentials(t *testing.T) {
	const secret, password = `dapi "0123" 456789abcdef`, "pass'word-1"
	basic := base64.StdEncoding.EncodeToString([]byte("user:" + password))
	credentials := map[string]struct {
		credential
		said string // by the server
	}{
		"bearer":        {credential{header: "Authorization", value: "Bearer " + secret}, secret},
		"basic":         {credential{header: "Authorization", value: "Basic " + basic}, basic},
		"password":      {credential{header: "Authorization", value: "Basic " + basic}, password},
		"another token": {credential{header: "X-Databricks-Azure-Sp-Management-Token", value: secret}, secret},
		"client secret": {credential{header: "Authorization", value: "Bearer token", secrets: []string{secret}}, secret},
		"in the body":   {credential{header: "Authorization", value: "Bearer token"}, "bodysecretone"},
	}
	spellings := map[string]func(string) string{
		"plain":   func(s string) string { return s },
		"escaped": url.QueryEscape,
		"base64":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"quoted":  func(s string) string { return strings.ReplaceAll(s, "'", "''") },
	}
	places := map[string]func(w http.ResponseWriter, said string){
		"message": func(w http.ResponseWriter, said string) {
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]string{"error_code": "BAD", "message": "no " + said + "!"})
		},
		"code": func(w http.ResponseWriter, said string) {
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode(map[string]string{"error_code": said})
		},
		"cut": func(w http.ResponseWriter, said string) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprint(w, strings.Repeat("x", 480), " ", said)
		},
		"text": func(w http.ResponseWriter, said string) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprint(w, "who is ", said)
		},
		"HTML": func(w http.ResponseWriter, said string) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = fmt.Fprintf(w, "<html><pre>%s</pre>", said)
		},
		"Location": func(w http.ResponseWriter, said string) {
			w.Header().Set("Location", "https://other.example/?token="+said)
			w.WriteHeader(http.StatusFound)
		},
		"request id": func(w http.ResponseWriter, said string) {
			w.Header().Set("X-Request-Id", said)
			w.WriteHeader(http.StatusConflict)
		},
		"details": func(w http.ResponseWriter, said string) {
			w.WriteHeader(http.StatusConflict)
			_ = json.NewEncoder(w).Encode(map[string]any{"details": []any{map[string]string{"request_id": said, "reason": said}}})
		},
		"retried": func(w http.ResponseWriter, said string) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = fmt.Fprint(w, "busy with ", said)
		},
		"no HTTP": func(w http.ResponseWriter, said string) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = fmt.Fprintf(conn, "%s\r\n\r\n", said)
				_ = conn.Close()
			}
		},
	}
	for name, given := range credentials {
		for spelling, spell := range spellings {
			for place, say := range places {
				t.Run(name+"/"+spelling+"/"+place, func(t *testing.T) {
					said := spell(given.said)
					c := serve(t, func(w http.ResponseWriter, _ *http.Request) { say(w, said) })
					signs := given.credential
					signs.Authorizer = c.Authorizer
					var told bytes.Buffer
					c.Authorizer = signs
					c.Logger = slog.New(slog.NewTextHandler(&told, &slog.HandlerOptions{Level: slog.LevelDebug}))
					c.OnRetry = func(reason error, wait time.Duration) { _, _ = fmt.Fprintln(&told, reason, wait) }
					c.Retry.Budget = time.Minute
					_, err := request{method: "create", body: `{"name": "n", "login": {"password": "bodysecretone"}}`}.call(t.Context(), t, c)
					e := asError(t, err)
					for cause := err; cause != nil; cause = errors.Unwrap(cause) {
						_, _ = fmt.Fprintln(&told, cause)
					}
					_, _ = fmt.Fprintln(&told, e.Message, e.Hint, e.ErrorCode, e.RequestID, e.URL)
					all := provider.NewMask(given.said).Text(told.String())
					if strings.Contains(told.String(), said) || all != told.String() || strings.Contains(told.String(), given.said[:8]) {
						t.Errorf("the secret is told: %s", told.String())
					}
					if e.Method != http.MethodPost || !strings.Contains(e.Message, "things.create") {
						t.Errorf("what failed is not told: %v", e)
					}
				})
			}
		}
	}
}
