-- flags: -o csv
-- Each job with its last run.
WITH runs AS (
  SELECT job_id, run_id, start_time, state ->> '$.result_state' AS result,
    row_number() OVER (PARTITION BY job_id ORDER BY start_time DESC, run_id DESC) AS place
  FROM databricks_workspace.jobs.job_runs)
SELECT j.job_id, j.settings ->> '$.name' AS name, r.run_id, r.result, datetime(r.start_time / 1000, 'unixepoch') AS started
FROM databricks_workspace.jobs.jobs j LEFT JOIN runs r ON r.job_id = j.job_id AND r.place = 1
ORDER BY name;

-- How many runs of each job failed.
SELECT j.settings ->> '$.name' AS name, count(*) AS runs, count(*) FILTER (WHERE r.state ->> '$.result_state' <> 'SUCCESS') AS failed
FROM databricks_workspace.jobs.jobs j JOIN databricks_workspace.jobs.job_runs r ON r.job_id = j.job_id
GROUP BY j.job_id ORDER BY 1;

-- Tasks, unfolded.
SELECT j.settings ->> '$.name' AS job, t.value ->> '$.task_key' AS task
FROM databricks_workspace.jobs.jobs j, json_each(j.settings, '$.tasks') t
ORDER BY 1, 2;
