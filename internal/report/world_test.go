package report

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/provider"
)

// now is when the reports of tests are made.
func now() time.Time { return time.Date(2026, 11, 30, 17, 45, 0, 0, time.UTC) }

// world is a store of a test, as it is read.
type world struct {
	over   pipeline.Overview
	checks []pipeline.CheckOverview
	latest []pipeline.ChangeGroup
	groups map[string][]pipeline.Group
	rows   map[string][][]any
	asked  []pipeline.RowsQuery
}

func (w *world) Overview(context.Context, time.Time, int) (*pipeline.Overview, error) {
	over := w.over
	return &over, nil
}

func (w *world) Latest(context.Context, int, int) ([]pipeline.ChangeGroup, bool, error) {
	return w.latest, len(w.latest) > 0, nil
}

func (w *world) Checks(context.Context, int, int) ([]pipeline.CheckOverview, error) {
	return w.checks, nil
}

func (w *world) Groups(_ context.Context, table string, _ []string, _ int) ([]pipeline.Group, bool, error) {
	return w.groups[table], false, nil
}

func (w *world) Rows(_ context.Context, q pipeline.RowsQuery) (provider.Rows, error) {
	w.asked = append(w.asked, q)
	columns := map[string][]string{
		"warehouses": {"deployment_name", "name", "cluster_size", "auto_stop_mins", "max_num_clusters", "state"},
		"endpoints":  {"deployment_name", "name", "min_cu", "max_cu", "suspend_timeout", "state"},
	}[q.Table]
	described := make([]provider.Column, len(columns))
	for i, name := range columns {
		described[i] = provider.Column{Name: name, Type: "string"}
	}
	var found [][]any
rows:
	for _, row := range w.rows[q.Table] {
		for _, f := range q.Filters {
			for i, name := range columns {
				if name == f.Column && row[i] != f.Is {
					continue rows
				}
			}
		}
		if len(found) < q.Limit {
			found = append(found, row)
		}
	}
	return provider.NewRows(described, found), nil
}

func (w *world) History(context.Context, string, string, *pipeline.Cursor, int) ([]pipeline.RowChange, bool, error) {
	return nil, false, nil
}

// newWorld makes a store with so many workspaces and tables, of which some failed, some are late, and one left.
func newWorld(workspaces, tables int) *world {
	w := &world{over: pipeline.Overview{Place: "inventory.db", Now: now(), Workers: 1, Ran: map[string]int64{}}}
	names := []string{
		"branches", "catalogs", "clusters", "databases", "endpoints", "expiring_tokens", "groups", "jobs", "last_runs", "projects", "roles", "schemas",
		"service_principals", "tables", "users", "warehouses",
	}
	for i := range tables {
		name := fmt.Sprintf("zz_table_%03d", i)
		if i < len(names) {
			name = names[i]
		}
		t := pipeline.TableOverview{Name: name, Pipeline: "inventory", Description: "The " + name + " of every workspace.", Every: 24 * time.Hour, KnownSince: now().AddDate(0, 0, -60)}
		switch name {
		case "warehouses":
			t.Columns = []string{"id", "name", "cluster_size", "auto_stop_mins", "max_num_clusters", "state"}
		case "endpoints":
			t.Columns = []string{"name", "min_cu", "max_cu", "suspend_timeout", "state"}
		case "clusters":
			t.Columns = []string{"cluster_id"} // too few
		case "branches":
			t.Absent, t.Note = []string{"display_name", "is_public"}, "the installed schedule is another version of the pipeline"
		}
		w.over.Tables = append(w.over.Tables, t)
	}
	w.over.Schedules = []pipeline.Schedule{{Pipeline: "inventory", Cron: "0 6 * * *", Next: now().Add(12*time.Hour + 15*time.Minute)}}
	for i, t := range w.over.Tables {
		for n := range workspaces {
			s := pipeline.Slice{State: pipeline.SliceFresh, Table: t.Name, Workspace: fmt.Sprintf("dbc-%08x-%04x", n*2654435761%4294967291, n*40503%65521), Observed: now().Add(-time.Duration(705+n%7) * time.Minute), Rows: int64(10 + (n*7+i*13)%90)}
			switch {
			case n == 1:
				s.State, s.Error, s.Observed = pipeline.SliceFailed, "the token of "+s.Workspace+" is not valid any more: Invalid access token", now().AddDate(0, 0, -4)
			case n == 2 && i%5 == 0:
				s.State, s.Error, s.Observed, s.Rows = pipeline.SliceFailed, fmt.Sprintf("databricks_workspace.%s.list: PERMISSION_DENIED: The principal lacks a permission. (GET https://%s.cloud.databricks.com/api/2.0/%[1]s: HTTP 403, request id %[3]d)", t.Name, s.Workspace, n*1000+i), time.Time{}, 0
			case n == 3:
				s.Observed = now().Add(-60 * time.Hour)
			case n == 4 && i%2 == 0:
				s.Observed = now().AddDate(0, 0, -9)
			case n == 5:
				s.State, s.Error, s.Observed = pipeline.SliceLeft, "left: the account does not list the workspace any more", now().AddDate(0, 0, -20)
			case n == 6 && i == 1:
				s.State, s.Error, s.Observed, s.Rows = pipeline.SliceUnanswered, "its query was not answered yet", time.Time{}, 0
			}
			w.over.Slices = append(w.over.Slices, s)
		}
	}
	for i := range 10 {
		begun := now().AddDate(0, 0, -i).Add(-705 * time.Minute)
		r := pipeline.RunOverview{ID: int64(60 - i), Pipeline: "inventory", State: "done", StartedBy: "worker", Begun: begun, Ended: begun.Add(time.Duration(64+i*7) * time.Second), Queries: int64(workspaces * tables), Done: int64(workspaces * tables), Rows: 48_113, Calls: 9_204, Added: int64(i * 3), Changed: int64(i * 11 % 17), Removed: int64(i % 3)}
		if i < 4 {
			r.State, r.Done, r.Failed, r.Error = "failed", r.Done-int64(tables), int64(tables), ""
		}
		w.over.Runs = append(w.over.Runs, r)
	}
	for i := range 30 {
		day := now().AddDate(0, 0, i-29).Format(time.DateOnly)
		if i < 3 || i == 17 {
			continue
		}
		w.over.Ran[day] = 1
		d := pipeline.Day{Date: day, Table: w.over.Tables[i%tables].Name, Added: int64(i * 37 % 41), Changed: int64(i * 53 % 61), Removed: int64(i * 29 % 31)}
		if i == 3 {
			d = pipeline.Day{Date: day, Table: w.over.Tables[0].Name, First: 48_113}
		}
		if i == 21 {
			d.Added = 2_400
		}
		w.over.Days = append(w.over.Days, d)
	}
	w.checked()
	w.changes()
	w.computes()
	return w
}

// checked are checks of every state.
func (w *world) checked() {
	for i, name := range []string{"tokens_without_end", "public_endpoints", "clusters_stop", "admins", "branches_expire", "ip_lists"} {
		c := pipeline.CheckOverview{
			Pipeline: "inventory", Name: name, Severity: []string{"critical", "error", "warning", "error", "warning", "info"}[i], State: []string{"fail", "error", "unknown", "pass", "pass", "pass"}[i],
			Owner: "platform@example.com", Control: []string{"SAT IA-4", "", "", "SAT IA-2", "", ""}[i], Description: "What the check " + name + " is about.",
			Since: now().AddDate(0, 0, -i-1), At: now().Add(-11 * time.Hour), Rows: []int64{12, -1, 0, 0, 0, 0}[i], Message: []string{"12 failing rows", "the query is invalid: no such column: is_public", "rows of 2 workspaces are old", "", "", ""}[i],
		}
		if i == 0 {
			c.Failing = []pipeline.FailingRow{{Message: "the token of ada@example.com has no end", Since: now().AddDate(0, 0, -1)}, {Message: hostile, Since: now().AddDate(0, 0, -1)}}
		}
		for j := range 30 - 9*(i%3) {
			r := pipeline.CheckResult{Run: int64(31 + j), At: now().AddDate(0, 0, j-29), State: "pass"}
			if j >= 28-i-9*(i%3) && i < 3 || (i+j)%13 == 0 {
				r.State, r.Rows = c.State, int64(j)
			}
			c.Results = append(c.Results, r)
		}
		w.checks = append(w.checks, c)
	}
}

// changes are the latest changes, with values that are hostile.
func (w *world) changes() {
	raw := func(v any) json.RawMessage {
		text, _ := json.Marshal(v)
		return text
	}
	at := now().Add(-11 * time.Hour)
	w.latest = []pipeline.ChangeGroup{
		{Table: "branches", Workspace: "dbc-9e3779b1-9e37", Workspaces: 1, Run: 60, At: at, Added: 1, Changed: 2, Removed: 1, Examples: []pipeline.RowChange{
			{ID: 9, Change: "changed", Key: []pipeline.NamedValue{{Name: "name", Value: "projects/orders/branches/production"}}, Columns: []pipeline.ColumnChange{
				{Name: "is_protected", From: raw(true), To: raw(false)}, {Name: "expire_time", From: raw(nil), To: raw("2026-12-24T00:00:00Z")},
			}},
			{ID: 8, Change: "changed", Key: []pipeline.NamedValue{{Name: "name", Value: "projects/web-shop/branches/development"}}, Columns: []pipeline.ColumnChange{{Name: "state", From: raw("READY"), To: raw("ARCHIVED")}}},
			{ID: 7, Change: "removed", Key: []pipeline.NamedValue{{Name: "name", Value: "projects/p/branches/feature-1187"}}},
			{ID: 6, Change: "added", Key: []pipeline.NamedValue{{Name: "name", Value: "projects/p/branches/feature-1188"}}},
		}},
		{Table: "groups", Workspace: "dbc-3c6ef362-3c6e", Workspaces: 1, Run: 60, At: at.Add(-time.Minute), Changed: 1, Examples: []pipeline.RowChange{
			{ID: 5, Change: "changed", Key: []pipeline.NamedValue{{Name: "id", Value: int64(4561779873)}}, Label: pipeline.NamedValue{Name: "display_name", Value: "admins"}, Columns: []pipeline.ColumnChange{{Name: "members", From: raw([]string{"ada@example.com"}), To: raw([]string{"ada@example.com", "mallory@example.com"})}}},
		}},
		{Table: "jobs", Workspace: "dbc-00000000-0000", Workspaces: 1, Run: 59, At: at.AddDate(0, 0, -1), Changed: 1, Added: 240, Examples: []pipeline.RowChange{
			{ID: 4, Change: "changed", Key: []pipeline.NamedValue{{Name: "name", Value: hostile}}, Columns: []pipeline.ColumnChange{
				{Name: "</style><script>alert(1)</script>", From: raw(hostile), To: raw(longValue())}, {Name: "comment", From: raw(""), To: raw("dapi" + "0123456789abcdef0123456789abcdef")},
			}},
			{ID: 3, Change: "added", Key: []pipeline.NamedValue{{Name: "name", Value: nil}}},
		}},
		{Table: "catalogs", Workspaces: 40, Run: 31, At: at.AddDate(0, 0, -26), First: true, Added: 12_000},
		{Table: "users", Workspaces: 40, Run: 31, At: at.AddDate(0, 0, -26), First: true, Added: 36_113},
	}
}

// hostile is a text that would be more than text in a page that takes it as it is.
const hostile = `"><img src=x onerror=alert(1)></bdi><script>alert('x')</script>{{.}}` + "\u202e\u2066\x00\x1b[31m' onload='x" + `<style>*{display:none}</style>&lt;`

func longValue() string {
	text := ""
	for len(text) < 5000 {
		text += "Donaudampfschifffahrtsgesellschaftskapitän"
	}
	return text
}

// computes are the warehouses and endpoints.
func (w *world) computes() {
	w.groups, w.rows = map[string][]pipeline.Group{}, map[string][][]any{}
	for i, size := range []string{"2X-Small", "Small", "Small", "Medium", "2X-Large", "4X-Large"} {
		stop := []int64{10, 10, 0, 45, 120, 0}[i]
		state := []string{"STOPPED", "RUNNING", "RUNNING", "STOPPED", "RUNNING", "STOPPED"}[i]
		clusters := int64(1 + i%3)
		n := []int64{61, 48, 9, 22, 3, 1}[i]
		w.groups["warehouses"] = append(w.groups["warehouses"], pipeline.Group{Values: []any{size, stop, clusters, state}, Rows: n})
		for j := range min(n, 4) {
			w.rows["warehouses"] = append(w.rows["warehouses"], []any{fmt.Sprintf("dbc-%08x", j*77), fmt.Sprintf("%s %d", []string{"Ad hoc", "Reports", "Dashboards", "Loading", "Finance", "Year's end"}[i], j+1), size, stop, clusters, state})
		}
	}
	for i, cu := range []float64{1, 4, 8, 32} {
		sleep := []any{"300s", "300s", nil, "86400s"}[i]
		n := []int64{120, 44, 6, 2}[i]
		w.groups["endpoints"] = append(w.groups["endpoints"], pipeline.Group{Values: []any{cu, sleep, 0.5, "ACTIVE"}, Rows: n})
		for j := range min(n, 5) {
			w.rows["endpoints"] = append(w.rows["endpoints"], []any{fmt.Sprintf("dbc-%08x", j*91), fmt.Sprintf("projects/orders-%d/branches/production/endpoints/primary", j), 0.5, cu, sleep, "ACTIVE"})
		}
	}
}
