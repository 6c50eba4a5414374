package provider_test

import (
	"testing"

	"github.com/lakeql/lakeql/provider"
)

func TestSpelling(t *testing.T) {
	t.Parallel()
	m := &provider.Method{Params: []provider.Parameter{{Name: "excludedAttributes"}, {Name: "page_size"}, {Name: "Id"}}}
	for name, want := range map[string]string{
		"excludedAttributes":  "excludedAttributes",
		"excluded_attributes": "excludedAttributes",
		"page_size":           "page_size",
		"id":                  "Id",
		"":                    "",
		"excludedattributes":  "",
	} {
		got := ""
		if p, ok := m.Takes(name); ok {
			got = p.Name
		}
		if got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
