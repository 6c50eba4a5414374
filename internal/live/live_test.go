//go:build unix

package live

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// TestTables shows that the statement of each table returns the columns that the table has, in their order, and
// types that fit them.
func TestTables(t *testing.T) {
	t.Parallel()
	server := testworld.StartPostgres(t)
	conn, err := pgconn.Connect(t.Context(), server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }() // nothing is lost with it
	if _, err := conn.Exec(t.Context(), "SET search_path = pg_catalog").ReadAll(); err != nil {
		t.Fatal(err)
	}
	fits := map[string][]uint32{
		"string":           {pgtype.TextOID, pgtype.NameOID, pgtype.VarcharOID},
		"boolean":          {pgtype.BoolOID},
		"integer":          {pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID},
		"array":            {pgtype.JSONOID},
		"string date-time": {pgtype.TimestamptzOID},
	}
	for _, table := range tables() {
		if table.sql == "" {
			continue
		}
		described, err := conn.Prepare(t.Context(), "", table.sql, nil)
		if err != nil {
			t.Errorf("%s: %v", table.name, err)
			continue
		}
		var has, want []string
		for i, f := range described.Fields {
			has = append(has, f.Name)
			if i < len(table.columns) && !slices.Contains(fits[table.columns[i].typ], f.DataTypeOID) {
				t.Errorf("%s.%s is a %s, and the statement returns type %d", table.name, f.Name, table.columns[i].typ, f.DataTypeOID)
			}
		}
		for _, c := range table.columns {
			want = append(want, c.name)
		}
		if !slices.Equal(has, want) {
			t.Errorf("%s: the statement returns\n%v\nand the columns are\n%v", table.name, has, want)
		}
	}
}

// TestValues shows how values of PostgreSQL become JSON.
func TestValues(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		oid        uint32
		text, want string
	}{
		{pgtype.TextOID, "a\"b\\\n<é>", `"a\"b\\\n<é>"`},
		{pgtype.BoolOID, "f", "false"},
		{pgtype.Int8OID, "9223372036854775807", "9223372036854775807"},
		{pgtype.NumericOID, "1.10", "1.10"},
		{pgtype.NumericOID, "NaN", `"NaN"`},
		{pgtype.Float8OID, "-Infinity", `"-Infinity"`},
		{pgtype.Float8OID, "1e+20", "1e+20"},
		{pgtype.JSONOID, `{"a": 1}`, `{"a": 1}`},
		{pgtype.TimestamptzOID, "2026-01-02 03:04:05.5+00", `"2026-01-02T03:04:05.5Z"`},
		{pgtype.TimestampOID, "2026-01-02 03:04:05", `"2026-01-02T03:04:05"`},
		{pgtype.TimestamptzOID, "infinity", `"infinity"`},
		{pgtype.TimestamptzOID, "0044-03-15 12:00:00+00 BC", `"0044-03-15 12:00:00+00 BC"`},
		{pgtype.DateOID, "2026-01-02", `"2026-01-02"`},
		{pgtype.TextArrayOID, `{}`, `[]`},
		{pgtype.TextArrayOID, `{a,NULL,"NULL","a,\"b\"\\{}",""}`, `["a",null,"NULL","a,\"b\"\\{}",""]`},
		{pgtype.Int4ArrayOID, `{{1,2},{3,NULL}}`, `[[1,2],[3,null]]`},
		{pgtype.Int4ArrayOID, `[0:1]={1,2}`, `"[0:1]={1,2}"`},
		{pgtype.BoolArrayOID, `{t,f}`, `[true,false]`},
		{pgtype.TimestamptzArrayOID, `{"2026-01-02 03:04:05+00"}`, `["2026-01-02T03:04:05Z"]`},
		{pgtype.TextArrayOID, `{"a`, `"{\"a"`}, // nothing that PostgreSQL writes
		{12345678, "{1,2}", `"{1,2}"`},
	} {
		if got := valueOf([]byte(test.text), test.oid); string(got) != test.want {
			t.Errorf("%s of type %d is %s, want %s", test.text, test.oid, got, test.want)
		}
	}
	if got := valueOf(nil, pgtype.TextOID); string(got) != "null" {
		t.Errorf("NULL is %s", got)
	}
}

// TestQueries shows which statements are sent to a server.
func TestQueries(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{"SELECT 1", "\n\t( (select 1))", "-- a\n/* b */ With a AS (SELECT 1) TABLE a", "VALUES(1)", "table t", "SHOW ALL", "EXPLAIN SELECT 1"} {
		if err := checkQuery(sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	for _, sql := range []string{"", " ", "-- SELECT", "/* SELECT", "/* a */", "DELETE FROM t", "SELECTED", "COPY t TO STDOUT", "DO $$ $$", "CALL p()", "COMMIT", "SET a = b", "NOTIFY a", "1", "é"} {
		if err := checkQuery(sql); provider.CodeOf(err) != provider.Usage {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// TestRefusals shows that a server's message does not bring back a text of the query.
func TestRefusals(t *testing.T) {
	t.Parallel()
	j := job{endpoint: "orders", sql: `SELECT 'it''s hunter2'::int, $q$swordfish$q$`}
	err := worded(j, &pgconn.PgError{Code: "22P02", Message: `invalid input syntax for type integer: "it's hunter2", "swordfish" in "places"`})
	if text := err.Error(); strings.Contains(text, "hunter2") || strings.Contains(text, "swordfish") || !strings.Contains(text, "places") {
		t.Error(text)
	}
}

// TestOnce shows that a value is made once, and again after an error.
func TestOnce(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	cells := map[string]*once[int]{}
	made := 0
	for _, fault := range []error{provider.Usagef("not yet"), nil, nil} {
		_, _ = cell(s, cells, "a").get(t.Context(), func() (int, error) { made++; return made, fault })
	}
	if v, err := cell(s, cells, "a").get(t.Context(), nil); v != 2 || err != nil || !cells["a"].has(2) {
		t.Errorf("%d, %v, made %d times", v, err, made)
	}
}
