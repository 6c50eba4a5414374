-- description: Each Lakebase endpoint suspends if nobody uses it.
-- severity: warning
-- key: deployment_name, name
-- message: the endpoint {{ name }} in {{ deployment_name }} never suspends
SELECT deployment_name, name, endpoint_type, max_cu
FROM endpoints
WHERE coalesce(suspend_timeout, '0s') = '0s' AND NOT coalesce(disabled, false)
ORDER BY deployment_name, name
