package template_test

import (
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/template"
)

// FuzzFill shows that no template takes longer or becomes longer than its limits.
func FuzzFill(f *testing.F) {
	for text := range endless() {
		f.Add(text)
	}
	for _, text := range []string{
		"{{ name }} {{ .name }}", `{{ range $i, $v := .list }}{{ with $v }}{{ $i }}{{ end }}{{ end }}`, `{{ define "t" }}{{ template "t" . }}{{ end }}{{ template "t" 1 }}`,
		`{{ printf "%*d" 999999999 1 }}`, `{{ slice "abc" 5 }}`, `{{ index .list 9 }}`, `{{ twice (twice .list) | json | quote }}`, "{{/* a */}}{{- 1 -}}", "{{ fails 1 }}", "{{ call .list }}", "{{",
	} {
		f.Add(text)
	}
	limits := template.Limits{Size: 4096, Steps: 1000}
	f.Fuzz(func(t *testing.T, text string) {
		began := time.Now()
		got, err := fill(t.Context(), text, limits)
		if len(got) > limits.Size || err != nil && got != "" {
			t.Errorf("%q becomes %d bytes, %v", text, len(got), err)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("%q takes %s", text, took)
		}
	})
}
