package cli

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// TestAskerCompilesOnce asks the queries of a pipeline of several workspaces, one after the other. Each is
// compiled once, and each workspace's rows are its own.
func TestAskerCompilesOnce(t *testing.T) {
	names := emulator.WorkspaceNames(5)
	server := testworld.StartEmulator(t, emulator.Options{Workspaces: names})
	t.Setenv("DATABRICKS_HOST", server.URL())
	t.Setenv("DATABRICKS_TOKEN", server.Token())
	t.Setenv("DATABRICKS_CONFIG_FILE", t.TempDir()+"/none")
	c := &command{stdout: io.Discard, stderr: io.Discard}
	c.network.proxyScheme = "http" // its default
	a, err := c.askers()
	if err != nil {
		t.Fatal(err)
	}
	defer a.connection.close()
	queries := []string{"SELECT name FROM databricks_workspace.postgres.postgres_projects", "SELECT deployment_name FROM databricks_workspace.compute.clusters LIMIT 1"}
	for _, name := range names {
		for i, query := range queries {
			n := 0
			err := a.Ask(t.Context(), name, query, nil, func(rows provider.Rows) error {
				for {
					row, err := rows.Next(t.Context())
					if errors.Is(err, io.EOF) {
						return nil
					}
					if err != nil {
						return err
					}
					if n++; i == 1 && row[0] != name {
						return fmt.Errorf("a row of %v", row[0])
					}
				}
			})
			if err != nil || n == 0 {
				t.Errorf("%s: %s: %d rows, %v", name, query, n, err)
			}
		}
	}
	if n := a.programs.Compiled(); n != len(queries) {
		t.Errorf("%d queries of %d workspaces were compiled %d times", len(queries), len(names), n)
	}
}
