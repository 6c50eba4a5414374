package cli

import (
	"context"

	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/provider"
)

// minter returns the passwords of Lakebase endpoints that a store names. Without an asker it makes one when it
// is needed.
func (c *command) minter(asker *asker) postgres.Minter {
	return func(ctx context.Context, workspace, endpoint string) (postgres.Login, error) {
		if asker == nil {
			var err error
			if asker, err = c.askers(); err != nil { //nolint:contextcheck // what it opens is for longer than this password
				return postgres.Login{}, err
			}
		}
		return asker.connection.mint(ctx, workspace, endpoint)
	}
}

// mint returns the password of a Lakebase endpoint that a store names, by the credentials of the connection.
func (c *connection) mint(ctx context.Context, workspace, endpoint string) (postgres.Login, error) {
	opened, err := c.Lakebase(workspace).Open(ctx, endpoint, lakebase.Options{})
	var login lakebase.Login
	if err == nil {
		login, err = opened.Login(ctx)
	}
	if err != nil {
		what := "mint a password for the store's endpoint " + provider.Printable(endpoint)
		return postgres.Login{}, provider.Change(err, func(e *provider.Error) { e.Message = what + ": " + e.Message })
	}
	return postgres.Login{Host: login.Host, User: login.User, Password: login.Password, Expires: login.Expires}, nil
}
