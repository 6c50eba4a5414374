-- table: repeated_failures
-- description: The jobs whose last two runs that ended have failed.
-- key: job_id
-- types: job_id integer, job_name text, last_run_id integer, last_result text, result_before text
WITH last AS MATERIALIZED (
    SELECT
        j.job_id,
        j.settings ->> 'name' AS job_name,
        -- The API lists the runs of a job from the newest on: its first page, of two runs, is enough.
        (
            SELECT json_object('run_id', r.run_id, 'result', r.status ->> '$.termination_details.code', 'type', r.status ->> '$.termination_details.type')
            FROM databricks_workspace.jobs.job_runs r
            WHERE r.job_id = j.job_id AND r.completed_only = true AND r."limit" = 2
            LIMIT 1
        ) AS run,
        (
            SELECT json_object('result', r.status ->> '$.termination_details.code', 'type', r.status ->> '$.termination_details.type')
            FROM databricks_workspace.jobs.job_runs r
            WHERE r.job_id = j.job_id AND r.completed_only = true AND r."limit" = 2
            LIMIT 1 OFFSET 1
        ) AS run_before
    FROM databricks_workspace.jobs.jobs j
)
SELECT
    job_id,
    job_name,
    run ->> 'run_id' AS last_run_id,
    run ->> 'result' AS last_result,
    run_before ->> 'result' AS result_before
FROM last
WHERE run ->> 'type' NOT IN ('SUCCESS') AND run_before ->> 'type' NOT IN ('SUCCESS')
