-- table: groups
-- description: The groups of a workspace, with their members and entitlements.
-- key: id
-- types: resource_type text, member_count integer, members json, entitlements json
SELECT
    g.id,
    g.displayName AS display_name,
    g.meta ->> 'resourceType' AS resource_type, -- Group: of the account; WorkspaceGroup: of this workspace
    g.externalId AS external_id,
    coalesce(json_array_length(g.members), 0) AS member_count,
    -- Sorted, because the API promises no order, and another order is no change.
    (
        SELECT json_group_array(coalesce(m.value ->> 'display', m.value ->> 'value')
                                ORDER BY coalesce(m.value ->> 'display', m.value ->> 'value'))
        FROM json_each(g.members) m
    ) AS members,
    (
        SELECT json_group_array(e.value ->> 'value' ORDER BY e.value ->> 'value')
        FROM json_each(g.entitlements) e
    ) AS entitlements
FROM databricks_workspace.iam.groups g
