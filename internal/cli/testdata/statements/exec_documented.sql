-- flags: -o jsonl
EXEC databricks_workspace.postgres.postgres_credentials.generate
@deployment_name='dbc-1' --required
@@json=
'{
"endpoint": "projects/p/branches/b/endpoints/e",
"claims": "[]"
}'
;
EXEC /*+ SHOWRESULTS */ databricks_workspace.postgres.postgres_branches.list @deployment_name = 'dbc-1', @project_id = 'orders';
EXEC databricks_workspace.postgres.postgres_endpoints.get @name = 'projects/p/branches/b/endpoints/e' --required @deployment_name = 'dbc-1';
