-- table: service_principals
-- description: The service principals of a workspace, with their groups and entitlements.
-- key: id
-- types: group_names json, entitlements json
SELECT
    s.id,
    s.applicationId AS application_id,
    s.displayName AS display_name,
    s.active,
    s.externalId AS external_id,
    -- Sorted, because the API promises no order, and another order is no change.
    (
        SELECT json_group_array(coalesce(g.value ->> 'display', g.value ->> 'value')
                                ORDER BY coalesce(g.value ->> 'display', g.value ->> 'value'))
        FROM json_each(s.groups) g
    ) AS group_names,
    (
        SELECT json_group_array(e.value ->> 'value' ORDER BY e.value ->> 'value')
        FROM json_each(s.entitlements) e
    ) AS entitlements
FROM databricks_workspace.iam.service_principals s
