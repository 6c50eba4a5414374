package checks

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// mostDetails is how many failing rows a document for CI lists for a check.
const mostDetails = 100

// The elements of JUnit's XML, as the Jenkins plugin, GitLab and GitHub's actions read them. A failure is a
// check that fails and counts, an error one that could not be evaluated or decided. A check that fails and
// does not count is skipped, so that it is seen.
type (
	junitSuites struct {
		XMLName  xml.Name   `xml:"testsuites"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Time     string     `xml:"time,attr"`
		Suite    junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name      string      `xml:"name,attr"`
		Tests     int         `xml:"tests,attr"`
		Failures  int         `xml:"failures,attr"`
		Errors    int         `xml:"errors,attr"`
		Skipped   int         `xml:"skipped,attr"`
		Time      string      `xml:"time,attr"`
		Timestamp string      `xml:"timestamp,attr"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string     `xml:"classname,attr"`
		Name    string     `xml:"name,attr"`
		File    string     `xml:"file,attr"`
		Line    int        `xml:"line,attr"`
		Time    string     `xml:"time,attr"`
		Failure *junitFlaw `xml:"failure"`
		Error   *junitFlaw `xml:"error"`
		Skipped *junitFlaw `xml:"skipped"`
	}
	junitFlaw struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

func (r *Report) writeJUnit(w io.Writer) error {
	suite := junitSuite{Name: r.Pipeline, Tests: len(r.Results), Time: seconds(r.Took), Timestamp: r.At.UTC().Format("2006-01-02T15:04:05")}
	for _, result := range r.Results {
		c := result.Check
		one := junitCase{Class: r.Pipeline, Name: c.Name, File: r.Place(c), Line: result.line(), Time: seconds(result.Took)}
		flaw := &junitFlaw{Message: result.Summary(), Type: string(c.Severity), Text: strings.Join(result.details(mostDetails), "\n")}
		switch {
		case result.Outcome == Pass:
		case result.Outcome == Fail && r.counts(c):
			suite.Failures++
			one.Failure = flaw
		case result.Outcome == Fail:
			suite.Skipped++
			one.Skipped = &junitFlaw{Message: fmt.Sprintf("fails, and does not count, as its severity is %s: %s", c.Severity, result.Summary()), Text: flaw.Text}
		default:
			suite.Errors++
			flaw.Type = string(result.Outcome)
			one.Error = flaw
		}
		suite.Cases = append(suite.Cases, one)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(junitSuites{
		Name: "lakeql pipeline test", Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors, Skipped: suite.Skipped, Time: suite.Time, Suite: suite,
	}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
