package emulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/databricks/databricks-sdk-go"
	"github.com/databricks/databricks-sdk-go/apierr"
	"github.com/databricks/databricks-sdk-go/common/types/fieldmask"

	"github.com/lakeql/lakeql/internal/emulator"
)

// round takes resources through the official SDK's clients: made, got, listed, changed, deleted.
// It finds the calls by their names and fills requests by the names of their fields.
type round struct {
	t      *testing.T
	known  map[string]string // what all resources may refer to
	made   int
	counts map[string]int
	noun   string // what the round is about, as ids begin
}

// TestTheOfficialSDKMakesAndDeletesEverything does a round for each resource that an API of the SDK
// can create.
func TestTheOfficialSDKMakesAndDeletesEverything(t *testing.T) {
	s := start(t, func(o *emulator.Options) {
		embedded := newCaller(t, emulator.Options{})
		o.Catalogue = embedded.catalogue
	})
	w := sdk(t, &databricks.Config{Host: s.URL(), Token: s.Token(), AuthType: "pat"})
	a, err := databricks.NewAccountClient(&databricks.Config{Host: s.WorkspaceURL("accounts"), Token: s.Token(), AccountID: s.AccountID(), AuthType: "pat", HTTPTransport: client(t).Transport, RateLimitPerSecond: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	r := &round{t: t, counts: map[string]int{}, known: map[string]string{}}
	r.learn(t, s)
	services := map[string]bool{}
	for _, of := range []any{w, a} {
		v := reflect.ValueOf(of).Elem()
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if field.Type.Kind() != reflect.Interface || !field.IsExported() {
				continue
			}
			for j := range field.Type.NumMethod() {
				noun, ok := strings.CutPrefix(field.Type.Method(j).Name, "Create")
				if !ok || strings.HasSuffix(noun, "AndWait") || skipped[field.Name+"."+noun] {
					continue
				}
				services[field.Type.PkgPath()[strings.LastIndexByte(field.Type.PkgPath(), 47)+1:]] = true
				t.Run(reflect.TypeOf(of).Elem().Name()+"/"+field.Name+"."+noun, func(t *testing.T) {
					turn := *r
					turn.t, turn.known = t, map[string]string{}
					for k, value := range r.known {
						turn.known[k] = value
					}
					for k, value := range needs(r, field.Name, noun) {
						turn.known[k] = value
					}
					turn.noun = strings.ToLower(strings.TrimSuffix(orNoun(noun, field.Name), "s"))
					turn.take(v.Field(i), field.Name, noun)
					r.made = turn.made
				})
			}
		}
	}
	operations := 0
	for _, n := range r.counts {
		operations += n
	}
	t.Logf("%d services, %d operations: %v", len(services), operations, r.counts)
	if len(services) < 30 || r.counts["Create"] < 150 {
		t.Error("the SDK's clients were not found by the names of their calls")
	}
}

func orNoun(noun, api string) string {
	if noun == "" {
		return api
	}
	return noun
}

// skipped are calls that make no resource that is got or deleted, or that others make first.
var skipped = map[string]bool{
	"CommandExecution.": true, "Dbfs.": true, "Postgres.Branch": true, "Postgres.Endpoint": true,
}

// needs are values that only some resources need.
func needs(r *round, api, noun string) map[string]string {
	switch api {
	case "Postgres":
		switch noun {
		case "Branch":
			return map[string]string{"parent": "projects/p"}
		case "Snapshot":
			return map[string]string{"parent": "projects/p", "source_branch": "projects/p/branches/b"}
		case "Database":
			return map[string]string{"parent": "projects/p/branches/b", "role": "projects/p/branches/b/roles/ada-okafor", "postgres_database": "made_db"}
		case "CdfConfig", "DataApi":
			return map[string]string{"parent": "projects/p/branches/b/databases/app-data"}
		}
		return map[string]string{"parent": "projects/p/branches/b", "synced_table_id": "main.shop.made", "postgres_database": "made_db"}
	case "DisasterRecovery", "Endpoints":
		return map[string]string{"parent": "accounts/" + r.known["account_id"]}
	case "AiSearch":
		parent := "workspaces/" + r.known["workspace_id"]
		if noun == "Index" {
			parent = r.known["search endpoint"]
		}
		return map[string]string{"parent": parent}
	case "AiGateway":
		if noun == "McpServiceUserMappedCredential" {
			return map[string]string{"name": r.known["mcp service"]}
		}
	case "BundleDeployments":
		return map[string]string{"parent": r.known["deployment"]}
	case "IamV2", "WorkspaceIamV2":
		if strings.HasPrefix(noun, "DirectGroupMember") {
			return map[string]string{"group_id": r.known["group"]}
		}
	case "DataClassification":
		return map[string]string{"parent": "catalogs/raw"}
	case "KnowledgeAssistants", "SupervisorAgents":
		return map[string]string{"parent": r.known["parent of "+api]}
	case "Secrets":
		if noun == "Scope" {
			return map[string]string{"scope": "made"}
		}
	case "Files":
		return map[string]string{"directory_path": "/Volumes/main/shop/made"}
	case "Dbfs":
		return map[string]string{"path": "/tmp/made"}
	case "ModelRegistry":
		return map[string]string{"creator": "ada.okafor@harbor-finch.example"}
	case "QueryVisualizationsLegacy":
		return map[string]string{"query_id": r.known["query"]}
	}
	return nil
}

// learn reads the values that later requests refer to.
func (r *round) learn(t *testing.T, s *emulator.Server) {
	t.Helper()
	for name, from := range map[string][3]string{
		"cluster_id": {"/api/2.1/clusters/list", "clusters", "cluster_id"}, "warehouse_id": {"/api/2.0/sql/warehouses", "warehouses", "id"},
		"job_id": {"/api/2.2/jobs/list", "jobs", "job_id"}, "space_id": {"/api/2.0/genie/spaces", "spaces", "space_id"},
		"clean_room_name": {"/api/2.0/clean-rooms", "clean_rooms", "name"}, "app_name": {"/api/2.0/apps", "apps", "name"},
		"dashboard_id": {"/api/2.0/lakeview/dashboards", "dashboards", "dashboard_id"}, "instance_name": {"/api/2.0/database/instances", "database_instances", "name"},
		"listing_id": {"/api/2.1/marketplace-consumer/listings", "listings", "id"}, "service_principal_id": {"/api/2.0/preview/scim/v2/ServicePrincipals", "Resources", "id"},
		"recipient_name": {"/api/2.1/unity-catalog/recipients", "recipients", "name"}, "query": {"/api/2.0/sql/queries", "results", "id"},
		"group":                          {"/api/2.0/identity/groups", "groups", "group_id"},
		"mcp service":                    {"/api/2.1/unity-catalog/mcp-services", "mcp_services", "name"},
		"deployment":                     {"/api/2.0/bundle/deployments", "deployments", "name"},
		"parent of KnowledgeAssistants":  {"/api/2.1/knowledge-assistants", "knowledge_assistants", "name"},
		"parent of SupervisorAgents":     {"/api/2.1/supervisor-agents", "supervisor_agents", "name"},
		"metastore_id":                   {"/api/2.1/unity-catalog/metastores", "metastores", "metastore_id"},
		"workspace_id":                   {"/api/2.0/accounts/" + s.AccountID() + "/workspaces", "", "workspace_id"},
		"network_connectivity_config_id": {"/api/2.0/accounts/" + s.AccountID() + "/network-connectivity-configs", "items", "network_connectivity_config_id"},
	} {
		r.first(t, s, name, from[0], from[1], from[2])
	}
	r.first(t, s, "schedule_id", "/api/2.0/lakeview/dashboards/"+r.known["dashboard_id"]+"/schedules", "schedules", "schedule_id")
	r.first(t, s, "search endpoint", "/api/2.0/ai-search/workspaces/"+r.known["workspace_id"]+"/endpoints", "endpoints", "name")
	spaces := "/api/2.0/genie/spaces/" + r.known["space_id"] + "/conversations"
	r.first(t, s, "conversation_id", spaces, "conversations", "conversation_id")
	r.first(t, s, "message_id", spaces+"/"+r.known["conversation_id"]+"/messages", "messages", "message_id")
	for name, value := range usual {
		if r.known[name] == "" && strings.Contains(value, "main") {
			r.known[name] = value
		}
	}
	r.known["account_id"], r.known["scope"], r.known["catalog_name"], r.known["schema_name"] = s.AccountID(), "shop", "main", "shop"
	r.known["clusterId"] = r.known["cluster_id"]
}

// first learns a value from the first item of a list.
func (r *round) first(t *testing.T, s *emulator.Server, name, path, key, field string) {
	t.Helper()
	var got any
	if err := json.Unmarshal([]byte(send(t, s, request{path: path}).body), &got); err != nil {
		t.Fatal(err)
	}
	if object, ok := got.(map[string]any); ok {
		got = object[key]
	}
	items, _ := got.([]any)
	if len(items) == 0 {
		t.Fatalf("%s lists nothing: %v", path, got)
	}
	object, _ := items[0].(map[string]any)
	r.known[name] = scalar(object[field])
}

func scalar(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// take does one round.
func (r *round) take(api reflect.Value, apiName, noun string) {
	r.t.Helper()
	if err := r.call(api, "Create"+noun, true); err != nil {
		r.t.Fatalf("create: %v", err)
	}
	for _, step := range []string{"Get", "List", "Update", "Delete"} {
		name := r.find(api, step, noun)
		if name == "" {
			continue
		}
		if err := r.call(api, name, step == "Update"); err != nil {
			r.t.Errorf("%s: %v", name, err)
		}
	}
	get, gone := r.find(api, "Get", noun), r.find(api, "Delete", noun)
	// Some are kept for a while, and can be got and undeleted.
	if get == "" || gone == "" || apiName == "Clusters" || apiName+noun == "PostgresProject" || apiName == "Experiments" {
		return
	}
	if err := r.call(api, get, false); !errors.Is(err, apierr.ErrNotFound) && !errors.Is(err, apierr.ErrInvalidParameterValue) {
		r.t.Errorf("what was deleted is got: %v", err)
	}
}

// find names the call of a step for a noun; empty without one.
func (r *round) find(api reflect.Value, step, noun string) string {
	candidates := []string{step + noun}
	if step == "List" {
		candidates = nil
		for _, plural := range []string{noun + "s", noun, noun + "es", strings.TrimSuffix(noun, "y") + "ies", ""} {
			candidates = append(candidates, "List"+plural+"All", "List"+plural)
		}
		if noun == "" {
			candidates = []string{"ListAll", "List"}
		}
	}
	for _, name := range candidates {
		if api.MethodByName(name).IsValid() {
			return name
		}
	}
	return ""
}

// call fills a request and sends it. Later requests may use the values of request and answer.
func (r *round) call(api reflect.Value, name string, whole bool) error {
	r.t.Helper()
	method := api.MethodByName(name)
	args := []reflect.Value{reflect.ValueOf(r.t.Context())}
	if method.Type().NumIn() > 1 && !method.Type().IsVariadic() {
		request := reflect.New(method.Type().In(1)).Elem()
		r.fill(request, 0, whole, strings.HasPrefix(name, "Create"))
		args = append(args, request)
		if strings.HasPrefix(name, "Create") {
			r.remember(request.Interface(), false)
		}
	}
	out := method.Call(args)
	if err, ok := out[len(out)-1].Interface().(error); ok && err != nil {
		return err
	}
	step := strings.TrimRight(name[:min(6, len(name))], "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	for _, known := range []string{"Create", "Get", "List", "Update", "Delete"} {
		if strings.HasPrefix(name, known) {
			step = known
		}
	}
	r.counts[step]++
	if len(out) < 2 || !strings.HasPrefix(name, "Create") {
		return nil
	}
	answer := out[0]
	if wait := answer.MethodByName("Wait"); wait.IsValid() { // a long-running operation
		done := wait.Call([]reflect.Value{reflect.ValueOf(context.Context(r.t.Context()))})
		if err, ok := done[len(done)-1].Interface().(error); ok && err != nil {
			return fmt.Errorf("wait: %w", err)
		}
		if len(done) > 1 {
			answer = done[0]
		}
	} else if response := reflect.Indirect(answer); response.Kind() == reflect.Struct && response.FieldByName("Response").IsValid() && answer.MethodByName("Get").IsValid() {
		waited := answer.MethodByName("Get").Call(nil)
		if err, ok := waited[1].Interface().(error); ok && err != nil {
			return fmt.Errorf("wait: %w", err)
		}
		r.remember(response.FieldByName("Response").Interface(), true)
		answer = waited[0]
	}
	r.remember(answer.Interface(), true)
	return nil
}

// remember keeps the plain values of a struct by their names, and those just below it.
func (r *round) remember(value any, answered bool) {
	raw, err := json.Marshal(value)
	if err != nil {
		return
	}
	var object map[string]any
	if json.Unmarshal(raw, &object) != nil {
		return
	}
	var walk func(object map[string]any, depth int)
	walk = func(object map[string]any, depth int) {
		for _, v := range object { // what is deeper first, so that the resource's own goes before
			if inner, ok := v.(map[string]any); ok && depth < 2 {
				walk(inner, depth+1)
			}
		}
		for name, v := range object {
			if text := scalar(v); text != "" {
				r.known[name] = text
			}
		}
	}
	delete(r.known, "id")
	walk(object, 0)
	if !answered || r.known["id"] != "" {
		return
	}
	for _, name := range slices.Sorted(keys(object)) { // an id with a longer name
		if name == r.noun+"_id" || r.known["id"] == "" && strings.HasSuffix(name, "_id") && name != "account_id" {
			r.known["id"] = scalar(object[name])
		}
	}
}

// fill returns values for a request's fields: a known value of that name, or a new one.
func (r *round) fill(v reflect.Value, depth int, whole, creating bool) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if v.Type() == reflect.TypeFor[fieldmask.FieldMask]() {
		v.Set(reflect.ValueOf(fieldmask.FieldMask{Paths: []string{"*"}}))
		return
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() || field.Name == "ForceSendFields" {
			continue
		}
		name, required := nameOf(field)
		if name == "page_token" || name == "page_size" || name == "max_results" || strings.HasPrefix(name, "new_") {
			continue
		}
		usable := slices.Contains([]string{"name", "display_name", "comment", "description", "title"}, name)
		switch field.Type.Kind() {
		case reflect.Struct, reflect.Pointer:
			isStruct := field.Type.Kind() == reflect.Struct || field.Type.Elem().Kind() == reflect.Struct
			if isStruct && field.Type.String() != "*time.Time" && field.Type.String() != "*duration.Duration" && (required || depth == 0 && whole && bodyTag(field) || name == "spec" && (r.known["source_branch"] != "" || r.known["role"] != "")) && depth < 6 {
				r.fill(v.Field(i), depth+1, whole, creating)
			}
		case reflect.Slice:
			if required {
				item := reflect.New(field.Type.Elem()).Elem()
				if item.Kind() == reflect.Struct && depth < 6 {
					r.fill(item, depth+1, whole, creating)
				} else {
					r.set(item, strings.TrimSuffix(name, "s"), creating)
				}
				v.Field(i).Set(reflect.Append(v.Field(i), item))
			}
		case reflect.Interface:
			if required && field.Type.NumMethod() == 0 {
				v.Field(i).Set(reflect.ValueOf("0"))
			}
		case reflect.Map:
			if required {
				v.Field(i).Set(reflect.MakeMap(field.Type))
			}
		default:
			if required || creating && (usable || strings.HasPrefix(name, "on_")) || !creating && (name == "id" || name == "run_id") {
				r.set(v.Field(i), name, creating)
			}
		}
	}
}

func bodyTag(field reflect.StructField) bool {
	tag := field.Tag.Get("json")
	return tag != "-" && strings.HasSuffix(field.Type.String(), field.Name)
}

// nameOf is a field's name on the wire, and whether a request has to have it.
func nameOf(field reflect.StructField) (name string, required bool) {
	for _, key := range []string{"json", "url"} {
		tag := field.Tag.Get(key)
		first, rest, _ := strings.Cut(tag, ",")
		if first != "" && first != "-" {
			return first, !strings.Contains(rest, "omitempty")
		}
	}
	var b strings.Builder
	for i, c := range field.Name {
		if i > 0 && c >= 'A' && c <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToLower(string(c)))
	}
	return b.String(), true
}

func (r *round) set(v reflect.Value, name string, creating bool) {
	text := r.known[name]
	if alias := aliases[name]; text == "" && alias != "" {
		text = r.known[alias]
	}
	if text == "" && !creating && strings.HasSuffix(name, "_id") {
		text = r.known["id"]
	}
	if text == "" && !creating && (strings.HasSuffix(name, "name") || name == "name_arg") {
		text = r.known["name"]
	}
	if full := r.known["full_name"]; !creating && (name == "name" || name == "full_name") && strings.HasSuffix(full, "."+r.known["name"]) {
		text = full
	}
	switch v.Kind() {
	case reflect.String:
		if values := v.Addr().MethodByName("Values"); values.IsValid() {
			all := values.Call(nil)[0]
			v.SetString(all.Index(0).String())
			return
		}
		if name == "update_mask" || name == "field_mask" {
			text = "*"
		}
		if text == "" || creating && (name == "name" || name == "display_name") && !strings.Contains(text, "/") {
			r.made++
			text = "made-" + strconv.Itoa(r.made)
			if creating {
				r.known[name] = text
			}
		}
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			n = 1
		}
		v.SetInt(n)
	case reflect.Float64:
		v.SetFloat(1)
	default: // false will do
	}
}

// aliases are names of ids that requests and answers spell differently.
var aliases = map[string]string{
	"budget_id": "budget_configuration_id", "log_delivery_configuration_id": "config_id", "ip_access_list_id": "list_id",
	"private_endpoint_rule_id": "rule_id", "name_arg": "name", "integration_id": "integration_id",
}
