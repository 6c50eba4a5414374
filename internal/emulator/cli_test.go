package emulator_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/databricks/databricks-sdk-go"
	"github.com/databricks/databricks-sdk-go/service/workspace"
)

// The official CLI deploys, synchronises and imports by routes and parameters that the documents do
// not have. These tests send what it sends.

const (
	home       = "/Workspace/Users/ada.okafor@harbor-finch.example"
	importFile = "/api/2.0/workspace-files/import-file/"
	getStatus  = "/api/2.0/workspace/get-status?return_export_info=true&path="
	download   = "/api/2.0/workspace/export?direct_download=true&path="
)

// escaped writes a path as the CLI does: as one segment of a URL, without the first slash.
func escaped(path string) string {
	return strings.NewReplacer("/", "%2F", "@", "@", " ", "%20", "%", "%25").Replace(strings.TrimPrefix(path, "/"))
}

// TestFilesAreWrittenAsTheCLIWritesThem writes a file into a missing folder, creates the folder, writes
// again, and reads the file.
func TestFilesAreWrittenAsTheCLIWritesThem(t *testing.T) {
	s := start(t, nil)
	const contents = "\x00\xff{\r\n" // neither text nor JSON
	write := func(path, query, body string) reply {
		return send(t, s, request{method: "POST", path: importFile + escaped(path) + query, body: body})
	}
	const file = home + "/.bundle/till/files/a b%.dat"
	wantError(t, write(file, "?overwrite=true", contents), 404, "RESOURCE_DOES_NOT_EXIST", "The parent folder (/Users/ada.okafor@harbor-finch.example/.bundle/till/files) does not exist.")
	wantError(t, send(t, s, request{path: getStatus + escaped("/"+file)}), 404, "RESOURCE_DOES_NOT_EXIST", "doesn't exist")
	send(t, s, request{method: "POST", path: "/api/2.0/workspace/mkdirs", body: `{"path":"` + home + `/.bundle/till/files"}`})
	for _, step := range []struct {
		query  string
		status int
	}{{"?overwrite=false", 200}, {"?overwrite=false", 409}, {"?overwrite=true", 200}, {"", 409}} {
		if got := write(file, step.query, contents); got.status != step.status {
			t.Errorf("%s: %d %s", step.query, got.status, got.body)
		}
	}
	if got := send(t, s, request{path: download + "%2F" + escaped(file)}); got.status != 200 || got.body != contents || got.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("downloaded as %q: %d %q", got.header.Get("Content-Type"), got.status, got.body)
	}
	// Without the parameter the contents are base64 in JSON. Paths have the prefix that was asked for.
	var exported workspace.ExportResponse
	if err := json.Unmarshal([]byte(send(t, s, request{path: "/api/2.0/workspace/export?path=%2F" + escaped(file)}).body), &exported); err != nil || exported.Content != base64.StdEncoding.EncodeToString([]byte(contents)) {
		t.Errorf("%+v, %v", exported, err)
	}
	for _, path := range []string{file, strings.TrimPrefix(file, "/Workspace")} {
		if got := send(t, s, request{path: getStatus + "%2F" + escaped(path)}); !strings.Contains(got.body, `"path":"`+path+`"`) || !strings.Contains(got.body, `"object_type":"FILE"`) || strings.Contains(got.body, "repos_export_format") {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	if got := send(t, s, request{path: "/api/2.0/workspace/list?path=" + home + "/.bundle/till/files"}); !strings.Contains(got.body, `"path":"`+file+`"`) {
		t.Error(got.body)
	}
	wantError(t, write(home+"/.bundle/till/files", "?overwrite=true", ""), 400, "RESOURCE_ALREADY_EXISTS", "is a folder")
	wantError(t, send(t, s, request{path: download + home}), 400, "BAD_REQUEST", "Folder")
	wantError(t, write(file, "?overwrite=maybe", ""), 400, "INVALID_PARAMETER_VALUE", "overwrite must be of type boolean")
	if got := send(t, s, request{method: "POST", path: importFile + escaped(file), token: "-"}); got.status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", got.status)
	}
}

// TestSourceFilesBecomeNotebooks writes files of all kinds that may be notebooks.
func TestSourceFilesBecomeNotebooks(t *testing.T) {
	s := start(t, nil)
	for _, tt := range []struct{ name, body, as, want string }{
		{"a.py", "# Databricks notebook source\nprint(1)", "a", `"language":"PYTHON"|"object_type":"NOTEBOOK"|"repos_export_format":"SOURCE"`},
		{"b.sql", "-- Databricks notebook source\r\nSELECT 1", "b", `"language":"SQL"|"object_type":"NOTEBOOK"`},
		{"c.scala", "// Databricks notebook source", "c", `"language":"SCALA"`},
		{"d.R", "# Databricks notebook source\n", "d", `"language":"R"`},
		{"e.ipynb", `{"cells":[],"metadata":{"language_info":{"name":"scala"}},"nbformat":4}`, "e", `"language":"SCALA"|"repos_export_format":"JUPYTER"`},
		{"f.py", "print(1)", "f.py", `"object_type":"FILE"`},
		{"g.sql", "# Databricks notebook source", "g.sql", `"object_type":"FILE"`},
		{"h.ipynb", `{}`, "h.ipynb", `"object_type":"FILE"`},
		{"i.txt", "# Databricks notebook source\n", "i.txt", `"object_type":"FILE"`},
	} {
		send(t, s, request{method: "POST", path: importFile + escaped(home+"/"+tt.name), body: tt.body})
		for _, want := range strings.Split(tt.want, "|") {
			if got := send(t, s, request{path: getStatus + home + "/" + tt.as}); got.status != 200 || !strings.Contains(got.body, want) {
				t.Errorf("%s is no %s: %s", tt.name, want, got.body)
			}
		}
		if got := send(t, s, request{path: download + home + "/" + tt.as}); got.body != tt.body {
			t.Errorf("%s: %q", tt.name, got.body)
		}
		// An import with the format AUTO does the same.
		body := `{"format":"AUTO","path":"` + home + `/auto-` + tt.name + `","content":"` + base64.StdEncoding.EncodeToString([]byte(tt.body)) + `"}`
		send(t, s, request{method: "POST", path: "/api/2.0/workspace/import", body: body})
		if got := send(t, s, request{path: getStatus + home + "/auto-" + tt.as}); got.status != 200 {
			t.Errorf("AUTO: %s: %s", tt.name, got.body)
		}
		wantError(t, send(t, s, request{method: "POST", path: "/api/2.0/workspace/import", body: body}), 400, "RESOURCE_ALREADY_EXISTS", "already exists")
	}
	// The CLI tells an existing notebook by the status 400, and a file by 409.
	wantError(t, send(t, s, request{method: "POST", path: importFile + escaped(home+"/a.py"), body: "# Databricks notebook source"}), 400, "RESOURCE_ALREADY_EXISTS", "already exists.")
}

// TestTheSDKUploadsFiles uses the SDK's own helpers, which send a form.
func TestTheSDKUploadsFiles(t *testing.T) {
	s := start(t, nil)
	w := sdk(t, &databricks.Config{Host: s.URL(), Token: s.Token(), AuthType: "pat"}).Workspace
	ctx, name := t.Context(), "/Users/ada.okafor@harbor-finch.example/notes.txt"
	for _, contents := range []string{"one", "two\n"} {
		if err := w.WriteFile(ctx, name, []byte(contents)); err != nil {
			t.Fatal(err)
		}
		if got, err := w.ReadFile(ctx, name); err != nil || string(got) != contents {
			t.Errorf("%q, %v", got, err)
		}
	}
	wantError(t, send(t, s, request{method: "POST", path: "/api/2.2/jobs/create", body: "--x--", header: http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}}), 400, "MALFORMED_REQUEST", "not JSON")
}

// TestAnswersNameTheirWorkspace reads the header from which the CLI learns the workspace's id.
func TestAnswersNameTheirWorkspace(t *testing.T) {
	s := start(t, nil)
	const me = "/api/2.0/preview/scim/v2/Me"
	one, two := send(t, s, request{path: me}), send(t, s, request{path: me, workspace: "dbc-1"})
	id := one.header.Get("X-Databricks-Org-Id")
	if len(id) < 10 || strings.Trim(id, "0123456789") != "" || id == two.header.Get("X-Databricks-Org-Id") {
		t.Errorf("the ids are %q and %q", id, two.header.Get("X-Databricks-Org-Id"))
	}
	if got := send(t, s, request{path: "/api/2.0/accounts/" + s.AccountID() + "/workspaces"}); got.header.Get("X-Databricks-Org-Id") != "" {
		t.Error("an answer of the account names a workspace")
	}
}

// TestPermissionsOfTypesWithTwoSegments changes the permissions of a warehouse by the path of the
// CLI and reads them by the documented one.
func TestPermissionsOfTypesWithTwoSegments(t *testing.T) {
	s := start(t, nil)
	id := rows(t, s, request{path: "/api/2.0/sql/warehouses"}, "warehouses")[0]["id"].(string)
	set := `{"access_control_list":[{"group_name":"users","permission_level":"CAN_RUN"}]}`
	got := send(t, s, request{method: "PUT", path: "/api/2.0/permissions/sql/warehouses/" + id, body: set})
	if got.status != 200 || !strings.Contains(got.body, `"object_id":"/sql/warehouses/`+id+`"`) || !strings.Contains(got.body, `"object_type":"warehouse"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	for _, path := range []string{"sql/warehouses/", "warehouses/"} {
		if got := send(t, s, request{path: "/api/2.0/permissions/" + path + id}); !strings.Contains(got.body, `"group_name":"users"`) {
			t.Errorf("%s: %s", path, got.body)
		}
	}
}
