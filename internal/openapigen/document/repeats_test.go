package document

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/internal/openapigen/prose"
)

var update = flag.Bool("update", false, "lower the counts of testdata/repeats.txt to what the documents have")

// rewritten lists the services in which every description says more than its name. One a line.
func rewritten() []string {
	return []string{
		"aisearch",
		"apps",
		"catalog",
		"compute",
		"domains",
		"iam",
		"iamv2",
		"jobs",
		"ml",
		"pipelines",
		"postgres",
		"provisioning",
		"sandbox",
		"serving",
		"settings",
		"sql",
		"workspace",
	}
}

const (
	documents = "../../../openapi/databricks_*/v00.00.00000/services/*.yaml"
	counts    = "testdata/repeats.txt"
	aboutIt   = "# How many descriptions repeat the name of what they describe, by service. Each number may fall, and never rise:\n" +
		"# go test ./internal/openapigen/document -run Repeats -update\n"
)

// TestDescriptionsAreNoRepeats looks for descriptions that have no word beyond the name of what
// they describe: "Catalog name." for catalog_name. The rewritten services have none. The others
// have no more than testdata/repeats.txt allows, which -update lowers. It reads the documents in
// git, which `make verify` holds to what the generator makes.
func TestDescriptionsAreNoRepeats(t *testing.T) {
	found := repeatsByService(t)
	if *update {
		lower(t, found)
	}
	allowed := allowedRepeats(t)
	for service, list := range found {
		limit := allowed[service]
		if slices.Contains(rewritten(), service) {
			limit = 0
		}
		if len(list) > limit {
			t.Errorf("%s: %d descriptions repeat their name, %d may. Write openapi/overlays/descriptions/%s.yaml:\n%s",
				service, len(list), limit, service, strings.Join(list, "\n"))
		}
	}
	for _, service := range rewritten() {
		if _, ok := found[service]; !ok {
			t.Errorf("rewritten has %s, which is no service", service)
		}
		if _, ok := allowed[service]; ok {
			t.Errorf("%s is rewritten: remove it from %s (-update)", service, counts)
		}
	}
}

func TestRepeats(t *testing.T) {
	for _, tt := range []struct {
		description string
		names       []string
		want        bool
	}{
		{"Catalog name.", []string{"catalog_name"}, true},
		{"The catalog's name.", []string{"name", "CatalogInfo"}, true},
		{"Names of the catalogs.", []string{"catalog_names"}, true},
		{"Its name.", []string{"name"}, true},
		{"The job's id.", []string{"job_id"}, true},
		{"Whether to replace existing.", []string{"replace_existing"}, true},
		{"Whether it is stopped.", []string{"is_stopped"}, true},
		{"Environments.", []string{"envs"}, true},
		{"Choices of sandbox state.", []string{"SandboxState"}, true},
		{"What is asked for by create branch.", []string{"CreateBranchRequest"}, true},
		{"Creates a sandbox.", []string{"sandbox_create_sandbox"}, true},
		{"Changes a policy.", []string{"policies_update"}, true},
		{"What is.", []string{"status"}, true},
		{"What was asked for.", []string{"spec"}, true},
		{"Desired state of the branch.", []string{"spec", "Branch"}, false},
		{"The job, as jobs.list returns its id.", []string{"job_id"}, false},
		{"Length in bytes.", []string{"length"}, false},
		{"When it was created.", []string{"create_time"}, false},
	} {
		if got := repeats(tt.description, tt.names...); got != tt.want {
			t.Errorf("%q for %q repeats: %t, want %t", tt.description, tt.names, got, tt.want)
		}
	}
}

// repeatsByService lists the repeats of each service, those of both providers together.
func repeatsByService(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(documents)
	if err != nil || len(files) == 0 {
		t.Fatal("no documents", err)
	}
	found := map[string][]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var root yaml.Node
		if err := yaml.Unmarshal(data, &root); err != nil {
			t.Fatal(err)
		}
		service := strings.TrimSuffix(filepath.Base(file), ".yaml")
		w := &walk{service: service, list: found[service]}
		w.node(root.Content[0], "", "")
		slices.Sort(w.list)
		found[service] = slices.Compact(w.list)
	}
	return found
}

// walk goes through a document and lists the descriptions that repeat their name.
type walk struct {
	service string
	list    []string
}

// node visits each named part of a document, with the names of the parts around it.
func (w *walk) node(n *yaml.Node, name, in string) {
	if n.Kind == yaml.SequenceNode {
		for _, c := range n.Content {
			w.node(c, value(c, "name"), in)
		}
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	id := value(n, "operationId")
	name = strings.TrimPrefix(name+id, ".")
	if text := value(n, "description"); text != "" && name != "" && repeats(text, name, in, w.service) {
		w.list = append(w.list, fmt.Sprintf("  %s: %s", strings.TrimPrefix(in+"."+name, "."), text))
	}
	if id != "" {
		name = ""
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, child := n.Content[i].Value, n.Content[i+1]
		switch key {
		case "properties", "headers":
			w.named(child, name)
		case "schemas":
			w.named(child, "")
		case "parameters":
			if child.Kind == yaml.MappingNode {
				w.named(child, "")
			} else {
				w.node(child, "", "")
			}
		case "columns":
			w.node(child, "", name)
		default:
			w.node(child, "", "")
		}
	}
}

// named looks at things by their keys.
func (w *walk) named(n *yaml.Node, in string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		w.node(n.Content[i+1], n.Content[i].Value, in)
	}
}

// value returns the text of a key; empty without the key.
func value(n *yaml.Node, key string) string {
	if n.Kind != yaml.MappingNode {
		return ""
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key && n.Content[i+1].Kind == yaml.ScalarNode {
			return n.Content[i+1].Value
		}
	}
	return ""
}

// repeats reports whether every word of a description is in one of the names: that of the described
// part, of the parts around it, and of the service.
func repeats(description string, names ...string) bool {
	if description == "What was asked for." || description == "What is." {
		return true
	}
	known := map[string]bool{}
	for _, name := range names {
		words := prose.Words(name)
		for _, w := range slices.Concat(words, strings.Fields(prose.Spell(words))) {
			known[root(w)] = true
		}
	}
	for _, w := range word.FindAllString(strings.ToLower(description), -1) {
		if w = root(w); w != "" && !known[w] {
			return false
		}
	}
	return true
}

// root returns a word without its ending; empty for a word without a meaning, such as "the". Synonyms
// have the same root.
func root(word string) string {
	word = strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(strings.ReplaceAll(word, "’", "'"), "'s"), "'"))
	switch word {
	case "a", "an", "the", "this", "that", "these", "those", "it", "its", "is", "are", "be", "was", "were", "has", "have", "had", "to", "of", "in", "on",
		"for", "with", "by", "at", "as", "from", "and", "or", "which", "what", "whether", "id", "ids", "asked", "answered", "choices", "applies":
		return ""
	case "change", "changes", "changed", "edit", "edits", "patch", "patches", "set", "sets":
		return "updat"
	case "made", "make", "makes":
		return "creat"
	case "tells", "returns":
		return "get"
	}
	for _, ending := range []string{"ies", "ied", "ing", "ed", "es", "s", "y", "e"} {
		if stem, ok := strings.CutSuffix(word, ending); ok && len(stem) > 2 {
			word = stem
			break
		}
	}
	if n := len(word); n > 3 && word[n-1] == word[n-2] && word[n-1] != 's' {
		word = word[:n-1]
	}
	return strings.TrimSuffix(word, "e")
}

// allowedRepeats reads testdata/repeats.txt.
func allowedRepeats(t *testing.T) map[string]int {
	t.Helper()
	data, err := os.ReadFile(counts)
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]int{}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		service, number, _ := strings.Cut(lines.Text(), " ")
		if allowed[service], err = strconv.Atoi(number); err != nil {
			t.Fatalf("%s: %v", counts, err)
		}
	}
	return allowed
}

// lower writes testdata/repeats.txt. It raises no number but that of a service that is new.
func lower(t *testing.T, found map[string][]string) {
	t.Helper()
	allowed := allowedRepeats(t)
	text := []byte(aboutIt)
	for _, service := range slices.Sorted(maps.Keys(found)) {
		n := len(found[service])
		if old, ok := allowed[service]; ok {
			n = min(n, old)
		}
		if !slices.Contains(rewritten(), service) {
			text = fmt.Appendf(text, "%s %d\n", service, n)
		}
	}
	if err := os.WriteFile(counts, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
