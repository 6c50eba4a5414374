package engine

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// nowhere directs calls to a host that no call is sent to.
type nowhere struct{}

func (nowhere) Direct(r *http.Request, _ string) error {
	r.URL.Scheme, r.URL.Host = "https", "nowhere.invalid"
	return nil
}

func (nowhere) Authorize(*http.Request) error { return nil }

// planning is a session that plans statements and sends nothing.
func planning(tb testing.TB) *Session {
	tb.Helper()
	compiled, err := openapi.Embedded()
	if err != nil {
		tb.Fatal(err)
	}
	cat := provider.NewCatalogue(compiled)
	s := &Session{Catalogue: cat, Client: &dispatch.Client{Catalogue: cat, Authorizer: nowhere{}}, DryRun: true}
	tb.Cleanup(s.Close)
	return s
}

// updating binds the method that UPDATE reaches.
func updating(t *testing.T, s *Session, resource string) *binding {
	t.Helper()
	parts := strings.Split(resource, ".")
	r, err := s.Catalogue.Resource(parts[0], parts[1], parts[2])
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.newBinding(r.MethodsFor(provider.Update)[0], provider.Position{Line: 1, Column: 1})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMask shows what the mask of an update lists, for one column set to one value.
func TestMask(t *testing.T) {
	const (
		branches  = "databricks_workspace.postgres.postgres_branches"
		projects  = "databricks_workspace.postgres.postgres_projects"
		endpoints = "databricks_workspace.postgres.postgres_endpoints"
		namespace = "databricks_workspace.settings.default_namespace"
		alerts    = "databricks_workspace.sql.alerts_v2"
		overrides = "databricks_workspace.sql.default_warehouse_overrides"
	)
	tests := map[string]struct {
		resource, column string
		value            any
		paths            string
		fault            string
	}{
		"a field":                        {alerts, "display_name", "a", "display_name", ""},
		"a field that is cleared":        {alerts, "custom_summary", nil, "custom_summary", ""},
		"a message that is cleared":      {branches, "spec", nil, "spec", ""},
		"a field of a message":           {endpoints, "spec.disabled", true, "spec.disabled", ""},
		"a message by JSON":              {endpoints, "spec", `{"disabled":true,"endpoint_type":"ENDPOINT_TYPE_READ_ONLY"}`, "spec.disabled,spec.endpoint_type", ""},
		"in the document's order":        {endpoints, "spec", `{"endpoint_type":"ENDPOINT_TYPE_READ_ONLY","disabled":null}`, "spec.disabled,spec.endpoint_type", ""},
		"a list is a whole":              {alerts, "evaluation", `{"notification":{"subscriptions":[{"user_email":"a"}]}}`, "evaluation.notification.subscriptions", ""},
		"an empty list":                  {alerts, "evaluation", `{"notification":{"subscriptions":[]}}`, "evaluation.notification.subscriptions", ""},
		"a map is a whole":               {endpoints, "spec.settings", `{"pg_settings":{"a":"b"}}`, "spec.settings.pg_settings", ""},
		"a part of a map":                {endpoints, "spec.settings.pg_settings.a", "b", "", "spec.settings.pg_settings.a: spec.settings.pg_settings can only be changed as a whole"},
		"a part of a map that is NULL":   {endpoints, "spec.settings.pg_settings.a", nil, "", "can only be changed as a whole"},
		"a part of a list":               {alerts, "evaluation.notification.subscriptions.0", nil, "", "unknown attribute"},
		"no such part":                   {endpoints, "spec.enabled", nil, "", "spec.enabled: unknown attribute"},
		"a part of a scalar":             {endpoints, "spec.disabled.x", nil, "", "spec.disabled.x: unknown attribute"},
		"an empty part":                  {endpoints, "spec.", nil, "", "spec.: unknown attribute"},
		"nothing in a message":           {endpoints, "spec", "{}", "", "spec: this does not say what to change"},
		"nothing in an inner message":    {projects, "spec", `{"default_endpoint_settings":{}}`, "", "spec.default_endpoint_settings: this does not say what to change"},
		"no JSON":                        {endpoints, "spec", "disabled", "spec", ""}, // the check of the body tells
		"when a branch ends":             {branches, "spec.ttl", "1s", "spec.expiration", ""},
		"when a branch ends, by JSON":    {branches, "spec", `{"ttl":null,"no_expiry":true,"is_protected":true}`, "spec.is_protected,spec.expiration", ""},
		"when an endpoint sleeps":        {endpoints, "spec.no_suspension", true, "spec.suspension", ""},
		"when a project's endpoints do":  {projects, "spec.default_endpoint_settings.suspend_timeout_duration", "60s", "spec.default_endpoint_settings.suspension", ""},
		"a field of the setting":         {namespace, "setting.namespace.value", "main", "namespace.value", ""},
		"the setting by JSON":            {namespace, "setting", `{"etag":"e","namespace":{"value":"main"}}`, "namespace.value", ""},
		"the setting's version":          {namespace, "setting.etag", "e", "", ""},
		"what stands beside the setting": {namespace, "allow_missing", true, "", ""},
		"the setting as nothing":         {namespace, "setting", nil, "", "setting: this does not say what to change"},
		"a parameter":                    {overrides, "allow_missing", true, "", ""},
	}
	s := planning(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			column := statement.Ident{Text: test.column, Pos: provider.Position{Line: 1, Column: 9}}
			m := newMask(updating(t, s, test.resource), []statement.Ident{column})
			err := m.add(column, test.value)
			if test.fault != "" {
				if provider.CodeOf(err) != provider.Usage || !strings.Contains(err.Error(), test.fault) {
					t.Errorf("the error is %v, want %s", err, test.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if paths := strings.Join(m.paths, ","); paths != test.paths {
				t.Errorf("the mask is %q, want %q", paths, test.paths)
			}
		})
	}
}

// TestMaskIsFound shows that an update of every method that has a mask gets one, wherever it stands.
func TestMaskIsFound(t *testing.T) {
	s := planning(t)
	providers, err := s.Catalogue.Providers()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, p := range providers {
		for _, info := range p.Services {
			service, err := s.Catalogue.Service(p.Name, info.Name)
			if err != nil {
				t.Fatal(err)
			}
			for _, resource := range service.Resources {
				found += checkMasks(t, s, p.Name+"."+info.Name+"."+resource.Name)
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d methods have a mask", found)
	}
}

// checkMasks sets each attribute of what the updates of a resource with a mask take, and counts those.
func checkMasks(t *testing.T, s *Session, resource string) int {
	t.Helper()
	parts := strings.Split(resource, ".")
	r, err := s.Catalogue.Resource(parts[0], parts[1], parts[2])
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, m := range r.MethodsFor(provider.Update) {
		b, err := s.newBinding(m, provider.Position{Line: 1, Column: 1})
		if err != nil {
			t.Fatal(err)
		}
		if b.takesMask() == "" {
			continue
		}
		found++
		objects := 0
		for _, property := range b.body.Properties {
			schema, err := s.Catalogue.Resolve(m, property.Schema)
			if err != nil {
				t.Fatal(err)
			}
			if schema.Type == "object" {
				objects++
			}
		}
		if !b.isParam(b.takesMask()) && objects != 1 {
			t.Errorf("%s: the mask is in the body, with %d objects beside it", m.FullName(), objects)
		}
	}
	return found
}
