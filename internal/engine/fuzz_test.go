package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// FuzzPlan shows that planning any text ends with a plan or an error that has a code and is safe for a
// terminal. The same holds for completing a statement and for the search for secrets. Nothing is sent.
func FuzzPlan(f *testing.F) {
	for _, seed := range []string{
		"SELECT b.name FROM databricks_workspace.postgres.postgres_projects p JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name WHERE deployment_name = '*' LIMIT 1",
		"EXEC databricks_workspace.postgres.postgres_credentials.generate @endpoint = 'projects/p/branches/b/endpoints/e', @@json = '{\"claims\": [{\"resources\": []}]}'",
		"INSERT /*+ AWAIT */ INTO databricks_workspace.postgres.postgres_branches (project_id, branch_id, spec) VALUES ('p', 'b', '{\"no_expiry\": true}') RETURNING uid",
		"UPDATE databricks_workspace.postgres.postgres_branches SET spec.is_protected = true WHERE name = 'projects/p/branches/b'",
		"DELETE FROM databricks_workspace.catalog.catalogs WHERE name = 'x'", "REPLACE INTO databricks_workspace.jobs.jobs (job_id, new_settings) VALUES (1, '{}')",
		"SHOW METHODS IN databricks_workspace.jobs.jobs LIKE 'a%'", "DESCRIBE EXTENDED databricks_workspace.sql.warehouses", "EXPLAIN SELECT 1", "CREATE VIEW v (a) AS SELECT 1; SELECT a FROM v", "SET $.x = 1",
		"SELECT unpack_name(name, 'projects/{p}') FROM databricks_workspace.postgres.postgres_projects WHERE name IN (SELECT 1)",
	} {
		f.Add(seed)
	}
	catalogue := testworld.Catalogue(f)
	f.Fuzz(func(t *testing.T, text string) {
		s := &engine.Session{Catalogue: catalogue, Client: &dispatch.Client{Catalogue: catalogue, Authorizer: nobody{}}, StorePath: engine.MemoryStore, DryRun: true}
		defer s.Close()
		s.Waits(text)
		s.Shown(text)
		if utf8.ValidString(text) {
			s.Suggest(text, len(text))
		}
		_, err := s.Columns(text)
		check(t, text, err)
		if upper := strings.ToUpper(text); strings.Contains(upper, "RECURSIVE") || strings.Contains(upper, "SLEEP") {
			return // running it may never end
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for rows, err := range s.Run(ctx, text) {
			check(t, text, err)
			if err == nil {
				_ = rows.Close()
			}
		}
	})
}

func check(t *testing.T, text string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if code := provider.CodeOf(err); code == provider.Internal || strings.ContainsAny(err.Error(), "\x00\x1b\r") {
		t.Errorf("%q: code %d: %q", text, code, err)
	}
}
