package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/lakeql/lakeql/internal/postgres"
)

// database is the database of a store, with the queue of its work.
type database interface {
	conn
	dialect() *dialect
	// signs runs statements that must not wait for others: the signs of life.
	signs() conn
	// transact runs a function in a transaction: all that it does happens, or nothing.
	transact(ctx context.Context, f func(tx) error) error
	// work starts to process the queues, and returns the worker, which can be stopped.
	work(ctx context.Context, w *queueWorker) (worker, error)
	close()
}

// worker carries out the jobs of queues.
type worker interface {
	// add begins to take jobs from the queue of another pipeline, so many at once.
	add(ctx context.Context, queue string, atOnce int) error
	// stop ends it, and whatever is under way; that goes back to its queue.
	stop(ctx context.Context) error
}

// conn runs statements. Their parameters are ?1, ?2, … in both dialects.
type conn interface {
	exec(ctx context.Context, query string, args ...any) (int64, error)
	query(ctx context.Context, query string, args ...any) (resultRows, error)
}

// tx is a transaction.
type tx interface {
	conn
	queueTx
	// insert adds rows to a table, as fast as the database can. Its error is a [*rowError] if the database refuses
	// a value.
	insert(ctx context.Context, table string, columns []string, rows [][]any) error
}

// rowError is the error of a row that a database does not take.
type rowError struct {
	row     int    // of those that were to be inserted, from 0
	column  string // empty: the database does not say
	message string
	err     error
}

// Error returns the database's message.
func (e *rowError) Error() string { return e.err.Error() }

// Unwrap returns the database's error.
func (e *rowError) Unwrap() error { return e.err }

// resultRows are the common methods of the rows of database/sql and pgx.
type resultRows interface {
	Next() bool
	Scan(into ...any) error
	Err() error
	Close()
}

// dialect holds the differences between PostgreSQL and SQLite.
type dialect struct {
	postgres bool
	// patience lets a transaction do nothing in the database for long; empty: it may.
	patience string
}

// bePatient lets a transaction take its time beside the database.
func (d *dialect) bePatient(ctx context.Context, t tx) error {
	if d.patience == "" {
		return nil
	}
	_, err := t.exec(ctx, d.patience)
	return err
}

// placeholder matches a parameter.
var placeholder = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\?(\d+)`)
})

// bind returns a statement with the parameters that the dialect has.
func (d *dialect) bind(query string) string {
	if d.postgres {
		return placeholder().ReplaceAllString(query, "$$$1")
	}
	return query
}

// forUpdate locks the rows that a query finds, where the database locks no more than that.
func (d *dialect) forUpdate() string {
	if d.postgres {
		return " FOR UPDATE"
	}
	return ""
}

// typeOf is the type of a column. The engine reads the types of SQLite again: see its declaredType.
func (d *dialect) typeOf(t Type) string {
	if d.postgres {
		return map[Type]string{
			Text: "text", Integer: "bigint", Number: "double precision", Boolean: "boolean", Timestamp: "timestamptz", JSON: "jsonb",
		}[t]
	}
	return map[Type]string{
		Text: "TEXT", Integer: "INTEGER", Number: "REAL", Boolean: "BOOLEAN", Timestamp: "TIMESTAMP TEXT", JSON: "JSON BLOB",
	}[t]
}

// seconds is the time between two moments, to the millisecond.
func (d *dialect) seconds(from, to string) string {
	if d.postgres {
		return "CAST(round(CAST(extract(epoch FROM CAST(" + to + " AS timestamptz) - " + from + ") AS numeric), 3) AS double precision)"
	}
	return "round((julianday(" + to + ") - julianday(" + from + ")) * 86400, 3)"
}

func (d *dialect) bytes() string {
	if d.postgres {
		return "bytea"
	}
	return "BLOB"
}

// selected is a column as it is read: pgx takes JSON apart unless it comes as text.
func (d *dialect) selected(c Column) string {
	if d.postgres && c.Type == JSON {
		return quote(c.Name) + "::text"
	}
	return quote(c.Name)
}

// value returns a value of a row as the database's driver takes it.
func (d *dialect) value(v any) any {
	switch v := v.(type) {
	case time.Time:
		if !d.postgres {
			return v.Format(timeFormat)
		}
	case json.RawMessage:
		if !d.postgres {
			return scalar(v)
		}
		return postgres.EscapeJSON(v)
	case string:
		if d.postgres {
			return postgres.EscapeText(v)
		}
	case hash:
		return v[:]
	}
	return v
}

// timeFormat is how SQLite keeps times: of one length, so that their order as text is theirs.
const timeFormat = "2006-01-02T15:04:05.000000Z"

// stamp returns a time as a parameter, which both databases read as text.
func stamp(t time.Time) string { return t.UTC().Format(timeFormat) }

// moment scans a time: PostgreSQL returns times, SQLite texts. It is zero for NULL.
type moment struct{ time.Time }

// Scan implements sql.Scanner.
func (m *moment) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		m.Time = time.Time{}
		return nil
	case []byte:
		return m.Scan(string(v))
	default:
		t, ok := asTime(v).(time.Time)
		if !ok {
			return fmt.Errorf("%v is no time", v)
		}
		m.Time = t
		return nil
	}
}

// quote quotes an identifier.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal quotes a text.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// literals quotes texts as a list for SQL, which must have one: of no texts it is an empty text.
func literals(texts []string) string {
	if len(texts) == 0 {
		return "''"
	}
	list := make([]string, len(texts))
	for i, text := range texts {
		list[i] = literal(text)
	}
	return strings.Join(list, ", ")
}

// each runs a query and calls f for each row, which scans it.
func each(ctx context.Context, c conn, query string, args []any, f func(scan func(into ...any) error) error) error {
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// texts runs a query that returns one column, of texts.
func texts(ctx context.Context, c conn, query string, args ...any) (all []string, err error) {
	err = each(ctx, c, query, args, func(scan func(...any) error) error {
		var text string
		err := scan(&text)
		all = append(all, text)
		return err
	})
	return all, err
}

// one runs a query that returns at most one row, and reports whether it returned one.
func one(ctx context.Context, c conn, query string, args []any, into ...any) (bool, error) {
	found := false
	err := each(ctx, c, query, args, func(scan func(...any) error) error {
		if found {
			return nil
		}
		found = true
		return scan(into...)
	})
	return found, err
}
