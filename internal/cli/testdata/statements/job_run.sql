-- flags: -o csv
EXEC /*+ AWAIT */ databricks_workspace.jobs.jobs.run_now @job_id = 512040318700108, @idempotency_token = 'once';
SELECT j.settings ->> '$.name' AS name, count(*) AS runs FROM databricks_workspace.jobs.jobs j
JOIN databricks_workspace.jobs.job_runs r ON r.job_id = j.job_id WHERE j.job_id = 512040318700108;
