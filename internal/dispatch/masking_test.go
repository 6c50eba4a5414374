package dispatch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// TestMaskColumn masks the credentials inside the JSON of rows, and leaves all other JSON as it is.
func TestMaskColumn(t *testing.T) {
	c := &dispatch.Client{Catalogue: testworld.Catalogue(t)}
	mask := func(service, resource, name, column string) dispatch.ColumnMask {
		t.Helper()
		m, err := c.Catalogue.Method("databricks_workspace", service, resource, name)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := c.Columns(m)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(columns, func(c provider.Column) bool { return c.Name == column })
		if i < 0 {
			t.Fatalf("%s has no column %s", m.FullName(), column)
		}
		found, err := c.MaskColumn(m, i)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if mask("catalog", "storage_credentials", "list", "aws_iam_role") != nil {
		t.Error("a column without credentials has a mask")
	}
	token := mask("catalog", "storage_credentials", "list", "cloudflare_api_token")
	jobs := mask("jobs", "jobs", "list", "settings")
	for _, test := range []struct {
		mask       dispatch.ColumnMask
		from, want string
	}{
		{token, `{"access_key_id": "k", "secret_access_key": "hidden"}`, `{"access_key_id":"k","secret_access_key":"****"}`},
		{token, `{"access_key_id":  "k"}`, `{"access_key_id":  "k"}`},
		{token, `{"secret_access_key": null}`, `{"secret_access_key": null}`},
		{
			jobs, `{"n": 12345678901234567890, "job_clusters": [{"new_cluster": {"docker_image": {"basic_auth": {"username": "u", "password": "hidden"}}}}]}`,
			`{"job_clusters":[{"new_cluster":{"docker_image":{"basic_auth":{"password":"****","username":"u"}}}}],"n":12345678901234567890}`,
		},
		{jobs, `{"job_clusters": [{"password": "of nobody"}]}`, `{"job_clusters": [{"password": "of nobody"}]}`},
	} {
		got, found, err := test.mask(json.RawMessage(test.from))
		if err != nil || string(got) != test.want || found != (test.from != test.want) {
			t.Errorf("%s: %s, %t, %v", test.from, got, found, err)
		}
	}
}

// TestMaskedRows masks the credentials in the rows of a call, also inside of their JSON.
func TestMaskedRows(t *testing.T) {
	answer := func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/postgres/credentials") {
			_, _ = io.WriteString(w, `{"token": "hidden", "expire_time": "2026-01-01T00:00:00Z"}`)
			return
		}
		_, _ = io.WriteString(w, `{"storage_credentials": [{"name": "c", "cloudflare_api_token": {"access_key_id": "k", "secret_access_key": "hidden"}}, {"name": "d"}]}`)
	}
	for name, args := range map[string]dispatch.Call{
		"catalog.storage_credentials.list":       {},
		"postgres.postgres_credentials.generate": {Body: map[string]any{"endpoint": "projects/p/branches/b/endpoints/e"}},
	} {
		c := serve(t, answer)
		c.Catalogue, c.Masked = testworld.Catalogue(t), true
		m, err := c.Catalogue.MethodOf("databricks_workspace." + name)
		if err != nil {
			t.Fatal(err)
		}
		args.Method = m
		req, err := c.Plan(args)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := c.Run(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for {
			row, err := rows.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, value := range row {
				if secret, ok := value.(provider.Secret); ok {
					value = secret.Reveal()
				}
				all = append(all, fmt.Sprintf("%s", value))
			}
		}
		if got := strings.Join(all, " "); strings.Contains(got, "hidden") || !strings.Contains(got, "****") {
			t.Errorf("%s: %s", name, got)
		}
	}
}
