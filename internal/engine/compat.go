package engine

import (
	"context"
	"time"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// planUse checks that the provider and service exist. They complete short names once it has run.
func (p *planner) planUse(u *statement.Use) (*plan, error) {
	scope, err := p.session.used().Use(u)
	if err != nil {
		return nil, err
	}
	return &plan{run: func(context.Context) (provider.Rows, error) {
		p.session.scope = scope
		return provider.NewRows(nil, nil), nil
	}}, nil
}

// used is the scope of short names.
func (s *Session) used() statement.Scope {
	scope := s.scope
	scope.Catalogue, scope.Stored = s.Catalogue, func(name string) (bool, error) { return s.Stores().Has(name) }
	return scope
}

// Used returns the provider, or provider.service, that USE chose; empty without USE.
func (s *Session) Used() string { return s.scope.String() }

// UseFirst is USE of the first of the services that the provider has. Without one, names are full, as before
// the first USE.
func (s *Session) UseFirst(providerName string, services []string) {
	s.scope = statement.Scope{}
	for _, name := range services {
		if found, _, err := s.Catalogue.Lookup(providerName, name); err == nil {
			s.scope.Provider, s.scope.Service = found.Provider.Name, found.Service.Name
			return
		}
	}
}

// MayChange reports whether a text has a statement that may change something; see [statement.EffectOf].
func (s *Session) MayChange(text string) bool { return s.used().MayChange(text) }

// planPurge does nothing: StackQL empties its caches with PURGE, and lakeql has no caches.
func planPurge() *plan {
	return fixed([]provider.Column{{Name: "message", Type: "string"}}, [][]any{{"there is no cache to purge: every statement asks the API"}})
}

// planSleep waits. StackQL has the statement.
func planSleep(sl *statement.Sleep) *plan {
	return &plan{run: func(ctx context.Context) (provider.Rows, error) {
		timer := time.NewTimer(sl.Duration)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return nil, provider.Stopped(ctx, "the pause ended early")
		case <-timer.C:
			return provider.NewRows(nil, nil), nil
		}
	}}
}
