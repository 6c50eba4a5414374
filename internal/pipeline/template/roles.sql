-- table: roles
-- description: The Postgres roles of every Lakebase branch: who may log in, how, and with which attributes.
-- key: name
-- types: role_id text, postgres_role text, identity_type text, auth_method text
-- types: can_create_db boolean, can_create_role boolean, bypasses_rls boolean, membership_roles json
SELECT
    r.name,
    p.name AS project,
    b.name AS branch,
    r.status ->> 'role_id' AS role_id,
    r.status ->> 'postgres_role' AS postgres_role,
    r.status ->> 'identity_type' AS identity_type,
    r.status ->> 'auth_method' AS auth_method,
    r.status ->> '$.attributes.createdb' AS can_create_db,
    r.status ->> '$.attributes.createrole' AS can_create_role,
    r.status ->> '$.attributes.bypassrls' AS bypasses_rls,
    (
        SELECT json_group_array(m.value ORDER BY m.value)
        FROM json_each(r.status, '$.membership_roles') m
    ) AS membership_roles,
    r.create_time
FROM databricks_workspace.postgres.postgres_projects p
JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name
JOIN databricks_workspace.postgres.postgres_roles r ON r.parent = b.name
