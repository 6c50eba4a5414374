package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestManual shows that every command has a page with all that its help has, and that no line of a page is
// taken for another one than it is.
func TestManual(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "man1")
	if got := (run{args: []string{"man", dir}}).do(t); got.status != 0 || got.stdout != "" {
		t.Fatalf("%+v", got)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 25 {
		t.Fatalf("%d pages, %v", len(entries), err)
	}
	macro := regexp.MustCompile(`^\.(TH|SH|PP|nf|fi|TP|B|BR)( |$)`)
	flag := regexp.MustCompile(`(?m)^ +(?:-\w, )?--([\w.-]+)`)
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		page := string(text)
		for what, wrong := range map[string]string{"a byte that troff does not read": `[^\n -~]`, "a paragraph without text": `\.(SH .*|PP)\n\.PP`, "an empty line": `\.PP\n\n`} {
			if found := regexp.MustCompile(wrong).FindString(page); found != "" {
				t.Errorf("%s has %s: %q", entry.Name(), what, found)
			}
		}
		for line := range strings.SplitSeq(page, "\n") {
			if strings.HasPrefix(line, "'") || strings.HasPrefix(line, ".") && !macro.MatchString(line) {
				t.Errorf("%s: %s", entry.Name(), line)
			}
		}
		words := strings.Split(strings.TrimSuffix(entry.Name(), ".1"), "-")
		help := run{args: append(words[1:], "--help")}.do(t).stdout
		for _, found := range flag.FindAllStringSubmatch(help, -1) {
			if !strings.Contains(page, strings.ReplaceAll(`--`+found[1], "-", `\-`)+`\fP`) {
				t.Errorf("%s has no --%s", entry.Name(), found[1])
			}
		}
		if first, _, _ := strings.Cut(help, "\n"); !strings.Contains(page, strings.ReplaceAll(strings.TrimSpace(first), "-", `\-`)) {
			t.Errorf("%s does not begin with %q", entry.Name(), first)
		}
	}
	for _, name := range []string{"lakeql.1", "lakeql-exec.1", "lakeql-pipeline-run.1", "lakeql-completion-bash.1"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if got := (run{args: []string{"man", filepath.Join(dir, "lakeql.1")}}).do(t); got.status != 2 || !strings.Contains(got.stderr, "write the manual") {
		t.Errorf("a file in place of a folder: %+v", got)
	}
}
