package emulator_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// caller calls documented operations of an emulator: it finds values for their parameters in the
// lists that the emulator gives, makes bodies by the documents' schemas, and judges each answer by
// the documents, through another reader than the emulator's.
type caller struct {
	t         *testing.T
	emulator  *emulator.Emulator
	catalogue *provider.Catalogue
	methods   []*provider.Method
	byPath    map[string]*provider.Method
	made      int
	called    map[string]bool
	pool      map[string]map[string]string // what was made, by the path that made it
	// operations are the latest long-running operations, by the first part of the path that started them.
	operations map[string]string
}

func newCaller(t *testing.T, opts emulator.Options) *caller {
	t.Helper()
	c := &caller{t: t, catalogue: testworld.Catalogue(t), byPath: map[string]*provider.Method{}, called: map[string]bool{}, pool: map[string]map[string]string{}, operations: map[string]string{}}
	if opts.Clock == nil {
		opts.Clock = noon
	}
	c.emulator = testworld.NewEmulator(t, opts)
	providers, err := c.catalogue.Providers()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range providers {
		for _, info := range p.Services {
			service, err := c.catalogue.Service(p.Name, info.Name)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range service.Resources {
				resource, err := c.catalogue.Resource(p.Name, service.Name, r.Name)
				if err != nil {
					t.Fatal(err)
				}
				c.methods = append(c.methods, resource.Methods...)
			}
		}
	}
	for _, m := range c.methods {
		if key := m.Verb + " " + plainPath(m.Path); c.byPath[key] == nil {
			c.byPath[key] = m
		}
	}
	return c
}

// plainPath is a path without its parameters' names.
func plainPath(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") && s != "{account_id}" {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}

// do sends a request to the emulator's handler.
func (c *caller) do(verb, target, body string) *http.Response {
	c.t.Helper()
	r := httptest.NewRequestWithContext(c.t.Context(), verb, "http://localhost"+target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+c.emulator.Token())
	w := httptest.NewRecorder()
	c.emulator.ServeHTTP(w, r)
	return w.Result()
}

// call calls a method with the given path and query; the answer is judged.
func (c *caller) call(m *provider.Method, target, body string) (status int, text string) {
	c.t.Helper()
	resp := c.do(m.Verb, target, body)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if resp.StatusCode == http.StatusOK {
		c.judge(m, resp.Header, raw)
		c.called[m.FullName()] = true
		if m.Verb == http.MethodPost {
			c.harvest(m, target, body, raw)
		}
	}
	return resp.StatusCode, string(raw)
}

// harvest keeps request and answer of a POST, for later calls on the new resource.
func (c *caller) harvest(m *provider.Method, target, body string, raw []byte) {
	c.t.Helper()
	kept := map[string]string{}
	var walk func(value any, depth int)
	walk = func(value any, depth int) {
		object, _ := value.(map[string]any)
		for name, inner := range object {
			switch v := inner.(type) {
			case string:
				kept[name] = v
			case float64:
				kept[name] = strconv.FormatFloat(v, 'f', -1, 64)
			case map[string]any:
				if depth < 2 {
					walk(v, depth+1)
				}
			}
		}
	}
	for _, text := range []string{body, string(raw)} {
		var value any
		if json.Unmarshal([]byte(text), &value) == nil {
			walk(value, 0)
		}
	}
	if u, err := url.Parse(target); err == nil {
		for name, values := range u.Query() {
			kept[name] = values[0]
		}
	}
	if strings.Contains(kept["name"], "/operations/") || strings.HasPrefix(kept["name"], "operations-") {
		c.operations[m.Path[:min(len(m.Path), len("/api/2.0/postgres"))]] = kept["name"]
		c.operations[m.Path[:min(len(m.Path), len("/api/environments/v1"))]] = kept["name"]
	}
	path := plainPath(m.Path)
	c.pool[path] = kept
	for _, verb := range []string{"/create", "/execute", "/publish"} {
		c.pool[strings.TrimSuffix(path, verb)] = kept
	}
}

// pooled finds a value among the resources that were created at a path.
func (c *caller) pooled(path, name string) string {
	kept := c.pool[plainPath(path)]
	noun := strings.TrimSuffix(path[strings.LastIndexByte(path, '/')+1:], "s")
	for _, candidate := range []string{name, strings.ReplaceAll(noun, "-", "_") + "_id", "id", "name", "key"} {
		if strings.HasSuffix(name, "name") && strings.HasSuffix(candidate, "id") {
			continue
		}
		if value := kept[candidate]; value != "" {
			return value
		}
	}
	return ""
}

// documentsOf reads the document of each service once for all tests.
//
//nolint:gochecknoglobals // read once: it takes long, and no test changes it
var documentsOf = struct {
	sync.Mutex
	read map[string]*openapi3.T
}{read: map[string]*openapi3.T{}}

func document(t *testing.T, service string) *openapi3.T {
	t.Helper()
	documentsOf.Lock()
	defer documentsOf.Unlock()
	if doc, ok := documentsOf.read[service]; ok {
		return doc
	}
	providerName, name, _ := strings.Cut(service, ".")
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join("../../openapi", providerName, "v00.00.00000/services", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	for _, s := range doc.Components.Schemas {
		if s.Value.Type == "object" && s.Value.AdditionalProperties == nil && len(s.Value.Properties) > 0 {
			s.Value.AdditionalPropertiesAllowed = &closed
		}
	}
	admitUnspecified(doc)
	documentsOf.read[service] = doc
	return doc
}

func (c *caller) judge(m *provider.Method, header http.Header, raw []byte) {
	c.t.Helper()
	if header.Get("X-Request-Id") == "" {
		c.t.Errorf("%s: no request id", m.FullName())
	}
	if m.Response == nil || m.Response.Schema == nil || !provider.IsJSON(m.Response.MediaType) {
		return
	}
	parts := strings.SplitN(m.Resource, ".", 3)
	item := document(c.t, parts[0]+"."+parts[1]).Paths.Find(m.Path)
	operation := item.GetOperation(m.Verb)
	schema := operation.Responses.Get(http.StatusOK).Value.Content.Get("application/json").Schema
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		c.t.Errorf("%s: %v in %s", m.FullName(), err, raw)
		return
	}
	if err := schema.Value.VisitJSON(value, openapi3.VisitAsResponse()); err != nil {
		text := err.Error()
		c.t.Errorf("%s: %.600s\n%.300s", m.FullName(), text, raw)
	}
}

// target fills in a method's path and required query.
func (c *caller) target(m *provider.Method, body map[string]any) string {
	c.t.Helper()
	return c.fillWith(m, body, map[string]string{"account_id": c.emulator.AccountID()})
}

// fill is target where some parameters are known, if only by another name at the same place.
func (c *caller) fill(m *provider.Method, known map[string]string) string {
	c.t.Helper()
	return c.fillWith(m, nil, known)
}

func (c *caller) fillWith(m *provider.Method, body map[string]any, before map[string]string) string {
	c.t.Helper()
	known := map[string]string{}
	for name, value := range before {
		known[name] = value
	}
	segments := strings.Split(m.Path, "/")
	for i, s := range segments {
		literal, name, isParam := strings.Cut(s, "{")
		if !isParam {
			continue
		}
		name, suffix, _ := strings.Cut(name, "}") // {index_id}:query
		place := "#" + strconv.Itoa(i)
		if known[name] == "" {
			known[name] = known[place]
		}
		if known[name] == "" {
			known[name] = c.valueFor(m, name, strings.Join(strings.Split(m.Path, "/")[:i], "/"), known)
		}
		known[place] = known[name]
		escaped := url.PathEscape(known[name])
		if literal != "" {
			escaped = known[name]
		}
		segments[i] = literal + escaped + suffix
	}
	query := url.Values{}
	for i := range m.Params {
		p := &m.Params[i]
		if p.In != provider.InQuery || !p.Required {
			continue
		}
		schema, err := c.catalogue.Resolve(m, p.Schema)
		if err != nil {
			c.t.Fatal(err)
		}
		if p.Name == "update_mask" {
			query.Set(p.Name, c.maskFor(body))
			continue
		}
		value := ""
		if m.Verb == http.MethodPost {
			value = c.text(schema, p.Name)
		} else {
			value = c.queryValue(m, p.Name, schema, known)
		}
		query.Set(p.Name, value)
	}
	target := strings.Join(segments, "/")
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	return target
}

func (c *caller) maskFor(body map[string]any) string {
	for _, name := range slices.Sorted(keys(body)) {
		if name == "spec" {
			return name
		}
	}
	for _, name := range slices.Sorted(keys(body)) {
		return name
	}
	return "*"
}

func keys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// usual holds values of parameters that no list returns.
var usual = map[string]string{
	"table_name": "main.shop.orders", "full_name": "main.shop.orders", "securable_type": "table", "securable_name": "main", "artifact_type": "INIT_SCRIPT",
	"on_securable_type": "TABLE", "on_securable_fullname": "main.shop.orders", "entity_type": "tables", "entity_name": "main.shop.orders",
	"catalog_name": "main", "schema_name": "shop", "parent_securable_type": "metastore", "parent_full_name": "main", "quota_name": "catalog-quota",
	"directory_path": "/Volumes/main/shop", "file_path": "/Volumes/main/shop/exports/orders.csv", "path": "/", "scope": "shop", "key": "payments-api",
	"principal": "analysts", "metric_key": "loss", "month": "2025-12", "start_month": "2025-11", "end_month": "2025-12", "resource": "accounts/x",
	"etag": "e", "query": "coffee", "keys": "maxTokenLifetimeDays", "commandId": "1", "contextId": "1", "clusterId": "1", "cascade": "false",
	"constraint_name": "pk", "primary_keys": "1", "object_type": "tables", "object_id": "1", "request_object_type": "clusters", "request_object_id": "1",
	"workspace_object_type": "notebooks", "workspace_object_id": "1", "principal_id": "7104220950318001", "permission": "READ", "authz_identity": "REQUEST_AUTHZ_IDENTITY_USER_CONTEXT", "chunk_index": "0", "get object_type": "alerts", "export path": "/Shared/README.md",
	"consistency_token.value": "x", "user_id": "7104220950318001", "version": "1", "artifact": "x", "policy_id": "p", "creator": "ada.okafor@harbor-finch.example", "stage": "Staging",
	"lineage_direction": "UPSTREAM", "asset_type": "TABLE", "external_value": "1",
}

// valueFor finds a value for a path parameter in the list at the path before it.
func (c *caller) valueFor(m *provider.Method, name, before string, known map[string]string) string {
	c.t.Helper()
	if name == "name" && (strings.HasSuffix(before, "/postgres") || strings.HasSuffix(before, "/environments/v1")) {
		if c.operations[before] == "" {
			return "missing-name"
		}
		return c.operations[before]
	}
	at := before
	if !strings.HasPrefix(before, "/api/") {
		before = "/api/2.0" + before
	}
	for strings.Contains(before, "/") {
		if list := c.byPath["GET "+plainPath(before)+"/list"]; list != nil {
			if value := c.firstOf(list, name, known); value != "" {
				return value
			}
		}
		if list := c.byPath["GET "+plainPath(before)]; list != nil && list.FullName() != m.FullName() {
			if value := c.firstOf(list, name, known); value != "" {
				return value
			}
		}
		if !strings.HasSuffix(before, "}") { // an id of several parameters is listed before the first
			break
		}
		before = before[:strings.LastIndexByte(before, '/')]
	}
	if value := c.pooled(at, name); value != "" {
		return value
	}
	switch name {
	case "workspace_id":
		return c.firstOf(c.byPath["GET /api/2.0/accounts/{account_id}/workspaces"], name, known)
	case "service_principal_id":
		return c.firstOf(c.byPath["GET /api/2.0/preview/scim/v2/ServicePrincipals"], "id", known)
	}
	if schema := c.schemaOf(m, name); schema != nil && len(schema.Enum) > 0 {
		return fmt.Sprint(schema.Enum[0])
	}
	if value, ok := usual[name]; ok {
		return value
	}
	return "missing-" + name
}

func (c *caller) schemaOf(m *provider.Method, param string) *provider.Schema {
	c.t.Helper()
	p, ok := m.Param(param)
	if !ok {
		return nil
	}
	schema, err := c.catalogue.Resolve(m, p.Schema)
	if err != nil {
		c.t.Fatal(err)
	}
	return schema
}

// firstOf calls a list and takes a value from its first item.
func (c *caller) firstOf(list *provider.Method, name string, known map[string]string) string {
	c.t.Helper()
	_, text := c.call(list, c.fill(list, known), "")
	var answer any
	if json.Unmarshal([]byte(text), &answer) != nil {
		return ""
	}
	if list.Response == nil {
		return ""
	}
	if key, ok := strings.CutPrefix(list.Response.ObjectKey, "$."); ok {
		object, _ := answer.(map[string]any)
		answer = object[key]
	}
	items, _ := answer.([]any)
	if len(items) == 0 {
		return ""
	}
	first, _ := items[0].(map[string]any)
	segments := strings.Split(list.Path, "/")
	noun := strings.ReplaceAll(strings.TrimSuffix(segments[len(segments)-1], "s"), "-", "_")
	name = strings.TrimSuffix(name, "_arg")
	other := map[string]string{
		"budget_id": "budget_configuration_id", "log_delivery_configuration_id": "config_id", "ip_access_list_id": "list_id", "private_endpoint_rule_id": "rule_id",
	}[name]
	candidates := []string{name, other, noun + "_id", "id", "uuid", "name", "key"}
	if strings.Contains(list.Path, "unity-catalog") && strings.HasSuffix(name, "name") {
		candidates = []string{"full_name", name, "name"}
	}
	for _, candidate := range candidates {
		if strings.HasSuffix(name, "name") && strings.HasSuffix(candidate, "id") {
			continue
		}
		value := first[candidate]
		switch v := value.(type) {
		case string:
			if list.NameParam != nil || strings.HasPrefix(strings.ReplaceAll(v, "-", "_"), noun+"s/") { // a resource name, of which the path wants the end
				return v[strings.LastIndexByte(v, '/')+1:]
			}
			return v
		case float64:
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
	}
	return ""
}

// queryValue finds a value for a required query parameter of a call such as jobs/get.
func (c *caller) queryValue(m *provider.Method, name string, schema *provider.Schema, known map[string]string) string {
	c.t.Helper()
	if value, ok := usual[m.Name+" "+name]; ok {
		return value
	}
	if name == "scope" || name == "key" || name == "principal" {
		return usual[name]
	}
	at := m.Path[:strings.LastIndexByte(m.Path, '/')]
	if value := c.pool[at][name]; value != "" && m.Verb == http.MethodDelete {
		return value
	}
	if value := c.pool[at]["run_id"]; value != "" && strings.Contains(at, "/mlflow/runs") {
		return value
	}
	if strings.HasPrefix(at, "/api/1.2/") && strings.HasSuffix(name, "Id") && name != "clusterId" {
		return c.pool["/api/1.2/"+strings.TrimSuffix(name, "Id")+"s"]["id"]
	}
	switch name {
	case "cluster_id":
		at = "/api/2.1/clusters"
	case "job_id":
		at = "/api/2.2/jobs"
	case "name":
		at = strings.Replace(at, "/databricks/", "/", 1)
	}
	for _, path := range []string{at + "/list", at + "/search", strings.Replace(at, "/policies/", "/", 1) + "/list", at} {
		if list := c.byPath["GET "+plainPath(path)]; list != nil && list.FullName() != m.FullName() && list.Response != nil && list.Response.ObjectKey != "" {
			if value := c.firstOf(list, name, known); value != "" {
				return value
			}
		}
	}
	if value, ok := usual[name]; ok && (schema == nil || len(schema.Enum) == 0) {
		return value
	}
	return c.text(schema, name)
}

// text makes up a parameter's value.
func (c *caller) text(schema *provider.Schema, name string) string {
	c.made++
	switch {
	case schema == nil:
		return "x"
	case len(schema.Enum) > 0:
		return fmt.Sprint(schema.Enum[0])
	case schema.Type == "integer", schema.Type == "number":
		return "1"
	case schema.Type == "boolean":
		return "true"
	}
	if name == "synced_table_id" {
		return "main.shop.t" + strconv.Itoa(c.made)
	}
	return "made-" + strconv.Itoa(c.made)
}
