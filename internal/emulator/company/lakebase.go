package company

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// Project is a project as the API answers with it. Like all resources of Lakebase it has the
// observed state (status) and not the desired configuration (spec), and it has attributes that are
// false or 0.
type Project struct {
	Name       string        `json:"name"`
	ProjectID  string        `json:"project_id"`
	UID        string        `json:"uid"`
	Status     ProjectStatus `json:"status"`
	CreateTime time.Time     `json:"create_time"`
	UpdateTime time.Time     `json:"update_time"`
	DeleteTime time.Time     `json:"delete_time,omitzero"`
	PurgeTime  time.Time     `json:"purge_time,omitzero"`
}

// ProjectStatus is the observed state of a project.
type ProjectStatus struct {
	ProjectID                string           `json:"project_id"`
	DisplayName              string           `json:"display_name"`
	Owner                    string           `json:"owner"`
	PgVersion                int              `json:"pg_version"`
	DefaultBranch            string           `json:"default_branch"`
	DefaultEndpointSettings  EndpointSettings `json:"default_endpoint_settings"`
	EnablePgNativeLogin      bool             `json:"enable_pg_native_login"`
	HistoryRetentionDuration string           `json:"history_retention_duration"`
	BranchLogicalSizeLimit   int64            `json:"branch_logical_size_limit_bytes"`
	SyntheticStorageSize     int64            `json:"synthetic_storage_size_bytes"`
	CustomTags               []CustomTag      `json:"custom_tags,omitempty"`
}

// EndpointSettings are the settings of endpoints that a project creates.
type EndpointSettings struct {
	MinCU          float64 `json:"autoscaling_limit_min_cu"`
	MaxCU          float64 `json:"autoscaling_limit_max_cu"`
	SuspendTimeout string  `json:"suspend_timeout_duration"`
}

// CustomTag is a tag of a project.
type CustomTag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Branch is a branch of a project.
type Branch struct {
	Name       string       `json:"name"`
	BranchID   string       `json:"branch_id"`
	Parent     string       `json:"parent"`
	UID        string       `json:"uid"`
	Status     BranchStatus `json:"status"`
	CreateTime time.Time    `json:"create_time"`
	UpdateTime time.Time    `json:"update_time"`
}

// BranchStatus is the observed state of a branch.
type BranchStatus struct {
	BranchID         string    `json:"branch_id"`
	CurrentState     string    `json:"current_state"`
	StateChangeTime  time.Time `json:"state_change_time"`
	Default          bool      `json:"default"`
	IsProtected      bool      `json:"is_protected"`
	LogicalSize      int64     `json:"logical_size_bytes"`
	SourceBranch     string    `json:"source_branch,omitempty"`
	SourceBranchLSN  string    `json:"source_branch_lsn,omitempty"`
	SourceBranchTime time.Time `json:"source_branch_time,omitzero"`
}

// Endpoint is an endpoint of a branch, to which clients of PostgreSQL connect.
type Endpoint struct {
	Name       string         `json:"name"`
	EndpointID string         `json:"endpoint_id"`
	Parent     string         `json:"parent"`
	UID        string         `json:"uid"`
	Status     EndpointStatus `json:"status"`
	CreateTime time.Time      `json:"create_time"`
	UpdateTime time.Time      `json:"update_time"`
}

// EndpointStatus is the observed state of an endpoint.
type EndpointStatus struct {
	EndpointID     string        `json:"endpoint_id"`
	CurrentState   string        `json:"current_state"`
	EndpointType   string        `json:"endpoint_type"`
	Hosts          EndpointHosts `json:"hosts"`
	MinCU          float64       `json:"autoscaling_limit_min_cu"`
	MaxCU          float64       `json:"autoscaling_limit_max_cu"`
	Disabled       bool          `json:"disabled"`
	SuspendTimeout string        `json:"suspend_timeout_duration,omitempty"`
	Group          EndpointGroup `json:"group"`
	Settings       struct{}      `json:"settings"`
}

// EndpointHosts are the hosts of an endpoint.
type EndpointHosts struct {
	Host         string `json:"host"`
	ReadOnlyHost string `json:"read_only_host,omitempty"`
}

// EndpointGroup is how many instances an endpoint has, and whether the further ones take
// connections that read.
type EndpointGroup struct {
	Min                 int  `json:"min"`
	Max                 int  `json:"max"`
	ReadableSecondaries bool `json:"enable_readable_secondaries"`
}

// Database is a database of a branch.
type Database struct {
	Name       string         `json:"name"`
	DatabaseID string         `json:"database_id"`
	Parent     string         `json:"parent"`
	Status     DatabaseStatus `json:"status"`
	CreateTime time.Time      `json:"create_time"`
	UpdateTime time.Time      `json:"update_time"`
}

// DatabaseStatus is the observed state of a database.
type DatabaseStatus struct {
	DatabaseID       string `json:"database_id"`
	PostgresDatabase string `json:"postgres_database"`
	Role             string `json:"role"`
}

// Role is a role of a branch.
type Role struct {
	Name       string     `json:"name"`
	RoleID     string     `json:"role_id"`
	Parent     string     `json:"parent"`
	Status     RoleStatus `json:"status"`
	CreateTime time.Time  `json:"create_time"`
	UpdateTime time.Time  `json:"update_time"`
}

// RoleStatus is the observed state of a role.
type RoleStatus struct {
	RoleID          string         `json:"role_id"`
	PostgresRole    string         `json:"postgres_role"`
	IdentityType    string         `json:"identity_type"`
	AuthMethod      string         `json:"auth_method"`
	Attributes      RoleAttributes `json:"attributes"`
	MembershipRoles []string       `json:"membership_roles,omitempty"`
}

// RoleAttributes are the rights of a role in PostgreSQL.
type RoleAttributes struct {
	BypassRLS  bool `json:"bypassrls"`
	CreateDB   bool `json:"createdb"`
	CreateRole bool `json:"createrole"`
}

// Values of the documents' enums.
const (
	ReadWrite = "ENDPOINT_TYPE_READ_WRITE"
	ReadOnly  = "ENDPOINT_TYPE_READ_ONLY"

	stateReady  = "READY"
	StateActive = "ACTIVE"
	stateIdle   = "IDLE"

	NoIdentity   = "IDENTITY_TYPE_UNSPECIFIED" // of a role that PostgreSQL alone knows
	PasswordAuth = "PG_PASSWORD_SCRAM_SHA_256"
	OAuth        = "LAKEBASE_OAUTH_V1"
)

// databaseDomain ends the hosts of endpoints. Clients resolve such names to their own machine.
const databaseDomain = ".database.localhost"

// Ids that every workspace has.
const (
	Production   = "production"
	development  = "development"
	Primary      = "primary"
	retired      = "legacy-shop" // deleted and not purged
	tenantPrefix = "tenant-"
)

// projects are the company's own projects in this workspace: five that every workspace has, one of
// them deleted, and two that differ.
func (co *Company) projects() []string {
	others := []string{"fleet", "forecasting", "loyalty", "payroll", "roastery-sensors", "support-desk"}
	draw := co.Draw("projects")
	first := draw.Below(len(others))
	second := (first + 1 + draw.Below(len(others)-1)) % len(others)
	names := []string{"inventory", retired, "orders", "p", "web-shop", others[first], others[second]}
	slices.Sort(names)
	return names
}

// lakebaseIDs returns the ids of a collection of Lakebase.
func (co *Company) lakebaseIDs(collection string) resource.Sequence {
	s := strings.Split(collection, "/")
	if s[0] != "projects" {
		return resource.Sequence{}
	}
	all := resource.Sequence{Names: co.projects(), Prefix: tenantPrefix, Count: co.Scale}
	if len(s) == 1 {
		return all
	}
	if !all.Has(s[1]) || s[1] == retired || len(s) < 3 || s[2] != "branches" {
		return resource.Sequence{}
	}
	branches := []string{development, Production}
	if s[1] == "p" {
		branches = []string{"b", development, Production}
	}
	if len(s) == 3 {
		return resource.Sequence{Names: branches}
	}
	if len(s) != 5 || !slices.Contains(branches, s[3]) {
		return resource.Sequence{}
	}
	return resource.Sequence{Names: co.belowBranch(s[1], s[3], s[4])}
}

func (co *Company) belowBranch(project, branch, kind string) []string {
	switch kind {
	case "endpoints":
		switch {
		case project == "p" && branch == "b":
			return []string{"e"}
		case branch == Production && (project == "orders" || project == "web-shop"):
			return []string{Primary, "reports"} // reports is read-only
		}
		return []string{Primary}
	case "databases":
		if branch == Production && !strings.HasPrefix(project, tenantPrefix) {
			return []string{"app-data", "databricks-postgres", "reporting"}
		}
		return []string{"app-data", "databricks-postgres"}
	case "roles":
		everybody := people()
		if branch != Production {
			everybody = everybody[:3]
		}
		ids := make([]string, len(everybody))
		for i, p := range everybody {
			ids[i] = p.ID
		}
		return ids
	}
	return nil
}

// lakebaseItem makes a resource of a collection of Lakebase.
func (co *Company) lakebaseItem(collection, id string) resource.Item {
	name := collection + "/" + id
	parent := resource.Parent(collection)
	it := resource.Item{ID: id, Deleted: name == "projects/"+retired}
	switch resource.ID(collection) {
	case "projects":
		it.Data = resource.JSON(co.Project(name, it.Deleted))
	case "branches":
		it.Data = resource.JSON(co.Branch(name, parent))
	case "endpoints":
		kind := ReadWrite
		if id == "reports" {
			kind = ReadOnly
		}
		it.Data = resource.JSON(co.Endpoint(name, parent, kind))
	case "databases":
		it.Data = resource.JSON(co.Database(name, parent))
	case "roles":
		it.Data = resource.JSON(co.Role(name, parent))
	}
	return it
}

// Project makes the project of a name.
func (co *Company) Project(name string, deleted bool) Project {
	draw := co.Draw(name)
	everybody := []string{people()[0].Email, people()[1].Email, people()[4].Email}
	made, changed := draw.times()
	id := resource.ID(name)
	p := Project{
		Name: name, ProjectID: id, UID: draw.UUID(), CreateTime: made, UpdateTime: changed,
		Status: ProjectStatus{
			ProjectID: id, DisplayName: Title(id), Owner: everybody[draw.Below(len(everybody))],
			PgVersion: 16 + draw.Below(2), DefaultBranch: name + "/branches/" + Production,
			DefaultEndpointSettings:  EndpointSettings{MinCU: 1, MaxCU: float64(int(2) << draw.Below(3)), SuspendTimeout: "300s"},
			HistoryRetentionDuration: strconv.Itoa(86_400*(2+draw.Below(13))) + "s",
			BranchLogicalSizeLimit:   8 << 40,
			SyntheticStorageSize:     draw.bytes(),
			CustomTags:               []CustomTag{{Key: "cost-center", Value: "cc-" + strconv.Itoa(100+draw.Below(20))}},
		},
	}
	if deleted {
		p.UpdateTime = changed.AddDate(0, 1, 0)
		p.DeleteTime = p.UpdateTime
		p.PurgeTime = p.DeleteTime.AddDate(5, 0, 0) // so far in the future that it stays deleted and not purged
	}
	return p
}

// Branch makes the branch of a name.
func (co *Company) Branch(name, parent string) Branch {
	draw := co.Draw(name)
	made, changed := draw.times()
	b := Branch{
		Name: name, BranchID: resource.ID(name), Parent: parent, UID: "br-" + draw.label(), CreateTime: made, UpdateTime: changed,
		Status: BranchStatus{BranchID: resource.ID(name), CurrentState: stateReady, StateChangeTime: made, LogicalSize: draw.bytes()},
	}
	if resource.ID(name) == Production {
		b.Status.Default = true
		return b
	}
	b.Status.SourceBranch = parent + "/branches/" + Production
	b.Status.SourceBranchLSN = "0/" + strings.ToUpper(strconv.FormatInt(int64(0x1000000+draw.Below(0xfffffff)), 16))
	b.Status.SourceBranchTime = made
	return b
}

// Endpoint makes the endpoint of a name.
func (co *Company) Endpoint(name, parent, kind string) Endpoint {
	draw := co.Draw(name)
	made, changed := draw.times()
	uid := "ep-" + draw.label()
	state := StateActive
	if resource.ID(parent) != Production && draw.Below(2) == 0 {
		state = stateIdle
	}
	e := Endpoint{
		Name: name, EndpointID: resource.ID(name), Parent: parent, UID: uid, CreateTime: made, UpdateTime: changed,
		Status: EndpointStatus{
			EndpointID: resource.ID(name), CurrentState: state, EndpointType: kind,
			Hosts: EndpointHosts{Host: cmp.Or(co.Host, uid+databaseDomain)},
			MinCU: 1, MaxCU: float64(int(2) << draw.Below(3)), SuspendTimeout: "300s", Group: EndpointGroup{Min: 1, Max: 1},
		},
	}
	if kind == ReadOnly {
		e.Status.Hosts.ReadOnlyHost = e.Status.Hosts.Host
	}
	return e
}

// Database makes the database of a name.
func (co *Company) Database(name, parent string) Database {
	made, changed := co.Draw(name).times()
	return Database{
		Name: name, DatabaseID: resource.ID(name), Parent: parent, CreateTime: made, UpdateTime: changed,
		Status: DatabaseStatus{
			DatabaseID: resource.ID(name), PostgresDatabase: strings.ReplaceAll(resource.ID(name), "-", "_"),
			Role: parent + "/roles/" + Owner().ID,
		},
	}
}

// Role makes the role of a name.
func (co *Company) Role(name, parent string) Role {
	made, changed := co.Draw(name).times()
	r := Role{
		Name: name, RoleID: resource.ID(name), Parent: parent, CreateTime: made, UpdateTime: changed,
		Status: RoleStatus{RoleID: resource.ID(name), PostgresRole: resource.ID(name), IdentityType: NoIdentity, AuthMethod: PasswordAuth},
	}
	for _, p := range people() {
		if p.ID != r.Status.RoleID || p.identity == "" {
			continue
		}
		r.Status.PostgresRole, r.Status.IdentityType, r.Status.AuthMethod = p.Email, p.identity, OAuth
	}
	if r.Status.RoleID == Owner().ID {
		r.Status.Attributes = RoleAttributes{CreateDB: true, CreateRole: true}
		r.Status.MembershipRoles = []string{"DATABRICKS_SUPERUSER"}
	}
	return r
}
