-- table: share_recipients
-- description: The recipients that may read each share of Delta Sharing.
-- key: share, recipient
-- types: share text, recipient text, privileges json
SELECT
    s.name AS share,
    a.value ->> 'principal' AS recipient,
    a.value ->> 'privileges' AS privileges
FROM databricks_workspace.sharing.shares s
JOIN databricks_workspace.sharing.share_permissions p ON p.name = s.name
JOIN json_each(p.privilege_assignments) a
