package differential

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/provider"
)

// usualSeed is the seed unless LAKEQL_DIFFERENTIAL says otherwise.
const usualSeed = 1

// shards is how many queries run at the same time.
const shards = 4

// numbers returns the seed, and the numbers of the first query and of the one behind the last.
func numbers(t *testing.T) (seed uint64, from, to int) {
	t.Helper()
	asked := os.Getenv("LAKEQL_DIFFERENTIAL")
	if asked == "" {
		return usualSeed, 0, usualQueries
	}
	if n, _ := fmt.Sscanf(asked, "%d:%d-%d", &seed, &from, &to); n == 3 {
		return seed, from, to
	}
	if n, err := fmt.Sscanf(asked, "%d:%d", &seed, &from); n != 2 {
		t.Fatalf("LAKEQL_DIFFERENTIAL=%s: %v", asked, err)
	}
	return seed, from, from + 1
}

// sides answer queries: the plain tables, and lakeql with one call at a time and with sixteen.
type sides struct {
	world *world
	plain *plain
	one   *engine.Session
	many  *engine.Session
}

func (w *world) sides(t *testing.T) *sides {
	t.Helper()
	return &sides{w, openPlain(t, w), w.session(t, 1), w.session(t, 16)}
}

func (w *world) session(t *testing.T, parallel int) *engine.Session {
	t.Helper()
	authorizer, err := auth.NewStatic(w.server.URL(), provider.Secret(w.server.Token()))
	if err != nil {
		t.Fatal(err)
	}
	session := &engine.Session{
		Catalogue: w.catalogue,
		Client:    &dispatch.Client{Catalogue: w.catalogue, Authorizer: authorizer, Parallel: parallel},
		StorePath: engine.MemoryStore,
	}
	t.Cleanup(session.Close)
	return session
}

// rowsOf returns the rows of a query of lakeql's.
func rowsOf(ctx context.Context, session *engine.Session, sql string) ([]string, error) {
	var lines []string
	for rows, err := range session.Run(ctx, sql) {
		if err != nil {
			return nil, err
		}
		for {
			row, err := rows.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, errors.Join(err, rows.Close())
			}
			lines = append(lines, lineOf(row))
		}
		if err := rows.Close(); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// TestSelect holds generated queries against plain tables. Under the race detector, which makes
// SQLite slow, there are fewer, and most of them run with one call at a time or with sixteen, by turns.
func TestSelect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seed, from, to := numbers(t)
	base := newGenerator(t, w)
	var next, empty atomic.Int64
	next.Store(int64(from))
	t.Run("queries", func(t *testing.T) {
		for shard := range shards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				s := w.sides(t)
				for n := next.Add(1) - 1; n < int64(to); n = next.Add(1) - 1 {
					g := *base
					g.Rand = rand.New(rand.NewPCG(seed, uint64(n)))
					q := g.query()
					sessions := []*engine.Session{s.one, s.many}
					if turns && to-from > 1 && n%8 != 0 {
						sessions = sessions[n%2 : n%2+1]
					}
					rows, problem := s.check(t, q, sessions...)
					if problem != "" {
						t.Errorf("LAKEQL_DIFFERENTIAL=%d:%d\n%s\n%s", seed, n, w.onAPI(q.sql), problem)
					}
					if rows == 0 {
						empty.Add(1)
					}
				}
			})
		}
	})
	if all := to - from; all > 100 && int(empty.Load()) > all/2 {
		t.Errorf("%d of %d queries have no rows, which shows little", empty.Load(), all)
	}
}

// check runs a query in the plain tables and in sessions, and returns the number of rows and the problem.
func (s *sides) check(t *testing.T, q query, sessions ...*engine.Session) (rows int, problem string) {
	t.Helper()
	ctx := t.Context()
	sql := s.world.onPlain(q.sql)
	if q.whole != "" {
		sql = s.world.onPlain(q.whole)
	}
	want, err := s.plain.run(ctx, sql)
	switch {
	case err != nil && strings.Contains(err.Error(), "malformed JSON"):
		// SQLite puts a literal in place of a column that equals it, before -> and ->> too. Then there
		// is nothing to compare with.
		return 0, ""
	case err != nil:
		return 0, fmt.Sprintf("the query is wrong: %v\n%s", err, sql)
	}
	for _, session := range sessions {
		got, err := rowsOf(ctx, session, s.world.onAPI(q.sql))
		switch {
		case err != nil:
			return len(want), fmt.Sprintf("%d at once: %v", session.Client.Parallel, err)
		case q.whole != "":
			problem = part(got, want, q)
		case q.ordered:
			problem = difference(got, want)
		default:
			problem = difference(sorted(got), sorted(want))
		}
		if problem != "" {
			return len(want), fmt.Sprintf("%d at once: %s", session.Client.Parallel, problem)
		}
	}
	return len(want), ""
}

func sorted(rows []string) []string { return slices.Sorted(slices.Values(rows)) }

// difference describes the first difference between two results.
func difference(got, want []string) string {
	if slices.Equal(got, want) {
		return ""
	}
	return fmt.Sprintf("%d rows:\n%s\nwant %d:\n%s", len(got), excerpt(got, want), len(want), excerpt(want, got))
}

// excerpt shows the rows from the first one on that differs.
func excerpt(rows, other []string) string {
	const most = 6
	at := 0
	for at < len(rows) && at < len(other) && rows[at] == other[at] {
		at++
	}
	shown := rows[at:min(len(rows), at+most)]
	return fmt.Sprintf("  (%d the same)\n  %s", at, strings.Join(shown, "\n  "))
}

// part describes how a result is not a part of all rows with the right size.
func part(got, all []string, q query) string {
	left := slices.Clone(all)
	for _, row := range got {
		i := slices.Index(left, row)
		if i < 0 {
			return fmt.Sprintf("%s\nis no row of %d, or comes too often", row, len(all))
		}
		left = slices.Delete(left, i, i+1)
	}
	if want := min(q.cut, max(0, len(all)-q.skip)); len(got) != want {
		return fmt.Sprintf("%d rows, want %d of %d", len(got), want, len(all))
	}
	return ""
}

// newGenerator collects the literals that queries may hold.
func newGenerator(t *testing.T, w *world) *generator {
	t.Helper()
	g := &generator{world: w, samples: map[string][]string{}, common: map[string][]string{}}
	p := openPlain(t, w)
	quoted := func(sql string) []string {
		literals, err := p.texts(sql)
		if err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
		return literals
	}
	for _, r := range w.resources {
		for _, c := range append(slices.Clone(r.columns), r.inside...) {
			g.samples[r.name+" "+c.name] = quoted("SELECT DISTINCT quote(" + c.name + ") FROM " + r.name + " LIMIT 20")
		}
		g.common[r.name] = quoted("SELECT quote(name) FROM " + r.name + " INTERSECT SELECT quote(name) FROM " + r.name + everywhere + " GROUP BY name HAVING count(*) = " + fmt.Sprint(len(workspaces)))
	}
	return g
}
