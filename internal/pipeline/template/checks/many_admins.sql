-- description: A workspace has at most most_admins admins (pipeline.yaml).
-- severity: warning
-- control: SAT INFO-6
-- docs: https://docs.databricks.com/administration-guide/users-groups/users.html
-- key: deployment_name
-- message: {{ deployment_name }} has {{ member_count }} admins
SELECT deployment_name, member_count
FROM groups
WHERE display_name = 'admins' AND member_count > {{ most_admins }}
ORDER BY deployment_name
