-- description: Each workspace has an enabled IP access list that allows addresses.
-- severity: warning
-- control: SAT NS-5
-- docs: https://docs.databricks.com/security/network/ip-access-list.html
-- key: deployment_name
-- message: {{ deployment_name }} has no enabled list of allowed addresses
SELECT w.deployment_name
FROM workspace_conf w
WHERE NOT EXISTS (
    SELECT 1 FROM ip_access_lists l
    WHERE l.deployment_name = w.deployment_name AND l.enabled AND l.list_type = 'ALLOW'
)
ORDER BY w.deployment_name
