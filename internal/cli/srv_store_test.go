package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestServerStore: clients share the tables and views of the store with each other and with exec, and find them
// in the catalogue with their types.
func TestServerStore(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	env := []string{"XDG_STATE_HOME=" + home}
	s := serveSQL(t, emulator.Options{}, run{env: env})
	one, two := s.connect(t, ""), s.connect(t, "")
	for _, text := range []string{
		"CREATE TABLE projects AS SELECT name, create_time, status, 1 AS n FROM postgres.postgres_projects",
		"CREATE TABLE public.typed (id int, label varchar(10), ratio double precision, good bool)",
		"INSERT INTO store.typed VALUES (7, 'x', 0.5, true)",
		"CREATE MATERIALIZED VIEW store.fresh AS SELECT name, create_time FROM postgres.postgres_projects",
		"CREATE VIEW counted AS SELECT status ->> 'state' AS state, count(*) AS n FROM projects GROUP BY 1",
		"CREATE TEMP TABLE mine (x int)",
	} {
		if _, err := one.Exec(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	var id int
	var label string
	if err := two.QueryRow(t.Context(), `SELECT "store"."typed"."id", label FROM "databricks_workspace"."store"."typed" WHERE id = $1`, 7).Scan(&id, &label); err != nil || id != 7 || label != "x" {
		t.Error(id, label, err)
	}
	if _, err := two.Exec(t.Context(), "SELECT * FROM mine"); err == nil {
		t.Error("a temporary table is there for another client")
	}
	if got := (run{args: []string{"exec", "-H", "-o", "csv", "--emulator", "SELECT id, good FROM typed"}, env: env}).do(t); got.stdout != "7,true\n" {
		t.Errorf("exec: %+v", got)
	}
	described, err := two.Prepare(t.Context(), "", "INSERT INTO typed (label, id) VALUES ($1, $2)")
	if err != nil || typeNames(two, described.ParamOIDs) != "text int8" {
		t.Error(described, err)
	}
	described, err = two.Prepare(t.Context(), "", "SELECT n, state, now() > '2020-01-01' AS late FROM store.counted WHERE n > $1")
	if err != nil || typeNames(two, described.ParamOIDs) != "int8" || fieldTypes(two, described.Fields) != "int8 text bool" {
		t.Error(described, err)
	}
	for text, want := range map[string]string{
		`\dn sto*`:    "store|lakeql\n",
		`\dt store.*`: "store|projects|table|lakeql\nstore|typed|table|lakeql\n",
		`\dt typed`:   "store|typed|table|lakeql\n",
		`\d typed`:    "id|bigint|||\nlabel|text|||\nratio|double precision|||\ngood|boolean|||\n",
		`\d projects`: "name|text|||\ncreate_time|timestamp with time zone|||\nstatus|jsonb|||\nn|text|||\n",
		`\dm`:         "store|fresh|materialized view|lakeql\n",
		`\d fresh`:    "create_time|timestamp with time zone|",
		`\d+ counted`: "state|text||||extended|\nn|bigint||||plain|\nView definition:\nSELECT status",
		`\dv store.*`: "store|counted|view|lakeql\n",
		"SELECT string_agg(table_name, ' ' ORDER BY table_name) FROM information_schema.tables WHERE table_schema = 'store';": "counted fresh projects typed\n",
		"SELECT data_type FROM information_schema.columns WHERE table_name = 'typed' AND column_name = 'id';":                 "bigint\n",
	} {
		if got, failed := s.psql(t, "", text); failed || !strings.Contains(got, want) {
			t.Errorf("%s\n%s\nwant %s", text, got, want)
		}
	}
	// An oid stays when another table is made, and a dropped table is gone at once.
	var before, after string
	if err := two.QueryRow(t.Context(), "SELECT 'store.typed'::regclass::oid::text").Scan(&before); err != nil {
		t.Fatal(err)
	}
	if _, err := one.Exec(t.Context(), "CREATE TABLE another (x int)"); err != nil {
		t.Fatal(err)
	}
	if err := two.QueryRow(t.Context(), "SELECT 'store.typed'::regclass::oid::text").Scan(&after); err != nil || before != after {
		t.Error(before, after, err)
	}
	if _, err := one.Exec(t.Context(), "DROP TABLE public.typed"); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := two.QueryRow(t.Context(), "SELECT count(*) FROM pg_class WHERE relname = 'typed'").Scan(&left); err != nil || left != 0 {
		t.Error(left, err)
	}
}

// TestServerPrivateStore: with a store in memory, each client has tables of its own.
func TestServerPrivateStore(t *testing.T) {
	t.Parallel()
	s := serveSQL(t, emulator.Options{}, run{args: []string{"--store", ":memory:"}})
	one, two := s.connect(t, ""), s.connect(t, "")
	if _, err := one.Exec(t.Context(), "CREATE TABLE mine (x int)"); err != nil {
		t.Fatal(err)
	}
	for i, conn := range []*pgx.Conn{one, two} {
		var n int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_class WHERE relname = 'mine'").Scan(&n); err != nil || n != 1-i {
			t.Errorf("client %d has %d of them, %v", i+1, n, err)
		}
	}
}

// TestServerDamagedStore: what cannot be read is an error, also for those who ask for the list of tables.
func TestServerDamagedStore(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "store.db")
	if err := os.WriteFile(file, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serveSQL(t, emulator.Options{}, run{args: []string{"--store", file}})
	for _, text := range []string{`\dt`, "SELECT * FROM t;"} {
		if got, failed := s.psql(t, "", text); !failed || !strings.Contains(got, "store.db") {
			t.Errorf("%s: failed %v\n%s", text, failed, got)
		}
	}
	if got, failed := s.psql(t, "", "SELECT count(*) AS n FROM postgres.postgres_projects;"); failed || !strings.Contains(got, "n\n6\n") {
		t.Errorf("a resource: %s", got)
	}
}
