-- description: Each cluster terminates by itself if nobody uses it.
-- severity: warning
-- key: deployment_name, cluster_id
-- message: the cluster {{ cluster_name }} of {{ creator_user_name }} in {{ deployment_name }} has no auto-termination
SELECT deployment_name, cluster_id, cluster_name, creator_user_name
FROM clusters
WHERE coalesce(autotermination_minutes, 0) = 0
ORDER BY deployment_name, cluster_id
