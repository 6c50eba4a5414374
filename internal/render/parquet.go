package render

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/lakeql/lakeql/internal/parquet"
	"github.com/lakeql/lakeql/provider"
)

// writeParquet writes rows as one Parquet file, and nothing without columns. A column whose type no
// document declares gets the type of its first values.
func writeParquet(ctx context.Context, w io.Writer, rows provider.Rows) (int64, error) {
	var first [][]any
	var ended error
	for len(first) < measured && ended == nil {
		row, err := rows.Next(ctx)
		if err != nil {
			ended = err
			break
		}
		first = append(first, row)
	}
	if ended != nil && ended != io.EOF { //nolint:errorlint // a connection that broke off has io.EOF in its chain
		return 0, ended
	}
	if len(rows.Columns()) == 0 {
		return int64(len(first)), nil
	}
	columns := make([]parquet.Column, len(rows.Columns()))
	for i, c := range rows.Columns() {
		columns[i] = parquet.Column{Name: c.Name, Type: parquetType(c, first, i), Description: c.Description}
	}
	buffer := bufio.NewWriterSize(w, bufferSize)
	at := 0
	n, err := parquet.Write(buffer, columns, func() ([]any, error) {
		var row []any
		switch {
		case at < len(first):
			row, first[at] = first[at], nil
			at++
		case ended != nil:
			return nil, ended
		default:
			var err error
			if row, err = rows.Next(ctx); err != nil {
				return nil, err
			}
		}
		values := make([]any, len(row))
		for i, v := range row {
			value, err := parquetValue(v, columns[i])
			if err != nil {
				return nil, err
			}
			values[i] = value
		}
		return values, nil
	})
	if err != nil {
		return n, err
	}
	return n, writeError(buffer.Flush())
}

// parquetType returns the type of a column in a file.
func parquetType(c provider.Column, rows [][]any, column int) string {
	switch c.Type {
	case "integer":
		return parquet.Integer
	case "number":
		return parquet.Number
	case "boolean":
		return parquet.Boolean
	case "object", "array":
		return parquet.JSON
	case "string":
		if c.Format == "date-time" {
			return parquet.Timestamp
		}
		return parquet.Text
	}
	found := ""
	for _, row := range rows {
		var kind string
		switch row[column].(type) {
		case nil:
			continue
		case int64:
			kind = parquet.Integer
		case float64:
			kind = parquet.Number
		case bool:
			kind = parquet.Boolean
		case json.RawMessage:
			kind = parquet.JSON
		default:
			return parquet.Text
		}
		switch {
		case found == "" || found == kind:
			found = kind
		case found == parquet.Integer && kind == parquet.Number || found == parquet.Number && kind == parquet.Integer:
			found = parquet.Number
		default:
			return parquet.Text
		}
	}
	if found == "" {
		return parquet.Text
	}
	return found
}

// parquetValue converts a value to the type of its column.
func parquetValue(v any, c parquet.Column) (any, error) {
	if v == nil {
		return nil, nil //nolint:nilnil // NULL
	}
	text, ok, err := plain(v)
	if err != nil {
		return nil, err
	}
	switch c.Type {
	case parquet.Text:
		return text, nil
	case parquet.JSON:
		if raw, isJSON := v.(json.RawMessage); isJSON {
			if !ok {
				return nil, nil //nolint:nilnil // NULL
			}
			return raw, nil
		}
		encoded, err := appendJSON(nil, v)
		return json.RawMessage(encoded), err
	case parquet.Timestamp:
		moment, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return nil, misfit(c, "it is not a time")
		}
		return moment, nil
	case parquet.Integer, parquet.Number, parquet.Boolean:
		if !ok {
			return nil, nil //nolint:nilnil // NULL
		}
		switch v.(type) {
		case int64, float64, bool:
			return v, nil
		}
		return nil, misfit(c, "it does not fit")
	}
	return nil, provider.Internalf("a column has the type %s", c.Type)
}

// misfit is the error for a value that its column cannot hold. The value may be a secret.
func misfit(c parquet.Column, why string) error {
	return provider.Usagef("column %s of the Parquet file holds %s values, and a row has another one: %s", provider.Quote(c.Name), c.Type, why).
		Hintf("convert the column in the statement, as in CAST(%s AS TEXT)", c.Name)
}
