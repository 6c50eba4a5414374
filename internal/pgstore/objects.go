package pgstore

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/lakeql/lakeql/internal/localstore"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// objectsTable lists the views and materialized views of a schema.
const objectsTable = "lakeql_objects"

// Objects implements [localstore.Backend].
func (s *Store) Objects() ([]localstore.Object, error) {
	ctx, cancel := context.WithTimeout(context.Background(), planPatience)
	defer cancel()
	var all []localstore.Object
	err := s.use(ctx, func(db querier) (err error) {
		all, err = s.list(ctx, db)
		return err
	})
	return all, err
}

// versionQuery describes all columns of a schema.
const versionQuery = `SELECT c.relname::text || chr(1) || c.relkind::text || chr(1) || COALESCE(a.attname::text, '') || chr(1) || COALESCE(a.atttypid::text, '')
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY c.relname, a.attnum`

// Version implements [localstore.Backend].
func (s *Store) Version(sum io.Writer) error {
	ctx, cancel := context.WithTimeout(context.Background(), planPatience)
	defer cancel()
	return s.use(ctx, func(db querier) error {
		schema, err := s.current(ctx, db)
		if err != nil {
			return err
		}
		rows, err := db.Query(ctx, versionQuery, schema)
		if err != nil {
			return err
		}
		columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		all, err := s.list(ctx, db)
		if err != nil {
			return err
		}
		for _, text := range columns {
			_, _ = io.WriteString(sum, text+"\x00") // a hash takes everything
		}
		for _, o := range all {
			_, _ = io.WriteString(sum, o.Name+"\x00"+string(o.Kind)+"\x00"+o.Definition+"\x00"+o.Refreshed+"\x00")
		}
		return nil
	})
}

// relationsQuery lists the relations of a schema: without those of the store, and of the queue of
// pipelines. Views of PostgreSQL are views without a definition.
const relationsQuery = `SELECT c.relname, CASE WHEN c.relkind IN ('v', 'm') THEN 'VIEW' ELSE 'TABLE' END
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
	AND NOT (c.relname LIKE 'river\_%' AND EXISTS (SELECT 1 FROM pg_catalog.pg_class l WHERE l.relnamespace = n.oid AND l.relname = 'lakeql_table'))`

// list is Objects for a connection.
func (s *Store) list(ctx context.Context, db querier) ([]localstore.Object, error) {
	schema, err := s.current(ctx, db)
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, relationsQuery, schema)
	if err != nil {
		return nil, s.fault(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (localstore.Object, error) {
		o := localstore.Object{Backend: s}
		return o, row.Scan(&o.Name, (*string)(&o.Kind))
	})
	if err != nil {
		return nil, s.fault(err)
	}
	ours := slices.ContainsFunc(all, func(o localstore.Object) bool { return o.Name == objectsTable })
	all = slices.DeleteFunc(all, func(o localstore.Object) bool { return strings.HasPrefix(o.Name, "lakeql_") })
	if ours {
		if all, err = s.addKept(ctx, db, all); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b localstore.Object) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return all, nil
}

// addKept replaces the tables of materialized views in a list, and adds the views.
func (s *Store) addKept(ctx context.Context, db querier, all []localstore.Object) ([]localstore.Object, error) {
	rows, err := db.Query(ctx, "SELECT name, kind, definition, columns::text, refreshed FROM "+s.named(objectsTable))
	if err != nil {
		return nil, s.fault(err)
	}
	kept, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (localstore.Object, error) {
		o := localstore.Object{Backend: s}
		var columns string
		var refreshed *time.Time
		if err := row.Scan(&o.Name, (*string)(&o.Kind), &o.Definition, &columns, &refreshed); err != nil {
			return o, err
		}
		if refreshed != nil {
			o.Refreshed = refreshed.UTC().Format(time.RFC3339)
		}
		if o.Kind != statement.View && o.Kind != statement.MaterializedView || json.Unmarshal([]byte(columns), &o.Columns) != nil {
			return o, provider.Usagef("the store %s is damaged: the row %s of %s is not one that lakeql writes", provider.Printable(s.place), provider.Quote(o.Name), objectsTable)
		}
		return o, nil
	})
	if err != nil {
		return nil, s.fault(err)
	}
	all = slices.DeleteFunc(all, func(o localstore.Object) bool {
		return slices.ContainsFunc(kept, func(k localstore.Object) bool { return k.Name == o.Name })
	})
	return append(all, kept...), nil
}

// find returns the object with a name, and prefers one with exactly the name.
func find(all []localstore.Object, name string) *localstore.Object {
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		if i := slices.IndexFunc(all, func(o localstore.Object) bool { return same(o.Name, name) }); i >= 0 {
			return &all[i]
		}
	}
	return nil
}

// Columns implements [localstore.Backend].
func (s *Store) Columns(o *localstore.Object) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), planPatience)
	defer cancel()
	var names []string
	err := s.use(ctx, func(db querier) error {
		found, err := s.relation(ctx, db, o.Name)
		if err != nil || found == nil {
			return err
		}
		for _, c := range found.columns {
			names = append(names, c.name)
		}
		return nil
	})
	return names, err
}

const (
	// longestName is how many bytes of a name PostgreSQL keeps; it would cut a longer one.
	longestName = 63
	// mostColumns is how many columns a table of PostgreSQL has at most.
	mostColumns = 1600
)

// Check implements [localstore.Backend].
func (*Store) Check(name string, columns []provider.Column) error {
	if err := checkName("table", name); err != nil {
		return err
	}
	if len(columns) > mostColumns {
		return provider.Usagef("%d columns are more than the %d that a table of PostgreSQL has", len(columns), mostColumns)
	}
	for _, c := range columns {
		if err := checkName("column", c.Name); err != nil {
			return err
		}
		if slices.Contains([]string{"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"}, c.Name) {
			return provider.Usagef("the column %s has the name of a system column of PostgreSQL", c.Name).
				Hintf("name it otherwise with AS")
		}
	}
	return nil
}

// checkName checks that PostgreSQL keeps a name as it is.
func checkName(kind, name string) error {
	fault := ""
	switch {
	case name == "":
		fault = "is empty"
	case len(name) > longestName:
		fault = "is longer than the 63 bytes that PostgreSQL keeps"
	case !utf8.ValidString(name), strings.ContainsRune(name, 0):
		fault = "has a character that PostgreSQL does not keep"
	default:
		return nil
	}
	return provider.Usagef("the name of the %s %s %s", kind, provider.Quote(name), fault)
}

// objectsDefinition makes the list of objects.
const objectsDefinition = ` (name text PRIMARY KEY, kind text NOT NULL, definition text NOT NULL, columns jsonb NOT NULL, refreshed timestamptz)`

// schemaLock is the advisory lock under which a schema and the list of its objects are made.
const schemaLock = 0x6c616b6571

// prepare makes the schema and the list of objects if they do not exist.
func (s *Store) prepare(ctx context.Context, tx pgx.Tx) error {
	var there bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", s.named(objectsTable)).Scan(&there); err != nil || there {
		return err
	}
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(schemaLock)); err != nil {
		return err
	}
	schema, err := s.current(ctx, tx)
	if err != nil {
		return err
	}
	// CREATE SCHEMA IF NOT EXISTS needs a privilege even for a schema that exists.
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1)", schema).Scan(&there); err != nil {
		return err
	}
	if !there {
		if _, err := tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize()); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+s.named(objectsTable)+objectsDefinition); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "COMMENT ON TABLE "+s.named(objectsTable)+" IS 'Queries of the views and materialized views that lakeql keeps in this schema'")
	return err
}

// changeObject runs a function that makes an object, if it may be made.
func (s *Store) changeObject(ctx context.Context, name string, admit localstore.Admit, f func(tx pgx.Tx) error) error {
	return s.change(ctx, func(tx pgx.Tx) error {
		if err := s.prepare(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, $2))", s.named(strings.ToLower(name)), int64(schemaLock)); err != nil {
			return err
		}
		all, err := s.list(ctx, tx)
		if err != nil {
			return err
		}
		if exists, err := admit(all); err != nil || exists {
			return err
		}
		return f(tx)
	})
}

// keep writes an object into the list.
func (s *Store) keep(ctx context.Context, tx pgx.Tx, o *localstore.Object) error {
	columns, err := json.Marshal(append([]string{}, o.Columns...))
	if err != nil {
		return err
	}
	var refreshed *string
	if o.Refreshed != "" {
		refreshed = &o.Refreshed
	}
	_, err = tx.Exec(ctx, "INSERT INTO "+s.named(objectsTable)+` AS o VALUES ($1, $2, $3, $4::text::jsonb, $5::text::timestamptz)
		ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, definition = excluded.definition, columns = excluded.columns, refreshed = excluded.refreshed`,
		o.Name, string(o.Kind), o.Definition, string(columns), refreshed)
	return err
}

// PutView implements [localstore.Backend].
func (s *Store) PutView(ctx context.Context, o *localstore.Object, admit localstore.Admit) error {
	if err := checkName("view", o.Name); err != nil {
		return err
	}
	return s.changeObject(ctx, o.Name, admit, func(tx pgx.Tx) error { return s.keep(ctx, tx, o) })
}

// Drop implements [localstore.Backend].
func (s *Store) Drop(ctx context.Context, o *localstore.Object) error {
	admit := func(all []localstore.Object) (bool, error) {
		there := find(all, o.Name)
		return there == nil, nil
	}
	return s.changeObject(ctx, o.Name, admit, func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, "DELETE FROM "+s.named(objectsTable)+" WHERE name = $1", o.Name)
		if err != nil {
			return err
		}
		switch {
		case o.Kind == statement.View && done.RowsAffected() == 0:
			return provider.Usagef("%s is a view of PostgreSQL", provider.Printable(o.Name)).Hintf("drop it with psql")
		case o.Kind == statement.View:
			return nil
		}
		_, err = tx.Exec(ctx, "DROP TABLE IF EXISTS "+s.named(o.Name))
		return err
	})
}
