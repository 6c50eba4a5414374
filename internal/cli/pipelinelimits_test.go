//go:build unix

package cli_test

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// endless is a query that returns rows for ever.
const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "

// limited is a pipeline with one query and the limits of a test.
func limited(t *testing.T, config, query string) string {
	t.Helper()
	return folder(t, map[string]string{
		"pipeline.yaml": "name: p\nworkspaces: [dbc-1]\nstore: s.db\n" + config,
		"t.sql":         "-- table: numbers\n-- key: i\n-- types: i integer\n" + query,
	})
}

// TestQueriesHaveLimits shows that a query which would take no end, or all memory, fails at a limit that can be set.
func TestQueriesHaveLimits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ config, query, told string }{
		"a query without end": {
			"query_timeout: 300ms\n", endless + "SELECT count(*) AS i FROM n",
			"the query took longer than 300ms; query_timeout in pipeline.yaml sets another limit",
		},
		"rows without end": {
			"query_rows: 1000\n", endless + "SELECT i FROM n",
			"the query answers more than 1000 rows; query_rows in pipeline.yaml sets another limit",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := pipelineCommand(t, silent(t), "run", "-q", limited(t, test.config, test.query))
			if got.status != 1 || !strings.Contains(got.stderr, "failed: numbers in dbc-1: "+test.told) {
				t.Errorf("%+v", got)
			}
		})
	}
	for query, told := range map[string]string{
		"{{ range 300000000 }}SELECT 1 AS i{{ end }}":                   "t.sql: the template becomes a text of more than 1048576 bytes\nhint: query_size in pipeline.yaml sets another limit",
		"{{ range 300000000 }}{{ end }}SELECT 1 AS i":                   "t.sql: the template makes more than 100000 steps\nhint: a loop is too long",
		`{{ define "t" }}{{ template "t" }}{{ end }}{{ template "t" }}`: "t.sql: the template makes more than 100000 steps",
	} {
		for _, command := range []string{"check", "run"} {
			if got := pipelineCommand(t, silent(t), command, limited(t, "", query)); got.status != 2 || !strings.Contains(got.stderr, told) {
				t.Errorf("%s %s: %+v", command, query, got)
			}
		}
		got := run{args: []string{"exec", "--var", "a=b", query}, env: silent(t)}.do(t)
		if got.status != 2 || !strings.Contains(got.stderr, "the template ") {
			t.Errorf("%s: %+v", query, got)
		}
	}
	if got := pipelineCommand(t, silent(t), "check", limited(t, "query_size: 20\n", "SELECT 1 AS i, 'a text that is too long'")); got.status != 2 || !strings.Contains(got.stderr, "t.sql: the query has more than 20 bytes\nhint: query_size in") {
		t.Errorf("%+v", got)
	}
	for config, told := range map[string]string{
		"query_timeout: soon\n": `query_timeout: "soon" is not a time such as 30m or 2h, nor never`,
		"query_timeout: -1s\n":  `query_timeout: "-1s" is not a time`,
		"query_size: 0\n":       `query_size: "0" is not a whole number between 1 and`,
		"query_rows: 1.5\n":     `query_rows: "1.5" is not a whole number above 0`,
	} {
		if got := pipelineCommand(t, silent(t), "check", limited(t, config, "SELECT 1 AS i")); got.status != 2 || !strings.Contains(got.stderr, told) {
			t.Errorf("%s: %+v", config, got)
		}
	}
}

// TestEndlessQueriesAreInterrupted shows that a query without end and limit ends on a signal.
func TestEndlessQueriesAreInterrupted(t *testing.T) {
	t.Parallel()
	b := inBackground(t, silent(t), "run", "-q", "--log", "text", limited(t, "query_timeout: never\n", endless+"SELECT count(*) AS i FROM n"))
	b.until(t, "run begins")
	if err := b.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	status, told := b.end()
	if took := time.Since(began); status != 1 || !strings.Contains(told, "interrupted: 0 of 1 queries of run 1 are done") || took > 10*time.Second {
		t.Errorf("status %d after %s\n%s", status, took, told)
	}
}
