package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// judge returns the problem with the result of a cell; empty if the result is right.
func judge(s *surface, f *fault, got outcome) string {
	want := f.want(s)
	switch all := got.stdout + got.stderr; {
	case got.hung:
		return "it hangs"
	case got.deaf:
		return "it does not end on Ctrl-C"
	case strings.Contains(all, token):
		return "it shows the credential"
	case strings.Contains(got.stderr, "panic:") || strings.Contains(got.stderr, "goroutine "):
		return "it panics"
	case got.astray != "":
		if got.status == 0 {
			return "it sends what nobody should: " + got.astray
		}
	case got.sent == 0 && (got.status == 0 || f.ends(s) != silent): // a slow machine may hit the short time limit before
		return "it never makes the call"
	}
	if s.writes() && got.sent > max(want.sent, 1) {
		return fmt.Sprintf("it sends a change %d times", got.sent)
	}
	if s.pipeline {
		return judgePipeline(s, f, want, got)
	}
	switch {
	case got.status == 0:
		return judgeRows(want, got)
	case s.partial && got.status == 3:
		return judgePartial(s, want, got)
	}
	return judgeFailure(s, f, want, got)
}

// judgeRows judges a run that ended well.
func judgeRows(want verdict, got outcome) string {
	rows, err := normal(got.stdout)
	switch {
	case err != nil:
		return "its rows are no JSON: " + err.Error()
	case len(want.rows) == 0:
		return "no error, but the rows " + rows
	case !slices.ContainsFunc(want.rows, func(allowed string) bool { return mustNormal(allowed) == rows }):
		return "wrong rows " + rows
	case want.note && strings.TrimSpace(got.stderr) == "":
		return "not a word of what it replaced"
	}
	return ""
}

// judgePartial judges rows of which a part is missing, as was allowed.
func judgePartial(s *surface, want verdict, got outcome) string {
	rows, err := normal(got.stdout)
	switch {
	case err != nil:
		return "its rows are no JSON: " + err.Error()
	case !want.fails:
		return "an error: " + got.stderr
	case rows != mustNormal(s.none):
		return "wrong rows " + rows
	}
	return told(want, got)
}

// judgeFailure judges a run that ended with an error.
func judgeFailure(s *surface, f *fault, want verdict, got outcome) string {
	refused := strings.HasPrefix(f.name, "401") || strings.HasPrefix(f.name, "403")
	switch {
	case !want.fails:
		return "an error: " + got.stderr
	case got.status != 1 && (got.status != 4 || !refused) && (got.status != 2 || !want.usage):
		return fmt.Sprintf("it ends with status %d: %s", got.status, got.stderr)
	}
	if got.stdout != "" && json.Valid([]byte(got.stdout)) {
		return "the rows of a failed statement look whole: " + got.stdout
	}
	for _, row := range rowsOf(got.stdout) {
		if !slices.ContainsFunc([]string{s.right, s.none}, func(all string) bool { return all != "" && slices.Contains(rowsOf(f.fill(all)), row) }) {
			return "a wrong row before the error: " + row
		}
	}
	return told(want, got)
}

// told judges whether standard error says why.
func told(want verdict, got outcome) string {
	text := strings.TrimSpace(got.stderr)
	switch {
	case text == "":
		return "not a word of the error"
	case !strings.Contains(text, "error: ") && !strings.Contains(text, "warning: "):
		return "no error is told: " + text
	case want.told != "" && !strings.Contains(text, want.told):
		return "the reason is not told: " + text
	}
	return ""
}

// judgePipeline judges the messages and the rows of a pipeline.
func judgePipeline(s *surface, f *fault, want verdict, got outcome) string {
	if got.stored == nil || got.stored.status != 0 {
		return "its store cannot be read"
	}
	rows, err := normal(got.stored.stdout)
	if err != nil {
		return "its rows are no JSON: " + err.Error()
	}
	if got.status == 0 {
		switch {
		case len(want.rows) == 0:
			return "no error, but it holds " + rows
		case !slices.ContainsFunc(want.rows, func(allowed string) bool { return mustNormal(allowed) == rows }):
			return "it holds wrong rows " + rows
		}
		return ""
	}
	switch {
	case !want.fails:
		return "an error: " + got.stderr
	case got.status != 1 && got.status != 4 && (got.status != 2 || !want.usage):
		return fmt.Sprintf("it ends with status %d: %s", got.status, got.stderr)
	case rows != mustNormal(s.before()) && (f.ends(s) != cancelled || rows != mustNormal(s.unmarked())):
		return "it failed, but it holds " + rows
	}
	return told(verdict{}, got) // why is in the store
}

// normal writes rows in one form: keys sorted, numbers as they came.
func normal(text string) (string, error) {
	if strings.TrimSpace(text) == "" {
		return "[]", nil // a statement without rows
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var rows []any
	if err := dec.Decode(&rows); err != nil {
		return "", err
	}
	if _, err := dec.Token(); err != io.EOF {
		return "", fmt.Errorf("more than one value")
	}
	if len(rows) == 0 {
		return "[]", nil
	}
	out, err := json.Marshal(rows)
	return string(out), err
}

// mustNormal is normal for texts of this package. An invalid JSON text matches nothing.
func mustNormal(text string) string {
	out, err := normal(strings.NewReplacer("<num>", usualNum, "<text>", usualText).Replace(text))
	if err != nil {
		return "no JSON: " + text
	}
	return out
}

// rowsOf are the rows that stand whole in a text, which may be cut.
func rowsOf(text string) []string {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var rows []string
	if _, err := dec.Token(); err != nil { // the bracket
		return nil
	}
	for dec.More() {
		var row any
		if dec.Decode(&row) != nil {
			return rows
		}
		out, err := json.Marshal(row)
		if err != nil {
			return rows
		}
		rows = append(rows, string(out))
	}
	return rows
}
