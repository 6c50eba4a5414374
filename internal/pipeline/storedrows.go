package pipeline

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/lakeql/lakeql/internal/postgres"
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
		row[i] = r.store.d.shown(c, row[i])
	}
	return row, nil
}

// Close lets the rows go.
func (r *storedRows) Close() error {
	r.rows.Close()
	return nil
}

// shown is a value of a database as rows have it: a text that is JSON is one, as in the answers of the API.
func (d *dialect) shown(c provider.Column, v any) any {
	encoded := d.postgres
	if b, ok := v.([]byte); ok {
		v, encoded = string(b), true
	}
	switch v := v.(type) {
	case time.Time:
		return stamp(v)
	case string:
		if d.postgres && c.Type == "object" {
			v = string(postgres.UnescapeJSON(json.RawMessage(v)))
		} else if d.postgres {
			v = postgres.UnescapeText(v)
		}
		if c.Type == "object" {
			return shownJSON(v, encoded)
		}
		if c.Format == "date-time" {
			if t, ok := asTime(v).(time.Time); ok {
				return stamp(t)
			}
		}
		return v
	case int64:
		if c.Type == "boolean" {
			return v != 0
		}
	}
	return v
}

// shownJSON is JSON of a database as rows have it. encoded: it is JSON, whatever it is; else only an object or an
// array is, and anything else is a text as it stands.
func shownJSON(v string, encoded bool) any {
	if !encoded && (v == "" || v[0] != '{' && v[0] != '[') || !json.Valid([]byte(v)) {
		return v
	}
	var text string
	if v[0] == '"' && json.Unmarshal([]byte(v), &text) == nil {
		return text
	}
	return json.RawMessage(v)
}
