package company

import (
	"slices"
	"strconv"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// accountData is the account's: workspaces, and the objects they were created with.
var accountData = map[string]dataset{
	"@/workspaces":                          {ids: workspaceIDs, make: workspaceRecord},
	"@/workspaces/{}/permissionassignments": {ids: assignedIDs, make: assignedRecord},
	"@/metastores/{}/workspaces":            {ids: workspaceIDs, make: attachedRecord},
	"@/credentials":                         fixed(func(co *Company) map[string]resource.Record { return co.provisioned("credentials") }),
	"@/networks":                            fixed(func(co *Company) map[string]resource.Record { return co.provisioned("network") }),
	"@/storage-configurations":              fixed(func(co *Company) map[string]resource.Record { return co.provisioned("storage_configuration") }),
}

// HostSuffix follows the deployment name in the host of a workspace.
const HostSuffix = ".localhost"

// OwnDeployments are the deployment names of the company's own workspaces.
func OwnDeployments() []string { return []string{"finch-dev", "finch-prod"} }

// Deployments are the workspaces that the account lists.
type Deployments struct {
	names map[string]string // deployment names by workspace ids
	ids   []string          // sorted
}

// NewDeployments makes workspaces from deployment names.
func NewDeployments(seed uint64, names []string) *Deployments {
	d := &Deployments{names: make(map[string]string, len(names))}
	for _, name := range names {
		co := Company{Seed: seed, Workspace: name}
		d.names[strconv.FormatUint(co.WorkspaceID(), 10)] = name
	}
	for id := range d.names {
		d.ids = append(d.ids, id)
	}
	slices.Sort(d.ids)
	return d
}

func workspaceIDs(co *Company, _ []string) resource.Sequence {
	if co.Deployments == nil {
		return resource.Sequence{}
	}
	return resource.Sequence{Names: co.Deployments.ids}
}

func workspaceRecord(co *Company, _ []string, id string) resource.Record {
	name := co.Deployments.names[id]
	in := Company{Seed: co.Seed, Workspace: name}
	made, _ := in.Draw("made").times()
	return resource.Record{
		"workspace_id": int64(in.WorkspaceID()), "workspace_name": Title(name), "deployment_name": name, "account_id": co.AccountID(), //nolint:gosec // has 16 digits
		"workspace_status": "RUNNING", "workspace_status_message": "Workspace is running.", "expected_workspace_status": "RUNNING",
		"cloud": "aws", "aws_region": "us-west-2", "pricing_tier": "ENTERPRISE", "compute_mode": "HYBRID", "storage_mode": "CUSTOMER_HOSTED",
		"creation_time": made.UnixMilli(), "custom_tags": resource.Record{"company": "harbor-finch"},
		"credentials_id": co.provisionedID("credentials"), "storage_configuration_id": co.provisionedID("storage_configuration"), "network_id": co.provisionedID("network"),
	}
}

// attachedRecord is a workspace in the list of a metastore: its id.
func attachedRecord(_ *Company, _ []string, id string) resource.Record {
	n, _ := strconv.ParseInt(id, 10, 64)
	return resource.Record{resource.ValueField: n}
}

// assignedIDs are the principals that may use a workspace: the groups.
func assignedIDs(co *Company, _ []string) resource.Sequence { return groupIDs(co, nil) }

func assignedRecord(_ *Company, _ []string, id string) resource.Record {
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

func (co *Company) provisionedID(what string) string {
	d := co.Draw("provisioned " + what)
	return d.UUID()
}

// provisioned is the one object of its sort, by its id. All workspaces were created with it.
func (co *Company) provisioned(what string) map[string]resource.Record {
	id := co.provisionedID(what)
	made, _ := co.Draw("made " + what).times()
	r := resource.Record{"account_id": co.AccountID(), "creation_time": made.UnixMilli()}
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
