-- description: Each SQL warehouse stops by itself if nobody uses it.
-- severity: warning
-- key: deployment_name, id
-- message: the warehouse {{ name }} in {{ deployment_name }} has no auto stop
SELECT deployment_name, id, name, creator_name
FROM warehouses
WHERE coalesce(auto_stop_mins, 0) = 0
ORDER BY deployment_name, id
