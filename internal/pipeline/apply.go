package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/provider"
)

// Changes count the changes that an answer made in a table.
type Changes struct {
	Rows, Added, Changed, Removed int64
}

// The changes of a row.
const (
	addedRow   = "added"
	changedRow = "changed"
	removedRow = "removed"
	// columnsRow is not a change of a row: the query returns other columns of it than before. The history
	// needs it to know the contents of the table.
	columnsRow = "columns"
)

// atOnce is how many rows are compared and written at a time.
const atOnce = 2000

// application replaces the rows that a table has of a workspace by one answer, and records the changes.
type application struct {
	tx        tx
	d         *dialect
	table     *Table       // what was asked
	stored    *storedTable // where it goes
	workspace string
	run       int64
	observed  time.Time // when it was asked for

	places []int           // of the stored columns in those of the table; -1: it does not give them
	given  []string        // the columns that the answer before gave
	known  map[hash]*known // the rows that were there, or came since
	counts Changes
}

// known is the part of a row that stays in memory during a comparison. It is small: rows may be millions.
type known struct {
	content hash
	seen    bool
}

// apply compares an answer with the rows that are there, and makes them the same.
func (s *Store) apply(ctx context.Context, t tx, table *Table, workspace string, run int64, observed time.Time, rows *spool) (Changes, error) {
	a := &application{tx: t, d: s.d, table: table, workspace: workspace, run: run, observed: observed, known: map[hash]*known{}}
	latest, err := a.lock(ctx)
	if err != nil {
		return Changes{}, err
	}
	if !observed.After(latest) { // a clock was set back: what is written down later was so later
		a.observed = latest.Add(time.Microsecond)
	}
	stored, err := s.tablesWhere(ctx, t, "WHERE name = ?1", table.Name)
	if err != nil {
		return Changes{}, err
	}
	if len(stored) == 0 {
		return Changes{}, provider.Usagef("the table %s was dropped from the store while its query ran", table.Name)
	}
	a.stored = &stored[0]
	for _, c := range a.stored.Columns {
		a.places = append(a.places, table.column(c.Name))
	}
	if err := a.load(ctx); err != nil {
		return Changes{}, err
	}
	if err := a.compare(ctx, rows); err != nil {
		return Changes{}, err
	}
	if err := a.removeUnseen(ctx); err != nil {
		return Changes{}, err
	}
	a.counts.Rows = rows.rows
	names := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		names[i] = c.Name
	}
	_, err = t.exec(ctx, "UPDATE lakeql_slice SET observed_at = ?1, run_id = ?2, columns = ?3, stale = ?4, error = NULL WHERE table_name = ?5 AND deployment_name = ?6",
		stamp(a.observed), run, strings.Join(names, " "), false, table.Name, workspace)
	if err == nil {
		err = s.recordStates(ctx, t, a.observed, "s.table_name = ?2 AND s.deployment_name = ?3", table.Name, workspace)
	}
	return a.counts, err
}

// lock locks the rows of the table and the workspace, and returns the time of their query.
func (a *application) lock(ctx context.Context) (time.Time, error) {
	if _, err := a.tx.exec(ctx, "INSERT INTO lakeql_slice (table_name, deployment_name, stale) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", a.table.Name, a.workspace, false); err != nil {
		return time.Time{}, err
	}
	var latest moment
	var given string
	_, err := one(ctx, a.tx, "SELECT observed_at, coalesce(columns, '') FROM lakeql_slice WHERE table_name = ?1 AND deployment_name = ?2"+a.d.forUpdate(),
		[]any{a.table.Name, a.workspace}, &latest, &given)
	a.given = strings.Fields(given) // names have no blanks
	return latest.Time, err
}

// load reads which rows are there.
func (a *application) load(ctx context.Context) error {
	var all []known // in blocks that grow: a million small things by themselves cost more
	return each(ctx, a.tx, "SELECT key_hash, row_hash FROM "+quote(rowsTable(a.stored.Name))+" WHERE deployment_name = ?1", []any{a.workspace}, func(scan func(...any) error) error {
		var key, content []byte
		if err := scan(&key, &content); err != nil {
			return err
		}
		if len(key) != len(hash{}) || len(content) != len(hash{}) {
			return provider.Internalf("the table %s was changed by somebody else", rowsTable(a.stored.Name))
		}
		if len(all) == cap(all) {
			all = make([]known, 0, min(max(2*cap(all), 16), 4096))
		}
		all = append(all, known{content: hash(content)})
		a.known[hash(key)] = &all[len(all)-1]
		return nil
	})
}

// compare goes through the answer.
func (a *application) compare(ctx context.Context, rows *spool) error {
	var fresh []pending
	err := rows.each(func(r spooledRow) error {
		there, ok := a.known[r.key]
		if ok && there.seen {
			return a.twice(r)
		}
		if ok && there.content == r.content {
			there.seen = true
			return nil
		}
		row, err := readRow(r.encoded, len(a.table.Columns))
		if err != nil {
			return err
		}
		if ok {
			there.content = r.content
		} else {
			there = &known{content: r.content}
			a.known[r.key] = there
		}
		there.seen = true
		if fresh = append(fresh, pending{r.key, r.content, row, ok}); len(fresh) < atOnce {
			return nil
		}
		err = a.write(ctx, fresh)
		fresh = fresh[:0]
		return err
	})
	if err != nil {
		return err
	}
	return a.write(ctx, fresh)
}

func (a *application) twice(r spooledRow) error {
	row, err := readRow(r.encoded, len(a.table.Columns))
	if err != nil {
		return err
	}
	return provider.Usagef("two rows of %s have the key %s", a.table.Name, a.keyOf(row)).
		Hintf("the columns of -- key: must tell all rows of a workspace apart")
}

// keyOf names a row by its key.
func (a *application) keyOf(row []any) string {
	var parts []string
	for _, i := range a.table.keyColumns() {
		parts = append(parts, a.table.Columns[i].Name+" = "+provider.Quote(written(row[i])))
	}
	return strings.Join(parts, ", ")
}

// pending is a row that is new or differs.
type pending struct {
	key, content hash
	row          []any
	was          bool // there is one of its key
}

// write replaces the rows that have the keys of the new rows.
func (a *application) write(ctx context.Context, fresh []pending) error {
	if len(fresh) == 0 {
		return nil
	}
	var replaced []hash
	for _, f := range fresh {
		if f.was {
			replaced = append(replaced, f.key)
		}
	}
	before, err := a.old(ctx, replaced)
	if err != nil {
		return err
	}
	if err := a.delete(ctx, replaced); err != nil {
		return err
	}
	rows, history := make([][]any, 0, len(fresh)), make([][]any, 0, len(fresh))
	for _, f := range fresh {
		now := make([]any, len(a.places))
		for i, place := range a.places {
			if place >= 0 {
				now[i] = f.row[place]
			}
		}
		values := a.values(now)
		rows = append(rows, append([]any{a.workspace, a.d.value(f.key), a.d.value(f.content)}, values...))
		change, differ := addedRow, any(nil)
		if f.was {
			old, ok := before[f.key]
			if !ok {
				return provider.Internalf("a row of %s went while it was compared", a.stored.Name)
			}
			var kept bool
			switch differ, kept = a.differences(old, now); {
			case differ != nil:
				change = changedRow
				a.counts.Changed++
			case kept:
				continue // it was written otherwise, and means the same
			default:
				change = columnsRow
			}
		} else {
			a.counts.Added++
		}
		history = append(history, a.historyOf(f.key, change, differ, values))
	}
	names := a.columnNames()
	if err := a.tx.insert(ctx, rowsTable(a.stored.Name), append([]string{deploymentName, "key_hash", "row_hash"}, names...), rows); err != nil {
		return a.insertError(err, func(i int) []any {
			if i < 0 || i >= len(fresh) {
				return nil
			}
			return fresh[i].row
		})
	}
	return a.insertError(a.addHistory(ctx, history), func(int) []any { return nil })
}

// insertError words the error of a database about a value. It names the row, and also the column if the
// database reports it.
func (a *application) insertError(err error, row func(i int) []any) error {
	refused, ok := errors.AsType[*rowError](err)
	if !ok || passing(err) {
		return err
	}
	where := "a row"
	if values := row(refused.row); values != nil {
		where = "the row with " + a.keyOf(values)
	}
	if refused.column != "" {
		where += ", column " + provider.Quote(refused.column)
	}
	return provider.Usagef("%s of the table %s cannot be stored: %s", where, a.table.Name, provider.Printable(refused.message)).
		Hintf("leave the value out of the query, or shorten it there").
		Because(err)
}

func (a *application) historyOf(key hash, change string, differ any, values []any) []any {
	return append([]any{a.run, change, a.d.value(a.observed), differ, a.workspace, a.d.value(key)}, values...)
}

func (a *application) addHistory(ctx context.Context, history [][]any) error {
	columns := append([]string{"run_id", "change", "changed_at", "changed_columns", deploymentName, "key_hash"}, a.columnNames()...)
	return a.tx.insert(ctx, historyTable(a.stored.Name), columns, history)
}

func (a *application) columnNames() []string {
	names := make([]string, len(a.stored.Columns))
	for i, c := range a.stored.Columns {
		names[i] = c.Name
	}
	return names
}

func (a *application) values(row []any) []any {
	values := make([]any, len(row))
	for i, v := range row {
		values[i] = a.d.value(v)
	}
	return values
}

// differences returns the columns that differ, each with its old and new value; nil if none differs. A column
// that only one of the answers has is not a difference of the row; kept reports whether the columns are the
// same too.
func (a *application) differences(old, now []any) (differ any, kept bool) {
	type change struct {
		From any `json:"from"`
		To   any `json:"to"`
	}
	all := map[string]change{}
	kept = true
	for i, c := range a.stored.Columns {
		if same(old[i], now[i]) {
			continue
		}
		kept = false
		if a.places[i] >= 0 && slices.Contains(a.given, c.Name) {
			all[c.Name] = change{old[i], now[i]}
		}
	}
	if len(all) == 0 {
		return nil, kept
	}
	data, _ := json.Marshal(all) // values that were read from a database can be JSON
	return a.d.value(json.RawMessage(data)), false
}

// same reports whether a value from a database equals the new value.
func same(old, now any) bool {
	if string(appendValue(nil, old)) == string(appendValue(nil, now)) {
		return true
	}
	a, isJSON := old.(json.RawMessage)
	b, both := now.(json.RawMessage)
	return isJSON && both && sameJSON(decodeNumbers(a), decodeNumbers(b))
}

func decodeNumbers(data []byte) (value any) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	_ = dec.Decode(&value) // it was JSON when it came
	return value
}

// sameJSON compares JSON by its meaning: PostgreSQL writes 1e2 as 100.
func sameJSON(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		if !ok || a == b {
			return ok
		}
		x, y := exact(a), exact(b)
		return x != nil && y != nil && x.Cmp(y) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameJSON)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, sameJSON)
	}
	return a == b
}

// exact is the value of a number; nil where to write it out would take too much.
func exact(n json.Number) *big.Rat {
	const most = 400 // digits
	text := n.String()
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		if exponent, err := strconv.Atoi(text[i+1:]); err != nil || exponent > most || exponent < -most {
			return nil
		}
	}
	if len(text) > most {
		return nil
	}
	value, _ := new(big.Rat).SetString(text) // nil where it is no number
	return value
}

// mostKeys is how many keys a statement names.
const mostKeys = 500

// byKeys runs a statement over some keys at a time, which stand in it in place of {keys}; ?1 is the
// workspace.
func (a *application) byKeys(keys []hash, run func(query func(string) string, args []any) error) error {
	for chunk := range slices.Chunk(keys, mostKeys) {
		args := []any{a.workspace}
		marks := make([]string, len(chunk))
		for i, k := range chunk {
			args = append(args, a.d.value(k))
			marks[i] = fmt.Sprintf("?%d", i+2)
		}
		if err := run(func(text string) string { return strings.ReplaceAll(text, "{keys}", strings.Join(marks, ", ")) }, args); err != nil {
			return err
		}
	}
	return nil
}

// old reads the rows of some keys, as they are now.
func (a *application) old(ctx context.Context, keys []hash) (map[hash][]any, error) {
	found := make(map[hash][]any, len(keys))
	selected := make([]string, len(a.stored.Columns))
	for i, c := range a.stored.Columns {
		selected[i] = a.d.selected(c)
	}
	text := "SELECT key_hash, " + strings.Join(selected, ", ") + " FROM " + quote(rowsTable(a.stored.Name)) + " WHERE deployment_name = ?1 AND key_hash IN ({keys})"
	err := a.byKeys(keys, func(query func(string) string, args []any) error {
		return each(ctx, a.tx, query(text), args, func(scan func(...any) error) error {
			var key []byte
			row, into := make([]any, len(a.stored.Columns)), make([]any, 1, len(a.stored.Columns)+1)
			into[0] = &key
			for i := range row {
				into = append(into, &row[i])
			}
			if err := scan(into...); err != nil {
				return err
			}
			if err := a.d.restore(a.stored.Columns, row); err != nil {
				return err
			}
			found[hash(key)] = row
			return nil
		})
	})
	return found, err
}

// restore returns the values that a database gave as they were when they went into it.
func (d *dialect) restore(columns []Column, row []any) error {
	for i, c := range columns {
		v := row[i]
		switch given := v.(type) {
		case []byte: // SQLite's: JSON that is nothing else, see scalar
			v = string(given)
			if c.Type == JSON {
				v = json.RawMessage(given)
			}
		case string:
			switch {
			case c.Type == JSON && d.postgres:
				v = postgres.UnescapeJSON(json.RawMessage(given))
			case d.postgres:
				v = postgres.UnescapeText(given)
			}
		}
		var err error
		if row[i], err = c.convert(v); err != nil {
			return err
		}
	}
	return nil
}

func (a *application) delete(ctx context.Context, keys []hash) error {
	text := "DELETE FROM " + quote(rowsTable(a.stored.Name)) + " WHERE deployment_name = ?1 AND key_hash IN ({keys})"
	return a.byKeys(keys, func(query func(string) string, args []any) error {
		_, err := a.tx.exec(ctx, query(text), args...)
		return err
	})
}

// removeUnseen takes away the rows that the answer does not have.
func (a *application) removeUnseen(ctx context.Context) error {
	var gone []hash
	for key, k := range a.known {
		if !k.seen {
			gone = append(gone, key)
		}
	}
	slices.SortFunc(gone, func(a, b hash) int { return strings.Compare(string(a[:]), string(b[:])) })
	for chunk := range slices.Chunk(gone, atOnce) {
		before, err := a.old(ctx, chunk)
		if err != nil {
			return err
		}
		history := make([][]any, 0, len(chunk))
		for _, key := range chunk {
			history = append(history, a.historyOf(key, removedRow, nil, a.values(before[key])))
		}
		if err := a.addHistory(ctx, history); err != nil {
			return err
		}
		if err := a.delete(ctx, chunk); err != nil {
			return err
		}
		a.counts.Removed += int64(len(chunk))
	}
	return nil
}
