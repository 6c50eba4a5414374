package emulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/databricks/databricks-sdk-go"
	"github.com/databricks/databricks-sdk-go/listing"
	"github.com/databricks/databricks-sdk-go/service/iam"
	"github.com/databricks/databricks-sdk-go/service/ml"
	"github.com/databricks/databricks-sdk-go/service/pipelines"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

const usersPath = "/api/2.0/preview/scim/v2/Users"

// users returns the names of the users that fit a filter.
func users(t *testing.T, s *emulator.Server, filter string) []string {
	t.Helper()
	return column(rows(t, s, request{path: usersPath + "?filter=" + url.QueryEscape(filter)}, "Resources"), "userName")
}

func TestFiltersOfSCIM(t *testing.T) {
	s := start(t, nil)
	all := users(t, s, "")
	for filter, want := range map[string]int{
		`userName eq "ADA.OKAFOR@harbor-finch.example"`:                1,
		`userName sw "ada" or userName sw "mei"`:                       2,
		`userName sw "ada" or userName sw "mei" and active eq false`:   1, // and binds closer
		`(userName sw "ada" or userName sw "mei") and active eq true`:  2,
		`not (userName co "a")`:                                        0,
		`NOT(userName sw "ada" OR userName sw "mei")`:                  len(all) - 2,
		`emails[primary eq true].value sw "mei"`:                       1,
		`emails[primary eq true and value sw "mei"]`:                   1,
		`emails[primary eq false and value sw "mei"]`:                  0,
		`emails.value ew "harbor-finch.example"`:                       len(all),
		`emails co "mei"`:                                              1,
		`name.familyName eq "okafor"`:                                  1,
		`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "ada"`: 1,
		`externalId pr`:                       0,
		`externalId eq null`:                  len(all),
		`userName ge "s" and userName lt "u"`: 2, // sam and tomas
		`userName eq "a\"b"`:                  0,
		strings.Repeat("(", 32) + `userName sw "ada"` + strings.Repeat(")", 32):      1,
		`userName ne "ada.okafor@harbor-finch.example" and not (userName sw "mei.")`: len(all) - 2,
	} {
		if got := users(t, s, filter); len(got) != want {
			t.Errorf("%s: %v", filter, got)
		}
	}
}

// TestFiltersCountAndPage shows that totals and pages count only the matching items.
func TestFiltersCountAndPage(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.Scale = 50; o.PageSize = 2 })
	w := sdk(t, &databricks.Config{Host: s.URL(), Token: s.Token(), AuthType: "pat"})
	const filter = `userName co "1" and not (userName co "2")`
	var got struct {
		TotalResults int
		Resources    []any
	}
	reply := send(t, s, request{path: usersPath + "?count=3&startIndex=4&filter=" + url.QueryEscape(filter)})
	if err := json.Unmarshal([]byte(reply.body), &got); err != nil {
		t.Fatal(err)
	}
	found, err := listing.ToSlice(t.Context(), w.UsersV2.List(t.Context(), iam.ListUsersRequest{Filter: filter, Count: 4}))
	if err != nil || len(found) != got.TotalResults || len(found) < 10 || len(got.Resources) != 3 {
		t.Errorf("%d users in all pages, %v; the answer says %d, with %d on the page", len(found), err, got.TotalResults, len(got.Resources))
	}

	page := func(filter, token string) (names []string, next string) {
		t.Helper()
		var got struct {
			Statuses []struct {
				Name string `json:"name"`
			} `json:"statuses"`
			Next string `json:"next_page_token"`
		}
		reply := send(t, s, request{path: "/api/2.0/pipelines?max_results=1&filter=" + url.QueryEscape(filter) + "&page_token=" + token})
		if err := json.Unmarshal([]byte(reply.body), &got); err != nil || reply.status != http.StatusOK {
			t.Fatalf("%d %s", reply.status, reply.body)
		}
		for _, s := range got.Statuses {
			names = append(names, s.Name)
		}
		return names, got.Next
	}
	_, next := page("name LIKE '%'", "")
	if next == "" {
		t.Fatal("there is no second page")
	}
	if names, next := page("name LIKE '%'", next); len(names) != 1 || next != "" {
		t.Errorf("the second page is %v and goes on to %q", names, next)
	}
	wantError(t, send(t, s, request{path: "/api/2.0/pipelines?filter=name+LIKE+%27x%27&page_token=" + next}), 400, "INVALID_PARAMETER_VALUE", "page_token")
}

func TestFiltersOfPipelines(t *testing.T) {
	s := start(t, nil)
	w := sdk(t, &databricks.Config{Host: s.URL(), Token: s.Token(), AuthType: "pat"})
	all, err := w.Pipelines.ListPipelinesAll(t.Context(), pipelines.ListPipelinesRequest{})
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	first := all[0]
	for filter, want := range map[string]int{
		"name LIKE '" + first.Name[:4] + "%'":                       1,
		"name like '%'":                                             2,
		"name = '" + first.Name + "'":                               1,
		"name NOT LIKE '" + first.Name + "'":                        1,
		"name ILIKE '" + strings.ToUpper(first.Name) + "'":          1,
		"name LIKE '_'":                                             0,
		"name LIKE '.*'":                                            0,
		"id = '" + first.PipelineId + "'":                           1,
		"pipeline_id IN ('" + first.PipelineId + "', 'x')":          1,
		"notebook='/Workspace/Shared/pipelines/" + first.Name + "'": 1,
		"creator_user_name != 'it''s nobody'":                       2,
	} {
		got, err := w.Pipelines.ListPipelinesAll(t.Context(), pipelines.ListPipelinesRequest{Filter: filter})
		if err != nil || len(got) != want {
			t.Errorf("%s: %d, %v", filter, len(got), err)
		}
	}
	events := func(filter string) []map[string]any {
		t.Helper()
		return rows(t, s, request{path: "/api/2.0/pipelines/" + first.PipelineId + "/events?filter=" + url.QueryEscape(filter)}, "events")
	}
	every := events("")
	one := every[1]
	if got := events(fmt.Sprintf("level in ('%s') AND id='%s'", one["level"], one["id"])); len(got) != 1 || got[0]["id"] != one["id"] {
		t.Errorf("one event: %v", got)
	}
	later := slices.DeleteFunc(slices.Clone(column(every, "timestamp")), func(at string) bool { return at <= one["timestamp"].(string) })
	if got := events(fmt.Sprintf("timestamp > '%s'", one["timestamp"])); len(got) != len(later) {
		t.Errorf("events after %v: %v", one["timestamp"], got)
	}
}

func TestSearchesOfMLflow(t *testing.T) {
	s := start(t, nil)
	w := sdk(t, &databricks.Config{Host: s.URL(), Token: s.Token(), AuthType: "pat"})
	ctx := t.Context()
	made, err := w.Experiments.CreateExperiment(ctx, ml.CreateExperiment{Name: "/Shared/grind-size"})
	if err != nil {
		t.Fatal(err)
	}
	// Searches find tags and metrics that separate requests add to runs and experiments.
	for _, depth := range []string{"3", "9", "10"} {
		run, err := w.Experiments.CreateRun(ctx, ml.CreateRun{ExperimentId: made.ExperimentId, RunName: "depth-" + depth, Tags: []ml.RunTag{{Key: "team", Value: "roastery"}}})
		if err != nil {
			t.Fatal(err)
		}
		id := run.Run.Info.RunId
		for _, err := range []error{
			w.Experiments.LogParam(ctx, ml.LogParam{RunId: id, Key: "depth", Value: depth}),
			w.Experiments.LogMetric(ctx, ml.LogMetric{RunId: id, Key: "val loss", Value: 0.5, Timestamp: 1}),
			w.Experiments.LogMetric(ctx, ml.LogMetric{RunId: id, Key: "val loss", Value: float64(len(depth)), Timestamp: 2}),
			w.Experiments.LogBatch(ctx, ml.LogBatch{RunId: id, Tags: []ml.RunTag{{Key: "mlflow.source.name", Value: "train.py"}}}),
			w.Experiments.SetTag(ctx, ml.SetTag{RunId: id, Key: "gone", Value: "x"}),
			w.Experiments.DeleteTag(ctx, ml.DeleteTag{RunId: id, Key: "gone"}),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Experiments.SetExperimentTag(ctx, ml.SetExperimentTag{ExperimentId: made.ExperimentId, Key: "team", Value: "roastery"}); err != nil {
		t.Fatal(err)
	}
	for filter, want := range map[string]int{
		"":                        3,
		"params.depth = '3'":      1,
		"parameters.depth != '3'": 2,
		"params.depth > 3":        2, // as numbers
		"params.colour != 'x'":    0, // there is none
		"metrics.`val loss` >= 2": 1,
		"metric.\"val loss\" < 2 AND param.depth IN ('3', '10')":           1,
		"tags.team = 'roastery' and tags.mlflow.source.name LIKE 'train%'": 3,
		"tags.gone = 'x'":                                 0,
		"attributes.run_name ILIKE 'DEPTH-1%'":            1,
		"(run_name = 'depth-3') AND (status = 'RUNNING')": 1,
		"attribute.start_time <= 0":                       0,
	} {
		got, err := w.Experiments.SearchRunsAll(ctx, ml.SearchRuns{ExperimentIds: []string{made.ExperimentId}, Filter: filter, MaxResults: 2})
		if err != nil || len(got) != want {
			t.Errorf("runs, %s: %d, %v", filter, len(got), err)
		}
	}
	for filter, want := range map[string]int{
		"name LIKE '/Shared/%' AND tags.team = 'roastery'": 1,
		"name LIKE '%churn%'":                              1,
		"lifecycle_stage = 'active' AND creation_time > 0": 3,
	} {
		got, err := w.Experiments.SearchExperimentsAll(ctx, ml.SearchExperiments{Filter: filter})
		if err != nil || len(got) != want {
			t.Errorf("experiments, %s: %d, %v", filter, len(got), err)
		}
	}
	if got, err := w.Experiments.ListExperimentsAll(ctx, ml.ListExperimentsRequest{ViewType: ml.ViewTypeDeletedOnly}); err != nil || len(got) != 0 {
		t.Errorf("deleted experiments: %v, %v", got, err)
	}
	for _, name := range []string{"grind", "roast"} {
		if _, err := w.ModelRegistry.CreateModel(ctx, ml.CreateModelRequest{Name: name + "-model"}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Experiments.CreateLoggedModel(ctx, ml.CreateLoggedModelRequest{ExperimentId: made.ExperimentId, Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := w.ModelRegistry.SearchModelsAll(ctx, ml.SearchModelsRequest{Filter: "name LIKE 'rind-'"}); err != nil || len(got) != 1 {
		t.Errorf("models: %v, %v", got, err)
	}
	if got, err := w.Experiments.SearchLoggedModels(ctx, ml.SearchLoggedModelsRequest{ExperimentIds: []string{made.ExperimentId}, Filter: "name = 'roast'"}); err != nil || len(got.Models) != 1 {
		t.Errorf("logged models: %v, %v", got, err)
	}
}

func TestConditionsOfLists(t *testing.T) {
	s := start(t, nil)
	list := func(path, key string) int {
		t.Helper()
		return len(rows(t, s, request{path: path}, key))
	}
	for path, want := range map[string]int{
		"/api/2.2/jobs/list?name=Ingest-Orders jobs":                                                   1,
		"/api/2.2/jobs/list?name=ingest jobs":                                                          0,
		"/api/2.2/jobs/runs/list?active_only=true runs":                                                1,
		"/api/2.0/repos?path_prefix=/none repos":                                                       0,
		"/api/2.0/preview/sql/queries?q=no-such-name results":                                          0,
		"/api/2.1/unity-catalog/table-summaries?catalog_name=main&table_name_pattern=no%25 tables":     0,
		"/api/2.1/unity-catalog/permissions/table/main.shop.orders?principal=no privilege_assignments": 0,
		"/api/2.0/workspace/list?path=/Shared/jobs&notebooks_modified_after=9999999999999 objects":     0,
		"/api/2.0/sql/history/queries?filter_by.query_start_time_range.end_time_ms=1 res":              0,
		"/api/2.0/sql/history/queries?filter_by.statement_ids=none res":                                0,
		"/api/2.0/git-credentials?principal_id=1 credentials":                                          0,
	} {
		path, key, _ := strings.Cut(path, " ")
		if got := list(path, key); got != want {
			t.Errorf("%s: %d", path, got)
		}
	}
	const clusters = "/api/2.1/clusters/list"
	all := rows(t, s, request{path: clusters}, "clusters")
	pin := request{method: "POST", path: "/api/2.1/clusters/pin", body: fmt.Sprintf(`{"cluster_id": %q}`, all[0]["cluster_id"])}
	if got := send(t, s, pin); got.status != http.StatusOK {
		t.Fatal(got.body)
	}
	if pinned, rest := list(clusters+"?filter_by.is_pinned=true", "clusters"), list(clusters+"?filter_by.is_pinned=false", "clusters"); pinned != 1 || rest != len(all)-1 {
		t.Errorf("%d clusters are pinned and %d are not", pinned, rest)
	}
}

func TestFiltersThatCannotBeReadAreRefused(t *testing.T) {
	s := start(t, nil)
	scim := func(filter string) request { return request{path: usersPath + "?filter=" + url.QueryEscape(filter)} }
	list := func(filter string) request {
		return request{path: "/api/2.0/pipelines?filter=" + url.QueryEscape(filter)}
	}
	search := func(filter string) request {
		body, err := json.Marshal(map[string]string{"filter": filter})
		if err != nil {
			t.Fatal(err)
		}
		return request{method: "POST", path: "/api/2.0/mlflow/runs/search", body: string(body)}
	}
	for _, tt := range []struct {
		request request
		message string
	}{
		{scim("userName"), `at character 9: there is its end where eq, ne, co`},
		{scim(`colour eq "red"`), `at character 1: "colour" is no attribute`},
		{scim(`userName eq "a`), "at character 13: the text in quotes does not end"},
		{scim(`userName eq "a" userName`), `at character 17: "userName" does not go on`},
		{scim(`userName eq "a" and`), "there is its end where an attribute's name"},
		{scim(`(userName eq "a"`), `there is its end where ")"`},
		{scim(`not userName eq "a"`), `there is "userName" where "("`},
		{scim(`emails[colour eq "a"]`), `"colour" is no attribute`},
		{scim(`userName LIKE 'a'`), `'\'' has no meaning`},
		{scim(strings.Repeat("(", 33)), "more than 32 deep"},
		{list("name LIKE 'a' AND id = 'b'"), "more than one comparison. The emulator reads one comparison"},
		{list("name LIKE 'a' OR id = 'b'"), `"OR" does not go on`},
		{list("name LIKE a"), "a pattern in quotes"},
		{list("name = a"), "a number or text in quotes"},
		{list("colour = 'a'"), `"colour" is no attribute that pipelines have`},
		{list("name == 'a'"), `"==" where an operator`},
		{list("name NOT = 'a'"), `"=" where an operator`},
		{list("name IN ()"), "a number or text in quotes"},
		{list("name"), "its end where an operator"},
		{search("params."), "its end where a key in quotes"},
		{search("data.params = '1' OR x = '2'"), "no attribute that runs have"},
		{search("metrics.loss < 1; DROP"), `"1;" where a number`},
		{search(strings.Repeat("x", 16<<10+1)), "it has 16385 bytes, and may have 16384"},
		{search("\x1b[31m\u202e = 1"), "an attribute's name"},
		{request{path: "/api/2.0/sql/history/queries?filter_by.colour=x"}, "colour"},
	} {
		got := send(t, s, tt.request)
		e := wantError(t, got, 400, "INVALID_PARAMETER_VALUE", tt.message)
		if strings.ContainsAny(e.Message, "\x1b\u202e") {
			t.Errorf("the message has what it should not: %q", e.Message)
		}
	}
}

// TestNoParameterOfAListIsPassedOver asks each list for each of its parameters: it chooses by it, or
// the parameter is known not to choose.
func TestNoParameterOfAListIsPassedOver(t *testing.T) {
	c := newCaller(t, emulator.Options{})
	asked := 0
	for _, m := range c.methods {
		if m.Verb != http.MethodGet {
			continue
		}
		for i := range m.Params {
			p := &m.Params[i]
			if p.In != provider.InQuery || p.Required || p.Name == "page_token" || p.Name == "filter" {
				continue
			}
			schema, err := c.catalogue.Resolve(m, p.Schema)
			if err != nil {
				t.Fatal(err)
			}
			target := c.target(m, nil)
			sign := "?"
			if strings.Contains(target, "?") {
				sign = "&"
			}
			asked++
			if _, text := c.call(m, target+sign+url.Values{p.Name: {c.text(schema, p.Name)}}.Encode(), ""); strings.Contains(text, "cannot choose") {
				t.Errorf("%s: %s", m.FullName(), text)
			}
		}
	}
	t.Logf("%d parameters", asked)
}

// FuzzFilters searches for filters that cause a panic, that have no effect, or whose pages and totals
// differ.
func FuzzFilters(f *testing.F) {
	e := testworld.NewEmulator(f, emulator.Options{Clock: noon})
	for _, text := range []string{
		`userName eq "ada" and not (active eq false or emails[type eq "work"].value co "@x")`, `id gt 7 or name.givenName pr`, `a[b[c pr]]`,
		`name LIKE '%a_''b'`, `params."a b" IN ('x', 1.5e3) AND metrics.loss <= -2`, `tags.`, `level NOT IN (true)`, "((((", `id ne null`, "\"\\u00", "`",
	} {
		f.Add(text)
	}
	ask := func(ctx context.Context, method, target, body string) (int, []byte) {
		r := httptest.NewRequestWithContext(ctx, method, "http://localhost"+target, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+e.Token())
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		text, _ := io.ReadAll(w.Body)
		return w.Code, text
	}
	f.Fuzz(func(t *testing.T, text string) {
		count := func(filter string) (n int, ok bool) {
			status, body := ask(t.Context(), "GET", usersPath+"?count=5&filter="+url.QueryEscape(filter), "")
			var got struct {
				Total     *int `json:"totalResults"`
				Resources []any
				Message   string
			}
			switch err := json.Unmarshal(body, &got); {
			case err != nil, status == 200 && (got.Total == nil || len(got.Resources) != min(5, *got.Total)), status == 400 && !strings.Contains(got.Message, "The emulator reads"), status != 200 && status != 400:
				t.Fatalf("%q: %d %s", filter, status, body)
			}
			if got.Total == nil {
				return 0, false
			}
			return *got.Total, true
		}
		all, _ := count("")
		if fits, ok := count(text); ok && strings.TrimSpace(text) != "" {
			if rest, ok := count("not (" + text + ")"); ok && fits+rest != all {
				t.Errorf("%q: %d fit and %d do not, of %d", text, fits, rest, all)
			}
		}
		body, err := json.Marshal(map[string]string{"filter": text})
		if err != nil {
			t.Fatal(err)
		}
		if status, answer := ask(t.Context(), "POST", "/api/2.0/mlflow/runs/search", string(body)); status != 200 && status != 400 {
			t.Errorf("%q: %d %s", text, status, answer)
		}
	})
}

// TestServicesOfASchema makes a service in a schema, whose name begins with the schema's, and finds
// it in the list of that schema alone.
func TestServicesOfASchema(t *testing.T) {
	s := start(t, nil)
	const path = "/api/2.1/unity-catalog/mcp-services"
	made := send(t, s, request{method: http.MethodPost, path: path + "?parent=schemas/main.shop&mcp_service_id=till", body: `{"comment":"x"}`})
	if made.status != http.StatusOK {
		t.Fatalf("%d %s", made.status, made.body)
	}
	for parent, want := range map[string][]string{
		"schemas/main.shop": {"mcp-services/main.shop.till"}, "schemas/main.sho": nil, "schemas/raw.shop": nil,
	} {
		if got := column(rows(t, s, request{path: path + "?parent=" + parent}, "mcp_services"), "name"); !slices.Equal(got, want) {
			t.Errorf("%s: %v", parent, got)
		}
	}
	if got := send(t, s, request{path: path + "/main.shop.till"}); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestGroupsAreThoseOfSCIM compares the groups of the identity API with those of SCIM.
func TestGroupsAreThoseOfSCIM(t *testing.T) {
	s := start(t, nil)
	scim := rows(t, s, request{path: "/api/2.0/preview/scim/v2/Groups"}, "Resources")
	groups := rows(t, s, request{path: "/api/2.0/identity/groups"}, "groups")
	if len(groups) == 0 || !slices.Equal(column(groups, "group_id"), column(scim, "id")) || !slices.Equal(column(groups, "group_name"), column(scim, "displayName")) {
		t.Errorf("%v\n%v", groups, scim)
	}
}
