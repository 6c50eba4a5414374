package report

import (
	"fmt"

	"github.com/lakeql/lakeql/internal/pipeline"
)

// check is the state of a check.
type check struct {
	Name, Description, Severity, Owner, Control string
	State, Class, Tone                          string
	Since                                       stamp
	Message                                     string
	Rows                                        []failingRow
	More                                        string // rows that are not shown
	Marks                                       []mark
	Width                                       float64 // of the marks
	Says                                        string
}

type failingRow struct {
	Message string
	Since   stamp
}

// mark is a result in the history of a check.
type mark struct {
	X           float64
	Class, Says string
}

const (
	mostChecks  = 100
	resultsOf   = 30
	failingRows = 4
	markStep    = 10.0
)

// outcome says how a state of a check is shown.
func outcome(state string) (class, tone string) {
	switch state {
	case "pass":
		return "fresh", "good"
	case "fail":
		return "failed", "bad"
	case "error":
		return "old", "bad"
	}
	return "left", "quiet"
}

func (d *drawing) checks(all []pipeline.CheckOverview) (drawn []check, more int) {
	for i := range all[:min(len(all), mostChecks)] {
		c := &all[i]
		check := check{
			Name: d.short(c.Name, longestText), Description: d.short(c.Description, longestError), Severity: d.short(c.Severity, longestText), Owner: d.short(c.Owner, longestText),
			Control: d.short(c.Control, longestText), State: d.short(c.State, longestText), Since: d.stamp(c.Since), Message: d.short(c.Message, longestError),
		}
		check.Class, check.Tone = outcome(c.State)
		if c.State == "fail" && len(c.Failing) > 0 && c.Rows > 0 { // whose messages follow
			check.Message = count(c.Rows, "failing row")
		}
		for _, row := range c.Failing {
			check.Rows = append(check.Rows, failingRow{d.short(row.Message, longestError), d.stamp(row.Since)})
		}
		if rest := c.Rows - int64(len(c.Failing)); c.State == "fail" && rest > 0 && len(c.Failing) > 0 {
			check.More = count(rest, "more row")
		}
		passed := 0
		for j, result := range c.Results {
			m := mark{X: round(float64(j) * markStep), Says: fmt.Sprintf("%s, run %d: %s", d.stamp(result.At).Text, result.Run, d.short(result.State, longestText))}
			if m.Class, _ = outcome(result.State); result.State == "pass" {
				passed++
			} else if result.Rows > 0 {
				m.Says += ", " + count(result.Rows, "row")
			}
			check.Marks = append(check.Marks, m)
		}
		check.Width = float64(len(check.Marks)) * markStep
		check.Says = fmt.Sprintf("passed %d of the last %s", passed, count(int64(len(c.Results)), "time"))
		drawn = append(drawn, check)
	}
	return drawn, len(all) - len(drawn)
}

// notPassing counts the checks that do not pass: those that fail or are in error, and those that are unknown.
func notPassing(all []pipeline.CheckOverview) (failing, unknown int64) {
	for i := range all {
		switch all[i].State {
		case "pass":
		case "unknown":
			unknown++
		default:
			failing++
		}
	}
	return failing, unknown
}
