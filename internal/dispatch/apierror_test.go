package dispatch_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// TestErrorBodies reads an error in every shape that the API has for one.
func TestErrorBodies(t *testing.T) {
	tests := map[string]struct {
		status      int
		contentType string
		body        string
		code        provider.Code
		errorCode   string
		message     string // after the name of the method
		requestID   string
	}{
		"JSON": {
			404, "application/json", `{"error_code": "NOT_FOUND", "message": "no thing n", "details": []}`,
			provider.API, "NOT_FOUND", "NOT_FOUND: no thing n", "",
		},
		"JSON with a number for a code": {
			400, "application/json", `{"error_code": 1006, "message": "bad"}`,
			provider.API, "1006", "1006: bad", "",
		},
		"JSON with details": {
			409, "application/json", `{"error_code": "CONFLICT", "message": "taken", "details": [
				{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ALREADY", "domain": "d"},
				{"@type": "type.googleapis.com/google.rpc.RequestInfo", "request_id": "r-1", "serving_data": ""}]}`,
			provider.API, "CONFLICT", "CONFLICT: taken", "r-1",
		},
		"the code in the details only": {
			400, "application/json", `{"message": "bad", "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "WHY"}]}`,
			provider.API, "WHY", "WHY: bad", "",
		},
		"a message that is no text": {
			400, "application/json", `{"error_code": "ODD", "message": {"text": "bad"}, "details": "none"}`,
			provider.API, "ODD", "ODD: bad request", "",
		},
		"a null code":           {400, "application/json", `{"error_code": null, "message": "bad"}`, provider.API, "", "bad", ""},
		"JSON of unknown shape": {400, "application/json", `{"oops": [1]}`, provider.API, "", `{"oops": [1]}`, ""},
		"an empty object":       {502, "application/json", `{}`, provider.API, "", "bad gateway", ""},
		"API 1.2":               {500, "application/json", `{"error": "ContextNotFound: none"}`, provider.API, "", "ContextNotFound: none", ""},
		"SCIM":                  {404, "application/scim+json", `{"detail": "no user", "status": "404", "scimType": "noTarget"}`, provider.API, "SCIM_404", "SCIM_404: noTarget no user", ""},
		"SCIM with a number":    {400, "application/scim+json", `{"schemas": [], "detail": "bad filter", "status": 400}`, provider.API, "SCIM_400", "SCIM_400: bad filter", ""},
		"OAuth":                 {400, "application/json", `{"error": "invalid_grant", "error_description": "gone"}`, provider.API, "invalid_grant", "invalid_grant: gone", ""},
		"text with a code":      {400, "text/plain", "MALFORMED_REQUEST: vpc_endpoints malformed: see\nabove", provider.API, "MALFORMED_REQUEST", `MALFORMED_REQUEST: vpc_endpoints malformed: see\nabove`, ""},
		"text":                  {500, "text/plain", "  it broke\n", provider.API, "", "it broke", ""},
		"HTML with <pre>":       {500, "text/html", "<html><title>T</title><body><pre class=x>\n it\n  broke &amp; fell </pre>", provider.API, "", "it broke & fell", ""},
		"HTML with a title":     {503 - 1, "text/html", "<html><head><title>502 Bad Gateway</title></head><pre> </pre>", provider.API, "", "502 Bad Gateway", ""},
		"HTML with neither":     {500, "text/html", "<html><h1>x</h1>", provider.API, "", "an HTML page instead of an answer", ""},
		"HTML that says text":   {500, "text/plain", "<pre>broke</pre>", provider.API, "", "broke", ""},
		"nothing":               {404, "", "", provider.API, "", "not found", ""},
		"a status of no name":   {599, "", "", provider.API, "", "no reason given", ""},
		"cut JSON":              {500, "application/json", `{"error_code": "A`, provider.API, "", `{"error_code": "A`, ""},
		"invalid UTF-8":         {500, "text/plain", "a\xffb\x9bc", provider.API, "", "a\uFFFDb\uFFFDc", ""},
		"terminal escapes": {
			500, "application/json", `{"error_code": "\u001b[2J", "message": "\u001b]0;x\u0007 red \u202e"}`,
			provider.API, `\x1b[2J`, `\x1b[2J: \x1b]0;x\a red \u202e`, "",
		},
		"escapes as HTML entities": {500, "text/html", "<pre>&#27;[31mred</pre>", provider.API, "", `\x1b[31mred`, ""},
		"not authenticated":        {401, "application/json", `{"error_code": "UNAUTHENTICATED", "message": "who?"}`, provider.Unauthorized, "UNAUTHENTICATED", "UNAUTHENTICATED: who?", ""},
		"a token that is refused":  {403, "application/json", `{"error_code": 403, "message": "Invalid access token. [ReqId: x]"}`, provider.Unauthorized, "403", "403: Invalid access token. [ReqId: x]", ""},
		"not allowed":              {403, "application/json", `{"error_code": "PERMISSION_DENIED", "message": "no"}`, provider.Unauthorized, "PERMISSION_DENIED", "PERMISSION_DENIED: no", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{test.contentType}
				w.WriteHeader(test.status)
				_, _ = fmt.Fprint(w, test.body)
			})
			_, err := get().call(t.Context(), t, c)
			e := asError(t, err)
			if want := "test.things.things.get: " + test.message; e.Message != want {
				t.Errorf("message %q, want %q", e.Message, want)
			}
			if e.Code != test.code || e.Status != test.status || e.ErrorCode != test.errorCode || e.RequestID != test.requestID {
				t.Errorf("code %v, status %d, error code %q, request id %q", e.Code, e.Status, e.ErrorCode, e.RequestID)
			}
			if e.Method != "GET" || !strings.HasSuffix(e.URL, "/api/things/n") {
				t.Errorf("of %s %s", e.Method, e.URL)
			}
			if (e.Hint != "") != (test.code == provider.Unauthorized || test.status == 404 && !e.Absent) {
				t.Errorf("hint %q", e.Hint)
			}
		})
	}
}

// TestRequestIDOfTheHeader shows that the header has precedence over the body.
func TestRequestIDOfTheHeader(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Request-Id", "from-header\u202e")
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, `{"message": "m", "details": [{"request_id": "from-body"}]}`)
	})
	_, err := get().call(t.Context(), t, c)
	if e := asError(t, err); e.RequestID != `from-header\u202e` {
		t.Errorf("request id %q", e.RequestID)
	}
}

// TestLongErrorsAreShortened keeps a page that comes as an error from filling the terminal.
func TestLongErrorsAreShortened(t *testing.T) {
	long := strings.Repeat("é", 1<<20)
	for name, body := range map[string]string{
		"a message": `{"error_code": "A", "message": "` + long + `"}`,
		"a code":    `{"error_code": "` + long + `", "message": "m"}`,
		"text":      long,
		"code text": "CODE: " + long,
		"HTML":      "<pre>" + long,
		"a list":    `{"message": "m", "details": [{"request_id": "` + long + `"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = fmt.Fprint(w, body)
			})
			_, err := get().call(t.Context(), t, c)
			if n := len([]rune(asError(t, err).Error())); n > 2500 {
				t.Errorf("the error has %d characters", n)
			}
		})
	}
}

// TestErrorsLeaveOutTheQuery shows that no argument of the query, and no token, is in an error.
func TestErrorsLeaveOutTheQuery(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("key") != "s3cret" {
			t.Errorf("query %s", r.URL.RawQuery)
		}
		w.WriteHeader(http.StatusBadRequest)
	})
	_, err := request{method: "list", args: map[string]any{"key": "s3cret"}}.call(t.Context(), t, c)
	if text := asError(t, err).Error(); strings.Contains(text, "s3cret") || strings.Contains(text, token) {
		t.Errorf("the error tells a secret: %s", text)
	}
}

// TestRedirectsAreNotFollowed shows that a redirect is an error, and that neither the request nor
// the token goes where it points to.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var strangers atomic.Int64
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strangers.Add(1) }))
	defer stranger.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, r := range []request{get(), post()} {
			for _, target := range []string{stranger.URL + "/x", "/elsewhere", ""} {
				var calls atomic.Int64
				c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
					calls.Add(1)
					if target != "" {
						w.Header().Set("Location", target)
					}
					w.WriteHeader(status)
				})
				_, err := r.call(t.Context(), t, c)
				e := asError(t, err)
				if e.Code != provider.API || e.Status != status || !strings.Contains(e.Message, "redirected to") || !strings.Contains(e.Message, target) {
					t.Errorf("%s %d to %q: %v", r.method, status, target, err)
				}
				if calls.Load() != 1 {
					t.Errorf("%s %d to %q: %d calls", r.method, status, target, calls.Load())
				}
			}
		}
	}
	if n := strangers.Load(); n != 0 {
		t.Errorf("%d requests reached the stranger", n)
	}
}

// TestRefusedCredentials shows that the errors distinguish an invalid token from a missing permission.
func TestRefusedCredentials(t *testing.T) {
	const token = "the workspace does not accept the token: it has expired, was revoked, or belongs to another workspace"
	const permission = "the credential was accepted, but may not do this: ask for the permission that the message names"
	for message, want := range map[string]string{
		"Invalid access token.":                  token,
		"Invalid access token. [ReqId: x]":       token,
		"Invalid Token":                          token,
		"The access token is expired":            token,
		"Token has been revoked":                 token,
		"Error processing token: JWT is expired": token,
		"Credential was not sent or was of an unsupported type for this API.": token,
		"User does not have permission CREATE on catalog c":                   permission,
		"Only admins may create tokens":                                       permission,
		"":                                                                    permission,
	} {
		t.Run(message, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				_, _ = fmt.Fprintf(w, `{"error_code": "PERMISSION_DENIED", "message": %q}`, message)
			})
			_, err := get().call(t.Context(), t, c)
			if e := asError(t, err); e.Code != provider.Unauthorized || e.Hint != want {
				t.Errorf("the hint is %q", e.Hint)
			}
		})
	}
}
