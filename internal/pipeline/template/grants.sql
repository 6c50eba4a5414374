-- table: grants
-- description: The privileges on the catalogs that are the company's own. Only an owner or an admin may read all of them.
-- key: catalog_name, principal
-- types: catalog_name text, principal text, privileges json
SELECT
    c.name AS catalog_name,
    a.value ->> 'principal' AS principal,
    -- Sorted, because the API promises no order, and another order is no change.
    (SELECT json_group_array(p.value ORDER BY p.value) FROM json_each(a.value, '$.privileges') p) AS privileges
FROM databricks_workspace.catalog.catalogs c
JOIN databricks_workspace.catalog.grants g ON g.securable_type = 'catalog' AND g.full_name = c.name
JOIN json_each(g.privilege_assignments) a
-- Databricks' own catalogs are left out.
WHERE coalesce(c.catalog_type, '') NOT IN ('SYSTEM_CATALOG', 'INTERNAL_CATALOG', 'DELTASHARING_CATALOG')
