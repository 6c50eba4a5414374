-- table: jobs
-- description: The jobs: what starts them, who made them, and whom they tell of a failure.
-- key: job_id
-- types: name text, description text, trigger_type text, schedule_cron text, schedule_timezone text, pause_status text
-- types: max_concurrent_runs integer, timeout_seconds integer, performance_target text, deployment_kind text
-- types: git_url text, git_branch text, tags json, on_failure json, created_time timestamp
SELECT
    j.job_id,
    j.settings ->> 'name' AS name,
    j.settings ->> 'description' AS description,
    j.creator_user_name,
    CASE
        WHEN j.settings ->> 'schedule' IS NOT NULL THEN 'SCHEDULE'
        WHEN j.settings ->> 'continuous' IS NOT NULL THEN 'CONTINUOUS'
        WHEN j.settings ->> '$.trigger.periodic' IS NOT NULL THEN 'PERIODIC'
        WHEN j.settings ->> '$.trigger.file_arrival' IS NOT NULL THEN 'FILE_ARRIVAL'
        WHEN j.settings ->> '$.trigger.table_update' IS NOT NULL THEN 'TABLE_UPDATE'
        WHEN j.settings ->> 'trigger' IS NOT NULL THEN 'OTHER'
        ELSE 'NONE'
    END AS trigger_type,
    j.settings ->> '$.schedule.quartz_cron_expression' AS schedule_cron,
    j.settings ->> '$.schedule.timezone_id' AS schedule_timezone,
    coalesce(
        j.settings ->> '$.schedule.pause_status',
        j.settings ->> '$.continuous.pause_status',
        j.settings ->> '$.trigger.pause_status'
    ) AS pause_status,
    j.settings ->> 'max_concurrent_runs' AS max_concurrent_runs,
    j.settings ->> 'timeout_seconds' AS timeout_seconds,
    j.settings ->> 'performance_target' AS performance_target,
    j.effective_usage_policy_id,
    j.settings ->> '$.deployment.kind' AS deployment_kind,
    j.settings ->> '$.git_source.git_url' AS git_url,
    j.settings ->> '$.git_source.git_branch' AS git_branch,
    j.settings -> 'tags' AS tags,
    j.settings -> '$.email_notifications.on_failure' AS on_failure,
    j.created_time
FROM databricks_workspace.jobs.jobs j
