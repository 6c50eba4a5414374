-- table: workspace_conf
-- description: Settings of a workspace. NULL is the default of the setting. Only an admin of the workspace may read them.
-- key: scope
-- types: scope text, enable_ip_access_lists text, max_token_lifetime_days text
SELECT
    'workspace' AS scope,
    c.get_workspace_config ->> 'enableIpAccessLists' AS enable_ip_access_lists,
    c.get_workspace_config ->> 'maxTokenLifetimeDays' AS max_token_lifetime_days
FROM databricks_workspace.settings.workspace_config c
WHERE c.keys = 'enableIpAccessLists,maxTokenLifetimeDays'
