package registry

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// TestGuide compares docs/stackql.md with the bundle.
func TestGuide(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "stackql.md"))
	if err != nil {
		t.Fatal(err)
	}
	guide := string(data)
	for _, tr := range transformations() {
		if !strings.Contains(guide, "`"+tr.name+"`") {
			t.Errorf("the transformation %s is not in the guide", tr.name)
		}
	}
	_, table, _ := strings.Cut(guide, "| method | example |")
	table, _, _ = strings.Cut(table, "\n## ")
	loaded(t).eachMethod(t, func(c *caller) {
		if c.method.SQLVerb != provider.Exec {
			return
		}
		named := strings.Contains(table, "`"+c.method.FullName()+"`") || strings.Contains(table, "`"+c.resource.FullName()+".") && strings.Contains(table, "`."+c.method.Name+"`")
		if taken := c.bodyTakenAsJSON(t); taken == named {
			t.Errorf("%s: the guide says that it wants text: %v; so it is: %v", c.method.FullName(), named, !taken)
		}
	})
	if !strings.Contains(guide, KeyVariable) {
		t.Errorf("the guide does not name %s", KeyVariable)
	}
}
