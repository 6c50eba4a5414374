package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lakeql/lakeql/internal/emulator"
)

// user answers the questions of a server.
type user struct {
	action string

	mu    sync.Mutex
	asked []string
}

func (u *user) options() *mcp.ClientOptions {
	return &mcp.ClientOptions{ElicitationHandler: func(_ context.Context, req *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.asked = append(u.asked, req.Params.Message)
		return &mcp.ElicitResult{Action: u.action}, nil
	}}
}

// does sets how the user answers.
func (u *user) does(action string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.action = action
}

func (u *user) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.asked)
}

// last returns the last question, and forgets all.
func (u *user) last() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.asked) != 1 {
		return ""
	}
	text := u.asked[0]
	u.asked = nil
	return text
}

// protocols are versions of the protocol that differ in how a server asks: the newest, and one before it.
var protocols = []string{"", "2025-06-18"} //nolint:gochecknoglobals // a table of tests

const makeBranch = "INSERT INTO " + branches + ` (project_id, branch_id, spec) VALUES ('orders', 'agent-1', '{"no_expiry": true}')`

// TestAgentWrites: a write runs after the user has seen its requests and agreed, and not otherwise.
func TestAgentWrites(t *testing.T) {
	t.Parallel()
	for _, version := range protocols {
		t.Run("version "+version, func(t *testing.T) {
			t.Parallel()
			u := &user{action: "accept"}
			audit := filepath.Join(t.TempDir(), "audit.jsonl")
			a := startAgentOf(t, version, emulator.Options{}, run{args: []string{"--allow-writes", "--audit", audit}}, u.options())
			tools, err := a.ListTools(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(tools.Tools, func(tool *mcp.Tool) bool { return tool.Name == "execute" })
			if i < 0 || tools.Tools[i].Annotations.ReadOnlyHint || !*tools.Tools[i].Annotations.DestructiveHint || len(tools.Tools) != 5 {
				t.Fatalf("the tools: %+v", tools.Tools)
			}

			got, text := a.ask(t, "execute", makeBranch)
			if !strings.Contains(text, `"notes":["1 row inserted"]`) {
				t.Errorf("the write: %s", text)
			}
			if asked := u.last(); !strings.Contains(asked, strings.TrimSuffix(makeBranch, "true}')")) || !strings.Contains(asked, "It sends 1 request:\n\nPOST http://") || !strings.Contains(asked, `branch_id=agent-1`+"\n  "+`{"spec":{"no_expiry":true}}`) {
				t.Errorf("asked: %s", asked)
			}
			if !got.Complete {
				t.Errorf("the write: %s", text)
			}
			if sent := a.server.Requests(); len(sent) != 1 || sent[0].Method != "POST" {
				t.Errorf("sent %+v", sent)
			}

			// A credential of an EXEC is masked in the question, in the rows and in the audit.
			got, text = a.ask(t, "execute", generate+"@endpoint = '"+endpoint+"'")
			if len(got.Rows) != 1 || got.Rows[0]["token"] != "****" || got.Rows[0]["expire_time"] == nil || strings.Contains(text, "eyJ") {
				t.Errorf("a credential: %s", text)
			}
			u.last()
			got, text = a.ask(t, "execute", "EXEC databricks_workspace.workspace.secrets.get @scope = 'shop', @key = 'payments-api'")
			if len(got.Rows) != 1 || got.Rows[0]["key"] != "payments-api" || got.Rows[0]["value"] != "****" {
				t.Errorf("a credential that looks like none: %s", text)
			}
			u.last()
			secret := `EXEC databricks_workspace.workspace.secrets.put @scope = 's', @key = 'k', @string_value = 'hunter2hunter2'`
			text, _ = a.call(t, "execute", map[string]any{"sql": secret})
			if asked := u.last(); !strings.Contains(asked, "/api/2.0/secrets/put\n") || !strings.Contains(asked, "****") || strings.Contains(asked, "hunter2") || strings.Contains(text, "hunter2") {
				t.Errorf("asked with a credential: %s\n%s", asked, text)
			}

			u.does("decline")
			a.server.Reset()
			if text, failed := a.call(t, "execute", map[string]any{"sql": "DELETE FROM " + branches + " WHERE project_id = 'orders' AND branch_id = 'agent-1'"}); !failed || !strings.Contains(text, "the user declined: nothing was sent") {
				t.Errorf("declined: %s", text)
			}
			if asked := u.last(); !strings.Contains(asked, "DELETE http://") {
				t.Errorf("asked: %s", asked)
			}
			u.does("cancel")
			if text, failed := a.call(t, "execute", map[string]any{"sql": makeBranch}); !failed || !strings.Contains(text, "did not agree") {
				t.Errorf("cancelled: %s", text)
			}
			u.last()
			for text, want := range map[string]string{
				makeBranch + "; " + makeBranch: "2 statements",
				"EXEC " + projects + ".delete": "missing required project_id",
				"DELETE FROM " + projects + " WHERE project_id IN (SELECT project_id FROM " + projects + ")": "run the SELECT by itself",
				"SET on_error = 'partial'": "a session of its own",
			} {
				if got, failed := a.call(t, "execute", map[string]any{"sql": text}); !failed || !strings.Contains(got, want) {
					t.Errorf("%s: %s", text, got)
				}
			}
			if got, failed := a.call(t, "query", map[string]any{"sql": makeBranch}); !failed || !strings.Contains(got, "hint: call execute") {
				t.Errorf("a write by query: %s", got)
			}
			if u.count() != 0 || len(a.server.Requests()) != 0 {
				t.Errorf("asked %q, sent %+v", u.last(), a.server.Requests())
			}
			// What reads needs no word of the user.
			if got, text := a.ask(t, "execute", "SELECT 1 AS a"); !got.Complete || u.count() != 0 {
				t.Errorf("a query by execute: %s", text)
			}
			log, err := os.ReadFile(audit)
			if err != nil || bytes.Count(log, []byte(`"outcome":"declined"`)) != 2 || bytes.Count(log, []byte(`"outcome":"refused"`)) != 3 || bytes.Contains(log, []byte("hunter2")) || bytes.Contains(log, []byte("eyJ")) {
				t.Errorf("the audit: %v\n%s", err, log)
			}
		})
	}
}

// TestAgentMayNotWrite: without the flag, or with a client that cannot ask, nothing is written.
func TestAgentMayNotWrite(t *testing.T) {
	t.Parallel()
	u := &user{action: "accept"}
	for _, version := range protocols {
		off := startAgentOf(t, version, emulator.Options{}, run{}, u.options())
		mute := startAgentOf(t, version, emulator.Options{}, run{args: []string{"--allow-writes"}}, nil)
		for _, tool := range []string{"execute", "run_mutation_query", "run_lifecycle_operation"} {
			if text, failed := off.call(t, tool, map[string]any{"sql": makeBranch}); !failed || !strings.Contains(text, tool+" is off") {
				t.Errorf("%s without the flag: %s", tool, text)
			}
			if text, failed := mute.call(t, tool, map[string]any{"sql": makeBranch}); !failed || !strings.Contains(text, "this client cannot ask its user") {
				t.Errorf("%s without elicitation: %s", tool, text)
			}
		}
		if len(off.server.Requests())+len(mute.server.Requests()) != 0 {
			t.Error("something was sent")
		}
	}
	if u.count() != 0 {
		t.Errorf("asked %q", u.last())
	}
}

// TestAgentForges answers questions that were not asked, or about another statement.
func TestAgentForges(t *testing.T) {
	t.Parallel()
	options := (&user{}).options()
	options.MultiRoundTrip = &mcp.MultiRoundTripOptions{Disabled: true} // the test answers itself
	a := startAgent(t, emulator.Options{}, run{args: []string{"--allow-writes"}}, options)
	yes := mcp.InputResponseMap{"agree": &mcp.ElicitResult{Action: "accept"}}
	call := func(sql, state string, responses mcp.InputResponseMap) *mcp.CallToolResult {
		t.Helper()
		result, err := a.CallTool(t.Context(), &mcp.CallToolParams{Name: "execute", Arguments: map[string]any{"sql": sql}, RequestState: state, InputResponses: responses})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	question := call(makeBranch, "", nil)
	if !question.NeedsInput() || question.RequestState == "" || question.IsError {
		t.Fatalf("%+v", question)
	}
	other := strings.Replace(makeBranch, "agent-1", "agent-2", 1)
	for name, result := range map[string]*mcp.CallToolResult{
		"no question":       call(makeBranch, "", yes),
		"another question":  call(makeBranch, "AAAA", yes),
		"another statement": call(other, question.RequestState, yes),
		"used up by that":   call(makeBranch, question.RequestState, yes),
		"no answer":         call(makeBranch, call(makeBranch, "", nil).RequestState, nil),
	} {
		if !result.IsError || result.NeedsInput() {
			t.Errorf("%s: %+v", name, result)
		}
	}
	if sent := a.server.Requests(); len(sent) != 0 {
		t.Errorf("sent %+v", sent)
	}
	state := call(makeBranch, "", nil).RequestState
	if result := call(makeBranch, state, yes); result.IsError {
		t.Errorf("an answer to the question: %s", textOf(t, result))
	}
	if result := call(makeBranch, state, yes); !result.IsError {
		t.Errorf("the same answer again: %s", textOf(t, result))
	}
	if sent := a.server.Requests(); len(sent) != 1 {
		t.Errorf("sent %+v", sent)
	}
}

// TestAgentChanges reads the history of a pipeline.
func TestAgentChanges(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{})
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("pipeline.yaml", "name: inventory\nworkspaces: [dbc-1]\nstore: inventory.db\n")
	write("projects.sql", "-- table: projects\n-- key: name\nSELECT name, create_time FROM "+projects+"\n")
	pipelineRun := run{args: []string{"pipeline", "run", "-q", dir}, env: env}
	if got := pipelineRun.do(t); got.status != 0 {
		t.Fatal(got.stderr)
	}
	if got := (run{args: []string{"exec", "EXEC " + projects + ".delete @deployment_name = 'dbc-1', @project_id = 'orders'"}, env: env}).do(t); got.status != 0 {
		t.Fatal(got.stderr)
	}
	if got := pipelineRun.do(t); got.status != 0 {
		t.Fatal(got.stderr)
	}
	server.Reset()
	a := &agent{server: server, stderr: &output{}}
	audit := filepath.Join(dir, "audit.jsonl")
	cmd := run{args: []string{"mcp", "--history", dir, "--audit", audit}, env: env}.command(context.WithoutCancel(t.Context()), t)
	cmd.Stdin, cmd.Stderr = nil, a.stderr
	a.connect(t, &mcp.CommandTransport{Command: cmd}, "", nil)
	for name, test := range map[string]struct {
		args map[string]any
		want []string
		rows int
	}{
		"the tables":      {map[string]any{}, []string{`"table":"projects","pipeline":"inventory","workspaces":1,"stale":0`}, 1},
		"all":             {map[string]any{"table": "projects"}, []string{`"name":"projects/orders","change":"removed"`, `"change":"added"`}, 7},
		"some":            {map[string]any{"table": "projects", "max_rows": 2}, []string{`"complete":false`, "only the first 2 rows"}, 2},
		"since this year": {map[string]any{"table": "projects", "since": "2d"}, []string{`"change":"removed"`}, 7},
	} {
		text, failed := a.call(t, "changes", test.args)
		if failed {
			t.Errorf("%s: %s", name, text)
			continue
		}
		got := readAnswer(t, text)
		for _, want := range test.want {
			if !strings.Contains(text, want) || len(got.Rows) != test.rows {
				t.Errorf("%s: %d rows, lacks %s:\n%s", name, len(got.Rows), want, text)
			}
		}
	}
	for want, args := range map[string]map[string]any{
		"neither a time": {"table": "projects", "since": "yesterday"}, "nonsense": {"table": "nonsense"}, "negative": {"max_rows": -1},
	} {
		if text, failed := a.call(t, "changes", args); !failed || !strings.Contains(text, want) {
			t.Errorf("%v: %s", args, text)
		}
	}
	if sent := server.Requests(); len(sent) != 0 {
		t.Errorf("sent %+v", sent)
	}
	if log, err := os.ReadFile(audit); err != nil || !bytes.Contains(log, []byte(`"outcome":"done","rows":7,`)) || !bytes.Contains(log, []byte(`"statement":"projects 2d"`)) {
		t.Errorf("the audit: %v\n%s", err, log)
	}
	without := startAgent(t, emulator.Options{}, run{}, nil)
	if text, failed := without.call(t, "changes", nil); !failed || !strings.Contains(text, "hint: it needs the folder or the store of a pipeline") {
		t.Errorf("without a history: %s", text)
	}
	if got := (run{args: []string{"mcp", "--history", filepath.Join(dir, "no.db")}}).do(t); got.status != 2 || !strings.Contains(got.stderr, "there is no store") {
		t.Errorf("a history that is not there: %+v", got)
	}
}

// TestAgentOfStackQL starts the server as StackQL's is started, and calls its tools.
func TestAgentOfStackQL(t *testing.T) {
	t.Parallel()
	u := &user{action: "accept"}
	a := startAgent(t, emulator.Options{}, run{args: []string{"--mcp.server.type=stdio", `--mcp.config={"server": {"mode": "safe"}, "enabled_tools": []}`}}, u.options())
	tools, err := a.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tool := range tools.Tools {
		names = append(names, tool.Name)
		if writes := strings.HasPrefix(tool.Name, "run_m") || strings.HasPrefix(tool.Name, "run_l"); writes == tool.Annotations.ReadOnlyHint {
			t.Errorf("%s: %+v", tool.Name, tool.Annotations)
		}
	}
	if got := strings.Join(names, " "); got != "describe_method describe_resource list_methods list_providers list_registry list_resources list_services pull_provider reload_credentials run_lifecycle_operation run_mutation_query run_select_query server_info validate_select_query" {
		t.Errorf("tools: %s", got)
	}
	if text := a.InitializeResult().Instructions; strings.Contains(text, "search_resources") || !strings.Contains(text, "run_select_query") {
		t.Error(text)
	}
	resource := map[string]any{"provider": "databricks_workspace", "service": "postgres", "resource": "postgres_branches", "method": "list"}
	without := func(name string) map[string]any {
		some := map[string]any{}
		for key, value := range resource {
			if key != name {
				some[key] = value
			}
		}
		return some
	}
	injected := without("")
	injected["resource"] = "postgres_branches; DELETE FROM " + projects
	for _, test := range []struct {
		tool  string
		args  map[string]any
		fails bool
		want  string
	}{
		{"server_info", nil, false, `{"name":"lakeql","version":"1.2.3-test","mode":"safe","is_read_only":false}`},
		{"list_providers", nil, false, `"name":"databricks_workspace"`},
		{"list_services", resource, false, `"name":"postgres"`},
		{"list_resources", resource, false, `"name":"postgres_branches"`},
		{"list_methods", resource, false, `"MethodName":"list"`},
		{"describe_resource", resource, false, `"name":"create_time"`},
		{"describe_method", resource, false, `"name":"project_id"`},
		{"describe_method", without("method"), true, "method is missing"},
		{"list_methods", injected, true, "resource is missing, or no name"},
		{"list_registry", nil, false, `"provider":"databricks_account"`},
		{"pull_provider", resource, false, "nothing to pull"},
		{"reload_credentials", nil, false, `"source":"environment"`},
		{"validate_select_query", map[string]any{"sql": "SELECT name FROM " + projects}, false, `{"valid":true}`},
		{"validate_select_query", map[string]any{"sql": "SELECT nme FROM " + projects}, false, `{"valid":false,"errors":["line 1, column 8: no such column: nme`},
		{"validate_select_query", map[string]any{"sql": makeBranch}, false, `{"valid":false,"errors":["`},
		{"run_select_query", map[string]any{"sql": "SELECT name FROM " + projects, "row_limit": 2}, false, `"complete":false,"cut":["only the first 2 rows`},
		{"run_select_query", map[string]any{"sql": makeBranch}, true, "may change something"},
		{"run_mutation_query", map[string]any{"sql": makeBranch}, false, `"complete":true`},
		{"run_lifecycle_operation", map[string]any{"sql": generate + "@endpoint = '" + endpoint + "'"}, false, `"token":"****"`},
		{"query", map[string]any{"sql": "SELECT 1 AS a"}, false, `"rows":[{"a":1}]`},
	} {
		if text, failed := a.call(t, test.tool, test.args); failed != test.fails || !strings.Contains(text, test.want) {
			t.Errorf("%s %v: %s", test.tool, test.args, text)
		}
	}
	if u.count() != 2 {
		t.Errorf("asked %d times", u.count())
	}
	for want, args := range map[string][]string{
		"neither stdio nor http":       {"--mcp.server.type=reverse_proxy"},
		"not what StackQL takes":       {"--mcp.config={"},
		"is none of read_only":         {`--mcp.config={"server": {"mode": "wild"}}`},
		"not a duration":               {`--mcp.config={"server": {"request_timeout": "soon"}}`},
		"is not of the form":           {`--mcp.config={"server": {"transport": "http", "address": "here"}}`},
		"is not a loopback address":    {`--mcp.config={"server": {"transport": "http", "address": "0.0.0.0:0"}}`},
		"--stdio=false leaves no":      {"--stdio=false"},
		"--stdio and --http are two":   {"--stdio", "--http"},
		"--tls-cert and --tls-key are": {"--http", "--tls-key", "x"},
		"--max-bytes below 1024":       {"--max-bytes", "10"},
		"at least 16 characters":       {"--http", "--port", "0", "--token-file", shortToken(t)},
		"LAKEQL_MCP_TOKEN":             {"--http", "--address", "0.0.0.0", "--port", "0"},
		"accepts no arg":               {"SELECT 1"},
	} {
		got := run{args: append([]string{"mcp"}, args...)}.do(t)
		if got.status != 2 || !strings.Contains(got.stderr, want) && want != "accepts no arg" || got.stdout != "" {
			t.Errorf("%v: status %d\n%s%s", args, got.status, got.stdout, got.stderr)
		}
	}
}

func shortToken(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(name, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestAgentReadsPages reads the documentation, and runs the queries of every prompt.
func TestAgentReadsPages(t *testing.T) {
	t.Parallel()
	a := startAgent(t, emulator.Options{}, run{args: []string{"--max-bytes", "1000000"}}, nil)
	resources, err := a.ListResources(t.Context(), nil)
	if err != nil || len(resources.Resources) != 2 {
		t.Fatalf("%+v, %v", resources, err)
	}
	templates, err := a.ListResourceTemplates(t.Context(), nil)
	if err != nil || len(templates.ResourceTemplates) != 2 {
		t.Fatalf("%+v, %v", templates, err)
	}
	for uri, file := range map[string]string{
		resources.Resources[0].URI:                                      "databricks_account/guide",
		resources.Resources[1].URI:                                      "databricks_workspace/guide",
		"lakeql://docs/databricks_workspace/postgres":                   "databricks_workspace/services/postgres",
		"lakeql://docs/databricks_workspace/postgres/postgres_branches": "databricks_workspace/services/postgres/postgres_branches",
		"lakeql://docs/databricks_account/provisioning/workspaces":      "databricks_account/services/provisioning/workspaces",
	} {
		want, err := os.ReadFile(filepath.Join("..", "..", "docs", file, "index.md"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: uri})
		if err != nil || len(got.Contents) != 1 || got.Contents[0].Text != string(want) || got.Contents[0].MIMEType != "text/markdown" {
			t.Errorf("%s is not %s: %v", uri, file, err)
		}
	}
	got, err := a.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "lakeql://docs/databricks_workspace/postgres/live_roles"})
	if err != nil || !strings.Contains(got.Contents[0].Text, "connection_limit") || !strings.Contains(got.Contents[0].Text, "endpoint") {
		t.Errorf("the page of a table that no document has: %v", err)
	}
	for _, uri := range []string{"lakeql://docs/databricks_workspace/../../etc", "lakeql://docs/x/y", "lakeql://docs/databricks_workspace/postgres/nonsense", "file:///etc/passwd", "lakeql://docs/databricks_workspace/postgres/%2e%2e"} {
		if got, err := a.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: uri}); err == nil {
			t.Errorf("%s: %+v", uri, got)
		}
	}

	prompts, err := a.ListPrompts(t.Context(), nil)
	if err != nil || len(prompts.Prompts) != 5 {
		t.Fatalf("%+v, %v", prompts, err)
	}
	for _, p := range prompts.Prompts {
		for _, workspace := range []string{"", "dbc-1", "*"} {
			got, err := a.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: p.Name, Arguments: map[string]string{"deployment_name": workspace}})
			if err != nil {
				t.Fatal(err)
			}
			text := got.Messages[0].Content.(*mcp.TextContent).Text
			n, before := 0, len(a.server.Requests())
			for block := range strings.SplitSeq(text, "```sql\n") {
				sql, _, ok := strings.Cut(block, "\n```")
				if !ok {
					continue
				}
				n++
				tool := "explain" // all workspaces take their time
				if workspace != "*" {
					tool = "query"
				}
				result, _ := a.ask(t, tool, sql)
				if len(result.Rows) == 0 && !strings.Contains(sql, "on_failure") {
					t.Errorf("%s %q: no rows of %s", p.Name, workspace, sql)
				}
				if workspace != "" && strings.Count(sql, ".deployment_name") != 1+2*strings.Count(sql, "JOIN") {
					t.Errorf("%s %q: %s", p.Name, workspace, sql)
				}
			}
			if workspace == "*" && len(a.server.Requests()) != before {
				t.Errorf("%s: an explanation of all workspaces makes calls", p.Name)
			}
			if n < 3 || !strings.Contains(text, "not complete") {
				t.Errorf("%s: %s", p.Name, text)
			}
		}
		if _, err := a.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: p.Name, Arguments: map[string]string{"deployment_name": "x' OR 1 = 1 --"}}); err == nil {
			t.Errorf("%s takes SQL for a workspace", p.Name)
		}
	}
}

// TestAgentHostileInput sends what is no message to standard input: the server answers or ends, and runs nothing.
func TestAgentHostileInput(t *testing.T) {
	t.Parallel()
	_, env := workspace(t, emulator.Options{})
	hello := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"\u001b[31mx","version":"1"}}}` + "\n" +
		`{"jsonrpc":"2.0","method":"notifications/initialized"}` + "\n"
	ask := func(args string) string {
		return `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"query","arguments":` + args + "}}\n"
	}
	for name, text := range map[string]string{
		"nothing":              "",
		"no JSON":              "hello\n",
		"a call before hello":  ask(`{"sql": "SELECT 1"}`),
		"arguments of no kind": hello + ask(`[1]`),
		"a number for SQL":     hello + ask(`{"sql": 1}`),
		"no SQL":               hello + ask(`{}`),
		"a null":               hello + ask(`null`),
		"an unknown tool":      hello + strings.Replace(ask(`{}`), "query", "drop", 1),
		"deep":                 hello + ask(`{"sql": `+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+`}`),
		"a broken message":     hello + `{"jsonrpc":"2.0","id":3,`,
		"no UTF-8":             hello + ask("{\"sql\": \"SELECT '\xff'\"}"),
	} {
		got := run{args: []string{"mcp", "--audit", "-"}, env: env, stdin: text}.do(t)
		if strings.Contains(got.stdout, `"rows":[`) && name != "no UTF-8" || strings.Contains(got.stderr, "\x1b") || strings.Contains(got.stderr, "panic") || strings.Contains(got.stderr, "goroutine") {
			t.Errorf("%s: status %d\n%.1000s\n%.1000s", name, got.status, got.stdout, got.stderr)
		}
		for line := range strings.Lines(got.stdout) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: no JSON: %.500s", name, line)
			}
		}
	}
}
