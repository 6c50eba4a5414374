package cli_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestCommandLinksNoJudge shows that the command and the driver do not link the packages that only check
// documents in tests, which would cost 20 ms at start and 50 MB.
func TestCommandLinksNoJudge(t *testing.T) {
	t.Parallel()
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

// TestDependenciesAreExplained compares the direct modules of go.mod with the table of dependencies in
// ARCHITECTURE.md. A line of the table names one module or several; those under a named path belong to it.
func TestDependenciesAreExplained(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", "../../go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## Dependencies\n")
	explained := map[string]bool{} // by path: whether go.mod has it
	for line := range strings.Lines(table) {
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || cells[0] == "| module" {
			continue
		}
		for path := range strings.SplitSeq(strings.TrimPrefix(cells[0], "| "), ", ") {
			explained[path] = false
		}
	}
	var direct []string
	for _, m := range mod.Require {
		if !m.Indirect {
			direct = append(direct, m.Path)
		}
	}
	slices.Sort(direct) // a path before those under it
	for _, path := range direct {
		if _, named := explained[path]; named {
			explained[path] = true
			continue
		}
		if !slices.ContainsFunc(direct, func(above string) bool { return explained[above] && strings.HasPrefix(path, above+"/") }) {
			t.Errorf("go.mod requires %s, which the table in ARCHITECTURE.md does not explain", path)
		}
	}
	for path, required := range explained {
		if !required {
			t.Errorf("the table in ARCHITECTURE.md explains %s, which go.mod does not require directly", path)
		}
	}
}
