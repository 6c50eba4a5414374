package describe_test

import (
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/describe"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// TestNamesAreListedOnce: every input of every method has a name of its own, as has every output.
func TestNamesAreListedOnce(t *testing.T) {
	t.Parallel()
	catalogue := testworld.Catalogue(t)
	prefixed := 0
	for _, m := range methods(t, catalogue) {
		rows, err := describe.Method(catalogue, m)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]string{}
		for _, r := range rows {
			side := "input"
			if r.ParamType == "output" {
				side = "output"
			}
			if other, ok := seen[side+r.Name]; ok {
				t.Errorf("%s lists %s twice: %s and %s", m.FullName(), r.Name, other, r.ParamType)
			}
			seen[side+r.Name] = r.ParamType
			attribute, isPrefixed := strings.CutPrefix(r.Name, provider.AttributePrefix)
			if !isPrefixed {
				continue
			}
			prefixed++
			if seen["input"+attribute] == "" || r.ParamType != "input_optional" {
				t.Errorf("%s: %s is %s, beside a parameter that is %q", m.FullName(), r.Name, r.ParamType, seen["input"+attribute])
			}
		}
	}
	if prefixed < 100 {
		t.Errorf("only %d attributes have the name of a parameter", prefixed)
	}
}

// methods lists every method of a catalogue.
func methods(tb testing.TB, catalogue *provider.Catalogue) []*provider.Method {
	tb.Helper()
	providers, err := catalogue.Providers()
	if err != nil {
		tb.Fatal(err)
	}
	var all []*provider.Method
	for _, p := range providers {
		for _, info := range p.Services {
			service, err := catalogue.Service(p.Name, info.Name)
			if err != nil {
				tb.Fatal(err)
			}
			for _, listed := range service.Resources {
				r, err := catalogue.Resource(p.Name, info.Name, listed.Name)
				if err != nil {
					tb.Fatal(err)
				}
				all = append(all, r.Methods...)
			}
		}
	}
	return all
}
