package statement

import "github.com/lakeql/lakeql/provider"

const (
	noTransactions = "each statement takes effect by itself: the API has no transactions"
	noAttaching    = "lakeql has one store, whose tables CREATE TABLE and CREATE MATERIALIZED VIEW make"
)

// unsupported are the statements that SQLite knows and lakeql does not, by their first word, each with a
// hint if there is an alternative.
var unsupported = map[string]string{
	"ALTER":     "make it anew: CREATE OR REPLACE TABLE name AS SELECT …",
	"ANALYZE":   "EXPLAIN ANALYZE and a statement tells what the statement costs",
	"ATTACH":    noAttaching,
	"BEGIN":     noTransactions,
	"COMMIT":    noTransactions,
	"DETACH":    noAttaching,
	"END":       noTransactions,
	"PRAGMA":    "SHOW SETTINGS lists what can be set, by SET name = value",
	"REINDEX":   "",
	"RELEASE":   noTransactions,
	"ROLLBACK":  noTransactions,
	"SAVEPOINT": noTransactions,
	"VACUUM":    "",
}

// unsupportedObjects are the unsupported objects of CREATE and DROP, in the same form.
var unsupportedObjects = map[string]string{
	"INDEX":         "a column that CREATE TABLE makes UNIQUE or PRIMARY KEY has one",
	"TRIGGER":       "",
	"VIRTUAL TABLE": "the resources of the API are tables already: SELECT … FROM provider.service.resource",
}

func notSupported(what, hint string, pos provider.Position) error {
	return provider.Usagef("%s is not supported", what).At(pos).Hintf("%s", hint)
}
