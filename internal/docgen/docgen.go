// Package docgen writes the documentation pages of a provider: one for the provider, one for each
// service and one for each resource, in the form of StackQL's provider documentation (Markdown
// for Docusaurus). Pages come from the documents alone: the same documents give the same bytes.
package docgen

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Generate writes every page of a provider. It calls write with the page's path, which is
// index.md, <service>/index.md or <service>/<resource>/index.md, and its text; it stops at the
// first error. A resource without an id has no page, and no link to one.
func Generate(cat *provider.Catalogue, providerName string, write func(path string, page []byte) error) error {
	p, err := cat.Provider(providerName)
	if err != nil {
		return err
	}
	g := &generator{cat: cat, provider: p, order: newOrder(), write: write}
	index := providerIndex{provider: p}
	for _, info := range p.Services {
		names, err := g.service(info.Name)
		if err != nil {
			return err
		}
		index.services = append(index.services, info.Name)
		index.resources += len(names)
	}
	if g.simplest != nil {
		e, err := g.newExample(g.simplest)
		if err != nil {
			return fmt.Errorf("page of %s: %w", p.Name, err)
		}
		var b strings.Builder
		writeSelect(&b, e)
		index.example = b.String()
	}
	g.order.sort(index.services)
	return g.page(index.text())
}

// generator holds what the pages of one provider share.
type generator struct {
	cat      *provider.Catalogue
	provider *provider.Provider
	order    *order
	write    func(path string, page []byte) error
	simplest *provider.Method // the SELECT to show on the provider's page
}

// service writes the pages of a service and gives the names of the resources that have one.
func (g *generator) service(name string) ([]string, error) {
	s, err := g.cat.Service(g.provider.Name, name)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, info := range s.Resources {
		if info.ID == "" {
			continue
		}
		r, err := g.cat.Resource(s.Provider, s.Name, info.Name)
		if err != nil {
			return nil, err
		}
		text, err := g.resource(r)
		if err != nil {
			return nil, fmt.Errorf("page of %s: %w", r.FullName(), err)
		}
		if err := g.page(text, s.Name, r.Name); err != nil {
			return nil, err
		}
		names = append(names, r.Name)
		g.consider(r)
	}
	g.order.sort(names)
	return names, g.page(serviceText(s, names), s.Name)
}

// page hands a page on. Names come from documents, and could lead out of the folder.
func (g *generator) page(text string, folders ...string) error {
	for _, name := range folders {
		if !fs.ValidPath(name) || name == "." || path.Base(name) != name {
			return &provider.Error{Code: provider.Usage, Message: fmt.Sprintf("%s cannot be the name of a folder of pages", provider.Quote(name))}
		}
	}
	name := path.Join(append(folders, "index.md")...)
	if err := g.write(name, []byte(text)); err != nil {
		return fmt.Errorf("write page %s: %w", name, err)
	}
	return nil
}

// consider keeps the SELECT that asks for the fewest parameters; of several the first by name.
func (g *generator) consider(r *provider.Resource) {
	for _, m := range r.MethodsFor(provider.Select) {
		if g.simplest == nil || cmp.Or(
			cmp.Compare(len(m.RequiredParams()), len(g.simplest.RequiredParams())),
			g.order.compare(m.Resource, g.simplest.Resource),
		) < 0 {
			g.simplest = m
		}
	}
}
