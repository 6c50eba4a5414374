package dispatch_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// TestEveryListEnds plays answers, the last of them again and again, and shows that each list ends: with
// all of its rows, or with an error that says why not.
func TestEveryListEnds(t *testing.T) {
	t.Parallel()
	docs := realCatalogue(t)
	var (
		clusters = realCall{method: "databricks_workspace.compute.clusters.list"}
		events   = realCall{method: "databricks_workspace.compute.clusters.events", body: `{"cluster_id": "c"}`}
		later    = realCall{method: "databricks_workspace.compute.clusters.events", body: `{"cluster_id": "c", "offset": 2}`}
		users    = realCall{method: "databricks_workspace.iam.users.list"}
		usersV2  = realCall{method: "databricks_workspace.iam.users_v2.list"}
		boards   = realCall{method: "databricks_workspace.sql.dashboards.list"}
		board2   = realCall{method: "databricks_workspace.sql.dashboards.list", args: map[string]any{"page": json.Number("2")}}
		jobs     = realCall{method: "databricks_workspace.jobs.jobs.list"}
		job      = realCall{method: "databricks_workspace.jobs.jobs.get", args: map[string]any{"job_id": "7"}}
		queries  = realCall{method: "databricks_workspace.sql.query_history.list"}
	)
	tests := []struct {
		call    realCall
		name    string
		answers []string // %d is the number of the request
		rows    int
		err     string
		asked   int
	}{
		{clusters, "a token twice", []string{`{"clusters": [{"cluster_id": "%d"}], "next_page_token": "t"}`}, 2, `the page token "t" came twice`, 2},
		{clusters, "tokens in turn", []string{`{"clusters": [{"cluster_id": "1"}], "next_page_token": "a"}`, `{"clusters": [{"cluster_id": "2"}], "next_page_token": "b"}`, `{"clusters": [{"cluster_id": "3"}], "next_page_token": "a"}`}, 3, `the page token "a" came twice`, 3},
		{clusters, "the same page with new tokens", []string{`{"clusters": [{"cluster_id": "1"}], "next_page_token": "t%d"}`}, 1, "a page of 1 items came twice", 2},
		{clusters, "no items for ever", []string{`{"next_page_token": "t%d"}`}, 0, "20 pages in a row have no items", 20},
		{clusters, "the same page at the end", []string{`{"clusters": [{"cluster_id": "1"}], "next_page_token": "t"}`, `{"clusters": [{"cluster_id": "1"}]}`}, 2, "", 2},
		{clusters, "a token that is an object", []string{`{"next_page_token": {"a": 1}}`}, 0, "its next_page_token is an object, not a text", 1},
		{clusters, "a token that is true", []string{`{"next_page_token": true}`}, 0, "its next_page_token is true or false, not a text", 1},
		{clusters, "a token that is a list", []string{`{"next_page_token": ["t"]}`}, 0, "its next_page_token is a list, not a text", 1},
		{clusters, "a token back", []string{`{"clusters": [{"cluster_id": "1"}], "prev_page_token": "t"}`}, 1, "", 1},
		{job, "the same part with new tokens", []string{`{"job_id": 7, "settings": {"tasks": [{"task_key": "a"}]}, "next_page_token": "t%d"}`}, 0, "came twice", 2},

		{jobs, "more, but not where", []string{`{"jobs": [{"job_id": 1}], "has_more": true}`}, 0, "has_more says that the list goes on, but not where", 1},
		{jobs, "no more, but a token", []string{`{"jobs": [{"job_id": 1}], "has_more": false, "next_page_token": "t"}`, `{"jobs": [{"job_id": 2}]}`}, 2, "", 2},
		{queries, "a next page, but not where", []string{`{"res": [{"query_id": "1"}], "has_next_page": true}`}, 0, "has_next_page says that the list goes on, but not where", 1},
		{queries, "no next page, but a token", []string{`{"res": [{"query_id": "1"}], "has_next_page": false, "next_page_token": "t"}`}, 1, "", 1},
		{queries, "a token alone", []string{`{"res": [{"query_id": "1"}], "next_page_token": "t"}`, `{"res": [{"query_id": "2"}]}`}, 2, "", 2},

		{users, "a total told once", []string{`{"startIndex": 1, "totalResults": 3, "Resources": [{"id": "1"}, {"id": "2"}]}`, `{"startIndex": 3, "Resources": []}`}, 2, "the list ends after 2 of 3 items", 2},
		{users, "a total told once, and kept", []string{`{"startIndex": 1, "totalResults": 2, "Resources": [{"id": "1"}]}`, `{"startIndex": 2, "Resources": [{"id": "2"}]}`, `{"startIndex": 3}`}, 2, "", 3},
		{users, "a total told late", []string{`{"Resources": [{"id": "1"}]}`, `{"totalResults": 3, "Resources": [{"id": "2"}]}`, `{}`}, 2, "the list ends after 2 of 3 items", 3},
		{users, "a total that is no number", []string{`{"totalResults": true, "Resources": [{"id": "1"}]}`}, 0, "totalResults is \"true\", which is no number", 1},
		{users, "one for another", []string{`{"totalResults": 4, "Resources": [{"id": "1"}, {"id": "2"}]}`, `{"totalResults": 4, "Resources": [{"id": "2"}, {"id": "3"}]}`, `{"totalResults": 4}`}, 3, "the list ends after 3 of 4 items", 3},
		{users, "the same page for ever", []string{`{"totalResults": 9, "Resources": [{"id": "1"}]}`}, 1, "a page has 1 items, and none that earlier pages did not have", 2},
		{users, "everything for ever", []string{`{"totalResults": 1, "Resources": [{"id": "1"}]}`}, 1, "", 2},
		{usersV2, "the same page for ever", []string{`{"totalResults": 9, "Resources": [{"id": "1"}]}`}, 1, "and none that earlier pages did not have", 2},
		{usersV2, "the same page, no total", []string{`{"Resources": [{"id": "1"}]}`}, 1, "and none that earlier pages did not have", 2},
		{usersV2, "one comes twice", []string{`{"totalResults": 2, "Resources": [{"id": "1"}, {"id": "2"}]}`, `{"totalResults": 3, "Resources": [{"id": "2"}]}`, `{"totalResults": 3}`}, 2, "", 2},
		{users, "a position that stays", []string{`{"startIndex": 1, "Resources": [{"id": "%d"}]}`}, 2, `the page token "2" came twice`, 2},

		{boards, "the same page for ever", []string{`{"page": 1, "count": 9, "results": [{"id": "1"}]}`}, 1, "none that earlier pages did not have", 2},
		{boards, "ends before its count", []string{`{"page": 1, "page_size": 1, "count": 3, "results": [{"id": "1"}]}`, `{"page": 2, "page_size": 1, "results": []}`}, 1, "the list ends after 1 of 3 items", 2},
		{board2, "from page 2 on", []string{`{"page": 2, "page_size": 1, "count": 2, "results": [{"id": "2"}]}`, `{"page": 3, "page_size": 1, "count": 2, "results": []}`}, 1, "", 2},
		{board2, "from page 2 of nobody knows what on", []string{`{"page": 2, "count": 30, "results": [{"id": "2"}]}`, `{"page": 3, "count": 30, "results": []}`}, 1, "", 2},

		{events, "ends before its count", []string{`{"events": [{"timestamp": 1}], "total_count": 3}`}, 0, "the list ends after 1 of 3 items", 1},
		{events, "a count told once", []string{`{"events": [{"timestamp": 1}], "total_count": 3, "next_page": {"cluster_id": "c", "offset": 1}}`, `{"events": [{"timestamp": 2}], "total_count": 0}`}, 1, "the list ends after 2 of 3 items", 2},
		{events, "all there", []string{`{"events": [{"timestamp": 1}], "total_count": 2, "next_page": {"cluster_id": "c", "offset": 1}}`, `{"events": [{"timestamp": 2}]}`}, 2, "", 2},
		{later, "from the third on", []string{`{"events": [{"timestamp": 1}], "total_count": 3}`}, 1, "", 1},
		{events, "no items and a next page", []string{`{"events": [], "total_count": 3, "next_page": {"cluster_id": "c", "offset": %d}}`}, 0, "a page has no items, and the answer says that more follow", 1},
		{events, "the same page for ever", []string{`{"events": [{"timestamp": 1}], "next_page": {"cluster_id": "c", "offset": %d}}`}, 1, "a page of 1 items came twice", 2},
		{events, "a next page that is a text", []string{`{"events": [], "next_page": "x"}`}, 0, "its next_page is a text, not an object", 1},
		{events, "a token instead of a next page", []string{`{"events": [{"timestamp": 1}], "next_page_token": "t"}`, `{"events": [{"timestamp": 2}]}`}, 2, "", 2},
	}
	for _, test := range tests {
		asked := 0
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			text := test.answers[min(asked, len(test.answers)-1)]
			asked++
			_, _ = io.WriteString(w, strings.ReplaceAll(text, "%d", fmt.Sprint(asked)))
		})
		c.Catalogue, c.EmptyPages = docs, 20
		_, rows, err := test.call.rows(t, c)
		at := test.call.method + ", " + test.name
		if len(rows) != test.rows || asked != test.asked {
			t.Errorf("%s: %d rows of %d answers, want %d of %d: %v", at, len(rows), asked, test.rows, test.asked, err)
		}
		switch {
		case test.err == "" && err != nil:
			t.Errorf("%s: %v", at, err)
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: %v, want %s", at, err, test.err)
		}
	}
}

// endings are names by which an attribute may say that an answer is not the whole.
var endings = regexp.MustCompile(`^(has_more|has_next|next|prev_|previous_page|more)|truncated|^total(Results|.*_count)$|^(count|page|startIndex|itemsPerPage)$|cursor$|^continuation`)

// TestEveryEndingIsDecided lists the attributes of all responses that may report missing items.
// testdata/endings.csv has the decision for each. An attribute without a decision is an error.
func TestEveryEndingIsDecided(t *testing.T) {
	t.Parallel()
	docs := testworld.Catalogue(t)
	found := map[string]string{} // where, and an example
	providers, err := docs.Providers()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range providers {
		for _, s := range p.Services {
			service, err := docs.Service(p.Name, s.Name)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, info := range service.Resources {
				resource, err := docs.Resource(p.Name, s.Name, info.Name)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range resource.Methods {
					if m.Response == nil || m.Response.Schema == nil {
						continue
					}
					place := "object"
					switch {
					case m.Paging != nil && m.Paging.Kind != provider.ByMerging:
						place = "list"
					case m.Response.ObjectKey != "":
						place = "inside"
					}
					e := endingsIn{t: t, docs: docs, method: m, found: found, seen: seen}
					e.schema(m.Response.Schema, place)
				}
			}
		}
	}
	file, err := os.Open("testdata/endings.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	lines := bufio.NewScanner(file)
	lines.Scan() // the names of the columns
	decided := map[string]bool{}
	for lines.Scan() {
		fields := strings.SplitN(lines.Text(), ",", 3)
		if len(fields) != 3 || fields[2] == "" {
			t.Fatalf("testdata/endings.csv: %q is not attribute,place,decision", lines.Text())
		}
		key := fields[0] + "," + fields[1]
		if decided[key] = true; found[key] == "" {
			t.Errorf("testdata/endings.csv decides on %s, which no response has", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(found)) {
		if !decided[key] {
			t.Errorf("%s (%s) may say that there is more: decide what to do with it, and say so in testdata/endings.csv", key, found[key])
		}
	}
}

// endingsIn looks through the schema of a response.
type endingsIn struct {
	t      *testing.T
	docs   *provider.Catalogue
	method *provider.Method
	found  map[string]string
	seen   map[string]bool // shared schemas of the service
}

func (e *endingsIn) schema(schema *provider.Schema, place string) {
	e.t.Helper()
	if schema.Ref != "" {
		if e.seen[schema.Ref] && place == "inside" {
			return
		}
		e.seen[schema.Ref] = true
	}
	s, err := e.docs.Resolve(e.method, schema)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, p := range s.Properties {
		if key := p.Name + "," + place; endings.MatchString(p.Name) && e.found[key] == "" {
			e.found[key] = e.method.FullName()
		}
		e.schema(p.Schema, "inside")
	}
	for _, inner := range []*provider.Schema{s.Items, s.Additional} {
		if inner != nil {
			e.schema(inner, "inside")
		}
	}
}

// TestDuplicatesInTheWrapper shows that of an attribute that comes twice the last one counts.
func TestDuplicatesInTheWrapper(t *testing.T) {
	t.Parallel()
	c, _ := scripted(t, `{"clusters": [{"cluster_id": "1"}], "next_page_token": "t", "clusters": [{"cluster_id": "2", "cluster_id": "3"}], "next_page_token": ""}`)
	_, rows, err := realCall{method: "databricks_workspace.compute.clusters.list"}.rows(t, c)
	text, _ := json.Marshal(rows)
	if err != nil || len(rows) != 1 || !strings.Contains(string(text), `"3"`) {
		t.Errorf("%s: %v", text, err)
	}
}
