package pgcatalog

import (
	"strconv"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/provider"
)

// pgType is a type of PostgreSQL's.
type pgType struct {
	oid      int
	name     string // as pg_type has it
	long     string // as format_type says it
	size     int
	category string
	elem     int
	array    int
}

// input is the function that reads it, which some clients tell arrays by.
func (t pgType) input() string {
	if t.elem != 0 && strings.HasPrefix(t.name, "_") {
		return "array_in"
	}
	return t.name + "in"
}

func (t pgType) kind() string {
	if t.category == "P" {
		return "p"
	}
	return "b"
}

// types lists the types that clients look up, arrays behind their elements.
var types = sync.OnceValue(func() []pgType {
	base := []pgType{
		{16, "bool", "boolean", 1, "B", 0, 1000},
		{17, "bytea", "bytea", -1, "U", 0, 1001},
		{18, "char", `"char"`, 1, "Z", 0, 1002},
		{19, "name", "name", 64, "S", 18, 1003},
		{20, "int8", "bigint", 8, "N", 0, 1016},
		{21, "int2", "smallint", 2, "N", 0, 1005},
		{22, "int2vector", "int2vector", -1, "A", 21, 1006},
		{23, "int4", "integer", 4, "N", 0, 1007},
		{24, "regproc", "regproc", 4, "N", 0, 1008},
		{25, "text", "text", -1, "S", 0, 1009},
		{26, "oid", "oid", 4, "N", 0, 1028},
		{30, "oidvector", "oidvector", -1, "A", 26, 1013},
		{114, "json", "json", -1, "U", 0, 199},
		{700, "float4", "real", 4, "N", 0, 1021},
		{701, "float8", "double precision", 8, "N", 0, 1022},
		{705, "unknown", "unknown", -2, "X", 0, 0},
		{1042, "bpchar", "character", -1, "S", 0, 1014},
		{1043, "varchar", "character varying", -1, "S", 0, 1015},
		{1082, "date", "date", 4, "D", 0, 1182},
		{1083, "time", "time without time zone", 8, "D", 0, 1183},
		{1114, "timestamp", "timestamp without time zone", 8, "D", 0, 1115},
		{1184, "timestamptz", "timestamp with time zone", 8, "D", 0, 1185},
		{1186, "interval", "interval", 16, "T", 0, 1187},
		{1700, "numeric", "numeric", -1, "N", 0, 1231},
		{2205, "regclass", "regclass", 4, "N", 0, 2210},
		{2206, "regtype", "regtype", 4, "N", 0, 2211},
		{2249, "record", "record", -1, "P", 0, 2287},
		{2275, "cstring", "cstring", -2, "P", 0, 1263},
		{2276, "any", `"any"`, 4, "P", 0, 0},
		{2278, "void", "void", 4, "P", 0, 0},
		{2950, "uuid", "uuid", 16, "U", 0, 2951},
		{3802, "jsonb", "jsonb", -1, "U", 0, 3807},
		{4089, "regnamespace", "regnamespace", 4, "N", 0, 4090},
	}
	all := base
	for _, t := range base {
		if t.array != 0 {
			all = append(all, pgType{t.array, "_" + t.name, t.long + "[]", -1, "A", t.oid, 0})
		}
	}
	return all
})

func typeNamed(name string) (pgType, bool) {
	name = strings.ToLower(strings.Join(strings.Fields(name), " "))
	switch name {
	case "int", "integer", "serial":
		name = "int4"
	case "bigint", "bigserial":
		name = "int8"
	case "smallint":
		name = "int2"
	case "decimal":
		name = "numeric"
	case "string":
		name = "text"
	case "real":
		name = "float4"
	case "float", "double":
		name = "float8"
	}
	for _, t := range types() {
		if t.name == name || t.long == name {
			return t, true
		}
	}
	return pgType{}, false
}

func typeOfOID(oid int64) (pgType, bool) {
	for _, t := range types() {
		if int64(t.oid) == oid {
			return t, true
		}
	}
	return pgType{}, false
}

// formatType is format_type: a type's name as SQL writes it.
func formatType(oid, modifier int64) string {
	t, ok := typeOfOID(oid)
	if !ok {
		return "???"
	}
	if modifier > 4 && (t.name == "varchar" || t.name == "bpchar") {
		return t.long + "(" + strconv.FormatInt(modifier-4, 10) + ")"
	}
	return t.long
}

// typeOf is the type of a column of the API.
func typeOf(c provider.Column) pgType {
	name := "text"
	switch {
	case c.Format == formatOID:
		name = "oid"
	case c.Type == "integer" || c.Format == "int64":
		name = "int8"
	case c.Type == "number":
		name = "float8"
	case c.Type == "boolean":
		name = "bool"
	case c.Type == "object" || c.Type == "array":
		name = "jsonb"
	case c.Format == "date-time":
		name = "timestamptz"
	}
	t, _ := typeNamed(name)
	return t
}

// columnOf is typeOf the other way round; empty for types that columns of the API do not have.
func columnOf(oid uint32) (typ, format string) {
	t, _ := typeOfOID(int64(oid))
	switch t.name {
	case "int2", "int4", "int8":
		return "integer", ""
	case "float4", "float8", "numeric":
		return "number", ""
	case "bool":
		return "boolean", ""
	case "timestamptz":
		return "string", "date-time"
	case "json", "jsonb":
		return "object", ""
	case "text":
		return "string", ""
	}
	return "", ""
}

// SizeOf is the size in bytes of the values of a type; -1 is variable.
func SizeOf(oid uint32) int16 {
	if t, ok := typeOfOID(int64(oid)); ok {
		return int16(t.size) //nolint:gosec // a small number
	}
	return -1
}

// ElementOf is the oid of the type of the items of an array; 0 if the type is none.
func ElementOf(oid uint32) uint32 {
	if t, ok := typeOfOID(int64(oid)); ok && strings.HasPrefix(t.name, "_") {
		return uint32(t.elem) //nolint:gosec // a small number
	}
	return 0
}

// OIDOf is the oid of the type of a column of the API.
func OIDOf(c provider.Column) uint32 { return uint32(typeOf(c).oid) } //nolint:gosec // a small number
