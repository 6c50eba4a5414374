package bind

import (
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// embedded is the catalogue of the embedded documents.
func embedded(tb testing.TB) *provider.Catalogue {
	tb.Helper()
	return testworld.Catalogue(tb)
}

// updating binds the method that UPDATE reaches.
func updating(t *testing.T, c *provider.Catalogue, resource string) *Binding {
	t.Helper()
	parts := strings.Split(resource, ".")
	r, err := c.Resource(parts[0], parts[1], parts[2])
	if err != nil {
		t.Fatal(err)
	}
	b, err := Scope{Catalogue: c}.New(r.MethodsFor(provider.Update)[0], provider.Position{Line: 1, Column: 1}, ColumnStyle)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMask shows the mask of an update that sets one column to one value.
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
	c := embedded(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			column := statement.Ident{Text: test.column, Pos: provider.Position{Line: 1, Column: 9}}
			m := NewUpdateMask(updating(t, c, test.resource), []statement.Ident{column})
			err := m.Add(column, test.value)
			if test.fault != "" {
				if provider.CodeOf(err) != provider.Usage || !strings.Contains(err.Error(), test.fault) {
					t.Errorf("the error is %v, want %s", err, test.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if paths := strings.Join(m.Paths(), ","); paths != test.paths {
				t.Errorf("the mask is %q, want %q", paths, test.paths)
			}
		})
	}
}

// TestMaskIsFound shows that an update of every method that has a mask gets one, wherever it
// stands.
func TestMaskIsFound(t *testing.T) {
	c := embedded(t)
	providers, err := c.Providers()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, p := range providers {
		for _, info := range p.Services {
			service, err := c.Service(p.Name, info.Name)
			if err != nil {
				t.Fatal(err)
			}
			for _, resource := range service.Resources {
				found += checkMasks(t, c, p.Name+"."+info.Name+"."+resource.Name)
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d methods have a mask", found)
	}
}

// checkMasks sets each attribute that the updates of a resource with a mask accept, and counts them.
func checkMasks(t *testing.T, c *provider.Catalogue, resource string) int {
	t.Helper()
	parts := strings.Split(resource, ".")
	r, err := c.Resource(parts[0], parts[1], parts[2])
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, m := range r.MethodsFor(provider.Update) {
		b, err := NewSignature(c, m)
		if err != nil {
			t.Fatal(err)
		}
		if b.MaskName() == "" {
			continue
		}
		found++
		objects := 0
		for _, property := range b.Body.Properties {
			schema, err := c.Resolve(m, property.Schema)
			if err != nil {
				t.Fatal(err)
			}
			if schema.Type == "object" {
				objects++
			}
		}
		if !b.IsParam(b.MaskName()) && objects != 1 {
			t.Errorf("%s: the mask is in the body, with %d objects beside it", m.FullName(), objects)
		}
	}
	return found
}
