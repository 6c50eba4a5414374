package provider_test

import (
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// oneMethod has one provider with one service, resource and method: p.s.r.m.
type oneMethod struct{}

func (oneMethod) Providers() ([]*provider.Provider, error) {
	return []*provider.Provider{{Name: "p", Services: []*provider.ServiceInfo{{Name: "s"}}}}, nil
}

func (oneMethod) Service(string, string) (*provider.Service, error) {
	return &provider.Service{Provider: "p", Name: "s", Resources: []*provider.ResourceInfo{{Name: "r"}}}, nil
}

func (oneMethod) Resource(string, string, string) (*provider.Resource, error) {
	return &provider.Resource{Provider: "p", Service: "s", Name: "r", Methods: []*provider.Method{{Name: "m"}}}, nil
}

func (oneMethod) Schema(string, string, string) (*provider.Schema, error) {
	return &provider.Schema{}, nil
}

func (oneMethod) FormerNames(string) ([]provider.FormerName, error) { return nil, nil }

// TestLookup checks the targets of names of one to four parts, and which part of a name is unknown.
func TestLookup(t *testing.T) {
	c := provider.NewCatalogue(oneMethod{})
	for name, wrong := range map[string]int{"x": 0, "x.s": 0, "p.x": 1, "p.s.x": 2, "p.s.x.m": 2, "p.s.r.x": 3} {
		if _, unknown, err := c.Lookup(strings.Split(name, ".")...); provider.CodeOf(err) != provider.Unknown || unknown != wrong {
			t.Errorf("%s: part %d is unknown (%v), want %d", name, unknown, err, wrong)
		}
	}
	found, _, err := c.Lookup("P", "s", "R", "m")
	if err != nil {
		t.Fatal(err)
	}
	if found.Provider.Name != "p" || found.Service.Name != "s" || found.Resource.Name != "r" || found.Method.Name != "m" || found.Method.Resource != "p.s.r" {
		t.Errorf("found %+v", found)
	}
	found, _, err = c.Lookup("p", "s")
	if err != nil || found.Service == nil || found.Resource != nil {
		t.Errorf("found %+v, %v", found, err)
	}
}
