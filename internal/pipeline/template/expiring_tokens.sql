-- table: expiring_tokens
-- description: The personal access tokens that are about to expire. Only an admin of the workspace may list them.
-- key: token_id
-- types: token_id text, comment text, owner_id text, created_by_id text, created_by_username text
-- types: creation_time timestamp, expiry_time timestamp, last_used_day timestamp
SELECT
    t.token_id,
    t.comment,
    CAST(t.owner_id AS text) AS owner_id, -- id in users or service_principals
    CAST(t.created_by_id AS text) AS created_by_id,
    t.created_by_username,
    t.creation_time,
    t.expiry_time,
    nullif(t.last_used_day, 0) AS last_used_day -- a token in use wants a successor
FROM databricks_workspace.settings.token_management t
-- One that never expires has the time -1.
WHERE t.expiry_time BETWEEN unixepoch('now') * 1000 AND (unixepoch('now') + {{ token_days }} * 86400) * 1000
