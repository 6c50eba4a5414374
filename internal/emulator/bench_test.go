package emulator_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

func BenchmarkCredential(b *testing.B) {
	benchmark(b, http.MethodPost, root+"credentials", `{"endpoint":"`+theEndpoint+`"}`)
}

func BenchmarkPageOfHundred(b *testing.B) {
	benchmark(b, http.MethodGet, root+"projects?page_size=100", "")
}

func BenchmarkJob(b *testing.B) {
	benchmark(b, http.MethodGet, "/api/2.2/jobs/get?job_id=512040318700101", "")
}

func BenchmarkPageOfHundredRuns(b *testing.B) {
	benchmark(b, http.MethodGet, "/api/2.2/jobs/runs/list?limit=100", "")
}

// benchmark sends one request at a time on each core, over new connections.
func benchmark(b *testing.B, method, path, body string) {
	b.Helper()
	s := start(b, func(o *emulator.Options) { o.Scale = 1_000_000 })
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		c := client(b)
		for pb.Next() {
			req, err := http.NewRequestWithContext(b.Context(), method, s.URL()+path, strings.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			req.Header.Set("Authorization", "Bearer "+s.Token())
			resp, err := c.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				b.Error(resp.Status)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		docs, err := openapi.Embedded()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := emulator.New(emulator.Options{Catalogue: provider.NewCatalogue(docs)}); err != nil {
			b.Fatal(err)
		}
	}
}
