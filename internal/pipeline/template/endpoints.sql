-- table: endpoints
-- description: The endpoints of every Lakebase branch: the computes, and the hosts to connect to.
-- key: name
-- types: endpoint_id text, endpoint_type text, state text, disabled boolean, host text, read_only_host text
-- types: min_cu number, max_cu number, suspend_timeout text, group_min integer, group_max integer
SELECT
    e.name,
    e.uid,
    p.name AS project,
    b.name AS branch,
    e.status ->> 'endpoint_id' AS endpoint_id,
    e.status ->> 'endpoint_type' AS endpoint_type,
    -- An endpoint that scales to zero is IDLE or ACTIVE. Take the line out if that is not to be history.
    e.status ->> 'current_state' AS state,
    e.status ->> 'disabled' AS disabled,
    e.status ->> '$.hosts.host' AS host,
    e.status ->> '$.hosts.read_only_host' AS read_only_host,
    e.status ->> 'autoscaling_limit_min_cu' AS min_cu,
    e.status ->> 'autoscaling_limit_max_cu' AS max_cu,
    e.status ->> 'suspend_timeout_duration' AS suspend_timeout,
    e.status ->> '$.group.min' AS group_min,
    e.status ->> '$.group.max' AS group_max,
    e.create_time
FROM databricks_workspace.postgres.postgres_projects p
JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name
JOIN databricks_workspace.postgres.postgres_endpoints e ON e.parent = b.name
