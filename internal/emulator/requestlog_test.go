package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

func TestRequestsAreLogged(t *testing.T) {
	s := start(t, nil)
	body := `{ "endpoint":"` + theEndpoint + `" }` // kept to the byte
	send(t, s, request{method: "POST", path: root + "credentials?x=1", body: body, workspace: "dbc-1"})
	ok := send(t, s, request{method: "POST", path: root + "credentials", body: body, workspace: "dbc-1"})
	send(t, s, request{path: "/x%2Fy?a=b"})
	all := s.Requests()
	if len(all) != 3 {
		t.Fatalf("%+v", all)
	}
	second := all[1]
	if second.Method != "POST" || second.Path != root+"credentials" || second.Workspace != "dbc-1" || !strings.HasPrefix(second.Host, "dbc-1.localhost:") ||
		second.Body != body || second.Status != 200 || second.Operation != "databricks_workspace.postgres.postgres_credentials.generate" ||
		second.ID != ok.header.Get("X-Request-Id") || !second.Time.Equal(noon()) {
		t.Errorf("%+v", second)
	}
	if all[0].Query != "x=1" || all[0].Status != 400 || all[2].Path != "/x%2Fy" || all[2].Query != "a=b" || all[2].Status != 404 || all[2].Workspace != emulator.DefaultWorkspace {
		t.Errorf("%+v %+v", all[0], all[2])
	}
	counts := s.Counts()
	if counts.Total != 3 || counts.ByStatus[200] != 1 || counts.ByOperation["databricks_workspace.postgres.postgres_credentials.generate"] != 2 {
		t.Errorf("%+v", counts)
	}
}

func TestTheLogIsReadAndResetOverHTTP(t *testing.T) {
	s := start(t, nil)
	send(t, s, request{path: root + "projects"})
	type content struct {
		Total    int                `json:"total"`
		ByStatus map[string]int     `json:"by_status"`
		Requests []emulator.Request `json:"requests"`
	}
	read := func() (c content) {
		got := send(t, s, request{path: "/_emulator/requests", token: "-"})
		if err := json.Unmarshal([]byte(got.body), &c); err != nil || got.status != 200 {
			t.Fatalf("%d %s %v", got.status, got.body, err)
		}
		return c
	}
	if c := read(); c.Total != 1 || c.ByStatus["200"] != 1 || len(c.Requests) != 1 || c.Requests[0].Path != root+"projects" {
		t.Errorf("%+v", c)
	}
	if got := send(t, s, request{method: "DELETE", path: "/_emulator/requests", token: "-"}); got.status != 200 {
		t.Errorf("%d", got.status)
	}
	if got := send(t, s, request{path: "/_emulator/requests", token: "-"}); !strings.Contains(got.body, `"requests":[]`) {
		t.Errorf("after a reset: %s", got.body)
	}
	wantError(t, send(t, s, request{method: "POST", path: "/_emulator/requests"}), 405, "METHOD_NOT_ALLOWED", "GET and DELETE")
	wantError(t, send(t, s, request{path: "/_emulator/else"}), 404, "ENDPOINT_NOT_FOUND", "/_emulator/requests")
	s.SetFaults(rule(t, "* *: 503"))
	read() // never broken
}

func TestTheLogHoldsNoSecrets(t *testing.T) {
	s := start(t, nil)
	send(t, s, request{path: root + "projects", header: http.Header{"Cookie": {"session=abc-secret"}, "X-Databricks-Azure-Sp-Management-Token": {"az-secret"}}})
	send(t, s, request{path: root + "projects", token: "-", header: http.Header{"Authorization": {"bare-secret"}}})
	token := login(t, s, "")
	grant(t, s, "", "", "", url.Values{"grant_type": {"client_credentials"}, "client_id": {s.ClientID()}, "client_secret": {s.ClientSecret()}, "scope": {"all-apis"}})
	send(t, s, request{path: root + "projects", token: token.Token})
	text := send(t, s, request{path: "/_emulator/requests"}).body
	for _, secret := range []string{s.Token(), s.ClientSecret(), token.Token, "abc-secret", "az-secret", "bare-secret"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log tells %s", secret)
		}
	}
	for _, kept := range []string{`"Bearer ****"`, `"Basic ****"`, "client_secret=****", "grant_type=client_credentials"} {
		if !strings.Contains(text, kept) {
			t.Errorf("the log does not tell %s:\n%s", kept, text)
		}
	}
}

func TestTheLogKeepsTheNewest(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.LogLimit = 3 })
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		send(t, s, request{path: "/" + id})
	}
	all := s.Requests()
	if len(all) != 3 || all[0].Path != "/c" || all[2].Path != "/e" || s.Counts().Total != 5 {
		t.Errorf("%+v", all)
	}
	send(t, s, request{method: "POST", path: "/f", body: strings.Repeat("x", 70_000)})
	if last := s.Requests()[2]; len(last.Body) != 64<<10 || !last.BodyTruncated {
		t.Errorf("%d bytes kept, truncated %t", len(last.Body), last.BodyTruncated)
	}
}

func TestManyClientsAtOnce(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.CreateOnUse, o.Scale, o.LogLimit = true, 300, 50 })
	never := rule(t, "PATCH *: 503 x1")
	var done sync.WaitGroup
	for i := range 8 {
		workspace := []string{"dbc-1", "dbc-2"}[i%2]
		done.Go(func() {
			for j := range 10 {
				id := string(rune('a' + j))
				_, listErr := trySend(t, s, request{workspace: workspace, path: root + "projects?page_size=50"})
				_, postErr := trySend(t, s, request{workspace: workspace, method: "POST", path: root + "credentials", body: `{"endpoint":"projects/` + id + `/branches/b/endpoints/e"}`})
				if listErr != nil || postErr != nil {
					t.Error(listErr, postErr)
				}
				s.SetFaults(never)
				_ = s.Requests()
			}
		})
	}
	done.Wait()
	if c := s.Counts(); c.Total != 160 || c.ByStatus[200] != 160 {
		t.Errorf("%+v", c)
	}
}
