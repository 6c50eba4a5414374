package checks_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/pipeline/checks"
	"github.com/lakeql/lakeql/provider"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// hostile is a value of a row that tries to be more than text.
const hostile = "a%0A\r\n::stop-commands::x\n]]><b>&\"' [link](https://evil.example) {0} \x00\x1b[31m \xff, <!channel>"

// report is one with every outcome.
func report(t *testing.T) *checks.Report {
	t.Helper()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := &checks.Report{
		Pipeline: "inventory", At: at, Took: 1500 * time.Millisecond, FailOn: checks.Error, Version: "1.2.3",
		Place: func(c *checks.Check) string { return "my folder/checks/" + c.Name + ".sql" },
	}
	for _, sample := range []struct {
		name, settings string
		reader         reader
	}{
		{"passes", "-- severity: critical\n", reader{columns: "a"}},
		{"fails", "-- description: Names, that are hostile: 100%.\n-- owner: platform\n-- control: SAT GOV-2\n-- docs: https://example.com/a?b=c,d\n-- key: a\n-- message: {{ a }} is wrong\n", reader{columns: "a b", rows: [][]any{{hostile, json.RawMessage(`{"x": [1]}`)}, {"plain", nil}}}},
		{"warns", "-- severity: warning\n", reader{columns: "a", rows: [][]any{{true}}, gaps: []string{"users: the rows of 1 of 2 workspaces are old"}}},
		{"informs", "-- severity: info\n-- expect: <= 1\n", reader{columns: "n", rows: [][]any{{2.5}}}},
		{"unknown", "", reader{columns: "a", gaps: []string{"users: the rows of 1 of 2 workspaces are old"}}},
		{"broken", "", reader{err: provider.Usagef("no such column").At(provider.Position{Line: 1, Column: 8})}},
	} {
		c, err := checks.Parse(sample.name, sample.settings+"SELECT 1")
		if err != nil {
			t.Fatal(err)
		}
		result := evaluate(t, c, sample.reader, checks.Limits{})
		result.At, result.Took = at, 250*time.Millisecond
		r.Results = append(r.Results, result)
	}
	return r
}

func write(t *testing.T, r *checks.Report, format checks.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, format); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestGolden compares the reports for CI with golden files.
func TestGolden(t *testing.T) {
	t.Parallel()
	for format, file := range map[checks.Format]string{checks.JUnit: "junit.xml", checks.SARIF: "sarif.json", checks.GitHub: "github.txt", checks.JSON: "report.json"} {
		got, path := write(t, report(t), format), filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is\n%s\nwant\n%s", file, got, want)
		}
	}
}

// TestJUnit reads the XML as CI does: its sums are right, and a hostile value is text.
func TestJUnit(t *testing.T) {
	t.Parallel()
	type flaw struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	var doc struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
		Suites   []struct {
			Cases []struct {
				Name    string `xml:"name,attr"`
				Failure []flaw `xml:"failure"`
				Error   []flaw `xml:"error"`
				Skipped []flaw `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(write(t, report(t), checks.JUnit), &doc); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, c := range doc.Suites[0].Cases {
		kind := "pass"
		for name, flaws := range map[string][]flaw{"failure": c.Failure, "error": c.Error, "skipped": c.Skipped} {
			if len(flaws) > 0 {
				kind = name
			}
		}
		kinds = append(kinds, c.Name+" "+kind)
	}
	if got := strings.Join(kinds, ", "); got != "passes pass, fails failure, warns skipped, informs skipped, unknown error, broken error" {
		t.Error(got)
	}
	if doc.Tests != 6 || doc.Failures != 1 || doc.Errors != 2 || doc.Skipped != 2 {
		t.Errorf("the sums are %+v", doc)
	}
	if text := doc.Suites[0].Cases[1].Failure[0].Text; !strings.HasPrefix(text, "a%0A\r\n::stop-commands::x\n]]><b>&\"' [link]") && !strings.HasPrefix(text, "a%0A\n::stop-commands::x\n]]><b>&\"' [link]") {
		t.Errorf("the text is %q", text)
	}
}

// TestSARIF holds the document against what the standard requires: the members of each object, levels and
// kinds, indexes and URIs.
func TestSARIF(t *testing.T) {
	t.Parallel()
	var doc struct {
		Version string `json:"version"`
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name           string `json:"name"`
					InformationURI string `json:"informationUri"`
					Rules          []struct {
						ID               string                 `json:"id"`
						ShortDescription struct{ Text string }  `json:"shortDescription"`
						HelpURI          *string                `json:"helpUri"`
						Default          struct{ Level string } `json:"defaultConfiguration"`
					} `json:"rules"`
				} `json:"driver"`
			} `json:"tool"`
			Invocations []struct {
				Successful    *bool `json:"executionSuccessful"`
				Notifications []struct {
					Level   string                `json:"level"`
					Message struct{ Text string } `json:"message"`
				} `json:"toolExecutionNotifications"`
			} `json:"invocations"`
			Results []struct {
				RuleID    string                `json:"ruleId"`
				RuleIndex int                   `json:"ruleIndex"`
				Kind      string                `json:"kind"`
				Level     string                `json:"level"`
				Message   struct{ Text string } `json:"message"`
				Locations []struct {
					Physical struct {
						Artifact struct{ URI string }    `json:"artifactLocation"`
						Region   struct{ StartLine int } `json:"region"`
					} `json:"physicalLocation"`
				} `json:"locations"`
				Fingerprints map[string]string `json:"partialFingerprints"`
			} `json:"results"`
		} `json:"runs"`
	}
	if err := json.Unmarshal(write(t, report(t), checks.SARIF), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Version != "2.1.0" || len(doc.Runs) != 1 || doc.Runs[0].Tool.Driver.Name != "lakeql" || len(doc.Runs[0].Invocations) != 1 {
		t.Fatalf("%+v", doc)
	}
	run := doc.Runs[0]
	if ok := run.Invocations[0].Successful; ok == nil || *ok {
		t.Error("a check could not be evaluated, and the run was successful")
	}
	if n := run.Invocations[0].Notifications; len(n) != 1 || n[0].Level != "error" || n[0].Message.Text != "line 1, column 8: no such column" {
		t.Errorf("the notifications are %+v", n)
	}
	for _, rule := range run.Tool.Driver.Rules {
		if rule.ID == "" || rule.ShortDescription.Text == "" || !slices.Contains([]string{"note", "warning", "error"}, rule.Default.Level) || rule.HelpURI != nil && *rule.HelpURI == "" {
			t.Errorf("the rule %+v", rule)
		}
	}
	var told []string
	for _, r := range run.Results {
		told = append(told, r.RuleID+" "+r.Kind+" "+r.Level)
		if r.RuleIndex < 0 || r.RuleIndex >= len(run.Tool.Driver.Rules) || run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("the rule of %+v is another one", r)
		}
		if r.Kind != "fail" && r.Level != "none" || r.Message.Text == "" || len(r.Locations) != 1 {
			t.Errorf("the result %+v", r)
		}
		place := r.Locations[0].Physical
		if u, err := url.Parse(place.Artifact.URI); err != nil || u.IsAbs() || u.Path != "my folder/checks/"+r.RuleID+".sql" || place.Region.StartLine < 1 {
			t.Errorf("the place of %s is %+v", r.RuleID, place)
		}
		if r.Kind == "fail" && r.Fingerprints["rowKey/v1"] == "" {
			t.Errorf("%+v has no fingerprint", r)
		}
	}
	if got := strings.Join(told, ", "); got != "passes pass none, fails fail error, fails fail error, warns fail warning, informs fail note, unknown open none" {
		t.Error(got)
	}
	if text := run.Results[1].Message.Text; !strings.Contains(text, `\[link\](https://evil.example) {{0}}`) {
		t.Errorf("a value is a link: %q", text)
	}
}

// TestGitHub reads the workflow commands as the runner does: a line each, and the values come back.
func TestGitHub(t *testing.T) {
	t.Parallel()
	lines := strings.Split(strings.TrimSuffix(string(write(t, report(t), checks.GitHub)), "\n"), "\n")
	command := regexp.MustCompile(`^::(error|warning|notice) file=([^,:]*),line=(\d+),title=([^,:]*)::(.*)$`)
	var told []string
	for _, line := range lines[:len(lines)-1] {
		match := command.FindStringSubmatch(line)
		if match == nil {
			t.Fatalf("%q is no workflow command", line)
		}
		told = append(told, match[1]+" "+match[4])
		if strings.Contains(match[4], "fails") {
			message := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(match[5])
			if want := "Names, that are hostile: 100%.\n" + strings.NewReplacer("\x00", "\uFFFD", "\x1b", "\uFFFD").Replace(strings.ToValidUTF8(hostile, "\uFFFD")) + " is wrong\nplain is wrong\nhttps://example.com/a?b=c,d"; message != want {
				t.Errorf("the message is %q, want %q", message, want)
			}
		}
	}
	if got := strings.Join(told, ", "); got != "error fails%3A fail, warning warns%3A fail, notice informs%3A fail, warning unknown%3A unknown, error broken%3A error" {
		t.Error(got)
	}
	if last := lines[len(lines)-1]; last != "1 of 6 checks of inventory passed" {
		t.Error(last)
	}
}

// TestReportError tells which outcomes are no success, and how.
func TestReportError(t *testing.T) {
	t.Parallel()
	all := report(t).Results
	pick := func(names ...string) (some []*checks.Result) {
		for _, r := range all {
			if slices.Contains(names, r.Check.Name) {
				some = append(some, r)
			}
		}
		return some
	}
	for name, test := range map[string]struct {
		failOn  checks.Severity
		results []*checks.Result
		code    provider.Code
		text    string // empty: a success
	}{
		"all":                {checks.Error, all, provider.API, "1 check failed: fails; 1 check could not be evaluated: broken; 1 check could not be decided, because rows of the store are old or missing: unknown"},
		"warnings count":     {checks.Warning, pick("fails", "warns", "informs"), provider.API, "2 checks failed: fails, warns"},
		"nothing counts":     {checks.Never, all, 0, ""},
		"below":              {checks.Error, pick("passes", "warns", "informs"), 0, ""},
		"only critical":      {checks.Critical, pick("fails"), 0, ""},
		"a query that fails": {checks.Critical, pick("broken"), provider.API, "1 check could not be evaluated: broken"},
		"unknown":            {checks.Critical, pick("unknown", "fails"), provider.Partial, "1 check could not be decided, because rows of the store are old or missing: unknown"},
	} {
		err := (&checks.Report{FailOn: test.failOn, Results: test.results}).Error()
		if text := messageOf(err); text != test.text || err != nil && provider.CodeOf(err) != test.code {
			t.Errorf("%s: %v, want %q", name, err, test.text)
		}
	}
}

func messageOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestRows shows the rows of the table.
func TestRows(t *testing.T) {
	t.Parallel()
	count := func(all bool) (n int, messages []any) {
		rows := report(t).Rows(all)
		for {
			row, err := rows.Next(t.Context())
			if errors.Is(err, io.EOF) {
				return n, messages
			}
			if err != nil {
				t.Fatal(err)
			}
			n++
			messages = append(messages, row[5])
		}
	}
	if n, messages := count(false); n != 6 || messages[0] != nil || messages[3] != "n = 2.5, expected <= 1" {
		t.Errorf("%d rows, %v", n, messages)
	}
	if n, messages := count(true); n != 7 || messages[2] != "plain is wrong" {
		t.Errorf("%d rows, %v", n, messages)
	}
}
