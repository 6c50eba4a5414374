-- table: branches
-- description: The branches of every Lakebase project.
-- key: name
-- types: branch_id text, state text, is_default boolean, is_protected boolean
-- types: source_branch text, source_branch_time timestamp, expire_time timestamp
SELECT
    b.name,
    b.uid,
    p.name AS project,
    b.status ->> 'branch_id' AS branch_id,
    b.status ->> 'current_state' AS state,
    b.status ->> 'default' AS is_default,
    b.status ->> 'is_protected' AS is_protected,
    b.status ->> 'source_branch' AS source_branch,
    b.status ->> 'source_branch_time' AS source_branch_time,
    b.status ->> 'expire_time' AS expire_time,
    b.create_time
FROM databricks_workspace.postgres.postgres_projects p
JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name
