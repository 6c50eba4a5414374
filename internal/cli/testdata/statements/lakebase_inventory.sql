-- flags: -o csv
-- Projects, their branches, endpoints and roles: each level feeds the next.
SELECT p.name AS project, p.status ->> '$.owner' AS owner, p.status ->> '$.pg_version' AS version,
  b.status ->> '$.branch_id' AS branch, b.status ->> '$.is_protected' AS protected,
  e.status ->> '$.endpoint_id' AS endpoint, e.status ->> '$.endpoint_type' AS type, e.status ->> '$.hosts.host' AS host,
  count(r.name) AS roles, sum(r.status ->> '$.attributes.createdb') AS may_create
FROM databricks_workspace.postgres.postgres_projects p
JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name
JOIN databricks_workspace.postgres.postgres_endpoints e ON e.parent = b.name
LEFT JOIN databricks_workspace.postgres.postgres_roles r ON r.parent = b.name AND r.deployment_name = b.deployment_name
  AND r.status ->> '$.identity_type' = 'USER'
WHERE p.deployment_name = 'dbc-1' AND b.deployment_name = p.deployment_name AND e.deployment_name = p.deployment_name
GROUP BY p.name, b.name, e.name
ORDER BY 1, 4, 6;

-- Of each project the branch with the most data, by a window.
SELECT project, branch, bytes FROM (
  SELECT parent AS project, name AS branch, status ->> '$.logical_size_bytes' AS bytes,
    row_number() OVER (PARTITION BY parent ORDER BY status ->> '$.logical_size_bytes' DESC) AS place
  FROM databricks_workspace.postgres.postgres_branches WHERE project_id IN ('orders', 'p', 'web-shop'))
WHERE place = 1 ORDER BY project;

-- Projects without a read-only endpoint.
WITH production AS (SELECT name, status ->> '$.default_branch' AS branch FROM databricks_workspace.postgres.postgres_projects)
SELECT name FROM production WHERE NOT EXISTS (
  SELECT 1 FROM databricks_workspace.postgres.vw_endpoints e WHERE e.parent = production.branch AND e.endpoint_type = 'ENDPOINT_TYPE_READ_ONLY')
ORDER BY name;

-- Who owns what, in one list.
SELECT 'project' AS what, name, owner FROM databricks_workspace.postgres.vw_projects
UNION ALL
SELECT 'database', name, owner_role FROM databricks_workspace.postgres.vw_databases WHERE project_id = 'p' AND branch_id = 'b'
ORDER BY 1, 2;
