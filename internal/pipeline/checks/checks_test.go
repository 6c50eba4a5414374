package checks_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/pipeline/checks"
	"github.com/lakeql/lakeql/provider"
)

// parse reads a check that must be valid.
func parse(t *testing.T, text string) *checks.Check {
	t.Helper()
	c, err := checks.Parse("sample", text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestParse reads all settings of a file.
func TestParse(t *testing.T) {
	t.Parallel()
	c := parse(t, `-- name: tokens
-- description: Tokens: those without an end.
-- severity: critical
-- message: {{ token_id }} has no end
-- owner: platform@example.com
-- expect: between 1 and 5
-- control: SAT IA-4
-- docs: https://example.com/tokens
-- key: deployment_name, token_id
-- This is a remark: it is for people.

SELECT 1`)
	if c.Name != "tokens" || c.Description != "Tokens: those without an end." || c.Severity != checks.Critical || c.Message != "{{ token_id }} has no end" ||
		c.Owner != "platform@example.com" || c.Expect.String() != "between 1 and 5" || c.Control != "SAT IA-4" || c.Docs != "https://example.com/tokens" ||
		strings.Join(c.Key, "+") != "deployment_name+token_id" || c.Lines != 11 || c.Query != "SELECT 1" {
		t.Errorf("%+v", c)
	}
	if c := parse(t, "SELECT 1"); c.Name != "sample" || c.Severity != checks.Error || c.Expect.Number() {
		t.Errorf("the defaults are %+v", c)
	}
}

// TestParseRefuses lists files that are no checks.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"-- severity: bad\nSELECT 1":                `line 1, column 1: "bad" is none of info, warning, error and critical`,
		"-- severity: never\nSELECT 1":              `line 1, column 1: "never" is none of info, warning, error and critical`,
		"-- owner: a\n-- owner: b\nSELECT 1":        "line 2, column 1: owner is said twice",
		"-- owner:\nSELECT 1":                       "line 1, column 1: owner has no value",
		"-- sevrity: info\nSELECT 1":                `line 1, column 1: "sevrity" is not known here: name, description, severity, message, owner, expect, control, docs, key are`,
		"-- key: a,,b\nSELECT 1":                    `line 1, column 1: the key "a,,b" has an empty column, or one twice`,
		"-- name: Tokens\nSELECT 1":                 `"Tokens" cannot be the name of a check: a small letter, then up to 60 small letters, digits and _`,
		"-- docs: javascript:alert(1)\nSELECT 1":    `docs: "javascript:alert(1)" is not the URL of a page: https://…`,
		"-- owner: a\n":                             "it has no query",
		"-- expect: few\nSELECT 1":                  `line 1, column 1: expect: "few" is neither no rows nor bounds`,
		"-- expect: <= NaN\nSELECT 1":               `line 1, column 1: expect: "<= NaN" is neither no rows nor bounds`,
		"-- expect: between 5 and 1\nSELECT 1":      `line 1, column 1: expect: "between 5 and 1" is neither no rows nor bounds`,
		"-- expect: <= 1; DROP TABLE x\nSELECT 1":   `line 1, column 1: expect: "<= 1; DROP TABLE x" is neither no rows nor bounds`,
		"-- expect: between 1 and Infinity\nSELECT": `line 1, column 1: expect: "between 1 and Infinity" is neither no rows nor bounds`,
	} {
		if _, err := checks.Parse("sample", text); err == nil || err.Error() != want || provider.CodeOf(err) != provider.Usage {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// reader answers every query with the same rows. The workspace dbc-left left.
type reader struct {
	columns string
	rows    [][]any
	gaps    []string
	err     error
	slow    bool // until the context ends
}

func (reader) Left(context.Context) ([]string, error) { return []string{"dbc-left"}, nil }

func (r reader) ReadStore(ctx context.Context, _ string, read func(provider.Rows) error) ([]string, error) {
	if r.slow {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if r.err != nil {
		return nil, r.err
	}
	var columns []provider.Column
	for name := range strings.FieldsSeq(r.columns) {
		columns = append(columns, provider.Column{Name: name})
	}
	return r.gaps, read(provider.NewRows(columns, r.rows))
}

func evaluate(t *testing.T, c *checks.Check, r reader, limits checks.Limits) *checks.Result {
	t.Helper()
	result, err := c.Evaluate(t.Context(), c.Query, r, limits)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestEvaluate tells how a check comes out, by what its query returns.
func TestEvaluate(t *testing.T) {
	t.Parallel()
	gaps := []string{"users: the rows of 1 of 2 workspaces are old"}
	one := [][]any{{"a", int64(1)}}
	for name, test := range map[string]struct {
		settings string
		reader   reader
		limits   checks.Limits
		outcome  checks.Outcome
		summary  string
	}{
		"no row":                     {"", reader{columns: "a b"}, checks.Limits{}, checks.Pass, ""},
		"a row":                      {"", reader{columns: "a b", rows: one}, checks.Limits{}, checks.Fail, "a = a, b = 1"},
		"a message":                  {"-- message: {{ a }} has {{ .b }}\n", reader{columns: "a b", rows: one}, checks.Limits{}, checks.Fail, "a has 1"},
		"NULL in a message":          {"-- message: <{{ a }}>\n", reader{columns: "a", rows: [][]any{{nil}}}, checks.Limits{}, checks.Fail, "<>"},
		"another column":             {"-- message: {{ c }}\n", reader{columns: "a b", rows: one}, checks.Limits{}, checks.Broken, `fill in the message: template: message:1: function "c" not defined; {{ name }} is a column of the failing row: a, b`},
		"another column and no row":  {"-- message: {{ c }}\n", reader{columns: "a b"}, checks.Limits{}, checks.Broken, `fill in the message: template: message:1: function "c" not defined; {{ name }} is a column of the failing row: a, b`},
		"a message without end":      {"-- message: {{ range 100000 }}x{{ end }}\n", reader{columns: "a b", rows: one}, checks.Limits{}, checks.Broken, "fill in the message: the template makes more than 10000 steps; {{ name }} is a column of the failing row: a, b"},
		"old rows":                   {"", reader{columns: "a b", gaps: gaps}, checks.Limits{}, checks.Unknown, gaps[0]},
		"old rows and a failing one": {"", reader{columns: "a b", rows: one, gaps: gaps}, checks.Limits{}, checks.Fail, "a = a, b = 1"},
		"a workspace that left":      {"-- key: deployment_name\n", reader{columns: "deployment_name", rows: [][]any{{"dbc-left"}}}, checks.Limits{}, checks.Pass, ""},
		"one that left of two":       {"", reader{columns: "a deployment_name", rows: [][]any{{"1", "dbc-left"}, {"2", "dbc-1"}, {"3", "dbc-left"}}}, checks.Limits{Rows: 1}, checks.Fail, "a = 2, deployment_name = dbc-1"},
		"left under another name":    {"", reader{columns: "workspace", rows: [][]any{{"dbc-left"}}}, checks.Limits{}, checks.Fail, "workspace = dbc-left"},
		"an error":                   {"", reader{err: provider.Usagef("no such column").At(provider.Position{Line: 1, Column: 8}).Hintf("see them")}, checks.Limits{}, checks.Broken, "line 1, column 8: no such column; see them"},
		"too long":                   {"", reader{slow: true}, checks.Limits{Time: time.Millisecond}, checks.Broken, "the query takes longer than 1ms; check_timeout in pipeline.yaml sets another limit"},
		"too many rows":              {"", reader{columns: "a", rows: [][]any{{"1"}, {"2"}, {"3"}}}, checks.Limits{Rows: 2}, checks.Fail, "a = 1 (and at least 2 more)"},
		"equal rows":                 {"", reader{columns: "a", rows: [][]any{{"1"}, {"1"}}}, checks.Limits{}, checks.Fail, "a = 1 (and 1 more)"},
		"a key twice":                {"-- key: a\n", reader{columns: "a b", rows: [][]any{{"1", "x"}, {"1", "y"}}}, checks.Limits{}, checks.Broken, "two rows have the same key, a; name more columns: -- key: a, …"},
		"a key without a column":     {"-- key: z\n", reader{columns: "a b"}, checks.Limits{}, checks.Broken, `the key names the column "z", which the query does not return`},
		"a number within":            {"-- expect: <= 5\n", reader{columns: "n", rows: [][]any{{int64(5)}}}, checks.Limits{}, checks.Pass, ""},
		"a number at an open bound":  {"-- expect: < 5\n", reader{columns: "n", rows: [][]any{{int64(5)}}}, checks.Limits{}, checks.Fail, "n = 5, expected < 5"},
		"a number below":             {"-- expect: between 2 and 3\n", reader{columns: "n", rows: [][]any{{1.5}}}, checks.Limits{}, checks.Fail, "n = 1.5, expected between 2 and 3"},
		"a number above":             {"-- expect: = 3\n", reader{columns: "n", rows: [][]any{{int64(4)}}}, checks.Limits{}, checks.Fail, "n = 4, expected = 3"},
		"a number of old rows":       {"-- expect: <= 5\n", reader{columns: "n", rows: [][]any{{int64(9)}}, gaps: gaps}, checks.Limits{}, checks.Unknown, gaps[0]},
		"NULL for a number":          {"-- expect: <= 5\n", reader{columns: "n", rows: [][]any{{nil}}}, checks.Limits{}, checks.Broken, `the first column, "n", is "" and no number: the check expects one <= 5`},
		"a text for a number":        {"-- expect: <= 5\n", reader{columns: "n", rows: [][]any{{"3"}}}, checks.Limits{}, checks.Broken, `the first column, "n", is "3" and no number: the check expects one <= 5`},
		"no number":                  {"-- expect: <= 5\n", reader{columns: "n"}, checks.Limits{}, checks.Broken, "the query returns no row, and the check expects one number: <= 5"},
		"two numbers":                {"-- expect: <= 5\n", reader{columns: "n", rows: [][]any{{int64(1)}, {int64(2)}}}, checks.Limits{}, checks.Broken, "the query returns more than one row, and the check expects one number: <= 5"},
	} {
		r := evaluate(t, parse(t, test.settings+"SELECT 1"), test.reader, test.limits)
		summary := strings.ReplaceAll(r.Summary(), "line 2, column", "line 1, column")
		if r.Outcome != test.outcome || summary != test.summary {
			t.Errorf("%s: %s, %q, want %s, %q", name, r.Outcome, summary, test.outcome, test.summary)
		}
		if (r.Outcome == checks.Fail) != (len(r.Rows) > 0) {
			t.Errorf("%s: %s with %d rows", name, r.Outcome, len(r.Rows))
		}
	}
}

// TestPlaceOfErrors shows that errors have their place in the file.
func TestPlaceOfErrors(t *testing.T) {
	t.Parallel()
	c := parse(t, "-- owner: a\n\nSELECT x")
	r := evaluate(t, c, reader{err: provider.Usagef("no such column").At(provider.Position{Line: 1, Column: 8})}, checks.Limits{})
	if got := r.Summary(); got != "line 3, column 8: no such column" {
		t.Error(got)
	}
}

// TestInterrupted shows that a check that was interrupted has no outcome.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := parse(t, "SELECT 1")
	if r, err := c.Evaluate(ctx, c.Query, reader{slow: true}, checks.Limits{}); err == nil || r != nil || provider.CodeOf(err) != provider.Canceled {
		t.Errorf("%v, %v", r, err)
	}
}

// TestKeys shows what makes two failing rows the same one from run to run.
func TestKeys(t *testing.T) {
	t.Parallel()
	keys := func(settings string, rows ...[]any) (all []string) {
		for _, row := range evaluate(t, parse(t, settings+"SELECT 1"), reader{columns: "a b", rows: rows}, checks.Limits{}).Rows {
			all = append(all, row.Key)
		}
		return all
	}
	if a, b := keys("-- key: a\n", []any{"x", "1"}), keys("-- key: a\n", []any{"x", "2"}); a[0] != b[0] {
		t.Error("a column beside the key changes the key")
	}
	if a, b := keys("", []any{"x", "1"}), keys("", []any{"x", "2"}); a[0] == b[0] {
		t.Error("without a key, all columns are the key")
	}
	if all := keys("", []any{"x", "1"}, []any{"x", "1"}); all[0] == all[1] {
		t.Error("equal rows are one")
	}
	if a, b := keys("", []any{"", nil}), keys("", []any{nil, ""}); a[0] == b[0] {
		t.Error("NULL is an empty text")
	}
	if a, b := keys("", []any{"x\x00y", "z"}), keys("", []any{"x", "y\x00z"}); a[0] == b[0] {
		t.Error("values run into each other")
	}
}

// TestReadersErrors shows that an error while rows are read is the check's.
func TestReadersErrors(t *testing.T) {
	t.Parallel()
	c := parse(t, "SELECT 1")
	r := evaluate(t, c, reader{err: io.ErrUnexpectedEOF}, checks.Limits{})
	if r.Outcome != checks.Broken || !errors.Is(r.Err, io.ErrUnexpectedEOF) {
		t.Errorf("%+v", r)
	}
}
