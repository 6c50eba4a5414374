-- description: Nobody became an admin of a workspace within the last seven days.
-- severity: critical
-- key: deployment_name, admin, changed_at
-- message: {{ admin }} became an admin of {{ deployment_name }} at {{ changed_at }}
SELECT h.deployment_name, m.value AS admin, h.changed_at
FROM groups_history h, json_each(h.changed_columns, '$.members.to') m
WHERE h.display_name = 'admins'
  AND h.change = 'changed'
  AND h.changed_at > now() - INTERVAL '7 days'
  AND m.value NOT IN (SELECT f.value FROM json_each(h.changed_columns, '$.members.from') f)
ORDER BY h.changed_at, h.deployment_name, m.value
