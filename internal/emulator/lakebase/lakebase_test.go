package lakebase_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/lakebase"
	"github.com/lakeql/lakeql/internal/emulator/list"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// newService makes a Lakebase without HTTP, whose operations take a minute of the clock.
func newService(now *time.Time) *lakebase.Service {
	clock := func() time.Time { return *now }
	inventory := &company.Inventory{
		Company: &company.Company{Seed: 7, Workspace: "local", Clock: clock},
		Kinds:   func() map[string]*documents.Kind { return nil },
	}
	collections := resource.New(inventory)
	return lakebase.New(lakebase.Options{
		Company: inventory.Company, Collections: collections, Tokens: list.NewTokens(100), Clock: clock,
		Operations: &lakebase.Operations{Collections: collections, Clock: clock, Duration: time.Minute},
	})
}

// TestAProjectIsMadeByAnOperation follows a project from its creation to its answer.
func TestAProjectIsMadeByAnOperation(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	s := newService(&now)
	do := func(verbAndPath string, req lakebase.Request) (any, error) {
		return lakebase.Handlers()[verbAndPath](s, &req)
	}

	begun, err := do("POST "+lakebase.Root+"projects", lakebase.Request{Name: "projects", Query: url.Values{"project_id": {"till"}}})
	operation, ok := begun.(lakebase.Operation)
	if err != nil || !ok || operation.Done || !strings.HasPrefix(operation.Name, "projects/till/operations/") {
		t.Fatalf("%+v, %v", begun, err)
	}
	now = now.Add(time.Minute)
	ended, err := do("GET "+lakebase.Root+"{}", lakebase.Request{Name: operation.Name})
	operation, _ = ended.(lakebase.Operation)
	var project company.Project
	if err != nil || !operation.Done || json.Unmarshal(operation.Response, &project) != nil || project.Name != "projects/till" {
		t.Errorf("%+v, %v", ended, err)
	}
	_, err = do("POST "+lakebase.Root+"projects", lakebase.Request{Name: "projects", Query: url.Values{"project_id": {"till"}}})
	if got := apierror.From(err); err == nil || got.Code != "ALREADY_EXISTS" {
		t.Errorf("a second project till: %v", err)
	}
	endpoint := company.ReadWrite
	second := lakebase.Request{
		Name: "projects/till/branches/production/endpoints", Query: url.Values{"endpoint_id": {"other"}},
		Body: resource.Record{"spec": resource.Record{"endpoint_type": endpoint}},
	}
	_, err = do("POST "+lakebase.Root+"projects/{}/branches/{}/endpoints", second)
	if got := apierror.From(err); err == nil || got.Code != "FAILED_PRECONDITION" {
		t.Errorf("a second endpoint that writes: %v", err)
	}
}
