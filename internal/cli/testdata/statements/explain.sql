-- flags: -o csv
EXPLAIN SELECT e.name FROM databricks_workspace.postgres.postgres_projects p
JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name
JOIN databricks_workspace.postgres.postgres_endpoints e ON e.parent = b.name
WHERE p.name IN ('projects/orders', 'projects/p') ORDER BY 1 LIMIT 3;
EXPLAIN SELECT name FROM databricks_workspace.postgres.postgres_branches WHERE parent = 'projects/p' OR name = 'projects/orders/branches/production';
EXPLAIN DELETE FROM databricks_workspace.postgres.postgres_branches WHERE project_id = 'p' AND branch_id IN ('a', 'b');
EXPLAIN EXEC databricks_workspace.postgres.postgres_projects.get @name = 'projects/p';
