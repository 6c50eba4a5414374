package company

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// computeData is the company's clusters, warehouses, pipelines and served models. Each workspace
// has its own.
var computeData = map[string]dataset{
	"/clusters":                 {ids: clusterIDs, make: clusterRecord},
	"/clusters/list-node-types": fixed(nodeTypes),
	"/clusters/list-zones":      {ids: alone, make: zonesRecord},
	"/clusters/spark-versions":  {ids: alone, make: versionsRecord},
	"/sql/warehouses":           {ids: warehouseIDs, make: warehouseRecord},
	"/preview/sql/data_sources": {ids: warehouseIDs, make: dataSourceRecord},
	"/pipelines":                {ids: pipelineIDs, make: pipelineRecord},
	"/pipelines/{}/updates":     {ids: updateIDs, make: updateRecordOf},
	"/serving-endpoints":        fixed(servingEndpoints),
	"/policies/cluster-compliance": {ids: clusterIDs, make: func(_ *Company, _ []string, id string) resource.Record {
		return resource.Record{"cluster_id": id, "is_compliant": true, "violations": resource.Record{}}
	}},
	"/policies/job-compliance": {ids: jobIDs, make: compliantJob},
}

func compliantJob(_ *Company, _ []string, id string) resource.Record {
	n, _ := strconv.ParseInt(id, 10, 64)
	return resource.Record{"job_id": n, "is_compliant": true, "violations": resource.Record{}}
}

type clusterStory struct{ name, state, source, node string }

func clusterStories() []clusterStory {
	return []clusterStory{
		{"shared-autoscaling", "RUNNING", "UI", "m6i.xlarge"},
		{"data-science", "RUNNING", "UI", "r6i.2xlarge"},
		{"ingest", "TERMINATED", "API", "m6i.large"},
		{"nightly", "TERMINATED", "JOB", "c6i.4xlarge"},
	}
}

func (co *Company) clusterID(i int) string {
	d := co.Draw("cluster " + clusterStories()[i].name)
	return fmt.Sprintf("%02d%02d-%06d-%s", 1+i, 10+d.Below(18), d.Below(240_000), strings.ReplaceAll(d.UUID(), "-", "")[:8])
}

func clusterIDs(co *Company, _ []string) resource.Sequence {
	ids := make([]string, len(clusterStories()))
	for i := range ids {
		ids[i] = co.clusterID(i)
	}
	slices.Sort(ids)
	return resource.Sequence{Names: ids}
}

func clusterRecord(co *Company, _ []string, id string) resource.Record {
	at := 0
	for i := range clusterStories() {
		if co.clusterID(i) == id {
			at = i
		}
	}
	s := clusterStories()[at]
	d := co.Draw("/clusters/" + id)
	made, changed := d.times()
	owner := Humans()[d.Below(4)].Email
	r := resource.Record{
		"cluster_id": id, "cluster_name": s.name, "state": s.state, "state_message": "", "cluster_source": s.source,
		"creator_user_name": owner, "spark_version": "16.4.x-scala2.12", "node_type_id": s.node, "driver_node_type_id": s.node,
		"autotermination_minutes": int64(60), "start_time": made.UnixMilli(), "last_restarted_time": changed.UnixMilli(),
		"data_security_mode": "USER_ISOLATION", "runtime_engine": "PHOTON", "enable_elastic_disk": true, "enable_local_disk_encryption": false,
		"custom_tags": resource.Record{"team": teamOf(at)}, "default_tags": resource.Record{"Vendor": "Databricks", "Creator": owner, "ClusterName": s.name, "ClusterId": id},
		"spark_conf": resource.Record{}, "spark_context_id": int64(4_000_000_000 + d.Below(1<<30)), "jdbc_port": int64(10_000),
		"aws_attributes": resource.Record{"availability": "SPOT_WITH_FALLBACK", "zone_id": "us-west-2a", "first_on_demand": int64(1), "spot_bid_price_percent": int64(100)},
	}
	if at < 2 {
		r["autoscale"] = resource.Record{"min_workers": int64(1), "max_workers": int64(4 + 4*at)}
	} else {
		r["num_workers"] = int64(2 * at)
	}
	if s.state == "TERMINATED" {
		r["terminated_time"], r["state_message"] = changed.UnixMilli(), "Inactive cluster terminated (inactive for 60 minutes)."
		r["termination_reason"] = resource.Record{"code": "INACTIVITY", "type": "SUCCESS", "parameters": resource.Record{"inactivity_duration_min": "60"}}
	} else {
		r["cluster_cores"], r["cluster_memory_mb"] = int64(8*(at+1)), int64(32_768*(at+1))
	}
	return r
}

func nodeTypes(*Company) map[string]resource.Record {
	all := map[string]resource.Record{}
	for i, t := range []struct {
		id, category  string
		cores, memory int64
	}{
		{"c6i.4xlarge", "Compute Optimized", 16, 32},
		{"g5.xlarge", "GPU Accelerated", 4, 16},
		{"m6i.large", "General Purpose", 2, 8},
		{"m6i.xlarge", "General Purpose", 4, 16},
		{"r6i.2xlarge", "Memory Optimized", 8, 64},
	} {
		gpus := int64(0)
		if strings.HasPrefix(t.id, "g") {
			gpus = 1
		}
		all[t.id] = resource.Record{
			"node_type_id": t.id, "instance_type_id": t.id, "category": t.category, "description": t.id, "num_cores": t.cores, "num_gpus": gpus,
			"memory_mb": t.memory << 10, "display_order": int64(i), "is_deprecated": false, "is_hidden": false, "support_ebs_volumes": true,
			"support_cluster_tags": true, "photon_worker_capable": gpus == 0, "photon_driver_capable": gpus == 0,
		}
	}
	return all
}

func zonesRecord(*Company, []string, string) resource.Record {
	return resource.Record{"zones": []any{"us-west-2a", "us-west-2b", "us-west-2c"}, "default_zone": "us-west-2a"}
}

func versionsRecord(*Company, []string, string) resource.Record {
	return resource.Record{"versions": []any{
		resource.Record{"key": "16.4.x-scala2.12", "name": "16.4 LTS (includes Apache Spark 3.5.2, Scala 2.12)"},
		resource.Record{"key": "15.4.x-scala2.12", "name": "15.4 LTS (includes Apache Spark 3.5.0, Scala 2.12)"},
	}}
}

func warehouseStories() []string { return []string{"Analytics", "Reports", "Starter Warehouse"} }

func (co *Company) warehouseID(i int) string {
	d := co.Draw("warehouse " + warehouseStories()[i])
	u := strings.ReplaceAll(d.UUID(), "-", "")
	return strconv.Itoa(10+i) + u[:14]
}

func warehouseIDs(co *Company, _ []string) resource.Sequence {
	ids := make([]string, len(warehouseStories()))
	for i := range ids {
		ids[i] = co.warehouseID(i)
	}
	return resource.Sequence{Names: ids} // in order, because each begins with its place
}

func warehouseRecord(co *Company, _ []string, id string) resource.Record {
	at := slices.Index(warehouseIDs(co, nil).Names, id)
	state := []string{"RUNNING", "STOPPED", "STOPPED"}[at]
	running := int64(0)
	if state == "RUNNING" {
		running = 1
	}
	host := co.Workspace + HostSuffix
	return resource.Record{
		"id": id, "name": warehouseStories()[at], "state": state, "cluster_size": []string{"Medium", "Small", "2X-Small"}[at],
		"warehouse_type": "PRO", "enable_serverless_compute": true, "enable_photon": true, "auto_stop_mins": int64(10),
		"min_num_clusters": int64(1), "max_num_clusters": int64(1 + at), "num_clusters": running, "num_active_sessions": running,
		"creator_name": Humans()[at].Email, "spot_instance_policy": "COST_OPTIMIZED", "channel": resource.Record{"name": "CHANNEL_NAME_CURRENT"},
		"jdbc_url":    "jdbc:databricks://" + host + ":443/default;httpPath=/sql/1.0/warehouses/" + id,
		"odbc_params": resource.Record{"hostname": host, "path": "/sql/1.0/warehouses/" + id, "port": int64(443), "protocol": "https"},
		"health":      resource.Record{"status": "HEALTHY"}, "tags": resource.Record{"custom_tags": []any{resource.Record{"key": "team", "value": teamOf(at)}}},
	}
}

func dataSourceRecord(co *Company, _ []string, id string) resource.Record {
	r := warehouseRecord(co, nil, id)
	return resource.Record{"id": co.SecondID(id), "name": r["name"], "warehouse_id": id, "type": "databricks_internal", "syntax": "sql", "paused": int64(0)}
}

func pipelineStories() []string { return []string{"orders-bronze-to-gold", "sensor-stream"} }

func (co *Company) pipelineID(i int) string {
	d := co.Draw("pipeline " + pipelineStories()[i])
	return d.UUID()
}

func pipelineIDs(co *Company, _ []string) resource.Sequence {
	ids := make([]string, len(pipelineStories()))
	for i := range ids {
		ids[i] = co.pipelineID(i)
	}
	slices.Sort(ids)
	return resource.Sequence{Names: ids}
}

func pipelineRecord(co *Company, _ []string, id string) resource.Record {
	at := 0
	if id == co.pipelineID(1) {
		at = 1
	}
	name, owner := pipelineStories()[at], Humans()[at*3].Email
	state := []string{"IDLE", "RUNNING"}[at]
	_, changed := co.Draw("/pipelines/" + id).times()
	var latest []any
	for _, update := range slices.Backward(updateIDs(co, []string{id}).Names) {
		u := updateRecordOf(co, []string{id}, update)
		latest = append(latest, resource.Record{"update_id": update, "state": u["state"], "creation_time": time.UnixMilli(u["creation_time"].(int64)).UTC().Format(time.RFC3339)})
	}
	return resource.Record{
		"pipeline_id": id, "name": name, "state": state, "health": "HEALTHY", "creator_user_name": owner, "run_as_user_name": owner,
		"cluster_id": co.clusterID(3), "last_modified": changed.UnixMilli(), "latest_updates": latest,
		"spec": resource.Record{
			"id": id, "name": name, "catalog": mainCatalog, "schema": []string{"shop", "roastery"}[at], "continuous": at == 1, "development": false,
			"edition": "ADVANCED", "photon": true, "serverless": true, "channel": "CURRENT",
			"libraries": []any{resource.Record{"notebook": resource.Record{"path": "/Workspace/Shared/pipelines/" + name}}},
		},
	}
}

func updateIDs(co *Company, above []string) resource.Sequence {
	if len(above) != 1 || !slices.Contains(pipelineIDs(co, nil).Names, above[0]) {
		return resource.Sequence{}
	}
	d := co.Draw("updates of " + above[0])
	ids := []string{"1" + d.UUID()[1:], "2" + d.UUID()[1:], "3" + d.UUID()[1:]}
	return resource.Sequence{Names: ids}
}

func updateRecordOf(co *Company, above []string, id string) resource.Record {
	at := int64(id[0] - '1')
	state := "COMPLETED"
	if at == 2 && above[0] == co.pipelineID(1) {
		state = "RUNNING"
	}
	return resource.Record{
		"update_id": id, "pipeline_id": above[0], "state": state, "cause": "JOB_TASK", "full_refresh": false, "validate_only": false,
		"creation_time": (lastDay - (3-at)*86_400) * 1000, "cluster_id": co.clusterID(3),
	}
}

func servingEndpoints(co *Company) map[string]resource.Record {
	all := map[string]resource.Record{}
	for i, s := range []struct{ name, model, task string }{
		{"churn-risk", "ml.forecasts.churn", "llm/v1/completions"}, {"demand-forecast", "ml.forecasts.demand", ""}, {"support-chat", "", "llm/v1/chat"},
	} {
		d := co.Draw("/serving-endpoints/" + s.name)
		made, changed := d.times()
		entity := resource.Record{"name": s.name + "-1", "scale_to_zero_enabled": true, "workload_size": "Small", "creator": Humans()[2].Email, "creation_timestamp": made.UnixMilli()}
		if s.model != "" {
			entity["entity_name"], entity["entity_version"] = s.model, "3"
		} else {
			entity["foundation_model"] = resource.Record{"name": "finch-chat", "display_name": "Finch Chat", "description": "A made-up model."}
		}
		ready := "READY"
		if i == 1 {
			ready = "NOT_READY"
		}
		all[s.name] = resource.Record{
			"id": d.UUID(), "name": s.name, "creator": Humans()[2].Email, "creation_timestamp": made.UnixMilli(), "last_updated_timestamp": changed.UnixMilli(),
			"state": resource.Record{"ready": ready, "config_update": "NOT_UPDATING"}, "task": s.task, "permission_level": "CAN_MANAGE", "route_optimized": false,
			"config": resource.Record{
				"config_version": int64(1 + i), "served_entities": []any{entity},
				"traffic_config": resource.Record{"routes": []any{resource.Record{"served_model_name": s.name + "-1", "traffic_percentage": int64(100)}}},
			},
			"tags": []any{resource.Record{"key": "team", "value": "analysts"}}, "description": "Answers for the shop.",
		}
	}
	return all
}
