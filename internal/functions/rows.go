package functions

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/dialect"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Provide makes the table of a function that returns rows part of a database, by the name that SQLite
// misses, and reports whether it is one.
func Provide(db *sqlite3.Conn, table string) (bool, error) {
	call, ok := dialect.RowsOf(table)
	if !ok {
		return false, nil
	}
	source := sources()[call.Function]
	columns, row, err := columnsOf(call, source)
	if err != nil {
		return false, err
	}
	made := &rowsTable{call: call, source: source, columns: columns, row: row}
	connect := func(db *sqlite3.Conn, _, _, _ string, _ ...string) (*rowsTable, error) {
		return made, errors.Join(db.VTabConfig(sqlite3.VTAB_INNOCUOUS), db.DeclareVTab(made.declaration()))
	}
	if err := sqlite3.CreateModule(db, table, nil, connect); err != nil { //nolint:staticcheck // the generic method needs Go 1.27
		return false, provider.Internalf("make the table of %s", call.Function).Because(err)
	}
	return true, nil
}

// source is a function that returns rows.
type source struct {
	columns []string // without other names; none: the statement names them
	args    []int    // how many arguments it takes
	rows    func(call dialect.Rows, args []sqlite3.Value) ([][]any, error)
}

func sources() map[string]source {
	elements := func(asText bool) source {
		return source{[]string{"value"}, []int{1}, func(_ dialect.Rows, args []sqlite3.Value) ([][]any, error) {
			parsed, err := parsedJSON(args[0])
			list, ok := parsed.([]any)
			if err == nil && !ok {
				err = errors.New("the JSON is no array")
			}
			return column(list, asText), err
		}}
	}
	each := func(asText bool) source {
		return source{[]string{"key", "value"}, []int{1}, func(_ dialect.Rows, args []sqlite3.Value) ([][]any, error) {
			object, err := objectOf(args[0])
			var rows [][]any
			for _, name := range slices.Sorted(maps.Keys(object)) {
				rows = append(rows, append([]any{name}, column([]any{object[name]}, asText)[0]...))
			}
			return rows, err
		}}
	}
	keys := source{[]string{"value"}, []int{1}, func(_ dialect.Rows, args []sqlite3.Value) ([][]any, error) {
		object, err := objectOf(args[0])
		var rows [][]any
		for _, name := range slices.Sorted(maps.Keys(object)) {
			rows = append(rows, []any{name})
		}
		return rows, err
	}}
	recordset := source{nil, []int{1}, func(call dialect.Rows, args []sqlite3.Value) ([][]any, error) {
		parsed, err := parsedJSON(args[0])
		list, ok := parsed.([]any)
		if err == nil && !ok {
			err = errors.New("the JSON is no array")
		}
		if err != nil {
			return nil, err
		}
		return records(call, list)
	}}
	record := source{nil, []int{1}, func(call dialect.Rows, args []sqlite3.Value) ([][]any, error) {
		object, err := objectOf(args[0])
		if err != nil {
			return nil, err
		}
		return records(call, []any{object})
	}}
	split := func(args []sqlite3.Value) ([][]any, error) {
		re, _, err := flagged(args, 2)
		if err != nil {
			return nil, err
		}
		return column(anys(re.Split(args[0].Text(), -1)), true), nil
	}
	return map[string]source{
		"json_array_elements": elements(false), "jsonb_array_elements": elements(false),
		"json_array_elements_text": elements(true), "jsonb_array_elements_text": elements(true),
		"json_each": each(false), "jsonb_each": each(false), "json_each_text": each(true), "jsonb_each_text": each(true),
		"json_object_keys": keys, "jsonb_object_keys": keys,
		"json_to_recordset": recordset, "jsonb_to_recordset": recordset, "json_to_record": record, "jsonb_to_record": record,
		"unnest": {[]string{"unnest"}, []int{1}, func(_ dialect.Rows, args []sqlite3.Value) ([][]any, error) {
			list, err := arrayOf(args[0])
			var rows [][]any
			for _, item := range list {
				plain, err := scalar(item)
				if err != nil {
					return nil, err
				}
				rows = append(rows, []any{plain})
			}
			return rows, err
		}},
		"generate_series": {[]string{"generate_series"}, []int{2, 3}, series},
		"generate_subscripts": {[]string{"generate_subscripts"}, []int{2}, func(_ dialect.Rows, args []sqlite3.Value) ([][]any, error) {
			list, err := arrayOf(args[0])
			var rows [][]any
			for i := range list {
				rows = append(rows, []any{int64(i) + 1})
			}
			return rows, err
		}},
		"regexp_split_to_table": {[]string{"regexp_split_to_table"}, []int{2, 3}, func(_ dialect.Rows, args []sqlite3.Value) ([][]any, error) {
			return split(args)
		}},
		"string_to_table": {[]string{"string_to_table"}, []int{2}, func(_ dialect.Rows, args []sqlite3.Value) ([][]any, error) {
			if args[0].Text() == "" {
				return nil, nil
			}
			return column(anys(strings.Split(args[0].Text(), args[1].Text())), true), nil
		}},
		"regexp_matches": {[]string{"regexp_matches"}, []int{2, 3}, func(_ dialect.Rows, args []sqlite3.Value) ([][]any, error) {
			re, flags, err := flagged(args, 2)
			if err != nil {
				return nil, err
			}
			count := 1
			if strings.Contains(flags, "g") {
				count = -1
			}
			var rows [][]any
			for _, match := range re.FindAllStringSubmatchIndex(args[0].Text(), count) {
				made, err := encodeJSON(groups(args[0].Text(), match))
				if err != nil {
					return nil, err
				}
				rows = append(rows, []any{made})
			}
			return rows, nil
		}},
	}
}

func anys(texts []string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}

// column makes a row of each item: as text, or as JSON.
func column(list []any, asText bool) [][]any {
	rows := make([][]any, len(list))
	for i, item := range list {
		if asText {
			rows[i] = []any{textOf(item)}
			continue
		}
		made, err := encoded(item)
		if err != nil {
			made = "null"
		}
		rows[i] = []any{document(made)}
	}
	return rows
}

func objectOf(v sqlite3.Value) (map[string]any, error) {
	parsed, err := parsedJSON(v)
	object, ok := parsed.(map[string]any)
	if err == nil && !ok {
		err = errors.New("the JSON is no object")
	}
	return object, err
}

// records makes rows of objects, with an attribute for each column.
func records(call dialect.Rows, list []any) ([][]any, error) {
	var rows [][]any
	for _, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			return nil, errors.New("an item of the JSON is no object")
		}
		row := make([]any, len(call.Columns))
		for i, c := range call.Columns {
			var err error
			if row[i], err = typed(object[c.Name], c.Type); err != nil {
				return nil, fmt.Errorf("%s: %w", c.Name, err)
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// typed returns a part of JSON as a value of a type, by the name of the function that casts to it.
func typed(part any, typ string) (any, error) {
	if part == nil {
		return nil, nil //nolint:nilnil // NULL
	}
	text, _ := textOf(part).(string)
	switch typ {
	case "json":
		return encodeJSON(part)
	case "int2", "int4", "int8":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, errors.New("the value is no whole number")
		}
		return n, nil
	case "float8", "numeric":
		return scalar(json.Number(text))
	case "bool":
		truth, ok := statement.Truth(text)
		if !ok {
			return nil, errors.New("the value is no boolean")
		}
		return truth, nil
	}
	return text, nil
}

// series is generate_series(from, to [, step]) over numbers or times.
func series(_ dialect.Rows, args []sqlite3.Value) ([][]any, error) {
	if from, ok := parseMoment(args[0].Text()); ok && args[0].Type() == sqlite3.TEXT {
		return timeSeries(from, args)
	}
	from, to, step := args[0].Int64(), args[1].Int64(), int64(1)
	if len(args) > 2 {
		step = args[2].Int64()
	}
	if step == 0 {
		return nil, errors.New("the step is 0")
	}
	if (float64(to)-float64(from))/float64(step) > 1_000_000 {
		return nil, errors.New("the series is longer than a million rows")
	}
	var rows [][]any
	for n := from; step > 0 && n <= to || step < 0 && n >= to; n += step {
		rows = append(rows, []any{n})
	}
	return rows, nil
}

func timeSeries(from moment, args []sqlite3.Value) ([][]any, error) {
	if len(args) < 3 {
		return nil, errors.New("a series of times needs a step, such as interval '1 day'")
	}
	to, err := timeOf(args[1])
	if err != nil {
		return nil, err
	}
	step, err := parseInterval(args[2].Text())
	if err != nil {
		return nil, err
	}
	next := step.addTo(from.Time)
	if next.Equal(from.Time) {
		return nil, errors.New("the step is 0")
	}
	forward := next.After(from.Time)
	var rows [][]any
	for t := from.Time; forward && !t.After(to.Time) || !forward && !t.Before(to.Time); t = step.addTo(t) {
		if len(rows) > 1_000_000 {
			return nil, errors.New("the series is longer than a million rows")
		}
		rows = append(rows, []any{zoned(t)})
	}
	return rows, nil
}

// rowColumn is a column of a table of rows.
type rowColumn struct {
	name string
	from int // the column of the source; -1: the number of the row
}

// columnsOf lists the columns of a call. row is another name for a single column: that of the table, as
// in e ->> 'name'; empty: none.
func columnsOf(call dialect.Rows, source source) (columns []rowColumn, row string, err error) {
	names := slices.Clone(source.columns)
	if len(names) == 0 {
		for _, c := range call.Columns {
			names = append(names, c.Name)
		}
	}
	alone := len(names) == 1 && len(source.columns) == 1
	if alone && call.Alias != "" && names[0] == call.Function { // as in generate_series(1, 2) AS n
		names[0] = call.Alias
	}
	for i, name := range names {
		columns = append(columns, rowColumn{name: name, from: i})
	}
	if call.Ordinality {
		columns = append(columns, rowColumn{name: "ordinality", from: -1})
	}
	if len(call.Columns) > len(columns) {
		return nil, "", provider.Usagef("%s returns %d columns, and %d are named", call.Function, len(columns), len(call.Columns))
	}
	for i, c := range call.Columns {
		columns[i].name = c.Name
	}
	if alone && call.Alias != "" && !slices.ContainsFunc(columns, func(c rowColumn) bool { return strings.EqualFold(c.name, call.Alias) }) {
		row = call.Alias
	}
	return columns, row, nil
}

// rowsTable is the table of a call.
type rowsTable struct {
	call    dialect.Rows
	source  source
	columns []rowColumn
	row     string // see columnsOf
}

// declaration declares the columns, and behind them hidden ones: for each argument, and for the row.
func (t *rowsTable) declaration() string {
	var names []string
	for _, c := range t.columns {
		names = append(names, sqlite3.QuoteIdentifier(c.name))
	}
	for i := range slices.Max(t.source.args) {
		names = append(names, sqlite3.QuoteIdentifier(fmt.Sprintf("%sargument%d", dialect.Prefix, i+1))+" HIDDEN")
	}
	if t.row != "" {
		names = append(names, sqlite3.QuoteIdentifier(t.row)+" HIDDEN")
	}
	return "CREATE TABLE x(" + strings.Join(names, ", ") + ")"
}

// BestIndex takes the arguments.
func (t *rowsTable) BestIndex(idx *sqlite3.IndexInfo) error {
	most := slices.Max(t.source.args)
	given := make([]int, most)
	for i := range given {
		given[i] = -1
	}
	for i, c := range idx.Constraint {
		n := c.Column - len(t.columns)
		if n < 0 || n >= most || c.Op != sqlite3.INDEX_CONSTRAINT_EQ {
			continue
		}
		if !c.Usable {
			return sqlite3.CONSTRAINT
		}
		given[n] = i
	}
	count := 0
	for _, i := range given {
		if i < 0 {
			break
		}
		count++
		idx.ConstraintUsage[i] = sqlite3.IndexConstraintUsage{ArgvIndex: count, Omit: true}
	}
	idx.IdxNum = count
	idx.EstimatedCost, idx.EstimatedRows = 10, 10
	return nil
}

// Open makes a cursor.
func (t *rowsTable) Open() (sqlite3.VTabCursor, error) { return &rowsCursor{table: t}, nil }

// rowsCursor goes through the rows of a call.
type rowsCursor struct {
	table *rowsTable
	rows  [][]any
	at    int
}

// Filter calls the function. A NULL returns no rows.
func (c *rowsCursor) Filter(_ int, _ string, args ...sqlite3.Value) error {
	c.rows, c.at = nil, 0
	if !slices.Contains(c.table.source.args, len(args)) {
		return fmt.Errorf("%s: %d arguments are given", c.table.call.Function, len(args))
	}
	if slices.ContainsFunc(args, func(v sqlite3.Value) bool { return v.Type() == sqlite3.NULL }) {
		return nil
	}
	rows, err := c.table.source.rows(c.table.call, args)
	if err != nil {
		return fmt.Errorf("%s: %w", c.table.call.Function, err)
	}
	c.rows = rows
	return nil
}

// Next goes to the next row.
func (c *rowsCursor) Next() error {
	c.at++
	return nil
}

// EOF reports whether all rows were passed.
func (c *rowsCursor) EOF() bool { return c.at >= len(c.rows) }

// RowID numbers the rows.
func (c *rowsCursor) RowID() (int64, error) { return int64(c.at) + 1, nil }

// Column returns a value of the row.
func (c *rowsCursor) Column(ctx sqlite3.Context, n int) error {
	if n == len(c.table.columns)+slices.Max(c.table.source.args) {
		n = 0 // the row
	} else if n >= len(c.table.columns) {
		return nil // an argument
	}
	of := c.table.columns[n]
	if of.from < 0 {
		ctx.ResultInt64(int64(c.at) + 1)
		return nil
	}
	result(ctx, c.rows[c.at][of.from])
	return nil
}
