-- description: All users of the account may see and use a catalog, and no more.
-- severity: error
-- key: deployment_name, catalog_name, privilege
-- message: every user of the account has {{ privilege }} on the catalog {{ catalog_name }} ({{ deployment_name }})
SELECT g.deployment_name, g.catalog_name, p.value AS privilege
FROM grants g, json_each(g.privileges) p
WHERE g.principal = 'account users'
  AND p.value NOT IN ('BROWSE', 'USE_CATALOG', 'USE_SCHEMA')
ORDER BY g.deployment_name, g.catalog_name, p.value
