package postgres

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/provider"
)

// Minter opens a Lakebase endpoint, projects/…/branches/…/endpoints/…, in a workspace (empty: the configured
// one).
type Minter func(ctx context.Context, workspace, endpoint string) (Endpoint, error)

// Endpoint mints passwords, and keeps the last one while it opens connections; *lakebase.Endpoint is one.
type Endpoint interface {
	Login(ctx context.Context) (lakebase.Login, error)
	Refused(ctx context.Context, password provider.Secret)
}

// logins give each connection a password of an endpoint.
type logins struct {
	mint                Minter
	workspace, endpoint string
	host, user          bool // the endpoint says them

	mu     sync.Mutex
	opened Endpoint // nil: no connection was asked for
}

// open opens the endpoint once.
func (l *logins) open(ctx context.Context) (Endpoint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.opened == nil {
		opened, err := l.mint(ctx, l.workspace, l.endpoint)
		if err != nil {
			return nil, err
		}
		l.opened = opened
	}
	return l.opened, nil
}

func (l *logins) fill(ctx context.Context, config *pgx.ConnConfig) error {
	endpoint, err := l.open(ctx)
	if err != nil {
		return err
	}
	login, err := endpoint.Login(ctx)
	if err != nil {
		return err
	}
	tell := config.OnPgError
	config.OnPgError = func(conn *pgconn.PgConn, err *pgconn.PgError) bool {
		if strings.HasPrefix(err.Code, "28") { // the password may have been taken back
			endpoint.Refused(context.WithoutCancel(ctx), login.Password)
		}
		return tell(conn, err)
	}
	config.Password = login.Password.Reveal()
	if l.user && login.User != "" {
		config.User = login.User
	}
	if l.host {
		config.Host = login.Host
		config.Fallbacks = slices.DeleteFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool { return f.Host != login.Host })
		if config.TLSConfig != nil {
			config.TLSConfig = config.TLSConfig.Clone()
			config.TLSConfig.ServerName = login.Host
		}
	}
	return nil
}
