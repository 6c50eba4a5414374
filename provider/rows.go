package provider

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// Rows is the result of every statement: a header and rows, pulled one at a time. Nothing is
// collected on the way. The caller that opens Rows closes them.
type Rows interface {
	// Columns returns the header. It is valid before the first row, and without rows.
	Columns() []Column
	// Next returns the next row, one value a column, and io.EOF after the last. The caller may keep
	// the row. Values are nil, string, bool, int64, float64, [Secret] and
	// json.RawMessage (objects, arrays, and numbers that int64 and float64 cannot hold).
	Next(ctx context.Context) ([]any, error)
	// Close stops the statement and its requests. It may be called more than once.
	Close() error
}

// Column describes a value of every row.
type Column struct {
	Name        string
	Type        string // OpenAPI's: string, integer, number, boolean, object, array
	Format      string // OpenAPI's: date-time, int64, …
	Description string
	Former      string // names of the column in earlier documents, with blanks between; statements may use them
}

// Secret is a credential in a row or a setting. Every formatting prints a mask. Only Reveal
// returns the value, and only writers of results and signers of requests call it.
type Secret string

const mask = "****"

// Reveal returns the value itself.
func (s Secret) Reveal() string { return string(s) }

// String returns a mask.
func (Secret) String() string { return mask }

// Format prints a mask whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// MarshalJSON returns a mask.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }

// LogValue returns a mask.
func (Secret) LogValue() slog.Value { return slog.StringValue(mask) }

// NewRows makes Rows of values at hand, such as the answer to SHOW.
func NewRows(columns []Column, rows [][]any) Rows {
	return &fixedRows{columns: columns, rows: rows}
}

type fixedRows struct {
	columns []Column
	rows    [][]any
}

func (r *fixedRows) Columns() []Column { return r.columns }

func (r *fixedRows) Next(ctx context.Context) ([]any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(r.rows) == 0 {
		return nil, io.EOF
	}
	row := r.rows[0]
	r.rows = r.rows[1:]
	return row, nil
}

func (r *fixedRows) Close() error { return nil }
