package emulator_test

import (
	"net/http"
	"testing"
)

func TestTablesAreListedWithoutWhatIsOmitted(t *testing.T) {
	s := start(t, nil)
	const list = "/api/2.1/unity-catalog/tables?catalog_name=main&schema_name=shop"
	attributes := []string{"columns", "properties", "owner", "created_by", "updated_by", "created_at", "full_name"}
	for query, omitted := range map[string]map[string]bool{
		"":                      {},
		"&omit_columns=false":   {},
		"&omit_columns=true":    {"columns": true},
		"&omit_properties=true": {"properties": true},
		"&omit_username=true":   {"owner": true, "created_by": true, "updated_by": true},
		"&omit_columns=true&omit_properties=true&max_results=2": {"columns": true, "properties": true},
	} {
		tables := rows(t, s, request{path: list + query}, "tables")
		if len(tables) == 0 {
			t.Errorf("%s: no tables", query)
		}
		for _, table := range tables {
			for _, name := range attributes {
				if _, there := table[name]; there == omitted[name] {
					t.Errorf("%s: %v has %s: %t", query, table["full_name"], name, there)
				}
			}
		}
	}
}

func TestSchemasSayOfWhichTypeTheirCatalogIs(t *testing.T) {
	s := start(t, nil)
	const root = "/api/2.1/unity-catalog/"
	for _, made := range []struct{ path, body string }{
		{"catalogs", `{"name":"mine"}`},
		{"catalogs", `{"name":"theirs","provider_name":"beans","share_name":"prices"}`},
		{"catalogs", `{"name":"old","connection_name":"mysql"}`},
		{"schemas", `{"name":"x","catalog_name":"mine"}`},
		{"schemas", `{"name":"x","catalog_name":"theirs"}`},
		{"schemas", `{"name":"x","catalog_name":"old"}`},
		{"schemas", `{"name":"x","catalog_name":"main"}`},
	} {
		if got := send(t, s, request{method: "POST", path: root + made.path, body: made.body}); got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", made.body, got.status, got.body)
		}
	}
	want := map[string]string{
		"main": "MANAGED_CATALOG", "system": "SYSTEM_CATALOG", "mine": "MANAGED_CATALOG", "theirs": "DELTASHARING_CATALOG", "old": "FOREIGN_CATALOG",
	}
	for _, catalog := range rows(t, s, request{path: root + "catalogs"}, "catalogs") {
		name := catalog["name"].(string)
		if want[name] != "" && catalog["catalog_type"] != want[name] {
			t.Errorf("%s is a %v", name, catalog["catalog_type"])
		}
		schemas := rows(t, s, request{path: root + "schemas?catalog_name=" + name}, "schemas")
		if len(schemas) == 0 {
			t.Errorf("%s has no schemas", name)
		}
		for _, schema := range schemas {
			if schema["catalog_type"] != catalog["catalog_type"] {
				t.Errorf("%v is in a %v, and says %v", schema["full_name"], catalog["catalog_type"], schema["catalog_type"])
			}
		}
	}
}
