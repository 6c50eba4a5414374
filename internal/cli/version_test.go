package cli_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// TestVersion shows what the command says of itself to programs. The documents are of the SDK that go.mod
// names.
func TestVersion(t *testing.T) {
	t.Parallel()
	const sdk = "github.com/databricks/databricks-sdk-go"
	wanted, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", sdk).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := run{args: []string{"version", "--json"}}.do(t)
	var said struct {
		Version, Go, Platform string
		Documents             map[string]struct{ Name, Version, Date string }
	}
	if err := json.Unmarshal([]byte(got.stdout), &said); err != nil || said.Version != "1.2.3-test" || !strings.HasPrefix(said.Go, "go1.") || !strings.Contains(said.Platform, "/") {
		t.Errorf("%+v: %v", got, err)
	}
	for _, name := range []string{"databricks_workspace", "databricks_account"} {
		if d := said.Documents[name]; d.Name != sdk || d.Version != strings.TrimSpace(string(wanted)) || len(d.Date) != len("2026-09-21") {
			t.Errorf("%s is of %+v, and go.mod names %s", name, d, wanted)
		}
	}
}
