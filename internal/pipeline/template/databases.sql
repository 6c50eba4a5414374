-- table: databases
-- description: The Postgres databases of every Lakebase branch, and the roles that own them.
-- key: name
-- types: database_id text, postgres_database text, owner_role text
SELECT
    d.name,
    p.name AS project,
    b.name AS branch,
    d.status ->> 'database_id' AS database_id,
    d.status ->> 'postgres_database' AS postgres_database,
    d.status ->> 'role' AS owner_role,
    d.create_time
FROM databricks_workspace.postgres.postgres_projects p
JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name
JOIN databricks_workspace.postgres.postgres_databases d ON d.parent = b.name
