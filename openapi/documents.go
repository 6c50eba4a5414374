// Package openapi reads the documents that describe providers: OpenAPI 3 documents in StackQL's
// layout, whose x-stackQL-resources map operations to resources.
//
// A provider is a folder with a provider.yaml, which lists its services, a document a service below
// services/, and a former-names.yaml if methods had other names in earlier documents. [Load] reads one such folder, [LoadAll] a tree of them. Both return [Documents],
// a [provider.Loader]: make a [provider.Catalogue] of it to look things up by name.
//
// Documents may come from strangers. Every fault in one is an error that names file and line. No
// document makes the package panic, hang or use memory without bound.
package openapi

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"github.com/lakeql/lakeql/provider"
)

// Documents are the documents of one or more providers. Service documents are parsed when they
// are asked for; the last ones stay. Documents may be used by several goroutines.
type Documents struct {
	folders []*folder // sorted by provider name
}

// Documents are read through a catalogue.
var _ provider.Loader = (*Documents)(nil)

// folder is one provider's documents.
type folder struct {
	header   *provider.Provider
	files    func() (fs.FS, error)
	services map[string]*service
	former   func() ([]provider.FormerName, error)

	mu     sync.Mutex
	recent []*service // that are parsed, the last one last
}

// service is one service's document.
type service struct {
	provider, name string
	parse          func() (*document, error)

	mu     sync.Mutex // held while it is parsed
	parsed atomic.Pointer[document]
}

// maxParsed is how many documents of a provider stay parsed: twice as many as goroutines can work on, and some. A
// parsed document takes some thirty times its size, and a provider may have hundreds.
func maxParsed() int { return max(8, 2*runtime.GOMAXPROCS(0)) }

// document returns a service's document.
func (f *folder) document(s *service) (*document, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if doc := s.parsed.Load(); doc != nil {
		return doc, nil
	}
	doc, err := s.parse()
	if err != nil {
		return nil, err
	}
	s.parsed.Store(doc)
	if old := f.note(s); old != nil {
		old.parsed.Store(nil)
	}
	return doc, nil
}

// note notes that a service is parsed, and returns the one that has been so the longest if there are too many.
func (f *folder) note(s *service) *service {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.recent = append(f.recent, s)
	if len(f.recent) <= maxParsed() {
		return nil
	}
	old := f.recent[0]
	f.recent = slices.Delete(f.recent, 0, 1)
	return old
}

// Load reads the provider folder fsys: provider.yaml at once, the services when they are asked for.
func Load(fsys fs.FS) (*Documents, error) {
	f, err := readFolder(fsys, ".")
	if err != nil {
		return nil, err
	}
	return &Documents{folders: []*folder{f}}, nil
}

// LoadAll reads every provider folder <provider>/<version> below root. Of several versions it
// takes the last in the order of their names. Folders without a provider.yaml are passed over; a
// tree without any is an error.
func LoadAll(root fs.FS) (*Documents, error) {
	providers, err := fs.ReadDir(root, ".")
	if err != nil {
		return nil, fmt.Errorf("read provider folders: %w", err)
	}
	var d Documents
	for _, entry := range providers {
		dir, found, err := latest(root, entry.Name())
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		f, err := readFolder(root, dir)
		if err != nil {
			return nil, err
		}
		d.folders = append(d.folders, f)
	}
	if len(d.folders) == 0 {
		return nil, noDocuments()
	}
	return &d, d.sort()
}

func noDocuments() error {
	return provider.Usagef("no provider documents found").
		Hintf("documents are laid out as <provider>/<version>/provider.yaml")
}

// latest finds the last version folder of a provider that holds a provider.yaml.
func latest(root fs.FS, name string) (dir string, found bool, err error) {
	if info, err := fs.Stat(root, name); err != nil || !info.IsDir() {
		return "", false, nil // what cannot be looked into is no provider folder
	}
	versions, err := fs.ReadDir(root, name)
	if err != nil {
		return "", false, fmt.Errorf("read versions of provider: %w", err)
	}
	for _, version := range slices.Backward(versions) {
		dir := path.Join(name, version.Name())
		if _, err := fs.Stat(root, path.Join(dir, providerFile)); err == nil {
			return dir, true, nil
		}
	}
	return "", false, nil
}

// sort orders the folders by provider name and refuses two of the same name.
func (d *Documents) sort() error {
	slices.SortFunc(d.folders, func(a, b *folder) int { return cmp.Compare(a.header.Name, b.header.Name) })
	for i := 1; i < len(d.folders); i++ {
		if name := d.folders[i].header.Name; name == d.folders[i-1].header.Name {
			return provider.Usagef("two folders hold a provider named %s", provider.Quote(name))
		}
	}
	return nil
}

const providerFile = "provider.yaml"

func readFolder(fsys fs.FS, dir string) (*folder, error) {
	doc, err := parseFile(fsys, path.Join(dir, providerFile))
	if err != nil {
		return nil, err
	}
	r := doc.reader()
	root := r.mapping(doc.root)
	f := &folder{
		header: &provider.Provider{
			Name:        r.text(root.get("name")),
			ID:          r.text(root.get("id")),
			Title:       r.text(root.get("title")),
			Version:     r.text(root.get("version")),
			Description: r.text(root.get("description")),
		},
		files:    func() (fs.FS, error) { return fs.Sub(fsys, dir) },
		services: map[string]*service{},
		former:   sync.OnceValues(func() ([]provider.FormerName, error) { return readFormerNames(fsys, path.Join(dir, formerFile)) }),
	}
	if f.header.Name == "" {
		r.fail(doc.root, "the provider has no name")
	}
	if tenant := root.get("x-lakeql-tenant"); tenant != nil {
		f.header.Tenant = r.tenant(tenant)
	}
	if source := root.get("x-lakeql-source"); source != nil {
		node := r.mapping(source)
		f.header.Source = &provider.Source{Name: r.text(node.get("name")), Version: r.text(node.get("version")), Date: r.text(node.get("date"))}
	}
	for _, entry := range r.mapping(root.get("providerServices")) {
		fields := r.mapping(entry.value)
		f.header.Services = append(f.header.Services, &provider.ServiceInfo{
			Name:        entry.key,
			ID:          r.text(fields.get("id")),
			Title:       r.text(fields.get("title")),
			Version:     r.text(fields.get("version")),
			Description: r.text(fields.get("description")),
			Preferred:   r.flag(fields.get("preferred")),
		})
		ref := r.mapping(fields.get("service")).get("$ref")
		file, ok := serviceFile(r.text(ref))
		if !ok {
			r.fail(cmp.Or(ref, entry.node), "service %s has no service.$ref to a file below services/", provider.Quote(entry.key))
		}
		f.services[entry.key] = &service{
			provider: f.header.Name,
			name:     entry.key,
			parse: func() (*document, error) {
				return parseFile(fsys, spelled(fsys, path.Join(dir, file)))
			},
		}
	}
	return f, r.err
}

// tenant reads the declaration of a provider's tenants.
func (r *reader) tenant(n *yaml.Node) *provider.Tenant {
	node := r.mapping(n)
	t := &provider.Tenant{
		Variable: r.text(node.get("variable")), List: r.text(node.get("list")),
		Column: r.text(node.get("column")), Label: r.text(node.get("label")),
	}
	if t.Variable == "" || strings.Count(t.List, ".") != 2 || t.Column == "" || t.Label == "" {
		r.fail(n, "x-lakeql-tenant needs variable, list (provider.service.resource), column and label")
	}
	return t
}

// serviceFile finds the file, relative to the provider folder, that a service's $ref means. The
// reference starts from the registry's root: databricks_workspace/v00.00.00000/services/jobs.yaml.
func serviceFile(ref string) (file string, ok bool) {
	ref, _, _ = strings.Cut(ref, "#")
	elements := strings.Split(path.Clean(ref), "/")
	at := slices.Index(elements, "services")
	// A provider may itself be named services.
	if len(elements) > 3 && elements[2] == "services" {
		at = 2
	}
	if at < 0 || at == len(elements)-1 {
		return "", false
	}
	file = path.Join(elements[at:]...)
	return file, fs.ValidPath(file)
}

// spelled returns the name of a file as its folder has it. Published references differ from it in case,
// which a file system of macOS or Windows does not tell.
func spelled(fsys fs.FS, file string) string {
	if _, err := fs.Stat(fsys, file); err == nil {
		return file
	}
	dir, name := path.Split(file)
	entries, err := fs.ReadDir(fsys, path.Clean(dir))
	if err != nil {
		return file // reading it says what is wrong
	}
	for _, entry := range entries {
		if strings.EqualFold(entry.Name(), name) {
			return dir + entry.Name()
		}
	}
	return file
}

// Providers returns every provider, sorted by name, its services in document order.
func (d *Documents) Providers() ([]*provider.Provider, error) {
	all := make([]*provider.Provider, len(d.folders))
	for i, f := range d.folders {
		all[i] = f.header
	}
	return all, nil
}

// Folder returns the folder that a provider's documents were read from.
func (d *Documents) Folder(providerName string) (fs.FS, error) {
	f, err := d.folder(providerName)
	if err != nil {
		return nil, err
	}
	return f.files()
}

// Service returns a service with its resources in document order, those without an id too.
func (d *Documents) Service(providerName, name string) (*provider.Service, error) {
	s, doc, err := d.document(providerName, name)
	if err != nil {
		return nil, err
	}
	r := doc.reader()
	header := &provider.Service{Provider: s.provider, Name: s.name}
	for _, entry := range r.resources() {
		fields := r.mapping(entry.value)
		header.Resources = append(header.Resources, &provider.ResourceInfo{
			Name:        entry.key,
			ID:          r.text(fields.get("id")),
			Description: r.text(fields.get("description")),
		})
	}
	return result(header, r.err)
}

// Resource returns a resource with its methods.
func (d *Documents) Resource(providerName, serviceName, name string) (*provider.Resource, error) {
	s, doc, err := d.document(providerName, serviceName)
	if err != nil {
		return nil, err
	}
	r := doc.reader()
	node := r.resources().get(name)
	if node == nil && r.err == nil {
		return nil, unknown("resource", name, doc.name)
	}
	found := r.resource(s, name, node)
	if r.err == nil {
		r.err = d.meant(providerName, found)
	}
	return result(found, r.err)
}

// Schema returns a shared schema of a service.
func (d *Documents) Schema(providerName, serviceName, name string) (*provider.Schema, error) {
	_, doc, err := d.document(providerName, serviceName)
	if err != nil {
		return nil, err
	}
	r := doc.reader()
	node := r.schemas().get(name)
	if node == nil && r.err == nil {
		return nil, unknown("schema", name, doc.name)
	}
	found := r.sharedSchema(name, node)
	return result(found, r.err)
}

// Check reads everything that the documents describe, several services at once. It returns at most one
// error for each service and each list of former names.
func (d *Documents) Check() error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	var problems []*error
	for _, f := range d.folders {
		for _, info := range f.header.Services {
			problem := new(error)
			problems = append(problems, problem)
			group.Go(func() error {
				*problem = d.checkService(f.header.Name, info.Name)
				return nil
			})
		}
	}
	_ = group.Wait() // tasks report through problems, so that all of them run
	var all []error
	for _, f := range d.folders {
		if err := d.checkFormerNames(f); err != nil {
			all = append(all, err)
		}
	}
	for _, problem := range problems {
		all = append(all, *problem)
	}
	return errors.Join(all...)
}

func (d *Documents) checkService(providerName, name string) error {
	header, err := d.Service(providerName, name)
	if err != nil {
		return err
	}
	for _, info := range header.Resources {
		if _, err := d.Resource(providerName, name, info.Name); err != nil {
			return err
		}
	}
	_, doc, err := d.document(providerName, name)
	if err != nil {
		return err
	}
	all := doc.reader()
	for _, entry := range all.schemas() {
		r := doc.reader()
		if r.sharedSchema(entry.key, entry.value); r.err != nil {
			return r.err
		}
	}
	return all.err
}

func (d *Documents) folder(providerName string) (*folder, error) {
	at := slices.IndexFunc(d.folders, func(f *folder) bool { return f.header.Name == providerName })
	if at < 0 {
		return nil, unknown("provider", providerName, "the documents")
	}
	return d.folders[at], nil
}

// document finds and parses a service's document.
func (d *Documents) document(providerName, name string) (*service, *document, error) {
	f, err := d.folder(providerName)
	if err != nil {
		return nil, nil, err
	}
	s, ok := f.services[name]
	if !ok {
		return nil, nil, unknown("service", name, providerName)
	}
	doc, err := f.document(s)
	return s, doc, err
}

func unknown(kind, name, where string) error {
	return provider.Errorf(provider.Unknown, "unknown %s %s in %s", kind, provider.Quote(name), where)
}

// result returns nil in place of the value if there is an error.
func result[T any](value *T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return value, nil
}
