-- table: users
-- description: The users of a workspace, with their groups and entitlements.
-- key: id
-- types: group_names json, entitlements json
SELECT
    u.id,
    u.userName AS user_name,
    u.displayName AS display_name,
    u.active,
    u.externalId AS external_id,
    -- Sorted, because the API promises no order, and another order is no change.
    (
        SELECT json_group_array(coalesce(g.value ->> 'display', g.value ->> 'value')
                                ORDER BY coalesce(g.value ->> 'display', g.value ->> 'value'))
        FROM json_each(u.groups) g
    ) AS group_names,
    (
        SELECT json_group_array(e.value ->> 'value' ORDER BY e.value ->> 'value')
        FROM json_each(u.entitlements) e
    ) AS entitlements
FROM databricks_workspace.iam.users u
