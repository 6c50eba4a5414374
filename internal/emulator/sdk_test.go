package emulator_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/databricks/databricks-sdk-go"
	"github.com/databricks/databricks-sdk-go/apierr"
	"github.com/databricks/databricks-sdk-go/service/postgres"

	"github.com/lakeql/lakeql/internal/emulator"
)

// sdk makes the official client, without the configuration of the machine.
func sdk(t *testing.T, config *databricks.Config) *databricks.WorkspaceClient {
	t.Helper()
	t.Setenv("DATABRICKS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	config.HTTPTransport = client(t).Transport
	config.RateLimitPerSecond = 10_000 // or the SDK keeps to 15
	w, err := databricks.NewWorkspaceClient(config)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestTheOfficialSDKAcceptsIt(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.Scale = 230 })
	for name, config := range map[string]*databricks.Config{
		"personal access token": {Host: s.WorkspaceURL("dbc-1"), Token: s.Token(), AuthType: "pat"},
		"OAuth client":          {Host: s.WorkspaceURL("dbc-1"), ClientID: s.ClientID(), ClientSecret: s.ClientSecret(), AuthType: "oauth-m2m"},
	} {
		t.Run(name, func(t *testing.T) {
			w := sdk(t, config)
			seen := map[string]bool{}
			projects := w.Postgres.ListProjects(t.Context(), postgres.ListProjectsRequest{})
			for projects.HasNext(t.Context()) {
				p, err := projects.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if seen[p.Name] || p.Status == nil || p.Status.PgVersion < 16 || p.CreateTime == nil {
					t.Errorf("%+v", p)
				}
				seen[p.Name] = true
			}
			if len(seen) != 236 {
				t.Errorf("%d projects", len(seen))
			}
			branches, err := w.Postgres.ListBranchesAll(t.Context(), postgres.ListBranchesRequest{Parent: "projects/p", PageSize: 1})
			if err != nil || len(branches) != 3 {
				t.Errorf("%d branches, %v", len(branches), err)
			}
			endpoint, err := w.Postgres.GetEndpoint(t.Context(), postgres.GetEndpointRequest{Name: theEndpoint})
			if err != nil || endpoint.Status.Hosts.Host == "" {
				t.Fatalf("%+v, %v", endpoint, err)
			}
			credential, err := w.Postgres.GenerateDatabaseCredential(t.Context(), postgres.GenerateDatabaseCredentialRequest{
				Endpoint: theEndpoint,
				Claims:   []postgres.RequestedClaims{{PermissionSet: "READ_ONLY", Resources: []postgres.RequestedResource{{TableName: "main.shop.orders"}}}},
			})
			if err != nil || credential.ExpireTime == nil {
				t.Fatalf("%+v, %v", credential, err)
			}
			if c, err := s.Verify(credential.Token); err != nil || c.Audience != endpoint.Status.Hosts.Host {
				t.Errorf("%+v, %v", c, err)
			}
		})
	}
}

func TestTheOfficialSDKReadsItsErrors(t *testing.T) {
	s := start(t, nil)
	w := sdk(t, &databricks.Config{Host: s.URL(), Token: s.Token(), AuthType: "pat"})
	_, err := w.Postgres.GetProject(t.Context(), postgres.GetProjectRequest{Name: "projects/nope"})
	if !errors.Is(err, apierr.ErrNotFound) {
		t.Errorf("%v", err)
	}
	e, ok := errors.AsType[*apierr.APIError](err)
	if !ok || e.ErrorCode != "NOT_FOUND" || e.ErrorDetails().ErrorInfo.Reason != "NOT_FOUND" || e.ErrorDetails().RequestInfo.RequestID != s.Requests()[len(s.Requests())-1].ID {
		t.Errorf("%+v", e)
	}
	_, err = w.Postgres.GenerateDatabaseCredential(t.Context(), postgres.GenerateDatabaseCredentialRequest{Endpoint: "e"})
	if !errors.Is(err, apierr.ErrInvalidParameterValue) {
		t.Errorf("%v", err)
	}
	if e, ok := errors.AsType[*apierr.APIError](err); !ok || e.ErrorDetails().BadRequest.FieldViolations[0].Field != "endpoint" {
		t.Errorf("%+v", e)
	}
	for text, want := range map[string]error{
		"GET *: 403 body=scim":  apierr.ErrPermissionDenied,
		"GET *: 409":            apierr.ErrAborted,
		"GET *: 500 body=text":  apierr.ErrInternalError,
		"GET *: 404 body=html":  apierr.ErrNotFound,
		"GET *: 400 body=api12": apierr.ErrBadRequest,
		"GET *: 501 body=empty": apierr.ErrNotImplemented,
	} {
		s.SetFaults(rule(t, text))
		if _, err := w.Postgres.GetProject(t.Context(), postgres.GetProjectRequest{Name: "projects/p"}); !errors.Is(err, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	s.SetFaults()
	stranger := sdk(t, &databricks.Config{Host: s.URL(), Token: "dapi-wrong", AuthType: "pat"})
	if _, err := stranger.Postgres.GetProject(t.Context(), postgres.GetProjectRequest{Name: "projects/p"}); !errors.Is(err, apierr.ErrUnauthenticated) {
		t.Errorf("%v", err)
	}
}
