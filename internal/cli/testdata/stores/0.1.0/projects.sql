-- table: projects
-- description: The Lakebase projects, with the limits that their new endpoints begin with.
-- key: name
-- types: project_id text, display_name text, owner text, pg_version integer, default_branch text
-- types: min_cu number, max_cu number, suspend_timeout text, history_retention text, branch_size_limit_bytes integer
-- types: pg_native_login boolean, budget_policy_id text, custom_tags json
SELECT
    p.name,
    p.uid,
    p.status ->> 'project_id' AS project_id,
    p.status ->> 'display_name' AS display_name,
    p.status ->> 'owner' AS owner,
    p.status ->> 'pg_version' AS pg_version,
    p.status ->> 'default_branch' AS default_branch,
    p.status ->> '$.default_endpoint_settings.autoscaling_limit_min_cu' AS min_cu,
    p.status ->> '$.default_endpoint_settings.autoscaling_limit_max_cu' AS max_cu,
    p.status ->> '$.default_endpoint_settings.suspend_timeout_duration' AS suspend_timeout,
    p.status ->> 'history_retention_duration' AS history_retention,
    p.status ->> 'branch_logical_size_limit_bytes' AS branch_size_limit_bytes,
    p.status ->> 'enable_pg_native_login' AS pg_native_login,
    p.status ->> 'budget_policy_id' AS budget_policy_id,
    (
        SELECT json_group_object(t.value ->> 'key', t.value ->> 'value' ORDER BY t.value ->> 'key')
        FROM json_each(p.status, '$.custom_tags') t
    ) AS custom_tags,
    p.create_time
FROM databricks_workspace.postgres.postgres_projects p
