-- table: tokens
-- description: All personal access tokens of a workspace. Only an admin of the workspace may list them.
-- key: token_id
-- types: token_id text, comment text, owner_id text, created_by_username text
-- types: creation_time timestamp, expiry_time timestamp
SELECT
    t.token_id,
    t.comment,
    CAST(t.owner_id AS text) AS owner_id, -- id in users or service_principals
    t.created_by_username,
    t.creation_time,
    nullif(t.expiry_time, -1) AS expiry_time -- NULL: it never expires
FROM databricks_workspace.settings.token_management t
