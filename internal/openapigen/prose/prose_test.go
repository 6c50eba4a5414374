package prose

import (
	"strings"
	"testing"
)

func TestOperation(t *testing.T) {
	for _, tt := range []struct {
		group, name, owners, want string
	}{
		{"ClusterPolicies", "Get", "", "Gets a cluster policy."},
		{"ClusterPolicies", "List", "", "Lists cluster policies."},
		{"ClusterPolicies", "Edit", "", "Changes a cluster policy."},
		{"ClusterPolicies", "GetPermissionLevels", "cluster_policy_id", "Lists the rights that can be given on a cluster policy."},
		{"ClusterPolicies", "SetPermissions", "cluster_policy_id", "Decides anew who may do what with a cluster policy."},
		{"Postgres", "ListBranches", "project_id", "Lists the branches of a project."},
		{"Postgres", "GetBranch", "project_id branch_id", "Gets a branch of a project."},
		{"IpAccessLists", "Create", "", "Creates an IP access list."},
		{"UsersV2", "List", "", "Lists users."},
		{"AlertsLegacy", "Delete", "alert_id", "Deletes a legacy alert."},
		{"Clusters", "PermanentDelete", "", "Deletes a cluster for good."},
		{"Clusters", "SparkVersions", "", "Gets the Spark versions."},
		{"ConsumerListings", "BatchGet", "", "Gets several consumer listings."},
		{"Jobs", "RunNow", "", "Runs a job."},
		{"Warehouses", "Create", "", "Creates a warehouse."},
		{"Apps", "Deploy", "app_name", "Deploys an app."},
		{"Genie", "GenieCreateEvalRun", "space_id", "Creates a Genie evaluation run of a space."},
		{"Dashboards", "Revert", "dashboard_id", "Reverts a dashboard."},
		{"BundleDeployments", "CompleteVersion", "deployment_id version_id", "Completes a version of a deployment."},
		{"BundleDeployments", "Heartbeat", "deployment_id version_id", "Runs the operation heartbeat."},
		{"AiGateway", "CreateMcpService", "", "Creates an MCP service."},
	} {
		if got := Operation(tt.group, tt.name, tt.name == "SparkVersions", strings.Fields(tt.owners)); got != tt.want {
			t.Errorf("%s.%s: %s, want %s", tt.group, tt.name, got, tt.want)
		}
	}
}

func TestField(t *testing.T) {
	for _, tt := range []struct{ name, kind, want string }{
		{"create_time", "time", "When it was created."},
		{"display_name", "", "Display name."},
		{"is_pinned", "boolean", "Whether it is pinned."},
		{"include_history", "boolean", "Whether to include history."},
		{"enable_local_disk_encryption", "boolean", "Whether local disk encryption is on."},
		{"num_workers", "", "Number of workers."},
		{"cluster_id", "", "Cluster's id."},
		{"oauth2_client_id", "", "OAuth client's id."},
		{"next_page_token", "", "Where the next page begins. Absent on the last."},
		{"jdbc_url", "", "JDBC URL."},
		{"startIndex", "", "How many items to skip first."},
	} {
		if got := Field(tt.name, tt.kind); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestSchema(t *testing.T) {
	for name, want := range map[string]string{
		"ClusterPolicy":        "A cluster policy.",
		"EgressNetworkPolicy":  "An egress network policy.",
		"ListClustersResponse": "A page of a list.",
		"SqlTask":              "A SQL task.",
		"PythonPyPiLibrary":    "A Python PyPI library.",
		"UniquenessCheck":      "A uniqueness check.",
	} {
		if got := Schema(name, false); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestPlurals(t *testing.T) {
	for singular, plural := range map[string]string{
		"policy": "policies", "index": "indexes", "branch": "branches", "database": "databases", "alias": "aliases", "warehouse": "warehouses", "key": "keys",
		"metadata": "metadata", "gateway": "gateways",
	} {
		if got := Plural(singular); got != plural {
			t.Errorf("%s: %s, want %s", singular, got, plural)
		}
		if got := Singular(plural); got != singular {
			t.Errorf("%s: %s, want %s", plural, got, singular)
		}
	}
}
