package wire

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/openapigen/names"
	"github.com/lakeql/lakeql/internal/openapigen/observe"
	"github.com/lakeql/lakeql/internal/openapigen/overlay"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// operations is the size of the API at the SDK's version in go.mod.
const operations = 1308

// accountID is the account of every call.
const accountID = observe.AccountID

// workspaceID is the workspace that is configured on both sides.
const workspaceID = observe.WorkspaceID

// suite holds the state that the tests share: both sides and the server between them.
type suite struct {
	api       *sdk.API
	names     map[names.Key]names.Name
	beyond    map[string]map[string]bool // by service, the attributes that overlays add to the SDK's: Type.attribute
	catalogue *provider.Catalogue
	server    *recorder
	official  observe.Groups
	client    *dispatch.Client
}

// read reads the SDK once for all tests.
var read = sync.OnceValues(func() (*sdk.API, error) { return observe.Read(context.Background()) })

func newSuite(t *testing.T) *suite {
	t.Helper()
	api, err := read()
	if err != nil {
		t.Fatal(err)
	}
	table, err := names.Read(os.DirFS("../../openapi/overlays"))
	if err != nil {
		t.Fatal(err)
	}
	assigned, _, err := table.Assign(api)
	if err != nil {
		t.Fatal(err)
	}
	overlays, err := overlay.Read(os.DirFS("../../openapi/overlays"))
	if err != nil {
		t.Fatal(err)
	}
	beyond := map[string]map[string]bool{}
	for _, b := range overlays.Beyond {
		if beyond[b.Service] == nil {
			beyond[b.Service] = map[string]bool{}
		}
		beyond[b.Service][b.Of+"."+b.Name] = true
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
		beyond:    beyond,
		catalogue: catalogue,
		server:    server,
		official:  newOfficial(t, server.url),
		client: &dispatch.Client{
			Catalogue:  catalogue,
			Authorizer: credentials(t, server.url),
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

// credentials is where our requests get their host and credential: from the environment, as in the
// command. All of them go to the recording server.
func credentials(t *testing.T, server *url.URL) *auth.Chain {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "DATABRICKS_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("DATABRICKS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("DATABRICKS_HOST", server.String())
	t.Setenv("DATABRICKS_TOKEN", "token")
	t.Setenv("DATABRICKS_WORKSPACE_ID", workspaceID)
	return auth.NewChain(auth.Options{})
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
