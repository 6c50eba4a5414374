package vtab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/provider"
)

// External is a table outside of SQLite and of the API, such as one in PostgreSQL.
type External interface {
	// Source is the kind of its database, for EXPLAIN, such as postgres.
	Source() string
	// Columns describes the columns.
	Columns() []provider.Column
	// Rows estimates how many rows there are.
	Rows() int64
	// Takes reports whether Scan can look for the rows in which a column equals a value.
	Takes(column int) bool
	// Numbered reports whether a row has the same number in all scans of a program.
	Numbered() bool
	// Scan reads the rows. Of wanted columns, rows have the values; of the others, they may have nil. Scan
	// may leave out rows in which a column of equal has another value; SQLite compares again.
	Scan(ctx context.Context, wanted []bool, equal []Equal) (Scan, error)
}

// Writable is an External that a program can change.
type Writable interface {
	External
	// Insert adds a row.
	Insert(ctx context.Context, row []any) error
	// Update changes the columns of a row that are marked in changed.
	Update(ctx context.Context, number int64, row []any, changed []bool) error
	// Delete removes a row.
	Delete(ctx context.Context, number int64) error
}

// Equal is a condition of a scan: the column has this value, a string or an int64.
type Equal struct {
	Column int
	Value  any
}

// Scan are the rows of a scan.
type Scan interface {
	// Next returns the next row and its number, and io.EOF after the last. A value is nil, string, int64,
	// float64, bool or json.RawMessage.
	Next(ctx context.Context) (row []any, number int64, err error)
	Close() error
}

// externalModule is SQLite's module of all external tables of a program.
const externalModule = "lakeql_external"

// AddExternal makes a table of a schema in the program's database of an external one.
func (p *Program) AddExternal(schema, name string, source External) error {
	if p.FirstTime(schema) {
		if err := sandbox.Attach(p.DB, ":memory:", schema); err != nil {
			return provider.Internalf("make the schema %s", schema).Because(err)
		}
	}
	if len(p.externals) == 0 {
		connect := func(_ *sqlite3.Conn, _, schema, _ string, args ...string) (*external, error) {
			n := -1
			if len(args) == 1 {
				n, _ = strconv.Atoi(args[0]) // 0 is the first table
			}
			if n < 0 || n >= len(p.externals) || p.externals[n].schema != schema {
				return nil, provider.Usagef("a virtual table of a store is not read")
			}
			return p.externals[n], p.DB.DeclareVTab(p.externals[n].declaration())
		}
		if err := sqlite3.CreateModule(p.DB, externalModule, connect, connect); err != nil { //nolint:staticcheck // the generic method needs Go 1.27
			return provider.Internalf("make the module of external tables").Because(err)
		}
	}
	e := &external{program: p, schema: schema, name: name, source: source, columns: source.Columns()}
	p.externals = append(p.externals, e)
	made := "CREATE VIRTUAL TABLE " + schema + "." + sqlite3.QuoteIdentifier(name) + " USING " + externalModule + "(" + strconv.Itoa(len(p.externals)-1) + ")"
	if err := sandbox.Exec(p.DB, made); err != nil {
		return provider.Usagef("the table %s cannot be read: %s", provider.Printable(name), Message(err)).Because(err)
	}
	return nil
}

// external is an External as a virtual table.
type external struct {
	program      *Program
	schema, name string
	source       External
	columns      []provider.Column
	used         []bool // columns that some plan reads
	filters      int64  // how often it was looked into
	copied       *externalCopy
}

// declaration is the CREATE TABLE that SQLite reads the columns from.
func (e *external) declaration() string {
	definitions := make([]string, len(e.columns))
	for i, c := range e.columns {
		definitions[i] = sqlite3.QuoteIdentifier(c.Name) + " " + StoredType(c)
	}
	return "CREATE TABLE x(" + strings.Join(definitions, ", ") + ")"
}

// names lists the columns.
func (e *external) names() []string {
	names := make([]string, len(e.columns))
	for i, c := range e.columns {
		names[i] = c.Name
	}
	return names
}

// externalChoice begins the text of a plan for an external table. The columns follow that it compares
// by =. The number of the plan is that of the table.
const externalChoice = "external:"

// BestIndex takes comparisons by = of columns that the source can look for.
func (e *external) BestIndex(idx *sqlite3.IndexInfo) error {
	if e.used == nil {
		e.used = make([]bool, len(e.columns))
	}
	for i := range e.used {
		e.used[i] = e.used[i] || idx.ColumnsUsed>>min(i, 63)&1 == 1
	}
	rows := max(e.source.Rows(), 10)
	var compared []string
	for i, c := range idx.Constraint {
		if !c.Usable || c.Op != sqlite3.INDEX_CONSTRAINT_EQ || c.Column < 0 || !e.source.Takes(c.Column) || idx.Collation(i) != "BINARY" {
			continue
		}
		compared = append(compared, strconv.Itoa(c.Column))
		idx.ConstraintUsage[i].ArgvIndex = len(compared)
		rows = max(rows/100, 1)
	}
	idx.IdxNum, idx.IdxStr = slices.Index(e.program.externals, e), externalChoice+strings.Join(compared, ",")
	idx.EstimatedRows, idx.EstimatedCost = rows, 100+float64(rows)
	return nil
}

// comparedBy reads the columns from the text of a plan.
func comparedBy(text string) []int {
	var columns []int
	for number := range strings.SplitSeq(strings.TrimPrefix(text, externalChoice), ",") {
		if n, err := strconv.Atoi(number); err == nil {
			columns = append(columns, n)
		}
	}
	return columns
}

// externalStep describes a line of EXPLAIN that reads an external table; not ok for another line.
func (p *Program) externalStep(line planLine) (text string, ok bool) {
	if line.alias == "" || !strings.HasPrefix(line.choice.Text, externalChoice) || line.choice.Number >= len(p.externals) {
		return "", false
	}
	e := p.externals[line.choice.Number]
	text = e.source.Source() + ": " + provider.Printable(line.alias)
	var compared []string
	for _, n := range comparedBy(line.choice.Text) {
		compared = append(compared, provider.Printable(e.columns[n].Name)+" = ?")
	}
	if len(compared) > 0 {
		text += " (" + strings.Join(compared, ", ") + ")"
	}
	return text, true
}

// Open makes a cursor.
func (e *external) Open() (sqlite3.VTabCursor, error) { return &externalCursor{table: e}, nil }

// Update implements [sqlite3.VTabUpdater].
func (e *external) Update(args ...sqlite3.Value) (int64, error) {
	target, ok := e.source.(Writable)
	if !ok {
		return 0, e.program.fail(provider.Usagef("%s cannot be changed", provider.Printable(e.name)))
	}
	ctx := e.program.ctx
	if len(args) == 1 {
		return 0, e.changed(target.Delete(ctx, args[0].Int64()))
	}
	row, changed := make([]any, len(e.columns)), make([]bool, len(e.columns))
	for i, v := range args[2:] {
		changed[i] = !v.NoChange()
		row[i] = plain(v)
	}
	if args[0].Type() == sqlite3.NULL {
		return 0, e.changed(target.Insert(ctx, row))
	}
	return 0, e.changed(target.Update(ctx, args[0].Int64(), row, changed))
}

func (e *external) changed(err error) error {
	if err != nil {
		return e.program.fail(err)
	}
	return nil
}

// plain returns a value of SQLite as Go has it.
func plain(v sqlite3.Value) any {
	switch v.Type() {
	case sqlite3.INTEGER:
		return v.Int64()
	case sqlite3.FLOAT:
		return v.Float()
	case sqlite3.TEXT, sqlite3.BLOB:
		return v.Text()
	case sqlite3.NULL:
	}
	return nil
}

// externalCursor reads the rows of one scan.
type externalCursor struct {
	table  *external
	scan   Scan
	row    []any // nil behind the last
	number int64
}

// Filter starts a scan.
func (c *externalCursor) Filter(_ int, text string, args ...sqlite3.Value) error {
	e := c.table
	if err := c.Close(); err != nil {
		return err
	}
	var equal []Equal
	for i, column := range comparedBy(text) {
		switch typ, value := e.columns[column].Type, args[i]; {
		case value.Type() == sqlite3.NULL:
			return nil // nothing equals NULL
		case typ == "string" && value.Type() == sqlite3.TEXT, typ == "integer" && value.Type() == sqlite3.INTEGER:
			equal = append(equal, Equal{column, plain(value)})
		}
		// For another type of value, SQLite converts one of the two before it compares. It must see all rows.
	}
	scan, err := e.scanned(equal)
	if err != nil {
		return e.program.fail(err)
	}
	c.scan = scan
	return c.Next()
}

// Next moves to the next row.
func (c *externalCursor) Next() error {
	var err error
	c.row, c.number, err = c.scan.Next(c.table.program.ctx)
	if errors.Is(err, io.EOF) {
		c.row = nil
		return nil
	}
	if err != nil {
		c.row = nil
		return c.table.program.fail(err)
	}
	return nil
}

// EOF reports whether the last row was passed.
func (c *externalCursor) EOF() bool { return c.row == nil }

// Column returns a value of the row.
func (c *externalCursor) Column(ctx sqlite3.Context, n int) error {
	if ctx.VTabNoChange() {
		return nil // of an UPDATE that does not change it
	}
	if err := c.table.program.result(ctx, c.row[n]); err != nil {
		return c.table.program.fail(err)
	}
	return nil
}

// RowID returns the number of the row.
func (c *externalCursor) RowID() (int64, error) { return c.number, nil }

// Close ends the scan.
func (c *externalCursor) Close() error {
	scan := c.scan
	c.scan, c.row = nil, nil
	if scan == nil {
		return nil
	}
	return scan.Close()
}

// looksBeforeCopy is how many scans of one table a program makes before it copies the table.
const looksBeforeCopy = 16

// scanned starts a scan. A table that is scanned often, as the inner one of a join, or whose rows have no
// numbers, is copied into a temporary table of SQLite, which has indexes.
func (e *external) scanned(equal []Equal) (Scan, error) {
	e.filters++
	often := e.filters > max(looksBeforeCopy, e.source.Rows()/10_000)
	if e.copied == nil && (often || len(equal) == 0 && e.filters > 1 || !e.source.Numbered()) {
		if err := e.copy(); err != nil {
			return nil, err
		}
	}
	if e.copied != nil {
		return e.copied.scan(equal)
	}
	return e.source.Scan(e.program.ctx, e.used, equal)
}

// externalCopy is the copy of an external table.
type externalCopy struct {
	table   *external
	name    string
	columns []int // of the external table
	indexed map[string]bool
}

// copy copies the columns that the program uses.
func (e *external) copy() error {
	made := &externalCopy{table: e, name: fmt.Sprintf("temp.lakeql_copy_%d", slices.Index(e.program.externals, e)), indexed: map[string]bool{}}
	definitions, marks := []string{"n INTEGER PRIMARY KEY"}, []string{"?"}
	for i, used := range e.used {
		if used {
			made.columns = append(made.columns, i)
			definitions = append(definitions, fmt.Sprintf("c%d %s", i, StoredType(e.columns[i])))
			marks = append(marks, "?")
		}
	}
	db := e.program.DB
	if err := sandbox.Exec(db, "CREATE TABLE "+made.name+" ("+strings.Join(definitions, ", ")+")"); err != nil {
		return copyFault(err)
	}
	stmt, err := sandbox.Prepare(db, "INSERT INTO "+made.name+" VALUES ("+strings.Join(marks, ", ")+")")
	if err != nil {
		return copyFault(err)
	}
	scan, err := e.source.Scan(e.program.ctx, e.used, nil)
	if err != nil {
		return errors.Join(err, stmt.Close())
	}
	for {
		row, number, err := scan.Next(e.program.ctx)
		if err == nil && e.source.Numbered() {
			err = stmt.BindInt64(1, number)
		}
		for i, n := range made.columns {
			if err == nil {
				err = BindValue(stmt, i+2, row[n])
			}
		}
		if err == nil {
			err = copyFault(stmt.Exec())
		}
		if errors.Is(err, io.EOF) {
			e.copied = made
			return errors.Join(scan.Close(), stmt.Close())
		}
		if err != nil {
			return errors.Join(err, scan.Close(), stmt.Close())
		}
	}
}

// copyFault words an error about a copy.
func copyFault(err error) error {
	if err == nil {
		return nil
	}
	return provider.Internalf("copy the rows of a table: %s", Message(err)).Because(err)
}

// scan reads the copy.
func (c *externalCopy) scan(equal []Equal) (Scan, error) {
	db := c.table.program.DB
	var terms, columns []string
	for _, condition := range equal {
		columns = append(columns, fmt.Sprintf("c%d", condition.Column))
		terms = append(terms, columns[len(columns)-1]+" = ?")
	}
	key, where := strings.Join(columns, ", "), ""
	if key != "" {
		where = " WHERE " + strings.Join(terms, " AND ")
		if !c.indexed[key] {
			c.indexed[key] = true
			index := fmt.Sprintf("CREATE INDEX %s_%d ON %s (%s)", c.name, len(c.indexed), strings.TrimPrefix(c.name, "temp."), key)
			if err := sandbox.Exec(db, index); err != nil {
				return nil, copyFault(err)
			}
		}
	}
	stmt, err := sandbox.Prepare(db, "SELECT * FROM "+c.name+where)
	if err != nil {
		return nil, copyFault(err)
	}
	for i, condition := range equal {
		err = errors.Join(err, BindValue(stmt, i+1, condition.Value))
	}
	if err != nil {
		return nil, errors.Join(copyFault(err), stmt.Close())
	}
	return &copyScan{c, stmt}, nil
}

// copyScan reads rows of a copy.
type copyScan struct {
	copy *externalCopy
	stmt *sqlite3.Stmt
}

// Next implements [Scan].
func (s *copyScan) Next(context.Context) ([]any, int64, error) {
	if !s.stmt.Step() {
		if err := s.stmt.Err(); err != nil {
			return nil, 0, copyFault(err)
		}
		return nil, 0, io.EOF
	}
	row := make([]any, len(s.copy.table.columns))
	for i, n := range s.copy.columns {
		row[n] = valueOf(s.stmt, i+1, s.copy.table.columns[n].Type)
	}
	return row, s.stmt.ColumnInt64(0), nil
}

// Close implements [Scan].
func (s *copyScan) Close() error { return s.stmt.Close() }
