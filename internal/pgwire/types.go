package pgwire

import (
	"encoding/json"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/lakeql/lakeql/internal/pgwire/pgcatalog"
	"github.com/lakeql/lakeql/provider"
)

// The two formats of values.
const (
	textFormat   = 0
	binaryFormat = 1
)

// valueType is the type of a value, for columns whose type nothing tells: the result of an expression.
func valueType(value any) uint32 {
	switch value.(type) {
	case int64:
		return pgtype.Int8OID
	case float64:
		return pgtype.Float8OID
	case bool:
		return pgtype.BoolOID
	case json.RawMessage:
		return pgtype.JSONBOID
	}
	return pgtype.TextOID
}

// describe is the header of rows.
func describe(columns []provider.Column, types []uint32, formats []int16) *pgproto3.RowDescription {
	fields := make([]pgproto3.FieldDescription, len(columns))
	for i, c := range columns {
		fields[i] = pgproto3.FieldDescription{
			Name: []byte(c.Name), DataTypeOID: types[i], DataTypeSize: pgcatalog.SizeOf(types[i]), TypeModifier: -1, Format: formatOf(formats, i),
		}
	}
	return &pgproto3.RowDescription{Fields: fields}
}

// formatOf is the format of column i: none named means text, and one is for all.
func formatOf(formats []int16, i int) int16 {
	switch {
	case len(formats) == 1:
		return formats[0]
	case i < len(formats):
		return formats[i]
	}
	return textFormat
}
