-- description: Each Lakebase branch expires, except default and protected ones.
-- severity: info
-- key: deployment_name, name
-- message: the branch {{ name }} in {{ deployment_name }} never expires
SELECT deployment_name, name, source_branch
FROM branches
WHERE expire_time IS NULL AND NOT coalesce(is_default, false) AND NOT coalesce(is_protected, false)
ORDER BY deployment_name, name
