package postgres

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/provider"
)

// Minter returns the password and the host of a Lakebase endpoint, projects/…/branches/…/endpoints/…, in a
// workspace (empty: the configured one).
type Minter func(ctx context.Context, workspace, endpoint string) (Login, error)

// Login holds the credentials of a Lakebase endpoint.
type Login struct {
	Host     string
	User     string // the identity that the password is for; empty: not known
	Password provider.Secret
	Expires  time.Time // when it opens no new connection any more
}

// logins mint the password of an endpoint before a connection, and keep it while it is good for more.
type logins struct {
	mint                Minter
	workspace, endpoint string
	host, user          bool // the endpoint says them

	mu     sync.Mutex
	last   Login
	minted time.Time
}

const (
	// renewal is how long before its end a password is not used for new connections any more.
	renewal = 5 * time.Minute
	// mintPause is how long a password is kept at least that the server refuses: another one may not be better.
	mintPause = 5 * time.Second
)

func (l *logins) fill(ctx context.Context, config *pgx.ConnConfig) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Until(l.last.Expires) < renewal {
		login, err := l.mint(ctx, l.workspace, l.endpoint)
		if err != nil {
			return err
		}
		l.last, l.minted = login, time.Now()
	}
	used, tell := l.last.Password, config.OnPgError
	config.OnPgError = func(conn *pgconn.PgConn, err *pgconn.PgError) bool {
		if strings.HasPrefix(err.Code, "28") {
			l.refused(used)
		}
		return tell(conn, err)
	}
	config.Password = used.Reveal()
	if l.user && l.last.User != "" {
		config.User = l.last.User
	}
	if l.host {
		config.Host = l.last.Host
		config.Fallbacks = slices.DeleteFunc(config.Fallbacks, func(f *pgconn.FallbackConfig) bool { return f.Host != l.last.Host })
		if config.TLSConfig != nil {
			config.TLSConfig = config.TLSConfig.Clone()
			config.TLSConfig.ServerName = l.last.Host
		}
	}
	return nil
}

// refused forgets a password that did not open the server: it may have been taken back.
func (l *logins) refused(password provider.Secret) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last.Password == password && time.Since(l.minted) > mintPause {
		l.last = Login{}
	}
}
