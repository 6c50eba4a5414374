-- description: The store has no rows of workspaces that left the account or the pipeline.
-- severity: info
-- key: deployment_name
-- message: {{ deployment_name }} left: its rows stay until lakeql pipeline forget
SELECT deployment_name
FROM pipeline_status
GROUP BY deployment_name
HAVING min(state) = 'left' AND max(state) = 'left'
ORDER BY deployment_name
