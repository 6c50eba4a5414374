package emulator

import (
	"encoding/json"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/pgserver"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// credentialRequest asks for a database credential. Its shape was checked by the documents.
type credentialRequest struct {
	Endpoint string  `json:"endpoint"`
	Claims   []Claim `json:"claims"`
}

// credentialAnswer is a password for Postgres, good until the time it says.
type credentialAnswer struct {
	Token      string    `json:"token"`
	ExpireTime time.Time `json:"expire_time"`
}

// generateCredential gives a signed token for an endpoint; [Emulator.Verify] reads it.
func generateCredential(c *call) (any, error) {
	var wanted credentialRequest
	if err := json.Unmarshal(c.body, &wanted); err != nil {
		return nil, apierror.Invalid("The request cannot be read: %s", apierror.Printable(err.Error()))
	}
	if err := checkIDs(wanted.Endpoint); err != nil {
		return nil, err
	}
	if !c.workspace.alive(wanted.Endpoint) {
		if !c.emulator.opts.CreateOnUse {
			return nil, c.workspace.missing(wanted.Endpoint)
		}
		if err := c.ensureEndpoint(wanted.Endpoint); err != nil {
			return nil, err
		}
	}
	it, _ := c.workspace.collections.Get(wanted.Endpoint)
	var at company.Endpoint
	if err := json.Unmarshal(it.Data, &at); err != nil {
		return nil, err
	}
	token, expires := c.emulator.access.keys.sign(typeCredential, tokenClaims{
		Issuer: c.base, Subject: c.subject, Audience: at.Status.Hosts.Host, Endpoint: at.Name, Claims: wanted.Claims,
	}, c.emulator.opts.Clock())
	if server := c.emulator.pgserver; server != nil {
		if err := server.Admit(c.ctx, pgserver.Login{Identity: c.subject, Token: token, Expires: expires, Databases: c.databasesOf(wanted.Endpoint)}); err != nil {
			return nil, err
		}
	}
	return credentialAnswer{Token: token, ExpireTime: expires.UTC()}, nil
}

// databasesOf names the databases of an endpoint's branch as PostgreSQL knows them.
func (c *call) databasesOf(endpoint string) []string {
	names := []string{}
	for _, it := range c.workspace.collections.List(resource.Parent(resource.Parent(endpoint))+"/databases", "", resource.MaxItems, false) {
		var d company.Database
		if json.Unmarshal(it.Data, &d) == nil && d.Status.PostgresDatabase != "" {
			names = append(names, d.Status.PostgresDatabase)
		}
	}
	return names
}
