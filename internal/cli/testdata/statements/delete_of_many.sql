DELETE FROM databricks_workspace.postgres.postgres_branches WHERE project_id = 'p';
