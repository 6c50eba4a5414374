-- description: Delta Sharing recipients with a token may read from listed addresses only.
-- severity: warning
-- control: SAT GOV-18
-- docs: https://docs.databricks.com/data-sharing/access-list.html
-- key: deployment_name, name
-- message: the recipient {{ name }} in {{ deployment_name }} may use its token from every address
SELECT deployment_name, name, owner
FROM recipients
WHERE authentication_type = 'TOKEN' AND allowed_addresses = 0
ORDER BY deployment_name, name
