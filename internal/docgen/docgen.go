// Package docgen writes the documentation pages of a provider: one for the provider, one for each
// service and one for each resource, in the form of StackQL's provider documentation (Markdown
// for Docusaurus). Pages come from the documents alone: the same documents give the same bytes.
package docgen

import (
	"cmp"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Options control the content of pages. The zero value produces pages in the form of StackQL's own generator,
// with what that one does badly made better: text that MDX would stumble over, names of columns, bodies.
type Options struct {
	// Extended is for the documents of lakeql. Pages describe the rows of every method, show the
	// shapes of request bodies, and link to a guide (guide/index.md), which is also written. Statements
	// show only what the engine takes from a user, so paging, which the engine does itself, is left out.
	Extended bool
	// Reference produces the pages of StackQL's own generator to the byte, with all that it does badly. It
	// takes no Extended.
	Reference bool
	// Folder has the provider's documents. Pages for Reference are read from it, because the catalogue keeps
	// less than StackQL's generator shows. Without it they are made from the catalogue.
	Folder fs.FS
}

// servicesFolder holds a folder for each service, so that no service is in the way of the guide.
const servicesFolder = "services"

// fixedPage is the resource whose page is not extended: its bytes were agreed on with its publishers.
const fixedPage = "databricks_workspace.postgres.postgres_credentials"

// Generate writes every page of a provider. It calls write with the page's path, which is
// index.md, services/<service>/index.md or services/<service>/<resource>/index.md, and its text; it
// stops at the first error. The pages link to each other from the root of a site that shows them as they
// lie in their folder. A resource without an id has no page, and no link to one.
func Generate(cat *provider.Catalogue, providerName string, opts Options, write func(path string, page []byte) error) error {
	p, err := cat.Provider(providerName)
	if err != nil {
		return err
	}
	g := &generator{cat: cat, provider: p, order: newOrder(), write: write, extended: opts.Extended, examples: map[*provider.Method]*example{}}
	if opts.Reference {
		return g.generateReference(opts.Folder)
	}
	index := providerIndex{provider: p, extended: opts.Extended}
	for _, info := range p.Services {
		names, err := g.service(info.Name)
		if err != nil {
			return err
		}
		index.services = append(index.services, info.Name)
		index.resources += len(names)
	}
	if index.example, err = g.firstExample(); err != nil {
		return fmt.Errorf("page of %s: %w", p.Name, err)
	}
	g.order.sort(index.services)
	if g.extended {
		if err := g.page(guideText(p), guideFolder); err != nil {
			return err
		}
	}
	return g.page(index.text())
}

// firstExample is the statement on the provider's page; empty where nothing can be selected.
func (g *generator) firstExample() (string, error) {
	if g.simplest == nil {
		return "", nil
	}
	e, err := g.exampleOf(g.simplest)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if g.extended {
		short := *e
		short.optional, short.fields = nil, telling(path.Ext(e.table)[1:], e.fields)
		writeQuery(&b, &short)
	} else {
		writeSelect(&b, e)
	}
	return b.String(), nil
}

// generator holds the state that the pages of one provider share.
type generator struct {
	cat      *provider.Catalogue
	provider *provider.Provider
	order    *order
	write    func(path string, page []byte) error
	simplest *provider.Method // the SELECT to show on the provider's page
	// complexity is the number of parts of simplest beyond its required ones.
	complexity int
	extended   bool // see [Options]
	// tables are the tables of fields on the current page, which later methods refer to.
	tables []fieldTable
	// examples caches the examples of the current resource's methods, because several sections need them.
	examples map[*provider.Method]*example
}

// forPage returns the generator for a resource's page, which is the plain one for [fixedPage].
func (g *generator) forPage(r *provider.Resource) *generator {
	if !g.extended || r.FullName() != fixedPage {
		return g
	}
	plain := *g
	plain.extended, plain.examples = false, map[*provider.Method]*example{}
	return &plain
}

// service writes the pages of a service, and returns the names of the resources with a page.
func (g *generator) service(name string) ([]string, error) {
	s, err := g.cat.Service(g.provider.Name, name)
	if err != nil {
		return nil, err
	}
	var names []string
	for r, err := range g.resources(s) {
		if err != nil {
			return nil, err
		}
		text, err := g.forPage(r).resource(r)
		if err != nil {
			return nil, fmt.Errorf("page of %s: %w", r.FullName(), err)
		}
		if err := g.page(text, servicesFolder, s.Name, r.Name); err != nil {
			return nil, err
		}
		names = append(names, r.Name)
		if err := g.consider(r); err != nil {
			return nil, err
		}
		clear(g.examples)
	}
	g.order.sort(names)
	return names, g.page(serviceText(s, names, frontWord, g.extended), servicesFolder, s.Name)
}

// resources iterates over the resources of a service that have a page. An error ends it.
func (g *generator) resources(s *provider.Service) iter.Seq2[*provider.Resource, error] {
	return func(yield func(*provider.Resource, error) bool) {
		for _, info := range s.Resources {
			if info.ID == "" {
				continue
			}
			r, err := g.cat.Resource(s.Provider, s.Name, info.Name)
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// page hands a page on. Names come from documents, and could lead out of the folder.
func (g *generator) page(text string, folders ...string) error {
	for _, name := range folders {
		if !fs.ValidPath(name) || name == "." || path.Base(name) != name {
			return provider.Usagef("%s cannot be the name of a folder of pages", provider.Quote(name))
		}
	}
	name := path.Join(append(folders, "index.md")...)
	if err := g.write(name, []byte(text)); err != nil {
		return fmt.Errorf("write page %s: %w", name, err)
	}
	return nil
}

// consider keeps the SELECT that asks for the fewest parameters; of several the first by name. On
// extended pages it has to show something, too: see [generator.plainness].
func (g *generator) consider(r *provider.Resource) error {
	for _, m := range r.MethodsFor(provider.Select) {
		var more int
		if g.extended {
			n, ok, err := g.plainness(r, m)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			more = n
		}
		if g.simplest == nil || cmp.Or(
			cmp.Compare(len(m.RequiredParams()), len(g.simplest.RequiredParams())),
			cmp.Compare(more, g.complexity),
			g.order.compare(m.Resource, g.simplest.Resource),
		) < 0 {
			g.simplest, g.complexity = m, more
		}
	}
	return nil
}
