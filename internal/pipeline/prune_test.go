package pipeline

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// modelChange is a change of a row, of a workspace and key.
type modelChange struct {
	at      int
	removed bool
}

// model holds the expected contents of a store, in maps: the present rows and all earlier ones.
type model struct {
	rows    map[string]map[int64]string // by workspace and key
	was     map[int]map[string]string   // by time: bodies by workspace and key
	changes map[string][]modelChange    // by workspace and key
}

// answer takes in an answer.
func (m *model) answer(workspace string, at int, rows map[int64]string) {
	note := func(key int64, removed bool) {
		k := fmt.Sprint(workspace, " ", key)
		m.changes[k] = append(m.changes[k], modelChange{at, removed})
	}
	for key, body := range rows {
		if old, there := m.rows[workspace][key]; !there || old != body {
			note(key, false)
		}
	}
	for key := range m.rows[workspace] {
		if _, there := rows[key]; !there {
			note(key, true)
		}
	}
	m.rows[workspace] = rows
}

// snapshot keeps the present rows as those of a time.
func (m *model) snapshot(at int) {
	m.was[at] = map[string]string{}
	for workspace, rows := range m.rows {
		for key, body := range rows {
			m.was[at][fmt.Sprint(workspace, " ", key)] = body
		}
	}
}

// lines returns the rows of a time, in the form of a query's result.
func (m *model) lines(at int) []string {
	all := []string{}
	for key, body := range m.was[at] {
		all = append(all, key+" "+body)
	}
	slices.Sort(all)
	return all
}

// remaining counts the changes that the history from a time on needs: those after it, and the last earlier one
// of each row, unless that removed the row.
func (m *model) remaining(from int) (n int) {
	for _, changes := range m.changes {
		for i, c := range changes {
			last := i+1 == len(changes) || changes[i+1].at > from
			if c.at >= from || last && !c.removed {
				n++
			}
		}
	}
	return n
}

// TestPruneKeepsWhatIsAskedFor compares a random sequence of answers and prunings with a model: rows stay
// unchanged, the table at any time after the horizon is known, and nothing else is kept.
func TestPruneKeepsWhatIsAskedFor(t *testing.T) {
	const steps, retention = 80, 12
	k := keep(t, things())
	k.def.Retention = retention * time.Second
	k.ask(t, things())
	dice := rand.New(rand.NewPCG(2026, 11))
	m := &model{rows: map[string]map[int64]string{}, was: map[int]map[string]string{}, changes: map[string][]modelChange{}}
	horizon, pruned := 0, 0
	for at := 1; at <= steps; at++ {
		workspace := fmt.Sprint("dbc-", dice.IntN(2))
		rows := map[int64]string{}
		for range dice.IntN(5) {
			rows[dice.Int64N(5)] = string(rune('a' + dice.IntN(3)))
		}
		var given [][]any
		for _, key := range slices.Sorted(maps.Keys(rows)) {
			given = append(given, []any{key, rows[key]})
		}
		k.answer(t, workspace, at, given...)
		m.answer(workspace, at, rows)
		m.snapshot(at)
		if dice.IntN(4) > 0 {
			continue
		}
		now := second(at)
		if err := k.db.transact(t.Context(), func(c tx) error { return k.prune(t.Context(), c, "p", now) }); err != nil {
			t.Fatal(err)
		}
		if at <= retention {
			continue
		}
		pruned++
		horizon = at - retention
		if got, want := k.list(t, "SELECT count(*) FROM lakeql_history_things"), fmt.Sprint(m.remaining(horizon)); got[0] != want {
			t.Fatalf("after pruning to %d the history has %s changes, and %s are needed", horizon, got[0], want)
		}
		if got := k.list(t, "SELECT known_since || '' FROM lakeql_table"); got[0] != stamp(second(horizon)) {
			t.Fatalf("after pruning to %d the history is known since %s", horizon, got[0])
		}
		for then := horizon; then <= at; then++ {
			if got := k.at(t, then, "id, body"); !slices.Equal(got, m.lines(then)) {
				t.Fatalf("after pruning to %d, at %d the table held\n%s\nwant\n%s", horizon, then, strings.Join(got, "\n"), strings.Join(m.lines(then), "\n"))
			}
		}
		if got := k.list(t, "SELECT deployment_name, id, body FROM things ORDER BY 1, 2"); !slices.Equal(got, m.lines(at)) {
			t.Fatalf("after pruning the table holds %v, want %v", got, m.lines(at))
		}
	}
	if pruned < 10 {
		t.Errorf("the history was pruned %d times only", pruned)
	}
}

// TestPruneLeavesTheRest prunes a pipeline. Histories without a limit, other pipelines, and unfinished or recent
// runs stay unchanged.
func TestPruneLeavesTheRest(t *testing.T) {
	k := keep(t, things())
	k.answer(t, "dbc-1", 1, []any{int64(1), "a"})
	k.answer(t, "dbc-1", 2)
	for _, run := range []string{
		"1, 'p', NULL, '{1}'", "2, 'p', NULL, '{50}'", "3, 'p', '{1}', '{1}'", "4, 'other', NULL, '{1}'", "5, 'p', NULL, NULL",
	} {
		for _, n := range []int{1, 50} {
			run = strings.ReplaceAll(run, fmt.Sprintf("{%d}", n), stamp(second(n)))
		}
		if _, err := k.db.exec(t.Context(), "INSERT INTO lakeql_run (id, pipeline, period, ended_at, hash, state, started_by, begun_at) SELECT *, '', '', '', '' FROM (VALUES ("+run+"))"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.db.exec(t.Context(), "INSERT INTO lakeql_task (run_id, table_name, deployment_name, state) SELECT id, 'things', 'dbc-1', 'done' FROM lakeql_run"); err != nil {
		t.Fatal(err)
	}
	prune := func(pipeline string) {
		t.Helper()
		if err := k.db.transact(t.Context(), func(c tx) error { return k.prune(t.Context(), c, pipeline, second(60)) }); err != nil {
			t.Fatal(err)
		}
	}
	const counts = "SELECT (SELECT count(*) FROM lakeql_history_things), (SELECT group_concat(id ORDER BY id) FROM lakeql_run), (SELECT group_concat(run_id ORDER BY run_id) FROM lakeql_task)"
	prune("p")
	k.want(t, counts, "2 1,2,3,4,5 1,2,3,4,5")
	k.def.Retention = 20 * time.Second
	k.ask(t, things())
	prune("other")
	k.want(t, counts, "2 1,2,3,4,5 1,2,3,4,5")
	prune("p")
	k.want(t, counts, "0 2,4,5 2,4,5")
	k.want(t, "SELECT count(*) FROM lakeql_rows_things", "0")
}
