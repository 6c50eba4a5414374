package pgstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/localstore"
	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// Fill implements [localstore.Backend].
func (s *Store) Fill(ctx context.Context, p *vtab.Program, f *localstore.Filling) error {
	columns := make([]column, len(f.Columns))
	for i, c := range f.Columns {
		columns[i] = newColumn(c.Name, typeOf(c), "b", false)
	}
	if p != nil {
		if err := observe(p.DB, columns); err != nil {
			return err
		}
	}
	o := f.Object
	return s.changeObject(ctx, o.Name, f.Admit, func(tx pgx.Tx) error {
		if err := s.shape(ctx, tx, o, columns); err != nil {
			return err
		}
		if p != nil {
			if _, err := s.copyFresh(ctx, tx, p, o.Name, columns); err != nil {
				return err
			}
		}
		if o.Kind != statement.MaterializedView {
			return nil
		}
		o.Refreshed = time.Now().UTC().Format(time.RFC3339)
		return s.keep(ctx, tx, o)
	})
}

// observe gives the columns without a type, those of expressions, the type of their values. JSON has texts
// beside numbers. A column that has only NULL stays without.
func observe(db *sqlite3.Conn, columns []column) error {
	var list []string
	var open []*column
	for i := range columns {
		if columns[i].typ == "" {
			open = append(open, &columns[i])
			for _, class := range []string{"'text', 'blob'", "'real'", "'integer'"} {
				list = append(list, fmt.Sprintf("max(typeof(c%d) IN (%s))", i, class))
			}
		}
	}
	if len(open) == 0 {
		return nil
	}
	stmt, err := sandbox.Prepare(db, "SELECT "+strings.Join(list, ", ")+" FROM "+localstore.FreshTable)
	if err != nil {
		return provider.Internalf("look at the rows").Because(err)
	}
	if stmt.Step() {
		for i, c := range open {
			texts, reals, integers := stmt.ColumnBool(3*i), stmt.ColumnBool(3*i+1), stmt.ColumnBool(3*i+2)
			switch {
			case texts && (reals || integers):
				c.typ = jsonType
			case texts:
				c.typ = textType
			case reals:
				c.typ = float8Type
			case integers:
				c.typ = int8Type
			}
		}
	}
	if err := stmt.Close(); err != nil {
		return provider.Internalf("look at the rows").Because(err)
	}
	return nil
}

// shape makes an empty table with the columns. A table with columns of the same names stays, and only
// loses its rows.
func (s *Store) shape(ctx context.Context, tx pgx.Tx, o *localstore.Object, columns []column) error {
	table := s.named(o.Name)
	there, err := s.relation(ctx, tx, o.Name)
	if err != nil {
		return err
	}
	same := there != nil && there.kind == "r" && slices.EqualFunc(there.columns, columns, func(a, b column) bool { return a.name == b.name })
	for i := range columns {
		switch {
		case columns[i].typ != "":
		case same:
			columns[i].typ = there.columns[i].typ
		default:
			columns[i].typ = textType
		}
	}
	if same {
		// DELETE and not TRUNCATE, after which a transaction that began before would see no rows.
		for _, text := range []string{"LOCK TABLE " + table + " IN SHARE ROW EXCLUSIVE MODE", "DELETE FROM " + table} {
			if _, err := tx.Exec(ctx, text); err != nil {
				return err
			}
		}
		return s.retype(ctx, tx, table, there.columns, columns)
	}
	if there != nil {
		if _, err := tx.Exec(ctx, "DROP TABLE "+table); err != nil {
			return err
		}
	}
	definitions := make([]string, len(columns))
	for i, c := range columns {
		definitions[i] = pgx.Identifier{c.name}.Sanitize() + " " + c.typ
	}
	if _, err := tx.Exec(ctx, "CREATE TABLE "+table+" ("+strings.Join(definitions, ", ")+")"); err != nil {
		return err
	}
	if o.Kind == statement.MaterializedView {
		_, err = tx.Exec(ctx, "COMMENT ON TABLE "+table+" IS 'Materialized view of lakeql: REFRESH MATERIALIZED VIEW replaces the rows'")
	}
	return err
}

// retype changes the types of columns that have other values than before.
func (s *Store) retype(ctx context.Context, tx pgx.Tx, table string, before, columns []column) error {
	var changes []string
	for i, c := range columns {
		if c.typ != before[i].typ {
			changes = append(changes, "ALTER COLUMN "+pgx.Identifier{c.name}.Sanitize()+" TYPE "+c.typ+" USING NULL")
		}
	}
	if len(changes) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, "ALTER TABLE "+table+" "+strings.Join(changes, ", "))
	return err
}

// copyFresh copies the rows of the fresh table into columns of a table, and returns how many there are.
func (s *Store) copyFresh(ctx context.Context, tx pgx.Tx, p *vtab.Program, table string, columns []column) (int64, error) {
	schema, err := s.current(ctx, tx)
	if err != nil {
		return 0, err
	}
	return s.copyInto(ctx, tx, p, pgx.Identifier{schema, table}, columns)
}

// copyInto is copyFresh for any table.
func (*Store) copyInto(ctx context.Context, tx pgx.Tx, p *vtab.Program, table pgx.Identifier, columns []column) (int64, error) {
	stmt, err := sandbox.Prepare(p.DB, "SELECT * FROM "+localstore.FreshTable)
	if err != nil {
		return 0, provider.Internalf("read the rows").Because(err)
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	next := func() (row []any, err error) {
		if !stmt.Step() {
			return nil, stmt.Err()
		}
		row = make([]any, len(columns))
		for i, c := range columns {
			if row[i], err = write(c.name, c.typ, value(stmtCell{stmt, i})); err != nil {
				return nil, err
			}
		}
		return row, nil
	}
	var refused error
	copied, err := tx.CopyFrom(ctx, table, names, pgx.CopyFromFunc(func() (row []any, err error) {
		refused = p.Catch(func() error { // pgx calls this on a goroutine of its own
			row, err = next()
			return err
		})
		return row, refused
	}))
	if refused != nil {
		err = refused // PostgreSQL says only that the COPY ended
	}
	if fault := stmt.Close(); err == nil && fault != nil {
		err = provider.Internalf("read the rows").Because(fault)
	}
	return copied, err
}
