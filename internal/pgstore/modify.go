package pgstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/lakeql/lakeql/internal/localstore"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// Native implements [localstore.Backend].
func (*Store) Native() bool { return false }

// stagingTable holds the rows of an INSERT that PostgreSQL has to look at one by one.
const stagingTable = "pg_temp.lakeql_staging"

// Insert implements [localstore.Backend]. PostgreSQL evaluates ON CONFLICT and RETURNING, over its own
// table.
func (s *Store) Insert(ctx context.Context, p *vtab.Program, in *localstore.Insertion) (localstore.Inserted, error) {
	var inserted localstore.Inserted
	err := s.change(ctx, func(tx pgx.Tx) error {
		there, err := s.relation(ctx, tx, in.Table.Name)
		if err != nil {
			return err
		}
		columns, err := columnsOf(there, in)
		if err != nil {
			return err
		}
		if p != nil && in.Conflict == nil && in.Returning == nil && in.Or != "IGNORE" {
			inserted.Changed, err = s.copyFresh(ctx, tx, p, in.Table.Name, columns)
			return err
		}
		text, err := s.insertion(ctx, tx, p, in, columns)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, text)
		if err != nil {
			return err
		}
		return readReturned(rows, &inserted)
	})
	return inserted, err
}

// columnsOf returns the columns that an INSERT fills, in its order.
func columnsOf(table *relation, in *localstore.Insertion) ([]column, error) {
	if table == nil {
		return nil, provider.Usagef("%s was dropped meanwhile", provider.Printable(in.Table.Name)).At(in.Position)
	}
	if len(in.Columns) == 0 {
		return table.columns, nil
	}
	var columns []column
	for _, name := range in.Columns {
		i := table.column(name.Text)
		if i < 0 {
			return nil, provider.Usagef("the table %s has no column %s", provider.Printable(table.name), provider.Quote(name.Text)).At(name.Pos)
		}
		columns = append(columns, table.columns[i])
	}
	return columns, nil
}

// insertion puts the rows into the staging table, and returns the INSERT that reads them there.
func (s *Store) insertion(ctx context.Context, tx pgx.Tx, p *vtab.Program, in *localstore.Insertion, columns []column) (string, error) {
	text := "INSERT INTO " + s.named(in.Table.Name)
	if in.Alias != "" {
		text += " AS " + pgx.Identifier{in.Alias}.Sanitize()
	}
	names, definitions := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i] = pgx.Identifier{c.name}.Sanitize()
		definitions[i] = names[i] + " " + c.typ
	}
	list := strings.Join(names, ", ")
	if p == nil {
		text += " DEFAULT VALUES"
	} else {
		if _, err := tx.Exec(ctx, "CREATE TEMP TABLE lakeql_staging ("+strings.Join(definitions, ", ")+") ON COMMIT DROP"); err != nil {
			return "", err
		}
		if _, err := s.copyInto(ctx, tx, p, pgx.Identifier{"pg_temp", "lakeql_staging"}, columns); err != nil {
			return "", err
		}
		text += " (" + list + ") SELECT " + list + " FROM " + stagingTable
	}
	switch {
	case in.Conflict != nil:
		text += " ON CONFLICT " + in.Conflict.Written()
	case in.Or == "IGNORE":
		text += " ON CONFLICT DO NOTHING"
	}
	if in.Returning != nil {
		text += " RETURNING " + in.Returning.Written()
	}
	return text, nil
}

// readReturned reads the rows of RETURNING.
func readReturned(rows pgx.Rows, inserted *localstore.Inserted) error {
	defer rows.Close()
	var columns []column
	for rows.Next() {
		if columns == nil {
			columns = columnsOfRows(rows)
		}
		values, err := rows.Values()
		if err != nil {
			return err
		}
		row := make([]any, len(values))
		for i, v := range values {
			if row[i], err = columns[i].returned(v); err != nil {
				return err
			}
		}
		inserted.Rows = append(inserted.Rows, row)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, c := range columnsOfRows(rows) {
		inserted.Columns = append(inserted.Columns, c.described())
	}
	inserted.Changed = rows.CommandTag().RowsAffected()
	return nil
}

func columnsOfRows(rows pgx.Rows) []column {
	types := rows.Conn().TypeMap()
	var columns []column
	for _, f := range rows.FieldDescriptions() {
		c := column{name: f.Name, typ: textType, kind: "b"}
		if known, ok := types.TypeForOID(f.DataTypeOID); ok {
			c.typ = known.Name
		}
		columns = append(columns, c)
	}
	return columns
}

var _ vtab.Writable = (*table)(nil)

// Insert implements [vtab.Writable].
func (t *table) Insert(context.Context, []any) error {
	return provider.Internalf("an INSERT of %s comes as rows", provider.Printable(t.name))
}

// mostChanges is how many changes are sent at once.
const mostChanges = 500

// Update implements [vtab.Writable].
func (t *table) Update(ctx context.Context, number int64, row []any, changed []bool) error {
	var sets []string
	args := []any{place(number)}
	for i, c := range t.columns {
		if !changed[i] {
			continue
		}
		v, err := write(c.name, c.typ, row[i])
		if err != nil {
			return err
		}
		if raw, ok := v.(json.RawMessage); ok {
			v = string(raw)
		}
		args = append(args, v)
		sets = append(sets, fmt.Sprintf("%s = $%d%s", pgx.Identifier{c.name}.Sanitize(), len(args), c.cast()))
	}
	if len(sets) == 0 {
		return nil
	}
	return t.queue(ctx, "UPDATE "+t.store.named(t.name)+" SET "+strings.Join(sets, ", ")+" WHERE ctid = $1::text::tid", args)
}

// Delete implements [vtab.Writable].
func (t *table) Delete(ctx context.Context, number int64) error {
	return t.queue(ctx, "DELETE FROM "+t.store.named(t.name)+" WHERE ctid = $1::text::tid", []any{place(number)})
}

// queue sends a change of one row with others.
func (t *table) queue(ctx context.Context, text string, args []any) error {
	if !t.plain {
		return provider.Usagef("the rows of %s cannot be told apart: it is partitioned, inherited, or foreign", provider.Printable(t.name)).
			Hintf("change them with psql")
	}
	in := t.store.sessionOf(t.program)
	if in == nil || !in.writes {
		return nil // a dry run
	}
	in.batch.Queue(text, args...)
	if in.batch.Len() < mostChanges {
		return nil
	}
	return in.flush(ctx)
}

// errMeanwhile is the error of a row that is not there any more.
var errMeanwhile = errors.New("a row was changed meanwhile")

// flush sends the changes that are queued.
func (s *session) flush(ctx context.Context) error {
	if s.batch.Len() == 0 {
		return nil
	}
	sent := s.tx.SendBatch(ctx, &s.batch)
	var err error
	for range s.batch.Len() {
		done, fault := sent.Exec()
		if fault == nil && done.RowsAffected() != 1 {
			fault = provider.Errorf(provider.API, "another session changed the same rows meanwhile").
				Hintf("run the statement again").Because(errMeanwhile)
		}
		if err == nil {
			err = fault
		}
	}
	err = errors.Join(err, sent.Close())
	s.batch = pgx.Batch{}
	return s.store.fault(err)
}

// NoteStale implements [localstore.Backend].
func (s *Store) NoteStale(p *vtab.Program, note, missing localstore.Note) error {
	if !p.Has(s.Schema()) {
		return nil
	}
	ctx, cancel := planning(p)
	defer cancel()
	return s.use(ctx, func(db querier) error {
		var there bool
		if err := db.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", s.named("lakeql_note")).Scan(&there); err != nil || !there {
			return err // no pipeline has filled it
		}
		rows, err := db.Query(ctx, "SELECT table_name, about, note, kind FROM "+s.named("lakeql_note")+" ORDER BY table_name, kind, about")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var gap localstore.Gap
			if err := rows.Scan(&gap.Table, &gap.Column, &gap.Text, &gap.Kind); err != nil {
				return err
			}
			gap.Tell(p, note, missing)
		}
		return rows.Err()
	})
}

// ProvideAt implements [localstore.Backend]: in PostgreSQL, pipelines make functions for the times of their
// tables, which SQLite cannot call.
func (s *Store) ProvideAt(p *vtab.Program, table string, _ localstore.Note) (bool, error) {
	ctx, cancel := planning(p)
	defer cancel()
	there := false
	err := s.use(ctx, func(db querier) error {
		return db.QueryRow(ctx, "SELECT to_regproc($1) IS NOT NULL", s.named(table+"_at")).Scan(&there)
	})
	if err == nil && there {
		err = provider.Usagef("%s_at is a function of PostgreSQL", provider.Printable(table)).
			Hintf("call it with psql, or read %s_history here", provider.Printable(table))
	}
	return false, err
}
