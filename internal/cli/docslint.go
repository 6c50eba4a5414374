package cli

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// lint writes what is suspicious in the documents of a folder, a line each, and fails if there is something.
func (c *command) lint(dir string) error {
	if dir == "" {
		return provider.Usagef("--strict looks at documents in a folder").Hintf("add --provider-dir: lakeql's own documents were checked when it was built")
	}
	found, err := openapi.Lint(os.DirFS(dir))
	if err != nil || len(found) == 0 {
		return err
	}
	counts := map[string]int{}
	var b strings.Builder
	for _, f := range found {
		counts[f.Rule]++
		f.File = filepath.Join(dir, filepath.FromSlash(f.File))
		b.WriteString(provider.Printable(f.String()) + "\n")
	}
	if _, err := fmt.Fprint(c.stdout, b.String()); err != nil {
		return err
	}
	var rules []string
	for _, rule := range slices.Sorted(maps.Keys(counts)) {
		rules = append(rules, fmt.Sprintf("%s %d", rule, counts[rule]))
	}
	return fmt.Errorf("the documents are suspicious in %s: %s", plural(int64(len(found)), "place"), strings.Join(rules, ", "))
}
