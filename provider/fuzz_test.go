package provider_test

import (
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// FuzzSplit splits resource names. The parts, joined again, must be the same name.
func FuzzSplit(f *testing.F) {
	f.Add("projects/{project_id}/branches/{branch_id}", "projects/p/branches/b")
	f.Add("{a}/{a}", "x/y")
	f.Add("{}/{b", "/{b")
	f.Add("catalogs/{c}", "catalogs/")
	f.Fuzz(func(t *testing.T, template, name string) {
		n := &provider.NameParam{Name: "name", Template: template}
		params := n.Params()
		values, ok := n.Split(name)
		if !ok {
			return
		}
		again := strings.Split(template, "/")
		given := strings.Split(name, "/")
		for i, segment := range again {
			inner := strings.TrimSuffix(strings.TrimPrefix(segment, "{"), "}")
			value, isParam := values[inner]
			if !isParam || "{"+inner+"}" != segment {
				continue
			}
			if value == "" || strings.Contains(value, "/") {
				t.Errorf("%q of %q has the value %q", inner, template, value)
			}
			again[i] = given[i]
		}
		if got := strings.Join(again, "/"); got != name {
			t.Errorf("%q of the form %q is put together as %q", name, template, got)
		}
		if len(values) > len(params) {
			t.Errorf("%q has the parameters %q and gives %q", template, params, values)
		}
	})
}

// FuzzPrintable shows that no text from outside steers a terminal.
func FuzzPrintable(f *testing.F) {
	f.Add("a\x1b[31mb\r\n\x00\u202e\xff\u0085\u2028")
	f.Fuzz(func(t *testing.T, text string) {
		for _, shown := range []string{provider.Printable(text), provider.Quote(text)} {
			if strings.ContainsAny(shown, "\x00\x07\b\r\n\x1b\x7f\u0085\u009b\u202e") {
				t.Errorf("%q is shown as %q", text, shown)
			}
		}
	})
}
