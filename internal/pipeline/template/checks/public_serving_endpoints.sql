-- description: No model serving endpoint is reachable from every address: its workspace enforces IP access lists.
-- severity: error
-- control: SAT NS-7
-- docs: https://docs.databricks.com/en/machine-learning/model-serving/manage-serving-endpoints.html
-- key: deployment_name, name
-- message: the serving endpoint {{ name }} in {{ deployment_name }} can be reached from every address
SELECT e.deployment_name, e.name, e.creator
FROM serving_endpoints e
JOIN workspace_conf w ON w.deployment_name = e.deployment_name
WHERE coalesce(w.enable_ip_access_lists, 'false') <> 'true'
ORDER BY e.deployment_name, e.name
