package engine_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// gathering holds requests back until so many of them are under way at once; from then on all pass.
type gathering struct {
	suffix string // of the paths that it holds
	want   int

	mu   sync.Mutex
	here int
	most int
	open chan struct{}
	once sync.Once
}

func gather(suffix string, want int) *gathering {
	return &gathering{suffix: suffix, want: want, open: make(chan struct{})}
}

// hold waits with a request, if it is one to wait with.
func (g *gathering) hold(t *testing.T, r *http.Request) {
	t.Helper()
	if !strings.HasSuffix(r.URL.Path, g.suffix) {
		return
	}
	g.mu.Lock()
	g.here++
	g.most = max(g.most, g.here)
	if g.here == g.want {
		g.once.Do(func() { close(g.open) })
	}
	g.mu.Unlock()
	wait(t, r, g.open)
	g.mu.Lock()
	g.here--
	g.mu.Unlock()
}

// peak is how many requests were under way at once. A statement that stops early leaves some
// behind, which end on their own.
func (g *gathering) peak() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.most
}

// TestCallsOverlap shows that calls which SQLite makes one after the other are under way at the
// same time: the server answers none before as many have come as there may be at once.
func TestCallsOverlap(t *testing.T) {
	const many = 16 // what a workspace takes at once, fewer than there are projects
	chain := "SELECT p.name, b.name, e.name FROM {p} p JOIN {b} b ON b.parent = p.name JOIN {e} e ON e.parent = b.name"
	both := func() []*gathering { return []*gathering{gather("/branches", many), gather("/endpoints", many)} }
	one := func(want int) []*gathering { return []*gathering{gather("/branches", want)} }
	tests := map[string]struct {
		query string
		gates []*gathering
	}{
		"a join":                     {"SELECT b.name FROM {p} p JOIN {b} b ON b.parent = p.name", one(many)},
		"a chain of three":           {chain, both()},
		"a chain of outer joins":     {strings.ReplaceAll(chain, "JOIN", "LEFT JOIN"), both()},
		"a chain with an aggregate":  {"SELECT p.name, count(e.name) FROM {p} p JOIN {b} b ON b.parent = p.name JOIN {e} e ON e.parent = b.name GROUP BY 1 ORDER BY 2", both()},
		"a chain with a window":      {"SELECT row_number() OVER (ORDER BY e.name) FROM {p} p JOIN {b} b ON b.parent = p.name JOIN {e} e ON e.parent = b.name", both()},
		"sorted, with a LIMIT":       {chain + " ORDER BY e.name LIMIT 3", both()},
		"an expression between":      {"SELECT e.name FROM {p} p JOIN {b} b ON b.parent = p.name || '' JOIN {e} e ON e.parent = lower(b.name)", both()},
		"parts of a name":            {"SELECT b.name FROM {p} p JOIN {b} b ON b.project_id = substr(p.name, 10)", one(many)},
		"an outer join":              {"SELECT b.name FROM {p} p LEFT JOIN {b} b ON b.parent = p.name", one(many)},
		"an IN list":                 {"SELECT name FROM {b} WHERE project_id IN ('fleet', 'inventory', 'orders', 'p', 'web-shop')", one(5)},
		"alternatives":               {"SELECT name FROM {b} WHERE project_id = 'orders' OR project_id = 'p' OR parent = 'projects/fleet'", one(3)},
		"IN of a subquery":           {"SELECT name FROM {b} WHERE parent IN (SELECT name FROM {p})", one(many)},
		"a chain of subqueries":      {"SELECT name FROM {e} WHERE parent IN (SELECT name FROM {b} WHERE parent IN (SELECT name FROM {p}))", both()},
		"a table expression":         {"WITH x AS (SELECT name FROM {p}) SELECT b.name FROM x JOIN {b} b ON b.parent = x.name", one(many)},
		"one that is materialized":   {"WITH x AS MATERIALIZED (SELECT name FROM {p}) SELECT b.name FROM x JOIN {b} b ON b.parent = x.name", one(many)},
		"a recursive one":            {"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 16) SELECT b.name FROM n JOIN {b} b ON b.project_id = printf('tenant-%07d', n.i)", one(many)},
		"a correlated count":         {"SELECT p.name, (SELECT count(*) FROM {b} b WHERE b.parent = p.name) FROM {p} p", one(many)},
		"a correlated value":         {"SELECT p.name, (SELECT b.name FROM {b} b WHERE b.parent = p.name) FROM {p} p", one(many)},
		"a correlated value, sorted": {"SELECT p.name, (SELECT b.name FROM {b} b WHERE b.parent = p.name ORDER BY b.name DESC) FROM {p} p", one(many)},
		"EXISTS":                     {"SELECT p.name FROM {p} p WHERE EXISTS (SELECT 1 FROM {b} b WHERE b.parent = p.name AND b.name LIKE '%/b')", one(many)},
		"NOT EXISTS":                 {"SELECT p.name FROM {p} p WHERE NOT EXISTS (SELECT 1 FROM {b} b WHERE b.parent = p.name AND b.name LIKE '%/b')", one(many)},
		"IN a correlated subquery":   {"SELECT p.name FROM {p} p WHERE p.name || '/branches/b' IN (SELECT b.name FROM {b} b WHERE b.parent = p.name)", one(many)},
		"UNION ALL of lists":         {"SELECT name FROM {b} WHERE project_id = 'orders' UNION ALL SELECT name FROM {b} WHERE project_id = 'p' UNION SELECT name FROM {b} WHERE project_id = 'fleet'", one(3)},
		"workspaces":                 {"SELECT name FROM {p} WHERE deployment_name IN ('a', 'b', 'c', 'd')", []*gathering{gather("/projects", 4)}},
		"a join in two workspaces":   {"SELECT b.name FROM {p} p JOIN {b} b ON b.parent = p.name AND b.deployment_name = p.deployment_name WHERE p.deployment_name IN ('a', 'b')", one(2 * many)},
		"a view":                     {"SELECT name FROM databricks_workspace.postgres.vw_branches WHERE project_id IN ('orders', 'p')", one(2)},
		"one value each":             {"SELECT b.name FROM {p} p JOIN {b} b ON b.name = p.name || '/branches/production'", []*gathering{gather("/production", many)}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{Scale: 16}, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				for _, g := range test.gates {
					g.hold(t, r)
				}
				next.ServeHTTP(w, r)
			})
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			rows, err := read(ctx, w.session(t, 0), test.query)
			if err != nil || len(rows) == 0 {
				t.Errorf("%d rows: %v", len(rows), err)
			}
			for _, g := range test.gates {
				if g.most != g.want {
					t.Errorf("%d calls of …%s at once, want %d", g.most, g.suffix, g.want)
				}
			}
		})
	}
}

// TestOrderIsThatOfOneByOne shows that rows come in the order of sequential calls, even if the first answer
// arrives after others.
func TestOrderIsThatOfOneByOne(t *testing.T) {
	for name, test := range map[string]struct {
		query string
		late  string // what the paths of calls end with of which the first is answered late
		by    int    // behind so many others
	}{
		"a join":        {"SELECT p.name, b.name FROM {p} p JOIN {b} b ON b.parent = p.name", "/branches", 15},
		"a chain":       {"SELECT e.name FROM {p} p JOIN {b} b ON b.parent = p.name JOIN {e} e ON e.parent = b.name", "/endpoints", 15},
		"an outer join": {"SELECT p.name, b.name FROM {p} p LEFT JOIN {b} b ON b.parent = p.name AND b.name LIKE '%/b'", "/branches", 15},
		"an IN list":    {"SELECT name FROM {b} WHERE project_id IN ('p', 'fleet', 'web-shop', 'orders', 'inventory', 'payroll')", "/branches", 5},
		"a subquery":    {"SELECT name FROM {b} WHERE parent IN (SELECT name FROM {p})", "/branches", 15},
		"json values":   {`SELECT b.name FROM json_each('["p","fleet","web-shop","orders","inventory","payroll"]') j JOIN {b} b ON b.project_id = j.value`, "/branches", 5},
		"workspaces":    {"SELECT deployment_name, name FROM {p} WHERE deployment_name IN ('a', 'b', 'c', 'd', 'e')", "/projects", 4},
		"a union":       {"SELECT name FROM {b} WHERE project_id = 'p' UNION ALL SELECT name FROM {b} WHERE project_id = 'orders'", "/branches", 1},
		"under a LIMIT": {"SELECT e.name FROM {p} p JOIN {b} b ON b.parent = p.name JOIN {e} e ON e.parent = b.name LIMIT 17", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := emulator.Options{Scale: 20}
			serial, err := read(t.Context(), newWorld(t, opts, nil).session(t, 1), test.query)
			if err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			came, answered, others := 0, 0, make(chan struct{})
			w := newWorld(t, opts, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if test.by == 0 || !strings.HasSuffix(r.URL.Path, test.late) {
					next.ServeHTTP(w, r)
					return
				}
				mu.Lock()
				came++
				first := came == 1
				mu.Unlock()
				if first {
					wait(t, r, others)
				}
				next.ServeHTTP(w, r)
				mu.Lock()
				defer mu.Unlock()
				if answered++; answered == test.by {
					close(others)
				}
			})
			rows, err := read(t.Context(), w.session(t, 0), test.query)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(rows, serial) || len(rows) < 5 {
				t.Errorf("rows\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(serial, "\n"))
			}
		})
	}
}

// TestLimitOverlaps shows that calls are under way at once under a LIMIT as well, once a few were
// made.
func TestLimitOverlaps(t *testing.T) {
	gate := gather("/branches", 3)
	w := newWorld(t, emulator.Options{Scale: 16}, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !strings.Contains(r.URL.Path, "/fleet/") && !strings.Contains(r.URL.Path, "/inventory/") { // the first two
			gate.hold(t, r)
		}
		next.ServeHTTP(w, r)
	})
	rows, err := read(t.Context(), w.session(t, 0), "SELECT b.name FROM {p} p JOIN {b} b ON b.parent = p.name LIMIT 40")
	if err != nil || len(rows) != 40 || gate.peak() < gate.want {
		t.Errorf("%d rows, %d calls at once: %v", len(rows), gate.peak(), err)
	}
}

// TestLimitBoundsCalls shows that a statement which stops early makes twice the calls, at most,
// that one call after the other would have taken.
func TestLimitBoundsCalls(t *testing.T) {
	const join = "SELECT b.name FROM {p} p JOIN {b} b ON b.parent = p.name"
	const chain = "SELECT e.name FROM {p} p JOIN {b} b ON b.parent = p.name JOIN {e} e ON e.parent = b.name"
	tests := map[string]struct {
		query  string
		serial int // calls: the list, and what it takes until there are so many rows
	}{
		"the first row":    {join + " LIMIT 1", 2},
		"3 rows":           {join + " LIMIT 3", 3},
		"10 rows":          {join + " LIMIT 10", 6},
		"50 rows":          {join + " LIMIT 50", 26},
		"100 rows":         {join + " LIMIT 100", 51},
		"behind an OFFSET": {join + " LIMIT 1 OFFSET 49", 26},
		"a chain, 1 row":   {chain + " LIMIT 1", 3},
		"a chain, 5 rows":  {chain + " LIMIT 5", 9},
		"a chain, 40 rows": {chain + " LIMIT 40", 61},
		"distinct rows":    {"SELECT DISTINCT p.name FROM {p} p JOIN {b} b ON b.parent = p.name LIMIT 20", 21},
		"two lists":        {join + " UNION ALL SELECT name FROM {b} WHERE project_id = 'orders' LIMIT 20", 11},
		"a sorted part":    {join + " WHERE p.name IN (SELECT name FROM {p} ORDER BY name DESC LIMIT 50) LIMIT 1", 4},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, emulator.Options{Scale: 100, PageSize: 1000, Seed: 1}, nil)
			if _, err := read(t.Context(), w.session(t, 0), test.query); err != nil {
				t.Fatal(err)
			}
			if calls := len(w.calls()); calls > 2*test.serial {
				t.Errorf("%d calls, where %d are needed", calls, test.serial)
			}
		})
	}
}
