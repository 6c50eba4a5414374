package docgen

import (
	"github.com/lakeql/lakeql/provider"
)

// Page returns the text of one page, as [Generate] writes it: the guide if no service is given, the page of a
// service, or that of a resource.
func Page(cat *provider.Catalogue, providerName, service, resource string, opts Options) (string, error) {
	p, err := cat.Provider(providerName)
	if err != nil {
		return "", err
	}
	g := &generator{cat: cat, provider: p, order: newOrder(), extended: opts.Extended, examples: map[*provider.Method]*example{}}
	switch {
	case service == "":
		return guideText(p), nil
	case resource == "":
		s, err := cat.Service(p.Name, service)
		if err != nil {
			return "", err
		}
		var names []string
		for _, info := range s.Resources {
			if info.ID != "" {
				names = append(names, info.Name)
			}
		}
		g.order.sort(names)
		return serviceText(s, names, frontWord, g.extended), nil
	}
	r, err := cat.Resource(p.Name, service, resource)
	if err != nil {
		return "", err
	}
	return g.forPage(r).resource(r)
}
