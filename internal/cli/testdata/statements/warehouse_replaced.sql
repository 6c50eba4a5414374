-- flags: -o csv
SELECT name, cluster_size, auto_stop_mins FROM databricks_workspace.sql.warehouses ORDER BY name;
REPLACE INTO databricks_workspace.sql.warehouses (id, name, cluster_size, auto_stop_mins)
SELECT id, name, 'Large', 45 FROM databricks_workspace.sql.warehouses WHERE name LIKE 'a%' OR name LIKE 'r%';
SELECT name, cluster_size, auto_stop_mins FROM databricks_workspace.sql.warehouses ORDER BY name;
