package statement

import (
	"errors"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

func TestSQLErrorsSayWhere(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text         string
		line, column int
		message      string
	}{
		"an unknown word":               {"GRANT x", 1, 1, `found "GRANT", expected a statement: SELECT, WITH, VALUES, INSERT, UPDATE, REPLACE, DELETE, EXEC, CREATE, REFRESH, DROP, EXPLAIN, SHOW, DESCRIBE, REGISTRY, SET, USE, PURGE, NATIVEQUERY or SLEEP`},
		"open string":                   {"INSERT INTO t\nSELECT 'it\\''s;", 2, 8, "the quote that opens here is not closed"},
		"open name":                     {"UPDATE t SET \"a = 1", 1, 14, "the quote that opens here is not closed"},
		"open comment":                  {"DELETE FROM t /* x", 1, 15, "the comment that begins here has no end"},
		"open bytes":                    {"SELECT x'00", 1, 8, "the quote that opens here is not closed"},
		"placeholder in a value":        {"UPDATE t\nSET a = {{ a }}", 2, 9, "the placeholder {{ a }} was not filled in"},
		"placeholder in a query":        {"SELECT {{ .a }}", 1, 8, "the placeholder {{ .a }} was not filled in"},
		"placeholder without an end":    {"SELECT {{ a", 1, 8, "was not filled in"},
		"INSERT without INTO":           {"INSERT t VALUES (1)", 1, 8, `found "t", expected INTO`},
		"INSERT without a name":         {"INSERT INTO (a) VALUES (1)", 1, 13, `found "(", expected the resource (provider.service.resource) or table`},
		"INSERT into a string":          {"INSERT INTO 't' VALUES (1)", 1, 13, "expected the resource"},
		"INSERT of four parts":          {"INSERT INTO p.s.r.m VALUES (1)", 1, 13, "p.s.r.m has too many parts"},
		"INSERT without rows":           {"INSERT INTO t (a);", 1, 18, `found ";", expected SELECT, VALUES, WITH or DEFAULT VALUES`},
		"INSERT of nothing":             {"INSERT INTO t", 1, 14, "found the end of the text, expected SELECT, VALUES, WITH or DEFAULT VALUES"},
		"INSERT without columns":        {"INSERT INTO t () VALUES (1)", 1, 16, `found ")", expected a column`},
		"INSERT with a comma too many":  {"INSERT INTO t (a,) VALUES (1)", 1, 18, `found ")", expected a column`},
		"INSERT without a comma":        {"INSERT INTO t (a b) VALUES (1)", 1, 18, `found "b", expected a comma or ) after the column "a"`},
		"INSERT with a value as column": {"INSERT INTO t ('a') VALUES (1)", 1, 16, `found "'a'", expected a column`},
		"INSERT OR what":                {"INSERT OR ELSE INTO t VALUES (1)", 1, 11, "expected ABORT, FAIL, IGNORE, REPLACE or ROLLBACK after OR"},
		"INSERT of a DELETE":            {"INSERT INTO t WITH x AS (SELECT 1) DELETE FROM u", 1, 36, `found "DELETE", expected SELECT or VALUES`},
		"INSERT of WITH alone":          {"INSERT INTO t WITH x AS (SELECT 1);", 1, 35, `found ";", expected SELECT or VALUES after WITH`},
		"INSERT with empty RETURNING":   {"INSERT INTO t SELECT 1 RETURNING ;", 1, 34, "expected columns after RETURNING"},
		"INSERT with empty ON CONFLICT": {"INSERT INTO t DEFAULT VALUES ON CONFLICT", 1, 30, `found "ON", expected the end of the statement (;)`},
		"text behind RETURNING":         {"INSERT INTO t SELECT 1 RETURNING a WHERE b", 1, 36, `found "WHERE", expected the end of the statement (;)`},
		"DEFAULT of what":               {"INSERT INTO t DEFAULT ROW", 1, 23, "expected VALUES"},
		"a bracket too many":            {"UPDATE t SET a = 1 WHERE b = 1) OR (1", 1, 31, "the bracket ) closes none that is open"},
		"a bracket too few":             {"DELETE FROM t WHERE (a = (1) RETURNING a", 1, 21, "the bracket that opens here is not closed"},
		"UPDATE without SET":            {"UPDATE t a = 1", 1, 10, `found "a", expected SET`},
		"UPDATE with an empty SET":      {"UPDATE t SET WHERE a = 1", 1, 20, `expected = after "WHERE"`},
		"UPDATE without a value":        {"UPDATE t SET a = , b = 1", 1, 18, `found ",", expected an expression for "a"`},
		"UPDATE without =":              {"UPDATE t SET a 1", 1, 16, `found "1", expected = after "a"`},
		"UPDATE with an empty WHERE":    {"UPDATE t SET a = 1 WHERE RETURNING b", 1, 26, `found "RETURNING", expected a condition after WHERE`},
		"UPDATE with an empty FROM":     {"UPDATE t SET a = 1 FROM WHERE b", 1, 25, `found "WHERE", expected a table after FROM`},
		"UPDATE with LIMIT":             {"UPDATE t SET a = 1 WHERE b LIMIT 1", 1, 28, `found "LIMIT", expected the end of the statement (;)`},
		"UPDATE with two WHEREs":        {"UPDATE t SET a = 1 WHERE b WHERE c", 1, 28, `found "WHERE", expected the end`},
		"UPDATE without AS":             {"UPDATE t x SET a = 1", 1, 10, `found "x", expected SET`},
		"UPDATE AS nothing":             {"UPDATE t AS 1 SET a = 1", 1, 13, "expected a name after AS"},
		"DELETE without FROM":           {"DELETE t", 1, 8, `found "t", expected FROM`},
		"DELETE with UNION":             {"DELETE FROM t WHERE a = 1 UNION SELECT 1", 1, 27, `found "UNION", expected the end of the statement (;)`},
		"DELETE with a list":            {"DELETE FROM t WHERE a, b", 1, 22, `found ",", expected the end of the statement (;)`},
		"REPLACE of nothing":            {"REPLACE", 1, 8, "found the end of the text"},
		"CREATE of what":                {"CREATE SCHEMA s", 1, 8, `found "SCHEMA", expected VIEW, MATERIALIZED VIEW or TABLE`},
		"CREATE of three parts":         {"CREATE VIEW p.s.v AS SELECT 1", 1, 13, "p.s.v: names of three parts are those of the API's resources"},
		"CREATE of two parts":           {"CREATE TABLE main.t (a)", 1, 14, "main.t: names of three parts"},
		"CREATE VIEW without AS":        {"CREATE VIEW v SELECT 1", 1, 15, `found "SELECT", expected AS and a query`},
		"CREATE VIEW without a query":   {"CREATE VIEW v AS;", 1, 17, `found ";", expected SELECT, VALUES or WITH after AS`},
		"CREATE VIEW of an INSERT":      {"CREATE VIEW v AS INSERT INTO t VALUES (1)", 1, 18, `found "INSERT", expected SELECT`},
		"CREATE VIEW of WITH … UPDATE":  {"CREATE VIEW v AS WITH x AS (SELECT 1) UPDATE t SET a = 1", 1, 39, `found "UPDATE", expected SELECT or VALUES`},
		"CREATE TABLE without columns":  {"CREATE TABLE t ()", 1, 17, `found ")", expected the columns of the table`},
		"CREATE TABLE of nothing":       {"CREATE TABLE t", 1, 15, "expected the columns between brackets, or AS and a query"},
		"CREATE TABLE with options":     {"CREATE TABLE t (a) STRICT", 1, 20, `found "STRICT", expected the end of the statement (;)`},
		"CREATE TABLE with both":        {"CREATE TABLE t (a) AS SELECT 1", 1, 20, `found "AS", expected the end of the statement (;)`},
		"CREATE MATERIALIZED what":      {"CREATE MATERIALIZED TABLE t (a)", 1, 21, `found "TABLE", expected VIEW`},
		"CREATE TABLE, an open bracket": {"CREATE TABLE t (a", 1, 16, "the bracket that opens here is not closed"},
		"REFRESH of a view":             {"REFRESH VIEW v", 1, 9, `found "VIEW", expected MATERIALIZED`},
		"DROP of three parts":           {"DROP TABLE p.s.t", 1, 12, "names of three parts are those of the API's resources"},
		"DROP of two":                   {"DROP TABLE a, b", 1, 13, `found ",", expected the end of the statement (;)`},
		"EXPLAIN of nothing":            {"EXPLAIN ANALYZE;", 1, 16, "expected a statement to explain"},
		"EXPLAIN of EXPLAIN":            {"EXPLAIN EXPLAIN SELECT 1", 1, 9, `found "EXPLAIN", expected a statement to explain`},
		"EXPLAIN QUERY what":            {"EXPLAIN QUERY SELECT 1", 1, 15, "expected PLAN after QUERY"},
		"EXPLAIN of the unknown":        {"EXPLAIN GRANT", 1, 9, `found "GRANT", expected a statement: `},
		"EXPLAIN of the unsupported":    {"EXPLAIN PRAGMA x", 1, 9, "PRAGMA is not supported"},
		"SET without a value":           {"SET a =", 1, 8, `expected a value for "a"`},
		"SET without =":                 {"SET a 1", 1, 7, `found "1", expected = or TO after "a"`},
		"SET without a name":            {"SET = 1", 1, 5, "expected the name of a setting"},
		"SET to two values":             {"SET a = 1, 2", 1, 10, "expected the end of the statement (;)"},
		"SET to no number":              {"SET a = 0x1F", 1, 9, `"0x1F" is not a number`},
		"SET to a minus":                {"SET a = - 1", 1, 11, "expected a number after -"},
		"SET $name":                     {"SET $a = 1", 1, 5, `found "$a"`},
		"SET $":                         {"SET $ = 1", 1, 7, "expected a dot after $"},
		"USE of nothing":                {"USE", 1, 4, "expected a provider"},
		"USE of three parts":            {"USE a.b.c", 1, 5, "too many parts"},
		"PURGE with a value":            {"PURGE 'x'", 1, 7, `found "'x'"`},
		"NATIVEQUERY without a string":  {"NATIVEQUERY SELECT 1", 1, 13, "expected a query between single quotes"},
		"SLEEP of nothing":              {"SLEEP", 1, 6, "expected a number of milliseconds"},
		"SLEEP of a fraction":           {"SLEEP 1.5", 1, 7, "expected a number of milliseconds"},
		"SLEEP backwards":               {"SLEEP -1", 1, 7, "expected a number of milliseconds"},
		"SLEEP for ever":                {"SLEEP 9223372036855", 1, 7, "expected a number of milliseconds"},
		"SHOW MATERIALIZED what":        {"SHOW MATERIALIZED TABLES", 1, 19, "expected VIEWS after MATERIALIZED"},
		"behind wide letters":           {"INSERT INTO größe (漢字)\nSELECT 'ä', € RETURNING ;", 2, 25, "expected columns after RETURNING"},
		"in the second statement":       {"SELECT '\\';\nDELETE t", 2, 8, "expected FROM"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkError(t, test.text, test.line, test.column, test.message, "")
		})
	}
}

// TestUnsupported shows the errors for statements that SQLite has and lakeql has not, with hints.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ message, hint string }{
		"PRAGMA table_info(t)":               {"PRAGMA is not supported", "SHOW SETTINGS"},
		"attach 'x' as y":                    {"ATTACH is not supported", "CREATE TABLE"},
		"DETACH y":                           {"DETACH is not supported", "CREATE TABLE"},
		"VACUUM":                             {"VACUUM is not supported", ""},
		"BEGIN TRANSACTION":                  {"BEGIN is not supported", "no transactions"},
		"COMMIT;":                            {"COMMIT is not supported", "no transactions"},
		"END":                                {"END is not supported", "no transactions"},
		"ROLLBACK":                           {"ROLLBACK is not supported", "no transactions"},
		"SAVEPOINT a":                        {"SAVEPOINT is not supported", "no transactions"},
		"RELEASE a":                          {"RELEASE is not supported", "no transactions"},
		"ALTER TABLE t RENAME TO u":          {"ALTER is not supported", "CREATE OR REPLACE TABLE"},
		"ANALYZE":                            {"ANALYZE is not supported", "EXPLAIN ANALYZE"},
		"REINDEX":                            {"REINDEX is not supported", ""},
		"CREATE INDEX i ON t (a":             {"CREATE INDEX is not supported", "PRIMARY KEY"},
		"CREATE UNIQUE INDEX i ON t (a)":     {"CREATE INDEX is not supported", "PRIMARY KEY"},
		"CREATE TEMP TRIGGER x BEFORE":       {"CREATE TRIGGER is not supported", ""},
		"create virtual table x using fts5;": {"CREATE VIRTUAL TABLE is not supported", "provider.service.resource"},
		"DROP INDEX i":                       {"DROP INDEX is not supported", "PRIMARY KEY"},
		"DROP TRIGGER x":                     {"DROP TRIGGER is not supported", ""},
	} {
		checkError(t, "\n "+text, 2, 2, want.message, want.hint)
	}
}

func checkError(t *testing.T, text string, line, column int, message, hint string) {
	t.Helper()
	_, err := Parse(text)
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		t.Fatalf("Parse(%q) = %v, want a provider.Error", text, err)
	}
	if e.Code != provider.Usage {
		t.Errorf("%q: code %v", text, e.Code)
	}
	if e.Position != provider.PositionAt(text, e.Position.Offset) || e.Position.Line != line || e.Position.Column != column {
		t.Errorf("%q: at %+v, want %d:%d (%v)", text, e.Position, line, column, err)
	}
	if !strings.Contains(e.Message, message) {
		t.Errorf("%q: message %q, want %q in it", text, e.Message, message)
	}
	if !strings.Contains(e.Hint, hint) {
		t.Errorf("%q: hint %q, want %q in it", text, e.Hint, hint)
	}
}
