-- flags: -o csv
SELECT split_part(name, '/', 2) AS project, split_part(name, '/', -1) AS last, regexp_like(name, '^projects/[a-f]') AS early,
  regexp_substr(name, '[^/]+$') AS id, regexp_replace(name, '^projects/', '') AS bare
FROM databricks_workspace.postgres.postgres_projects WHERE name LIKE '%o%' ORDER BY 1;
SELECT json_equal('{"a": 1, "b": [2]}', '{"b":[2],"a":1}') AS same, json_equal('[1,2]', '[2,1]') AS other;
SELECT strftime('%Y-%m', create_time) AS month, count(*) FROM databricks_workspace.postgres.postgres_branches
WHERE project_id IN ('orders', 'p', 'inventory') GROUP BY 1 ORDER BY 1;
