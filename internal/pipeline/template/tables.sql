-- table: tables
-- description: The tables and views of the catalogs that are the company's own.
-- key: full_name
-- types: row_filter_function text, created_at timestamp
SELECT
    t.full_name,
    t.catalog_name,
    t.schema_name,
    t.name,
    t.table_id,
    t.table_type,
    t.data_source_format,
    t.owner,
    t.comment,
    t.storage_location,
    t.pipeline_id,
    t.view_definition,
    t.row_filter ->> 'function_name' AS row_filter_function,
    -- No updated_at: where data is written all day, it would be a change of every run.
    t.created_at,
    t.created_by
FROM databricks_workspace.catalog.catalogs c
JOIN databricks_workspace.catalog.schemas s ON s.catalog_name = c.name
JOIN databricks_workspace.catalog.tables t ON t.catalog_name = s.catalog_name AND t.schema_name = s.name
-- Databricks' own catalogs are left out, and those whose tables another system lists, which may not answer.
WHERE coalesce(c.catalog_type, '') NOT IN
    ('SYSTEM_CATALOG', 'INTERNAL_CATALOG', 'DELTASHARING_CATALOG', 'FOREIGN_CATALOG')
  AND s.name <> 'information_schema'
  AND t.omit_columns = true -- the most of an answer
  AND t.omit_properties = true
