package cli_test

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestStatements runs the files of testdata/statements, each against workspaces of its own, and
// compares all that can be seen with the golden file beside it: what is written, the exit status, and
// the calls. -update writes these anew. The first lines of a file may say more:
//
//	-- flags: --on-error partial
//	-- fault: GET /api/2.0/postgres/projects/p/branches: 500
func TestStatements(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/statements/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sql"), func(t *testing.T) {
			t.Parallel()
			got := transcript(t, file)
			golden := strings.TrimSuffix(file, ".sql") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s:\n%s\nwant:\n%s", file, got, want)
			}
		})
	}
}

// transcript runs a file and writes down what happened.
func transcript(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"exec", "--store", ":memory:", "--retry-timeout", "0", "-i", "-"}
	var wrong []string
	for line := range strings.Lines(string(text)) {
		if flags, ok := strings.CutPrefix(line, "-- flags: "); ok {
			args = append(args, strings.Fields(flags)...)
		}
		if fault, ok := strings.CutPrefix(line, "-- fault: "); ok {
			wrong = append(wrong, strings.TrimSpace(fault))
		}
	}
	server, env := workspace(t, emulator.Options{
		Clock:       func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		CreateOnUse: true,
		Workspaces:  []string{"dbc-1", "dbc-2"},
		Faults:      faults(t, wrong...),
	})
	env = append(env, "DATABRICKS_ACCOUNT_ID="+server.AccountID())
	got := run{args: args, env: env, stdin: string(text)}.do(t)

	var b strings.Builder
	fmt.Fprintf(&b, "%s-- status %d\n", got.stdout, got.status)
	if got.stderr != "" {
		fmt.Fprintf(&b, "-- stderr\n%s", got.stderr)
	}
	if got.status != 1 { // what was under way when a call failed is left open
		fmt.Fprintf(&b, "-- calls\n%s", calls(server))
	}
	return settle(b.String(), server)
}

// calls lists what was called and how often, and what was sent with it. The order of calls that are
// under way at the same time is left open.
func calls(server *emulator.Server) string {
	count := map[string]int{}
	for _, r := range server.Requests() {
		call := fmt.Sprintf("%s: %s %s", r.Workspace, r.Method, r.Path)
		if r.Method != http.MethodGet { // those of lists hold tokens
			call = strings.TrimSpace(fmt.Sprintf("%s %s %s", call, r.Query, r.Body))
		}
		count[call]++
	}
	var b strings.Builder
	for _, call := range slices.Sorted(maps.Keys(count)) {
		if n := count[call]; n > 1 {
			call += fmt.Sprintf(" (%d times)", n)
		}
		b.WriteString(call + "\n")
	}
	return b.String()
}

// settle puts names in place of what is another in each run: the port, tokens and ids that are drawn
// anew.
func settle(text string, server *emulator.Server) string {
	for _, r := range []struct{ pattern, with string }{
		{regexp.QuoteMeta(server.URL()), "http://workspace"},
		{`eyJ[\w-]+\.[\w-]+\.[\w-]+`, "TOKEN"},
		{`operations/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`, "operations/ID"},
		{`request id [\w-]+`, "request id ID"},
		{`(?m)(,http://[^,]*),[\w-]{36}$`, "$1,ID"}, // of SHOW ERRORS
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.with)
	}
	return text
}
