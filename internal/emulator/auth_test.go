package emulator_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
)

func TestPersonalAccessTokens(t *testing.T) {
	s := start(t, nil)
	if !regexp.MustCompile(`^dapi[0-9a-f]{32}$`).MatchString(s.Token()) {
		t.Errorf("token %s", s.Token())
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("token:"+s.Token()))
	for name, header := range map[string]http.Header{
		"none":       {},
		"wrong":      {"Authorization": {"Bearer dapi00000000000000000000000000000000"}},
		"empty":      {"Authorization": {"Bearer "}},
		"no scheme":  {"Authorization": {s.Token()}},
		"basic":      {"Authorization": {basic}},
		"two":        {"Authorization": {"Bearer " + s.Token(), "Bearer " + s.Token()}},
		"prefix":     {"Authorization": {"Bearer " + s.Token()[:35]}},
		"looks like": {"Authorization": {"Bearer a.b.c"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := send(t, s, request{path: root + "projects", token: "-", header: header})
			wantError(t, got, 401, "UNAUTHENTICATED", "")
			if got.header.Get("Www-Authenticate") == "" {
				t.Error("no WWW-Authenticate")
			}
		})
	}
	// An unauthenticated caller must not learn which resources exist.
	wantError(t, send(t, s, request{path: "/api/2.0/no/such", token: "-"}), 401, "UNAUTHENTICATED", "")
	if got := send(t, s, request{path: root + "projects", token: "-", header: http.Header{"Authorization": {"bearer " + s.Token()}}}); got.status != 200 {
		t.Errorf("the scheme's case matters: %d", got.status)
	}

	mine := start(t, func(o *emulator.Options) { o.Token = "dapi-mine" })
	if got := send(t, mine, request{path: root + "projects", token: "dapi-mine"}); got.status != 200 {
		t.Errorf("the token of the options: %d", got.status)
	}
}

// accessToken is a good answer of the token endpoint.
type accessToken struct {
	Token     string `json:"access_token"`
	Type      string `json:"token_type"`
	ExpiresIn int    `json:"expires_in"`
	Scope     string `json:"scope"`
}

func grant(t *testing.T, s *emulator.Server, workspace, user, secret string, form url.Values) reply {
	t.Helper()
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if user != "" {
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(user)+":"+url.QueryEscape(secret))))
	}
	return send(t, s, request{method: "POST", path: "/oidc/v1/token", workspace: workspace, token: "-", header: header, body: form.Encode()})
}

func login(t *testing.T, s *emulator.Server, workspace string) accessToken {
	t.Helper()
	got := grant(t, s, workspace, s.ClientID(), s.ClientSecret(), url.Values{"grant_type": {"client_credentials"}, "scope": {"all-apis"}})
	var token accessToken
	if err := json.Unmarshal([]byte(got.body), &token); err != nil || got.status != 200 {
		t.Fatalf("%d %s %v", got.status, got.body, err)
	}
	if got.header.Get("Cache-Control") != "no-store" || got.header.Get("X-Request-Id") == "" {
		t.Errorf("header %v", got.header)
	}
	return token
}

func TestOAuthClientsLogIn(t *testing.T) {
	var now atomic.Int64
	now.Store(noon().Unix())
	s := start(t, func(o *emulator.Options) {
		o.Clock = func() time.Time { return time.Unix(now.Load(), 0) }
		o.ClientID, o.ClientSecret = "a%41 client", "100% odd: +&" // what is form-encoded in the header comes back right
	})
	var found struct {
		Issuer string `json:"issuer"`
		Token  string `json:"token_endpoint"`
	}
	got := send(t, s, request{path: "/oidc/.well-known/oauth-authorization-server", workspace: "dbc-1", token: "-"})
	if err := json.Unmarshal([]byte(got.body), &found); err != nil || found.Token != s.WorkspaceURL("dbc-1")+"/oidc/v1/token" || found.Issuer != s.WorkspaceURL("dbc-1")+"/oidc" {
		t.Errorf("discovery %s %v", got.body, err)
	}
	token := login(t, s, "dbc-1")
	if token.Type != "Bearer" || token.ExpiresIn != 3600 || token.Scope != "all-apis" {
		t.Errorf("token %+v", token)
	}
	if got := send(t, s, request{path: root + "projects", workspace: "dbc-1", token: token.Token}); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	wantError(t, send(t, s, request{path: root + "projects", workspace: "dbc-2", token: token.Token}), 401, "UNAUTHENTICATED", "issued by workspace dbc-1")
	made := send(t, s, request{method: "POST", path: root + "credentials", workspace: "dbc-1", token: token.Token, body: `{"endpoint":"` + theEndpoint + `"}`})
	if c, err := s.Verify(judge(t, "DatabaseCredential", made.body)["token"].(string)); err != nil || c.Subject != s.ClientID() {
		t.Errorf("the client's credential is %+v, %v", c, err)
	}
	now.Add(3600)
	wantError(t, send(t, s, request{path: root + "projects", workspace: "dbc-1", token: token.Token}), 401, "UNAUTHENTICATED", "expired")
}

func TestGrantsThatAreRefused(t *testing.T) {
	s := start(t, nil)
	good := url.Values{"grant_type": {"client_credentials"}, "scope": {"all-apis"}}
	with := func(key, value string) url.Values {
		form := url.Values{key: {value}}
		for k, v := range good {
			if k != key {
				form[k] = v
			}
		}
		return form
	}
	for _, tt := range []struct {
		name, user, secret string
		form               url.Values
		status             int
		code               string
	}{
		{"wrong secret", s.ClientID(), "x", good, 401, "invalid_client"},
		{"wrong client", "x", s.ClientSecret(), good, 401, "invalid_client"},
		{"no client", "", "", good, 401, "invalid_client"},
		{"secret twice", s.ClientID(), s.ClientSecret(), with("client_secret", s.ClientSecret()), 401, "invalid_client"},
		{"other grant", s.ClientID(), s.ClientSecret(), with("grant_type", "password"), 400, "unsupported_grant_type"},
		{"other scope", s.ClientID(), s.ClientSecret(), with("scope", "sql"), 400, "invalid_scope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := grant(t, s, "", tt.user, tt.secret, tt.form)
			var e struct {
				Code string `json:"error"`
			}
			if err := json.Unmarshal([]byte(got.body), &e); err != nil || got.status != tt.status || e.Code != tt.code {
				t.Errorf("%d %s %v", got.status, got.body, err)
			}
		})
	}
	inForm := url.Values{"grant_type": {"client_credentials"}, "scope": {"all-apis"}, "client_id": {s.ClientID()}, "client_secret": {s.ClientSecret()}}
	if got := grant(t, s, "", "", "", inForm); got.status != 200 {
		t.Errorf("the client in the form: %d %s", got.status, got.body)
	}
	if got := send(t, s, request{method: "POST", path: "/oidc/v1/token", body: "{}"}); got.status != 400 || !strings.Contains(got.body, "invalid_request") {
		t.Errorf("JSON for a form: %d %s", got.status, got.body)
	}
	if got := send(t, s, request{path: "/oidc/v1/token"}); got.status != 405 || got.header.Get("Allow") != "POST" {
		t.Errorf("GET: %d %v", got.status, got.header)
	}
}

func TestHostMetadata(t *testing.T) {
	s := start(t, nil)
	read := func(workspace string) map[string]any {
		var m map[string]any
		got := send(t, s, request{path: "/.well-known/databricks-config", workspace: workspace, token: "-"})
		if err := json.Unmarshal([]byte(got.body), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	one, two := read("dbc-1"), read("dbc-2")
	if one["host_type"] != "workspace" || one["oidc_endpoint"] != s.WorkspaceURL("dbc-1")+"/oidc" || one["cloud"] != "AWS" {
		t.Errorf("metadata %v", one)
	}
	if one["account_id"] != two["account_id"] || one["workspace_id"] == two["workspace_id"] || len(one["workspace_id"].(string)) != 16 {
		t.Errorf("workspaces of one account: %v %v", one, two)
	}
}
