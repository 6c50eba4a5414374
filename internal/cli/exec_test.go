package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

const generate = "EXEC databricks_workspace.postgres.postgres_credentials.generate "

const endpoint = "projects/p/branches/b/endpoints/e"

// TestStatementForms runs the statement in every form, and checks the requests and the output.
func TestStatementForms(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{})
	plain := `{"endpoint": "` + endpoint + `"}`
	empty := `{"endpoint": "` + endpoint + `", "claims": []}`
	claimed := `{"endpoint": "` + endpoint + `", "claims": [{"permission_set": "READ_ONLY", "resources": [{"table_name": "a.b.it's \"c\""}]}]}`
	tests := map[string]struct {
		statement string
		body      string
	}{
		"the page's form":                {page(t), empty},
		"on one line":                    {generate + "@deployment_name='dbc-1' --required @@json= '" + empty + "' ;", empty},
		"commas":                         {generate + "@deployment_name='dbc-1', @@json='" + empty + "'", empty},
		"no commas":                      {generate + "@deployment_name='dbc-1' @endpoint='" + endpoint + "'", plain},
		"endpoint instead of the body":   {generate + "@deployment_name='dbc-1' @endpoint='" + endpoint + "';", plain},
		"both":                           {generate + "@deployment_name='dbc-1', @endpoint='" + endpoint + "', @@json='" + empty + "';", empty},
		"an attribute beside the body":   {generate + "@claims='[]' @@json='" + plain + "'", empty},
		"StackQL's prefix":               {generate + "@data__endpoint='" + endpoint + "' @data__claims='[]'", empty},
		"no deployment name":             {generate + "@endpoint='" + endpoint + "'", plain},
		"claims absent":                  {generate + "@@json='" + plain + "'", plain},
		"claims null":                    {generate + "@endpoint='" + endpoint + "' @claims=null", plain},
		"claims null in the body":        {generate + `@@json='{"endpoint": "` + endpoint + `", "claims": null}'`, plain},
		"claims as a string":             {generate + `@@json='{"endpoint": "` + endpoint + `", "claims": "[]"}'`, empty},
		"claims as a string of claims":   {generate + `@@json='{"endpoint": "` + endpoint + `", "claims": "[{\"permission_set\": \"READ_ONLY\"}]"}'`, `{"endpoint": "` + endpoint + `", "claims": [{"permission_set": "READ_ONLY"}]}`},
		"quotes in the body":             {generate + "@@json='" + strings.ReplaceAll(claimed, "'", "''") + "'", claimed},
		"the body by another name":       {generate + "@@body='" + plain + "'", plain},
		"a body given twice alike":       {generate + "@@json='" + plain + "' @@json='" + plain + "'", plain},
		"a parameter given twice alike":  {generate + "@endpoint='" + endpoint + "' @endpoint='" + endpoint + "'", plain},
		"hint and keywords in lower":     {"exec /*+ showresults */ databricks_workspace.postgres.postgres_credentials.generate @endpoint='" + endpoint + "'", plain},
		"names in upper case":            {"EXEC DATABRICKS_WORKSPACE.Postgres.POSTGRES_CREDENTIALS.Generate @endpoint='" + endpoint + "'", plain},
		"comments in every place":        {"-- a\nEXEC/* b */databricks_workspace.postgres /* c */ .postgres_credentials.generate -- d\n@endpoint /* e */ = -- f\n'" + endpoint + "' /* g; */ ; -- h", plain},
		"a marker between lines":         {generate + "\n@deployment_name='dbc-1' --required, \n@endpoint='" + endpoint + "' --required\n;", plain},
		"semicolons and dashes in words": {generate + `@endpoint='` + endpoint + `' @claims='[{"resources": [{"table_name": "a; -- b"}]}]'`, `{"endpoint": "` + endpoint + `", "claims": [{"resources": [{"table_name": "a; -- b"}]}]}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server.Reset()
			got := run{args: []string{"exec", "-o", "json", test.statement}, env: env}.do(t)
			if got.status != 0 || got.stderr != "" {
				t.Fatalf("status %d, stderr:\n%s", got.status, got.stderr)
			}
			var rows []struct{ Token, ExpireTime string }
			dec := json.NewDecoder(strings.NewReader(strings.ReplaceAll(got.stdout, "expire_time", "ExpireTime")))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&rows); err != nil || len(rows) != 1 {
				t.Fatalf("rows of %s: %v", got.stdout, err)
			}
			if claims, err := server.Verify(rows[0].Token); err != nil || claims.Endpoint != endpoint {
				t.Errorf("token for %q: %v", claims.Endpoint, err)
			}
			requests := server.Requests()
			if len(requests) != 1 {
				t.Fatalf("%d requests, want 1: %+v", len(requests), requests)
			}
			r := requests[0]
			if r.Method != "POST" || r.Path != "/api/2.0/postgres/credentials" || r.Query != "" {
				t.Errorf("sent %s %s?%s", r.Method, r.Path, r.Query)
			}
			if !sameJSON(t, r.Body, test.body) {
				t.Errorf("sent %s, want %s", r.Body, test.body)
			}
			for header, want := range map[string]string{"User-Agent": "lakeql/1.2.3-test", "Content-Type": "application/json", "Accept": "application/json"} {
				if got := r.Header.Get(header); got != want {
					t.Errorf("%s: %q, want %q", header, got, want)
				}
			}
		})
	}
}

// page returns the documented statement as its page has it, its placeholders filled in.
func page(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "docgen", "testdata", "golden", "postgres_credentials.index.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(data), "```sql\n")
	block, _, end := strings.Cut(block, "\n```")
	if !ok || !end {
		t.Fatal("the page has no SQL block")
	}
	return strings.NewReplacer("{{ deployment_name }}", "dbc-abcd0123-a1bc", "{{ endpoint }}", endpoint, "{{ claims }}", "[]").Replace(block)
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(a), &x); err != nil {
		t.Errorf("%s: %v", a, err)
	}
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Errorf("%s: %v", b, err)
	}
	return reflect.DeepEqual(x, y)
}

// TestTemplatesOfStackQLDeploy shows that Jinja's filters work, that other ones are not taken for
// variables without a value, and that a file with stackql-deploy's anchors runs.
func TestTemplatesOfStackQLDeploy(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{})
	for text, want := range map[string]string{
		"{{ n | replace('a', 'b') | upper }}": "B", "{{ m | default('x') }}": "x", "{{ n | sql_escape }}": "a",
	} {
		got := run{args: []string{"exec", "-H", "-o", "csv", "--var", "n=a", "SELECT '" + text + "'"}, env: env}.do(t)
		if got.status != 0 || strings.TrimSpace(got.stdout) != want {
			t.Errorf("%s: status %d, %s, want %s\n%s", text, got.status, got.stdout, want, got.stderr)
		}
	}
	for text, want := range map[string]string{
		"{{ n | swapcase }}": "the filters are b64decode, b64encode,", "{{ n | replace(a(b)) }}": "the filters are b64decode", "{{ n | from_json }}": "the filter from_json: the value is no JSON",
		"{{ n | from_json | get(key=\"a\") }}": "there is no filter get",
		"{% if n %}":                           "Jinja's blocks are not supported", "{{ m | upper }}": "give it with --var m=VALUE",
	} {
		got := run{args: []string{"exec", "--var", "n=a", "SELECT '" + text + "'"}, env: env}.do(t)
		if got.status != 2 || !strings.Contains(got.stderr, want) || strings.Contains(got.stderr, "replace=VALUE") {
			t.Errorf("%s: status %d\n%s", text, got.status, got.stderr)
		}
	}
	const anchored = "/*+ exists */\nSELECT count(*) > 0 AS count FROM databricks_workspace.postgres.postgres_projects;\n\n" +
		"/*+ statecheck, retries=5, retry_delay=10 */\nSELECT 1 AS count;\n\n" +
		"/*+ command */\nEXEC databricks_workspace.postgres.postgres_projects.get @project_id = 'orders';\n\n" +
		"/*+ delete */\nDELETE FROM databricks_workspace.postgres.postgres_projects WHERE project_id = 'orders';\n"
	if got := (run{args: []string{"exec", "-H", "-o", "csv"}, stdin: anchored, env: env}).do(t); got.status != 0 || !strings.HasPrefix(got.stdout, "1\n1\n") || !strings.Contains(got.stdout, ",projects/orders,") {
		t.Errorf("status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
}

// TestFaultyStatements shows the exact errors of wrong statements, and that no statement of the same text is
// sent.
func TestFaultyStatements(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{})
	tests := map[string]struct {
		statement string
		stderr    []string
	}{
		"unknown provider":          {"EXEC databrick_workspace.postgres.postgres_credentials.generate", []string{`line 1, column 6: unknown provider "databrick_workspace"`, "did you mean databricks_workspace"}},
		"unknown service":           {"EXEC databricks_workspace.postgre.postgres_credentials.generate", []string{`line 1, column 27: unknown service "postgre" in databricks_workspace`, "did you mean postgres"}},
		"unknown resource":          {"EXEC databricks_workspace.postgres.credential.generate", []string{`line 1, column 36: unknown resource "credential" in databricks_workspace.postgres`, "did you mean postgres_credentials"}},
		"unknown method":            {"EXEC databricks_workspace.postgres.postgres_credentials.create", []string{`line 1, column 57: unknown method "create" in databricks_workspace.postgres.postgres_credentials`, "did you mean generate"}},
		"missing attribute":         {generate + "@claims='[]'", []string{"missing required endpoint", `add @endpoint = '…' or "endpoint" in @@json`}},
		"missing parameters":        {"EXEC databricks_workspace.postgres.postgres_branches.get @project_id='p'", []string{"missing required branch_id", "@branch_id = '…'", "@name = 'projects/{project_id}/branches/{branch_id}'"}},
		"unknown parameter":         {generate + "@endpoint='" + endpoint + "'\n  @endpont='x'", []string{`line 2, column 3: `, `no parameter or body attribute "endpont"`, "@endpoint"}},
		"unknown attribute":         {generate + `@@json='{"endpoint": "` + endpoint + `", "claim": []}'`, []string{"column 133: claim: unknown attribute", "known are endpoint, claims"}},
		"unknown inside":            {generate + `@endpoint='` + endpoint + `' @claims='[{"tables": []}]'`, []string{"claims[0].tables: unknown attribute", "known are permission_set, resources"}},
		"wrong type":                {generate + `@@json='{"endpoint": 5}'`, []string{"column 87: endpoint: 5 is not a string"}},
		"wrong type of list":        {generate + `@@json='{"endpoint": "` + endpoint + `", "claims": "WRITE"}'`, []string{`claims: "****" is not an array`}},
		"wrong type in the list":    {generate + `@endpoint='` + endpoint + `' @claims='[1]'`, []string{"claims[0]: 1 is not an object"}},
		"wrong enum value":          {generate + `@@json='{"endpoint": "` + endpoint + `", "claims": [{"permission_set": "WRITE"}]}'`, []string{`line 1, column 154: claims[0].permission_set: "WRITE" is not one of READ_ONLY`}},
		"given twice":               {generate + "@endpoint='" + endpoint + "'\n@endpoint='" + endpoint + "2'", []string{"line 2, column 11: endpoint is given twice with different values; the other is at line 1, column 76"}},
		"given here and there":      {generate + "@endpoint='" + endpoint + `' @@json='{"endpoint": "` + endpoint + `2"}'`, []string{"endpoint is given twice with different values"}},
		"whole name and part":       {"EXEC databricks_workspace.postgres.postgres_branches.list @parent='projects/p' @project_id='q'", []string{"project_id is given twice with different values"}},
		"two bodies":                {generate + `@@json='{}' @@body='{"endpoint": "x"}'`, []string{"the request body (@@body) is given twice with different values"}},
		"placeholder":               {generate + `@@json='{"endpoint": "{{ endpoint }}"}'`, []string{"column 88: the placeholder {{ endpoint }} was not filled in", "--var endpoint=VALUE"}},
		"placeholder parameter":     {generate + `@deployment_name='{{ deployment_name }}' @endpoint='x'`, []string{"column 84: the placeholder {{ deployment_name }} was not filled in"}},
		"placeholder in a query":    {"SELECT name FROM databricks_workspace.postgres.postgres_projects\nWHERE name = '{{ name }}'", []string{"line 2, column 15: the placeholder {{ name }} was not filled in", "--var name=VALUE", "if the braces are meant"}},
		"the list as a column":      {"SELECT node_types FROM databricks_workspace.compute.cluster_node_types", []string{"no such column: node_types", "each row is an item of node_types: name its columns, such as category"}},
		"a token as a column":       {"SELECT next_page_token FROM databricks_workspace.postgres.postgres_branches WHERE project_id = 'p'", []string{"no such column: next_page_token", "all pages of the list are read"}},
		"a key as a column":         {"SELECT enableDcs FROM databricks_workspace.settings.workspace_config WHERE keys = 'enableDcs'", []string{"no such column: enableDcs", "write get_workspace_config ->> 'enableDcs'"}},
		"placeholder in a view":     {"CREATE TEMP VIEW v AS SELECT '{{ name }}'", []string{"line 1, column 31: the placeholder {{ name }} was not filled in"}},
		"placeholder with a filter": {"SELECT '{{ n | replace(''a'', ''b'') }}'", []string{"line 1, column 9: the placeholder **** was not filled in", "the filters are b64decode"}},
		"unknown hint of a query":   {"/*+ AWAIT */ SELECT 1;\n/*+ exist */ SELECT 1", []string{`line 2, column 5: unknown hint "EXIST"`, "did you mean EXISTS?"}},
		"malformed JSON":            {generate + "@@json='{\n\"endpoint\": x\n}'", []string{"line 2, column 13: malformed JSON: invalid character 'x'"}},
		"body is no object":         {generate + `@@json='[]'`, []string{"the request body: [] is not an object"}},
		"body where none is":        {"EXEC databricks_workspace.postgres.postgres_projects.list @@json='{}'", []string{"postgres_projects.list takes no request body"}},
		"endpoint of other form":    {generate + "@endpoint='projects/p/branches/b'", []string{`column 76: endpoint: "projects/p/branches/b" does not have the form projects/{project_id}/branches/{branch_id}/endpoints/{endpoint_id}`}},
		"endpoint with a gap":       {generate + "@endpoint='projects//branches/b/endpoints/e'", []string{"does not have the form"}},
		"name of other form":        {"EXEC databricks_workspace.postgres.postgres_branches.list @parent='p'", []string{`parent: "p" does not have the form projects/{project_id}`}},
		"integer out of range":      {"EXEC databricks_workspace.postgres.postgres_projects.list @page_size=3000000000", []string{"page_size: 3000000000 is not an integer of 32 bits"}},
		"not an integer":            {"EXEC databricks_workspace.postgres.postgres_projects.list @page_size='many'", []string{`page_size: "many" is not an integer`}},
		"not a boolean":             {"EXEC databricks_workspace.postgres.postgres_projects.list @show_deleted=1", []string{"show_deleted: 1 is not a boolean"}},
		"empty deployment name":     {generate + "@deployment_name='' @endpoint='" + endpoint + "'", []string{"deployment_name is empty"}},
		"unknown hint":              {"EXEC /*+ AWIAT */ databricks_workspace.postgres.postgres_projects.list", []string{`unknown hint "AWIAT"`, "did you mean AWAIT?"}},
		"fault in a later one":      {generate + "@endpoint='" + endpoint + "';\nEXEC databricks_workspace.postgres.postgres_projects.gets", []string{"line 2, column 54: unknown method"}},
		"syntax of a later one":     {generate + "@endpoint='" + endpoint + "';\nEXEC", []string{"line 2, column 5: found the end of the text"}},
		"a statement of no kind":    {"GRANT ALL", []string{`line 1, column 1: found "GRANT", expected a statement`}},
		"describe what has none":    {"DESCRIBE databricks_workspace.aifunctions.ai_functions", []string{"no SELECT reaches it", "DESCRIBE METHOD"}},
		"not UTF-8":                 {"EXEC \xff", []string{"not valid UTF-8"}},
		"nothing":                   {" \n", []string{"no statement given"}},
		"a secret is not shown":     {generate + "@endpoint='" + endpoint + "' @token='dapi0123456789abcdef0123456789abcdef'", []string{`no parameter or body attribute "token"`}},
		"terminal control escape":   {"EXEC databricks_workspace.postgres.`\x1b[31mred`.generate", []string{`unknown resource "****"`, "postgres.`****`.generate"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server.Reset()
			got := run{args: []string{"exec"}, stdin: test.statement, env: env}.do(t)
			if got.status != 2 || got.stdout != "" {
				t.Errorf("status %d, stdout %q", got.status, got.stdout)
			}
			for _, want := range test.stderr {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("stderr lacks %q:\n%s", want, got.stderr)
				}
			}
			if strings.Contains(got.stderr, "\x1b") || strings.Contains(got.stderr, "dapi0123") {
				t.Errorf("stderr repeats what it must not:\n%q", got.stderr)
			}
			if sent := server.Requests(); len(sent) != 0 {
				t.Errorf("sent %+v", sent)
			}
		})
	}
}

func TestAllPagesOfAList(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{Scale: 1234})
	got := run{args: []string{"exec", "-o", "jsonl", "EXEC databricks_workspace.postgres.postgres_projects.list @page_size=100"}, env: env}.do(t)
	if got.status != 0 {
		t.Fatal(got.stderr)
	}
	seen := map[string]bool{}
	for line := range strings.SplitSeq(strings.TrimSpace(got.stdout), "\n") {
		var row struct{ Name string }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		seen[row.Name] = true
	}
	if len(seen) < 1234 || len(seen) != strings.Count(got.stdout, "\n") {
		t.Errorf("%d names in %d rows, want at least 1234, each once", len(seen), strings.Count(got.stdout, "\n"))
	}
	if calls := len(server.Requests()); calls != (len(seen)+99)/100 {
		t.Errorf("%d calls for %d rows", calls, len(seen))
	}
}
