SELECT name FROM databricks_workspace.postgres.postgres_endpoints WHERE project_id = 'p';
