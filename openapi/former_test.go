package openapi_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lakeql/lakeql/openapi"
)

// TestFormerNames reads lists of former names: a wrong line is an error that names the file, and each
// name of today must be there.
func TestFormerNames(t *testing.T) {
	t.Parallel()
	const root = "../internal/engine/testdata/bookshop/v1/"
	folder := fstest.MapFS{}
	for _, name := range []string{"provider.yaml", "services/stock.yaml", "services/chain.yaml"} {
		data, err := os.ReadFile(root + name)
		if err != nil {
			t.Fatal(err)
		}
		folder[name] = &fstest.MapFile{Data: data}
	}
	for line, want := range map[string]string{
		"": "",
		"{name: s.r.m, verb: select, today: bookshop.stock.authors.list}":      "",
		"{name: s.r.m, verb: delete, request: DELETE /r, reason: It is gone.}": "",
		"{name: r.m, verb: select, today: bookshop.stock.authors.list}":        `"r.m" is not service.resource.method`,
		"{name: s.r.m, verb: read, today: bookshop.stock.authors.list}":        `unknown verb "read"`,
		"{name: s.r.m, verb: select, request: GET /r}":                         "needs today, or request and reason",
		"{name: s.r.m, verb: select, today: authors.list}":                     "is not provider.service.resource.method",
		"{name: s.r.m, verb: select, today: bookshop.stock.authors.none}":      `no method, "bookshop.stock.authors.none"`,
		"{name: s.r.m, verb: select, today: bookshop.stock.none.list}":         "former-names.yaml: s.r.m: ",
	} {
		delete(folder, "former-names.yaml")
		if line != "" {
			folder["former-names.yaml"] = &fstest.MapFile{Data: []byte("x-lakeql-former-names:\n  - " + line + "\n")}
		}
		docs, err := openapi.Load(folder)
		if err != nil {
			t.Fatal(err)
		}
		switch err := docs.Check(); {
		case want == "" && err != nil:
			t.Errorf("%s: %v", line, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "former-names.yaml")):
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}
