package dispatch_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// TestRequest shows a request as it reaches the server, byte for byte.
func TestRequest(t *testing.T) {
	tests := map[string]struct {
		r                    request
		line, body, mimeType string
	}{
		"a GET":            {get(), "GET /api/things/n", "", ""},
		"a HEAD":           {request{method: "head", args: map[string]any{"name": "n"}}, "HEAD /api/things/n", "", ""},
		"a POST":           {request{method: "create", body: `{"string": "<é>", "name": "n", "integer": 1e2}`}, "POST /api/things", `{"integer":100,"name":"n","string":"\u003cé\u003e"}`, "application/json"},
		"no body":          {request{method: "search"}, "POST /api/things/search", "", ""},
		"an empty body":    {request{method: "search", body: `{}`}, "POST /api/things/search", "{}", "application/json"},
		"a body of nulls":  {request{method: "search", body: `{"text": null}`}, "POST /api/things/search", "{}", "application/json"},
		"null parameters":  {request{method: "list", args: map[string]any{"deep": nil, "X-Note": nil}}, "GET /api/things", "", ""},
		"two in one path":  {request{method: "two", args: map[string]any{"first": "{second}", "second": "{first}"}}, "GET /api/two/%7Bsecond%7D/of/%7Bfirst%7D", "", ""},
		"booleans":         {request{method: "list", args: map[string]any{"deep": false}}, "GET /api/things?deep=false", "", ""},
		"boolean as text":  {request{method: "list", args: map[string]any{"deep": "true"}}, "GET /api/things?deep=true", "", ""},
		"integers":         {request{method: "list", args: map[string]any{"since": json.Number("9007199254740993")}}, "GET /api/things?since=9007199254740993", "", ""},
		"number for text":  {request{method: "get", args: map[string]any{"name": json.Number("1.50")}}, "GET /api/things/1.50", "", ""},
		"boolean for text": {request{method: "get", args: map[string]any{"name": true}}, "GET /api/things/true", "", ""},
		"lists":            {request{method: "list", args: map[string]any{"kinds": []any{"a b", "c&d"}}}, "GET /api/things?kinds=a+b&kinds=c%26d", "", ""},
		"lists as text":    {request{method: "list", args: map[string]any{"kinds": `["a", "b"]`}}, "GET /api/things?kinds=a&kinds=b", "", ""},
		"an empty list":    {request{method: "list", args: map[string]any{"kinds": []any{}}}, "GET /api/things", "", ""},
		"objects":          {request{method: "list", args: map[string]any{"filter": `{"owner": "é", "statuses": ["A", "B"], "range": {"from": 1, "exact": true}}`}}, "GET /api/things?filter.owner=%C3%A9&filter.range.exact=true&filter.range.from=1&filter.statuses=A&filter.statuses=B", "", ""},
		"null inside":      {request{method: "list", args: map[string]any{"filter": `{"owner": null, "range": {"from": null}}`}}, "GET /api/things", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var line, body string
			var header http.Header
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				data, _ := io.ReadAll(r.Body)
				line, body, header = r.Method+" "+r.RequestURI, string(data), r.Header
				answer(w, "{}")
			})
			if _, err := test.r.call(t.Context(), t, c); err != nil {
				t.Fatal(err)
			}
			if line != test.line || body != test.body {
				t.Errorf("sent %s\n%s\nwant %s\n%s", line, body, test.line, test.body)
			}
			for name, want := range map[string]string{
				"User-Agent": "lakeql/test", "Accept": "application/json", "Content-Type": test.mimeType, "Authorization": "Bearer " + token,
			} {
				if got := header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			for name := range header {
				if !slices.Contains([]string{"User-Agent", "Accept", "Content-Type", "Authorization", "Accept-Encoding", "Content-Length"}, name) {
					t.Errorf("sent the header %s", name)
				}
			}
		})
	}
}

// FuzzPath shows that the value for a part of a path arrives as exactly this part, or is not sent.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{
		"n", "a b", "a/b", "..", ".", "a..b", "...", "%2e%2e", "100%", "%", "%zz", "a%2Fb", "%%32e", "a\\b", "a?b=c", "a#b", "a;b", "a,b", "a:b", "a@b", "a+b", "a&b=c", "~", "*", "'", `"`, "<>", "{}", "[1]", "|",
		"é", "日本", "\u00a0", "\u202e", "\u200b", "\u2028", "\ufeff", "\x00", "\r\n", "\t", "\xff", "a\xc0\xaf", "🙂", "／", "．．", "//evil.test", "", " ", strings.Repeat("x", 9000),
	} {
		f.Add(seed)
	}
	var uri, escaped, path string
	c := serve(f, func(w http.ResponseWriter, r *http.Request) {
		uri, escaped, path = r.RequestURI, r.URL.EscapedPath(), r.URL.Path
		answer(w, thing)
	})
	f.Fuzz(func(t *testing.T, value string) {
		uri = ""
		_, err := request{method: "two", args: map[string]any{"first": value, "second": "last"}}.call(t.Context(), t, c)
		if err != nil {
			if e := asError(t, err); e.Code != provider.Usage || e.Arg != "first" || uri != "" {
				t.Errorf("%q: sent %q: %v", value, uri, err)
			}
			if plainName(value) {
				t.Errorf("%q is refused: %v", value, err)
			}
			return
		}
		segments := strings.Split(escaped, "/")
		if len(segments) != 6 || path != "/api/two/"+value+"/of/last" {
			t.Fatalf("%q arrives as %q", value, uri)
		}
		if got, err := url.PathUnescape(segments[3]); err != nil || got != value || got == "." || got == ".." || strings.ContainsAny(uri, "?#") {
			t.Errorf("%q arrives as %q in %q: %v", value, got, uri, err)
		}
	})
}

// plainName reports whether a name has nothing that could be taken for more than a name.
func plainName(s string) bool {
	return s != "" && utf8.ValidString(s) && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ @:+&=é日本🙂") == ""
}

// TestPathsOfFiles shows the valid values for a whole path, whose slashes stay slashes.
func TestPathsOfFiles(t *testing.T) {
	var uri string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		uri = r.RequestURI
		answer(w, thing)
	})
	for value, want := range map[string]string{
		"/Volumes/a/b c/d#?.txt": "/api/files/Volumes/a/b%20c/d%23%3F.txt",
		"/a":                     "/api/files/a",
		"/a/":                    "/api/files/a/",
		"/a//b":                  "/api/files/a//b",
		"/é":                     "/api/files/%C3%A9",
		"/...":                   "/api/files/...",
		"/a%3Ab":                 "/api/files/a%253Ab",
		"/100%":                  "/api/files/100%25",
		"/a%2Fb":                 "/api/files/a%252Fb",
		"/a%2eb":                 "/api/files/a%252eb",
		"/a%00b":                 "/api/files/a%2500b",
		`/a\b`:                   "/api/files/a%5Cb",
		"/売上　報告.csv":             "/api/files/%E5%A3%B2%E4%B8%8A%E3%80%80%E5%A0%B1%E5%91%8A.csv",
		"/👩\u200d💻":              "/api/files/%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB",
		"/a\r\nb\t":              "/api/files/a%0D%0Ab%09",
		"/a;b,c:d@e&f=g+h$!*'()": "/api/files/a%3Bb%2Cc:d@e&f=g+h$%21%2A%27%28%29",
		// The next ones would leave the folder, the operation, or the host.
		"/..":             "",
		"/a/../../b":      "",
		"/./a":            "",
		"/a/%2e%2e/b":     "",
		"/a/.%2E/b":       "",
		"/a%2f..%2fb":     "",
		`/a\..\b`:         "",
		"/a/%2e%2e%5cb/c": "",
		"a":               "",
		"system":          "",
		"../x":            "",
		".evil.test":      "",
		"%2Fa":            "",
		"":                "",
		"/a\x00b":         "",
		"/a\xff":          "",
	} {
		uri = ""
		_, err := request{method: "file", args: map[string]any{"file_path": value}}.call(t.Context(), t, c)
		if uri != want || (err == nil) != (want != "") {
			t.Errorf("%q: sent %q, want %q: %v", value, uri, want, err)
		}
		if err != nil && (asError(t, err).Code != provider.Usage || asError(t, err).Arg != "file_path") {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// TestHeaders shows that a value stays within its header.
func TestHeaders(t *testing.T) {
	var header http.Header
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		answer(w, "{}")
	})
	for value, sent := range map[string]bool{
		"a note: 5%, é": true,
		"":              true,
		"a\r\nX: y":     false, "a\nb": false, "a\rb": false, "a\x00b": false, "a\tb": false, "a\x7f": false, "a\u0085b": false, "\xff": false,
	} {
		header = nil
		_, err := request{method: "list", args: map[string]any{"X-Note": value}}.call(t.Context(), t, c)
		if (err == nil) != sent || (header != nil) != sent {
			t.Errorf("%q: %v", value, err)
		}
		if sent && header.Get("X-Note") != value {
			t.Errorf("%q arrives as %q", value, header.Get("X-Note"))
		}
		if err != nil && (asError(t, err).Code != provider.Usage || asError(t, err).Arg != "X-Note") {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// TestArguments shows the errors of arguments. Nothing is sent.
func TestArguments(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	tests := map[string]struct {
		r       request
		message string
		arg     string
		hint    string
	}{
		"unknown":            {request{method: "get", args: map[string]any{"name": "n", "nam": "n"}}, "nam: test.things.things.get has no such parameter", "nam", ""},
		"missing":            {request{method: "get"}, "name: missing: test.things.things.get requires it", "name", ""},
		"missing for null":   {request{method: "get", args: map[string]any{"name": nil}}, "name: missing: test.things.things.get requires it", "name", ""},
		"wrong type":         {request{method: "list", args: map[string]any{"deep": "yes"}}, `deep: "yes" is not a boolean`, "deep", ""},
		"not an integer":     {request{method: "list", args: map[string]any{"since": json.Number("1.5")}}, "since: 1.5 is not an integer of 64 bits", "since", ""},
		"text for a list":    {request{method: "list", args: map[string]any{"kinds": "a"}}, `kinds: "a" is not an array`, "kinds", ""},
		"wrong in a list":    {request{method: "list", args: map[string]any{"kinds": []any{"a", json.Number("1")}}}, "kinds[1]: 1 is not a string", "kinds", ""},
		"unknown inside":     {request{method: "list", args: map[string]any{"filter": `{"range": {"form": 1}}`}}, "filter.range.form: unknown attribute", "filter", "known are from, exact"},
		"a body for none":    {request{method: "list", body: `{}`}, "test.things.things.list takes no request body", "", ""},
		"no body":            {request{method: "create"}, "name: missing: test.things.things.create requires it", "name", ""},
		"a body of no shape": {request{method: "create", body: `[]`}, "the request body: [] is not an object", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := test.r.plan(t, c)
			e := asError(t, err)
			if e.Code != provider.Usage || e.Message != test.message || e.Arg != test.arg || e.Hint != test.hint {
				t.Errorf("got %q (code %v, arg %q, hint %q), want %q", e.Message, e.Code, e.Arg, e.Hint, test.message)
			}
		})
	}
}

// TestDirectDecides shows that a call that the authorizer refuses to direct is not sent.
func TestDirectDecides(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	if _, err := c.Plan(dispatch.Call{Method: method(t, c, "get"), Args: get().args, Deployment: "evil.com"}); asError(t, err).Arg != "deployment_name" {
		t.Errorf("got %v", err)
	}
}
