package cli_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestItemsInPart reads lists with incomplete items: the rest is fetched as the official SDK does, or a note
// reports that it was not. The row of an EXEC is the answer as it is; for a SELECT, the status reports
// it too.
func TestItemsInPart(t *testing.T) {
	answers := map[string]string{
		"GET /api/2.2/jobs/list?expand_tasks=true":                      `{"jobs": [{"job_id": 7, "settings": {"name": "b", "tasks": [{"task_key": "1"}]}, "has_more": true}, {"job_id": 8, "settings": {"tasks": [{"task_key": "x"}]}}], "next_page_token": "n"}`,
		"GET /api/2.2/jobs/list?expand_tasks=true&page_token=n":         `{"jobs": [{"job_id": 9, "has_more": true}]}`,
		"GET /api/2.2/jobs/list":                                        `{"jobs": [{"job_id": 7, "has_more": true}]}`,
		"GET /api/2.2/jobs/get?job_id=7":                                `{"job_id": 7, "settings": {"tasks": [{"task_key": "1"}, {"task_key": "2"}], "job_clusters": [{"job_cluster_key": "c"}]}, "has_more": true, "next_page_token": "p"}`,
		"GET /api/2.2/jobs/get?job_id=7&page_token=p":                   `{"job_id": 7, "settings": {"tasks": [{"task_key": "3"}]}}`,
		"GET /api/2.2/jobs/runs/list?expand_tasks=true":                 `{"runs": [{"run_id": 70, "tasks": [{"task_key": "1"}], "has_more": true}]}`,
		"GET /api/2.2/jobs/runs/get?run_id=70":                          `{"run_id": 70, "tasks": [{"task_key": "1"}], "next_page_token": "p"}`,
		"GET /api/2.2/jobs/runs/get?page_token=p&run_id=70":             `{"run_id": 70, "tasks": [{"task_key": "2"}], "repair_history": [{"id": 5}]}`,
		"GET /api/2.0/sql/statements/s":                                 `{"statement_id": "s", "status": {"state": "SUCCEEDED"}, "manifest": {"total_chunk_count": 2}, "result": {"chunk_index": 0, "data_array": [["1"]], "next_chunk_index": 1}}`,
		"GET /api/2.0/sql/statements/e":                                 `{"statement_id": "e", "manifest": {"truncated": true}, "result": {"external_links": [{"external_link": "x", "next_chunk_index": 1}]}}`,
		"GET /api/2.0/sql/statements/w":                                 `{"statement_id": "w", "manifest": {"truncated": false}, "result": {"data_array": [["truncated"]]}}`,
		`POST /api/2.0/vector-search/indexes/i/query {"columns":["a"]}`: `{"result": {"row_count": 1}, "next_page_token": "n"}`,
	}
	rec, env := record(t, func(w http.ResponseWriter, _ *http.Request, sent string) {
		answer, ok := answers[sent]
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, answer)
	})
	const note = " says that a row is a part of what there is"
	const get = "databricks_workspace.sql.statement_execution.get: "
	const jobs = "SELECT job_id, settings ->> '$.tasks[#-1].task_key' AS last, settings ->> '$.job_clusters' AS clusters, settings ->> 'name' AS name, has_more FROM databricks_workspace.jobs.jobs WHERE expand_tasks = true"
	tests := map[string]struct {
		statement, rows string
		requests        []string
		notes           []string
	}{
		"jobs": {
			jobs + " LIMIT 2", `{"job_id":7,"last":"3","clusters":[{"job_cluster_key":"c"}],"name":"b","has_more":false}` + "\n" + `{"job_id":8,"last":"x","clusters":null,"name":null,"has_more":null}`,
			[]string{"GET /api/2.2/jobs/list?expand_tasks=true", "GET /api/2.2/jobs/get?job_id=7", "GET /api/2.2/jobs/get?job_id=7&page_token=p"},
			nil,
		},
		"jobs without their tasks": {"SELECT job_id FROM databricks_workspace.jobs.jobs", `{"job_id":7}`, []string{"GET /api/2.2/jobs/list"}, nil},
		"a job":                    {"SELECT json_array_length(settings, '$.tasks') AS n FROM databricks_workspace.jobs.jobs WHERE job_id = 7", `{"n":3}`, []string{"GET /api/2.2/jobs/get?job_id=7", "GET /api/2.2/jobs/get?job_id=7&page_token=p"}, nil},
		"runs": {
			"SELECT tasks, repair_history ->> '$[0].id' AS repair, has_more FROM databricks_workspace.jobs.job_runs WHERE expand_tasks = true", `{"tasks":[{"task_key":"1"},{"task_key":"2"}],"repair":5,"has_more":false}`,
			[]string{"GET /api/2.2/jobs/runs/list?expand_tasks=true", "GET /api/2.2/jobs/runs/get?run_id=70", "GET /api/2.2/jobs/runs/get?page_token=p&run_id=70"},
			nil,
		},
		"a chunk of a result": {"SELECT statement_id FROM databricks_workspace.sql.statement_execution WHERE statement_id = 's'", `{"statement_id":"s"}`, []string{"GET /api/2.0/sql/statements/s"}, []string{get + "result.next_chunk_index"}},
		"links to a result":   {"SELECT statement_id FROM databricks_workspace.sql.statement_execution WHERE statement_id = 'e'", `{"statement_id":"e"}`, []string{"GET /api/2.0/sql/statements/e"}, []string{get + "manifest.truncated", get + "result.external_links.next_chunk_index"}},
		"a whole result":      {"SELECT statement_id FROM databricks_workspace.sql.statement_execution WHERE statement_id = 'w'", `{"statement_id":"w"}`, []string{"GET /api/2.0/sql/statements/w"}, nil},
		"a search": {
			`EXEC databricks_workspace.vectorsearch.indexes.query_index @index_name = 'i', @@json = '{"columns": ["a"]}'`, `{"facet_result":null,"manifest":null,"next_page_token":"n","result":{"row_count":1}}`,
			[]string{`POST /api/2.0/vector-search/indexes/i/query {"columns":["a"]}`},
			[]string{"databricks_workspace.vectorsearch.indexes.query_index: next_page_token"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			before := len(rec.sent())
			got := run{args: []string{"exec", "--notes", "-o", "jsonl", test.statement}, env: env}.do(t)
			status := 0
			if len(test.notes) > 0 && strings.HasPrefix(test.statement, "SELECT") {
				status = 3
			}
			if rows := strings.TrimSpace(got.stdout); got.status != status || rows != test.rows {
				t.Errorf("status %d, rows\n%s\nwant\n%s\n%s", got.status, rows, test.rows, got.stderr)
			}
			if sent := rec.sent()[before:]; !slices.Equal(sent, test.requests) {
				t.Errorf("sent\n%s\nwant\n%s", strings.Join(sent, "\n"), strings.Join(test.requests, "\n"))
			}
			if strings.Count(got.stderr, note) != len(test.notes) {
				t.Errorf("notes %q, want %q", got.stderr, test.notes)
			}
			for _, want := range test.notes {
				if !strings.Contains(got.stderr, want+note) {
					t.Errorf("notes %q, want %q", got.stderr, want)
				}
			}
		})
	}
	// The second page has a job whose rest is not available.
	if got := (run{args: []string{"exec", "-o", "jsonl", jobs}, env: env}).do(t); got.status != 1 || !strings.Contains(got.stderr, "jobs.get") {
		t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
}
