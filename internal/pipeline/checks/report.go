package checks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// Report is the result of all checks of a pipeline.
type Report struct {
	Pipeline string
	Results  []*Result
	At       time.Time
	Took     time.Duration
	// FailOn is the least severity that counts as a failure; Never: none does.
	FailOn Severity
	// Version is that of lakeql.
	Version string
	// Place returns the path of a check's file as CI is to show it: relative, with slashes.
	Place func(c *Check) string
}

// Never is in place of a severity if no check is to count as a failure.
const Never Severity = "never"

// ParseFailOn reads the least severity that counts, or never.
func ParseFailOn(text string) (Severity, error) {
	if Severity(text) == Never {
		return Never, nil
	}
	s, err := ParseSeverity(text)
	if err != nil {
		return "", provider.Usagef("--fail-on %s is none of info, warning, error, critical and never", provider.Quote(text))
	}
	return s, nil
}

// Format is the format of a report.
type Format string

// The formats of reports.
const (
	Table  Format = "table" // rows, which package render writes
	JUnit  Format = "junit"
	SARIF  Format = "sarif"
	GitHub Format = "github"
	JSON   Format = "json"
)

// Formats lists the names of the formats.
func Formats() []string {
	return []string{string(Table), string(JUnit), string(SARIF), string(GitHub), string(JSON)}
}

// ParseFormat reads the name of a format.
func ParseFormat(text string) (Format, error) {
	for _, name := range Formats() {
		if text == name {
			return Format(text), nil
		}
	}
	return "", provider.Usagef("--format %s is none of %s", provider.Quote(text), strings.Join(Formats(), ", "))
}

// Write writes the report in a format other than Table.
func (r *Report) Write(w io.Writer, format Format) error {
	switch format {
	case JUnit:
		return r.writeJUnit(w)
	case SARIF:
		return r.writeSARIF(w)
	case GitHub:
		return r.writeGitHub(w)
	case JSON:
		return r.writeJSON(w)
	case Table:
	}
	return provider.Internalf("a report has no format %s", format)
}

// counts reports whether a failed check counts as a failure.
func (r *Report) counts(c *Check) bool { return r.FailOn != Never && c.Severity.AtLeast(r.FailOn) }

// Error is the reason why the report is no success: checks that fail and count, whose queries failed, or
// that could not be decided. It is nil if there is none, or if nothing counts.
func (r *Report) Error() error {
	var fail, broken, unknown []string
	for _, result := range r.Results {
		switch result.Outcome {
		case Fail:
			if r.counts(result.Check) {
				fail = append(fail, result.Check.Name)
			}
		case Broken:
			broken = append(broken, result.Check.Name)
		case Unknown:
			unknown = append(unknown, result.Check.Name)
		case Pass:
		}
	}
	var parts []string
	for _, group := range []struct {
		names []string
		text  string
	}{
		{fail, "failed"},
		{broken, "could not be evaluated"},
		{unknown, "could not be decided, because rows of the store are old or missing"},
	} {
		if n := len(group.names); n > 0 {
			noun := "checks"
			if n == 1 {
				noun = "check"
			}
			parts = append(parts, fmt.Sprintf("%d %s %s: %s", n, noun, group.text, strings.Join(group.names, ", ")))
		}
	}
	switch text := strings.Join(parts, "; "); {
	case r.FailOn == Never || len(parts) == 0:
		return nil
	case len(fail)+len(broken) > 0:
		return provider.Errorf(provider.API, "%s", text)
	default:
		return provider.Errorf(provider.Partial, "%s", text)
	}
}

// Columns describes the rows of [Report.Rows].
func Columns() []provider.Column {
	return []provider.Column{
		{Name: "check", Type: "string"},
		{Name: "severity", Type: "string"},
		{Name: "state", Type: "string"},
		{Name: "rows", Type: "integer"},
		{Name: "value", Type: "number"},
		{Name: "message", Type: "string"},
		{Name: "owner", Type: "string"},
		{Name: "control", Type: "string"},
	}
}

// Rows returns a row for each check, or with all for each failing row.
func (r *Report) Rows(all bool) provider.Rows {
	var rows [][]any
	for _, result := range r.Results {
		c := result.Check
		row := []any{c.Name, string(c.Severity), string(result.Outcome), nil, nil, nil, textOrNull(c.Owner), textOrNull(c.Control)}
		if !c.Expect.Number() && result.Outcome != Broken {
			row[3] = int64(len(result.Rows))
		}
		if result.Number != "" {
			row[4] = json.RawMessage(result.Number)
		}
		if !all || len(result.Rows) == 0 {
			row[5] = textOrNull(result.Summary())
			rows = append(rows, row)
			continue
		}
		for _, failing := range result.Rows {
			each := append([]any(nil), row...)
			each[5] = failing.Message
			rows = append(rows, each)
		}
	}
	return provider.NewRows(Columns(), rows)
}

func textOrNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// Summary says in one line why the check does not pass: the first failing row, the number, the gaps, or the
// error. It is empty if the check passes.
func (r *Result) Summary() string {
	switch r.Outcome {
	case Fail:
		text := r.Rows[0].Message
		if r.Check.Expect.Number() {
			return text + ", expected " + r.Check.Expect.String()
		}
		if n := len(r.Rows) - 1; n > 0 || r.More {
			text += fmt.Sprintf(" (and %s more)", r.count(n))
		}
		return text
	case Unknown:
		return strings.Join(r.Gaps, "; ")
	case Broken:
		text := r.Err.Error()
		if hint := provider.HintOf(r.Err); hint != "" {
			text += "; " + hint
		}
		return text
	case Pass:
	}
	return ""
}

// count words a number of rows, which is the least one if the limits left out some.
func (r *Result) count(n int) string {
	if r.More {
		return fmt.Sprintf("at least %d", n+1)
	}
	return fmt.Sprint(n)
}

// details lists the messages of the failing rows, most of them at most, a line each, or the summary of any
// other outcome that is no pass.
func (r *Result) details(most int) []string {
	if r.Outcome != Fail || r.Check.Expect.Number() {
		if text := r.Summary(); text != "" {
			return []string{text}
		}
		return nil
	}
	var lines []string
	for i, row := range r.Rows {
		if i == most {
			break
		}
		lines = append(lines, row.Message)
	}
	if n := len(r.Rows) - len(lines); n > 0 || r.More {
		lines = append(lines, fmt.Sprintf("and %s more", r.count(n)))
	}
	if len(r.Gaps) > 0 {
		lines = append(lines, "there may be more: "+strings.Join(r.Gaps, "; "))
	}
	return lines
}

// line is the line of the check's file that the result is about: that of the error, or else the first one of
// the query.
func (r *Result) line() int {
	if e, ok := errors.AsType[*provider.Error](r.Err); ok && e.Position.Line > 0 {
		return e.Position.Line
	}
	return r.Check.Lines + 1
}
