package pipeline

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// storedRows are rows that are read from the store.
type storedRows struct {
	columns []provider.Column
	rows    resultRows
	store   *Store
}

// Columns describes the rows.
func (r *storedRows) Columns() []provider.Column { return r.columns }

// Next returns the next row; io.EOF behind the last.
func (r *storedRows) Next(ctx context.Context) ([]any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return nil, storeError(r.store.place, err)
		}
		return nil, io.EOF
	}
	row, into := make([]any, len(r.columns)), make([]any, len(r.columns))
	for i := range row {
		into[i] = &row[i]
	}
	if err := r.rows.Scan(into...); err != nil {
		return nil, storeError(r.store.place, err)
	}
	for i, c := range r.columns {
		row[i] = shown(c, row[i])
	}
	return row, nil
}

// Close lets the rows go.
func (r *storedRows) Close() error {
	r.rows.Close()
	return nil
}

// shown is a value of a database as rows have it.
func shown(c provider.Column, v any) any {
	if b, ok := v.([]byte); ok {
		v = string(b)
	}
	switch v := v.(type) {
	case time.Time:
		return stamp(v)
	case string:
		if c.Type == "object" {
			return json.RawMessage(v)
		}
		if c.Format == "date-time" {
			if t, ok := asTime(v).(time.Time); ok {
				return stamp(t)
			}
		}
	case int64:
		if c.Type == "boolean" {
			return v != 0
		}
	}
	return v
}
