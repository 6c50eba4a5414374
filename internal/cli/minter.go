package cli

import (
	"context"
	"fmt"

	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/provider"
)

// minter returns the passwords of Lakebase endpoints that a store names. Without an asker it makes one when it
// is needed.
func (c *command) minter(asker *asker) pipeline.Minter {
	return func(ctx context.Context, workspace, endpoint string) (pipeline.Login, error) {
		if asker == nil {
			var err error
			if asker, err = c.askers(); err != nil { //nolint:contextcheck // what it opens is for longer than this password
				return pipeline.Login{}, err
			}
		}
		login, err := asker.login(ctx, workspace, endpoint)
		if err != nil {
			return pipeline.Login{}, fmt.Errorf("mint a password for the store's endpoint %s: %w", provider.Printable(endpoint), err)
		}
		return pipeline.Login{Host: login.Host, User: login.User, Password: login.Password, Expires: login.Expires}, nil
	}
}

// login mints a password.
func (a *asker) login(ctx context.Context, workspace, endpoint string) (lakebase.Login, error) {
	opened, err := a.connection.Lakebase(workspace).Open(ctx, endpoint, lakebase.Options{})
	if err != nil {
		return lakebase.Login{}, err
	}
	return opened.Login(ctx)
}
