package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/provider"
)

// Store is a database with the rows of pipelines, their history, and the queue of their work.
type Store struct {
	db    database
	d     *dialect
	place string
}

// OpenStore opens a store: a connection string (postgres://…), or the name of an SQLite file, which it
// makes if it does not exist. minter returns passwords of Lakebase endpoints; nil: such stores cannot be
// opened.
func OpenStore(ctx context.Context, store string, minter postgres.Minter) (*Store, error) {
	return OpenOrMakeStore(ctx, store, minter, nil)
}

// OpenOrMakeStore is OpenStore, which calls making before it makes the file or the tables of a new store.
func OpenOrMakeStore(ctx context.Context, store string, minter postgres.Minter, making func()) (*Store, error) {
	if err := postgres.CheckStore(store); err != nil {
		return nil, err
	}
	var db database
	var err error
	switch {
	case postgres.Is(store):
		db, err = openPostgres(ctx, store, minter)
	case store == "":
		return nil, provider.Usagef("no store is named: say it in %s, or with --store", ConfigFile)
	default:
		if making != nil && errors.Is(StoreExists(store), fs.ErrNotExist) {
			making()
			making = nil
		}
		db, err = openSQLite(ctx, store)
	}
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, d: db.dialect(), place: postgres.Place(store)}
	if err := s.create(ctx, making); err != nil {
		db.close()
		return nil, storeError(s.place, err)
	}
	return s, nil
}

// StoreOf is the store that a pipeline names; a file is beside pipeline.yaml.
func StoreOf(d *Definition) string {
	if d.Store == "" || postgres.Is(d.Store) || filepath.IsAbs(d.Store) || strings.Contains(d.Store, "://") {
		return d.Store
	}
	return filepath.Join(d.Folder, d.Store)
}

// Place names the store for people: without a password.
func (s *Store) Place() string { return s.place }

// Close lets the store go.
func (s *Store) Close() { s.db.close() }

// storeError words an error of a store.
func storeError(place string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*provider.Error](err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	if unreachable := postgres.Unreachable(place, err); unreachable != nil {
		return unreachable
	}
	return provider.Errorf(provider.Network, "the store %s: %v", provider.Printable(place), err).Because(err)
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
