package engine_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// nobody is an authorizer for statements that are never sent.
type nobody struct{}

func (nobody) Direct(r *http.Request, _ string) error {
	r.URL.Scheme, r.URL.Host = "https", "workspace.invalid"
	return nil
}

func (nobody) Authorize(*http.Request) error { return errors.New("nothing is to be sent") }

func session(t *testing.T) *engine.Session {
	t.Helper()
	catalogue := testworld.Catalogue(t)
	return &engine.Session{Catalogue: catalogue, Client: &dispatch.Client{Catalogue: catalogue, Authorizer: nobody{}}}
}

// TestShownKeepsSecrets shows the form of statements in the shell's history.
func TestShownKeepsSecrets(t *testing.T) {
	s := session(t)
	const secret = "EXEC databricks_workspace.workspace.secrets.put "
	for text, want := range map[string]string{
		"SHOW PROVIDERS;": "SHOW PROVIDERS;",
		secret + "@scope='s', @key='k', @string_value='hunter2';":            secret + "@scope='s', @key='k', @string_value='****';",
		"EXEC databricks_workspace.nowhere.secrets.put @password='hunter2';": "EXEC databricks_workspace.nowhere.secrets.put @password='****';",
		"-- dapi0123456789abcdef0123456789abcdef\nSHOW PROVIDERS;":           "--****\nSHOW PROVIDERS;",
		"dapi0123456789abcdef0123456789abcdef;":                              "",
		"'hunter2":                                                           "",
	} {
		if got := s.Shown(text); got != want {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
}

// TestShownAfterUse: short names are understood, so that the history masks no more than credentials, and no less.
func TestShownAfterUse(t *testing.T) {
	s := session(t)
	if _, err := only(t, s, "USE databricks_workspace.workspace"); err != nil {
		t.Fatal(err)
	}
	if s.Used() != "databricks_workspace.workspace" {
		t.Error(s.Used())
	}
	for text, want := range map[string]string{
		"EXEC secrets.put @scope='s', @key='k', @string_value='hunter2';":            "EXEC secrets.put @scope='s', @key='k', @string_value='****';",
		"INSERT INTO secret_scopes (scope) VALUES ('s');":                            "INSERT INTO secret_scopes (scope) VALUES ('s');",
		"USE databricks_workspace.jobs; SELECT name FROM jobs WHERE job_id = 12345;": "USE databricks_workspace.jobs; SELECT name FROM jobs WHERE job_id = 12345;",
		"SELECT name FROM nowhere WHERE a = 'hunter2';":                              "SELECT name FROM nowhere WHERE a = '****';",
	} {
		if got := s.Shown(text); got != want {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
}

func TestSuggest(t *testing.T) {
	s := session(t)
	for text, want := range map[string]string{
		"":                               "EXEC",
		"SHOW PROVIDERS; DE":             "DESCRIBE",
		"EXEC data":                      "databricks_workspace",
		"EXEC databricks_workspace.post": "postgres",
		"EXEC databricks_workspace.postgres.postgres_c":                        "postgres_credentials",
		"EXEC databricks_workspace.postgres.postgres_credentials.":             "generate",
		"EXEC databricks_workspace.postgres.postgres_credentials.generate @":   "@endpoint",
		"EXEC databricks_workspace.postgres.postgres_credentials.generate @@j": "@@json",
		"SHOW METHODS ": "IN",
	} {
		if got := s.Suggest(text, len(text)); !slices.Contains(got, want) {
			t.Errorf("Suggest(%q) = %v, want %s among them", text, got, want)
		}
	}
	if _, err := only(t, s, "CREATE TABLE inventory (a); CREATE VIEW invoices AS SELECT 1"); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"CRE":              "CREATE",
		"EXPLAIN SEL":      "SELECT",
		"SHOW MAT":         "MATERIALIZED",
		"SELECT * FR":      "FROM",
		"SELECT * FROM in": "inventory",
		"DROP VIEW inv":    "invoices",
		"REF":              "REFRESH",
	} {
		if got := s.Suggest(text, len(text)); !slices.Contains(got, want) {
			t.Errorf("Suggest(%q) = %v, want %s among them", text, got, want)
		}
	}
	given := "EXEC databricks_workspace.postgres.postgres_credentials.generate @endpoint='x' @"
	if got := s.Suggest(given, len(given)); slices.Contains(got, "@endpoint") {
		t.Errorf("suggests what is given: %v", got)
	}
	if got := s.Suggest("EXEC no.such.thing.at @", len("EXEC no.such.thing.at @")); len(got) != 0 {
		t.Errorf("suggests parameters of nothing: %v", got)
	}
}

// TestEveryMethodDescribes shows that no document trips DESCRIBE METHOD.
func TestEveryMethodDescribes(t *testing.T) {
	s := session(t)
	providers, err := s.Catalogue.Providers()
	if err != nil {
		t.Fatal(err)
	}
	described := 0
	for _, p := range providers {
		for _, info := range p.Services {
			service, err := s.Catalogue.Service(p.Name, info.Name)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range service.Resources {
				resource, err := s.Catalogue.Resource(p.Name, info.Name, r.Name)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range resource.Methods {
					text := "DESCRIBE METHOD EXTENDED " + m.FullName()
					for rows, err := range s.Run(t.Context(), text) {
						if err != nil {
							t.Fatalf("%s: %v", text, err)
						}
						checkShapes(t, m, rows)
						described++
					}
				}
			}
		}
	}
	if described < 1308 {
		t.Errorf("%d methods described, want at least 1308", described)
	}
}

// checkShapes shows that objects and lists come with a shape, however deep their types refer to
// each other.
func checkShapes(t *testing.T, m *provider.Method, rows provider.Rows) {
	t.Helper()
	for {
		row, err := rows.Next(t.Context())
		if err != nil {
			return
		}
		typ, shape := row[1].(string), row[3].(string)
		if typ == "array" && !strings.ContainsAny(shape, "{[") {
			t.Errorf("%s: %v of type %s has the shape %q", m.FullName(), row[0], typ, shape)
		}
		if len(shape) > 1<<20 {
			t.Errorf("%s: the shape of %v is %d bytes long", m.FullName(), row[0], len(shape))
		}
	}
}

// TestPlanningASettingChangesNothing shows that a text with a fault leaves every setting as it was.
func TestPlanningASettingChangesNothing(t *testing.T) {
	s := session(t)
	for _, err := range s.Run(t.Context(), "SET on_error = partial; SET page_limit = 3; SET no_such = 1") {
		if err == nil {
			t.Error("the fault was not found")
		}
	}
	if s.OnError != "" || s.Client.PageLimit != 0 {
		t.Errorf("on_error is %q and page_limit %d", s.OnError, s.Client.PageLimit)
	}
}
