-- table: clusters
-- description: The clusters that people and programs made, with their size, runtime and policy.
-- key: cluster_id
-- types: min_workers integer, max_workers integer, termination_code text
-- types: start_time timestamp, last_restarted_time timestamp, terminated_time timestamp
SELECT
    c.cluster_id,
    c.cluster_name,
    c.state,
    c.cluster_source,
    c.creator_user_name,
    c.single_user_name,
    c.data_security_mode,
    c.policy_id,
    c.spark_version,
    c.runtime_engine,
    c.node_type_id,
    c.driver_node_type_id,
    c.instance_pool_id,
    c.num_workers,
    c.autoscale ->> 'min_workers' AS min_workers,
    c.autoscale ->> 'max_workers' AS max_workers,
    c.autotermination_minutes,
    c.enable_local_disk_encryption,
    c.custom_tags,
    c.start_time,
    c.last_restarted_time,
    c.terminated_time,
    c.termination_reason ->> 'code' AS termination_code
FROM databricks_workspace.compute.clusters c
-- Those that a job or a pipeline has for one run come and go with it: each would be two changes a run.
WHERE c."filter_by.cluster_sources" = '["UI", "API"]'
