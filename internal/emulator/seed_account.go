package emulator

import (
	"slices"
	"strconv"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// accountSeeds are what the account has: workspaces and what they were made with.
var accountSeeds = map[string]seed{
	"@/workspaces":                          {ids: workspaceIDs, make: workspaceRecord},
	"@/workspaces/{}/permissionassignments": {ids: assignedIDs, make: assignedRecord},
	"@/metastores/{}/workspaces":            {ids: workspaceIDs, make: attachedRecord},
	"@/credentials":                         fixed(func(co *company) map[string]resource.Record { return co.provisioned("credentials") }),
	"@/networks":                            fixed(func(co *company) map[string]resource.Record { return co.provisioned("network") }),
	"@/storage-configurations":              fixed(func(co *company) map[string]resource.Record { return co.provisioned("storage_configuration") }),
}

// defaultWorkspaces are the workspaces of the account where nobody says which there are.
func defaultWorkspaces() []string { return []string{"finch-dev", "finch-prod", DefaultWorkspace} }

// WorkspaceNames makes n deployment names for [Options].Workspaces, of which the first is
// [DefaultWorkspace]; none for 0.
func WorkspaceNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = "finch-" + resource.Pad(i)
	}
	if n > 0 {
		names[0] = DefaultWorkspace
	}
	return names
}

// deployments are the account's workspaces: deployment names by workspace ids, and the ids sorted.
type deployments struct {
	names map[string]string
	ids   []string
}

func newDeployments(seed uint64, names []string) *deployments {
	d := &deployments{names: make(map[string]string, len(names))}
	for _, name := range names {
		co := company{seed: seed, workspace: name}
		d.names[strconv.FormatUint(co.workspaceID(), 10)] = name
	}
	for id := range d.names {
		d.ids = append(d.ids, id)
	}
	slices.Sort(d.ids)
	return d
}

func workspaceIDs(co *company, _ []string) resource.Sequence {
	if co.deployments == nil {
		return resource.Sequence{}
	}
	return resource.Sequence{Names: co.deployments.ids}
}

func workspaceRecord(co *company, _ []string, id string) resource.Record {
	name := co.deployments.names[id]
	in := company{seed: co.seed, workspace: name}
	made, _ := in.draw("made").times()
	return resource.Record{
		"workspace_id": int64(in.workspaceID()), "workspace_name": title(name), "deployment_name": name, "account_id": co.accountID(), //nolint:gosec // has 16 digits
		"workspace_status": "RUNNING", "workspace_status_message": "Workspace is running.", "expected_workspace_status": "RUNNING",
		"cloud": "aws", "aws_region": "us-west-2", "pricing_tier": "ENTERPRISE", "compute_mode": "HYBRID", "storage_mode": "CUSTOMER_HOSTED",
		"creation_time": made.UnixMilli(), "custom_tags": resource.Record{"company": "harbor-finch"},
		"credentials_id": co.provisionedID("credentials"), "storage_configuration_id": co.provisionedID("storage_configuration"), "network_id": co.provisionedID("network"),
	}
}

// attachedRecord is a workspace as a metastore lists it: its id.
func attachedRecord(_ *company, _ []string, id string) resource.Record {
	n, _ := strconv.ParseInt(id, 10, 64)
	return resource.Record{resource.ValueField: n}
}

// assignedIDs are the principals that may use a workspace: the groups.
func assignedIDs(co *company, _ []string) resource.Sequence { return groupIDs(co, nil) }

func assignedRecord(_ *company, _ []string, id string) resource.Record {
	g := groups()[placeOf(id, firstGroup)]
	n, _ := strconv.ParseInt(id, 10, 64)
	level := "USER"
	if g.name == "admins" {
		level = "ADMIN"
	}
	return resource.Record{
		"principal_id": id, "permissions": []any{level},
		"principal": resource.Record{"principal_id": n, "group_name": g.name, "display_name": g.name},
	}
}

func (co *company) provisionedID(what string) string {
	d := co.draw("provisioned " + what)
	return d.uuid()
}

// provisioned is the one thing of its sort that all workspaces were made with.
func (co *company) provisioned(what string) map[string]resource.Record {
	id := co.provisionedID(what)
	made, _ := co.draw("made " + what).times()
	r := resource.Record{"account_id": co.accountID(), "creation_time": made.UnixMilli()}
	switch what {
	case "credentials":
		r["credentials_id"], r["credentials_name"] = id, "harbor-finch-cross-account"
		r["aws_credentials"] = resource.Record{"sts_role": resource.Record{"role_arn": "arn:aws:iam::482910573321:role/harbor-finch-databricks"}}
	case "network":
		r["network_id"], r["network_name"], r["vpc_id"], r["vpc_status"] = id, "harbor-finch-vpc", "vpc-0f1e2d3c4b5a69788", "VALID"
		r["subnet_ids"], r["security_group_ids"] = []any{"subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60719"}, []any{"sg-0a9b8c7d6e5f40312"}
	default:
		r["storage_configuration_id"], r["storage_configuration_name"] = id, "harbor-finch-root"
		r["root_bucket_info"] = resource.Record{"bucket_name": "harbor-finch-root"}
	}
	return map[string]resource.Record{id: r}
}
