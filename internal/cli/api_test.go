package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// recorder is a server that records the requests it gets.
type recorder struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string // "VERB path?query body"
}

// record starts a recorder. answer also gets the request in its recorded form.
func record(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, sent string)) (*recorder, []string) {
	t.Helper()
	rec := &recorder{}
	rec.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		sent := strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body))
		rec.mu.Lock()
		rec.requests = append(rec.requests, sent)
		rec.mu.Unlock()
		answer(w, r, sent)
	}))
	t.Cleanup(rec.Close)
	return rec, []string{"DATABRICKS_HOST=" + rec.URL, "DATABRICKS_TOKEN=x"}
}

// sent returns the requests so far.
func (rec *recorder) sent() []string {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Clone(rec.requests)
}

// TestEveryKindOfPaging reads lists that go on in the ways that the API has, to their ends.
func TestEveryKindOfPaging(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		statement string
		answers   map[string]string // by what the request holds
		rows      int
		requests  []string
	}{
		"positions": {
			"SELECT id FROM databricks_workspace.iam.users",
			map[string]string{
				"startIndex=1&": `{"startIndex": 1, "totalResults": 3, "Resources": [{"id": "1"}, {"id": "2"}]}`,
				"startIndex=3&": `{"startIndex": 3, "totalResults": 3, "Resources": [{"id": "2"}, {"id": "3"}]}`,
				"startIndex=5&": `{"startIndex": 5, "totalResults": 3}`,
			},
			3,
			[]string{"GET /api/2.0/preview/scim/v2/Users?count=10000&startIndex=1", "GET /api/2.0/preview/scim/v2/Users?count=10000&startIndex=3", "GET /api/2.0/preview/scim/v2/Users?count=10000&startIndex=5"},
		},
		"the next request": {
			"EXEC databricks_workspace.compute.clusters.events @cluster_id = 'c'",
			map[string]string{
				`{"cluster_id":"c"}`: `{"events": [{"cluster_id": "c", "timestamp": 1}], "next_page": {"cluster_id": "c", "offset": 1}}`,
				`"offset": 1`:        `{"events": [{"cluster_id": "c", "timestamp": 2}]}`,
			},
			2,
			[]string{`POST /api/2.1/clusters/events {"cluster_id":"c"}`, `POST /api/2.1/clusters/events {"cluster_id": "c", "offset": 1}`},
		},
		"a search that the SDK reads one page of": {
			`EXEC databricks_workspace.ml.logged_models.search @@json = '{"experiment_ids": ["1"]}'`,
			map[string]string{
				`{"experiment_ids":["1"]}`: `{"models": [{"info": {"model_id": "a"}}, {"info": {"model_id": "b"}}], "next_page_token": "t"}`,
				`"page_token":"t"`:         `{"models": [{"info": {"model_id": "c"}}]}`,
			},
			3,
			[]string{`POST /api/2.0/mlflow/logged-models/search {"experiment_ids":["1"]}`, `POST /api/2.0/mlflow/logged-models/search {"experiment_ids":["1"],"page_token":"t"}`},
		},
		"one object in several pages": {
			"SELECT job_id, json_array_length(json_extract(settings, '$.tasks')) FROM databricks_workspace.jobs.jobs WHERE job_id = 7",
			map[string]string{
				"job_id=7&page_token=b": `{"job_id": 7, "settings": {"name": "n", "tasks": [{"task_key": "2"}, {"task_key": "3"}]}}`,
				"job_id=7":              `{"job_id": 7, "settings": {"name": "n", "tasks": [{"task_key": "1"}]}, "next_page_token": "b"}`,
			},
			1,
			[]string{"GET /api/2.2/jobs/get?job_id=7", "GET /api/2.2/jobs/get?job_id=7&page_token=b"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec, env := record(t, func(w http.ResponseWriter, _ *http.Request, sent string) {
				sent += "&"
				best := ""
				for key := range test.answers {
					if strings.Contains(sent, key) && len(key) > len(best) {
						best = key
					}
				}
				_, _ = io.WriteString(w, test.answers[best])
			})
			got := run{args: []string{"exec", "-o", "jsonl", test.statement}, env: env}.do(t)
			if got.status != 0 || strings.Count(got.stdout, "\n") != test.rows {
				t.Errorf("status %d, want %d rows\n%s%s", got.status, test.rows, got.stdout, got.stderr)
			}
			if sent := rec.sent(); !slices.Equal(sent, test.requests) {
				t.Errorf("sent\n%s\nwant\n%s", strings.Join(sent, "\n"), strings.Join(test.requests, "\n"))
			}
			if name == "one object in several pages" && !strings.Contains(got.stdout, ":3}") {
				t.Errorf("joined to %s", got.stdout)
			}
		})
	}
}

// TestFiles moves bytes that are no JSON.
func TestFiles(t *testing.T) {
	t.Parallel()
	contents := "a,b\n1,2\n"
	rec, env := record(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Last-Modified", "Mon, 23 Nov 2026 12:00:00 GMT")
		if r.Method != http.MethodHead {
			_, _ = io.WriteString(w, contents)
		}
	})
	got := run{args: []string{"exec", "-o", "jsonl", `EXEC databricks_workspace.files.files.upload @file_path = '/Volumes/a/b/c/d e.csv', @overwrite = true, @@body = 'x;
y';
EXEC databricks_workspace.files.files.download @file_path = '/Volumes/a/b/c/d e.csv'`}, env: env}.do(t)
	if got.status != 0 {
		t.Fatal(got.stderr)
	}
	if want := "PUT /api/2.0/fs/files/Volumes/a/b/c/d%20e.csv?overwrite=true x;\ny"; rec.sent()[0] != want {
		t.Errorf("sent %q, want %q", rec.sent()[0], want)
	}
	var row map[string]any
	if err := json.Unmarshal([]byte(got.stdout), &row); err != nil {
		t.Fatalf("%v in %s", err, got.stdout)
	}
	if row["contents"] != contents || row["contents_encoding"] != "utf-8" || row["last-modified"] == nil || row["content-length"] != float64(len(contents)) {
		t.Errorf("got %v", row)
	}
}

// TestLoginPageIsNoFile shows that a page with status 200 does not pass for the content of a file.
func TestLoginPageIsNoFile(t *testing.T) {
	t.Parallel()
	_, env := record(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<html><title>Sign in</title></html>")
	})
	got := run{args: []string{"exec", "-o", "json", "EXEC databricks_workspace.files.files.download @file_path = '/Volumes/a/b/c/d'"}, env: env}.do(t)
	if got.status != 1 || got.stdout != "" || !strings.Contains(got.stderr, "HTML page") {
		t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
}
