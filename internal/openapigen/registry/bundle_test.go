package registry

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stackql/any-sdk/public/formulation"
	"github.com/stackql/stackql-provider-registry/signing/Ed25519/app/edcrypto"

	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

const (
	documents = "../../../openapi"
	version   = "v00.00.00000"
)

// root is where TestMain's bundle is written.
var root string //nolint:gochecknoglobals // set once, before the tests: a bundle takes seconds to write and to load

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "registry")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	root = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// bundled is the bundle, loaded by any-sdk, beside lakeql's reading of the documents.
type bundled struct {
	catalogue *provider.Catalogue
	providers map[string]formulation.Provider
	services  map[string]formulation.Service // by provider.service
}

// load writes the bundle and loads it once for all tests.
var load = sync.OnceValues(func() (*bundled, error) {
	if err := Write(documents, root, nil, io.Discard); err != nil {
		return nil, err
	}
	docs, err := openapi.LoadAll(os.DirFS(documents))
	if err != nil {
		return nil, err
	}
	b := &bundled{provider.NewCatalogue(docs), map[string]formulation.Provider{}, map[string]formulation.Service{}}
	registry, err := formulation.NewRegistry(formulation.RegistryConfig{
		RegistryURL:  "file://" + root,
		LocalDocRoot: root,
		VerifyConfig: &edcrypto.VerifierConfig{NopVerify: true},
	}, nil)
	if err != nil {
		return nil, err
	}
	providers, err := b.catalogue.Providers()
	if err != nil {
		return nil, err
	}
	for _, p := range providers {
		if b.providers[p.Name], err = registry.LoadProviderByName(p.Name, version); err != nil {
			return nil, err
		}
		for _, info := range p.Services {
			folder := filepath.Join(root, "src", p.Name, version)
			s, err := formulation.LoadProviderAndServiceFromPaths(filepath.Join(folder, "provider.yaml"), filepath.Join(folder, "services", info.Name+".yaml"))
			if err != nil {
				return nil, fmt.Errorf("%s.%s: %w", p.Name, info.Name, err)
			}
			b.services[p.Name+"."+info.Name] = s
		}
	}
	return b, nil
})

func loaded(t *testing.T) *bundled {
	t.Helper()
	b, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// each calls f for every resource and view.
func (b *bundled) each(t *testing.T, f func(r *provider.Resource, judged formulation.Resource)) {
	t.Helper()
	providers, err := b.catalogue.Providers()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range providers {
		for _, info := range p.Services {
			service, err := b.catalogue.Service(p.Name, info.Name)
			if err != nil {
				t.Fatal(err)
			}
			for _, listed := range service.Resources {
				r, err := b.catalogue.Resource(p.Name, info.Name, listed.Name)
				if err != nil {
					t.Fatal(err)
				}
				judged, err := b.services[p.Name+"."+info.Name].GetResource(r.Name)
				if err != nil {
					t.Errorf("%s: %v", r.FullName(), err)
					continue
				}
				f(r, judged)
			}
		}
	}
}

// eachMethod calls f for every method.
func (b *bundled) eachMethod(t *testing.T, f func(c *caller)) {
	t.Helper()
	b.each(t, func(r *provider.Resource, judged formulation.Resource) {
		for _, m := range r.Methods {
			store, err := judged.FindMethod(m.Name)
			if err != nil {
				t.Errorf("%s: %v", m.FullName(), err)
				continue
			}
			f(&caller{b, r, m, b.services[r.Provider+"."+r.Service], judged, store})
		}
	})
}

// method finds a method by its full name.
func (b *bundled) method(t *testing.T, providerName, service, resource, name string) *caller {
	t.Helper()
	r, err := b.catalogue.Resource(providerName, service, resource)
	if err != nil {
		t.Fatal(err)
	}
	m, err := b.catalogue.Method(providerName, service, resource, name)
	if err != nil {
		t.Fatal(err)
	}
	s := b.services[providerName+"."+service]
	judged, err := s.GetResource(resource)
	if err != nil {
		t.Fatal(err)
	}
	store, err := judged.FindMethod(name)
	if err != nil {
		t.Fatal(err)
	}
	return &caller{b, r, m, s, judged, store}
}
