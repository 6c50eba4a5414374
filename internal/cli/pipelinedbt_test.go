//go:build unix

package cli_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestPipelineDBT compares the sources for dbt with the tables of the store, and runs their tests, and the statements
// of docs/bi.md, in the store itself.
func TestPipelineDBT(t *testing.T) {
	t.Parallel()
	for kind, open := range stores() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1", "dbc-2"}})
			s := open(t)
			dir := lakebase(t, "workspaces: [dbc-1, dbc-2]\n")
			mustRun(t, env, dir, s)
			earlier := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
			mustExec(t, env, "DELETE FROM databricks_workspace.postgres.postgres_branches WHERE deployment_name = 'dbc-2' AND name = 'projects/p/branches/b'")
			mustRun(t, env, dir, s)

			folder := filepath.Join(t.TempDir(), "models")
			if got := pipelineCommand(t, nil, "dbt", dir, "--store", s.name, "-o", folder, "--schema", "inventory"); got.status != 0 || got.stdout != "" {
				t.Fatalf("%+v", got)
			}
			text, err := os.ReadFile(filepath.Join(folder, "sources.yml"))
			if err != nil {
				t.Fatal(err)
			}
			type source struct {
				Schema   string
				LoadedAt string `yaml:"loaded_at_field"`
				Fresh    struct {
					Warn  map[string]any `yaml:"warn_after"`
					Error map[string]any `yaml:"error_after"`
				} `yaml:"freshness"`
				Tables []struct {
					Name    string
					Columns []struct {
						Name string
						Type string `yaml:"data_type"`
					}
					Tests []struct {
						Unique struct {
							Column string `yaml:"column_name"`
						}
					} `yaml:"data_tests"`
				}
			}
			var made struct{ Sources []source }
			if err := yaml.Unmarshal(text, &made); err != nil || len(made.Sources) != 1 {
				t.Fatalf("%v\n%s", err, text)
			}
			of := made.Sources[0]
			if of.Schema != "inventory" || of.LoadedAt != "observed_at" || len(of.Tables) != 5 {
				t.Errorf("%+v", of)
			}
			if fresh := fmt.Sprint(of.Fresh.Warn, of.Fresh.Error); fresh != "map[count:36 period:hour] map[count:72 period:hour]" {
				t.Errorf("without a schedule, rows are fresh for %s", fresh)
			}
			for schedule, want := range map[string]string{
				"0 6 * * 1-5":   "{warn_after: {count: 108, period: hour}, error_after: {count: 216, period: hour}}", // over the weekend
				"*/15 * * * *":  "{warn_after: {count: 23, period: minute}, error_after: {count: 45, period: minute}}",
				"30 1,13 * * *": "{warn_after: {count: 18, period: hour}, error_after: {count: 36, period: hour}}",
			} {
				rewrite(t, dir, map[string]string{"pipeline.yaml": "name: lakebase\nworkspaces: [dbc-1, dbc-2]\nschedule: \"" + schedule + "\"\n"})
				install(t, env, s, dir)
				got := pipelineCommand(t, nil, "dbt", dir, "--store", s.name)
				var now, right struct{ Sources []source }
				if err := errors.Join(yaml.Unmarshal([]byte(got.stdout), &now), yaml.Unmarshal([]byte("sources: [{freshness: "+want+"}]"), &right)); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(now.Sources[0].Fresh, right.Sources[0].Fresh) {
					t.Errorf("%s: %+v, want %s", schedule, now.Sources[0].Fresh, want)
				}
				if strings.HasSuffix(schedule, "1-5") { // the report has the same rule
					pageSays(t, reportOf(t, env, dir, s), "at most 4 days")
				}
			}
			for _, table := range of.Tables {
				var names []string
				for _, c := range table.Columns {
					names = append(names, `"`+c.Name+`"`)
					if c.Type == "" || c.Type != strings.ToLower(c.Type) {
						t.Errorf("%s.%s is %q", table.Name, c.Name, c.Type)
					}
				}
				if rows := s.ask(t, "SELECT "+strings.Join(names, ", ")+" FROM "+table.Name); len(rows) == 0 || len(rows[0]) != len(names) {
					t.Errorf("%s has %d rows of %v", table.Name, len(rows), names)
				}
				for _, test := range table.Tests {
					if twice := s.ask(t, "SELECT "+test.Unique.Column+" AS k FROM "+table.Name+" GROUP BY 1 HAVING count(*) > 1"); len(twice) > 0 {
						t.Errorf("the key of %s is there twice: %v", table.Name, twice)
					}
				}
			}
			if tests := of.Tables[0].Tests; len(tests) != 1 || !strings.Contains(tests[0].Unique.Column, `"name"`) {
				t.Errorf("the tests of %s are %+v", of.Tables[0].Name, tests)
			}

			statements := 0
			for _, b := range blocksOf(t, "docs/bi.md") {
				if b.language != "sql" {
					continue
				}
				statements++
				rows := s.ask(t, strings.ReplaceAll(b.text, "{earlier}", earlier))
				if len(rows) == 0 {
					t.Errorf("line %d returns no row", b.line)
				}
				if strings.Contains(b.text, "{earlier}") && (len(rows) != 1 || rows[0]["name"] != "projects/p/branches/b") {
					t.Errorf("line %d returns %v", b.line, rows)
				}
			}
			if statements != 4 {
				t.Errorf("%d statements", statements)
			}
		})
	}
	_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
	if got := pipelineCommand(t, env, "dbt", lakebase(t, "workspaces: [dbc-1]\n")); got.status != 2 || !strings.Contains(got.stderr, "no store is named") {
		t.Errorf("without a run: %+v", got)
	}
}

// TestBIReader makes the reader of docs/bi.md, who reads the tables and cannot change them.
func TestBIReader(t *testing.T) {
	t.Parallel()
	c := startCluster(t)
	s := c.database(t, "inventory")
	_, env := workspace(t, emulator.Options{Workspaces: []string{"dbc-1"}})
	mustRun(t, env, lakebase(t, "workspaces: [dbc-1]\n"), s)
	for _, b := range blocksOf(t, "docs/bi.md") {
		if strings.HasPrefix(b.text, "CREATE ROLE") {
			for statement := range strings.SplitSeq(strings.ReplaceAll(b.text, "…", "bi's own"), ";") {
				if statement = strings.ReplaceAll(strings.TrimSpace(statement), "bi's", "bi''s"); statement != "" {
					s.change(t, statement)
				}
			}
		}
	}
	if got := s.ask(t, "SELECT has_table_privilege('bi', 'branches', 'SELECT') AS reads, has_table_privilege('bi', 'branches_history', 'SELECT') AS history, has_table_privilege('bi', 'lakeql_rows_branches', 'INSERT') AS writes"); got[0]["reads"] != true || got[0]["history"] != true || got[0]["writes"] != false {
		t.Errorf("%v", got)
	}
}
