package dispatch_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestDescribe shows the description of a request, with masked secrets. Nothing is sent.
func TestDescribe(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	tests := map[string]struct {
		r             request
		verb, path    string
		headers, body string
	}{
		"no body": {get(), "GET", "/api/things/n", "", "<nil>"},
		"secrets in the body": {
			request{method: "create", body: `{"name": "n", "integer": 9007199254740993, "any": "[1]", "login": {"user": "u", "password": "scrt", "others": [{"password": "scrt"}]}}`},
			"POST", "/api/things", "", `{"any":"[1]","integer":9007199254740993,"login":{"others":[{"password":"****"}],"password":"****","user":"u"},"name":"n"}`,
		},
		"secrets in text": {
			request{method: "create", body: `{"name": "n", "login": "{\"others\": \"[{\\\"password\\\": \\\"scrt\\\"}]\"}"}`},
			"POST", "/api/things", "", `{"login":{"others":[{"password":"****"}]},"name":"n"}`,
		},
		"a stream": {request{method: "blob", body: `"a {\n"`}, "PUT", "/api/blobs", `"Content-Type":"application/octet-stream"`, "a {\n"},
		"secrets elsewhere": {
			request{method: "list", args: map[string]any{"key": "scrt", "X-Key": "scrt", "X-Note": "seen", "deep": true}},
			"GET", "/api/things?deep=true&key=%2A%2A%2A%2A", `"X-Key":"****","X-Note":"seen"`, "<nil>",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			req, err := test.r.plan(t, c)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := c.Describe(req)
			if err != nil {
				t.Fatal(err)
			}
			row, err := rows.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			headers := string(row[2].(json.RawMessage))
			body := fmt.Sprint(row[3])
			if raw, ok := row[3].(json.RawMessage); ok {
				body = string(raw)
			}
			if row[0] != test.verb || !strings.HasSuffix(row[1].(string), test.path) || !strings.Contains(headers, test.headers) || body != test.body {
				t.Errorf("got %v %v\n%s\n%s", row[0], row[1], headers, body)
			}
			if !strings.Contains(headers, `"Authorization":"****"`) || strings.Contains(fmt.Sprint(row[1])+headers+body, "scrt") || strings.Contains(headers, token) {
				t.Errorf("tells a secret: %v %s %s", row[1], headers, body)
			}
		})
	}
}

// TestHasSecret shows which bodies hold a credential, however they are written.
func TestHasSecret(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) {})
	m := method(t, c, "create")
	for body, want := range map[string]bool{
		`{"name": "n"}`:                                           false,
		`{"login": {"user": "u"}}`:                                false,
		`{"login": {"password": "p"}}`:                            true,
		`{"login": {"password": null}}`:                           false,
		`{"login": {"others": [{}, {"password": "p"}]}}`:          true,
		`{"login": "{\"password\": \"p\"}"}`:                      true,
		`{"login": "{\"user\": \"u\"}"}`:                          false,
		`{"login": {"others": "[{\"password\": \"p\"}]"}}`:        true,
		`{"login": "{\"password\": \"p\""}`:                       true, // it may hold one
		`"{\"login\": {\"password\": \"p\"}}"`:                    true,
		`{"list": "[1"}`:                                          true,
		`{"free": {"login": {"user": "u", "n": [1, "a"]}}}`:       false,
		`{"free": {"login": {"password": "the schema is free"}}}`: true,
		`{"free": ["Server=s;Password=p"]}`:                       true,
	} {
		if got, err := c.HasSecret(m, fromJSON(t, body)); err != nil || got != want {
			t.Errorf("%s: %v, %v", body, got, err)
		}
	}
	if got, err := c.HasSecret(method(t, c, "list"), map[string]any{"login": "p"}); err != nil || got {
		t.Errorf("without a body: %v, %v", got, err)
	}
}
