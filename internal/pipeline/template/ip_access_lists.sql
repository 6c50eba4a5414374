-- table: ip_access_lists
-- description: The lists of addresses from which a workspace may be reached. Only an admin of the workspace may read them.
-- key: list_id
SELECT
    l.list_id,
    l.label,
    l.list_type, -- ALLOW or BLOCK
    l.enabled,
    l.address_count,
    l.ip_addresses
FROM databricks_workspace.settings.ip_access_lists l
