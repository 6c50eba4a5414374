package cli_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestCommandLinksNoJudge keeps out of the command and the driver what only judges documents in tests: it would
// cost it 20 ms at start and 50 MB.
func TestCommandLinksNoJudge(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "github.com/lakeql/lakeql", "github.com/lakeql/lakeql/provider/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "github.com/lakeql/lakeql/provider/driver\n") {
		t.Error("the driver is not among what is looked at")
	}
	for dep := range strings.Lines(string(out)) {
		if strings.Contains(dep, "stackql/any-sdk") || strings.Contains(dep, "getkin/kin-openapi") {
			t.Errorf("the command or the driver links %s", dep)
		}
	}
}
