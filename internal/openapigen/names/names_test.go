package names

import (
	"os"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/openapigen/observe"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

func read(t *testing.T) (*sdk.API, *Table) {
	t.Helper()
	api, err := observe.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	table, err := Read(os.DirFS("../../../openapi/overlays"))
	if err != nil {
		t.Fatal(err)
	}
	return api, table
}

// TestNamesAreStackQLs compares every name with StackQL's. Whoever sees it fail adds the line to
// name-differences.csv, with a reason, or takes out one that has become wrong.
func TestNamesAreStackQLs(t *testing.T) {
	api, table := read(t)
	ours, proposed, err := table.Assign(api)
	if err != nil {
		t.Fatal(err)
	}
	if len(proposed) > 0 {
		t.Errorf("nobody has looked at these names: %v", proposed)
	}
	kept, differing := 0, 0
	compare := func(key Key) {
		mine, theirs := ours[key].String(), table.StackQL[key].String()
		d, listed := table.Differences[key]
		switch {
		case mine == theirs && listed:
			t.Errorf("%v is %s here as there: name-differences.csv is wrong to list it", key, mine)
		case mine == theirs:
			kept++
		case theirs == "" && table.Own[key].Name == mine && !listed:
			differing++
		case !listed:
			t.Errorf("%v is %q here and %q in StackQL, which name-differences.csv does not list", key, mine, theirs)
		case d.Ours != mine || d.StackQL != theirs:
			t.Errorf("%v is %q here and %q in StackQL; name-differences.csv has %q and %q", key, mine, theirs, d.Ours, d.StackQL)
		case d.Reason == "":
			t.Errorf("%v: name-differences.csv gives no reason", key)
		default:
			differing++
		}
	}
	for key := range ours {
		compare(key)
	}
	for key := range table.StackQL {
		if _, ok := ours[key]; !ok {
			compare(key)
		}
	}
	for key := range table.Differences {
		_, here := ours[key]
		_, there := table.StackQL[key]
		if !here && !there {
			t.Errorf("name-differences.csv lists %v, which neither has", key)
		}
	}
	t.Logf("%d names are StackQL's, %d differ or exist on one side only", kept, differing)
}

// TestConvention shows how operations are named that StackQL does not have.
func TestConvention(t *testing.T) {
	api, table := read(t)
	c := table.convention()
	for id, want := range map[string]string{
		"GET postgres.Postgres.GetBranch":                                     "postgres_branches.get select",
		"GET postgres.Postgres.GetOperation":                                  "postgres_operations.get select",
		"PATCH postgres.Postgres.UpdateProject":                               "postgres_projects.update update",
		"PUT dashboards.Lakeview.UpdateSchedule":                              "schedules.replace replace",
		"GET knowledgeassistants.KnowledgeAssistants.ListKnowledgeAssistants": "knowledge_assistants.list select",
		"GET knowledgeassistants.KnowledgeAssistants.GetPermissions":          "knowledge_assistant_permissions.get select",
		"GET newthings.NewThings.List":                                        "new_things.list select",
		"POST newthings.NewThings.RotateKey":                                  "new_things.rotate_key exec",
		"POST newthings.NewThings.CreatePolicy":                               "policies.create insert",
	} {
		httpVerb, rest, _ := strings.Cut(id, " ")
		parts := strings.Split(rest, ".")
		got := c.name(api, &sdk.Operation{Service: parts[0], Group: parts[1], Name: parts[2], Verb: httpVerb})
		if got.String() != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}
