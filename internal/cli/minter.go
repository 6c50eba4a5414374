package cli

import (
	"context"

	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/provider"
)

// minter opens the Lakebase endpoints that a store names. Without an asker it makes one when it is needed.
func (c *command) minter(asker *asker) postgres.Minter {
	return func(ctx context.Context, workspace, endpoint string) (postgres.Endpoint, error) {
		if asker == nil {
			var err error
			if asker, err = c.askers(); err != nil { //nolint:contextcheck // what it opens is for longer than this password
				return nil, err
			}
		}
		return asker.connection.mint(ctx, workspace, endpoint)
	}
}

// mint opens a Lakebase endpoint that a store names, by the credentials of the connection.
func (c *connection) mint(ctx context.Context, workspace, endpoint string) (postgres.Endpoint, error) {
	opened, err := c.Lakebase(workspace).Open(ctx, endpoint, lakebase.Options{})
	if err != nil {
		return nil, ofStore(err, endpoint)
	}
	return storeEndpoint{opened, endpoint}, nil
}

// storeEndpoint is the endpoint of a store, whose errors say so.
type storeEndpoint struct {
	*lakebase.Endpoint

	name string
}

// Login implements [postgres.Endpoint].
func (e storeEndpoint) Login(ctx context.Context) (lakebase.Login, error) {
	login, err := e.Endpoint.Login(ctx)
	if err != nil {
		err = ofStore(err, e.name)
	}
	return login, err
}

func ofStore(err error, endpoint string) error {
	what := "mint a password for the store's endpoint " + provider.Printable(endpoint)
	return provider.Change(err, func(e *provider.Error) { e.Message = what + ": " + e.Message })
}
