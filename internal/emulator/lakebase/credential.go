package lakebase

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// Grant is a credential that is to be minted for an endpoint.
type Grant struct {
	Endpoint string // projects/p/branches/b/endpoints/e
	Host     string // of the endpoint
	Claims   []Claim
	// Databases names the databases of the endpoint's branch as PostgreSQL knows them.
	Databases func() []string
}

// Claim is a right that a credential is limited to.
type Claim struct {
	PermissionSet string          `json:"permission_set,omitempty"`
	Resources     []ClaimResource `json:"resources,omitempty"`
}

// ClaimResource is what a claim is about.
type ClaimResource struct {
	TableName               string `json:"table_name,omitempty"`
	UnspecifiedResourceName string `json:"unspecified_resource_name,omitempty"`
}

// credentialRequest asks for a database credential.
type credentialRequest struct {
	Endpoint string  `json:"endpoint"`
	Claims   []Claim `json:"claims"`
}

// credentialAnswer is a password for PostgreSQL and when it expires.
type credentialAnswer struct {
	Token      string    `json:"token"`
	ExpireTime time.Time `json:"expire_time"`
}

// generateCredential mints a credential for an endpoint.
func (s *Service) generateCredential(req *Request) (any, error) {
	var wanted credentialRequest
	if err := json.Unmarshal(req.JSON, &wanted); err != nil {
		return nil, apierror.Invalid("The request cannot be read: %s", apierror.Printable(err.Error()))
	}
	if err := checkIDs(wanted.Endpoint); err != nil {
		return nil, err
	}
	if !s.alive(wanted.Endpoint) {
		if !s.CreateOnUse {
			return nil, s.missing(wanted.Endpoint)
		}
		if err := s.ensureEndpoint(wanted.Endpoint); err != nil {
			return nil, err
		}
	}
	it, _ := s.Collections.Get(wanted.Endpoint)
	var at company.Endpoint
	if err := json.Unmarshal(it.Data, &at); err != nil {
		return nil, err
	}
	token, expires, err := req.Mint(Grant{
		Endpoint: at.Name, Host: at.Status.Hosts.Host, Claims: wanted.Claims,
		Databases: func() []string { return s.databasesOf(wanted.Endpoint) },
	})
	if err != nil {
		return nil, err
	}
	return credentialAnswer{Token: token, ExpireTime: expires.UTC()}, nil
}

// databasesOf names the databases of an endpoint's branch as PostgreSQL knows them.
func (s *Service) databasesOf(endpoint string) []string {
	names := []string{}
	for _, it := range s.Collections.List(resource.Parent(resource.Parent(endpoint))+"/databases", "", resource.MaxItems, false) {
		var d company.Database
		if json.Unmarshal(it.Data, &d) == nil && d.Status.PostgresDatabase != "" {
			names = append(names, d.Status.PostgresDatabase)
		}
	}
	return names
}

// ensureEndpoint creates an endpoint that does not exist, and the resources above it. A new project
// has the branch production and its endpoint primary. A new branch has a database and a role.
func (s *Service) ensureEndpoint(name string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	segments := strings.Split(name, "/")
	projectName, branchName := strings.Join(segments[:2], "/"), strings.Join(segments[:4], "/")
	if it, ok := s.Collections.Get(projectName); ok && it.Deleted {
		return s.missing(name)
	}
	m := s.maker()
	if !s.exists(projectName) {
		m.project(projectName)
	}
	if !s.exists(branchName) {
		m.branch(branchName)
	}
	if s.exists(name) {
		return nil
	}
	kind := company.ReadWrite
	if slices.Contains(s.endpointTypes(branchName), company.ReadWrite) {
		kind = company.ReadOnly // a branch has one endpoint that writes
	}
	m.endpoint(name, kind)
	return nil
}

func (s *Service) endpointTypes(branchName string) []string {
	var types []string
	for _, it := range s.Collections.List(branchName+"/endpoints", "", 1000, false) {
		var e company.Endpoint
		if json.Unmarshal(it.Data, &e) == nil {
			types = append(types, e.Status.EndpointType)
		}
	}
	return types
}
