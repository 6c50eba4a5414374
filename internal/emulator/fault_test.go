package emulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/provider"
)

func rule(t *testing.T, text string) emulator.Fault {
	t.Helper()
	f, err := emulator.ParseFault(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFaultRules(t *testing.T) {
	for _, text := range []string{
		"POST /api/2.0/postgres/credentials: 503 x2",
		"GET dbc-*/api/2.0/postgres/*: 429 retry-after=7 body=html x1",
		"* *: slow=500ms",
		"GET *: cut",
		"GET *: malformed x3",
		"DELETE /a:b: reset",
		"GET *: repeat-token",
		"GET dbc-*/*: 500 x9 0.5%",
	} {
		if got := rule(t, text).String(); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
	}
	for _, text := range []string{
		"", "503", "GET /x", "GET /x:", "GET: 503", ": 503", "GET /x: 200", "GET /x: 600", "GET /x: 5o3", "GET /x: explode",
		"GET /x: 503 0%", "GET /x: 503 100%", "GET /x: 503 NaN%", "GET /x: 503 %", "GET /x: slow", "GET /x: slow=-1s", "GET /x: slow=fast", "GET /x: 503 x0", "GET /x: 503 x", "GET /x: 503 2x",
		"GET /x: 503 body=xml", "GET /x: cut body=html", "GET /x: reset retry-after=1", "GET /x: 503 retry-after=soon", "GET /x: 503 retry-after=-1",
	} {
		if f, err := emulator.ParseFault(text); provider.CodeOf(err) != provider.Usage || err == nil {
			t.Errorf("%q is read as %v, %v", text, f, err)
		}
	}
}

func TestFaultsOfAPartOfTheRequests(t *testing.T) {
	hits := func() (statuses []int) {
		s := start(t, nil)
		s.SetFaults(rule(t, "GET *: 500 25%"), rule(t, "GET *: 429 50%"))
		for range 400 {
			statuses = append(statuses, send(t, s, request{path: "/api/2.0/postgres/projects"}).status)
		}
		return statuses
	}
	first := hits()
	count := map[int]int{}
	for _, status := range first {
		count[status]++
	}
	if n := count[500]; n < 70 || n > 130 {
		t.Errorf("%d of 400 were answered 500, want about 100", n)
	}
	if n := count[429]; n < 110 || n > 190 {
		t.Errorf("%d of 400 were answered 429, want about 150", n)
	}
	if !slices.Equal(first, hits()) {
		t.Error("the same requests were hit otherwise the second time")
	}
}

func FuzzParseFault(f *testing.F) {
	f.Add("POST /api/2.0/postgres/credentials: 503 x2")
	f.Add("* *: slow=500ms")
	f.Add("GET dbc-*/a*b*: 429 retry-after=7 body=html x1")
	f.Fuzz(func(t *testing.T, text string) {
		first, err := emulator.ParseFault(text)
		if err != nil {
			return
		}
		second, err := emulator.ParseFault(first.String())
		if err != nil || first != second {
			t.Errorf("%q is %+v and as text %q %+v, %v", text, first, first.String(), second, err)
		}
	})
}

func TestStatusFaultsInEveryShape(t *testing.T) {
	s := start(t, nil)
	for shape, want := range map[string]struct{ contentType, body string }{
		"json":  {"application/json", `"error_code":"TEMPORARILY_UNAVAILABLE"`},
		"html":  {"text/html; charset=utf-8", "<pre>The emulator was told to answer 503 here.</pre>"},
		"text":  {"text/plain; charset=utf-8", "TEMPORARILY_UNAVAILABLE: The emulator"},
		"empty": {"text/plain; charset=utf-8", ""},
		"scim":  {"application/scim+json", `"status":"503"`},
		"api12": {"application/json", `{"error":"The emulator`},
	} {
		s.SetFaults(rule(t, "GET /api/2.0/postgres/*: 503 retry-after=3 x1 body="+shape))
		got := send(t, s, request{path: root + "projects"})
		if got.status != 503 || got.header.Get("Content-Type") != want.contentType || !strings.Contains(got.body, want.body) || (want.body == "") != (got.body == "") {
			t.Errorf("%s: %d %v %s", shape, got.status, got.header, got.body)
		}
		if got.header.Get("Retry-After") != "3" || got.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: header %v", shape, got.header)
		}
		if got := send(t, s, request{path: root + "projects"}); got.status != 200 {
			t.Errorf("%s: the second request is hit by a rule for one", shape)
		}
	}
	for status, code := range map[string]string{"400": "INVALID_PARAMETER_VALUE", "401": "UNAUTHENTICATED", "403": "PERMISSION_DENIED", "404": "NOT_FOUND", "409": "ABORTED", "429": "REQUEST_LIMIT_EXCEEDED", "500": "INTERNAL_ERROR", "501": "NOT_IMPLEMENTED", "502": "INTERNAL_ERROR", "504": "DEADLINE_EXCEEDED", "418": "UNKNOWN"} {
		s.SetFaults(rule(t, "* *: "+status))
		if got := send(t, s, request{path: root + "projects"}); !strings.Contains(got.body, `"`+code+`"`) {
			t.Errorf("%s: %s", status, got.body)
		}
	}
}

func TestFaultsHitWhatTheyName(t *testing.T) {
	s := start(t, func(o *emulator.Options) {
		o.Faults = []emulator.Fault{
			rule(t, "POST /api/2.0/postgres/credentials: 503 x1"),
			rule(t, "GET dbc-1/api/*/branches: 500"),
			rule(t, "GET dbc-1/api/*: 403 x1"),
		}
	})
	statuses := func(workspace, path string, n int) (all []int) {
		for range n {
			all = append(all, send(t, s, request{path: root + path, workspace: workspace}).status)
		}
		return all
	}
	want := func(got []int, want ...int) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatal(got)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("statuses %v, want %v", got, want)
				return
			}
		}
	}
	want(statuses("dbc-2", "projects", 1), 200)
	want(statuses("dbc-1", "projects/p/branches", 2), 500, 500)
	want(statuses("dbc-1", "projects", 2), 403, 200)
	if got := generate(t, s, `{"endpoint":"`+theEndpoint+`"}`); got.status != 503 {
		t.Errorf("%d", got.status)
	}
	if got := generate(t, s, `{"endpoint":"`+theEndpoint+`"}`); got.status != 200 {
		t.Errorf("%d", got.status)
	}
	s.SetFaults()
	want(statuses("dbc-1", "projects/p/branches", 1), 200)
}

func TestResetIsSeenAsReset(t *testing.T) {
	s := start(t, nil)
	s.SetFaults(rule(t, "POST *: reset"))
	_, err := trySend(t, s, request{method: "POST", path: root + "credentials", body: `{"endpoint":"` + theEndpoint + `"}`})
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v", err)
	}
	if all := s.Requests(); len(all) != 1 || all[0].Status != 0 || all[0].Fault != "POST *: reset" {
		t.Errorf("log %+v", all)
	}
}

func TestCutAndMalformed(t *testing.T) {
	s := start(t, nil)
	s.SetFaults(rule(t, "GET *: cut"))
	got, err := trySend(t, s, request{path: root + "projects"})
	if !errors.Is(err, io.ErrUnexpectedEOF) || got.status != 200 || got.body == "" {
		t.Errorf("cut: %d, %d bytes, %v", got.status, len(got.body), err)
	}
	s.SetFaults(rule(t, "GET *: malformed"))
	got = send(t, s, request{path: root + "projects"})
	if got.status != 200 || !strings.HasPrefix(got.body, "{") || json.Valid([]byte(got.body)) {
		t.Errorf("malformed: %d %s", got.status, got.body)
	}
	// The operation takes effect anyway: a client cannot know.
	made := start(t, func(o *emulator.Options) { o.CreateOnUse = true })
	made.SetFaults(rule(t, "POST *: cut"))
	_, err = trySend(t, made, request{method: "POST", path: root + "credentials", body: `{"endpoint":"projects/new/branches/b/endpoints/e"}`})
	if err == nil {
		t.Error("not cut")
	}
	get(t, made, root+"projects/new", "Project")
}

func TestRepeatedToken(t *testing.T) {
	s := start(t, func(o *emulator.Options) { o.Scale, o.PageSize = 10, 4 })
	s.SetFaults(rule(t, "GET *: repeat-token x1"))
	first := get(t, s, root+"projects", "ListProjectsResponse")["next_page_token"].(string)
	second := get(t, s, root+"projects?page_token="+first, "ListProjectsResponse")["next_page_token"]
	if second != first {
		t.Errorf("the token after %s is %v", first, second)
	}
	third := get(t, s, root+"projects?page_token="+first, "ListProjectsResponse")["next_page_token"]
	if third == first {
		t.Error("a rule for one request hits two")
	}
}

func TestSlowAnswersWaitForTheirTimeOrForTheClientToGo(t *testing.T) {
	s := start(t, nil)
	s.SetFaults(rule(t, "GET *: slow=1ms"))
	before := time.Now()
	if get(t, s, root+"projects", "ListProjectsResponse"); time.Since(before) < time.Millisecond {
		t.Error("not slow")
	}
	s.SetFaults(rule(t, "GET *: slow=1h"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+root+"projects", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := client(t).Do(req); !errors.Is(err, context.DeadlineExceeded) {
		resp.Body.Close()
		t.Errorf("%v", err)
	}
}

func TestCloseEndsWhatIsSlow(t *testing.T) {
	arrived := make(chan struct{}, 100)
	s := start(t, func(o *emulator.Options) {
		o.Latency = time.Hour
		o.Clock = func() time.Time { // asked when a request arrives
			arrived <- struct{}{}
			return noon()
		}
	})
	answered := make(chan error, 1)
	go func() {
		_, err := trySend(t, s, request{path: root + "projects"})
		answered <- err
	}()
	<-arrived
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-answered; err == nil {
		t.Error("answered an hour early")
	}
}

func TestRateLimitIsEachWorkspacesOwn(t *testing.T) {
	var now atomic.Int64
	now.Store(noon().Unix())
	s := start(t, func(o *emulator.Options) {
		o.Clock = func() time.Time { return time.Unix(now.Load(), 0) }
		o.RateLimit = 2
	})
	status := func(workspace string) int {
		return send(t, s, request{path: root + "projects", workspace: workspace}).status
	}
	for range 2 {
		if got := status("dbc-1"); got != 200 {
			t.Fatal(got)
		}
	}
	limited := send(t, s, request{path: root + "projects", workspace: "dbc-1"})
	e := wantError(t, limited, 429, "REQUEST_LIMIT_EXCEEDED", "2 calls a second")
	if limited.header.Get("Retry-After") != "1" || e.Details[2]["retry_delay"] != "1s" {
		t.Errorf("%v %v", limited.header, e.Details)
	}
	if got := status("dbc-2"); got != 200 {
		t.Errorf("another workspace: %d", got)
	}
	if got := send(t, s, request{path: "/.well-known/databricks-config", workspace: "dbc-1"}).status; got != 200 {
		t.Errorf("what is no call: %d", got)
	}
	now.Add(1)
	if got := status("dbc-1"); got != 200 {
		t.Errorf("a second later: %d", got)
	}
}
