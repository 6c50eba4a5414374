package docgen_test

import (
	"testing"

	"github.com/lakeql/lakeql/internal/docgen"
	"github.com/lakeql/lakeql/internal/testworld"
)

// TestPage compares single pages with those that Generate writes.
func TestPage(t *testing.T) {
	catalogue := testworld.Catalogue(t)
	all := map[string]string{}
	err := docgen.Generate(catalogue, "databricks_account", docgen.Options{Extended: true}, func(path string, page []byte) error {
		all[path] = string(page)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, names := range map[string][2]string{
		"guide/index.md":                            {},
		"services/provisioning/index.md":            {"provisioning"},
		"services/provisioning/workspaces/index.md": {"provisioning", "workspaces"},
	} {
		got, err := docgen.Page(catalogue, "databricks_account", names[0], names[1], docgen.Options{Extended: true})
		if err != nil || got == "" || got != all[path] {
			t.Errorf("%s: %v\n%.300s", path, err, got)
		}
	}
	fixed, err := docgen.Page(catalogue, "databricks_workspace", "postgres", "postgres_credentials", docgen.Options{Extended: true})
	if err != nil {
		t.Fatal(err)
	}
	testworld.Golden(t, "testdata/golden/postgres_credentials.index.md", fixed, false)
	for _, names := range [][2]string{{"provisionin", ""}, {"provisioning", "workspace"}} {
		if _, err := docgen.Page(catalogue, "databricks_account", names[0], names[1], docgen.Options{}); err == nil {
			t.Errorf("%v has a page", names)
		}
	}
}
