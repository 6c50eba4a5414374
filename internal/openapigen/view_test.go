package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// TestViewsInAnySDK loads each view in each dialect with StackQL's library.
func TestViewsInAnySDK(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "overlays"), os.DirFS(filepath.Join(documents, "overlays"))); err != nil {
		t.Fatal(err)
	}
	if err := generate(dir, io.Discard); err != nil {
		t.Fatal(err)
	}
	docs, err := openapi.LoadAll(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	cat := provider.NewCatalogue(docs)
	providers, err := cat.Providers()
	if err != nil {
		t.Fatal(err)
	}
	views := 0
	for _, p := range providers {
		for _, info := range p.Services {
			views += compareViews(t, cat, filepath.Join(dir, p.Name, version), p.Name, info.Name)
		}
	}
	if views == 0 {
		t.Error("no view was compared")
	}
	t.Logf("%d views compared", views)
}

// compareViews compares the views of a service and returns their number. Services without views are
// not loaded, because any-sdk needs long for that.
func compareViews(t *testing.T, cat *provider.Catalogue, folder, providerName, service string) int {
	t.Helper()
	listed, err := cat.Service(providerName, service)
	if err != nil {
		t.Fatal(err)
	}
	var views []*provider.Resource
	for _, info := range listed.Resources {
		r, err := cat.Resource(providerName, service, info.Name)
		if err != nil {
			t.Fatal(err)
		}
		if r.View != nil {
			views = append(views, r)
		}
	}
	if len(views) == 0 {
		return 0
	}
	judged := serviceOf(t, folder, service)
	for _, r := range views {
		theirs, err := judged.GetResource(r.Name)
		if err != nil {
			t.Errorf("%s: %v", r.FullName(), err)
			continue
		}
		if theirs.GetID() != r.ID {
			t.Errorf("%s: its id is %s", r.FullName(), theirs.GetID())
		}
		for _, d := range r.View.Definitions {
			found, ok := theirs.GetViewsForSqlDialect(d.Dialect)
			if !ok || len(found) != 1 || strings.TrimSpace(found[0].GetDDL()) != strings.TrimSpace(d.SQL) || found[0].GetNameNaive() != r.ID {
				t.Errorf("%s: in %s any-sdk sees %d views", r.FullName(), d.Dialect, len(found))
			}
		}
	}
	return len(views)
}
