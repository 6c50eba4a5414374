package pipeline

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// TestConfigSaysAll reads a file with every key.
func TestConfigSaysAll(t *testing.T) {
	got, err := parseConfig([]byte(`# a remark
name: inventory_2
description: What there is.
workspaces: [dbc-1, "dbc-2", 3]
schedule: "30 6 * * 1-5"
timezone: Europe/Lisbon
store: postgres://user@host/db
concurrency: 1000
rate: 2.5
retention: 1.5d
on_error: stop
attempts: 20
variables:
  days: 30
  who: "it's"
  nothing:
`))
	want := &Definition{
		Name: "inventory_2", Description: "What there is.", Workspaces: Workspaces{Names: []string{"dbc-1", "dbc-2", "3"}},
		Schedule: "30 6 * * 1-5", Timezone: "Europe/Lisbon", Store: "postgres://user@host/db", Concurrency: 1000, Rate: 2.5, Retention: 36 * time.Hour,
		OnError: Stop, Attempts: 20, Variables: map[string]string{"days": "30", "who": "it's", "nothing": ""},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

// TestConfigDefaults reads files without keys, and keys without values.
func TestConfigDefaults(t *testing.T) {
	want := &Definition{Name: "a", Workspaces: Workspaces{All: true}, Concurrency: 64, Retention: 90 * 24 * time.Hour, OnError: Continue, Attempts: 6}
	for _, text := range []string{
		"name: a\nworkspaces: all",
		"name: a\r\nworkspaces: all\r\n",
		"\ufeffname: a\nworkspaces: \"*\"\n",
		"---\nname: a\nworkspaces: all\n...\n",
		"name: a\nworkspaces: all\nschedule:\nretention:\nconcurrency: ~\nvariables: null\non_error:\nrate: 0\n",
	} {
		got, err := parseConfig([]byte(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
}

// TestRetention reads the ways to write how long history is kept.
func TestRetention(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90d": 90 * 24 * time.Hour, "0.5d": 12 * time.Hour, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute, "0": 0, "never": 0, "forever": 0, "36499d": 36499 * 24 * time.Hour,
	} {
		d, err := parseConfig([]byte("name: a\nworkspaces: all\nretention: " + text))
		if err != nil || d.Retention != want {
			t.Errorf("%s: %v, %v; want %v", text, d, err, want)
		}
	}
}

// TestConfigRefuses reads faulty files. Each error has the place of the fault, and the valid values.
func TestConfigRefuses(t *testing.T) {
	const head = "name: a\nworkspaces: all\n"
	for _, test := range []struct{ name, text, want string }{
		{"an empty file", "", "name: not said: what the pipeline is called, such as name: inventory"},
		{"remarks alone", "# name: a\n", "name: not said: what the pipeline is called, such as name: inventory"},
		{"no name", "workspaces: all", "name: not said: what the pipeline is called, such as name: inventory"},
		{"no workspaces", "name: a", `workspaces: not said: all, or a list of deployment names, or {query: "SELECT …"}`},
		{"a list", "- name: a", "line 1, column 1: the file is not a list of key: value, such as name: inventory"},
		{"a text", "name", "line 1, column 1: the file is not a list of key: value, such as name: inventory"},
		{"what is no YAML", "name: a\nworkspaces: [all\nrate: 1", "line 1, column 1: not YAML: did not find expected ',' or ']'"},
		{"what is no YAML after the first document", head + "---\n[", "line 4, column 1: not YAML: did not find expected node content"},
		{"an anchor that is not there", head + "rate: *x", "not YAML: unknown anchor 'x' referenced"},
		{"control characters", "name: a\x1b[31m", "not YAML: control characters are not allowed"},
		{"two documents", head + "---\nname: b\n", "line 3, column 1: a second document begins: the file is one"},
		{"an unknown key", head + "  \nworkspce: all", `line 4, column 1: "workspce" is not known here`},
		{"a key of another case", "Name: a", `line 1, column 1: "Name" is not known here`},
		{"a key that is a list", "[name]: a", `line 1, column 1: "" is not known here`},
		{"a hostile key", head + `"a\e[2J": 1`, `line 3, column 1: "a\x1b[2J" is not known here`},
		{"a key said twice", head + "name: b", "line 3, column 1: name is said twice"},

		{"an empty name", "name: ''\nworkspaces: all", `line 1, column 7: name: "" is not the name of a pipeline: a small letter, then up to 40 small letters and digits, with single _ in between`},
		{"a name with capitals", "name: Inventory", `line 1, column 7: name: "Inventory" is not the name of a pipeline: a small letter, then up to 40 small letters and digits, with single _ in between`},
		{"a hostile name", `name: "a'; DROP TABLE x"`, `line 1, column 7: name: "a'; DROP TABLE x" is not the name of a pipeline: a small letter, then up to 40 small letters and digits, with single _ in between`},
		{"a name with a line's end", `name: "a\n"`, `line 1, column 7: name: "a\n" is not the name of a pipeline: a small letter, then up to 40 small letters and digits, with single _ in between`},
		{"a long name", "name: " + strings.Repeat("a", 42), `line 1, column 7: name: "` + strings.Repeat("a", 42) + `" is not the name of a pipeline: a small letter, then up to 40 small letters and digits, with single _ in between`},
		{"a name that is a list", "name: [a]", `line 1, column 7: name: what is there is not the name of a pipeline: a small letter, then up to 40 small letters and digits, with single _ in between`},
		{"a description that is a list", head + "description: [a]", "line 3, column 14: description: is not one text"},
		{"a store that is a map", head + "store: {file: a}", "line 3, column 8: store: is not one text"},

		{"no concurrency", head + "concurrency: 0", `line 3, column 14: concurrency: "0" is not a whole number between 1 and 1000`},
		{"too much concurrency", head + "concurrency: 1001", `line 3, column 14: concurrency: "1001" is not a whole number between 1 and 1000`},
		{"half a query at once", head + "concurrency: 1.5", `line 3, column 14: concurrency: "1.5" is not a whole number between 1 and 1000`},
		{"more concurrency than numbers", head + "concurrency: 99999999999999999999", `line 3, column 14: concurrency: "99999999999999999999" is not a whole number between 1 and 1000`},
		{"concurrency as a map", head + "concurrency: {a: 1}", `line 3, column 14: concurrency: what is there is not a whole number between 1 and 1000`},
		{"no attempts", head + "attempts: 0", `line 3, column 11: attempts: "0" is not a whole number between 1 and 20`},
		{"too many attempts", head + "attempts: 21", `line 3, column 11: attempts: "21" is not a whole number between 1 and 20`},
		{"a negative rate", head + "rate: -1", `line 3, column 7: rate: "-1" is not a number of calls a second, nor 0 for no limit`},
		{"a rate that is no number", head + "rate: .nan", `line 3, column 7: rate: ".nan" is not a number of calls a second, nor 0 for no limit`},
		{"an endless rate", head + "rate: .inf", `line 3, column 7: rate: ".inf" is not a number of calls a second, nor 0 for no limit`},
		{"a rate whose pauses no clock counts", head + "rate: 1e-300", `line 3, column 7: rate: "1e-300" is not a number of calls a second, nor 0 for no limit`},
		{"a rate in words", head + "rate: fast", `line 3, column 7: rate: "fast" is not a number of calls a second, nor 0 for no limit`},
		{"an unknown on_error", head + "on_error: abort", `line 3, column 11: on_error: "abort" is neither continue nor stop`},

		{"a retention without a unit", head + "retention: 90", `line 3, column 12: retention: "90" is not a time such as 90d or 12h, nor forever`},
		{"a negative retention", head + "retention: -1d", `line 3, column 12: retention: "-1d" is not a time such as 90d or 12h, nor forever`},
		{"a retention below any clock", head + "retention: 1e-20d", `line 3, column 12: retention: "1e-20d" is not a time such as 90d or 12h, nor forever`},
		{"a retention that is no number", head + "retention: NaNd", `line 3, column 12: retention: "NaNd" is not a time such as 90d or 12h, nor forever`},
		{"an endless retention", head + "retention: Infd", `line 3, column 12: retention: "Infd" is not a time such as 90d or 12h, nor forever`},
		{"a retention of centuries", head + "retention: 36500d", `line 3, column 12: retention: "36500d" is not a time such as 90d or 12h, nor forever`},
		{"a retention of no time", head + "retention: 0h", `line 3, column 12: retention: "0h" is not a time such as 90d or 12h, nor forever`},

		{"some workspaces", "name: a\nworkspaces: some", `line 2, column 13: workspaces: neither all, nor a list of deployment names, nor {query: "SELECT …"}`},
		{"workspaces without a value", "name: a\nworkspaces:", `line 2, column 12: workspaces: neither all, nor a list of deployment names, nor {query: "SELECT …"}`},
		{"an empty list of workspaces", "name: a\nworkspaces: []", `line 2, column 13: workspaces: neither all, nor a list of deployment names, nor {query: "SELECT …"}`},
		{"a list of lists of workspaces", "name: a\nworkspaces: [[a]]", `line 2, column 13: workspaces: neither all, nor a list of deployment names, nor {query: "SELECT …"}`},
		{"a workspace twice", "name: a\nworkspaces: [a, b, a]", "line 2, column 20: workspaces: a deployment name is empty, or in the list twice"},
		{"a workspace without a name", "name: a\nworkspaces:\n- a\n-\n", "line 4, column 2: workspaces: a deployment name is empty, or in the list twice"},
		{"a query of another key", "name: a\nworkspaces: {sql: SELECT 1}", `line 2, column 13: workspaces: neither all, nor a list of deployment names, nor {query: "SELECT …"}`},
		{"an empty query", "name: a\nworkspaces: {query: ''}", `line 2, column 13: workspaces: neither all, nor a list of deployment names, nor {query: "SELECT …"}`},
		{"a query and more", "name: a\nworkspaces: {query: SELECT 1, all: true}", `line 2, column 13: workspaces: neither all, nor a list of deployment names, nor {query: "SELECT …"}`},

		{"variables that are a list", head + "variables: [a]", "line 3, column 12: variables: not a list of name: value"},
		{"a variable with a dash", head + "variables: {a-b: 1}", `line 3, column 13: variables: "a-b" cannot be the name of one`},
		{"a variable that is ours", head + "variables: {deployment_name: x}", `line 3, column 13: variables: "deployment_name" cannot be the name of one`},
		{"a variable that is a function", head + "variables: {quote: x}", `line 3, column 13: variables: "quote" cannot be the name of one`},
		{"a variable that is a word of templates", head + "variables:\n  'true': x", `line 4, column 3: variables: "true" cannot be the name of one`},
		{"a variable with two values", head + "variables: {a: [1, 2]}", "line 3, column 16: variables: a is not one value"},
		{"a variable twice", head + "variables: {a: 1, b: 2, a: 3}", "line 3, column 25: variables: a is said twice"},

		{"an unknown time zone", head + "timezone: Europe/Lisboa", `line 3, column 11: timezone: "Europe/Lisboa" is not the name of a time zone, such as Europe/Lisbon`},
		{"a time zone that each machine has another of", head + "schedule: '0 6 * * *'\ntimezone: Local", `line 4, column 11: timezone: "Local" is not the name of a time zone, such as Europe/Lisbon`},
		{"a file for a time zone", head + "timezone: ../../etc/passwd", `line 3, column 11: timezone: "../../etc/passwd" is not the name of a time zone, such as Europe/Lisbon`},
		{"a schedule with seconds", head + "schedule: '0 0 6 * * *'", `line 3, column 11: schedule: "0 0 6 * * *" is not cron syntax (minute hour day month weekday): expected exactly 5 fields, found 6: [0 0 6 * * *]`},
		{"a schedule that never comes", head + "schedule: '0 0 30 2 *'", `line 3, column 11: schedule: "0 0 30 2 *" never comes`},
		{"a time zone in the schedule", head + "schedule: 'TZ=UTC 0 6 * * *'", "line 3, column 11: schedule: the time zone is said by timezone"},
		{"a time zone and nothing else in the schedule", head + "schedule: 'CRON_TZ='", "line 3, column 11: schedule: the time zone is said by timezone"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := parseConfig([]byte(test.text))
			if err == nil || err.Error() != test.want || provider.CodeOf(err) != provider.Usage {
				t.Errorf("%+v\n%v\nwant\n%s", d, err, test.want)
			}
		})
	}
}

// TestConfigHint reads an unknown key: the hint lists the known keys.
func TestConfigHint(t *testing.T) {
	_, err := parseConfig([]byte("nam: a"))
	want := "it may say attempts, check_timeout, concurrency, description, name, notify, on_error, query_rows, query_size, query_timeout, rate, retention, schedule, store, timezone, variables, workspaces"
	if got := provider.HintOf(err); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// FuzzConfig searches for a file whose reading panics, or whose pipeline cannot be stored.
func FuzzConfig(f *testing.F) {
	f.Add("name: a\nworkspaces: all\nschedule: '0 6 * * *'\nrate: 1\nretention: 3d\nvariables: {a: b}")
	f.Add("name: a\nworkspaces: &x [a]\n? [b]\n: *x\n---\n")
	f.Add("name: a\nworkspaces: {query: SELECT 1}\nschedule: '@every 1h'\ntimezone: UTC\n<<: {rate: 1}")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseConfig([]byte(text))
		if err != nil {
			if provider.CodeOf(err) != provider.Usage || strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("%q: %q", text, err)
			}
			return
		}
		back, err := decodeDefinition(d.encode())
		if err != nil || back.Hash() != d.Hash() {
			t.Errorf("%q: %+v is kept as %+v, %v", text, d, back, err)
		}
	})
}
