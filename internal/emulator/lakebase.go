package emulator

import (
	"time"
)

// The resources of Lakebase as the API answers with them. It gives what is (status) and not what
// was asked for (spec), and states false and 0 where a status has them.

type project struct {
	Name       string        `json:"name"`
	UID        string        `json:"uid"`
	Status     projectStatus `json:"status"`
	CreateTime time.Time     `json:"create_time"`
	UpdateTime time.Time     `json:"update_time"`
	DeleteTime time.Time     `json:"delete_time,omitzero"`
	PurgeTime  time.Time     `json:"purge_time,omitzero"`
}

type projectStatus struct {
	ProjectID                string          `json:"project_id"`
	DisplayName              string          `json:"display_name"`
	Owner                    string          `json:"owner"`
	PgVersion                int             `json:"pg_version"`
	DefaultBranch            string          `json:"default_branch"`
	DefaultEndpointSettings  defaultSettings `json:"default_endpoint_settings"`
	EnablePgNativeLogin      bool            `json:"enable_pg_native_login"`
	HistoryRetentionDuration string          `json:"history_retention_duration"`
	BranchLogicalSizeLimit   int64           `json:"branch_logical_size_limit_bytes"`
	SyntheticStorageSize     int64           `json:"synthetic_storage_size_bytes"`
	CustomTags               []customTag     `json:"custom_tags,omitempty"`
}

type defaultSettings struct {
	MinCU          float64 `json:"autoscaling_limit_min_cu"`
	MaxCU          float64 `json:"autoscaling_limit_max_cu"`
	SuspendTimeout string  `json:"suspend_timeout_duration"`
}

type customTag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type branch struct {
	Name       string       `json:"name"`
	Parent     string       `json:"parent"`
	UID        string       `json:"uid"`
	Status     branchStatus `json:"status"`
	CreateTime time.Time    `json:"create_time"`
	UpdateTime time.Time    `json:"update_time"`
}

type branchStatus struct {
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

type endpoint struct {
	Name       string         `json:"name"`
	Parent     string         `json:"parent"`
	UID        string         `json:"uid"`
	Status     endpointStatus `json:"status"`
	CreateTime time.Time      `json:"create_time"`
	UpdateTime time.Time      `json:"update_time"`
}

type endpointStatus struct {
	EndpointID     string        `json:"endpoint_id"`
	CurrentState   string        `json:"current_state"`
	EndpointType   string        `json:"endpoint_type"`
	Hosts          endpointHosts `json:"hosts"`
	MinCU          float64       `json:"autoscaling_limit_min_cu"`
	MaxCU          float64       `json:"autoscaling_limit_max_cu"`
	Disabled       bool          `json:"disabled"`
	SuspendTimeout string        `json:"suspend_timeout_duration"`
	Group          endpointGroup `json:"group"`
	Settings       struct{}      `json:"settings"`
}

type endpointHosts struct {
	Host         string `json:"host"`
	ReadOnlyHost string `json:"read_only_host,omitempty"`
}

type endpointGroup struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

type database struct {
	Name       string         `json:"name"`
	Parent     string         `json:"parent"`
	Status     databaseStatus `json:"status"`
	CreateTime time.Time      `json:"create_time"`
	UpdateTime time.Time      `json:"update_time"`
}

type databaseStatus struct {
	DatabaseID       string `json:"database_id"`
	PostgresDatabase string `json:"postgres_database"`
	Role             string `json:"role"`
}

type role struct {
	Name       string     `json:"name"`
	Parent     string     `json:"parent"`
	Status     roleStatus `json:"status"`
	CreateTime time.Time  `json:"create_time"`
	UpdateTime time.Time  `json:"update_time"`
}

type roleStatus struct {
	RoleID          string         `json:"role_id"`
	PostgresRole    string         `json:"postgres_role"`
	IdentityType    string         `json:"identity_type,omitempty"`
	AuthMethod      string         `json:"auth_method"`
	Attributes      roleAttributes `json:"attributes"`
	MembershipRoles []string       `json:"membership_roles,omitempty"`
}

type roleAttributes struct {
	BypassRLS  bool `json:"bypassrls"`
	CreateDB   bool `json:"createdb"`
	CreateRole bool `json:"createrole"`
}

// Values of the documents' enums that occur here.
const (
	readWrite = "ENDPOINT_TYPE_READ_WRITE"
	readOnly  = "ENDPOINT_TYPE_READ_ONLY"

	stateReady  = "READY"
	stateActive = "ACTIVE"
	stateIdle   = "IDLE"
)

// databaseDomain is where endpoints are: names that a client resolves to its own machine.
const databaseDomain = ".database.localhost"
