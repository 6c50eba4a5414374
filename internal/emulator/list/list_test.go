package list_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/list"
	"github.com/lakeql/lakeql/internal/emulator/resource"
	"github.com/lakeql/lakeql/provider"
)

// roasts generates the collection /roasts.
type roasts []resource.Record

func (r roasts) IDs(collection string) resource.Sequence {
	var ids resource.Sequence
	for _, item := range r {
		if collection == "/roasts" {
			ids.Names = append(ids.Names, resource.Text(item["id"]))
		}
	}
	return ids
}

func (r roasts) Item(_, id string) resource.Item {
	at := slices.IndexFunc(r, func(item resource.Record) bool { return item["id"] == id })
	return resource.Item{ID: id, Record: r[at]}
}

// madeUp is a catalogue without shared schemas, as the list of roasts refers to none.
type madeUp struct{ provider.Loader }

func newRequest(t *testing.T) *list.Request {
	t.Helper()
	text := func(name string) provider.Property {
		return provider.Property{Name: name, Schema: &provider.Schema{Type: "string"}}
	}
	item := &provider.Schema{Type: "object", Properties: []provider.Property{text("id"), text("name"), text("origin")}}
	answer := &provider.Schema{Type: "object", Properties: []provider.Property{
		{Name: "roasts", Schema: &provider.Schema{Type: "array", Items: item}}, text("next_page_token"),
	}}
	paging := &provider.Paging{RequestToken: "page_token", ResponseToken: "next_page_token"}
	method := &provider.Method{
		Name: "list", Verb: "GET", Path: "/api/2.0/roasts", Paging: paging, Response: &provider.Response{Schema: answer, ObjectKey: "$.roasts"},
	}
	kinds, _ := documents.Classify([]*provider.Method{method}, documents.NewShapes(provider.NewCatalogue(madeUp{})))
	collections := resource.New(roasts{
		{"id": "1", "name": "Harbor", "origin": "Kenya"},
		{"id": "2", "name": "Finch", "origin": "Peru"},
		{"id": "3", "name": "Quay", "origin": "Kenya"},
		{"id": "4", "name": "Tide", "origin": "Kenya"},
	})
	return &list.Request{
		Collections: collections, In: "/roasts", IDs: collections.GeneratedIDs("/roasts"), Kind: kinds["/roasts"],
		Paging: paging, Query: url.Values{}, Scope: "local", Tokens: list.NewTokens(2), Now: time.Now(),
	}
}

func ids(items []resource.Item) string {
	var all []string
	for _, it := range items {
		all = append(all, it.ID)
	}
	return strings.Join(all, " ")
}

func TestPagesFollowTheirTokens(t *testing.T) {
	r := newRequest(t)
	r.Query.Set("origin", "Kenya")
	first, err := r.Page()
	if err != nil || ids(first.Items) != "1 3" || first.More["has_more"] != true {
		t.Fatalf("the first page is %v, %v", first, err)
	}
	r.Token = resource.Text(first.More["next_page_token"])
	r.Collections.Remove("/roasts/3") // a page goes on after its position
	second, err := r.Page()
	if err != nil || ids(second.Items) != "4" || second.More["has_more"] != false {
		t.Errorf("the second page is %v, %v", second, err)
	}
	r.Query.Set("origin", "Peru")
	if _, err := r.Page(); err == nil {
		t.Error("a token is good in a list with another filter")
	}
}

func TestFiltersChoose(t *testing.T) {
	for filter, want := range map[string]string{
		`origin = 'Kenya' AND name != 'Tide'`: "1 3",
		`name LIKE '%i%'`:                     "2 4",
		`id IN (2, 9)`:                        "2",
	} {
		r := newRequest(t)
		r.Query.Set("filter", filter)
		if got, err := r.Page(); err != nil || ids(got.Items) != want {
			t.Errorf("%s: %v, %v, want %s", filter, got.Items, err, want)
		}
	}
}

func TestUnknownParametersAreRefused(t *testing.T) {
	for name, value := range map[string]string{"color": "dark", "filter": "color = 'dark'", "page_size": "-1"} {
		r := newRequest(t)
		r.Query.Set(name, value)
		if got, err := r.Page(); err == nil || apierror.From(err).Status != 400 {
			t.Errorf("%s=%s: %v, %v", name, value, got, err)
		}
	}
}

// FuzzParseSCIM looks for filters that make the reader panic.
func FuzzParseSCIM(f *testing.F) {
	for _, text := range []string{`name eq "Harbor" and not (id gt 2)`, `roasts[name co "i"].id pr`, "((((", "\"\\u00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fits, err := list.ParseSCIM(text, func([]string) bool { return true })
		if err != nil {
			if apierror.From(err).Status != 400 {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		fits(resource.Record{"name": "Harbor", "id": "1"})
	})
}
