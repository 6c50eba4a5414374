package cli

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/live"
	"github.com/lakeql/lakeql/internal/localstore"
	"github.com/lakeql/lakeql/internal/pgstore"
	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/provider"
)

// connection is the connection that the flags describe, with its emulator if they ask for one.
type connection struct {
	*connect.Connection
	close func()
}

// connect makes the connection. adjust, if not nil, changes the options of the flags.
func (c *command) connect(adjust func(*connect.Options)) (*connection, error) {
	if c.retryTimeout < 0 {
		return nil, provider.Usagef("--retry-timeout is negative")
	}
	network, err := c.network.options()
	if err != nil {
		return nil, err
	}
	roots, err := readRoots(c.endpointRoots)
	if err != nil {
		return nil, err
	}
	options := connect.Options{
		Endpoints: live.Options{Port: c.endpointPort, Roots: roots},
		Profile:   c.profile, Host: c.host,
		UserAgent:      "lakeql/" + versionNumber(),
		Retry:          dispatch.Retry{Budget: c.retryTimeout},
		RequestTimeout: time.Duration(min(c.requestTimeout, math.MaxInt32)) * time.Second,
		PageLimit:      max(c.pageLimit, 0),
		Parallel:       max(c.parallel, 0),
		Network:        network,
	}
	if c.requestTimeout <= 0 {
		options.RequestTimeout = -1
	}
	if c.retryTimeout == 0 {
		options.Retry.Budget = -1
	}
	if c.verbose {
		options.Logger = slog.New(slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if adjust != nil {
		adjust(&options)
	}
	stop := func() {}
	if c.emulator {
		catalogue, err := connect.Catalogue()
		if err != nil {
			return nil, err
		}
		server, err := emulator.Start(emulator.Options{Catalogue: catalogue, CreateOnUse: true})
		if err != nil {
			return nil, err
		}
		stop = func() { _ = server.Close() } // nothing is lost with it
		options.Emulator = &connect.Emulator{URL: server.URL(), Token: provider.Secret(server.Token()), Account: server.AccountID()}
	}
	opened, err := connect.Open(options)
	if err != nil {
		stop()
		return nil, err
	}
	return &connection{opened, func() { opened.Close(); stop() }}, nil
}

// sessions connects, and returns what makes sessions with the settings of the flags over the store of the
// flags, or else over the first of the others that is not empty.
func (c *command) sessions(others ...string) (*connection, func() *engine.Session, error) {
	onError, err := engine.ParseOnError(c.onError)
	if err != nil {
		return nil, nil, err
	}
	memory, err := engine.ParseMemory(c.memory)
	if err != nil {
		return nil, nil, err
	}
	store, err := c.storePath(others...)
	if err != nil {
		return nil, nil, err
	}
	if err := postgres.CheckStore(store); err != nil {
		return nil, nil, err
	}
	found, err := c.connect(nil)
	if err != nil {
		return nil, nil, err
	}
	var backend localstore.Backend
	if postgres.Is(store) {
		opened, err := pgstore.Open(context.Background(), store, c.exportAlias, found.mint)
		if err != nil {
			found.close()
			return nil, nil, err
		}
		backend = opened
		disconnect := found.close
		found.close = func() { opened.Close(); disconnect() }
	}
	return found, func() *engine.Session {
		session := found.Session()
		session.DryRun = c.dryRun
		session.SetMemory(memory)
		session.OnError = onError
		session.StorePath, session.Backend = store, backend
		session.Version = build()
		return session
	}, nil
}

// session makes a session for statements. The returned function ends its background work.
func (c *command) session() (*engine.Session, func(), error) {
	found, newSession, err := c.sessions(stateFile("store.db"))
	if err != nil {
		return nil, nil, err
	}
	session := newSession()
	session.Note = c.sessionNote
	session.Warn = c.noteLine // programs have to know it too
	return session, func() { session.Close(); found.close() }, nil
}
