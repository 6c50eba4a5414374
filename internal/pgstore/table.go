package pgstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

// relation is a table, view or foreign table of the schema.
type relation struct {
	name    string
	kind    string // pg_class.relkind: r, p, v, m, f
	rows    int64  // estimated
	plain   bool   // ctid is unique in it
	columns []column
}

// relationQuery describes the columns of a relation, in their order.
const relationQuery = `SELECT c.relname, c.relkind::text, GREATEST(c.reltuples, 0)::int8, c.relkind IN ('r', 'm') AND NOT c.relhassubclass,
	a.attname, COALESCE(b.typname, t.typname), COALESCE(b.typtype, t.typtype)::text, COALESCE(b.typcategory, t.typcategory) = 'A'
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_type b ON b.oid = NULLIF(t.typbasetype, 0)
	WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY a.attnum`

// relation looks for a table; nil if there is none.
func (s *Store) relation(ctx context.Context, db querier, name string) (*relation, error) {
	schema, err := s.current(ctx, db)
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, relationQuery, schema, name)
	if err != nil {
		return nil, s.fault(err)
	}
	defer rows.Close()
	var found *relation
	for rows.Next() {
		var r relation
		var column, typ, kind *string
		var list *bool
		if err := rows.Scan(&r.name, &r.kind, &r.rows, &r.plain, &column, &typ, &kind, &list); err != nil {
			return nil, s.fault(err)
		}
		if found == nil {
			found = &r
		}
		if column != nil {
			found.columns = append(found.columns, newColumn(*column, *typ, *kind, *list))
		}
	}
	return found, s.fault(rows.Err())
}

// column returns the place of a column; -1 if there is none. It prefers one with exactly the name.
func (r *relation) column(name string) int {
	if i := slices.IndexFunc(r.columns, func(c column) bool { return c.name == name }); i >= 0 {
		return i
	}
	return slices.IndexFunc(r.columns, func(c column) bool { return strings.EqualFold(c.name, name) })
}

func newColumn(name, typ, kind string, list bool) column {
	return column{name: name, typ: typ, kind: kind, list: list}
}

// Provide implements [localstore.Backend]: tables come one by one.
func (s *Store) Provide(p *vtab.Program, name string) (bool, error) {
	if name == "" {
		return false, nil
	}
	ctx, cancel := planning(p)
	defer cancel()
	var found *relation
	gone := false
	err := s.use(ctx, func(db querier) error {
		objects, err := s.list(ctx, db)
		if err != nil {
			return err
		}
		o := find(objects, name)
		if o == nil {
			return nil
		}
		found, err = s.relation(ctx, db, o.Name)
		gone = found == nil
		return err
	})
	switch {
	case err != nil:
		return false, err
	case gone:
		return false, provider.Usagef("the table of %s is not in the store any more: something else has dropped it", provider.Printable(name)).
			Hintf("REFRESH MATERIALIZED VIEW makes that of a materialized view again")
	case found == nil || !p.FirstTime(s.Schema()+"."+found.name):
		return false, nil
	case len(found.columns) == 0:
		return false, provider.Usagef("the table %s has no columns", provider.Printable(name))
	}
	return true, p.AddExternal(s.Schema(), found.name, &table{store: s, program: p, relation: found})
}

// table is a relation as a table of a program.
type table struct {
	*relation

	store   *Store
	program *vtab.Program
}

// Source implements [vtab.External].
func (*table) Source() string { return "postgres" }

// Columns implements [vtab.External].
func (t *table) Columns() []provider.Column {
	all := make([]provider.Column, len(t.columns))
	for i := range t.columns {
		all[i] = t.columns[i].described()
	}
	return all
}

// Rows implements [vtab.External].
func (t *table) Rows() int64 {
	if t.rows == 0 {
		return 10_000 // nobody has counted them
	}
	return t.rows
}

// Takes implements [vtab.External].
func (t *table) Takes(column int) bool { return t.columns[column].takes() }

// Numbered implements [vtab.External].
func (t *table) Numbered() bool { return t.plain }

// Scan implements [vtab.External].
func (t *table) Scan(ctx context.Context, wanted []bool, equal []vtab.Equal) (vtab.Scan, error) {
	in, err := t.store.session(ctx, t.program, false)
	if err != nil {
		return nil, err
	}
	sc := &scan{session: in, table: t, next: firstFetch}
	number := "NULL"
	if t.plain {
		number = "ctid::text"
	}
	list := []string{number}
	for i := range t.columns {
		if wanted[i] {
			sc.columns = append(sc.columns, i)
			list = append(list, t.columns[i].expression())
		}
	}
	query := "SELECT " + strings.Join(list, ", ") + " FROM " + t.store.named(t.name)
	var terms []string
	var args []any
	for _, condition := range equal {
		c := t.columns[condition.Column]
		typ := "int8"
		if text, ok := condition.Value.(string); ok {
			if typ = "text"; strings.ContainsAny(text, "\x00␛") || !utf8.ValidString(text) {
				continue // it is kept in another form
			}
		}
		args = append(args, condition.Value)
		terms = append(terms, fmt.Sprintf("%s = $%d::%s", pgx.Identifier{c.name}.Sanitize(), len(args), typ))
	}
	if len(terms) > 0 {
		query += " WHERE " + strings.Join(terms, " AND ")
	}
	in.cursors++
	sc.cursor = fmt.Sprintf("lakeql_%d", in.cursors)
	if _, err := in.tx.Exec(ctx, "DECLARE "+sc.cursor+" NO SCROLL CURSOR FOR "+query, args...); err != nil {
		return nil, t.store.fault(err)
	}
	return sc, nil
}

const (
	// firstFetch is how many rows are read at first: a statement may stop early.
	firstFetch = 50
	// fetchBytes is about how many bytes of rows are in memory.
	fetchBytes = 1 << 20
	// mostFetched is how many rows are read at once at most.
	mostFetched = 10_000
)

// scan reads the rows of a cursor.
type scan struct {
	session *session
	table   *table
	columns []int // of the table, that the cursor has
	cursor  string

	rows    [][]any
	numbers []int64
	at      int
	next    int  // how many rows to read
	done    bool // after the last
}

// Next implements [vtab.Scan].
func (sc *scan) Next(ctx context.Context) ([]any, int64, error) {
	if sc.at == len(sc.rows) {
		if sc.done {
			return nil, 0, io.EOF
		}
		if err := sc.fetch(ctx); err != nil {
			return nil, 0, sc.table.store.fault(err)
		}
		if len(sc.rows) == 0 {
			return nil, 0, io.EOF
		}
	}
	sc.at++
	return sc.rows[sc.at-1], sc.numbers[sc.at-1], nil
}

// fetch reads more rows.
func (sc *scan) fetch(ctx context.Context) error {
	rows, err := sc.session.tx.Query(ctx, fmt.Sprintf("FETCH %d FROM %s", sc.next, sc.cursor))
	if err != nil {
		return err
	}
	defer rows.Close()
	sc.rows, sc.numbers, sc.at = sc.rows[:0], sc.numbers[:0], 0
	size := 0
	for rows.Next() {
		for _, raw := range rows.RawValues() {
			size += len(raw) + 16
		}
		values, err := rows.Values()
		if err != nil {
			return err
		}
		number := int64(0)
		if at, ok := values[0].(string); ok {
			if number, err = parsePlace(at); err != nil {
				return err
			}
		}
		row := make([]any, len(sc.table.columns))
		for i, n := range sc.columns {
			if row[n], err = sc.table.columns[n].read(values[i+1]); err != nil {
				return err
			}
		}
		sc.rows, sc.numbers = append(sc.rows, row), append(sc.numbers, number)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	sc.done = len(sc.rows) < sc.next
	if len(sc.rows) > 0 {
		sc.next = min(max(fetchBytes/(size/len(sc.rows)+1), 1), 4*sc.next, mostFetched)
	}
	return nil
}

// Close implements [vtab.Scan].
func (sc *scan) Close() error {
	if sc.session.conn.Conn().IsClosed() || sc.session.conn.Conn().PgConn().TxStatus() != 'T' {
		return nil // the cursor has ended with its transaction
	}
	ctx, cancel := context.WithTimeout(context.Background(), endPatience)
	defer cancel()
	_, err := sc.session.tx.Exec(ctx, "CLOSE "+sc.cursor)
	return sc.table.store.fault(err)
}

// errPlace is the error of a place that PostgreSQL does not write.
var errPlace = errors.New("the place of a row cannot be read")

// parsePlace converts a ctid, (block,item), to the number of a row.
func parsePlace(text string) (int64, error) {
	var block uint32
	var item uint16
	if n, err := fmt.Sscanf(text, "(%d,%d)", &block, &item); err != nil || n != 2 {
		return 0, errPlace
	}
	return int64(block)<<16 | int64(item), nil
}

// place converts the number of a row to its ctid.
func place(number int64) string { return fmt.Sprintf("(%d,%d)", number>>16, number&0xffff) }
