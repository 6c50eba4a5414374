package document

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/catalogtest"
	"github.com/lakeql/lakeql/internal/openapigen/overlay"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// resourceName matches a resource in a view's query.
var resourceName = regexp.MustCompile(`databricks_\w+\.\w+\.\w+`)

// checkViews looks at every view of the documents as the catalogue has it.
func checkViews(t *testing.T, files map[string][]byte) {
	t.Helper()
	cat := catalogueOf(t, files)
	t.Run("described", func(t *testing.T) { checkViewsAreDescribed(t, cat) })
	t.Run("give rows", func(t *testing.T) { checkViewsGiveRows(t, cat) })
}

func checkViewsAreDescribed(t *testing.T, cat *provider.Catalogue) {
	t.Helper()
	judge, err := catalogtest.Open(cat)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := judge.Close(); err != nil {
			t.Error(err)
		}
	}()
	want := namesOfViews(t)
	for _, name := range want {
		t.Run(name, func(t *testing.T) {
			r := resourceOf(t, cat, name)
			if r.View == nil {
				t.Fatal("it is no view")
			}
			checkDialects(t, r.View)
			checkColumns(t, cat, r.View)
			checkParameters(t, cat, r.View)
			if err := judge.Prepare(pageQuery(r)); err != nil {
				t.Error(err)
			}
		})
	}
	if got := viewsOf(t, cat); !slices.Equal(got, want) {
		t.Errorf("the documents have the views\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// catalogueOf reads the documents of this run. The embedded ones may be older.
func catalogueOf(t *testing.T, generated map[string][]byte) *provider.Catalogue {
	t.Helper()
	files := fstest.MapFS{}
	for path, data := range generated {
		files[path] = &fstest.MapFile{Data: data}
	}
	docs, err := openapi.LoadAll(files)
	if err != nil {
		t.Fatal(err)
	}
	return provider.NewCatalogue(docs)
}

// namesOfViews lists the views that StackQL's published providers have.
func namesOfViews(t *testing.T) []string {
	t.Helper()
	f, err := os.Open("../../../openapi/overlays/names.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // reading it loses nothing
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, row := range rows {
		if row[5] == "view" {
			names = append(names, row[0]+"."+row[1]+"."+row[3])
		}
	}
	slices.Sort(names)
	return names
}

func viewsOf(t *testing.T, cat *provider.Catalogue) []string {
	t.Helper()
	providers, err := cat.Providers()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range providers {
		for _, info := range p.Services {
			service, err := cat.Service(p.Name, info.Name)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range service.Resources {
				name := p.Name + "." + info.Name + "." + r.Name
				if resourceOf(t, cat, name).View != nil {
					names = append(names, name)
				}
			}
		}
	}
	slices.Sort(names)
	return names
}

func resourceOf(t *testing.T, cat *provider.Catalogue, name string) *provider.Resource {
	t.Helper()
	parts := strings.Split(name, ".")
	r, err := cat.Resource(parts[0], parts[1], parts[2])
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func checkDialects(t *testing.T, view *provider.View) {
	t.Helper()
	var dialects []string
	for _, d := range view.Definitions {
		dialects = append(dialects, d.Dialect)
	}
	if !slices.Equal(dialects, []string{"sqlite3", "postgres"}) {
		t.Fatalf("it is defined in %v", dialects)
	}
	if sql := view.Definitions[1].SQL; strings.Contains(sql, "json_extract(") || strings.Contains(sql, "json_each(") {
		t.Errorf("PostgreSQL does not have all functions of\n%s", sql)
	}
}

// checkColumns compares the columns of the query, as SQLite reports them, with the described ones.
func checkColumns(t *testing.T, cat *provider.Catalogue, view *provider.View) {
	t.Helper()
	stmt := prepare(t, stubs(t, cat, view), view)
	var got, want []string
	for i := range stmt.ColumnCount() {
		got = append(got, stmt.ColumnName(i))
	}
	for _, f := range view.Fields {
		want = append(want, f.Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("its columns are %v, described are %v", got, want)
	}
}

// checkParameters tests that the view's required parameters are those of its resources, and that they
// suffice for the calls.
func checkParameters(t *testing.T, cat *provider.Catalogue, view *provider.View) {
	t.Helper()
	var required []string
	for _, p := range view.RequiredParams {
		required = append(required, p.Name)
		// A term on an expression would not reach the resource.
		if !regexp.MustCompile(`(?m)^  \w+\.` + p.Name + `,$`).MatchString(view.Definitions[0].SQL) {
			t.Errorf("the parameter %s is no column that is handed through", p.Name)
		}
	}
	for _, name := range resourceName.FindAllString(view.Definitions[0].SQL, -1) {
		enough := false
		var known []string
		for _, m := range resourceOf(t, cat, name).MethodsFor(provider.Select) {
			enough = enough || !slices.ContainsFunc(m.RequiredParams(), func(p string) bool { return !slices.Contains(required, p) })
			known = append(known, m.RequiredParams()...)
		}
		if !enough {
			t.Errorf("%v is not enough to select from %s", required, name)
		}
		for _, p := range required {
			if !slices.Contains(known, p) {
				t.Errorf("%s has no required parameter %s", name, p)
			}
		}
	}
}

// pageQuery is the query that the view's page shows.
func pageQuery(r *provider.Resource) string {
	var columns, terms []string
	for _, f := range r.View.Fields {
		columns = append(columns, sqlite3.QuoteIdentifier(f.Name))
	}
	for _, p := range r.View.RequiredParams {
		terms = append(terms, p.Name+" = 'x'")
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + r.FullName() + " WHERE " + strings.Join(terms, " AND ")
}

// stubs opens a database with an empty table for each resource that a view reads.
func stubs(t *testing.T, cat *provider.Catalogue, view *provider.View) *sqlite3.Conn {
	t.Helper()
	db, err := sqlite3.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	names := resourceName.FindAllString(view.Definitions[0].SQL, -1)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		columns, err := catalogtest.Columns(cat, resourceOf(t, cat, name))
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range columns {
			columns[i] = sqlite3.QuoteIdentifier(c)
		}
		if err := db.Exec("CREATE TABLE " + sqlite3.QuoteIdentifier(name) + " (" + strings.Join(columns, ", ") + ")"); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func prepare(t *testing.T, db *sqlite3.Conn, view *provider.View) *sqlite3.Stmt {
	t.Helper()
	stmt, tail, err := db.Prepare(resourceName.ReplaceAllString(view.Definitions[0].SQL, `"$0"`))
	if err != nil || tail != "" {
		t.Fatalf("%v, %q left, in\n%s", err, tail, view.Definitions[0].SQL)
	}
	t.Cleanup(func() {
		if err := stmt.Close(); err != nil {
			t.Error(err)
		}
	})
	return stmt
}

// insert adds a row, given as the API's JSON, to a resource's table.
func insert(t *testing.T, db *sqlite3.Conn, table, row string) {
	t.Helper()
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal([]byte(row), &attributes); err != nil {
		t.Fatalf("%v in %s", err, row)
	}
	var columns, values []string
	for name, value := range attributes {
		columns = append(columns, sqlite3.QuoteIdentifier(name))
		var text string
		switch {
		case json.Unmarshal(value, &text) == nil:
			values = append(values, sqlite3.Quote(text))
		case value[0] == '{' || value[0] == '[':
			values = append(values, sqlite3.Quote(string(value)))
		default:
			values = append(values, string(value))
		}
	}
	err := db.Exec("INSERT INTO " + sqlite3.QuoteIdentifier(table) + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")")
	if err != nil {
		t.Fatal(err)
	}
}

// checkViewsGiveRows runs views over answers of the API. The wanted rows omit columns without a value.
func checkViewsGiveRows(t *testing.T, cat *provider.Catalogue) {
	t.Helper()
	for _, tt := range []struct {
		name, view string
		rows       map[string][]string // by resource
		want       []string
	}{
		{
			"a project as columns", "databricks_workspace.postgres.vw_projects",
			map[string][]string{"databricks_workspace.postgres.postgres_projects": {
				`{"deployment_name":"dbc-1","name":"projects/shop","uid":"u-1","create_time":"2026-01-02T03:04:05Z","status":{"project_id":"shop","display_name":"The shop","owner":"ann@example.com","pg_version":17,"enable_pg_native_login":false,"synthetic_storage_size_bytes":123456789012,"default_endpoint_settings":{"autoscaling_limit_min_cu":0.5,"autoscaling_limit_max_cu":4},"custom_tags":[{"key":"team","value":"web"}]}}`,
				`{"deployment_name":"dbc-1","name":"projects/new"}`,
			}},
			[]string{
				"deployment_name=dbc-1 project_id=shop name=projects/shop uid=u-1 display_name=The shop owner=ann@example.com pg_version=17 storage_size_bytes=123456789012 min_cu=0.5 max_cu=4 pg_native_login=0 " + `custom_tags=[{"key":"team","value":"web"}] create_time=2026-01-02T03:04:05Z enable_pg_native_login=0`,
				"deployment_name=dbc-1 name=projects/new",
			},
		},
		{
			"hosts and sizes of an endpoint", "databricks_workspace.postgres.vw_endpoints",
			map[string][]string{"databricks_workspace.postgres.postgres_endpoints": {
				`{"deployment_name":"dbc-1","project_id":"shop","branch_id":"main","name":"projects/shop/branches/main/endpoints/rw","status":{"endpoint_id":"rw","hosts":{"host":"ep-1.database.example.com","read_only_host":"ep-1-ro.database.example.com"},"endpoint_type":"ENDPOINT_TYPE_READ_WRITE","current_state":"ACTIVE","disabled":true,"group":{"min":1,"max":2}}}`,
			}},
			[]string{"deployment_name=dbc-1 project_id=shop branch_id=main endpoint_id=rw name=projects/shop/branches/main/endpoints/rw host=ep-1.database.example.com read_only_host=ep-1-ro.database.example.com endpoint_type=ENDPOINT_TYPE_READ_WRITE current_state=ACTIVE disabled=1 min_computes=1 max_computes=2 group_max=2 group_min=1"},
		},
		{
			"a row for each kind of resource of an app", "databricks_workspace.apps.vw_app_resources",
			map[string][]string{"databricks_workspace.apps.apps": {
				`{"deployment_name":"dbc-1","id":"a-1","name":"desk","resources":[{"name":"wh","sql_warehouse":{"id":"w1","permission":"CAN_USE"}},{"name":"pw","description":"The password","secret":{"scope":"desk","key":"pw","permission":"READ"}},{"name":"pg","postgres":{"branch":"projects/shop/branches/main","permission":"CAN_CONNECT_AND_CREATE"}},{"name":"t","uc_securable":{"securable_full_name":"a.b.c","securable_type":"TABLE","permission":"SELECT"}}]}`,
				`{"deployment_name":"dbc-1","id":"a-2","name":"bare"}`,
			}},
			[]string{
				"deployment_name=dbc-1 app_id=a-1 app_name=desk resource_name=wh resource_type=sql_warehouse target=w1 permission=CAN_USE sql_warehouse_id=w1 sql_warehouse_permission=CAN_USE",
				"deployment_name=dbc-1 app_id=a-1 app_name=desk resource_name=pw resource_type=secret target=desk/pw permission=READ description=The password resource_description=The password secret_scope=desk secret_key=pw secret_permission=READ",
				"deployment_name=dbc-1 app_id=a-1 app_name=desk resource_name=pg resource_type=postgres target=projects/shop/branches/main permission=CAN_CONNECT_AND_CREATE",
				"deployment_name=dbc-1 app_id=a-1 app_name=desk resource_name=t resource_type=uc_securable target=a.b.c permission=SELECT securable_type=TABLE uc_securable_name=a.b.c uc_securable_type=TABLE uc_securable_permission=SELECT",
			},
		},
		{
			"a row for each member of a group", "databricks_workspace.iam.vw_group_members",
			map[string][]string{"databricks_workspace.iam.groups_v2": {
				`{"deployment_name":"dbc-1","id":"7","displayName":"admins","members":[{"value":"11","display":"Ann","$ref":"Users/11"},{"value":"12","display":"ops","$ref":"Groups/12"},{"value":"13","display":"robot","$ref":"ServicePrincipals/13"}]}`,
				`{"deployment_name":"dbc-1","id":"8","displayName":"nobody","members":[]}`,
			}},
			[]string{
				"deployment_name=dbc-1 group_id=7 group_name=admins member_id=11 member_name=Ann member_type=USER id=7 displayName=admins member_display=Ann member_ref=Users/11",
				"deployment_name=dbc-1 group_id=7 group_name=admins member_id=12 member_name=ops member_type=GROUP id=7 displayName=admins member_display=ops member_ref=Groups/12",
				"deployment_name=dbc-1 group_id=7 group_name=admins member_id=13 member_name=robot member_type=SERVICE_PRINCIPAL id=7 displayName=admins member_display=robot member_ref=ServicePrincipals/13",
			},
		},
		{
			"a row for each address of a user, and one without any", "databricks_workspace.iam.vw_users",
			map[string][]string{"databricks_workspace.iam.users_v2": {
				`{"deployment_name":"dbc-1","id":"11","userName":"ann@example.com","active":true,"name":{"givenName":"Ann","familyName":"Lee"},"emails":[{"value":"ann@example.com","type":"work","primary":true},{"value":"lee@example.com"}],"groups":[{"value":"7"},{"value":"8"}],"roles":[]}`,
				`{"deployment_name":"dbc-1","id":"12","userName":"bob","externalId":"x-12"}`,
			}},
			[]string{
				"deployment_name=dbc-1 user_id=11 user_name=ann@example.com given_name=Ann family_name=Lee email=ann@example.com active=1 group_count=2 role_count=0 id=11 userName=ann@example.com givenName=Ann familyName=Lee email_type=work is_primary=1",
				"deployment_name=dbc-1 user_id=11 user_name=ann@example.com given_name=Ann family_name=Lee email=lee@example.com active=1 group_count=2 role_count=0 id=11 userName=ann@example.com givenName=Ann familyName=Lee",
				"deployment_name=dbc-1 user_id=12 user_name=bob external_id=x-12 id=12 userName=bob externalId=x-12",
			},
		},
		{
			"an array in an array", "databricks_workspace.iam.vw_permissions",
			map[string][]string{"databricks_workspace.iam.permissions": {
				`{"deployment_name":"dbc-1","request_object_type":"jobs","request_object_id":"5","object_id":"/jobs/5","object_type":"job","access_control_list":[{"user_name":"ann@example.com","display_name":"Ann","all_permissions":[{"permission_level":"IS_OWNER","inherited":false},{"permission_level":"CAN_MANAGE","inherited":true,"inherited_from_object":["/jobs/"]}]},{"group_name":"admins","all_permissions":[{"permission_level":"CAN_VIEW"}]}]}`,
			}},
			[]string{
				"deployment_name=dbc-1 request_object_type=jobs request_object_id=5 object_id=/jobs/5 object_type=job principal=ann@example.com principal_type=USER display_name=Ann permission_level=IS_OWNER inherited=0 user_name=ann@example.com",
				`deployment_name=dbc-1 request_object_type=jobs request_object_id=5 object_id=/jobs/5 object_type=job principal=ann@example.com principal_type=USER display_name=Ann permission_level=CAN_MANAGE inherited=1 inherited_from=["/jobs/"] user_name=ann@example.com inherited_from_object=["/jobs/"]`,
				"deployment_name=dbc-1 request_object_type=jobs request_object_id=5 object_id=/jobs/5 object_type=job principal=admins principal_type=GROUP permission_level=CAN_VIEW group_name=admins",
			},
		},
		{
			"a principal without permissions", "databricks_workspace.iamv2.vw_workspace_access_details",
			map[string][]string{"databricks_workspace.iamv2.workspace_access_details": {
				`{"deployment_name":"dbc-1","view":"FULL","principal_id":11,"access_type":"DIRECT","permissions":["USER_PERMISSION","ADMIN_PERMISSION"]}`,
				`{"deployment_name":"dbc-1","view":"FULL","principal_id":12,"status":"INACTIVE"}`,
			}},
			[]string{
				"deployment_name=dbc-1 principal_id=11 access_type=DIRECT permission=USER_PERMISSION",
				"deployment_name=dbc-1 principal_id=11 access_type=DIRECT permission=ADMIN_PERMISSION",
				"deployment_name=dbc-1 principal_id=12 status=INACTIVE",
			},
		},
		{
			"settings one below the other", "databricks_workspace.settings.vw_all_settings",
			map[string][]string{
				"databricks_workspace.settings.default_namespace":      {`{"deployment_name":"dbc-1","setting_name":"default","etag":"e1","namespace":{"value":"main"}}`},
				"databricks_workspace.settings.enable_export_notebook": {`{"deployment_name":"dbc-1","setting_name":"default","boolean_val":{"value":true}}`},
			},
			[]string{
				`deployment_name=dbc-1 setting=default_namespace setting_name=default value={"value":"main"} etag=e1 key=default_namespace`,
				`deployment_name=dbc-1 setting=enable_export_notebook setting_name=default value={"value":true} key=enable_export_notebook`,
			},
		},
		{
			"an alert with actions and one without", "databricks_account.billing.vw_budget_alert_actions",
			map[string][]string{"databricks_account.billing.budgets": {
				`{"account_id":"acc","budget_configuration_id":"b1","display_name":"All","alert_configurations":[{"alert_configuration_id":"c1","quantity_threshold":"100","action_configurations":[{"action_configuration_id":"d1","action_type":"EMAIL_NOTIFICATION","target":"a@example.com"},{"action_configuration_id":"d2","action_type":"EMAIL_NOTIFICATION","target":"b@example.com"}]},{"alert_configuration_id":"c2","quantity_threshold":"200"}]}`,
			}},
			[]string{
				"account_id=acc budget_configuration_id=b1 display_name=All alert_configuration_id=c1 action_configuration_id=d1 action_type=EMAIL_NOTIFICATION target=a@example.com quantity_threshold=100 action_target=a@example.com",
				"account_id=acc budget_configuration_id=b1 display_name=All alert_configuration_id=c1 action_configuration_id=d2 action_type=EMAIL_NOTIFICATION target=b@example.com quantity_threshold=100 action_target=b@example.com",
				"account_id=acc budget_configuration_id=b1 display_name=All alert_configuration_id=c2 quantity_threshold=200",
			},
		},
		{
			"a budget with two alerts and one without", "databricks_account.billing.vw_budgets",
			map[string][]string{"databricks_account.billing.budgets": {
				`{"account_id":"acc","budget_configuration_id":"b1","filter":{"tags":[{"key":"team","value":{"operator":"IN","values":["web"]}}]},"alert_configurations":[{"alert_configuration_id":"c1","quantity_threshold":"100","time_period":"MONTH"},{"alert_configuration_id":"c2"}]}`,
				`{"account_id":"acc","budget_configuration_id":"b2"}`,
			}},
			[]string{
				`account_id=acc budget_configuration_id=b1 tag_filter_count=1 alert_count=2 filter_tags=[{"key":"team","value":{"operator":"IN","values":["web"]}}] alert_configuration_id=c1 quantity_threshold=100 time_period=MONTH`,
				`account_id=acc budget_configuration_id=b1 tag_filter_count=1 alert_count=2 filter_tags=[{"key":"team","value":{"operator":"IN","values":["web"]}}] alert_configuration_id=c2`,
				"account_id=acc budget_configuration_id=b2",
			},
		},
		{
			"a row for each tag, with its values", "databricks_account.billing.vw_budget_filter_tags",
			map[string][]string{"databricks_account.billing.budgets": {
				`{"account_id":"acc","budget_configuration_id":"b1","filter":{"tags":[{"key":"team","value":{"operator":"IN","values":["web","shop"]}},{"key":"env"}]}}`,
			}},
			[]string{
				`account_id=acc budget_configuration_id=b1 tag_key=team operator=IN tag_operator=IN tag_values=["web","shop"]`,
				"account_id=acc budget_configuration_id=b1 tag_key=env",
			},
		},
		{
			"a policy of two workspaces and one of all", "databricks_account.billing.vw_budget_policies",
			map[string][]string{"databricks_account.billing.budget_policy": {
				`{"account_id":"acc","policy_id":"p1","binding_workspace_ids":[11,12]}`,
				`{"account_id":"acc","policy_id":"p2"}`,
			}},
			[]string{
				"account_id=acc policy_id=p1 workspace_count=2 workspace_ids=[11,12] binding_workspace_id=11",
				"account_id=acc policy_id=p1 workspace_count=2 workspace_ids=[11,12] binding_workspace_id=12",
				"account_id=acc policy_id=p2",
			},
		},
		{
			"allowed and blocked destinations", "databricks_account.settings.vw_network_policy_internet_destinations",
			map[string][]string{"databricks_account.settings.network_policies": {
				`{"account_id":"acc","network_policy_id":"p1","egress":{"network_access":{"restriction_mode":"RESTRICTED_ACCESS","policy_enforcement":{"enforcement_mode":"DRY_RUN"},"allowed_internet_destinations":[{"destination":"example.com","internet_destination_type":"DNS_NAME"}],"blocked_internet_destinations":[{"destination":"example.org"}]}}}`,
			}},
			[]string{
				"account_id=acc network_policy_id=p1 restriction_mode=RESTRICTED_ACCESS enforcement_mode=DRY_RUN access=ALLOWED destination=example.com destination_type=DNS_NAME",
				"account_id=acc network_policy_id=p1 restriction_mode=RESTRICTED_ACCESS enforcement_mode=DRY_RUN access=BLOCKED destination=example.org",
			},
		},
		{
			"numbers out of an array", "databricks_account.billing.vw_log_delivery_workspace_filter",
			map[string][]string{"databricks_account.billing.log_delivery": {
				`{"account_id":"acc","config_id":"l1","config_name":"audit","status":"ENABLED","workspace_ids_filter":[1234567890123456,2]}`,
				`{"account_id":"acc","config_id":"l2"}`,
			}},
			[]string{
				"account_id=acc config_id=l1 config_name=audit workspace_id=1234567890123456 status=ENABLED",
				"account_id=acc config_id=l1 config_name=audit workspace_id=2 status=ENABLED",
			},
		},
		{
			"the key of each cloud", "databricks_account.provisioning.vw_encryption_keys",
			map[string][]string{"databricks_account.provisioning.encryption_keys": {
				`{"account_id":"acc","customer_managed_key_id":"k1","aws_key_info":{"key_arn":"arn:aws:kms:x","reuse_key_for_cluster_volumes":true},"use_cases":["STORAGE","MANAGED_SERVICES"]}`,
				`{"account_id":"acc","customer_managed_key_id":"k2","gcp_key_info":{"kms_key_id":"projects/p/k","gcp_service_account":{"service_account_email":"s@example.com"}}}`,
			}},
			[]string{
				`account_id=acc customer_managed_key_id=k1 cloud=AWS use_cases=["STORAGE","MANAGED_SERVICES"] aws_key_arn=arn:aws:kms:x aws_cluster_volumes=1 use_case=STORAGE aws_reuse_key_for_volumes=1 cloud_type=AWS`,
				`account_id=acc customer_managed_key_id=k1 cloud=AWS use_cases=["STORAGE","MANAGED_SERVICES"] aws_key_arn=arn:aws:kms:x aws_cluster_volumes=1 use_case=MANAGED_SERVICES aws_reuse_key_for_volumes=1 cloud_type=AWS`,
				"account_id=acc customer_managed_key_id=k2 cloud=GCP gcp_kms_key_id=projects/p/k gcp_service_account_email=s@example.com cloud_type=GCP",
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			view := resourceOf(t, cat, tt.view).View
			db := stubs(t, cat, view)
			for table, rows := range tt.rows {
				for _, row := range rows {
					insert(t, db, table, row)
				}
			}
			if got := rowsOf(t, prepare(t, db, view)); !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func rowsOf(t *testing.T, stmt *sqlite3.Stmt) []string {
	t.Helper()
	var rows []string
	for stmt.Step() {
		var cells []string
		for i := range stmt.ColumnCount() {
			if stmt.ColumnType(i) != sqlite3.NULL {
				cells = append(cells, stmt.ColumnName(i)+"="+stmt.ColumnText(i))
			}
		}
		rows = append(rows, strings.Join(cells, " "))
	}
	if err := stmt.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestPostgresExpression writes SQLite's expressions for PostgreSQL.
func TestPostgresExpression(t *testing.T) {
	for _, tt := range []struct{ typ, sql, want string }{
		{"integer", "p.size", "p.size"},
		{"array", "p.tags", "p.tags"},
		{"", "json_extract(p.status, '$.owner')", "json_extract_path_text(CAST(p.status AS json), 'owner')"},
		{"", "json_extract(u.emails, '$[0].value')", "json_extract_path_text(CAST(u.emails AS json), '0', 'value')"},
		{"", "json_extract(m.value, '$.$ref')", "json_extract_path_text(CAST(m.value AS json), '$ref')"},
		{"boolean", "json_extract(p.status, '$.a.b')", "json_extract_path_text(CAST(p.status AS json), 'a', 'b') = 'true'"},
		{"integer", "json_extract(p.status, '$.n')", "CAST(json_extract_path_text(CAST(p.status AS json), 'n') AS DECIMAL)"},
		{"integer", "json_array_length(b.filter, '$.tags')", "CAST(json_array_length(json_extract_path(CAST(b.filter AS json), 'tags')) AS DECIMAL)"},
		{"integer", "w.value", "CAST(w.value AS DECIMAL)"},
		{"", "w.value", "w.value"},
		{"", "COALESCE(a.b, json_extract(a.c, '$.d'))", "COALESCE(a.b, json_extract_path_text(CAST(a.c AS json), 'd'))"},
	} {
		got, err := postgresExpression(overlay.ViewColumn{Type: tt.typ}, tt.sql)
		if err != nil || got != tt.want {
			t.Errorf("%s became %s, %v, want %s", tt.sql, got, err, tt.want)
		}
	}
	for _, sql := range []string{
		"json_extract(lower(p.status), '$.owner')",
		"json_extract(p.status, '$.\"a b\"')",
		"json_extract(p.status, '$.a', '$.b')",
		"json_object('a', p.status)",
	} {
		if got, err := postgresCalls(sql); err == nil {
			t.Errorf("%s became %s, want an error", sql, got)
		}
	}
}
