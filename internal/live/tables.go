package live

// Columns of all tables have PostgreSQL's meaning. Objects of PostgreSQL itself (pg_catalog,
// information_schema, the temporary and TOAST schemas) are in none of them.
const ownSchemas = ` n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'`

// tables lists the tables. The search path of their queries is pg_catalog alone.
func tables() []table {
	return []table{
		{
			name: "live_roles", description: "Roles of the PostgreSQL server behind an endpoint.",
			sql: `
SELECT r.rolname AS name, r.rolsuper AS superuser, r.rolinherit AS inherits, r.rolcreaterole AS creates_roles,
	r.rolcreatedb AS creates_databases, r.rolcanlogin AS can_login, r.rolreplication AS replicates,
	r.rolbypassrls AS bypasses_rls, NULLIF(r.rolconnlimit, -1) AS connection_limit,
	NULLIF(r.rolvaliduntil, 'infinity') AS valid_until,
	(SELECT json_agg(g.rolname ORDER BY g.rolname) FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid) AS member_of,
	to_json(r.rolconfig) AS settings
FROM pg_roles r
WHERE r.rolname !~ '^pg_'
ORDER BY r.rolname`,
			columns: []column{
				{"name", "string", "Name of the role."},
				{"superuser", "boolean", "Whether the role bypasses all permissions."},
				{"inherits", "boolean", "Whether the role has the privileges of the roles it is a member of."},
				{"creates_roles", "boolean", "Whether the role may create roles."},
				{"creates_databases", "boolean", "Whether the role may create databases."},
				{"can_login", "boolean", "Whether the role may connect."},
				{"replicates", "boolean", "Whether the role may start replication."},
				{"bypasses_rls", "boolean", "Whether the role bypasses row-level security."},
				{"connection_limit", "integer", "Maximum number of connections of the role; NULL sets no limit."},
				{"valid_until", "string date-time", "When the role's password ends; NULL: never."},
				{"member_of", "array", "Roles that the role is a member of."},
				{"settings", "array", "Settings of the role's sessions, name=value."},
			},
		},
		{
			name: "live_activity", description: "Server processes of an endpoint, without the connection that asks.",
			sql: `
SELECT a.pid, a.backend_type, a.datname AS database_name, a.usename AS role_name, a.application_name,
	host(a.client_addr) AS client_address, a.backend_start, a.xact_start AS transaction_start, a.query_start, a.state,
	a.state_change, a.wait_event_type, a.wait_event, array_to_json(NULLIF(pg_blocking_pids(a.pid), '{}')) AS blocked_by, a.query
FROM pg_stat_activity a
WHERE a.pid <> pg_backend_pid()
ORDER BY a.pid`,
			columns: []column{
				{"pid", "integer", "Process id."},
				{"backend_type", "string", "Kind of process; client backend is a connection of a client."},
				{"database_name", "string", "Database of the connection."},
				{"role_name", "string", "Role that is logged in."},
				{"application_name", "string", "Name that the client gives itself; lakeql for connections of these tables."},
				{"client_address", "string", "Address of the client; NULL for a socket."},
				{"backend_start", "string date-time", "Start of the process."},
				{"transaction_start", "string date-time", "Start of the transaction; NULL if none is open."},
				{"query_start", "string date-time", "Start of the query."},
				{"state", "string", "active, idle, idle in transaction, …; NULL without the privilege to see it."},
				{"state_change", "string date-time", "Last change of the state."},
				{"wait_event_type", "string", "Kind of event that the process waits for."},
				{"wait_event", "string", "Event that the process waits for."},
				{"blocked_by", "array", "Ids of the processes that hold a lock which this one waits for."},
				{"query", "string", "Current or last query, as far as PostgreSQL shows it to the role."},
			},
		},
		{
			name: "live_databases", description: "Databases of the PostgreSQL server behind an endpoint.",
			sql: `
SELECT d.datname AS name, pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding,
	d.datcollate AS collation, NULLIF(d.datconnlimit, -1) AS connection_limit, d.datallowconn AS allows_connections,
	d.datistemplate AS is_template,
	CASE WHEN has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE') THEN pg_database_size(d.oid) END AS size_bytes,
	s.numbackends AS connections, s.xact_commit AS commits, s.xact_rollback AS rollbacks, s.deadlocks,
	s.temp_bytes, s.stats_reset AS statistics_since
FROM pg_database d LEFT JOIN pg_stat_database s ON s.datid = d.oid
ORDER BY d.datname`,
			columns: []column{
				{"name", "string", "Name of the database."},
				{"owner", "string", "Role that owns the database."},
				{"encoding", "string", "Character encoding."},
				{"collation", "string", "Default sort order of text."},
				{"connection_limit", "integer", "Maximum number of connections; NULL sets no limit."},
				{"allows_connections", "boolean", "Whether the database accepts connections."},
				{"is_template", "boolean", "Whether the database is a template for others."},
				{"size_bytes", "integer", "Size on disk in bytes; NULL without the privilege to see it."},
				{"connections", "integer", "Number of server processes in the database."},
				{"commits", "integer", "Number of committed transactions."},
				{"rollbacks", "integer", "Number of transactions that were rolled back."},
				{"deadlocks", "integer", "Number of deadlocks."},
				{"temp_bytes", "integer", "Bytes that queries wrote to temporary files."},
				{"statistics_since", "string date-time", "When the statistics were reset; NULL: never."},
			},
		},
		{
			name: "live_tables", description: "Tables and materialized views of a database behind an endpoint, with sizes and the last vacuum.",
			database: true,
			sql: `
SELECT n.nspname AS schema_name, c.relname AS name,
	CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END AS kind,
	pg_get_userbyid(c.relowner) AS owner, CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END AS rows_estimated,
	pg_total_relation_size(c.oid) AS total_bytes, pg_table_size(c.oid) AS table_bytes, pg_indexes_size(c.oid) AS indexes_bytes,
	s.n_live_tup AS live_rows, s.n_dead_tup AS dead_rows, s.last_vacuum, s.last_autovacuum, s.last_analyze,
	s.last_autoanalyze, s.seq_scan AS sequential_scans, s.idx_scan AS index_scans
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'p', 'm', 'f') AND` + ownSchemas + `
ORDER BY n.nspname, c.relname`,
			columns: []column{
				{"schema_name", "string", "Schema of the table."},
				{"name", "string", "Name of the table."},
				{"kind", "string", "table, partitioned table, materialized view or foreign table."},
				{"owner", "string", "Role that owns the table."},
				{"rows_estimated", "integer", "Estimated number of rows, as of the last VACUUM or ANALYZE; NULL before the first one."},
				{"total_bytes", "integer", "Size on disk in bytes, with indexes and TOAST data."},
				{"table_bytes", "integer", "Size on disk in bytes without indexes."},
				{"indexes_bytes", "integer", "Size of the indexes in bytes."},
				{"live_rows", "integer", "Estimated number of live rows, by the statistics."},
				{"dead_rows", "integer", "Estimated number of dead rows, by the statistics."},
				{"last_vacuum", "string date-time", "Last VACUUM by a person."},
				{"last_autovacuum", "string date-time", "Last VACUUM by the server."},
				{"last_analyze", "string date-time", "Last ANALYZE by a person."},
				{"last_autoanalyze", "string date-time", "Last ANALYZE by the server."},
				{"sequential_scans", "integer", "Number of scans of the whole table."},
				{"index_scans", "integer", "Number of scans of indexes."},
			},
		},
		{
			name: "live_settings", description: "Settings of the PostgreSQL server behind an endpoint, as far as it shows them to the role.",
			database: true,
			sql: `
SELECT name, setting AS value, unit, category, context, vartype AS type, source, boot_val AS boot_value,
	reset_val AS reset_value, pending_restart, short_desc AS description
FROM pg_settings
ORDER BY name`,
			columns: []column{
				{"name", "string", "Name of the setting."},
				{"value", "string", "Value in this session."},
				{"unit", "string", "Unit of the value."},
				{"category", "string", "Group of the setting."},
				{"context", "string", "When the setting can change: user, superuser, sighup, postmaster, …"},
				{"type", "string", "bool, enum, integer, real or string."},
				{"source", "string", "Origin of the value: default, configuration file, database, …"},
				{"boot_value", "string", "Value that is built in."},
				{"reset_value", "string", "Value after RESET."},
				{"pending_restart", "boolean", "Whether a change waits for a restart."},
				{"description", "string", "Effect of the setting."},
			},
		},
		{
			name: "live_extensions", description: "Extensions that are installed in a database behind an endpoint.",
			database: true,
			sql: `
SELECT e.extname AS name, e.extversion AS version, a.default_version, n.nspname AS schema_name,
	pg_get_userbyid(e.extowner) AS owner, a.comment AS description
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace LEFT JOIN pg_available_extensions a ON a.name = e.extname
ORDER BY e.extname`,
			columns: []column{
				{"name", "string", "Name of the extension."},
				{"version", "string", "Installed version."},
				{"default_version", "string", "Version that CREATE EXTENSION and ALTER EXTENSION … UPDATE install."},
				{"schema_name", "string", "Schema of its objects."},
				{"owner", "string", "Role that owns the extension."},
				{"description", "string", "Purpose of the extension."},
			},
		},
		{
			name: "live_grants", description: "Privileges on the objects of a database behind an endpoint, owners' included.",
			database: true,
			sql: `
WITH objects(kind, schema_name, name, acl) AS (
	SELECT 'database', NULL::name, d.datname::text, COALESCE(d.datacl, acldefault('d', d.datdba)) FROM pg_database d WHERE d.datname = current_database()
	UNION ALL SELECT 'schema', NULL, n.nspname::text, COALESCE(n.nspacl, acldefault('n', n.nspowner)) FROM pg_namespace n WHERE` + ownSchemas + `
	UNION ALL SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'sequence' END,
		n.nspname, c.relname::text, COALESCE(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner))
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND` + ownSchemas + `
	UNION ALL SELECT 'column', n.nspname, c.relname || '.' || a.attname, a.attacl
	FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND` + ownSchemas + `
	UNION ALL SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, n.nspname, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', COALESCE(p.proacl, acldefault('f', p.proowner))
	FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE` + ownSchemas + `
)
SELECT o.kind, o.schema_name, o.name, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee) END AS grantee,
	pg_get_userbyid(g.grantor) AS grantor, g.privilege_type AS privilege, g.is_grantable AS grantable
FROM objects o CROSS JOIN LATERAL aclexplode(o.acl) g
ORDER BY 1, 2, 3, 4, 6, 5`,
			columns: []column{
				{"kind", "string", "database, schema, table, view, column, sequence, function, …"},
				{"schema_name", "string", "Schema of the object; NULL for databases and schemas."},
				{"name", "string", "Name of the object; table.column for a column."},
				{"grantee", "string", "Role that has the privilege, or PUBLIC."},
				{"grantor", "string", "Role that granted it."},
				{"privilege", "string", "SELECT, INSERT, UPDATE, USAGE, EXECUTE, …"},
				{"grantable", "boolean", "Whether the grantee may grant it to others."},
			},
		},
		{
			name: queryTable, description: "Rows of a query that runs in a database behind an endpoint, in a read-only transaction.",
			database: true,
			columns:  []column{{rowColumn, "object", "Row as an object, with the names of the query's columns."}},
		},
	}
}
