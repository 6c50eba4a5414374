package cli

import (
	"context"
	"net/http"
	"slices"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/pgstore"
	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/provider"
)

// checkReader runs the queries of checks over a store, as exec does: the same SQL for both kinds of store.
// It calls no API.
type checkReader struct {
	asker   *asker
	store   *pipeline.Store
	path    string         // of an SQLite file
	backend *pgstore.Store // or a PostgreSQL server
}

// checkReader opens a store, which is open as store already, for the queries of checks. The returned function
// closes it.
func (c *command) checkReader(ctx context.Context, store *pipeline.Store, place string, asker *asker) (*checkReader, func(), error) {
	r := &checkReader{asker: asker, store: store, path: place}
	if !postgres.Is(place) {
		return r, func() {}, nil
	}
	var err error
	if r.backend, err = pgstore.Open(ctx, place, "", c.minter(asker)); err != nil {
		return nil, nil, err
	}
	return r, r.backend.Close, nil
}

// session makes a session that reads the store and nothing else.
func (r *checkReader) session(note func(string)) *engine.Session {
	session := r.asker.connection.Session()
	session.Client.Authorizer = storeOnly{session.Client.Authorizer}
	session.QueriesOnly, session.Masked = true, true
	session.Note = note
	session.StorePath = r.path
	if r.backend != nil {
		session.StorePath, session.Backend = "", r.backend
	}
	return session
}

// ReadStore implements [checks.Reader].
func (r *checkReader) ReadStore(ctx context.Context, query string, read func(provider.Rows) error) ([]string, error) {
	var notes []string
	session := r.session(func(line string) { notes = append(notes, line) })
	defer session.Close()
	if err := readQuery(ctx, session, query, read); err != nil {
		return nil, err
	}
	known, err := r.store.Notes(ctx, nil)
	var gaps []string
	for _, n := range known {
		line := provider.Printable(n.Table) + ": " + provider.Printable(n.Text)
		at := slices.Index(notes, line)
		if at < 0 {
			continue
		}
		notes = slices.Delete(notes, at, at+1)
		if n.Missing || n.Absent { // a column that is NULL now would pass for one without a value
			gaps = append(gaps, line)
		}
	}
	if session.Incomplete() {
		return append(gaps, notes...), err
	}
	return gaps, err
}

// Left implements [checks.Reader].
func (r *checkReader) Left(ctx context.Context) ([]string, error) { return r.store.Left(ctx) }

// storeOnly refuses every request before it looks for a host or a credential.
type storeOnly struct{ dispatch.Authorizer }

// Direct refuses the request.
func (storeOnly) Direct(*http.Request, string) error {
	return provider.Usagef("a check reads the tables of the store, and calls no API").
		Hintf("write a query of the pipeline that fills a table, and let the check read the table")
}

// Authorize refuses the request.
func (s storeOnly) Authorize(r *http.Request) error { return s.Direct(r, "") }
