package engine

import (
	"context"
	"time"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// planUse checks that the provider exists. It changes nothing, because names are written in full.
func (p *planner) planUse(u *statement.Use) (*plan, error) {
	if _, err := p.names.lookup(statement.Name{u.Provider}); err != nil {
		return nil, err
	}
	return fixed(nil, nil), nil
}

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
