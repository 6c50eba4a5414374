package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocsCheck compares pages with those that are there: nothing is written, and each fault is named.
func TestDocsCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	docs := []string{"docs", "--format", "markdown", "--output-dir", dir, "databricks_workspace.postgres"}
	if got := (run{args: append(docs, "--check")}).do(t); got.status != 1 || !strings.Contains(got.stdout, "postgres_credentials/index.md: missing\n") {
		t.Errorf("nothing is there: %+v", got)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("the check wrote %v, %v", entries, err)
	}
	if got := (run{args: docs}).do(t); got.status != 0 || got.stdout != "" {
		t.Errorf("%+v", got)
	}
	if got := (run{args: append(docs, "--check")}).do(t); got.status != 0 || got.stdout != "" {
		t.Errorf("all is there: %+v", got)
	}
	service := filepath.Join(dir, "databricks_workspace", "services", "postgres")
	changed, gone, old := filepath.Join(service, "index.md"), filepath.Join(service, "postgres_credentials", "index.md"), filepath.Join(service, "postgres_old", "index.md")
	if err := os.WriteFile(changed, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Dir(gone), filepath.Dir(old)); err != nil {
		t.Fatal(err)
	}
	want := changed + ": different\n" + gone + ": missing\n" + old + ": left over\n"
	got := run{args: append(docs, "--check")}.do(t)
	if got.status != 1 || got.stdout != want || !strings.Contains(got.stderr, "out of date: 3 faults") {
		t.Errorf("%+v\nwant\n%s", got, want)
	}
}

// TestHelpAboutNames shows what the documentation says, within the width of the terminal.
func TestHelpAboutNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args           []string
		status         int
		stdout, stderr string
	}{
		{[]string{"help", "databricks_workspace.postgres.postgres_credentials.generate"}, 0, "\n    token string (password)\n", ""},
		{[]string{"help", "databricks_workspace.postgres.postgres_credentials"}, 0, "\nGENERATE\n", ""},
		{[]string{"help", "databricks_workspace.postgres"}, 0, "\n    postgres_credentials\n", ""},
		{[]string{"help", "databricks_workspace"}, 0, "\n    postgres\n", ""},
		{[]string{"help", "databricks_workspace.postgrs"}, 2, "", "did you mean postgres"},
		{[]string{"help", "exce"}, 2, "", "did you mean exec?"},
		{[]string{"help", "exec"}, 0, "lakeql exec ", ""},
		{[]string{"help", "pipeline", "run"}, 0, "lakeql pipeline run ", ""},
		{[]string{"__complete", "help", "databricks_workspace.postgres.postgres_cre"}, 0, "databricks_workspace.postgres.postgres_credentials\n", ""},
		{[]string{"docs", "--format", "html"}, 2, "", "docusaurus, reference, markdown"},
		{[]string{"docs", "databricks_workspace"}, 2, "", "--format markdown"},
	} {
		got := run{args: test.args}.do(t)
		if got.status != test.status || !strings.Contains(got.stdout, test.stdout) || !strings.Contains(got.stderr, test.stderr) {
			t.Errorf("%q: %+v", test.args, got)
		}
	}
	screen := run{args: []string{"help", "databricks_workspace.postgres.postgres_credentials.generate"}, env: []string{"PAGER=cat"}}.atTerminal(t, 50, 24).ends(0)
	for line := range strings.Lines(screen) {
		if len(line) > 51 && strings.HasPrefix(line, "        ") {
			t.Errorf("%q is wider than the terminal", line)
		}
	}
	if !strings.Contains(screen, "\x1b[1mCOLUMNS\x1b[0m") {
		t.Errorf("no heading in %q", screen)
	}
}

// TestDocsReference writes the pages of StackQL's generator, byte for byte, from the documents and not from what the
// catalogue keeps of them. The golden pages are those of that generator.
func TestDocsReference(t *testing.T) {
	t.Parallel()
	docs := []string{"docs", "--provider-dir", filepath.Join("..", "docgen", "testdata", "depot"), "--output-dir", filepath.Join("..", "docgen", "testdata", "golden"), "--check"}
	if got := (run{args: append(docs, "--format", "reference")}).do(t); got.status != 0 || got.stdout != "" {
		t.Errorf("%+v", got)
	}
	if got := (run{args: docs}).do(t); got.status != 1 || !strings.Contains(got.stdout, filepath.Join("loops", "loops", "index.md")+": different\n") {
		t.Errorf("the pages of another format are the same: %+v", got)
	}
}

// TestDocsStrict lists what is suspicious in documents, and writes no page.
func TestDocsStrict(t *testing.T) {
	t.Parallel()
	dir, pages := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{
		"provider.yaml":   "name: p\nproviderServices:\n  s:\n    service: {$ref: p/v1/services/s.yaml}\n",
		"services/s.yaml": "paths: {}\ncomponents:\n  x-stackQL-resources:\n    r: {id: p.s.r, methods: {m: {}}}\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := run{args: []string{"docs", "--strict", "--provider-dir", dir, "--output-dir", pages}}.do(t)
	want := filepath.Join(dir, "services", "s.yaml") + ":4:30: method-without-operation: method \"m\" has no operation of the document\n"
	if got.status != 1 || got.stdout != want || !strings.Contains(got.stderr, "suspicious in 1 place: method-without-operation 1") {
		t.Errorf("%+v\nwant\n%s", got, want)
	}
	if entries, err := os.ReadDir(pages); err != nil || len(entries) > 0 {
		t.Errorf("pages were written: %v, %v", entries, err)
	}
	if got := (run{args: []string{"docs", "--strict", "--output-dir", pages}}).do(t); got.status != 2 || !strings.Contains(got.stderr, "--provider-dir") {
		t.Errorf("without a folder: %+v", got)
	}
}
