package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestServerTools: the questions that tools ask prepare, describe their rows, and run. want is a part of the rows,
// with blanks between the values; none: the question may have no row.
func TestServerTools(t *testing.T) {
	t.Parallel()
	s := serveSQL(t, emulator.Options{}, run{})
	conn, other := s.connect(t, ""), s.connect(t, "")
	for _, test := range []struct{ tool, text, want string }{
		{"Grafana", "SELECT current_setting('server_version_num')::int/100 AS version", "1500"},
		{"Grafana", "SELECT extname FROM pg_extension WHERE extname = 'timescaledb'", ""},
		{"Grafana", "SELECT DISTINCT quote_ident(table_schema) AS s FROM information_schema.tables WHERE table_schema NOT IN ('information_schema', 'pg_catalog') AND table_schema NOT LIKE '\\_timescaledb%' ORDER BY s", "postgres"},
		{"Grafana", "SELECT CASE WHEN quote_ident(table_schema) = ANY (SELECT CASE WHEN trim(p) = '\"$user\"' THEN current_user ELSE trim(p) END FROM unnest(string_to_array(current_setting('search_path'), ',')) AS p) THEN quote_ident(table_name) ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS t FROM information_schema.tables WHERE table_schema = 'postgres' ORDER BY 1", "postgres.postgres_projects"},
		{"Grafana", "SELECT quote_ident(column_name) AS \"column\", data_type AS \"type\" FROM information_schema.columns WHERE quote_ident(table_schema) || '.' || quote_ident(table_name) = 'postgres.postgres_projects' AND data_type IN ('timestamp with time zone', 'bigint')", "create_time timestamp with time zone"},
		{"Grafana", "SELECT create_time AS \"time\", 1 AS value, name AS metric FROM postgres.postgres_projects WHERE create_time BETWEEN '2020-01-01T00:00:00Z' AND '2030-01-01T00:00:00.5Z' ORDER BY 1", "projects/orders"},
		{"Grafana", "SELECT date_trunc('day', create_time) AS \"time\", count(*) AS n FROM databricks_workspace.postgres.postgres_projects GROUP BY 1 ORDER BY 1 LIMIT 100", "00:00:00"},

		{"DBeaver", "SELECT db.oid, db.* FROM pg_catalog.pg_database db WHERE datallowconn AND NOT datistemplate ORDER BY db.datname", "databricks_workspace"},
		{"DBeaver", "SELECT current_schema(), session_user", "public ada"},
		{"DBeaver", "SELECT n.oid, n.*, d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = n.oid AND d.objsubid = 0 AND d.classoid = 'pg_namespace'::regclass ORDER BY nspname", "postgres"},
		{"DBeaver", "SELECT c.oid, c.*, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS partition_expr, pg_catalog.pg_get_partkeydef(c.oid) AS partition_key FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'postgres') AND c.relkind NOT IN ('i', 'I', 'c')", "WHERE needs project_id."},
		{"DBeaver", "SELECT c.relname, a.*, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) AS def_value, dsc.description, dep.objid FROM pg_catalog.pg_attribute a INNER JOIN pg_catalog.pg_class c ON a.attrelid = c.oid LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum LEFT OUTER JOIN pg_catalog.pg_description dsc ON c.oid = dsc.objoid AND a.attnum = dsc.objsubid LEFT OUTER JOIN pg_depend dep ON dep.refobjid = a.attrelid AND dep.deptype = 'i' AND dep.refobjsubid = a.attnum AND dep.classid = dep.refclassid WHERE NOT a.attisdropped AND c.oid = 'postgres.postgres_credentials'::regclass ORDER BY a.attnum", "Required in WHERE."},
		{"DBeaver", "SELECT t.oid, t.*, c.relkind, format_type(nullif(t.typbasetype, 0), t.typtypmod) AS base_type_name FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid = t.typelem LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid = t.typrelid WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') AND (et.typcategory IS NULL OR et.typcategory <> 'C')", "jsonb"},
		{"DBeaver", "SELECT i.*, i.indkey AS keys, c.relname, c.relnamespace, c.relam, tc.relname AS tabrelname, dsc.description FROM pg_catalog.pg_index i INNER JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid INNER JOIN pg_catalog.pg_class tc ON tc.oid = i.indrelid LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid = dsc.objoid WHERE i.indrelid = 'postgres.postgres_projects'::regclass::oid", ""},
		{"DBeaver", "SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN ('max_index_keys', 'standard_conforming_strings')", "max_index_keys 32"},
		{"DBeaver", "SELECT has_database_privilege(current_database(), 'CREATE') AS c, pg_catalog.pg_get_userbyid(10) AS o", "true lakeql"},
		{"DBeaver", "SELECT * FROM pg_catalog.pg_roles WHERE rolname = 'lakeql'", "lakeql"},

		{"Metabase", "SELECT n.nspname AS schema, c.relname AS name, CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'v' THEN 'VIEW' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE NULL END AS type, d.description, stat.n_live_tup AS estimated_row_count FROM pg_catalog.pg_class AS c INNER JOIN pg_catalog.pg_namespace AS n ON c.relnamespace = n.oid LEFT JOIN pg_catalog.pg_description AS d ON (c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass) LEFT JOIN pg_stat_user_tables AS stat ON ((n.nspname = stat.schemaname) AND (c.relname = stat.relname)) WHERE (c.relnamespace = n.oid) AND (n.nspname !~ '^pg_') AND (n.nspname <> 'information_schema') AND c.relkind IN ('r', 'p', 'v', 'f', 'm') AND (n.nspname IN ('postgres', 'jobs')) ORDER BY type ASC, schema ASC, name ASC", "postgres postgres_projects TABLE"},
		{"Metabase", "WITH table_privileges AS (SELECT NULL AS role, t.schemaname AS schema, t.objectname AS \"table\", pg_catalog.has_any_column_privilege(current_user, '\"' || replace(t.schemaname, '\"', '\"\"') || '\".\"' || replace(t.objectname, '\"', '\"\"') || '\"', 'update') AS \"update\", pg_catalog.has_any_column_privilege(current_user, t.objectname, 'select') AS \"select\" FROM (SELECT schemaname, tablename AS objectname FROM pg_catalog.pg_tables UNION SELECT schemaname, viewname AS objectname FROM pg_views UNION SELECT schemaname, matviewname AS objectname FROM pg_matviews) t WHERE t.schemaname !~ '^pg_' AND t.schemaname <> 'information_schema' AND pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage')) SELECT t.* FROM table_privileges t", "postgres postgres_projects true true"},
		{"Metabase", "SELECT c.column_name AS name, c.udt_name AS \"database-type\", c.ordinal_position - 1 AS position, c.table_schema AS s, c.table_name AS t, pk.column_name IS NOT NULL AS \"pk?\", col_description(cast(cast(format('%I.%I', cast(c.table_schema AS text), cast(c.table_name AS text)) AS regclass) AS oid), c.ordinal_position) AS remarks FROM information_schema.columns c LEFT JOIN (SELECT tc.table_schema, tc.table_name, kc.column_name FROM information_schema.table_constraints tc INNER JOIN information_schema.key_column_usage kc ON tc.constraint_name = kc.constraint_name AND tc.table_schema = kc.table_schema AND tc.table_name = kc.table_name WHERE tc.constraint_type = 'PRIMARY KEY') pk ON c.table_schema = pk.table_schema AND c.table_name = pk.table_name AND c.column_name = pk.column_name WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND c.table_name = 'postgres_branches' ORDER BY position", "project_id text"},
		{"Metabase", "SELECT pg_catalog.pg_size_pretty(pg_catalog.pg_database_size(current_database())) AS size", "0 bytes"},
		{"Metabase", `SELECT "source"."name" AS "name", count(*) AS "count" FROM (SELECT "postgres"."postgres_projects"."name" AS "name", "postgres"."postgres_projects"."create_time" AS "create_time" FROM "postgres"."postgres_projects") AS "source" WHERE "source"."create_time" >= timestamp with time zone '2020-01-01 00:00:00.000Z' GROUP BY "source"."name" ORDER BY "source"."name" ASC LIMIT 2000`, "projects/orders 1"},

		{"dbt", "SELECT 'databricks_workspace' AS database, tablename AS name, schemaname AS schema, 'table' AS type FROM pg_tables WHERE schemaname ILIKE 'postgres' UNION ALL SELECT 'databricks_workspace' AS database, viewname AS name, schemaname AS schema, 'view' AS type FROM pg_views WHERE schemaname ILIKE 'postgres' UNION ALL SELECT 'databricks_workspace' AS database, matviewname AS name, schemaname AS schema, 'materialized_view' AS type FROM pg_matviews WHERE schemaname ILIKE 'postgres'", "databricks_workspace postgres_projects postgres table"},
		{"dbt", "SELECT DISTINCT nspname FROM pg_namespace", "postgres"},
		{"dbt", "SELECT count(*) FROM pg_namespace WHERE nspname = 'postgres'", "1"},
		{"dbt", "SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale FROM \"databricks_workspace\".INFORMATION_SCHEMA.columns WHERE table_name = 'postgres_projects' AND table_schema = 'postgres' ORDER BY ordinal_position", "create_time timestamp with time zone"},
		{"dbt", "WITH relation AS (SELECT pg_class.oid AS id, pg_class.relname AS name, pg_class.relnamespace AS schema_id, pg_class.relkind AS kind FROM pg_class), class AS (SELECT id, name, schema_id, kind FROM relation WHERE kind IN ('r', 'v', 'm')), dependency AS (SELECT DISTINCT pg_depend.objid AS id, pg_depend.refobjid AS ref FROM pg_depend) SELECT class.name FROM class JOIN dependency ON class.id = dependency.ref", ""},
		{"dbt", "SELECT current_database() AS table_database, sch.nspname AS table_schema, tbl.relname AS table_name, CASE tbl.relkind WHEN 'v' THEN 'VIEW' ELSE 'BASE TABLE' END AS table_type, tbl_desc.description AS table_comment, col.attname AS column_name, col.attnum AS column_index, pg_catalog.format_type(col.atttypid, col.atttypmod) AS column_type, col_desc.description AS column_comment, pg_get_userbyid(tbl.relowner) AS table_owner FROM pg_catalog.pg_namespace sch JOIN pg_catalog.pg_class tbl ON tbl.relnamespace = sch.oid JOIN pg_catalog.pg_attribute col ON col.attrelid = tbl.oid LEFT OUTER JOIN pg_catalog.pg_description tbl_desc ON (tbl_desc.objoid = tbl.oid AND tbl_desc.objsubid = 0) LEFT OUTER JOIN pg_catalog.pg_description col_desc ON (col_desc.objoid = tbl.oid AND col_desc.objsubid = col.attnum) WHERE (upper(sch.nspname) = upper('postgres')) AND NOT pg_is_other_temp_schema(sch.oid) AND tbl.relpersistence IN ('p', 'u') AND tbl.relkind IN ('r', 'v', 'f', 'p') AND col.attnum > 0 AND NOT col.attisdropped ORDER BY sch.nspname, tbl.relname, col.attnum", "databricks_workspace postgres postgres_branches BASE TABLE"},

		{"JDBC", "SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, ct.relname AS TABLE_NAME, a.attname AS COLUMN_NAME, (information_schema._pg_expandarray(i.indkey)).n AS KEY_SEQ, ci.relname AS PK_NAME, information_schema._pg_expandarray(i.indkey) AS KEYS, a.attnum AS A_ATTNUM FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid) JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON (a.attrelid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE i.indisprimary", ""},
		{"JDBC", "SELECT string_agg(word, ',') FROM pg_catalog.pg_get_keywords() WHERE word <> ALL ('{a,abs,absolute}'::text[])", ""},
		{"JDBC", "SELECT e.typdelim FROM pg_catalog.pg_type t, pg_catalog.pg_type e WHERE t.oid = 1007 AND t.typelem = e.oid", ","},
		{"SQLAlchemy", "SELECT pg_catalog.version()", "PostgreSQL 15"},
		{"SQLAlchemy", "SELECT a.attname, (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef) AS default_, a.attnotnull, a.attgenerated, (SELECT json_build_object('always', a.attidentity = 'a', 'start', s.seqstart) FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON s.seqrelid = c.oid WHERE c.relkind = 'S' AND a.attidentity <> '' AND s.seqrelid = pg_catalog.pg_get_serial_sequence(a.attrelid::regclass::text, a.attname)::regclass::oid) AS identity_options FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'postgres.postgres_projects'::regclass AND a.attnum > 0 ORDER BY a.attnum", "create_time"},
		{"TypeORM", "SELECT * FROM current_schema()", "public"},
		{"TypeORM", "SELECT version()", "PostgreSQL 15"},
	} {
		described, err := conn.Prepare(t.Context(), "", test.text)
		if err != nil {
			t.Errorf("%s: %s\n%v", test.tool, test.text, err)
			continue
		}
		rows, err := conn.Query(t.Context(), test.text)
		if err != nil {
			t.Errorf("%s: %s\n%v", test.tool, test.text, err)
			continue
		}
		var all []string
		for rows.Next() {
			values, err := rows.Values()
			if err != nil {
				t.Errorf("%s: %s\n%v", test.tool, test.text, err)
				break
			}
			all = append(all, strings.Trim(fmt.Sprintln(values...), "\n"))
		}
		got := strings.Join(all, "\n")
		if err := rows.Err(); err != nil || !strings.Contains(got, test.want) || len(described.Fields) == 0 {
			t.Errorf("%s: %s\n%v\n%.600s\nwant %s", test.tool, test.text, err, got, test.want)
		}
		simple, err := other.Exec(t.Context(), test.text, pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			t.Errorf("%s, by the simple protocol: %s\n%v %v", test.tool, test.text, simple, err)
		}
	}
}
