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
	Lifetime time.Duration // 0: the longest
	// Databases names the databases of the endpoint's branch as PostgreSQL knows them.
	Databases func() []string
}

// Claim is a right that a credential is limited to.
type Claim struct {
	PermissionSet string          `json:"permission_set,omitempty"`
	Resources     []ClaimResource `json:"resources,omitempty"`
}

// ClaimResource is the resource of a claim.
type ClaimResource struct {
	TableName               string `json:"table_name,omitempty"`
	UnspecifiedResourceName string `json:"unspecified_resource_name,omitempty"`
}

// credentialRequest asks for a database credential.
type credentialRequest struct {
	Endpoint   string    `json:"endpoint"`
	Claims     []Claim   `json:"claims"`
	ExpireTime time.Time `json:"expire_time"`
	TTL        string    `json:"ttl"`
}

// The lifetimes that a request may ask for.
const minLifetime, maxLifetime = 5 * time.Minute, time.Hour

// lifetime returns how long a credential is to be valid, and 0 if the request does not say. Of ttl
// and expire_time the one that ends first counts: the documents allow both.
func (c *credentialRequest) lifetime(now time.Time) (time.Duration, error) {
	wanted := time.Duration(0)
	if c.TTL != "" {
		wanted, _ = time.ParseDuration(c.TTL) // the documents' format was checked
		if wanted < minLifetime || wanted > maxLifetime {
			return 0, apierror.Invalid("ttl must be from 300s to 3600s, not %s.", apierror.Printable(c.TTL))
		}
	}
	if !c.ExpireTime.IsZero() {
		left := c.ExpireTime.Sub(now)
		if left < minLifetime || left > maxLifetime {
			return 0, apierror.Invalid("expire_time must be from 300s to 3600s after now, %s, not %s.", now.UTC().Format(time.RFC3339), c.ExpireTime.UTC().Format(time.RFC3339))
		}
		if wanted == 0 || left < wanted {
			wanted = left
		}
	}
	return wanted, nil
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
	lifetime, err := wanted.lifetime(s.Clock())
	if err != nil {
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
		Endpoint: at.Name, Host: at.Status.Hosts.Host, Claims: wanted.Claims, Lifetime: lifetime,
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
// has the branch production and its endpoint primary. A new branch has the databases and roles of
// its source.
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
		s.newProject(m, projectName)
	}
	if !s.exists(branchName) { // the endpoint that is asked for is made below, in place of its primary one
		s.newBranch(m, branchName, s.defaultBranch(projectName))
	}
	if s.exists(name) {
		return nil
	}
	kind := company.ReadWrite
	if slices.Contains(s.endpointTypes(branchName), company.ReadWrite) {
		kind = company.ReadOnly // a branch has one endpoint that writes
	}
	s.newEndpoint(m, name, kind)
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
