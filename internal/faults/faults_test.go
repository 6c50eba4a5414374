package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestPart runs a part of the matrix: make faults runs it whole.
func TestPart(t *testing.T) {
	command := filepath.Join(t.TempDir(), "lakeql")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", command, "github.com/lakeql/lakeql")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the command: %v\n%s", err, out)
	}
	var out strings.Builder
	m := matrix{command: command, part: true, parallel: runtime.NumCPU(), out: &out}
	got, err := m.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.failed > 0 || got.tried < 500 {
		t.Errorf("%d cells were tried, %d failed\n%s", got.tried, got.failed, out.String())
	}
}

// TestCells shows that the matrix has each fault and each statement, and each cell once.
func TestCells(t *testing.T) {
	all := cells()
	names, groups, statements := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, c := range all {
		if names[c.name()] {
			t.Errorf("%s: there are two", c.name())
		}
		names[c.name()] = true
	}
	for _, c := range partOf(all) {
		groups[c.fault.group] = true
		statements[c.surface.name]++
	}
	for _, f := range faults() {
		if !groups[f.group] {
			t.Errorf("the part has no fault of the group %s", f.group)
		}
	}
	for _, s := range surfaces() {
		if statements[s.name] < 3 {
			t.Errorf("the part has %d faults for %s", statements[s.name], s.name)
		}
		for _, text := range []string{s.right, s.none, s.hollow, s.before(), s.unmarked()} {
			if strings.HasPrefix(mustNormal(text), "no JSON") {
				t.Errorf("%s: %s", s.name, mustNormal(text))
			}
		}
	}
}

// TestJudge shows the results that a cell may not have.
func TestJudge(t *testing.T) {
	find := func(name string) *surface {
		for _, s := range surfaces() {
			if s.name == name {
				return s
			}
		}
		t.Fatalf("there is no %s", name)
		return nil
	}
	page, partial, insert, pipeline := find("page 2 of 3"), find("IN list, partial"), find("INSERT"), find("pipeline: a workspace")
	const whole = `[{"cluster_id":"c2","cluster_name":"blue","n":20},{"n":7,"cluster_id":"c1","cluster_name":"red"},{"cluster_id":"c4","cluster_name":"grey","n":40}]`
	const first = `[{"cluster_id":"c2","cluster_name":"blue","n":20}`
	const two = `[{"cluster_id":"c2","cluster_name":"blue","n":20},{"cluster_id":"c3","cluster_name":"green","n":30}]`
	failing, fine, either := &fault{name: "x", want: fails}, &fault{name: "x", want: right}, &fault{name: "x", want: replaced("red")}
	denied := &fault{name: "403", want: fails}
	saying := &fault{name: "x", want: failsSaying("why")}
	keeps := func(rows string) *outcome { return &outcome{stdout: rows} }
	for name, test := range map[string]struct {
		surface *surface
		fault   *fault
		got     outcome
		wrong   string // empty: it holds
	}{
		"the rows":                     {page, fine, outcome{stdout: whole, sent: 1}, ""},
		"rows instead of an error":     {page, failing, outcome{stdout: whole, sent: 1}, "no error, but the rows"},
		"fewer rows":                   {page, fine, outcome{stdout: first + "]", sent: 1}, "wrong rows"},
		"no rows":                      {page, fine, outcome{sent: 1}, "wrong rows"},
		"another number":               {page, fine, outcome{stdout: strings.ReplaceAll(whole, "20", "20.0"), sent: 1}, "wrong rows"},
		"no JSON":                      {page, fine, outcome{stdout: whole + "]", sent: 1}, "no JSON"},
		"an error instead of rows":     {page, fine, outcome{status: 1, stderr: "error: x", sent: 1}, "an error"},
		"an error":                     {page, failing, outcome{status: 1, stderr: "error: x", sent: 1}, ""},
		"an error behind rows":         {page, failing, outcome{status: 1, stdout: first, stderr: "error: x", sent: 1}, ""},
		"an error behind a whole list": {page, failing, outcome{status: 1, stdout: first + "]", stderr: "error: x", sent: 1}, "look whole"},
		"an error behind a wrong row":  {page, failing, outcome{status: 1, stdout: strings.ReplaceAll(first, "blue", "bleu"), stderr: "error: x", sent: 1}, "a wrong row"},
		"an error without a word":      {page, failing, outcome{status: 1, sent: 1}, "not a word"},
		"an error without the reason":  {page, saying, outcome{status: 1, stderr: "error: x", sent: 1}, "not told"},
		"an error with the reason":     {page, saying, outcome{status: 1, stderr: "error: why", sent: 1}, ""},
		"another status":               {page, failing, outcome{status: 2, stderr: "error: x", sent: 1}, "status 2"},
		"a status of refusal":          {page, denied, outcome{status: 4, stderr: "error: x", sent: 1}, ""},
		"and where there is none":      {page, failing, outcome{status: 4, stderr: "error: x", sent: 1}, "status 4"},
		"a panic":                      {page, failing, outcome{status: 1, stderr: "error: panic: x", sent: 1}, "panics"},
		"the credential":               {page, failing, outcome{status: 1, stderr: "error: " + token, sent: 1}, "credential"},
		"no end":                       {page, failing, outcome{status: 1, stderr: "error: x", sent: 1, hung: true}, "hangs"},
		"no end on Ctrl-C":             {page, failing, outcome{status: 1, stderr: "error: x", sent: 1, deaf: true}, "Ctrl-C"},
		"no call":                      {page, fine, outcome{stdout: whole}, "never makes the call"},
		"a call too many":              {page, fine, outcome{stdout: whole, sent: 1, astray: "GET /x"}, "GET /x"},
		"replaced, with a note":        {page, either, outcome{stdout: whole, stderr: "note: x", sent: 1}, ""},
		"replaced, without one":        {page, either, outcome{stdout: whole, sent: 1}, "not a word"},
		"a change twice":               {insert, failing, outcome{status: 1, stderr: "error: x", sent: 2}, "2 times"},
		"a read twice":                 {page, fine, outcome{stdout: whole, sent: 2}, ""},
		"a part":                       {partial, failing, outcome{status: 3, stdout: two, stderr: "error: x", sent: 1}, ""},
		"a part without a word":        {partial, failing, outcome{status: 3, stdout: two, sent: 1}, "not a word"},
		"too little":                   {partial, failing, outcome{status: 3, stdout: "[]", stderr: "error: x", sent: 1}, "wrong rows"},
		"a part that is not allowed":   {page, failing, outcome{status: 3, stdout: two, stderr: "error: x", sent: 1}, "status 3"},
		"a pipeline that fails":        {pipeline, failing, outcome{status: 1, stderr: "error: x", sent: 1, stored: keeps(pipeline.before())}, ""},
		"a pipeline that fails unsaid": {pipeline, failing, outcome{stderr: "done", sent: 1, stored: keeps(pipeline.before())}, "no error"},
		"rows that are not stale":      {pipeline, failing, outcome{status: 1, stderr: "error: x", sent: 1, stored: keeps(strings.ReplaceAll(pipeline.before(), `"stale": true`, `"stale": false`))}, "it holds"},
		"rows that are gone":           {pipeline, failing, outcome{status: 1, stderr: "error: x", sent: 1, stored: keeps(pipeline.none)}, "it holds"},
	} {
		if why := judge(test.surface, test.fault, test.got); (why == "") != (test.wrong == "") || !strings.Contains(why, test.wrong) {
			t.Errorf("%s: %q, want %q", name, why, test.wrong)
		}
	}
}
