package emulator_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

const root = "/api/2.0/postgres/"

// TestEveryListAndGet walks the whole company: each list to its end, each item by its name.
func TestEveryListAndGet(t *testing.T) {
	s := start(t, nil)
	operations := map[string]string{"projects": "Project", "branches": "Branch", "endpoints": "Endpoint", "databases": "Database", "roles": "Role"}
	below := map[string][]string{"projects": {"branches"}, "branches": {"endpoints", "databases", "roles"}}
	seen := map[string]int{}
	var walk func(collection string)
	walk = func(collection string) {
		kind := collection[strings.LastIndexByte(collection, '/')+1:]
		schema := operations[kind]
		for _, listed := range all(t, s, collection, kind, url.Values{}) {
			name := listed["name"].(string)
			if got := get(t, s, root+name, schema); fmt.Sprint(got) != fmt.Sprint(listed) {
				t.Errorf("%s is listed as\n%v\nand got as\n%v", name, listed, got)
			}
			seen[kind]++
			for _, child := range below[kind] {
				walk(name + "/" + child)
			}
		}
	}
	walk("projects")
	for kind := range operations {
		if seen[kind] == 0 {
			t.Errorf("no %s", kind)
		}
	}
	for operation, path := range map[string]string{
		"list": "projects", "get": "projects/p/branches/b/endpoints/e",
	} {
		if got := send(t, s, request{path: root + path}); got.status != 200 {
			t.Errorf("%s %s: %d", operation, path, got.status)
		}
	}
}

// all lists a collection page by page, and judges each page.
func all(t *testing.T, s *emulator.Server, collection, key string, query url.Values) []map[string]any {
	t.Helper()
	schema := "List" + strings.ToUpper(key[:1]) + key[1:] + "Response"
	var items []map[string]any
	for {
		page := get(t, s, root+collection+"?"+query.Encode(), schema)
		rows, _ := page[key].([]any)
		for _, row := range rows {
			items = append(items, row.(map[string]any))
		}
		token, more := page["next_page_token"].(string)
		if !more {
			return items
		}
		if len(rows) == 0 {
			t.Fatal("an empty page says that there is more")
		}
		query.Set("page_token", token)
	}
}

func names(items []map[string]any) []string {
	var all []string
	for _, it := range items {
		all = append(all, it["name"].(string))
	}
	return all
}

func TestPagesGiveEveryItemOnce(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.Scale = 250 })
	whole := names(all(t, s, "projects", "projects", url.Values{}))
	if len(whole) != 256 || !slices.IsSorted(whole) || len(slices.Compact(slices.Clone(whole))) != 256 {
		t.Fatalf("%d projects: %v", len(whole), whole)
	}
	for _, size := range []string{"1", "7", "99", "100", "0"} {
		if got := names(all(t, s, "projects", "projects", url.Values{"page_size": {size}})); !slices.Equal(got, whole) {
			t.Errorf("pages of %s give %d projects", size, len(got))
		}
	}
	deleted := names(all(t, s, "projects", "projects", url.Values{"show_deleted": {"true"}, "page_size": {"9"}}))
	if len(deleted) != 257 || !slices.Contains(deleted, "projects/legacy-shop") || slices.Contains(whole, "projects/legacy-shop") {
		t.Errorf("with deleted ones there are %d projects", len(deleted))
	}
	if got := all(t, s, "projects/p/branches", "branches", url.Values{"page_size": {"2"}}); len(got) != 3 {
		t.Errorf("branches of p: %v", names(got))
	}
	if page := get(t, s, root+"projects/tenant-0000250/branches/production/roles?page_size=100000", "ListRolesResponse"); len(page["roles"].([]any)) != 6 {
		t.Errorf("roles: %v", page)
	}
}

func TestPagesGoOnWhereTheyWereWhileItemsAreAdded(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.CreateOnUse = true })
	first := get(t, s, root+"projects?page_size=3", "ListProjectsResponse")
	for _, id := range []string{"aaa", "zzz"} {
		send(t, s, request{method: "POST", path: root + "credentials", body: `{"endpoint":"projects/` + id + `/branches/b/endpoints/e"}`})
	}
	rest := names(all(t, s, "projects", "projects", url.Values{"page_token": {first["next_page_token"].(string)}}))
	if len(rest) != 4 || rest[3] != "projects/zzz" || slices.Contains(rest, "projects/aaa") {
		t.Errorf("after three of six, with one added before and one after: %v", rest)
	}
	if one := names(all(t, s, "projects", "projects", url.Values{"page_size": {"1"}})); len(one) != 8 || one[0] != "projects/aaa" {
		t.Errorf("one by one: %v", one)
	}
}

func TestPageParametersAreChecked(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.Scale = 10 })
	token := get(t, s, root+"projects?page_size=2", "ListProjectsResponse")["next_page_token"].(string)
	for _, tt := range []struct{ name, path, message string }{
		{"negative size", "projects?page_size=-1", "not negative"},
		{"size over the maximum", "projects?page_size=101", "at most 100"},
		{"size that is no number", "projects?page_size=ten", "page_size must be of type integer"},
		{"size out of range", "projects?page_size=99999999999", "page_size must be of type integer int32"},
		{"size given twice", "projects?page_size=1&page_size=2", "page_size is given 2 times"},
		{"made-up token", "projects?page_token=abc", "page_token"},
		{"token that is no base64", "projects?page_token=%00", "page_token"},
		{"changed token", "projects?page_token=" + flip(token), "page_token"},
		{"token of another list", "projects/p/branches?page_token=" + token, "page_token"},
		{"token of another filter", "projects?show_deleted=true&page_token=" + token, "page_token"},
		{"filter that is no boolean", "projects?show_deleted=1", "show_deleted must be of type boolean"},
		{"unknown parameter", "projects?pagesize=1", "pagesize is not a parameter"},
		{"filter of another list", "projects/p/branches/b/roles?show_deleted=true", "show_deleted is not a parameter"},
		{"broken query", "projects?a;b", "cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantError(t, send(t, s, request{path: root + tt.path}), 400, "INVALID_PARAMETER_VALUE", tt.message)
		})
	}
	other := send(t, s, request{path: root + "projects?page_token=" + token, workspace: "dbc-1"})
	wantError(t, other, 400, "INVALID_PARAMETER_VALUE", "page_token")
}

func flip(token string) string {
	last := "A"
	if strings.HasSuffix(token, last) {
		last = "Q"
	}
	return token[:len(token)-1] + last
}

func TestWhatDoesNotExist(t *testing.T) {
	s := start(t, nil)
	for _, tt := range []struct{ path, message string }{
		{"projects/nope", `project "projects/nope" does not exist; workspace local has projects`},
		{"projects/nope/branches", `project "projects/nope" does not exist`},
		{"projects/nope/branches/b/endpoints/e", `project "projects/nope" does not exist`},
		{"projects/p/branches/nope", `branch "projects/p/branches/nope" does not exist; project projects/p has branches b, development, production.`},
		{"projects/p/branches/nope/roles", `branch "projects/p/branches/nope" does not exist`},
		{"projects/p/branches/b/endpoints/nope", `endpoint "projects/p/branches/b/endpoints/nope" does not exist; branch projects/p/branches/b has endpoints e.`},
		{"projects/p/branches/b/databases/nope", "has databases app-data, databricks-postgres."},
		{"projects/p/branches/b/roles/nope", "has roles ada-okafor, "},
		{"projects/legacy-shop/branches", `project "projects/legacy-shop" does not exist`},
	} {
		wantError(t, send(t, s, request{path: root + tt.path}), 404, "NOT_FOUND", tt.message)
	}
}

func TestTheCompanyMakesSense(t *testing.T) {
	s := start(t, nil)
	p := get(t, s, root+"projects/web-shop", "Project")
	if p["status"].(map[string]any)["default_branch"] != "projects/web-shop/branches/production" {
		t.Errorf("project %v", p)
	}
	gone := get(t, s, root+"projects/legacy-shop", "Project")
	if gone["delete_time"] == nil || gone["purge_time"].(string) <= gone["delete_time"].(string) {
		t.Errorf("deleted project %v", gone)
	}
	b := get(t, s, root+"projects/web-shop/branches/production", "Branch")["status"].(map[string]any)
	if b["default"] != true || b["is_protected"] != false {
		t.Errorf("production %v", b)
	}
	d := get(t, s, root+"projects/web-shop/branches/development", "Branch")["status"].(map[string]any)
	if d["default"] != false || d["source_branch"] != "projects/web-shop/branches/production" {
		t.Errorf("development %v", d)
	}
	for _, e := range all(t, s, "projects/web-shop/branches/production/endpoints", "endpoints", url.Values{}) {
		host := e["status"].(map[string]any)["hosts"].(map[string]any)["host"].(string)
		if !strings.HasPrefix(host, "ep-") || !strings.HasSuffix(host, ".database.localhost") {
			t.Errorf("host %s", host)
		}
	}
	db := get(t, s, root+"projects/web-shop/branches/production/databases/app-data", "Database")["status"].(map[string]any)
	if owner := get(t, s, root+db["role"].(string), "Role")["status"].(map[string]any); owner["auth_method"] != "LAKEBASE_OAUTH_V1" {
		t.Errorf("the database's role joins to %v", owner)
	}
}
