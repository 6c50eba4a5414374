package vtab

import (
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// declaredTime declares a time as ISO 8601 text. With TEXT in the name of the type, SQLite compares
// such values as texts.
const declaredTime = "TIMESTAMP TEXT"

// DeclaredType returns the SQLite type of a column with a documented type and format. It determines the
// affinity of the column, and typeOfDeclared converts it back.
func DeclaredType(typ, format string) string {
	switch typ {
	case "integer":
		return "INTEGER"
	case "number":
		return "REAL"
	case "boolean":
		return "BOOLEAN"
	case "string":
		if format == dateTime {
			return declaredTime
		}
		return "TEXT"
	default:
		return "JSON"
	}
}

// dateTime is OpenAPI's format of a time.
const dateTime = "date-time"

// typeOfDeclared returns the type and format in the documents for a declared type; empty for the
// result of an expression.
func typeOfDeclared(declared string) (typ, format string) {
	name, _, _ := strings.Cut(strings.ToUpper(declared), "(") // a person may write varchar(10)
	switch strings.TrimSpace(name) {
	case "INTEGER", "INT", "BIGINT", "SMALLINT", "INT2", "INT4", "INT8":
		return "integer", ""
	case "REAL", "DOUBLE PRECISION", "DOUBLE", "FLOAT", "FLOAT8", "FLOAT4":
		return "number", ""
	case "BOOLEAN", "BOOL":
		return "boolean", ""
	case "TEXT", "VARCHAR", "CHARACTER VARYING", "CHAR", "CHARACTER":
		return "string", ""
	case declaredTime:
		return "string", dateTime
	case "JSON", storedJSON:
		return "object", ""
	}
	return "", ""
}

// storedJSON declares JSON in a table of a store. With BLOB in the name of the type, SQLite leaves
// a text that looks like a number as it is.
const storedJSON = "JSON BLOB"

// StoredType is [DeclaredType] for a column of a store.
func StoredType(c provider.Column) string {
	if declared := DeclaredType(c.Type, c.Format); declared != "JSON" {
		return declared
	}
	return storedJSON
}
