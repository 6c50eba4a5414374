package registry

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stackql/any-sdk/pkg/dto"
	"github.com/stackql/any-sdk/pkg/providerinvoker"
	"github.com/stackql/any-sdk/public/formulation"
	"github.com/stackql/any-sdk/public/providerinvokers/anysdkhttp"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/provider"
)

// reader stands for StackQL when its library reads a list: it receives the requests and the pages.
type reader struct {
	server, host, token string // requests go to server, under the host of a workspace or of the account
	caller              *caller
	params              map[string]any

	pages  int
	items  []any
	faults []string
}

// GetHTTPArmoury builds the first request.
func (r *reader) GetHTTPArmoury() (formulation.HTTPArmoury, error) {
	c := r.caller
	preparator := formulation.NewHTTPPreparator(c.bundled.providers[c.resource.Provider], c.service, c.store, map[int]map[string]any{0: r.params}, nil, nil, nil)
	return preparator.BuildHTTPRequestCtx(formulation.NewHTTPPreparatorConfig(false))
}

// ActionInsertPreparation takes a page.
func (r *reader) ActionInsertPreparation(page formulation.ActionInsertPayload) formulation.ActionInsertResult {
	r.pages++
	items, _ := page.GetItemisationResult().GetItems()
	if list, ok := items.([]any); ok {
		r.items = append(r.items, list...)
	}
	return r
}

// GetError and IsHousekeepingDone are the result of taking a page.
func (r *reader) GetError() (error, bool)  { return nil, false }
func (r *reader) IsHousekeepingDone() bool { return false }

// IsElide, LogHTTPResponseMap, MessageHandler and GetMessages leave nothing out.
func (r *reader) IsElide(string, ...any) bool  { return false }
func (r *reader) LogHTTPResponseMap(any)       {}
func (r *reader) MessageHandler(said []string) { r.faults = append(r.faults, said...) }
func (r *reader) GetMessages() []string        { return nil }

// Write receives any-sdk's messages about errors.
func (r *reader) Write(said []byte) (int, error) {
	r.faults = append(r.faults, string(said))
	return len(said), nil
}

// RoundTrip sends a request to the server.
func (r *reader) RoundTrip(request *http.Request) (*http.Response, error) {
	target, err := url.Parse(r.server)
	if err != nil {
		return nil, err
	}
	if r.pages > 1000 {
		return nil, errors.New("the list has no end")
	}
	sent := request.Clone(request.Context())
	sent.Host, sent.URL.Scheme, sent.URL.Host = r.host, target.Scheme, target.Host
	sent.Header.Set("Authorization", "Bearer "+r.token)
	return http.DefaultTransport.RoundTrip(sent)
}

// read reads the list to its end as StackQL does, with StackQL's library.
func (r *reader) read(t *testing.T) {
	t.Helper()
	payload := formulation.NewPayload(r, r.caller.bundled.providers[r.caller.resource.Provider], r.caller.store, "table",
		&dto.AuthCtx{Type: dto.AuthNullStr}, dto.RuntimeCtx{HTTPPageLimit: -1}, r, nil, r, false, r, "", r, false, false, false,
		&http.Client{Transport: r}, r)
	if _, err := anysdkhttp.New().Invoke(t.Context(), providerinvoker.Request{Payload: payload}); err != nil {
		t.Errorf("%s: %v", r.caller.method.FullName(), err)
	}
	for _, said := range r.faults {
		t.Errorf("%s: any-sdk says: %s", r.caller.method.FullName(), said)
	}
}

// TestListsToTheirEnd reads lists of each kind of paging from the emulator, in small pages and in one.
func TestListsToTheirEnd(t *testing.T) {
	b := loaded(t)
	const token = "token"
	start := func(pageSize int) *emulator.Server {
		s, err := emulator.Start(emulator.Options{Catalogue: b.catalogue, Token: token, PageSize: pageSize, Scale: 30})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closed(t, s) })
		return s
	}
	small, large := start(7), start(10_000)
	for _, tt := range []struct {
		provider, service, resource, method string
		params                              map[string]any
	}{
		{"databricks_workspace", "iam", "users_v2", "list", nil},
		{"databricks_workspace", "iam", "users", "list", nil}, // a twin: the same request
		{"databricks_account", "iam", "account_users", "account_users_v2_list", map[string]any{"account_id": small.AccountID()}},
		{"databricks_workspace", "sql", "queries_legacy", "list", map[string]any{"page_size": "2"}},
		{"databricks_workspace", "compute", "clusters", "events", map[string]any{"cluster_id": "0211-216583-2e4d2fc5", "limit": "3"}},
		{"databricks_workspace", "postgres", "postgres_projects", "list", nil},
	} {
		c := b.method(t, tt.provider, tt.service, tt.resource, tt.method)
		t.Run(c.method.FullName(), func(t *testing.T) {
			host := "accounts.localhost"
			params := map[string]any{}
			for name, value := range tt.params {
				params[name] = value
			}
			if tt.provider == "databricks_workspace" {
				host = "dbc-1.localhost"
				params["deployment_name"] = "dbc-1"
			}
			if tt.method == "events" {
				params["cluster_id"] = clusterOf(t, b, small.URL(), host, token)
			}
			got := &reader{server: small.URL(), host: host, token: token, caller: c, params: params}
			got.read(t)
			whole := maps.Clone(params)
			delete(whole, "page_size")
			if whole["limit"] != nil {
				whole["limit"] = "500"
			}
			want := &reader{server: large.URL(), host: host, token: token, caller: c, params: whole}
			want.read(t)
			if got.pages <= want.pages {
				t.Errorf("%d small pages and %d large ones prove nothing", got.pages, want.pages)
			}
			if len(got.items) == 0 || fmt.Sprint(got.items) != fmt.Sprint(want.items) {
				t.Errorf("%d items in %d pages, want the %d of %d", len(got.items), got.pages, len(want.items), want.pages)
			}
			t.Logf("%d items in %d pages", len(got.items), got.pages)
		})
	}
}

// clusterOf finds a cluster of the emulator's workspace.
func clusterOf(t *testing.T, b *bundled, server, host, token string) string {
	t.Helper()
	r := &reader{server: server, host: host, token: token, caller: b.method(t, "databricks_workspace", "compute", "clusters", "list"), params: map[string]any{"deployment_name": "dbc-1"}}
	r.read(t)
	first, ok := r.items[0].(map[string]any)
	if !ok {
		t.Fatalf("no cluster: %v", r.items)
	}
	return fmt.Sprint(first["cluster_id"])
}

// TestPagingIsSaid looks whether each list that goes on says so in StackQL's keys.
func TestPagingIsSaid(t *testing.T) {
	said := map[provider.PagingKind]int{}
	loaded(t).eachMethod(t, func(c *caller) {
		if c.method.Paging == nil {
			return
		}
		_, request := c.store.GetPaginationRequestTokenSemantic()
		_, answer := c.store.GetPaginationResponseTokenSemantic()
		if !request || !answer {
			t.Errorf("%s: a list that goes on %q, and StackQL is not told", c.method.FullName(), c.method.Paging.Kind)
			return
		}
		said[c.method.Paging.Kind]++
	})
	t.Logf("lists by kind of paging: %v", said)
}

// TestAnswersInAnySDK has any-sdk read answers that need help: lists that the API leaves out, pages of lists
// without tokens, files, maps, and answers in headers.
func TestAnswersInAnySDK(t *testing.T) {
	b := loaded(t)
	for _, tt := range []struct {
		name                                string
		provider, service, resource, method string
		params                              map[string]any
		mediaType                           string
		answers                             []string // the last one again and again
		requests                            string   // queries or bodies of the requests
		want                                string
	}{
		{"a list that is left out", "databricks_workspace", "marketplace", "consumer_installations", "list", nil, jsonType, []string{`{}`}, "", `[]`},
		{
			"a last page without the list", "databricks_workspace", "marketplace", "consumer_installations", "list", nil, jsonType,
			[]string{`{"installations": [{"id": "1"}], "next_page_token": "x"}`, `{"next_page_token": ""}`},
			" page_token=x", `[{"id":"1"}]`,
		},
		{
			"a list that is null", "databricks_workspace", "marketplace", "consumer_installations", "list", nil, jsonType,
			[]string{`{"installations": null, "next_page_token": "x"}`, `{"installations": [{"id": "2"}]}`},
			" page_token=x", `[{"id":"2"}]`,
		},
		{
			"positions", "databricks_workspace", "iam", "users_v2", "list",
			map[string]any{"filter": "f"},
			jsonType,
			[]string{`{"startIndex": 1, "totalResults": 3, "Resources": [{"id": "1"}, {"id": "2"}]}`, `{"startIndex": 3, "totalResults": 3, "Resources": [{"id": "3"}]}`},
			"filter=f filter=f&startIndex=3", `[{"id":"1"},{"id":"2"},{"id":"3"}]`,
		},
		{"no positions", "databricks_workspace", "iam", "users_v2", "list", nil, jsonType, []string{`{"startIndex": 1, "totalResults": 0}`}, "", `[]`},
		{
			"numbers of pages", "databricks_workspace", "sql", "queries_legacy", "list", nil, jsonType,
			[]string{`{"page": 1, "results": [{"id": "1"}]}`, `{"page": 2, "results": [{"id": "2"}]}`, `{"page": 3}`},
			" page=2 page=3", `[{"id":"1"},{"id":"2"}]`,
		},
		{
			"next requests", "databricks_workspace", "compute", "clusters", "events",
			map[string]any{"cluster_id": "c"},
			jsonType,
			[]string{`{"events": [{"type": "A"}], "next_page": {"cluster_id": "c", "offset": 50}}`, `{"events": [{"type": "B"}]}`},
			`{"cluster_id":"c"} {"cluster_id":"c","offset":50}`, `[{"type":"A"},{"type":"B"}]`,
		},
		{"a text", "databricks_workspace", "serving", "serving_endpoint_metrics", "get", map[string]any{"name": "n"}, "text/plain", []string{"a \"b\"\n<c>"}, "", `[{"contents":"a \"b\"\n\u003cc\u003e","contents_encoding":"text"}]`},
		{"a map", "databricks_workspace", "settings", "workspace_config", "get_workspace_config", map[string]any{"keys": "k"}, jsonType, []string{`{"k": "true"}`}, "keys=k", `[{"get_workspace_config":{"k":"true"}}]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var requests []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				requests = append(requests, r.URL.RawQuery+strings.ReplaceAll(string(body), "{ ", "{"))
				w.Header().Set("Content-Type", tt.mediaType)
				_, _ = io.WriteString(w, tt.answers[min(len(requests), len(tt.answers))-1]) // nobody reads it
			}))
			defer server.Close()
			params := map[string]any{"deployment_name": "dbc-1"}
			maps.Copy(params, tt.params)
			r := &reader{server: server.URL, host: "dbc-1.localhost", caller: b.method(t, tt.provider, tt.service, tt.resource, tt.method), params: params}
			r.read(t)
			if got := asText(append([]any{}, r.items...)); got != tt.want {
				t.Errorf("rows %s, want %s", got, tt.want)
			}
			if got := strings.Join(requests, " "); strings.ReplaceAll(got, " }", "}") != tt.requests {
				t.Errorf("requests %q, want %q", got, tt.requests)
			}
		})
	}
}

// TestDescriptions reads the descriptions of StackQL's limits under the key that any-sdk reads.
func TestDescriptions(t *testing.T) {
	for name, want := range map[string]string{
		"databricks_workspace.files.files":         "arrive changed",
		"databricks_workspace.files.file_metadata": "headers",
		"databricks_workspace.jobs.jobs":           "several parts",
	} {
		parts := strings.Split(name, ".")
		r, err := loaded(t).services[parts[0]+"."+parts[1]].GetResource(parts[2])
		if err != nil {
			t.Fatal(err)
		}
		keys := []string{"description", "title"}
		if i := slices.IndexFunc(keys, func(key string) bool {
			value, err := r.GetKeyAsSqlVal(key)
			return err == nil && strings.Contains(value.ToString(), want)
		}); i != 0 {
			t.Errorf("%s: any-sdk shows no description with %q", name, want)
		}
	}
}
