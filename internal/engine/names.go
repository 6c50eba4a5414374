package engine

import (
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// resolver finds what names in statements mean.
type resolver struct {
	catalogue *provider.Catalogue
}

// resource finds what a name of three parts, or the first three of a longer one, means. The error
// points at the part that is unknown.
func (r resolver) resource(name statement.Name) (*provider.Resource, error) {
	found, err := r.lookup(name[:3])
	return found.Resource, err
}

// method finds what a name of four parts means.
func (r resolver) method(name statement.Name) (*provider.Method, error) {
	found, err := r.lookup(name)
	return found.Method, err
}

// lookup finds what a name means. The error points at the part that is unknown.
func (r resolver) lookup(name statement.Name) (provider.Named, error) {
	parts := make([]string, len(name))
	for i, part := range name {
		parts[i] = part.Text
	}
	found, unknown, err := r.catalogue.Lookup(parts...)
	if err != nil {
		return found, provider.At(err, name[unknown].Pos)
	}
	return found, nil
}
