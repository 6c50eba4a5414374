-- flags: -o csv
INSERT /*+ AWAIT */ INTO databricks_workspace.postgres.postgres_branches (project_id, branch_id, spec)
VALUES ('p', 'review', '{"source_branch": "projects/p/branches/production", "no_expiry": true}')
RETURNING name, status ->> '$.current_state' AS state, status ->> '$.source_branch' AS source;

INSERT /*+ AWAIT */ INTO databricks_workspace.postgres.postgres_branches (parent, branch_id, spec)
SELECT name, 'nightly', json_object('source_branch', status ->> '$.default_branch', 'ttl', '86400s')
FROM databricks_workspace.postgres.postgres_projects WHERE name IN ('projects/orders', 'projects/p')
RETURNING name, status ->> '$.expire_time' AS ends;

UPDATE /*+ AWAIT */ databricks_workspace.postgres.postgres_branches SET "spec.is_protected" = true
WHERE name = 'projects/p/branches/review' RETURNING name, status ->> '$.is_protected' AS protected;

SELECT name FROM databricks_workspace.postgres.postgres_branches WHERE parent = 'projects/p' ORDER BY 1;

UPDATE /*+ AWAIT */ databricks_workspace.postgres.postgres_branches SET spec = '{"is_protected": false}'
WHERE project_id = 'p' AND branch_id = 'review';

DELETE /*+ AWAIT */ FROM databricks_workspace.postgres.postgres_branches
WHERE name IN ('projects/p/branches/review', 'projects/p/branches/nightly');

SELECT name FROM databricks_workspace.postgres.postgres_branches WHERE parent = 'projects/p' ORDER BY 1;
