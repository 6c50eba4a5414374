-- flags: -o csv
-- The same question to several workspaces, in every way to name them.
SELECT deployment_name, name, owner FROM databricks_workspace.catalog.catalogs
WHERE deployment_name IN ('dbc-1', 'dbc-2') ORDER BY 1, 2;

SELECT deployment_name, count(*) AS catalogs FROM databricks_workspace.catalog.catalogs
WHERE deployment_name = '*' GROUP BY 1 ORDER BY 1;

SELECT w.workspace_name, w.workspace_status, c.name AS catalog
FROM databricks_account.provisioning.workspaces w
JOIN databricks_workspace.catalog.catalogs c ON c.deployment_name = w.deployment_name
WHERE c.name <> 'system' ORDER BY 1, 3;

-- What one workspace has and the other has not.
SELECT name FROM databricks_workspace.postgres.postgres_projects WHERE deployment_name = 'dbc-1'
EXCEPT
SELECT name FROM databricks_workspace.postgres.postgres_projects WHERE deployment_name = 'dbc-2'
ORDER BY 1;

-- Tables of the schemas of catalogs: every level in its own workspace.
SELECT s.deployment_name, s.catalog_name, s.name AS schema, count(t.name) AS tables
FROM databricks_workspace.catalog.schemas s
LEFT JOIN databricks_workspace.catalog.tables t
  ON t.catalog_name = s.catalog_name AND t.schema_name = s.name AND t.deployment_name = s.deployment_name
WHERE s.catalog_name = 'main' AND s.deployment_name IN ('dbc-1', 'dbc-2')
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
