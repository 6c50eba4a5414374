-- flags: -o csv
-- fault: GET /api/2.0/postgres/projects/web-shop/branches: 500
SELECT p.name, count(b.name) AS branches FROM databricks_workspace.postgres.postgres_projects p
JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name GROUP BY 1;
