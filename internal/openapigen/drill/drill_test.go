package drill

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lakeql/lakeql/internal/openapigen/document"
	"github.com/lakeql/lakeql/internal/openapigen/names"
	"github.com/lakeql/lakeql/internal/openapigen/observe"
)

const root = "../../.."

// TestRun takes the version in go.mod as a person would who has accepted none of its new operations yet: all are
// pending, then none is, and the documents are the repository's.
func TestRun(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(regexp.QuoteMeta(observe.Module) + ` (\S+)\n`).FindSubmatch(mod)
	if version == nil {
		t.Fatal("go.mod does not name the SDK")
	}
	var out bytes.Buffer
	if err := Run(t.Context(), root, []string{string(version[1])}, &out); err != nil {
		t.Fatal(err)
	}
	row := strings.Fields(strings.Split(out.String(), "\n")[1])
	sizes, err := os.ReadFile(filepath.Join(root, "internal/openapigen/observe/testdata/sizes.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if row[0] != string(version[1]) || !bytes.Contains(sizes, []byte("operations: "+row[1]+"\n")) {
		t.Errorf("%q are not the operations of\n%s", row, sizes)
	}
	if !slices.Equal(row[2:], []string{"0", "0", "0", "0", "0", "0"}) {
		t.Errorf("the version that the repository is at has changes: %q", row)
	}
}

func TestCompare(t *testing.T) {
	doc := func(paths, schemas string) fstest.MapFS {
		text := "paths:\n" + paths + "components: {schemas: {" + schemas + "}}\n"
		return fstest.MapFS{"databricks_workspace/v1/services/jobs.yaml": {Data: []byte(text)}}
	}
	const (
		get  = "  /jobs/get: {get: {operationId: get, description: Gets a job., responses: {$ref: '#/components/schemas/Job'}}}\n"
		list = "  /jobs/list: {get: {operationId: list, description: Lists jobs.}}\n"
		run  = "  /jobs/run: {post: {operationId: run}}\n"
	)
	before, err := operations(doc(get+list, "Job: {properties: {of: {$ref: '#/components/schemas/Of'}}}, Of: {type: string, description: Whose.}"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		paths, schemas          string
		added, removed, changed string
	}{
		"nothing":        {get + list, "Job: {properties: {of: {$ref: '#/components/schemas/Of'}}}, Of: {type: string, description: Whose it is.}", "", "", ""},
		"a description":  {strings.ReplaceAll(get, "Gets", "Returns") + list, "Job: {properties: {of: {$ref: '#/components/schemas/Of'}}}, Of: {type: string}", "", "", ""},
		"a type inside":  {get + list, "Job: {properties: {of: {$ref: '#/components/schemas/Of'}}}, Of: {type: integer}", "", "", "get"},
		"a new field":    {get + list, "Job: {properties: {of: {$ref: '#/components/schemas/Of'}, description: {type: string}}}, Of: {type: string}", "", "", "get"},
		"a path":         {get + strings.ReplaceAll(list, "/jobs/list", "/jobs"), "Job: {properties: {of: {$ref: '#/components/schemas/Of'}}}, Of: {type: string}", "", "", "list"},
		"another method": {get + run, "Job: {properties: {of: {$ref: '#/components/schemas/Of'}}}, Of: {type: string}", "run", "list", ""},
	} {
		now, err := operations(doc(test.paths, test.schemas))
		if err != nil {
			t.Fatal(err)
		}
		var step Step
		step.compare(before, now)
		for i, want := range []string{test.added, test.removed, test.changed} {
			got := [][]string{step.Added, step.Removed, step.Changed}[i]
			if want != "" {
				want = "databricks_workspace.jobs." + want
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
	if _, err := operations(doc(get, "")); err == nil || !strings.Contains(err.Error(), "schemas/Job") {
		t.Errorf("a schema that is not there: %v", err)
	}
}

// TestAccept: a new operation gets today's name, or the proposed one; a stale line goes.
func TestAccept(t *testing.T) {
	line := func(operation, name string) document.Pending {
		return document.Pending{Key: names.Key{Provider: "databricks_workspace", Service: "jobs", Operation: operation}, Name: name}
	}
	dir := t.TempDir()
	d := &drill{accepted: map[names.Key]document.Pending{line("Jobs.New", "").Key: line("Jobs.New", "jobs.new exec")}}
	held := []string{"provider,service,operation,name,description", "databricks_workspace,jobs,Jobs.Kept,jobs.kept exec,", "databricks_workspace,jobs,Jobs.Gone,jobs.gone exec,", ""}
	if err := os.WriteFile(filepath.Join(dir, names.OwnFile), []byte(strings.Join(held, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.accept(dir, []document.Pending{
		line("Jobs.New", "news.get exec"), line("Jobs.Other", "others.get select"), line("stale Jobs.Gone", names.OwnFile), line("stale", "facts/jobs.yaml"), {Name: "providers.yaml"},
	}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, names.OwnFile))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		held[0], held[1], "databricks_workspace,jobs,Jobs.New,jobs.new exec,", "databricks_workspace,jobs,Jobs.Other,others.get select,", "",
	}, "\n")
	if string(got) != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
