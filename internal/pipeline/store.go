package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Store is a database with the rows of pipelines, their history, and the queue of their work.
type Store struct {
	db    database
	d     *dialect
	place string
}

// OpenStore opens a store: a connection string (postgres://…), or the name of an SQLite file, which is made
// if there is none. minter gives passwords of Lakebase endpoints; nil: such stores cannot be opened.
func OpenStore(ctx context.Context, store string, minter Minter) (*Store, error) {
	var db database
	var err error
	switch {
	case isPostgres(store):
		db, err = openPostgres(ctx, store, minter)
	case strings.Contains(store, "://"):
		return nil, unknownStore(store)
	case store == "":
		return nil, provider.Usagef("no store is named: say it in %s, or with --store", ConfigFile)
	default:
		db, err = openSQLite(ctx, store)
	}
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, d: db.dialect(), place: Place(store)}
	if err := s.create(ctx); err != nil {
		db.close()
		return nil, storeError(s.place, err)
	}
	return s, nil
}

// unknownStore is the error for a store of a kind that there is not.
func unknownStore(store string) error {
	return provider.Usagef("the store %s is neither a file nor postgres://…", provider.Quote(Place(store))).
		Hintf("name an SQLite file, or a PostgreSQL server as postgres://user@host/database")
}

// StoreOf is the store that a pipeline names; a file is beside pipeline.yaml.
func StoreOf(d *Definition) string {
	if d.Store == "" || isPostgres(d.Store) || filepath.IsAbs(d.Store) || strings.Contains(d.Store, "://") {
		return d.Store
	}
	return filepath.Join(d.Folder, d.Store)
}

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
	return provider.Errorf(provider.Network, "the store %s: %v", provider.Printable(place), err).Because(err)
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// create makes the tables that a store has for itself.
func (s *Store) create(ctx context.Context) error {
	there := "SELECT count(*) FROM sqlite_schema WHERE name = 'lakeql_workspace'" // the last of them
	if s.d.postgres {
		there = "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('lakeql_workspace')"
	}
	// To make what is there again would take locks for which all who work would wait.
	var n int64
	if _, err := one(ctx, s.db, there, nil, &n); err != nil || n > 0 {
		return err
	}
	return s.db.transact(ctx, func(t tx) error {
		if s.d.postgres {
			if _, err := t.exec(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", migrationLock)); err != nil {
				return err
			}
		}
		if _, err := one(ctx, t, there, nil, &n); err != nil || n > 0 { // somebody else has made them meanwhile
			return err
		}
		for _, statement := range s.schema() {
			if _, err := t.exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// schema are the store's own tables. Their names begin with lakeql_, which those of pipelines cannot.
//
//   - lakeql_definition: pipelines as they were when a run began, by their hash;
//   - lakeql_run: the runs; of one period of a schedule there is one;
//   - lakeql_task: a query against a workspace, of a run;
//   - lakeql_table: the tables, with the columns that they ever had;
//   - lakeql_slice: the rows of a table that are of one workspace: when they were asked for, which columns the
//     query gave, and whether the last time failed, so that they are stale;
//   - lakeql_schedule: when pipelines run by themselves;
//   - pipeline_status, for people: how old the rows of each table and workspace are, and why;
//   - lakeql_worker: who works, and when that was last seen;
//   - lakeql_workspace: when a workspace may be called again, for all workers together.
func (s *Store) schema() []string {
	types := map[string]string{"{time}": "timestamptz", "{id}": "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "{bool}": "boolean", "{float}": "double precision"}
	if !s.d.postgres {
		types = map[string]string{"{time}": "TIMESTAMP TEXT", "{id}": "INTEGER PRIMARY KEY AUTOINCREMENT", "{bool}": "BOOLEAN", "{float}": "REAL"}
	}
	statements := []string{
		`CREATE TABLE lakeql_definition (hash text PRIMARY KEY, body text NOT NULL)`,
		`CREATE TABLE lakeql_run (id {id}, pipeline text NOT NULL, period text, hash text NOT NULL, state text NOT NULL,
			started_by text NOT NULL, begun_at {time} NOT NULL, ended_at {time}, code bigint, error text)`,
		`CREATE UNIQUE INDEX lakeql_run_period ON lakeql_run (pipeline, period)`,
		`CREATE UNIQUE INDEX lakeql_run_open ON lakeql_run (pipeline) WHERE ended_at IS NULL`,
		`CREATE TABLE lakeql_task (run_id bigint NOT NULL, table_name text NOT NULL, deployment_name text NOT NULL,
			state text NOT NULL, worker text NOT NULL DEFAULT '', attempts bigint NOT NULL DEFAULT 0,
			calls bigint NOT NULL DEFAULT 0, throttled bigint NOT NULL DEFAULT 0,
			row_count bigint, added bigint, changed bigint, removed bigint,
			throttled_since {time}, killed bigint NOT NULL DEFAULT 0, begun_at {time}, ended_at {time}, wait_until {time}, code bigint, error text,
			PRIMARY KEY (run_id, table_name, deployment_name))`,
		`CREATE INDEX lakeql_task_state ON lakeql_task (run_id, state)`,
		`CREATE TABLE lakeql_table (name text PRIMARY KEY, pipeline text NOT NULL, description text NOT NULL, key_columns text NOT NULL,
			columns text NOT NULL, known_since {time} NOT NULL, retention bigint NOT NULL)`,
		`CREATE TABLE lakeql_slice (table_name text NOT NULL, deployment_name text NOT NULL, observed_at {time}, run_id bigint, columns text,
			stale {bool} NOT NULL, error text, PRIMARY KEY (table_name, deployment_name))`,
		`CREATE TABLE lakeql_schedule (pipeline text PRIMARY KEY, hash text NOT NULL, next_at {time} NOT NULL, last_at {time}, paused {bool} NOT NULL, error text)`,
		`CREATE TABLE lakeql_worker (id text PRIMARY KEY, host text NOT NULL, begun_at {time} NOT NULL, seen_at {time} NOT NULL, lease {float} NOT NULL)`,
		`CREATE VIEW pipeline_status AS SELECT t.pipeline, s.table_name, s.deployment_name, s.observed_at, s.stale, s.run_id, s.error
			FROM lakeql_slice s JOIN lakeql_table t ON t.name = s.table_name`,
		`CREATE TABLE lakeql_workspace (deployment_name text PRIMARY KEY, next_at {time}, blocked_until {time})`,
	}
	for i, statement := range statements {
		for from, to := range types {
			statement = strings.ReplaceAll(statement, from, to)
		}
		statements[i] = statement
	}
	return statements
}
