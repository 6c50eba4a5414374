-- table: recipients
-- description: The recipients of Delta Sharing, and how each proves who it is.
-- key: name
-- types: token_count integer, tokens_without_end integer, last_token_end timestamp, allowed_addresses integer
SELECT
    r.name,
    r.authentication_type, -- TOKEN: whoever has the token may read
    r.owner,
    r.comment,
    r.activated,
    coalesce(json_array_length(r.tokens), 0) AS token_count,
    (SELECT count(*) FROM json_each(r.tokens) t WHERE t.value ->> 'expiration_time' IS NULL) AS tokens_without_end,
    (SELECT max(t.value ->> 'expiration_time') FROM json_each(r.tokens) t) AS last_token_end,
    coalesce(json_array_length(r.ip_access_list, '$.allowed_ip_addresses'), 0) AS allowed_addresses,
    r.created_at,
    r.created_by
FROM databricks_workspace.sharing.recipients r
