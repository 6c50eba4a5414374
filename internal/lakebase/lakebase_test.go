package lakebase_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// TestParseName shows each way to name an endpoint, and what is no name.
func TestParseName(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"": "", "p": "p", "p/b": "projects/p/branches/b", "p/b/e": "projects/p/branches/b/endpoints/e",
		"projects/p": "projects/p", "projects/p/branches/b": "projects/p/branches/b",
		"projects/p/branches/b/endpoints/e": "projects/p/branches/b/endpoints/e", "instances/i": "instances/i",
		"projects": "projects", "my-project/br_1/E2": "projects/my-project/branches/br_1/endpoints/E2",
	} {
		n, err := lakebase.ParseName(given)
		if err != nil || n.String() != want {
			t.Errorf("%q is %q, %v; want %q", given, n, err, want)
		}
		again, err := lakebase.ParseName(n.Short())
		if err != nil || again != n && n.Project != "" && n.Branch != "" {
			t.Errorf("the short form of %q, %q, is %v, %v", given, n.Short(), again, err)
		}
	}
	for _, given := range []string{
		"/", "p/", "/b", "p//e", "p/b/e/x", "projects/", "projects/p/branches", "projects/p/branches/", "projects/p/endpoints/e", "instances/i/x",
		"projects/p/branches/b/endpoints/e/x/y", "a b", "p'b", "p\x00", "é", strings.Repeat("p", 64), "../x", "-p", "https://ep-x.database.cloud.databricks.com",
	} {
		if n, err := lakebase.ParseName(given); provider.CodeOf(err) != provider.Usage || provider.HintOf(err) == "" {
			t.Errorf("%q is %v, %v", given, n, err)
		}
	}
}

// world is an emulator with a client of it.
type world struct {
	*emulator.Server

	connection *connect.Connection
	client     *lakebase.Client
}

func start(t *testing.T, o emulator.Options) *world {
	t.Helper()
	server := testworld.StartEmulator(t, o)
	connection, err := connect.Open(connect.Options{Emulator: &connect.Emulator{URL: server.URL(), Token: provider.Secret(server.Token())}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(connection.Close)
	return &world{server, connection, connection.Lakebase("")}
}

// exec runs a statement.
func (w *world) exec(t *testing.T, statement string) {
	t.Helper()
	session := w.connection.Session()
	defer session.Close()
	for rows, err := range session.Run(t.Context(), statement) {
		if err != nil {
			t.Fatal(err)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// minted counts the tokens that were minted.
func (w *world) minted() int {
	n := 0
	for _, r := range w.Requests() {
		if strings.HasSuffix(r.Operation, "credentials.generate") && r.Status == 200 {
			n++
		}
	}
	return n
}

// TestFind shows which endpoint a name means.
func TestFind(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{})
	const main = "projects/orders/branches/production/endpoints/primary"
	w.exec(t, `INSERT INTO databricks_workspace.postgres.postgres_projects (project_id) VALUES ('orders-clean')`) // as an instance is called
	for name, test := range map[string]struct {
		want    string
		problem string // of the error
	}{
		main:                                  {main, ""},
		"orders/production/reports":           {"projects/orders/branches/production/endpoints/reports", ""},
		"orders/production":                   {main, ""},
		"projects/orders/branches/production": {main, ""},
		"projects/orders":                     {main, ""},
		"orders":                              {main, ""},
		"orders/development":                  {"projects/orders/branches/development/endpoints/primary", ""},
		"sensors-weekly":                      {"instances/sensors-weekly", ""},
		"instances/orders-clean":              {"instances/orders-clean", ""},
		"projects/orders-clean":               {"projects/orders-clean/branches/production/endpoints/primary", ""},
		"orders-clean":                        {"", `"orders-clean" is a project and an instance: projects/orders-clean, instances/orders-clean`},
		"nope":                                {"", "nope"},
		"orders/nope":                         {"", "nope"},
		"orders/production/nope":              {"", "nope"},
		"instances/nope":                      {"", "nope"},
		"":                                    {"", "the workspace has several: projects/fleet, projects/inventory, projects/orders,"},
		"projects/nope/branches/x/endpoints/primry": {"", "nope"},
	} {
		n, err := lakebase.ParseName(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.client.Find(t.Context(), n)
		switch {
		case test.problem == "" && (err != nil || got.Name != test.want || got.Host == ""):
			t.Errorf("%q is %+v, %v; want %s", name, got, err, test.want)
		case test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem) || provider.HintOf(err) == ""):
			t.Errorf("%q: %+v, %v, hint %q; want an error with %s", name, got, err, provider.HintOf(err), test.problem)
		}
	}
}

// TestOpenFewCalls shows that a whole name costs no look-up before the token is minted.
func TestOpenFewCalls(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{})
	e, err := w.client.Open(t.Context(), "orders/production/primary", lakebase.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if l, err := e.Login(t.Context()); err != nil || l.User != "ada.okafor@harbor-finch.example" || l.Host == "" || l.Port != 5432 || l.Database != "databricks_postgres" {
		t.Errorf("%+v, %v", l, err)
	}
	if n := len(w.Requests()); n != 3 {
		t.Errorf("%d calls, want 3: the token, the endpoint, the identity", n)
	}
}

// TestDisabled shows that nobody gets a login for a disabled endpoint, and that the statement of the hint
// enables it.
func TestDisabled(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{})
	for name, disable := range map[string]string{
		"orders/production/primary": `UPDATE databricks_workspace.postgres.postgres_endpoints SET spec__disabled = true WHERE name = 'projects/orders/branches/production/endpoints/primary'`,
		"instances/sensors-weekly":  `EXEC databricks_workspace.database.database_instances.update @name = 'sensors-weekly', @update_mask = 'effective_stopped', @@json = '{"name": "sensors-weekly", "effective_stopped": true}'`,
	} {
		w.exec(t, disable)
		for _, name := range []string{name, strings.TrimSuffix(name, "/production/primary")} {
			_, err := w.client.Open(t.Context(), name, lakebase.Options{})
			if provider.CodeOf(err) != provider.Usage || !strings.Contains(provider.HintOf(err), "UPDATE databricks_workspace") {
				t.Errorf("%s: %v, hint %q", name, err, provider.HintOf(err))
			}
		}
		if strings.HasPrefix(name, "instances/") {
			continue // the emulator does not derive effective_stopped from stopped
		}
		_, err := w.client.Open(t.Context(), name, lakebase.Options{})
		_, statement, _ := strings.Cut(provider.HintOf(err), `lakeql exec "`)
		w.exec(t, strings.TrimSuffix(statement, `"`))
		if _, err := w.client.Open(t.Context(), name, lakebase.Options{}); err != nil {
			t.Errorf("%s, after the statement of the hint: %v", name, err)
		}
	}
}

// hand is a clock that a test moves.
type hand struct{ ahead atomic.Int64 }

func (h *hand) now() time.Time           { return time.Now().Add(time.Duration(h.ahead.Load())) }
func (h *hand) advance(by time.Duration) { h.ahead.Add(int64(by)) }

// TestLogins shows for how long a token is used, and how many are minted.
func TestLogins(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) (*world, *lakebase.Endpoint, *hand) {
		t.Helper()
		clock := &hand{}
		w := start(t, emulator.Options{Clock: clock.now})
		w.client.SetClock(clock.now)
		e, err := w.client.Open(t.Context(), "orders", lakebase.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return w, e, clock
	}
	login := func(t *testing.T, e *lakebase.Endpoint) lakebase.Login {
		t.Helper()
		l, err := e.Login(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	failing := func(t *testing.T, w *world) {
		t.Helper()
		fault, err := emulator.ParseFault("POST /api/2.0/postgres/credentials: 403")
		if err != nil {
			t.Fatal(err)
		}
		w.SetFaults(fault)
	}

	t.Run("one token until five minutes before its end", func(t *testing.T) {
		t.Parallel()
		w, e, clock := open(t)
		old := login(t, e)
		clock.advance(54 * time.Minute)
		if login(t, e).Password != old.Password || w.minted() != 1 {
			t.Errorf("%d tokens", w.minted())
		}
		clock.advance(2 * time.Minute)
		if login(t, e).Password == old.Password || w.minted() != 2 {
			t.Errorf("%d tokens", w.minted())
		}
	})
	t.Run("many logins at once mint one token", func(t *testing.T) {
		t.Parallel()
		w, e, clock := open(t)
		clock.advance(2 * time.Hour)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { login(t, e) })
		}
		all.Wait()
		if n := w.minted() - 1; n != 1 {
			t.Errorf("50 logins at once minted %d tokens", n)
		}
	})
	t.Run("a refused token is replaced, once a second", func(t *testing.T) {
		t.Parallel()
		w, e, clock := open(t)
		old := login(t, e)
		e.Refused(t.Context(), old.Password)
		login(t, e)
		if n := w.minted(); n != 1 {
			t.Errorf("%d tokens within a second", n)
		}
		clock.advance(2 * time.Second)
		e.Refused(t.Context(), "another")
		e.Refused(t.Context(), old.Password)
		if login(t, e).Password == old.Password || w.minted() != 2 {
			t.Errorf("%d tokens", w.minted())
		}
	})
	t.Run("without another token the last one is used to its end", func(t *testing.T) {
		t.Parallel()
		w, e, clock := open(t)
		old := login(t, e)
		failing(t, w)
		clock.advance(58 * time.Minute)
		if login(t, e).Password != old.Password {
			t.Error("another token")
		}
		clock.advance(2 * time.Minute)
		if l, err := e.Login(t.Context()); provider.CodeOf(err) != provider.Unauthorized {
			t.Errorf("after its end: %v, %v", l, err)
		}
	})
	t.Run("many logins at once fail by one call", func(t *testing.T) {
		t.Parallel()
		w, e, clock := open(t)
		failing(t, w)
		clock.advance(2 * time.Hour)
		w.Reset()
		var all sync.WaitGroup
		begun := make(chan struct{})
		for range 50 {
			all.Go(func() {
				<-begun
				if _, err := e.Login(t.Context()); err == nil {
					t.Error("no error")
				}
			})
		}
		close(begun)
		all.Wait()
		if n := len(w.Requests()); n > 20 { // some may begin after the first failure
			t.Errorf("%d calls for 50 logins", n)
		}
	})
	t.Run("an endpoint that was disabled since is refused", func(t *testing.T) {
		t.Parallel()
		w, e, clock := open(t)
		w.exec(t, `UPDATE databricks_workspace.postgres.postgres_endpoints SET spec__disabled = true WHERE name = 'projects/orders/branches/production/endpoints/primary'`)
		clock.advance(58 * time.Minute)
		if _, err := e.Login(t.Context()); provider.CodeOf(err) != provider.Usage {
			t.Error(err)
		}
	})
	t.Run("waiting ends with the context", func(t *testing.T) {
		t.Parallel()
		_, e, clock := open(t)
		clock.advance(2 * time.Hour)
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := e.Login(canceled); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		login(t, e)
	})
}

// TestGrants shows what is asked for with a token.
func TestGrants(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{})
	_, err := w.client.Open(t.Context(), "orders", lakebase.Options{Grant: lakebase.Grant{ReadOnly: []string{"main.sales.orders", "main.sales.items"}, Life: 10 * time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"claims":[{"permission_set":"READ_ONLY","resources":[{"table_name":"main.sales.orders"},{"table_name":"main.sales.items"}]}],"endpoint":"projects/orders/branches/production/endpoints/primary","ttl":"600s"}`
	for _, r := range w.Requests() {
		if strings.HasSuffix(r.Operation, "credentials.generate") && r.Body != want {
			t.Errorf("sent %s\nwant %s", r.Body, want)
		}
	}
	if w.minted() != 1 {
		t.Error("no token was minted")
	}
	_, err = w.client.Open(t.Context(), "sensors-weekly", lakebase.Options{Grant: lakebase.Grant{Life: 10 * time.Minute}})
	if provider.CodeOf(err) != provider.Usage {
		t.Errorf("a token of an instance with a life: %v", err)
	}
}

// TestComplete shows which names a word completes to.
func TestComplete(t *testing.T) {
	t.Parallel()
	w := start(t, emulator.Options{})
	for word, want := range map[string]string{
		"ord":                        "[orders orders-clean]",
		"orders/":                    "[orders/development orders/production]",
		"orders/production":          "[orders/production]",
		"orders/production/r":        "[orders/production/reports]",
		"projects/o":                 "[projects/orders]",
		"projects/orders/branches/d": "[projects/orders/branches/development]",
		"projects/orders/branches/production/endpoints/p": "[projects/orders/branches/production/endpoints/primary]",
		"x": "[]", "a/b/c/d": "[]",
	} {
		got, err := w.client.Complete(t.Context(), word)
		if fmt.Sprint(got) != want || err != nil {
			t.Errorf("%q completes to %v, %v; want %s", word, got, err, want)
		}
	}
}
