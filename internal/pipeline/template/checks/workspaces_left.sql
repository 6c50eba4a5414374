-- description: The store has no rows of workspaces that left the account or the pipeline.
-- severity: info
-- key: workspace
-- message: {{ workspace }} left: its rows stay until lakeql pipeline forget
SELECT deployment_name AS workspace -- rows with a deployment_name that left do not count
FROM pipeline_status
GROUP BY deployment_name
HAVING min(state) = 'left' AND max(state) = 'left'
ORDER BY deployment_name
