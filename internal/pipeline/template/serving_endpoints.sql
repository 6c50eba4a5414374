-- table: serving_endpoints
-- description: The model serving endpoints, and whether they scale to zero.
-- key: name
-- types: ready text, scales_to_zero boolean
SELECT
    e.name,
    e.id,
    e.creator,
    e.task,
    e.state ->> 'ready' AS ready,
    -- One entity that always runs keeps the endpoint awake.
    NOT EXISTS (
        SELECT 1 FROM json_each(e.config, '$.served_entities') s
        WHERE s.value ->> 'scale_to_zero_enabled' = 0
    ) AS scales_to_zero
FROM databricks_workspace.serving.serving_endpoints e
