-- flags: -o csv
UPDATE /*+ AWAIT */ databricks_workspace.postgres.postgres_endpoints SET "spec.autoscaling_limit_max_cu" = 6
WHERE name = 'projects/p/branches/b/endpoints/e' RETURNING name, status ->> '$.autoscaling_limit_max_cu' AS max_cu, status ->> '$.endpoint_type' AS type;
