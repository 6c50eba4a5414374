package engine

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// resolver resolves the names in statements.
type resolver struct {
	catalogue *provider.Catalogue
	renamed   *renamed
}

// renamed collects the present names for the former names in a statement.
type renamed struct{ said []string }

// add adds a sentence; an empty one says nothing.
func (r *renamed) add(sentence string) {
	if sentence != "" && !slices.Contains(r.said, sentence) {
		r.said = append(r.said, sentence)
	}
}

// noteRenamed notes which names of the last statement are former ones, on one line.
func (s *Session) noteRenamed() {
	if s.renamed != nil && len(s.renamed.said) > 0 {
		s.note("%s", strings.Join(s.renamed.said, "; "))
	}
	s.renamed = nil
}

// resource resolves a name of three parts, or the first three parts of a longer name. The error points
// at the unknown part.
func (r resolver) resource(name statement.Name) (*provider.Resource, error) {
	found, err := r.lookup(name[:3])
	return found.Resource, err
}

// reached finds a resource for a statement with a verb.
func (r resolver) reached(name statement.Name, verb provider.SQLVerb) (*provider.Resource, error) {
	found, err := r.resource(name)
	if err == nil {
		r.renamed.add(found.Renamed(verb))
	}
	return found, err
}

// named resolves the name that is the only subject of a statement.
func (r resolver) named(name statement.Name) (provider.Named, error) {
	found, err := r.lookup(name)
	if err == nil {
		r.renamed.add(found.Renamed())
	}
	return found, err
}

// method resolves a name of four parts.
func (r resolver) method(name statement.Name) (*provider.Method, error) {
	found, err := r.named(name)
	return found.Method, err
}

// lookup resolves a name. The error points at the unknown part.
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
