package cli_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestNamesOfFiles reads, walks and deletes files whose names hold what the names of other resources
// may not.
func TestNamesOfFiles(t *testing.T) {
	rec, env := record(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		switch {
		case r.Method == http.MethodDelete:
		case strings.HasSuffix(r.URL.Path, "/fs/directories/Volumes/c/s/v"):
			_, _ = io.WriteString(w, `{"contents": [{"path": "/Volumes/c/s/v/ts=00%3A00", "is_directory": true}]}`)
		case strings.HasSuffix(r.URL.Path, "/fs/directories/Volumes/c/s/v/ts=00%3A00"):
			_, _ = io.WriteString(w, `{"contents": [{"path": "/Volumes/c/s/v/ts=00%3A00/売上　👩‍💻.csv"}]}`)
		default:
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = io.WriteString(w, "data")
		}
	})
	tests := map[string]struct {
		statement, rows string
		requests        []string
		refusal         string
	}{
		"a join into a folder": {
			"SELECT f.path, c.contents FROM databricks_workspace.files.files d " +
				"JOIN databricks_workspace.files.files f ON f.directory_path = d.path " +
				"JOIN databricks_workspace.files.files c ON c.file_path = f.path WHERE d.directory_path = '/Volumes/c/s/v'",
			`{"path":"/Volumes/c/s/v/ts=00%3A00/売上　👩\u200d💻.csv","contents":"data"}`,
			[]string{
				"GET /api/2.0/fs/directories/Volumes/c/s/v",
				"GET /api/2.0/fs/directories/Volumes/c/s/v/ts=00%253A00",
				"GET /api/2.0/fs/files/Volumes/c/s/v/ts=00%253A00/%E5%A3%B2%E4%B8%8A%E3%80%80%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB.csv",
			},
			"",
		},
		"a backslash":    {`SELECT contents FROM databricks_workspace.files.files WHERE file_path = '/Volumes/a\b.csv'`, `{"contents":"data"}`, []string{"GET /api/2.0/fs/files/Volumes/a%5Cb.csv"}, ""},
		"a percent sign": {"DELETE FROM databricks_workspace.files.files WHERE file_path = '/Volumes/x%20y.csv'", "", []string{"DELETE /api/2.0/fs/files/Volumes/x%2520y.csv"}, ""},
		"a folder":       {"DELETE FROM databricks_workspace.files.files WHERE directory_path = '/Volumes/x%20y'", "", []string{"DELETE /api/2.0/fs/directories/Volumes/x%2520y"}, ""},
		"another path": {
			"DELETE FROM databricks_workspace.files.files WHERE file_path = '/Volumes/../x.csv'", "", nil,
			`line 1, column 52: file_path: "/Volumes/../x.csv" would lead to another path`,
		},
		"a name that is no path": {
			"SELECT * FROM databricks_workspace.catalog.catalogs WHERE name = 'a%20b'", "", nil,
			`name: "a%20b" holds a percent-escape`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			before := len(rec.sent())
			got := run{args: []string{"exec", "-o", "jsonl", test.statement}, env: env}.do(t)
			if rows := strings.TrimSpace(got.stdout); rows != test.rows || (got.status == 2) != (test.refusal != "") || !strings.Contains(got.stderr, test.refusal) {
				t.Errorf("status %d\n%s\nwant %s\n%s", got.status, rows, test.rows, got.stderr)
			}
			if sent := rec.sent()[before:]; !slices.Equal(sent, test.requests) {
				t.Errorf("sent\n%s\nwant\n%s", strings.Join(sent, "\n"), strings.Join(test.requests, "\n"))
			}
		})
	}
}
