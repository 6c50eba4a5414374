-- description: Each cluster encrypts the disks of its machines.
-- severity: warning
-- control: SAT DP-2
-- docs: https://docs.databricks.com/clusters/configure.html
-- key: deployment_name, cluster_id
-- message: the cluster {{ cluster_name }} in {{ deployment_name }} does not encrypt its local disks
SELECT deployment_name, cluster_id, cluster_name, creator_user_name
FROM clusters
WHERE NOT coalesce(enable_local_disk_encryption, false)
ORDER BY deployment_name, cluster_id
