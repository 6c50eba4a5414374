package dispatch_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// realCall is a call of a method of the real documents.
type realCall struct {
	method string // full name
	args   map[string]any
	body   string
}

// rows sends the call and reads its rows.
func (r realCall) rows(t *testing.T, c *dispatch.Client) (*dispatch.Reader, [][]any, error) {
	t.Helper()
	call := dispatch.Call{Method: named(t, c, r.method), Args: r.args}
	if r.body != "" {
		call.Body = fromJSON(t, r.body)
	}
	req, err := c.Plan(call)
	if err != nil {
		t.Fatal(err)
	}
	reader := c.Open(req)
	var rows [][]any
	for {
		page, err := reader.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return reader, rows, nil
		}
		if err != nil {
			return reader, rows, err
		}
		for i := range page.Len() {
			row, err := page.Row(i, nil)
			if err != nil {
				return reader, rows, err
			}
			rows = append(rows, row)
		}
	}
}

// fixed starts a server that answers every request alike, and returns a client for it.
func fixed(t *testing.T, docs *provider.Catalogue, status int, contentType, body string) *dispatch.Client {
	t.Helper()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	c.Catalogue = docs
	return c
}

// denied is an error in the API's usual form.
const denied = `{"error_code": "PERMISSION_DENIED", "message": "not allowed"}`

// TestAnswersAreJudged shows which answers with the status 200 are rows, none, or an error.
func TestAnswersAreJudged(t *testing.T) {
	t.Parallel()
	docs := realCatalogue(t)
	account := map[string]any{"account_id": "5f0d4a52-3b1c-4b6e-9a53-0c1d2e3f4a5b"}
	var (
		list     = realCall{method: "databricks_workspace.compute.clusters.list"}
		get      = realCall{method: "databricks_workspace.compute.clusters.get", args: map[string]any{"cluster_id": "x"}}
		bare     = realCall{method: "databricks_account.provisioning.workspaces.workspaces_list", args: account}
		inside   = realCall{method: "databricks_account.billing.budgets.budgets_get", args: map[string]any{"account_id": account["account_id"], "budget_id": "b"}}
		generate = realCall{method: "databricks_workspace.postgres.postgres_credentials.generate", body: `{"endpoint": "projects/p/branches/b/endpoints/e"}`}
		nothing  = realCall{method: "databricks_workspace.jobs.jobs.delete", body: `{"job_id": 1}`}
		empty    = realCall{method: "databricks_account.catalog.account_metastores.account_metastores_delete", args: map[string]any{"account_id": account["account_id"], "metastore_id": "m"}}
		free     = realCall{method: "databricks_workspace.settings.workspace_config.get_workspace_config", args: map[string]any{"keys": "k"}}
		file     = realCall{method: "databricks_workspace.files.files.download", args: map[string]any{"file_path": "/Volumes/a/b/c/d"}}
		merged   = realCall{method: "databricks_workspace.catalog.grants.get", args: map[string]any{"securable_type": "table", "full_name": "a.b.c"}}
		users    = realCall{method: "databricks_workspace.iam.users.list"}
		texts    = realCall{method: "databricks_account.catalog.account_metastore_assignments.account_metastore_assignments_list", args: map[string]any{"account_id": account["account_id"], "metastore_id": "m"}}
	)
	tests := []struct {
		call  realCall
		body  string
		rows  int    // where err is empty
		err   string // part of the message
		other string // content type, if not JSON
	}{
		{list, `{}`, 0, "", ""},
		{list, `{"clusters": []}`, 0, "", ""},
		{list, `{"next_page_token": ""}`, 0, "", ""},
		{list, `{"clusters": [{"cluster_id": "x"}], "new": 1}`, 1, "", ""},
		{list, `{"clusters": [{}]}`, 1, "", ""},
		{list, denied, 0, "PERMISSION_DENIED: not allowed", ""},
		{list, `{"message": "not allowed"}`, 0, "not allowed", ""},
		{list, `{"error": "not allowed"}`, 0, "not allowed", ""},
		{list, `{"clusters": [], "error_code": "X", "message": "cut"}`, 0, "X: cut", ""},
		{list, `{"foo": 1}`, 0, "the answer has none of the documented attributes (clusters, next_page_token, prev_page_token), but foo", ""},
		{list, `{"clusters": {}}`, 0, "its clusters is an object, not a list", ""},
		{list, `{"clusters": null}`, 0, "its clusters is null, not a list", ""},
		{list, `{"clusters": "x"}`, 0, "its clusters is a text, not a list", ""},
		{list, `{"clusters": [null]}`, 0, "an item is null, not an object", ""},
		{list, `{"clusters": [[]]}`, 0, "an item is a list, not an object", ""},
		{list, `{"clusters": [{"foo": 1}]}`, 0, "an item has none of the documented attributes", ""},
		{list, `[]`, 0, "the answer is a list, not an object", ""},
		{list, `null`, 0, "the answer is null, not an object", ""},
		{list, `5`, 0, "the answer is a number, not an object", ""},
		{list, ``, 0, "the answer is empty", ""},
		{list, `<html></html>`, 0, "answered with an HTML page", ""},

		{get, `{"cluster_id": "x"}`, 1, "", ""},
		{get, `{"state": "RUNNING"}`, 1, "", ""},
		{get, `{}`, 0, "without even the cluster_id that was asked for", ""},
		{get, denied, 0, "PERMISSION_DENIED: not allowed", ""},
		{get, `{"foo": 1}`, 0, "none of the documented attributes", ""},
		{get, `null`, 0, "the answer is null, not an object", ""},
		{get, `[]`, 0, "the answer is a list, not an object", ""},
		{get, `[{}]`, 0, "the answer is a list, not an object", ""},

		{bare, `[]`, 0, "", ""},
		{bare, `[{"workspace_id": 1}]`, 1, "", ""},
		{bare, `null`, 0, "the answer is null, not a list", ""},
		{bare, `{}`, 0, "the answer is an object, not a list", ""},
		{bare, denied, 0, "PERMISSION_DENIED: not allowed", ""},
		{bare, `{"foo": 1}`, 0, "the answer is an object, not a list", ""},

		{inside, `{"budget": {"display_name": "b"}}`, 1, "", ""},
		{inside, `{"budget": {}}`, 1, "", ""},
		{inside, `{"budget": null}`, 0, "the answer has no budget", ""},
		{inside, `{}`, 0, "the answer has no budget", ""},
		{inside, `{"budget": []}`, 0, "its budget is a list, not an object", ""},
		{inside, denied, 0, "PERMISSION_DENIED: not allowed", ""},

		{generate, `{"token": "t"}`, 1, "", ""},
		{generate, `{}`, 1, "", ""},
		{generate, denied, 0, "PERMISSION_DENIED: not allowed", ""},
		{generate, `{"foo": 1}`, 0, "none of the documented attributes", ""},

		{nothing, ``, 0, "", ""},
		{nothing, `{}`, 0, "", ""},
		{nothing, `null`, 0, "", ""},
		{nothing, `OK`, 0, "", ""},
		{nothing, `{"job_id": 1}`, 0, "", ""},
		{nothing, denied, 0, "PERMISSION_DENIED: not allowed", ""},
		{nothing, `{"error": "not allowed"}`, 0, "not allowed", ""},
		{nothing, `PERMISSION_DENIED: not allowed`, 0, "PERMISSION_DENIED: not allowed", ""},
		{nothing, `{"error_code": "PERM`, 0, "not the JSON that the document describes", ""},
		{nothing, `<html></html>`, 0, "answered with an HTML page", ""},

		{empty, ``, 0, "", ""},
		{empty, `{}`, 0, "", ""},
		{empty, `{"new": 1}`, 0, "", ""},
		{empty, `null`, 0, "the answer is null, not an object", ""},
		{empty, `[]`, 0, "the answer is a list, not an object", ""},
		{empty, denied, 0, "PERMISSION_DENIED: not allowed", ""},

		{free, `{}`, 1, "", ""},
		{free, `{"k": "v"}`, 1, "", ""},
		{free, `{"message": "m", "k": "v"}`, 1, "", ""},
		{free, denied, 0, "PERMISSION_DENIED: not allowed", ""},
		{free, `null`, 0, "the answer is null, not an object", ""},

		{file, denied, 1, "", "application/octet-stream"}, // a file may say anything
		{file, denied, 0, "PERMISSION_DENIED: not allowed", ""},
		{file, `{"error_code": 5}`, 1, "", ""},
		{file, `{"a": 1}`, 1, "", ""},
		{file, `<html></html>`, 0, "answered with an HTML page", "text/html"},

		{merged, `{}`, 1, "", ""},
		{merged, denied, 0, "PERMISSION_DENIED: not allowed", ""},
		{merged, `[]`, 0, "the answer is a list, not an object", ""},

		{users, `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": "no such page", "status": "400"}`, 0, "SCIM_400: no such page", ""},
		{texts, `{"workspace_ids": [1, 2]}`, 2, "", ""},
		{texts, `{"workspace_ids": [{}]}`, 0, "an item is an object, not a number", ""},
	}
	for _, test := range tests {
		c := fixed(t, docs, http.StatusOK, map[bool]string{true: "application/json", false: test.other}[test.other == ""], test.body)
		_, rows, err := test.call.rows(t, c)
		at := test.call.method + " answered " + test.body
		if test.err == "" {
			if err != nil || len(rows) != test.rows {
				t.Errorf("%s: %d rows, want %d: %v", at, len(rows), test.rows, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s: %d rows, want the error %s", at, len(rows), test.err)
			continue
		}
		e := asError(t, err)
		want := provider.API
		if strings.HasPrefix(test.err, "PERMISSION_DENIED") {
			want = provider.Unauthorized
		}
		if !strings.Contains(e.Message, test.err) || e.Code != want || len(rows) != 0 {
			t.Errorf("%s: %d rows, code %d: %v\nwant %s", at, len(rows), e.Code, err, test.err)
		}
	}
}

// TestErrorsBehindTheFirstAnswer shows that an error with the status 200 is one on page 2, in a poll, in
// the result of an operation, and in the next part of one object.
func TestErrorsBehindTheFirstAnswer(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]struct {
		call  realCall
		first string
	}{
		"page 2":             {realCall{method: "databricks_workspace.compute.clusters.list"}, `{"clusters": [{"cluster_id": "x"}], "next_page_token": "t"}`},
		"part 2 is gone":     {realCall{method: "databricks_workspace.jobs.jobs.get", args: map[string]any{"job_id": "1"}}, `{"job_id": 1, "next_page_token": "t"}`},
		"part 2":             {realCall{method: "databricks_workspace.jobs.jobs.get", args: map[string]any{"job_id": "1"}}, `{"job_id": 1, "next_page_token": "t"}`},
		"page 2 by position": {realCall{method: "databricks_workspace.iam.users.list"}, `{"Resources": [{"id": "1"}]}`},
	} {
		second := denied
		if name == "part 2 is gone" {
			second = `404 {"error_code": "NOT_FOUND", "message": "m"}`
		}
		c, _ := scripted(t, first.first, second)
		if _, _, err := first.call.rows(t, c); err == nil || asError(t, err).Absent || asError(t, err).ErrorCode != "PERMISSION_DENIED" && second == denied {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, answers := range map[string][]string{
		"at once":   {denied},
		"of a poll": {ongoing, denied},
		"a result":  {`{"name": "` + operation + `", "done": true, "response": ` + denied + `}`},
		"of a kind": {ongoing, `[]`},
		"in words":  {ongoing, `{"error": "PERMISSION_DENIED: not allowed"}`},
		"deeper":    {ongoing, `{"response": {"done": true, "response": {"uid": "u"}}}`},
	} {
		c, _ := scripted(t, answers...)
		if _, err := create().await(t.Context(), t, c); err == nil || slices.Contains([]string{"at once", "of a poll", "a result"}, name) && asError(t, err).ErrorCode != "PERMISSION_DENIED" {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, _ := scripted(t, `{"name": "`+operation+`", "done": true, "response": {"@type": "x", "uid": "u"}}`)
	if _, err := create().await(t.Context(), t, c); err != nil {
		t.Errorf("a result that names its type: %v", err)
	}
}

// raw starts a server that writes such bytes to every connection and keeps it open.
func raw(t *testing.T, text string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it accepts on this machine alone
	if err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = io.WriteString(conn, text)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
		for _, conn := range conns {
			_ = conn.Close()
		}
	})
	return "http://" + listener.Addr().String()
}

// TestStatuses shows that a status outside of 2xx is an error, that the statement does not wait for the
// body after it, and that a part of a content does not count as the whole.
func TestStatuses(t *testing.T) {
	t.Parallel()
	for status, message := range map[string]string{
		"101 Switching Protocols":   "answered with the status 101",
		"000 OK":                    "answered with the status 000",
		"100 Continue\r\n\r\n\xff":  "malformed",
		"206 Partial Content":       "a part of the content, which was not asked for: {\"projects\": []}",
		"304 Not Modified":          "redirected",
		"302 Found\r\nLocation: /x": "redirected",
		"999 Odd":                   "HTTP 999",
	} {
		upgrade := ""
		if strings.HasPrefix(status, "101") {
			upgrade = "Connection: Upgrade\r\nUpgrade: x\r\n"
		}
		text := "HTTP/1.1 " + status + "\r\n" + upgrade + "Content-Length: 16\r\n\r\n{\"projects\": []}"
		c := clientFor(t, raw(t, text))
		c.Catalogue, c.RequestTimeout, c.Retry.Budget = realCatalogue(t), time.Minute, -1
		began := time.Now()
		_, rows, err := realCall{method: "databricks_workspace.postgres.postgres_projects.list"}.rows(t, c)
		if err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%.20q: %d rows, %v", status, len(rows), err)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%.20q took %s", status, took)
		}
	}
}

// TestAbsence shows which answers say that a resource does not exist.
func TestAbsence(t *testing.T) {
	t.Parallel()
	docs := realCatalogue(t)
	const scim = `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": "User with id 1 not found.", "status": "404"}`
	tests := []struct {
		status            int
		contentType, body string
		absent            bool
	}{
		{404, "application/json", `{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "m"}`, true},
		{404, "application/json", `{"error_code": "NOT_FOUND", "message": "m"}`, true},
		{404, "application/json", `{"error_code": "TABLE_DOES_NOT_EXIST", "message": "m"}`, true},
		{404, "application/scim+json", scim, true},
		{404, "text/plain", `RESOURCE_DOES_NOT_EXIST: m`, true},
		{404, "application/json", `{"error_code": "ENDPOINT_NOT_FOUND", "message": "m"}`, false},
		{404, "application/json", `{"error_code": "FEATURE_DISABLED", "message": "m"}`, false},
		{404, "application/json", `{"message": "m"}`, false},
		{404, "application/json", `{"error": "NOT_FOUND"}`, false},
		{404, "application/json", `{}`, false},
		{404, "application/json", ``, false},
		{404, "text/html", `<html><pre>NOT_FOUND</pre></html>`, false},
		{404, "text/plain", `404 page not found`, false},
		{400, "application/json", `{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "m"}`, false},
		{200, "application/json", `{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "m"}`, false},
	}
	get := realCall{method: "databricks_workspace.compute.clusters.get", args: map[string]any{"cluster_id": "x"}}
	for _, test := range tests {
		_, _, err := get.rows(t, fixed(t, docs, test.status, test.contentType, test.body))
		if err == nil || asError(t, err).Absent != test.absent {
			t.Errorf("%d %s: absent %v, want %v: %v", test.status, test.body, !test.absent, test.absent, err)
		}
	}
	head := realCall{method: "databricks_workspace.files.file_metadata.get", args: map[string]any{"file_path": "/Volumes/a/b/c/d"}}
	for contentType, absent := range map[string]bool{"application/json": true, "text/html": false, "": false} {
		_, _, err := head.rows(t, fixed(t, docs, 404, contentType, ""))
		if err == nil || asError(t, err).Absent != absent {
			t.Errorf("HEAD, %q: absent %v: %v", contentType, !absent, err)
		}
	}
}

// TestPassingErrors shows that the errors which the SDK takes for passing are sent again, whatever the
// status and the verb, and others not. (internal/wire compares it with the SDK.)
func TestPassingErrors(t *testing.T) {
	t.Parallel()
	for body, again := range map[string]bool{
		`{"error_code": "INVALID_PARAMETER_VALUE", "message": "Current organization 5 does not have any associated worker environments"}`: true,
		`{"error_code": "INVALID_PARAMETER_VALUE", "message": "Missing required field: x"}`:                                               false,
	} {
		for _, r := range []request{get(), post()} {
			asked := 0
			c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if asked++; asked < 3 {
					w.WriteHeader(http.StatusBadRequest)
					_, _ = fmt.Fprint(w, body)
					return
				}
				answer(w, thing)
			})
			rows, err := r.call(t.Context(), t, c)
			if again && (err != nil || len(rows) != 1 || asked != 3) || !again && (err == nil || asked != 1) {
				t.Errorf("%s: asked %d times, %d rows: %v", body, asked, len(rows), err)
			}
		}
	}
}
