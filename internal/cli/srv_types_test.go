package cli_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/internal/emulator"
)

// typeNames are the names of the types of parameters, and of columns.
func typeNames(conn *pgx.Conn, oids []uint32) string {
	var names []string
	for _, oid := range oids {
		name := fmt.Sprint(oid)
		if t, ok := conn.TypeMap().TypeForOID(oid); ok {
			name = t.Name
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func fieldTypes(conn *pgx.Conn, fields []pgconn.FieldDescription) string {
	var oids []uint32
	for _, f := range fields {
		oids = append(oids, f.DataTypeOID)
	}
	return typeNames(conn, oids)
}

// TestServerDeclaredTypes: a prepared statement is described with its types before it runs, and its rows have
// these types, whatever the protocol.
func TestServerDeclaredTypes(t *testing.T) {
	t.Parallel()
	s := serveSQL(t, emulator.Options{}, run{})
	conn := s.connect(t, "")
	for text, want := range map[string][2]string{ // types of parameters, and of columns
		"SELECT 1, 5000000000, 'x', 1.5, NULL, true":                                                                         {"", "int4 int8 text float8 text bool"},
		"SELECT name::varchar, '1'::int8, CAST('t' AS boolean) FROM postgres.postgres_projects":                              {"", "text int8 bool"},
		"SELECT count(*), max(create_time), min(name) FROM postgres.postgres_projects":                                       {"", "int8 timestamptz text"},
		"SELECT *, 1 AS one FROM postgres.postgres_credentials WHERE endpoint = 'projects/p/branches/b/endpoints/e'":         {"", "text timestamptz int4"},
		"SELECT p.name = 'projects/orders' AS same, count(*) OVER () FROM databricks_workspace.postgres.postgres_projects p": {"", "bool int8"},
		"SELECT n, size FROM (SELECT count(*) AS n, max(job_id) AS size FROM jobs.jobs) AS s":                                {"", "int8 int8"},
		"SELECT name FROM postgres.postgres_projects WHERE name = $1 AND create_time > $2 LIMIT $3":                          {"text timestamptz int8", "text"},
		"SELECT job_id FROM jobs.jobs WHERE job_id IN ($1, $2) OR job_id = ANY($3)":                                          {"int8 int8 _int8", "int8"},
		"SELECT name FROM postgres.postgres_branches WHERE project_id = $1 AND name LIKE $2":                                 {"text text", "text"},
		"SELECT token FROM postgres.postgres_credentials WHERE endpoint = $1 AND claims = $2":                                {"text jsonb", "text"},
		"INSERT INTO jobs.jobs (name, max_concurrent_runs, settings) VALUES ($1, $2, $3)":                                    {"text int8 jsonb", ""},
		"EXEC databricks_workspace.jobs.job_runs.list @job_id = $1, @active_only = $2":                                       {"int8 bool", ""},
		"EXEC databricks_workspace.postgres.postgres_credentials.generate @@json = $1":                                       {"jsonb", "text timestamptz"},
		"SELECT relname, oid FROM pg_catalog.pg_class WHERE oid = $1::oid AND relkind = ANY($2::text[])":                     {"oid _text", "text oid"},
		"SELECT current_schemas(true), count(*), 'a' < 'b' FROM pg_class":                                                    {"", "_text int8 bool"},
		"SHOW server_version": {"", "text"},
	} {
		described, err := conn.Prepare(t.Context(), "", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		params, columns := typeNames(conn, described.ParamOIDs), fieldTypes(conn, described.Fields)
		if !strings.HasPrefix(text, "EXEC") && columns != want[1] || params != want[0] {
			t.Errorf("%s\n got %q and %q\nwant %q and %q", text, params, columns, want[0], want[1])
		}
		if params != "" || !strings.HasPrefix(text, "SELECT") {
			continue
		}
		reader := conn.PgConn().ExecParams(t.Context(), text, nil, nil, nil, []int16{1}) // describes the portal
		for reader.NextRow() {
		}
		if got := fieldTypes(conn, reader.FieldDescriptions()); got != columns && !strings.Contains(text, "NULL") {
			t.Errorf("%s: %s in the portal, %s prepared", text, got, columns)
		}
		if _, err := reader.Close(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		results, err := conn.PgConn().Exec(t.Context(), text).ReadAll()
		if err != nil || fieldTypes(conn, results[0].FieldDescriptions) != columns {
			t.Errorf("%s: %v, %v by the simple protocol", text, err, results)
		}
	}
}

// TestServerBinary: values of the common types go to the server and come back in both formats.
func TestServerBinary(t *testing.T) {
	t.Parallel()
	s := serveSQL(t, emulator.Options{}, run{})
	at := time.Date(2026, 2, 3, 4, 5, 6, 789000000, time.UTC)
	text := "x"
	values := map[string]any{
		"int2": int16(-5), "int4": int32(1 << 30), "int8": int64(-1 << 60), "float4": float64(1.5), "float8": 2.25, "bool": true, "text": "é'\n", "varchar": "v",
		"timestamptz": at, "timestamp": at, "date": time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC), "uuid": "0f8fad5b-d9cd-4699-8165-70867728950e", "numeric": "12.5",
		"text[]": []string{"a", `b "c\`, "", "NULL", "{d,e}"}, "int8[]": []int64{1, -2}, "int4[]": []int64{}, "jsonb": `{"a": [1]}`,
	}
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		config, err := pgx.ParseConfig(s.dsn(""))
		if err != nil {
			t.Fatal(err)
		}
		config.DefaultQueryExecMode = mode
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range values {
			got := reflect.New(reflect.TypeOf(value))
			if err := conn.QueryRow(t.Context(), "SELECT $1::"+name, value).Scan(got.Interface()); err != nil {
				t.Errorf("%v: %s: %v", mode, name, err)
				continue
			}
			back := got.Elem().Interface()
			if when, ok := back.(time.Time); ok {
				back = when.UTC()
			}
			if name == "jsonb" {
				back = strings.ReplaceAll(back.(string), `"a":[`, `"a": [`)
			}
			if !reflect.DeepEqual(back, value) {
				t.Errorf("%v: %s: %#v came back as %#v", mode, name, value, back)
			}
		}
		var none *string
		if err := conn.QueryRow(t.Context(), "SELECT $1::text", nil).Scan(&none); err != nil || none != nil {
			t.Error(mode, none, err)
		}
		// A parameter has the type of what it is compared with.
		var n int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM postgres.postgres_projects WHERE create_time < $1 AND name <> ALL ($2) AND name LIKE $3 LIMIT $4", time.Now(), []string{"projects/orders"}, "projects/%", 5).Scan(&n); err != nil || n != 5 {
			t.Error(mode, n, err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	var token string
	exec := "EXEC databricks_workspace.postgres.postgres_credentials.generate @@json = $2, @deployment_name = $1"
	if err := s.connect(t, "").QueryRow(t.Context(), exec, "dbc-abcd0123-a1bc", map[string]any{"endpoint": "projects/p/branches/b/endpoints/e"}).Scan(&token, nil); err != nil || !strings.HasPrefix(token, "eyJ") {
		t.Errorf("%s: %v, %q", exec, err, token)
	}
	conn := s.connect(t, "")
	for statement, state := range map[string]string{
		"SELECT 'abc' WHERE 5 = $1": "22P02",
		"SELECT $1::timestamptz":    "",
	} {
		_, err := conn.PgConn().ExecParams(t.Context(), statement, [][]byte{[]byte(text)}, nil, nil, nil).Close()
		if known, _ := err.(*pgconn.PgError); err != nil && known.Code != state && state != "" { //nolint:errorlint // Close returns it as it is
			t.Errorf("%s: %v", statement, err)
		} else if err == nil {
			t.Errorf("%s takes %q", statement, text)
		}
	}
	if _, err := conn.PgConn().ExecParams(t.Context(), "SELECT $1::int8", [][]byte{{1, 2}}, nil, []int16{1}, nil).Close(); err == nil || !strings.Contains(err.Error(), "22P03") {
		t.Errorf("two bytes of an int8: %v", err)
	}
	if err := conn.QueryRow(t.Context(), "SELECT 1").Scan(new(int)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
