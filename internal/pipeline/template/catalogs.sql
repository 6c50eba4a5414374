-- table: catalogs
-- description: The catalogs of Unity Catalog that a workspace sees.
-- key: name
-- types: created_at timestamp, updated_at timestamp
SELECT
    c.name,
    c.catalog_type,
    c.isolation_mode,
    c.owner,
    c.comment,
    c.metastore_id,
    c.storage_root,
    c.connection_name,
    c.provider_name,
    c.share_name,
    c.enable_predictive_optimization,
    c.created_at,
    c.created_by,
    c.updated_at,
    c.updated_by
FROM databricks_workspace.catalog.catalogs c
