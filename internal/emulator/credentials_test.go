package emulator_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
)

const theEndpoint = "projects/p/branches/b/endpoints/e"

func generate(t *testing.T, s *emulator.Server, body string) reply {
	t.Helper()
	return send(t, s, request{method: "POST", path: root + "credentials", body: body})
}

func TestCredential(t *testing.T) {
	s := start(t, nil)
	got := generate(t, s, `{"endpoint": "`+theEndpoint+`", "claims": [{"permission_set": "READ_ONLY", "resources": [{"table_name": "main.shop.orders"}]}]}`)
	if got.status != 200 {
		t.Fatal(got.body)
	}
	answer := judge(t, "DatabaseCredential", got.body)
	if answer["expire_time"] != "2026-03-04T13:00:00Z" {
		t.Errorf("expires %v", answer["expire_time"])
	}
	token := answer["token"].(string)
	c, err := s.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	host := get(t, s, root+theEndpoint, "Endpoint")["status"].(map[string]any)["hosts"].(map[string]any)["host"]
	if c.Endpoint != theEndpoint || c.Audience != host || c.Issuer != s.URL() || !strings.Contains(c.Subject, "@") || c.ID == "" ||
		!c.IssuedAt.Equal(noon()) || !c.Expires.Equal(noon().Add(time.Hour)) {
		t.Errorf("credential %+v", c)
	}
	if len(c.Claims) != 1 || c.Claims[0].PermissionSet != "READ_ONLY" || c.Claims[0].Resources[0].TableName != "main.shop.orders" {
		t.Errorf("claims %+v", c.Claims)
	}

	// The token is a JWT that any library could read.
	header, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if err != nil || string(header) != `{"alg":"EdDSA","typ":"JWT"}` {
		t.Errorf("header %s, %v", header, err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"iss", "sub", "aud", "endpoint", "claims", "iat", "exp", "jti"} {
		if claims[name] == nil {
			t.Errorf("no %s in %s", name, payload)
		}
	}
}

func TestTokensThatAreNotGood(t *testing.T) {
	var now atomic.Int64
	now.Store(noon().Unix())
	clock := func(o *emulator.Options) { o.Clock = func() time.Time { return time.Unix(now.Load(), 0) } }
	s, other := start(t, clock), start(t, clock)
	token := func(s *emulator.Server) string {
		return judge(t, "DatabaseCredential", generate(t, s, `{"endpoint":"`+theEndpoint+`"}`).body)["token"].(string)
	}
	good := token(s)
	if again := token(s); again == good {
		t.Error("two credentials are the same")
	}
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	for name, tt := range map[string]struct {
		token string
		want  error
	}{
		"empty":                 {"", emulator.ErrMalformedToken},
		"not three parts":       {parts[0] + "." + parts[1], emulator.ErrMalformedToken},
		"no base64":             {parts[0] + ".!." + parts[2], emulator.ErrMalformedToken},
		"no algorithm":          {none + "." + parts[1] + ".", emulator.ErrMalformedToken},
		"another's":             {token(other), emulator.ErrSignature},
		"changed":               {parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":9999999999}`)) + "." + parts[2], emulator.ErrSignature},
		"signature cut":         {parts[0] + "." + parts[1] + "." + parts[2][:80], emulator.ErrSignature},
		"an access token":       {login(t, s, "").Token, emulator.ErrMalformedToken},
		"personal access token": {s.Token(), emulator.ErrMalformedToken},
	} {
		if _, err := s.Verify(tt.token); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	now.Add(3599)
	if _, err := s.Verify(good); err != nil {
		t.Errorf("in its last second: %v", err)
	}
	now.Add(1)
	if _, err := s.Verify(good); !errors.Is(err, emulator.ErrExpired) {
		t.Errorf("after an hour: %v", err)
	}
	if got := send(t, s, request{path: root + "projects", token: good}); got.status != 401 {
		t.Errorf("a database credential opens the API: %d", got.status)
	}
}

func TestCredentialRequestsAreJudgedByTheDocuments(t *testing.T) {
	s := start(t, nil)
	const ok = `"endpoint":"` + theEndpoint + `"`
	for _, tt := range []struct{ name, body, code, message string }{
		{"no body", ``, "INVALID_PARAMETER_VALUE", "body is required"},
		{"no JSON", `{"endpoint":`, "MALFORMED_REQUEST", "ends too early"},
		{"no JSON at all", `endpoint=e`, "MALFORMED_REQUEST", "not JSON"},
		{"two values", `{` + ok + `} {}`, "MALFORMED_REQUEST", "after its end"},
		{"null", `null`, "INVALID_PARAMETER_VALUE", "body is null"},
		{"no object", `[]`, "INVALID_PARAMETER_VALUE", "body must be of type object"},
		{"no endpoint", `{}`, "INVALID_PARAMETER_VALUE", "endpoint is required"},
		{"endpoint null", `{"endpoint": null}`, "INVALID_PARAMETER_VALUE", "endpoint is null"},
		{"endpoint of another type", `{"endpoint": 7}`, "INVALID_PARAMETER_VALUE", "endpoint must be of type string"},
		{"endpoint malformed", `{"endpoint": "e"}`, "INVALID_PARAMETER_VALUE", "endpoint must match"},
		{"endpoint empty", `{"endpoint": ""}`, "INVALID_PARAMETER_VALUE", "endpoint must match"},
		{"endpoint with a bad id", `{"endpoint": "projects/P/branches/b/endpoints/e"}`, "INVALID_PARAMETER_VALUE", "is not an id"},
		{"unknown field", `{` + ok + `, "endpiont": ""}`, "INVALID_PARAMETER_VALUE", "endpiont is not a known field"},
		{"claims as text", `{` + ok + `, "claims": "[]"}`, "INVALID_PARAMETER_VALUE", "claims must be of type array"},
		{"claim of another type", `{` + ok + `, "claims": [1]}`, "INVALID_PARAMETER_VALUE", "claims[0] must be of type object"},
		{"unknown enum", `{` + ok + `, "claims": [{"permission_set": "ALL"}]}`, "INVALID_PARAMETER_VALUE", "claims[0].permission_set must be one of READ_ONLY"},
		{"deep unknown field", `{` + ok + `, "claims": [{"resources": [{"table": "t"}]}]}`, "INVALID_PARAMETER_VALUE", "claims[0].resources[0].table is not a known field"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := wantError(t, generate(t, s, tt.body), 400, tt.code, tt.message)
			if strings.Contains(e.Message, "The request is not valid") && e.Details[2]["@type"] != "type.googleapis.com/google.rpc.BadRequest" {
				t.Errorf("details %v name no field", e.Details)
			}
		})
	}
	all := wantError(t, generate(t, s, `{"a":1,"b":2}`), 400, "INVALID_PARAMETER_VALUE", "endpoint is required; a is not a known field; b is not")
	if n := len(all.Details[2]["field_violations"].([]any)); n != 3 {
		t.Errorf("%d violations", n)
	}
}

func TestCredentialForAnUnknownEndpoint(t *testing.T) {
	s := start(t, nil)
	wantError(t, generate(t, s, `{"endpoint":"projects/p/branches/b/endpoints/x"}`), 404, "NOT_FOUND", "branch projects/p/branches/b has endpoints e.")
	wantError(t, generate(t, s, `{"endpoint":"projects/x/branches/b/endpoints/e"}`), 404, "NOT_FOUND", "workspace local has projects")
}

func TestCreateOnUse(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.CreateOnUse = true })
	var done sync.WaitGroup
	for range 8 { // at once: it is made only once
		done.Go(func() {
			got, err := trySend(t, s, request{method: "POST", path: root + "credentials", body: `{"endpoint":"projects/mine/branches/feature/endpoints/rw"}`})
			if err != nil || got.status != 200 {
				t.Errorf("%d %s %v", got.status, got.body, err)
			}
		})
	}
	done.Wait()
	for path, schema := range map[string]string{
		"projects/mine":                                                "Project",
		"projects/mine/branches/production":                            "Branch",
		"projects/mine/branches/production/endpoints/primary":          "Endpoint",
		"projects/mine/branches/feature":                               "Branch",
		"projects/mine/branches/feature/endpoints/rw":                  "Endpoint",
		"projects/mine/branches/feature/databases/databricks-postgres": "Database",
		"projects/mine/branches/feature/roles/ada-okafor":              "Role",
	} {
		if made := get(t, s, root+path, schema); made["create_time"] != "2026-03-04T12:00:00Z" {
			t.Errorf("%s was made at %v", path, made["create_time"])
		}
	}
	if got := generate(t, s, `{"endpoint":"projects/mine/branches/feature/endpoints/second"}`); got.status != 200 {
		t.Fatal(got.body)
	}
	second := get(t, s, root+"projects/mine/branches/feature/endpoints/second", "Endpoint")["status"].(map[string]any)
	if second["endpoint_type"] != "ENDPOINT_TYPE_READ_ONLY" {
		t.Errorf("a branch has two endpoints that write: %v", second)
	}
	wantError(t, generate(t, s, `{"endpoint":"projects/legacy-shop/branches/b/endpoints/e"}`), 404, "NOT_FOUND", "legacy-shop")
	wantError(t, generate(t, s, `{"endpoint":"projects/-/branches/b/endpoints/e"}`), 400, "INVALID_PARAMETER_VALUE", "is not an id")
}

// TestOneEndpointOfABranchWrites asks for many at once, which all find a branch without any.
func TestOneEndpointOfABranchWrites(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.CreateOnUse = true })
	for _, project := range []string{"p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"} {
		var done sync.WaitGroup
		for id := 'a'; id <= 'p'; id++ {
			done.Go(func() {
				body := `{"endpoint":"projects/` + project + `/branches/b/endpoints/` + string(id) + `"}`
				if got, err := trySend(t, s, request{method: "POST", path: root + "credentials", body: body}); err != nil || got.status != 200 {
					t.Errorf("%d %s %v", got.status, got.body, err)
				}
			})
		}
		done.Wait()
		writers := 0
		for _, e := range all(t, s, "projects/"+project+"/branches/b/endpoints", "endpoints", url.Values{}) {
			if e["status"].(map[string]any)["endpoint_type"] == "ENDPOINT_TYPE_READ_WRITE" {
				writers++
			}
		}
		if writers != 1 {
			t.Errorf("%d endpoints of project %s's branch write", writers, project)
		}
	}
}

// TestACredentialLivesAsLongAsAsked asks for lifetimes in both ways, at and beyond their limits.
func TestACredentialLivesAsLongAsAsked(t *testing.T) {
	s := start(t, nil)
	for _, tt := range [][2]string{
		{`"ttl": "300s"`, "2026-03-04T12:05:00Z"},
		{`"ttl": "3600s"`, "2026-03-04T13:00:00Z"},
		{`"expire_time": "2026-03-04T12:30:00Z"`, "2026-03-04T12:30:00Z"},
		{`"ttl": "300s", "expire_time": "2026-03-04T12:30:00Z"`, "2026-03-04T12:05:00Z"},
	} {
		body, want := tt[0], tt[1]
		got := judge(t, "DatabaseCredential", generate(t, s, `{"endpoint": "`+theEndpoint+`", `+body+`}`).body)
		if got["expire_time"] != want {
			t.Errorf("%s: expires %v", body, got["expire_time"])
		} else if c, err := s.Verify(got["token"].(string)); err != nil || c.Expires.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: %+v, %v", body, c, err)
		}
	}
	for body, message := range map[string]string{
		`"ttl": "299s"`:                         "ttl must be from 300s to 3600s, not 299s",
		`"ttl": "3601s"`:                        "not 3601s",
		`"expire_time": "2026-03-04T12:04:59Z"`: "not 2026-03-04T12:04:59Z",
		`"expire_time": "2026-03-04T13:00:01Z"`: "from 300s to 3600s after now, 2026-03-04T12:00:00Z",
	} {
		wantError(t, generate(t, s, `{"endpoint": "`+theEndpoint+`", `+body+`}`), 400, "INVALID_PARAMETER_VALUE", message)
	}
}
