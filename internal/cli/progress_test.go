package cli

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lakeql/lakeql/internal/pipeline"
)

// at is the progress of a run of 784 queries, so many seconds after its begin.
func at(seconds int, done, failed, busy, held int64) *pipeline.Progress {
	p := &pipeline.Progress{Run: pipeline.Run{ID: 12, State: pipeline.Running}, Now: time.Unix(int64(seconds), 0), Done: done, Fail: failed, Busy: busy, Held: held, Rows: 123456, Calls: 98765}
	p.Wait = 784 - done - failed - busy
	return p
}

// TestProgressLine shows that the line of a terminal keeps the failures and the time that is left.
func TestProgressLine(t *testing.T) {
	t.Parallel()
	for width, want := range map[int]string{
		200: "run 12: ████░░░░░░░░░░░░░░░░░░░░ 120 of 784 done, 12 failed, about 5m26s left, 3 held back, 64 running, 588 waiting, 123456 rows, 98765 calls",
		80:  "run 12: ████░░░░░░░░░░░░░░░░░░░░ 120 of 784 done, 12 failed, about 5m26s left",
		60:  "run 12: █░░░░░ 120 of 784 done, 12 failed, about 5m26s left",
		50:  "run 12: 120 of 784 done, 12 failed, about 5m26s l",
		10:  "run 12: 1",
	} {
		d := &progressDisplay{}
		for _, p := range []*pipeline.Progress{at(0, 0, 0, 64, 0), at(66, 120, 12, 64, 0), at(67, 120, 12, 64, 3)} {
			d.estimate.observe(p)
		}
		got := d.line(at(67, 120, 12, 64, 3), width-1)
		if got != want || utf8.RuneCountInString(got) >= width {
			t.Errorf("%d characters:\n%s\nwant\n%s", width, got, want)
		}
	}
}

// TestTimeLeft shows that the estimate goes by the time in which queries could end.
func TestTimeLeft(t *testing.T) {
	t.Parallel()
	steady := func(from, to int) (all []*pipeline.Progress) { // a query a second
		for i := from; i <= to; i++ {
			all = append(all, at(i, int64(i), 0, 8, 0))
		}
		return all
	}
	stalled := func(busy, held int64) (all []*pipeline.Progress) { // a minute in which nothing ends, and then as before
		for i := 21; i <= 80; i++ {
			all = append(all, at(i, 20, 0, busy, held))
		}
		for i := 81; i <= 100; i++ {
			all = append(all, at(i, int64(i-60), 0, 8, 0))
		}
		return all
	}
	for name, test := range map[string]struct {
		all        []*pipeline.Progress
		most, last time.Duration
	}{
		"nothing ended yet":   {[]*pipeline.Progress{at(0, 0, 0, 8, 0), at(60, 0, 0, 8, 0)}, 0, 0},
		"a query a second":    {steady(0, 40), 782 * time.Second, 744 * time.Second},
		"a rate limit":        {append(steady(0, 20), stalled(0, 764)...), 782 * time.Second, 744 * time.Second},
		"some are held back":  {append(steady(0, 20), stalled(3, 2)...), 782 * time.Second, 744 * time.Second},
		"the lease of a dead": {append(steady(0, 20), stalled(8, 0)...), 782 * time.Second, 744 * time.Second},
		"resumed":             {[]*pipeline.Progress{at(0, 700, 0, 8, 0), at(10, 742, 0, 8, 0)}, 10 * time.Second, 10 * time.Second},
		"batches of a minute": {[]*pipeline.Progress{at(0, 0, 0, 64, 0), at(60, 64, 0, 64, 0), at(120, 128, 0, 64, 0)}, 675 * time.Second, 615 * time.Second},
	} {
		var e estimate
		var most time.Duration
		for _, p := range test.all {
			e.observe(p)
			most = max(most, e.left())
		}
		if most != test.most || e.left() != test.last {
			t.Errorf("%s: at most %s, in the end %s, want %s and %s", name, most, e.left(), test.most, test.last)
		}
	}
}

// TestFailuresByReason shows which failed queries a summary takes together.
func TestFailuresByReason(t *testing.T) {
	t.Parallel()
	const denied = ": PERMISSION_DENIED: no. (GET http://"
	failure := func(table, workspace, message string) pipeline.Failure {
		return pipeline.Failure{Table: table, Workspace: workspace, Message: message}
	}
	all := []pipeline.Failure{
		failure("a", "dbc-1", "databricks_workspace.jobs.jobs.list"+denied+"dbc-1.localhost/api/2.2/jobs: HTTP 403, request id 1-2-3); ask for it"),
		failure("b", "dbc-1", "databricks_workspace.sql.warehouses.list"+denied+"dbc-1.localhost/api/2.0/sql: HTTP 403, request id 9); ask for it"),
		failure("a", "dbc-2", "databricks_workspace.jobs.jobs.list"+denied+"dbc-2.localhost/api/2.2/jobs: HTTP 403, request id 4); ask for it"),
		failure("b", "dbc-2", "databricks_workspace.sql.warehouses.list: no. (GET http://dbc-2.localhost/api/2.0/sql: HTTP 500, request id 9)"),
		failure("c", "dbc-2", "the query answers more than 5 rows"),
		failure("a", "dbc-3", `databricks_workspace.jobs.jobs.list: dial tcp: lookup dbc-3.localhost: no such host (GET http://dbc-3.localhost/api/2.2/jobs)`),
		failure("a", "dbc-4", `databricks_workspace.jobs.jobs.list: dial tcp: lookup dbc-4.localhost: no such host (GET http://dbc-4.localhost/api/2.2/jobs)`),
	}
	want := []string{
		"3 of a, b in dbc-1, dbc-2: PERMISSION_DENIED: no. (HTTP 403); ask for it",
		"2 of a in dbc-3, dbc-4: dial tcp: lookup ….localhost: no such host (…)",
		"1 of b in dbc-2: no. (HTTP 500)",
		"1 of c in dbc-2: the query answers more than 5 rows",
	}
	var got []string
	for _, g := range groupFailures(all) {
		got = append(got, strings.Join([]string{string(rune('0' + g.queries)), "of", firstNames(g.tables), "in", firstNames(g.workspaces) + ":", g.reason}, " "))
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
