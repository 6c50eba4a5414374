package template_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/template"
	"github.com/lakeql/lakeql/provider"
)

func fill(ctx context.Context, text string, limits template.Limits) (string, error) {
	functions := template.Functions{
		"name":  func() string { return "x" },
		"quote": func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" },
		"twice": func(v any) string { return fmt.Sprint(v, v) },
		"json":  func(v any) (string, error) { return fmt.Sprintf("%q", v), nil },
		"fails": func(any) (string, error) { return "", fmt.Errorf("no") },
	}
	return template.Fill(ctx, "query", text, functions, map[string]any{"name": "x", "list": []int{1, 2, 3}}, limits)
}

// TestFill shows that Fill returns the same as text/template for templates within the limits.
func TestFill(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain": "plain",
		"{{ name }} {{ .name }} {{ quote name }}":                                                    "x x 'x'",
		"{{ range .list }}{{ . }},{{ else }}none{{ end }}":                                           "1,2,3,",
		"{{ range 3 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ . }}{{ end }}":                        "02",
		`{{ range $i, $v := .list }}{{ with $v }}{{ range $v }}{{ $i }}{{ end }}{{ end }}{{ end }}`:  "011222",
		`{{ define "t" }}[{{ . }}]{{ end }}{{ template "t" 1 }}{{ block "b" 2 }}{{ . }}{{ end }}`:    "[1]2",
		`{{ printf "%5.2f|%-4s|%[1]v" 1.5 "a" }}`:                                                    " 1.50|a   |1.5",
		`{{ print 1 2 }}{{ println "a" }}{{ html "<" }}{{ js "'" }}{{ urlquery " " }}{{ json "a" }}`: "1 2a\n&lt;\\'+\"a\"",
		`{{ len (printf "%*d" 4 1) }}`:                                                               "4",
		`{{ range 0 }}a{{ else }}{{ range 2 }}b{{ end }}{{ end }}`:                                   "bb",
	} {
		got, err := fill(t.Context(), text, template.Limits{Size: 100, Steps: 60})
		if err != nil || got != want {
			t.Errorf("%s becomes %q, %v; want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"{{ missing }}":    `template: query:1: function "missing" not defined`,
		"{{ .missing }}":   `map has no entry for key "missing"`,
		"{{ fails 1 }}":    "error calling fails: no",
		"a\n{{ range }}":   "template: query:2:",
		"{{ template 1 }}": "template: query:1:",
	} {
		if got, err := fill(t.Context(), text, template.Limits{Size: 100, Steps: 100}); err == nil || !strings.Contains(err.Error(), want) || got != "" {
			t.Errorf("%s becomes %q, %v; want %q", text, got, err, want)
		}
	}
}

// endless are templates that take no end, or all memory, without limits.
func endless() map[string]string {
	return map[string]string{
		"{{ range 300000000 }}xxxxxxxxxxxxxxxxxxxx{{ end }}":                                             "text of more than",
		"{{ range 300000000 }}{{ end }}":                                                                 "more than 1000 steps",
		"{{ range 300000000 }}{{ else }}x{{ end }}":                                                      "more than 1000 steps",
		"{{ range 30000 }}{{ range 30000 }}{{ range 30000 }}{{ end }}{{ end }}{{ end }}":                 "more than 1000 steps",
		"{{ if true }}{{ with 1 }}{{ range 300000000 }}{{ end }}{{ end }}{{ end }}":                      "more than 1000 steps",
		"{{ range 0 }}{{ else }}{{ range 300000000 }}{{ end }}{{ end }}":                                 "more than 1000 steps",
		"{{ if false }}{{ else }}{{ with 0 }}{{ else }}{{ range 300000000 }}{{ end }}{{ end }}{{ end }}": "more than 1000 steps",
		`{{ define "a" }}{{ template "a" }}{{ template "a" }}{{ end }}{{ template "a" }}`:                "more than 1000 steps",
		`{{ define "a" }}{{ range 300000000 }}{{ end }}{{ end }}{{ template "a" }}`:                      "more than 1000 steps",
		`{{ $x := "aa" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}`:                                 "text of more than",
		`{{ $x := "aa" }}{{ range 100 }}{{ $x = println $x $x }}{{ end }}`:                               "text of more than",
		`{{ $x := "aa" }}{{ range 100 }}{{ $x = printf "%[1]s%[1]s" $x }}{{ end }}`:                      "text of more than",
		`{{ $x := "'" }}{{ range 100 }}{{ $x = quote $x }}{{ end }}`:                                     "text of more than",
		`{{ $x := "'" }}{{ range 100 }}{{ $x = twice $x }}{{ end }}`:                                     "text of more than",
		`{{ $x := "\"" }}{{ range 100 }}{{ $x = json $x }}{{ end }}`:                                     "text of more than",
		`{{ $x := "&" }}{{ range 100 }}{{ $x = html (print $x $x) }}{{ end }}`:                           "text of more than",
		`{{ $x := "<" }}{{ range 100 }}{{ $x = js $x $x }}{{ end }}`:                                     "text of more than",
		`{{ $x := "%" }}{{ range 100 }}{{ $x = urlquery $x $x }}{{ end }}`:                               "text of more than",
		`{{ len (printf "%999999d" 1) }}`:                                                                "text of more than",
		`{{ len (printf "%.999999f" 1.0) }}`:                                                             "text of more than",
		`{{ len (printf "%*d" 999999 1) }}`:                                                              "text of more than",
		`{{ $x := printf "%9000d" 1 }}{{ range 900 }}{{ $y := print $x }}{{ end }}`:                      "more than 1000 steps",
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for text, want := range endless() {
		got, err := fill(t.Context(), text, template.Limits{Size: 10_000, Steps: 1000})
		if got != "" || err == nil || provider.CodeOf(err) != provider.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %.20q, %v; want %s", text, got, err, want)
		}
	}
}

// TestInterrupted shows that a template ends with its context.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := fill(ctx, "{{ range 300000000000 }}{{ end }}", template.Limits{Size: 100, Steps: 1 << 60})
	if err == nil || err.Error() != "the time for the statement is up: the template was not filled in to its end" {
		t.Error(err)
	}
}
