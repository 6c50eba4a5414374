-- table: last_runs
-- description: The last run of each job that has run: how it ended, or how far it is.
-- key: job_id
-- types: job_id integer, job_name text, last_run_id integer, trigger_type text
-- types: state text, result text, result_type text
-- types: start_time timestamp, end_time timestamp, run_duration_ms integer, run_page_url text
WITH last AS MATERIALIZED (
    SELECT
        j.job_id,
        j.settings ->> 'name' AS job_name,
        -- The API lists the runs of a job from the newest on: its first page, of one run, is enough.
        (
            SELECT json_object(
                'run_id', r.run_id,
                'trigger', r."trigger",
                'state', r.status ->> 'state',
                'result', r.status ->> '$.termination_details.code',
                'result_type', r.status ->> '$.termination_details.type',
                'start_time', r.start_time,
                'end_time', r.end_time,
                'run_duration', r.run_duration,
                'run_page_url', r.run_page_url
            )
            FROM databricks_workspace.jobs.job_runs r
            WHERE r.job_id = j.job_id AND r."limit" = 1
            LIMIT 1
        ) AS run
    FROM databricks_workspace.jobs.jobs j
)
SELECT
    job_id,
    job_name,
    run ->> 'run_id' AS last_run_id,
    run ->> 'trigger' AS trigger_type,
    run ->> 'state' AS state,
    run ->> 'result' AS result,
    run ->> 'result_type' AS result_type,
    run ->> 'start_time' AS start_time,
    nullif(run ->> 'end_time', 0) AS end_time, -- 0: still running
    run ->> 'run_duration' AS run_duration_ms,
    run ->> 'run_page_url' AS run_page_url
FROM last
WHERE run IS NOT NULL
