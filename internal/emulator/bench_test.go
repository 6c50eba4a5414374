package emulator_test

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

func BenchmarkCredential(b *testing.B) {
	benchmark(b, http.MethodPost, "credentials", `{"endpoint":"`+theEndpoint+`"}`)
}

func BenchmarkPageOfHundred(b *testing.B) {
	benchmark(b, http.MethodGet, "projects?page_size=100", "")
}

func benchmark(b *testing.B, method, path, body string) {
	b.Helper()
	s := start(b, func(o *emulator.Options) { o.Scale = 1_000_000 })
	c := client(b)
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequestWithContext(b.Context(), method, s.URL()+root+path, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.Token())
		resp, err := c.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	docs, err := openapi.Load(os.DirFS(documents))
	if err != nil {
		b.Fatal(err)
	}
	all := provider.NewCatalogue(docs)
	for b.Loop() {
		if _, err := emulator.New(emulator.Options{Catalogue: all}); err != nil {
			b.Fatal(err)
		}
	}
}
