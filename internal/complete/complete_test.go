package complete

import (
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

func source(tb testing.TB) Source {
	tb.Helper()
	catalogue := testworld.Catalogue(tb)
	return Source{
		Catalogue: catalogue,
		Tables:    func() []string { return []string{"inventory", "invoices"} },
		Settings:  func() []string { return []string{"page_limit", "memory"} },
		Columns: func(r *provider.Resource) ([]provider.Column, []*provider.Method, error) {
			columns := []provider.Column{{Name: "name"}, {Name: r.Name + "_column"}}
			return columns, r.SelectMethods(), nil
		},
	}
}

// TestSuggest completes the word at the bar. Words with ! must not be among the candidates.
func TestSuggest(t *testing.T) {
	const (
		branches = "databricks_workspace.postgres.postgres_branches"
		generate = "databricks_workspace.postgres.postgres_credentials.generate"
	)
	s := source(t)
	for text, want := range map[string]string{
		"|":                      "EXEC SELECT USE !FROM",
		"SEL|":                   "SELECT",
		"SHOW PROVIDERS; DE|":    "DESCRIBE DELETE",
		"EXPLAIN SEL|":           "SELECT",
		"SHOW |":                 "RESOURCES MATERIALIZED EXTENDED !IN !SELECT",
		"SHOW EXTENDED |":        "METHODS !EXTENDED",
		"SHOW MATERIALIZED |":    "VIEWS",
		"SHOW METHODS |":         "IN !LIKE",
		"SHOW METHODS IN |":      "databricks_workspace databricks_account",
		"SHOW SERVICES IN data|": "databricks_workspace",
		"SHOW RESOURCES IN databricks_workspace.|":          "postgres jobs",
		"SHOW RESOURCES IN databricks_workspace.postgres |": "LIKE WHERE !IN",
		"DESCRIBE |":                     "METHOD EXTENDED inventory databricks_workspace",
		"DESCRIBE METHOD |":              "EXTENDED databricks_workspace !METHOD",
		"DESCRIBE " + branches + "|":     "postgres_branches postgres_projects",
		"USE databricks_workspace.post|": "postgres",

		"EXEC data|":                                                          "databricks_workspace !inventory",
		"EXEC databricks_workspace.post|":                                     "postgres",
		"EXEC " + generate[:50] + "|":                                         "postgres_credentials",
		"EXEC " + generate + "|":                                              "generate",
		"EXEC " + generate + " |":                                             "@endpoint @@json @deployment_name",
		"EXEC " + generate + " @|":                                            "@endpoint @@json",
		"EXEC " + generate + " @@j|":                                          "@@json",
		"EXEC " + generate + " @endpoint='x' @|":                              "@claims !@endpoint",
		"EXEC " + generate + " @endpoint='x', @c|":                            "@claims",
		"EXEC no.such.thing.at @|":                                            "!@endpoint",
		"EXEC databricks_workspace.jobs.jobs.list @expand_tasks = |":          "true false",
		"EXEC databricks_workspace.catalog.volumes.create @volume_type = '|":  "MANAGED EXTERNAL",
		"EXEC databricks_workspace.catalog.volumes.create @volume_type = 'M|": "MANAGED",

		"SELECT |":                                                       "json_build_object count DISTINCT FROM !BY !INTO",
		"SELECT | FROM " + branches:                                      "name postgres_branches_column parent",
		"SELECT * |":                                                     "FROM",
		"SELECT * FROM |":                                                "inventory databricks_workspace generate_series !WHERE !BY !name",
		"SELECT * FROM in|":                                              "inventory invoices",
		"SELECT * FROM inventory b|":                                     "WHERE JOIN ON !BY !inventory",
		"SELECT * FROM inventory |":                                      "LEFT GROUP ORDER LIMIT !BY",
		"SELECT * FROM inventory GROUP |":                                "BY !WHERE",
		"SELECT * FROM inventory ORDER |":                                "BY",
		"SELECT * FROM a, |":                                             "inventory",
		"SELECT * FROM a JOIN |":                                         "inventory",
		"SELECT * FROM " + branches + " WHERE |":                         "name project_id deployment_name page_size AND !BY",
		"SELECT * FROM " + branches + " AS b WHERE b.|":                  "name project_id !AND !inventory",
		"SELECT b.| FROM " + branches + " b":                             "name project_id",
		"SELECT postgres_branches.| FROM " + branches:                    "name",
		"SELECT x.| FROM " + branches + " b":                             "!name",
		"WITH t AS (SELECT 1) SELECT * FROM |":                           "t inventory",
		"SELECT * FROM " + branches + " WHERE name IN (SELECT | FROM t)": "count",
		"SELECT * FROM databricks_workspace.catalog.tables WHERE omit_columns = '|": "true false",

		"INSERT |":                                        "INTO",
		"INSERT INTO |":                                   "inventory databricks_workspace",
		"INSERT INTO " + branches + " |":                  "VALUES SELECT !BY",
		"INSERT INTO " + branches + " (|":                 "project_id branch_id spec !name_column",
		"INSERT INTO " + branches + " (project_id, |":     "branch_id",
		"UPDATE |":                                        "databricks_workspace",
		"UPDATE " + branches + " |":                       "SET",
		"UPDATE " + branches + " SET |":                   "spec update_mask",
		"UPDATE " + branches + " SET spec = '{}' WHERE |": "branch_id",
		"DELETE |":                                        "FROM",
		"DELETE FROM " + branches + " WHERE |":            "branch_id project_id",

		"CREATE |":                    "TABLE VIEW MATERIALIZED OR",
		"CREATE OR |":                 "REPLACE",
		"DROP VIEW |":                 "invoices",
		"DROP |":                      "VIEW TABLE",
		"REFRESH |":                   "MATERIALIZED",
		"REFRESH MATERIALIZED VIEW |": "invoices",
		"SET |":                       "page_limit memory",
		"REGISTRY |":                  "LIST PULL",
		"SELECT 'FROM |":              "!inventory !name",
		"SELECT 1 -- FROM |":          "!inventory",
	} {
		suggests(t, s, text, want)
	}
}

// suggests checks the candidates for the word at the bar of a text.
func suggests(t *testing.T, s Source, text, want string) {
	t.Helper()
	cursor := strings.IndexByte(text, '|')
	got := s.Suggest(text[:cursor]+text[cursor+1:], cursor)
	for _, name := range strings.Fields(want) {
		unwanted, no := strings.CutPrefix(name, "!")
		if slices.Contains(got, unwanted) == no {
			t.Errorf("%s: want %s, got %d candidates: %.300q", text, name, len(got), got)
		}
	}
}

// TestSuggestAfterUse completes short names.
func TestSuggestAfterUse(t *testing.T) {
	s := source(t)
	s.Provider, s.Service = "databricks_workspace", "postgres"
	s.Tables = func() []string { return []string{"inventory", "postgres_roles"} }
	for text, want := range map[string]string{
		"USE |":                "databricks_account jobs postgres",
		"SELECT * FROM |":      "inventory databricks_workspace jobs postgres_branches",
		"SELECT * FROM jobs.|": "job_runs !postgres_branches",
		"SELECT * FROM postgres_branches WHERE |":          "project_id postgres_branches_column",
		"SELECT b.| FROM postgres_branches b":              "project_id",
		"SELECT * FROM postgres.postgres_branches WHERE |": "project_id",
		"SELECT * FROM postgres_roles WHERE |":             "AND !project_id",
		"INSERT INTO postgres_branches (|":                 "branch_id",
		"EXEC |":                                           "postgres_credentials jobs",
		"EXEC postgres_credentials.|":                      "generate",
		"EXEC postgres_credentials.generate @|":            "@endpoint",
		"EXEC jobs.jobs.list @|":                           "@expand_tasks",
		"DESCRIBE |":                                       "postgres_branches inventory",
		"SHOW METHODS IN |":                                "postgres_branches",
	} {
		suggests(t, s, text, want)
	}
	s.Service = ""
	suggests(t, s, "SELECT * FROM |", "postgres !postgres_branches")
	suggests(t, s, "SELECT * FROM postgres.|", "postgres_branches")
}

// FuzzSuggest completes arbitrary texts: no panic, and nothing from behind a semicolon.
func FuzzSuggest(f *testing.F) {
	s := source(f)
	for _, text := range []string{"SELECT a.", "EXEC @@", "SELECT 'it''s", "/* a", "INSERT INTO a.b.c (x, ", "SELECT \"a\".\"", "$$", "@@@.@", "é.é", "SELECT * FROM a.b.c AS, WHERE x = 'y"} {
		f.Add(text, len(text))
	}
	f.Fuzz(func(_ *testing.T, text string, cursor int) {
		s.Suggest(text, max(0, min(cursor, len(text))))
	})
}
