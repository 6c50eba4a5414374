package wire

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/openapigen/names"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// operations is the size of the API at the SDK's version in go.mod.
const operations = 1142

// accountID is the account of every call.
const accountID = "5f0d4a52-3b1c-4b6e-9a53-0c1d2e3f4a5b"

// suite is what the tests share: both sides and the server between them.
type suite struct {
	api       *sdk.API
	names     map[names.Key]names.Name
	catalogue *provider.Catalogue
	server    *recorder
	official  official
	client    *dispatch.Client
}

func newSuite(t *testing.T) *suite {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/databricks/databricks-sdk-go").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	api, err := sdk.Read(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	table, err := names.Read(os.DirFS("../../openapi/overlays"))
	if err != nil {
		t.Fatal(err)
	}
	assigned, err := table.Assign(api)
	if err != nil {
		t.Fatal(err)
	}
	documents, err := openapi.LoadAll(os.DirFS("../../openapi"))
	if err != nil {
		t.Fatal(err)
	}
	catalogue := provider.NewCatalogue(documents)
	server := newRecorder(t)
	return &suite{
		api:       api,
		names:     assigned,
		catalogue: catalogue,
		server:    server,
		official:  newOfficial(t, server.url),
		client: &dispatch.Client{
			Catalogue:  catalogue,
			Authorizer: toServer{server.url},
			HTTP:       dispatch.NewHTTP(),
			Retry:      dispatch.Retry{},
		},
	}
}

// method finds our method for an operation of the SDK.
func (s *suite) method(o *sdk.Operation) (*provider.Method, error) {
	name := s.names[names.KeyOf(o)]
	return s.catalogue.Method(names.ProviderOf(o), o.Service, name.Resource, name.Method)
}

// toServer directs our requests to the recording server, whatever they are for.
type toServer struct{ server *url.URL }

func (a toServer) Direct(r *http.Request, _ string) error {
	r.URL.Scheme, r.URL.Host = a.server.Scheme, a.server.Host
	return nil
}

func (toServer) Authorize(r *http.Request) error {
	r.Header.Set("Authorization", "Bearer token")
	return nil
}

// ours sends a call and reads its rows to the end.
func (s *suite) ours(ctx context.Context, call dispatch.Call) (*rows, error) {
	req, err := s.client.Plan(call)
	if err != nil {
		return nil, err
	}
	opened, err := s.client.Run(ctx, req)
	if err != nil {
		return nil, err
	}
	return readRows(ctx, opened)
}
