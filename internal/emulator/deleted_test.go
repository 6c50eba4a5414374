package emulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestDeletedWorkspace: a workspace that was deleted from the account is not served any more, and others are.
func TestDeletedWorkspace(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.Workspaces = []string{"dbc-1", "dbc-2"} })
	path := "/api/2.0/accounts/" + s.AccountID() + "/workspaces"
	clusters := func(workspace string, want int) {
		t.Helper()
		if got := send(t, s, request{path: "/api/2.1/clusters/list", workspace: workspace}); got.status != want {
			t.Errorf("%s: %d %s", workspace, got.status, got.body)
		}
	}
	clusters("dbc-2", http.StatusOK)
	for _, w := range rows(t, s, request{path: path, workspace: "accounts"}, "workspaces") {
		if w["deployment_name"] != "dbc-2" {
			continue
		}
		if got := send(t, s, request{method: "DELETE", path: path + "/" + w["workspace_id"].(interface{ String() string }).String(), workspace: "accounts"}); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
	}
	clusters("dbc-1", http.StatusOK)
	clusters("dbc-2", http.StatusNotFound)
	if left := rows(t, s, request{path: path, workspace: "accounts"}, "workspaces"); len(left) != 1 || !strings.HasSuffix(left[0]["deployment_name"].(string), "1") {
		t.Errorf("the account lists %v", left)
	}
}
