-- description: No job has failed in its last two runs.
-- severity: error
-- key: deployment_name, job_id
-- message: the job {{ job_name }} in {{ deployment_name }} failed twice: {{ result_before }}, then {{ last_result }}
SELECT deployment_name, job_id, job_name, result_before, last_result
FROM repeated_failures
ORDER BY deployment_name, job_id
