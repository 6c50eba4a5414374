-- table: schemas
-- description: The schemas of the catalogs that are the company's own.
-- key: full_name
-- types: created_at timestamp, updated_at timestamp
SELECT
    s.full_name,
    s.catalog_name,
    s.name,
    s.schema_id,
    s.owner,
    s.comment,
    s.storage_root,
    s.enable_predictive_optimization,
    s.created_at,
    s.created_by,
    s.updated_at,
    s.updated_by
FROM databricks_workspace.catalog.catalogs c
JOIN databricks_workspace.catalog.schemas s ON s.catalog_name = c.name
-- Databricks' own catalogs are left out, and those whose schemas another system lists, which may not answer.
WHERE coalesce(c.catalog_type, '') NOT IN
    ('SYSTEM_CATALOG', 'INTERNAL_CATALOG', 'DELTASHARING_CATALOG', 'FOREIGN_CATALOG')
  AND s.name <> 'information_schema'
