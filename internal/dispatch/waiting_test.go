package dispatch_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// TestEveryMethodCanBeAwaited holds all that the documents say of waiting against the methods that
// are polled.
func TestEveryMethodCanBeAwaited(t *testing.T) {
	t.Parallel()
	c := &dispatch.Client{Catalogue: realCatalogue(t)}
	kinds := map[provider.WaitKind]int{}
	for m := range methods(t, c.Catalogue) {
		if !m.LongRunning() {
			continue
		}
		kinds[m.Wait.Kind]++
		poll := named(t, c, m.Wait.Poll)
		if poll.Verb != http.MethodGet || poll.Body != nil {
			t.Errorf("%s: polls by %s", m.FullName(), poll.Verb)
		}
		bound := map[string]bool{}
		for _, b := range m.Wait.Bind {
			bound[b.Param] = true
			p, ok := poll.Param(b.Param)
			if !ok {
				t.Errorf("%s: binds %s, which %s does not have", m.FullName(), b.Param, poll.FullName())
				continue
			}
			if from := source(t, c, m, b); from == nil || from.Type != p.Schema.Type {
				t.Errorf("%s: %s is bound to %s.%s, which is %v", m.FullName(), b.Param, b.From, b.Path, from)
			}
		}
		for _, p := range poll.Params {
			if p.Required && !bound[p.Name] {
				t.Errorf("%s: %s is not bound", m.FullName(), p.Name)
			}
		}
		columns, err := c.AwaitColumns(m)
		if err != nil || len(columns) == 0 {
			t.Errorf("%s: columns %v: %v", m.FullName(), columns, err)
		}
		if m.Wait.Kind == provider.ForOperation {
			for _, name := range []string{"name", "done", "error", "response"} {
				if at(t, c, poll, poll.Response.Schema, name) == nil {
					t.Errorf("%s: what %s gives has no %s", m.FullName(), poll.FullName(), name)
				}
			}
			continue
		}
		checkStates(t, c, m, poll)
	}
	if kinds[provider.ForOperation] != 37 || kinds[provider.ForState] != 37 {
		t.Errorf("%v methods can be awaited, want 37 operations and 37 states", kinds)
	}
}

// checkStates compares the states with those in the poll's document.
func checkStates(t *testing.T, c *dispatch.Client, m, poll *provider.Method) {
	t.Helper()
	w := m.Wait
	state := at(t, c, poll, poll.Response.Schema, w.State)
	if state == nil || state.Type != "string" || len(state.Enum) == 0 {
		t.Fatalf("%s: %s of %s is %v", m.FullName(), w.State, poll.FullName(), state)
	}
	for _, name := range slices.Concat(w.Success, w.Failure) {
		if !slices.Contains(state.Enum, any(name)) {
			t.Errorf("%s: waits for %s, which is none of %v", m.FullName(), name, state.Enum)
		}
	}
	if w.Message != "" && at(t, c, poll, poll.Response.Schema, w.Message) == nil {
		t.Errorf("%s: %s has no %s", m.FullName(), poll.FullName(), w.Message)
	}
	if len(w.Success) == 0 || w.Timeout < 20*time.Minute {
		t.Errorf("%s: waits for %v, %s", m.FullName(), w.Success, w.Timeout)
	}
}

// source returns the schema of a binding's value; nil if it does not exist, or is optional.
func source(t *testing.T, c *dispatch.Client, m *provider.Method, b provider.Binding) *provider.Schema {
	t.Helper()
	if b.From == provider.FromResponse {
		return at(t, c, m, m.Response.Schema, b.Path)
	}
	if p, ok := m.Param(b.Path); ok {
		if !p.Required {
			return nil
		}
		return p.Schema
	}
	if m.Body == nil {
		return nil
	}
	return at(t, c, m, m.Body.Schema, b.Path)
}

// at returns the schema of an attribute by its path; nil if it does not exist.
func at(t *testing.T, c *dispatch.Client, m *provider.Method, schema *provider.Schema, path string) *provider.Schema {
	t.Helper()
	for name := range strings.SplitSeq(path, ".") {
		resolved, err := c.Catalogue.Resolve(m, schema)
		if err != nil {
			t.Fatal(err)
		}
		var ok bool
		if schema, ok = resolved.Property(name); !ok {
			return nil
		}
	}
	resolved, err := c.Catalogue.Resolve(m, schema)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// methods returns every method of a catalogue.
func methods(tb testing.TB, catalogue *provider.Catalogue) func(yield func(*provider.Method) bool) {
	tb.Helper()
	providers, err := catalogue.Providers()
	if err != nil {
		tb.Fatal(err)
	}
	return func(yield func(*provider.Method) bool) {
		for _, p := range providers {
			for _, info := range p.Services {
				service, err := catalogue.Service(p.Name, info.Name)
				if err != nil {
					tb.Fatal(err)
				}
				for _, r := range service.Resources {
					resource, err := catalogue.Resource(p.Name, info.Name, r.Name)
					if err != nil {
						tb.Fatal(err)
					}
					for _, m := range resource.Methods {
						if !yield(m) {
							return
						}
					}
				}
			}
		}
	}
}
