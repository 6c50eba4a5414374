EXEC databricks_workspace.postgres.postgres_credentials.generate 
@deployment_name='dbc-abcd0123-a1bc' --required 
@@json=
'{
"endpoint": "projects/p/branches/b/endpoints/e", 
"claims": "[]"
}'
;
