-- description: Each workspace enforces its IP access lists.
-- severity: error
-- control: SAT NS-11
-- docs: https://docs.databricks.com/aws/en/security/network/front-end/ip-access-list
-- key: deployment_name
-- message: {{ deployment_name }} can be reached from every address
SELECT deployment_name, enable_ip_access_lists
FROM workspace_conf
WHERE coalesce(enable_ip_access_lists, 'false') <> 'true'
ORDER BY deployment_name
