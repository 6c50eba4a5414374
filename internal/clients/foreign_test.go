//go:build unix

package clients

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/internal/testworld"
)

// runForeign is the program of postgres_fdw: a PostgreSQL server that has our tables as foreign ones, under the
// same names.
func runForeign(t *testing.T, server *testworld.SQLServer) map[string]string {
	t.Helper()
	local := testworld.StartPostgres(t)
	config, err := pgx.ParseConfig(local.DSN())
	if err != nil {
		t.Fatal(err)
	}
	var warnings []string
	config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
		if notice.Severity == "WARNING" { // such as a cancel that lakeql does not answer
			warnings = append(warnings, notice.Message)
		}
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }() // the report is complete
	report := map[string]string{}
	ask := func(step, text string, args ...any) { report[step] = values(t, conn, text, args...) }
	do := func(text string) {
		if _, err := conn.Exec(t.Context(), text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	do("CREATE EXTENSION postgres_fdw")
	do(fmt.Sprintf("CREATE SERVER lakeql FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '%s', port '%s', dbname 'databricks_workspace', fetch_size '3')", server.Host, server.Port))
	do("CREATE USER MAPPING FOR CURRENT_USER SERVER lakeql OPTIONS (user 'ada', password_required 'false')")
	for schema, tables := range map[string]string{"compute": "clusters", "jobs": "jobs", "postgres": "postgres_projects, postgres_branches", "sql": "warehouses"} {
		do("CREATE SCHEMA " + schema)
		do("IMPORT FOREIGN SCHEMA " + schema + " LIMIT TO (" + tables + ") FROM SERVER lakeql INTO " + schema)
	}
	ask("connect", "SELECT srvname FROM pg_foreign_server")
	ask("query", statements()["QUERY"])
	ask("parameters", "SELECT name, $1::text FROM postgres.postgres_projects WHERE name = $2", nil, "projects/orders")
	ask("introspect", introspection, []string{"create_time", "name", "status"})
	ask("cursor", statements()["ROWS"])
	do("SET enable_material = off")
	ask("required", "SELECT p.id, b.branch_id FROM (VALUES ('orders'), ('fleet')) AS p (id) "+
		"CROSS JOIN LATERAL (SELECT branch_id FROM postgres.postgres_branches WHERE project_id = p.id OFFSET 0) AS b ORDER BY 1, 2")
	ask("rescan", "SELECT count(*), count(DISTINCT j.job_id) FROM generate_series(1, 2) AS g, LATERAL (SELECT job_id, g FROM jobs.jobs OFFSET 0) AS j")
	report["cancel"] = canceled(t, conn)
	ask("afterwards", "SELECT count(*) / 8 FROM jobs.jobs")
	report["warnings"] = strings.Join(warnings, "; ")
	return report
}
