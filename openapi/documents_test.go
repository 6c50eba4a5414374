package openapi_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

const header = "name: p\nversion: v1\nproviderServices:\n  s:\n    service: {$ref: p/v1/services/s.yaml}\n"

// folder makes a provider folder with one service, s.
func folder(document string) fstest.MapFS {
	return fstest.MapFS{"provider.yaml": {Data: []byte(header)}, "services/s.yaml": {Data: []byte(document)}}
}

func load(tb testing.TB, fsys fs.FS) *openapi.Documents {
	tb.Helper()
	docs, err := openapi.Load(fsys)
	if err != nil {
		tb.Fatal(err)
	}
	return docs
}

func equal(tb testing.TB, what string, got, want any) {
	tb.Helper()
	if !reflect.DeepEqual(got, want) {
		tb.Errorf("%s:\n%+v\nwant\n%+v", what, got, want)
	}
}

func TestOurDocumentsAreSound(t *testing.T) {
	docs, err := openapi.LoadAll(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if err := docs.Check(); err != nil {
		t.Error(err)
	}
}

func TestProviderHeader(t *testing.T) {
	docs := load(t, fstest.MapFS{"provider.yaml": {Data: []byte(`
id: databricks
name: databricks
title: Databricks
version: v00.00.00000
description: Its API.
providerServices:
  zeta:
    id: zeta:v1
    name: zeta
    title: Zeta
    version: v1
    preferred: true
    description: Last by name.
    service: {$ref: databricks/v00.00.00000/services/zeta.yaml}
  alpha:
    service: {$ref: databricks/v00.00.00000/services/deep/alpha.yaml}
`)}})
	all, err := docs.Providers()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "providers", all, []*provider.Provider{{
		Name: "databricks", ID: "databricks", Title: "Databricks", Version: "v00.00.00000", Description: "Its API.",
		Services: []*provider.ServiceInfo{
			{Name: "zeta", ID: "zeta:v1", Title: "Zeta", Version: "v1", Preferred: true, Description: "Last by name."},
			{Name: "alpha"},
		},
	}})
}

// TestServiceFile checks that a $ref names a service's file below services/, however it begins.
func TestServiceFile(t *testing.T) {
	for ref, file := range map[string]string{
		"p/v1/services/s.yaml":            "services/s.yaml",
		"services/s.yaml":                 "services/s.yaml",
		"./services/s.yaml#/":             "services/s.yaml",
		"p/v1/services/deep/s.yaml":       "services/deep/s.yaml",
		"services/v1/services/s.yaml":     "services/s.yaml",
		"p/v1/services/services/s.yaml":   "services/services/s.yaml",
		"p/v1/services/../services/s.yml": "services/s.yml",
	} {
		docs := load(t, fstest.MapFS{
			"provider.yaml": {Data: []byte("name: p\nproviderServices: {s: {service: {$ref: '" + ref + "'}}}")},
			file:            {Data: []byte("components: {x-stackQL-resources: {r: {id: found}}}")},
		})
		s, err := docs.Service("p", "s")
		if err != nil {
			t.Errorf("%s: %v", ref, err)
			continue
		}
		equal(t, ref, s.Resources, []*provider.ResourceInfo{{Name: "r", ID: "found"}})
	}
}

func TestServiceListsItsResourcesInOrder(t *testing.T) {
	s, err := load(t, folder(`
components:
  x-stackQL-resources:
    z: {id: p.s.z, description: Last by name.}
    no_id: {}
    a: {id: p.s.a}
`)).Service("p", "s")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "service", s, &provider.Service{Provider: "p", Name: "s", Resources: []*provider.ResourceInfo{
		{Name: "z", ID: "p.s.z", Description: "Last by name."}, {Name: "no_id"}, {Name: "a", ID: "p.s.a"},
	}})
}

func TestLoadAllTakesEachProvidersLastVersion(t *testing.T) {
	root := fstest.MapFS{
		"zoo/v1/provider.yaml":      {Data: []byte("name: zoo\nversion: v1\n")},
		"bank/v1/provider.yaml":     {Data: []byte("name: bank\nversion: v1\n")},
		"bank/v2/provider.yaml":     {Data: []byte("name: bank\nversion: v2\nproviderServices: {s: {service: {$ref: bank/v2/services/s.yaml}}}\n")},
		"bank/v2/services/s.yaml":   {Data: []byte("components: {x-stackQL-resources: {r: {id: new}}}")},
		"bank/v3/README.md":         {Data: []byte("no documents")},
		"overlays/notes/names.yaml": {Data: []byte("a: b")},
		"documents.go":              {Data: []byte("package openapi")},
	}
	docs, err := openapi.LoadAll(root)
	if err != nil {
		t.Fatal(err)
	}
	all, err := docs.Providers()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range all {
		got = append(got, p.Name+" "+p.Version)
	}
	equal(t, "providers", got, []string{"bank v2", "zoo v1"})
	s, err := docs.Service("bank", "s")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "resource", s.Resources[0].ID, "new")
}

func TestLoadAllErrors(t *testing.T) {
	for name, test := range map[string]struct {
		root fstest.MapFS
		want string
	}{
		"nothing there": {fstest.MapFS{"a/b/c.yaml": {}}, "no provider documents found"},
		"two of a name": {fstest.MapFS{
			"a/v1/provider.yaml": {Data: []byte("name: p")}, "b/v1/provider.yaml": {Data: []byte("name: p")},
		}, `two folders hold a provider named "p"`},
		"a broken one": {fstest.MapFS{"a/v1/provider.yaml": {Data: []byte("name: [")}}, "a/v1/provider.yaml:1: did not find expected node content"},
	} {
		_, err := openapi.LoadAll(test.root)
		if err == nil || err.Error() != test.want || provider.CodeOf(err) != provider.Usage {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}

func TestUnknownNames(t *testing.T) {
	docs := load(t, folder("components: {x-stackQL-resources: {r: {id: x}}, schemas: {S: {}}}"))
	for want, read := range map[string]func() error{
		`unknown provider "P" in the documents`:   func() error { _, err := docs.Service("P", "s"); return err },
		`unknown service "S" in p`:                func() error { _, err := docs.Resource("p", "S", "r"); return err },
		`unknown resource "R" in services/s.yaml`: func() error { _, err := docs.Resource("p", "s", "R"); return err },
		`unknown schema "s" in services/s.yaml`:   func() error { _, err := docs.Schema("p", "s", "s"); return err },
	} {
		err := read()
		if err == nil || err.Error() != want || provider.CodeOf(err) != provider.Unknown {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// countingFS counts how often each file is opened.
type countingFS struct {
	fstest.MapFS

	mu     sync.Mutex
	opened map[string]int
}

func (c *countingFS) Open(name string) (fs.File, error) {
	c.mu.Lock()
	c.opened[name]++
	c.mu.Unlock()
	return c.MapFS.Open(name)
}

func (c *countingFS) ReadFile(name string) ([]byte, error) {
	c.mu.Lock()
	c.opened[name]++
	c.mu.Unlock()
	return c.MapFS.ReadFile(name)
}

func TestServicesAreParsedOnceAndWhenAskedFor(t *testing.T) {
	fsys := &countingFS{MapFS: folder("components: {x-stackQL-resources: {r: {id: x}}}"), opened: map[string]int{}}
	docs := load(t, fsys)
	if n := fsys.opened["services/s.yaml"]; n != 0 {
		t.Errorf("the service was opened %d times before anybody asked", n)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := docs.Resource("p", "s", "r"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := fsys.opened["services/s.yaml"]; n != 1 {
		t.Errorf("the service was opened %d times, want once", n)
	}
}

func TestMissingServiceFile(t *testing.T) {
	docs := load(t, fstest.MapFS{"provider.yaml": {Data: []byte(header)}})
	_, err := docs.Service("p", "s")
	if !errors.Is(err, fs.ErrNotExist) || provider.CodeOf(err) != provider.Usage || !strings.Contains(err.Error(), "services/s.yaml") {
		t.Errorf("%v, want that services/s.yaml is not there", err)
	}
}

// Check reports every broken service, in the order of the provider's list.
func TestCheck(t *testing.T) {
	docs := load(t, fstest.MapFS{
		"provider.yaml": {Data: []byte("name: p\nproviderServices:\n" +
			"  a: {service: {$ref: services/a.yaml}}\n  b: {service: {$ref: services/b.yaml}}\n  c: {service: {$ref: services/c.yaml}}\n")},
		"services/a.yaml": {Data: []byte("components: {x-stackQL-resources: {r: {methods: {m: {}}}}}")},
		"services/b.yaml": {Data: []byte("components: {x-stackQL-resources: {r: {}}}")},
		"services/c.yaml": {Data: []byte("components: {schemas: {S: {items: {$ref: '#/components/schemas/T'}}}}")},
	})
	err := docs.Check()
	want := "services/a.yaml:1: method \"m\" has no operation.$ref\nservices/c.yaml:1: reference \"#/components/schemas/T\" leads nowhere"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
}

// TestTenant reads declarations of tenants.
func TestTenant(t *testing.T) {
	t.Parallel()
	read := func(tenant string) (*provider.Tenant, error) {
		docs, err := openapi.Load(fstest.MapFS{"provider.yaml": {Data: []byte(header + "x-lakeql-tenant: " + tenant + "\n")}, "services/s.yaml": {Data: []byte("openapi: 3.0.3\n")}})
		if err != nil {
			return nil, err
		}
		all, err := docs.Providers()
		if err != nil {
			return nil, err
		}
		return all[0].Tenant, nil
	}
	got, err := read("{variable: org, list: p.s.orgs, column: key, label: title}")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "tenant", got, &provider.Tenant{Variable: "org", List: "p.s.orgs", Column: "key", Label: "title"})
	for _, wrong := range []string{"{list: p.s.orgs, column: key, label: title}", "{variable: org, list: orgs, column: key, label: title}", "{}", "[]"} {
		if got, err := read(wrong); err == nil {
			t.Errorf("%s is %+v", wrong, got)
		}
	}
}

// A provider may have hundreds of documents, which take much memory once they are parsed: only the last ones stay.
func TestDocumentsAreLetGo(t *testing.T) {
	t.Parallel()
	services := 4*runtime.GOMAXPROCS(0) + 16
	files := fstest.MapFS{}
	header := "name: p\nproviderServices:\n"
	for i := range services {
		header += fmt.Sprintf("  s%d:\n    service: {$ref: p/v1/services/s%d.yaml}\n", i, i)
		files[fmt.Sprintf("services/s%d.yaml", i)] = &fstest.MapFile{Data: []byte("components: {x-stackQL-resources: {r: {id: p.s.r}}}\n")}
	}
	files["provider.yaml"] = &fstest.MapFile{Data: []byte(header)}
	counted := &countingFS{MapFS: files, opened: map[string]int{}}
	docs := load(t, counted)
	read := func(i int) int {
		name := fmt.Sprintf("s%d", i)
		for range 3 {
			if _, err := docs.Resource("p", name, "r"); err != nil {
				t.Fatal(err)
			}
		}
		return counted.opened["services/"+name+".yaml"]
	}
	for i := range services {
		if n := read(i); n != 1 {
			t.Errorf("service %d is read %d times, want once", i, n)
		}
	}
	if n := read(services - 1); n != 1 {
		t.Errorf("the last service is read %d times, want once", n)
	}
	if n := read(0); n != 2 {
		t.Errorf("the first service is read %d times, want twice", n)
	}
}
