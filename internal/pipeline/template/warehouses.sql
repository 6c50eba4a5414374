-- table: warehouses
-- description: The SQL warehouses, with their size and limits.
-- key: id
-- types: channel text, custom_tags json
SELECT
    w.id,
    w.name,
    w.state,
    w.warehouse_type,
    w.cluster_size,
    w.min_num_clusters,
    w.max_num_clusters,
    w.auto_stop_mins,
    w.enable_serverless_compute,
    w.enable_photon,
    w.spot_instance_policy,
    w.channel ->> 'name' AS channel,
    w.creator_name,
    w.instance_profile_arn,
    (
        SELECT json_group_object(t.value ->> 'key', t.value ->> 'value' ORDER BY t.value ->> 'key')
        FROM json_each(w.tags, '$.custom_tags') t
    ) AS custom_tags
FROM databricks_workspace.sql.warehouses w
