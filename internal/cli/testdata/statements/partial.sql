-- flags: -o csv --on-error partial
-- fault: GET /api/2.0/postgres/projects/orders/branches: 500
-- fault: GET /api/2.0/postgres/projects/payroll/branches: 403
SELECT p.name, count(b.name) AS branches FROM databricks_workspace.postgres.postgres_projects p
LEFT JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name GROUP BY 1 ORDER BY 1;
SHOW ERRORS;
