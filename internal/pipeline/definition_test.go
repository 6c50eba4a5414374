package pipeline

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// write makes a folder with files.
func write(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const someConfig = "name: p\nworkspaces: all\nvariables: {days: '30'}\n"

// TestLoad reads a folder, whose name is no pattern.
func TestLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), `a [b]*?`)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{
		"pipeline.yaml": someConfig + "store: s.db\n", "b.sql": "-- table: one\n-- key: id\nSELECT {{ days }} AS id", "a.sql": "-- table: two\n-- key: id\nSELECT 1 AS id",
		"notes.txt": "no table", "c.sql.bak": "none either",
	})
	d, err := Load(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Tables) != 2 || d.Tables[0].Name != "two" || d.Tables[0].File != "a.sql" || d.Tables[1].Query != "SELECT {{ days }} AS id" {
		t.Errorf("%+v", d.Tables)
	}
	if got := StoreOf(d); got != filepath.Join(dir, "s.db") {
		t.Errorf("the store is %s", got)
	}
	if query, err := d.Probe(t.Context(), &d.Tables[1]); query != "SELECT 30 AS id" {
		t.Errorf("%s, %v", query, err)
	}
	if d.table("one") != &d.Tables[1] || d.table("three") != nil {
		t.Error("tables are not found by their names")
	}
}

// TestLoadRefuses loads faulty folders. Each error names file and line.
func TestLoadRefuses(t *testing.T) {
	const fine = "-- table: t\n-- key: id\nSELECT 1 AS id"
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"no pipeline.yaml", map[string]string{"a.sql": fine}, "{} is no pipeline: it has no pipeline.yaml"},
		{"no SQL files", map[string]string{"pipeline.yaml": someConfig}, "the pipeline {} has no SQL files: each makes one table"},
		{"a fault of pipeline.yaml", map[string]string{"pipeline.yaml": someConfig + "rate: x", "a.sql": fine}, `{}/pipeline.yaml:4:7: rate: "x" is not a number of calls a second, nor 0 for no limit`},
		{"a fault without a line", map[string]string{"pipeline.yaml": "name: p", "a.sql": fine}, `{}/pipeline.yaml: workspaces: not said: all, or a list of deployment names, or {query: "SELECT …"}`},
		{"a fault of a comment", map[string]string{"pipeline.yaml": someConfig, "a.sql": "-- table: t\n-- keys: id\nSELECT 1"}, `{}/a.sql:2:1: "keys" is not known here: table, description, key and types are`},
		{"a fault of a template", map[string]string{"pipeline.yaml": someConfig, "a.sql": "-- table: t\n-- key: id\n\nSELECT {{ .day }}"}, `{}/a.sql:4:11: fill in the variables: <.day>: map has no entry for key "day"`},
		{"a table twice", map[string]string{"pipeline.yaml": someConfig, "a.sql": fine, "b.sql": fine}, "{}/b.sql: the table t is that of a.sql too"},
		{"a hostile name of a file", map[string]string{"pipeline.yaml": someConfig, "a\x1b[2J.sql": "SELECT 1"}, `{}/a\x1b[2J.sql: the comment at its top does not name the table`},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := write(t, t.TempDir(), test.files)
			_, err := Load(t.Context(), dir)
			if want := strings.ReplaceAll(test.want, "{}", dir); err == nil || err.Error() != want || provider.CodeOf(err) != provider.Usage {
				t.Errorf("%v\nwant\n%s", err, want)
			}
		})
	}
	dir := write(t, t.TempDir(), map[string]string{"pipeline.yaml": someConfig})
	if err := os.Mkdir(filepath.Join(dir, "a.sql"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(t.Context(), dir); provider.CodeOf(err) != provider.Usage || !strings.Contains(err.Error(), "read the pipeline: ") {
		t.Errorf("a folder for a file: %v", err)
	}
}

// TestInit loads the folder that init writes as a pipeline. A second init overwrites nothing.
func TestInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "inventory")
	made, err := Init(dir)
	if err != nil || len(made) < 10 {
		t.Fatal(made, err)
	}
	d, err := Load(t.Context(), dir)
	if err != nil || len(d.Tables) < 10 || len(d.Checks) < 10 || len(d.Tables)+len(d.Checks) != len(made)-1 {
		t.Fatal(d, err)
	}
	other := write(t, t.TempDir(), map[string]string{"users.sql": "mine"})
	made, err = Init(other)
	if err == nil || len(made) != 0 || err.Error() != filepath.Join(other, "users.sql")+" is there already, and nothing was made" {
		t.Errorf("%v, %v", made, err)
	}
	if entries, err := os.ReadDir(other); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestHash compares hashes of definitions: another content has another hash, another place has the same one.
func TestHash(t *testing.T) {
	hashWith := func(change func(*Definition)) string {
		d := &Definition{Name: "p", Workspaces: Workspaces{All: true}, Tables: []Table{{Name: "t", Key: []string{"a"}, Query: "SELECT 1 AS a"}}, Variables: map[string]string{"a": "1", "b": "2"}}
		change(d)
		return d.Hash()
	}
	same := hashWith(func(*Definition) {})
	if other := hashWith(func(d *Definition) { d.Store, d.Folder, d.Tables[0].File, d.Tables[0].Lines = "s", "f", "x.sql", 3 }); other != same {
		t.Error("where a pipeline is written down changes its hash")
	}
	for name, change := range map[string]func(*Definition){
		"name":      func(d *Definition) { d.Name = "q" },
		"workspace": func(d *Definition) { d.Workspaces = Workspaces{Names: []string{"a"}} },
		"query":     func(d *Definition) { d.Tables[0].Query += " " },
		"key":       func(d *Definition) { d.Tables[0].Key = []string{"b"} },
		"type":      func(d *Definition) { d.Tables[0].Columns = []Column{{"a", Text}} },
		"variable":  func(d *Definition) { d.Variables["a"] = "2" },
		"on_error":  func(d *Definition) { d.OnError = Stop },
	} {
		if hashWith(change) == same {
			t.Errorf("another %s has the same hash", name)
		}
	}
}

// TestFill puts the values of variables into a query.
func TestFill(t *testing.T) {
	variables := map[string]string{"days": "30", "hostile": `a'; DROP TABLE b; --{{ days }}`, "len": "mine", "_x1": ""}
	for _, test := range []struct{ name, text, want string }{
		{"nothing to fill in", "SELECT '}}' AS a", "SELECT '}}' AS a"},
		{"in both forms", "{{ days }} {{ .days }} {{days}}", "30 30 30"},
		{"the workspace", "'{{ deployment_name }}' '{{ .deployment_name }}'", "'dbc-1' 'dbc-1'"},
		{"a quoted value is one text, whatever is in it", "{{ quote .hostile }}", `'a''; DROP TABLE b; --{{ days }}'`},
		{"a quoted value in the other form", "{{ hostile | quote }}", `'a''; DROP TABLE b; --{{ days }}'`},
		{"a value is not filled in again", "{{ .hostile }}", `a'; DROP TABLE b; --{{ days }}`},
		{"a variable comes before what templates have", "{{ len }}", "mine"},
		{"an empty value", "[{{ _x1 }}{{ ._x1 }}]", "[]"},
		{"a reference for Databricks itself", `{{"{{job.id}}"}}`, "{{job.id}}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := (&Definition{Variables: variables}).fill(t.Context(), test.text, "dbc-1"); err != nil || got != test.want {
				t.Errorf("%s, %v; want %s", got, err, test.want)
			}
		})
	}
	for text, want := range map[string]string{
		"SELECT\n {{ .day }}": `line 2, column 5: fill in the variables: <.day>: map has no entry for key "day"`,
		"{{ day }}":           `line 1, column 1: fill in the variables: function "day" not defined`,
		"\n{{ days":           `line 2, column 1: fill in the variables: unclosed action`,
		"{{ job.id }}":        `line 1, column 1: fill in the variables: function "job" not defined`,
		"{{ quote }}":         `line 1, column 4: fill in the variables: <quote>: wrong number of args for quote: want 1 got 0`,
		"{{ .days.x }}":       `line 1, column 9: fill in the variables: <.days.x>: can't evaluate field x in type string`,
	} {
		got, err := (&Definition{Variables: variables}).fill(t.Context(), text, "dbc-1")
		if err == nil || got != "" || err.Error() != want || provider.CodeOf(err) != provider.Usage || provider.HintOf(err) == "" {
			t.Errorf("%q: %q, %v; want %s", text, got, err, want)
		}
	}
}

// TestNext shows when schedules come, by the clock of their time zone.
func TestNext(t *testing.T) {
	for _, test := range []struct{ name, schedule, zone, after, want string }{
		{"every hour", "0 * * * *", "", "2026-11-28T16:06:55Z", "2026-11-28T17:00:00Z"},
		{"at that moment, the one after", "0 * * * *", "", "2026-11-28T17:00:00Z", "2026-11-28T18:00:00Z"},
		{"a word for it", "@daily", "", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"},
		{"a weekday", "0 6 * * MON", "", "2026-11-28T00:00:00Z", "2026-11-30T06:00:00Z"},
		{"another time zone", "0 6 * * *", "America/New_York", "2026-11-28T00:00:00Z", "2026-11-28T11:00:00Z"},
		{"the same in summer", "0 6 * * *", "America/New_York", "2026-07-28T00:00:00Z", "2026-07-28T10:00:00Z"},
		{"half an hour off", "0 6 * * *", "Asia/Kolkata", "2026-11-28T00:00:00Z", "2026-11-28T00:30:00Z"},
		{"the day that clocks go forward, before", "0 1 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T00:00:00Z"},
		{"the day that clocks go forward, after", "0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		{"the day that clocks go back, an hour that is there once", "0 6 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T05:00:00Z"},
		{"the 29th of February", "0 0 29 2 *", "", "2026-11-28T00:00:00Z", "2028-02-29T00:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := &Definition{Schedule: test.schedule, Timezone: test.zone}
			got, err := d.next(date(t, test.after))
			if err != nil || !got.Equal(date(t, test.want)) {
				t.Errorf("%v, %v; want %s", got.UTC(), err, test.want)
			}
		})
	}
}

// TestNextOnce shows that a day on which clocks change has its time once, and that no time comes twice.
func TestNextOnce(t *testing.T) {
	for _, schedule := range []string{"30 1 * * *", "30 2 * * *", "0 3 * * *", "15 */3 * * *"} {
		d := &Definition{Schedule: schedule, Timezone: "Europe/Berlin"}
		var days []string
		for at := date(t, "2026-03-20T00:00:00Z"); at.Before(date(t, "2026-11-05T00:00:00Z")); {
			next, err := d.next(at)
			if err != nil || !next.After(at) {
				t.Fatalf("%s: after %v comes %v, %v", schedule, at, next, err)
			}
			at = next
			days = append(days, next.Format("2006-01-02T15:04-07:00"))
		}
		if sorted := slices.Compact(slices.Sorted(slices.Values(days))); len(sorted) != len(days) {
			t.Errorf("%s comes at a time twice", schedule)
		}
	}
}

// TestPause shows that pauses grow, up to a bound, and are never nothing.
func TestPause(t *testing.T) {
	for attempt, bound := range map[int]time.Duration{-1: time.Second, 0: time.Second, 1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 7: time.Minute, 100: time.Minute, 1 << 40: time.Minute} {
		seen := map[time.Duration]bool{}
		for range 50 {
			got := pause(attempt)
			if got < bound/4 || got >= bound+bound/4 {
				t.Errorf("before the attempt behind %d it waits %v, with a bound of %v", attempt, got, bound)
			}
			seen[got] = true
		}
		if len(seen) < 25 {
			t.Errorf("fifty pauses behind attempt %d are %d different ones: queries that failed together come back together", attempt, len(seen))
		}
	}
}
