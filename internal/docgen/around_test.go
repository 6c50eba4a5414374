package docgen_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/lakeql/lakeql/internal/testworld"
)

// The site adds to the fixed page what the method returns. Its table is that of the documents.
func TestTableAroundTheFixedPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/site/around/databricks_workspace.postgres.postgres_credentials.mdx")
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`(?s)<SchemaTable fields=\{(.*?)\} />`).FindSubmatch(page)
	if table == nil {
		t.Fatal("the page has no table")
	}
	type column struct{ Name, Type, Description string }
	var got, want []column
	if err := json.Unmarshal(table[1], &got); err != nil {
		t.Fatal(err)
	}
	cat := testworld.Catalogue(t)
	r, err := cat.Resource("databricks_workspace", "postgres", "postgres_credentials")
	if err != nil {
		t.Fatal(err)
	}
	m := r.Methods[0]
	response, err := cat.Resolve(m, m.Response.Schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range response.Properties {
		s, err := cat.Resolve(m, p.Schema)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, column{p.Name, s.Type + " (" + s.Format + ")", s.Description})
	}
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
