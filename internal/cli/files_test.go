package cli_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNamesOfFiles reads, walks and deletes files whose names have characters that the names of other
// resources may not have.
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

// TestRawOutput writes the contents of files unchanged, and refuses results that are not one value.
func TestRawOutput(t *testing.T) {
	const contents = "a,b\r\n\"1\",\t2\n\x00\xff\xfe end"
	_, env := record(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = io.WriteString(w, contents)
	})
	const statement = "SELECT contents FROM databricks_workspace.files.files WHERE file_path = '/a'"
	if got := (run{args: []string{"exec", "-o", "raw", statement}, env: env}).do(t); got.status != 0 || got.stdout != contents {
		t.Errorf("status %d, %q\n%s", got.status, got.stdout, got.stderr)
	}
	file := filepath.Join(t.TempDir(), "file")
	got := run{args: []string{"exec", "-o", "raw", "-f", file, "USE databricks_workspace; " + statement}, env: env}.do(t)
	if data, err := os.ReadFile(file); got.status != 0 || string(data) != contents || err != nil {
		t.Errorf("status %d, %q, %v\n%s", got.status, data, err, got.stderr)
	}
	for refused, why := range map[string]string{
		"EXEC databricks_workspace.files.files.download @file_path = '/a'": "raw output is one value, and the rows have",
		statement + "; " + statement:                                       "line 1, column 79: the output is one raw document",
		"SELECT 1 UNION SELECT 2":                                          "there are several rows",
	} {
		got := run{args: []string{"exec", "-o", "raw", "-f", file, refused}, env: env}.do(t)
		if data, err := os.ReadFile(file); got.status != 2 || !strings.Contains(got.stderr, why) || string(data) != contents || err != nil {
			t.Errorf("%s: status %d, file %q, %v\n%s", refused, got.status, data, err, got.stderr)
		}
	}
}

// TestJSONIsOneDocument shows that the output of several statements is one JSON document, or that
// none of them runs.
func TestJSONIsOneDocument(t *testing.T) {
	rec, env := record(t, func(w http.ResponseWriter, _ *http.Request, _ string) { _, _ = io.WriteString(w, "{}") })
	for statements, want := range map[string]string{
		"CREATE TABLE t (a); INSERT INTO t VALUES (1), (2); SELECT a FROM t; DROP TABLE t": "[{\"a\":1},\n{\"a\":2}]\n",
		"CREATE TABLE t (a); DROP TABLE t":                                                 "[]\n",
		"CREATE TABLE t (a)":                                                               "[]\n",
		"SET on_error = 'fail'; SELECT 1 AS a":                                             "[{\"a\":1}]\n",
	} {
		got := run{args: []string{"exec", "-o", "json", "--store", ":memory:", statements}, env: env}.do(t)
		if got.status != 0 || got.stdout != want {
			t.Errorf("%s: status %d, %q, want %q\n%s", statements, got.status, got.stdout, want, got.stderr)
		}
	}
	const deletes = "DELETE FROM databricks_workspace.compute.clusters WHERE cluster_id = 'c'"
	for statements, args := range map[string][]string{
		deletes + ";\nSELECT 1; SELECT 2":       nil,
		deletes + "; " + deletes:                {"--dryrun"},
		"SELECT 1;\nEXPLAIN " + deletes:         nil,
		"SELECT 1; " + deletes + " RETURNING *": nil,
	} {
		got := run{args: append([]string{"exec", "-o", "json", statements}, args...), env: env}.do(t)
		if got.status != 2 || got.stdout != "" || !strings.Contains(got.stderr, "the second statement that returns rows") || !strings.Contains(got.stderr, "hint: use -o jsonl") {
			t.Errorf("%s: status %d\n%s%s", statements, got.status, got.stdout, got.stderr)
		}
	}
	if sent := rec.sent(); len(sent) != 0 {
		t.Errorf("sent %q", sent)
	}
}
