package emulator_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
)

// TestRawRequests sends requests that no HTTP library would send.
func TestRawRequests(t *testing.T) {
	s := start(t, nil)
	auth := "Authorization: Bearer " + s.Token() + "\r\n"
	for name, tt := range map[string]struct{ text, status string }{
		"dot segments":      {"GET /api/2.0/postgres/projects/../projects HTTP/1.1\r\nHost: localhost\r\n" + auth + "\r\n", "400"},
		"broken escape":     {"GET /api/2.0/postgres/projects/%zz HTTP/1.1\r\nHost: localhost\r\n" + auth + "\r\n", "400"},
		"no host":           {"GET /api/2.0/postgres/projects HTTP/1.1\r\n" + auth + "\r\n", "400"},
		"empty host":        {"GET /api/2.0/postgres/projects HTTP/1.1\r\nHost: \r\n" + auth + "\r\n", "404"},
		"asterisk":          {"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n" + auth + "\r\n", "400"},
		"connect":           {"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n" + auth + "\r\n", "4"},
		"absolute form":     {"GET http://dbc-1.localhost/api/2.0/postgres/projects HTTP/1.1\r\nHost: ignored\r\n" + auth + "\r\n", "200"},
		"IPv6 host":         {"GET /api/2.0/postgres/projects HTTP/1.1\r\nHost: [::1]:80\r\n" + auth + "\r\n", "200"},
		"host with a point": {"GET /api/2.0/postgres/projects HTTP/1.1\r\nHost: DBC-1.Localhost.:80\r\n" + auth + "\r\n", "200"},
		"odd verb":          {"B\u00e9 / HTTP/1.1\r\nHost: localhost\r\n" + auth + "\r\n", "400"},
		"body ends early":   {"POST /api/2.0/postgres/credentials HTTP/1.1\r\nHost: localhost\r\n" + auth + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
		"invalid UTF-8":     {"POST /api/2.0/postgres/credentials HTTP/1.1\r\nHost: localhost\r\n" + auth + "Content-Length: 3\r\n\r\n\xff\x00{", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL(), "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, err := io.WriteString(conn, tt.text); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, "HTTP/1.1 "+tt.status) {
				t.Errorf("%q, %v", line, err)
			}
		})
	}
	if got := send(t, s, request{path: root + "projects"}); got.status != 200 {
		t.Errorf("afterwards: %d", got.status)
	}
}

func TestDeepBodiesAreRefused(t *testing.T) {
	s := start(t, nil)
	deep := `{"endpoint":"` + theEndpoint + `","claims":` + strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000) + `}`
	wantError(t, generate(t, s, deep), 400, "MALFORMED_REQUEST", "not JSON")
}

// FuzzServe looks for requests that make the handler panic or answer with something unreadable.
func FuzzServe(f *testing.F) {
	e := testworld.NewEmulator(f, emulator.Options{Clock: noon, CreateOnUse: true, Scale: 20})
	f.Add("GET", "localhost", "/api/2.0/postgres/projects?page_size=3", "")
	f.Add("GET", "dbc-1.localhost:80", "/api/2.0/postgres/projects/p/branches/b/endpoints/e", "")
	f.Add("POST", "[::1]", "/api/2.0/postgres/credentials", `{"endpoint":"projects/x/branches/y/endpoints/z","claims":[{"permission_set":"READ_ONLY"}]}`)
	f.Add("POST", "localhost", "/oidc/v1/token", "grant_type=client_credentials")
	f.Add("DELETE", "localhost", "/_emulator/requests", "")
	f.Add("PATCH", "localhost", "/api/2.0/postgres/projects/orders?update_mask=spec.default_endpoint_settings.suspension,spec", `{"spec":{"pg_version":16}}`)
	f.Add("POST", "localhost", "/api/2.0/postgres/projects/p/branches?branch_id=x&replace_existing=true", `{"spec":{"ttl":"5s"}}`)
	f.Add("GET", "localhost", "/api/2.2/jobs/runs/list?job_id=x&limit=2&offset=3", "")
	f.Add("POST", "localhost", "/api/2.1/clusters/events", `{"cluster_id":"x","offset":-1}`)
	f.Add("GET", "localhost", "/api/2.0/preview/scim/v2/Users?startIndex=9&count=2&filter=emails.value+co+%22a%22", "")
	f.Add("PATCH", "localhost", "/api/2.0/preview/scim/v2/Groups/7104220950400001", `{"Operations":[{"op":"remove","path":"members[value eq \"1\"]"},{"op":"add","value":{"displayName":"x"}}]}`)
	f.Add("PUT", "localhost", "/api/2.0/permissions/jobs/1", `{"access_control_list":[{"user_name":"x"},null]}`)
	f.Add("GET", "localhost", "/api/2.1/unity-catalog/tables/main..x", "")
	f.Add("POST", "localhost", "/api/2.0/secrets/put", `{"scope":"shop","key":"|/","string_value":"x"}`)
	f.Add("POST", "localhost", "/api/2.0/workspace/import", `{"path":"/Shared/../x","content":"eA=="}`)
	f.Fuzz(func(t *testing.T, method, host, target, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		r := &http.Request{
			Method: method, URL: u, Host: host, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
			Header: http.Header{"Authorization": {"Bearer " + e.Token()}, "Content-Type": {"application/x-www-form-urlencoded"}},
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r.WithContext(t.Context()))
		if w.Header().Get("X-Request-Id") == "" || !json.Valid(bytes.TrimSpace(w.Body.Bytes())) {
			t.Errorf("%s %s at %s: %d %v %s", method, target, host, w.Code, w.Header(), w.Body)
		}
	})
}
