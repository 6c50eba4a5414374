package emulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

const documents = "../../openapi/databricks_workspace/v00.00.00000"

// noon is the time in tests.
func noon() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) }

// start runs an emulator of the shipped catalogue until the test ends.
func start(tb testing.TB, change func(*emulator.Options)) *emulator.Server {
	tb.Helper()
	opts := emulator.Options{Clock: noon, Seed: 7}
	if change != nil {
		change(&opts)
	}
	return testworld.StartEmulator(tb, opts)
}

// request is a request of a test; empty fields mean the default.
type request struct {
	method, path, body string
	workspace          string // default: the bare loopback host
	token              string // "-": none
	header             http.Header
}

// reply is the answer to a request.
type reply struct {
	status int
	header http.Header
	body   string
}

// client sends requests over connections of its own, which end with the test. Every name reaches
// the loopback address, as no resolver of the machine's is needed to know *.localhost.
func client(tb testing.TB) *http.Client {
	tb.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func send(t *testing.T, s *emulator.Server, r request) reply {
	t.Helper()
	got, err := trySend(t, s, r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	return got
}

func trySend(t *testing.T, s *emulator.Server, r request) (reply, error) {
	t.Helper()
	base := s.URL()
	if r.workspace != "" {
		base = s.WorkspaceURL(r.workspace)
	}
	if r.method == "" {
		r.method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(t.Context(), r.method, base+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	if r.token == "" {
		r.token = s.Token()
	}
	if r.token != "-" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	resp, err := client(t).Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, header: resp.Header, body: string(body)}, err
}

// get reads a resource or a page, and judges it by the documents.
func get(t *testing.T, s *emulator.Server, path, schema string) map[string]any {
	t.Helper()
	got := send(t, s, request{path: path})
	if got.status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, got.status, got.body)
	}
	if got.header.Get("Content-Type") != "application/json" || got.header.Get("X-Request-Id") == "" {
		t.Errorf("GET %s: header %v", path, got.header)
	}
	return judge(t, schema, got.body)
}

// judge validates JSON against a schema of the documents, by another reader than the emulator's.
func judge(t *testing.T, schema, body string) map[string]any {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal([]byte(body), &value); err != nil {
		t.Fatalf("not a JSON object: %v: %s", err, body)
	}
	if err := schemas(t)[schema].Value.VisitJSON(value, openapi3.VisitAsResponse()); err != nil {
		t.Errorf("not a %s: %v", schema, err)
	}
	return value
}

// schemas reads the documents once for all tests, closed to fields that they do not have.
func schemas(t *testing.T) openapi3.Schemas {
	t.Helper()
	all, err := readSchemas()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var readSchemas = sync.OnceValues(func() (openapi3.Schemas, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(documents, "services", "postgres.yaml"))
	if err != nil {
		return nil, err
	}
	closed := false
	for _, s := range doc.Components.Schemas {
		if s.Value.Type == "object" && s.Value.AdditionalProperties == nil {
			s.Value.AdditionalPropertiesAllowed = &closed
		}
	}
	admitUnspecified(doc)
	return doc.Components.Schemas, nil
})

// admitUnspecified adds a value that the service answers with to an enum of the documents. The SDK,
// from which the documents come, leaves such values out.
func admitUnspecified(doc *openapi3.T) {
	if kinds, ok := doc.Components.Schemas["RoleIdentityType"]; ok {
		kinds.Value.Enum = append(kinds.Value.Enum, "IDENTITY_TYPE_UNSPECIFIED")
	}
}

// apiError is the error body that most of the API answers with.
type apiError struct {
	ErrorCode string           `json:"error_code"`
	Message   string           `json:"message"`
	Details   []map[string]any `json:"details"`
}

// wantError checks status, code and a part of the message, and that the request can be found.
func wantError(t *testing.T, got reply, status int, code, message string) apiError {
	t.Helper()
	var e apiError
	if err := json.Unmarshal([]byte(got.body), &e); err != nil {
		t.Fatalf("%v in %q", err, got.body)
	}
	if got.status != status || e.ErrorCode != code || !strings.Contains(e.Message, message) {
		t.Errorf("got %d %s %q, want %d %s …%s…", got.status, e.ErrorCode, e.Message, status, code, message)
	}
	if len(e.Details) < 2 || e.Details[0]["@type"] != "type.googleapis.com/google.rpc.ErrorInfo" ||
		e.Details[1]["request_id"] != got.header.Get("X-Request-Id") || got.header.Get("X-Request-Id") == "" {
		t.Errorf("details %v do not tell the request %q", e.Details, got.header.Get("X-Request-Id"))
	}
	return e
}

func TestUnknownPathsAndVerbs(t *testing.T) {
	s := start(t, nil)
	for _, tt := range []struct {
		name, method, path, code, message, allow string
		status                                   int
	}{
		{name: "root", path: "/", status: 404, code: "ENDPOINT_NOT_FOUND", message: "No API found for 'GET /'"},
		{name: "unknown", path: "/x", status: 404, code: "ENDPOINT_NOT_FOUND", message: "No API found for 'GET /x'"},
		{name: "unknown in the API", path: "/api/2.0/nothing/here", status: 404, code: "ENDPOINT_NOT_FOUND", message: "'GET /nothing/here'"},
		{name: "other verb", method: "PUT", path: "/api/2.0/postgres/projects", status: 404, code: "ENDPOINT_NOT_FOUND", message: "'PUT /postgres/projects'", allow: "GET, POST"},
		{name: "other verb below a parameter", method: "POST", path: "/api/2.0/postgres/projects/p/branches/b", status: 404, code: "ENDPOINT_NOT_FOUND", message: "'POST /postgres", allow: "DELETE, GET, PATCH"},
		{name: "trailing slash", path: "/api/2.0/postgres/projects/", status: 400, code: "INVALID_PARAMETER_VALUE", message: `segment ""`},
		{name: "empty segment", path: "/api/2.0/postgres/projects//branches", status: 400, code: "INVALID_PARAMETER_VALUE", message: `segment ""`},
		{name: "dot segments", path: "/api/2.0/postgres/projects/%2e%2E", status: 400, code: "INVALID_PARAMETER_VALUE", message: `segment ".."`},
		{name: "escaped slash stays in its segment", path: "/api/2.0/postgres/projects/p%2Fbranches", status: 400, code: "INVALID_PARAMETER_VALUE", message: "project_id must match"},
		{name: "upper-case id", path: "/api/2.0/postgres/projects/P", status: 400, code: "INVALID_PARAMETER_VALUE", message: "project_id must match"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := send(t, s, request{method: tt.method, path: tt.path})
			wantError(t, got, tt.status, tt.code, tt.message)
			if allow := got.header.Get("Allow"); allow != tt.allow {
				t.Errorf("Allow %q, want %q", allow, tt.allow)
			}
		})
	}
}

func TestStartRefusesAddressesOthersCanReach(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0", "127.0.0.1"} {
		s, err := emulator.Start(emulator.Options{Catalogue: testworld.Catalogue(t), Address: address})
		if err == nil {
			t.Errorf("listens on %s: %v", address, s.Close())
		}
		if provider.CodeOf(err) != provider.Usage {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestOptionsOutOfRangeAreRefused(t *testing.T) {
	all := testworld.Catalogue(t)
	for name, opts := range map[string]emulator.Options{
		"no catalogue":     {},
		"negative scale":   {Catalogue: all, Scale: -1},
		"enormous scale":   {Catalogue: all, Scale: 1_000_001},
		"negative page":    {Catalogue: all, PageSize: -1},
		"negative limit":   {Catalogue: all, RateLimit: -1},
		"negative latency": {Catalogue: all, Latency: -1},
	} {
		if _, err := emulator.New(opts); provider.CodeOf(err) != provider.Usage {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWorkspacesAreSeparate(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.CreateOnUse = true })
	body := `{"endpoint": "projects/fresh/branches/main/endpoints/rw"}`
	if got := send(t, s, request{method: "POST", path: "/api/2.0/postgres/credentials", body: body, workspace: "dbc-1"}); got.status != 200 {
		t.Fatal(got.body)
	}
	here := send(t, s, request{path: "/api/2.0/postgres/projects/fresh", workspace: "DBC-1"})
	if here.status != 200 {
		t.Errorf("in its own workspace: %d %s", here.status, here.body)
	}
	wantError(t, send(t, s, request{path: "/api/2.0/postgres/projects/fresh", workspace: "dbc-2"}), 404, "NOT_FOUND", "workspace dbc-2 has projects")
	wantError(t, send(t, s, request{path: "/api/2.0/postgres/projects/fresh"}), 404, "NOT_FOUND", "workspace local has projects")

	one := send(t, s, request{path: "/api/2.0/postgres/projects/orders", workspace: "dbc-1"})
	two := send(t, s, request{path: "/api/2.0/postgres/projects/orders", workspace: "dbc-2"})
	if one.body == two.body {
		t.Error("two workspaces hold the same project, uid and all")
	}
	again := start(t, nil)
	if got := send(t, again, request{path: "/api/2.0/postgres/projects/orders", workspace: "dbc-1"}); got.body != one.body {
		t.Errorf("the same seed gives\n%s\nand\n%s", one.body, got.body)
	}
	other := start(t, func(o *emulator.Options) { o.Seed = 8 })
	if got := send(t, other, request{path: "/api/2.0/postgres/projects/orders", workspace: "dbc-1"}); got.body == one.body {
		t.Error("another seed gives the same project")
	}
}

func TestForeignHostsAreRefused(t *testing.T) {
	s := start(t, nil)
	for _, host := range []string{"evil.example", "a.b.localhost", "-a.localhost", ".localhost", "10.0.0.1", "localhost.evil.example", "x_y.localhost"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/api/2.0/postgres/projects", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set("Authorization", "Bearer "+s.Token())
		resp, err := client(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		wantError(t, reply{resp.StatusCode, resp.Header, string(body)}, 404, "NOT_FOUND", "No workspace at host")
	}
}

func TestBodiesAreLimited(t *testing.T) {
	s := start(t, nil)
	for name, body := range map[string]io.Reader{
		"declared": bytes.NewReader(make([]byte, 16<<20+1)),
		"chunked":  struct{ io.Reader }{bytes.NewReader(make([]byte, 16<<20+1))},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/api/2.0/postgres/credentials", body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Expect", "100-continue") // so that the client reads the answer before it has sent all
			req.Header.Set("Authorization", "Bearer "+s.Token())
			resp, err := client(t).Do(req)
			if err != nil {
				t.Skipf("the connection ended while the body was being sent: %v", err)
			}
			text, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			wantError(t, reply{resp.StatusCode, resp.Header, string(text)}, 413, "MAX_REQUEST_SIZE_EXCEEDED", "16 MiB")
		})
	}
}
