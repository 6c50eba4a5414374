package auth

import (
	"errors"

	"github.com/lakeql/lakeql/provider"
)

// account finds the host of the account's API: the configured one if it is such a host, or else
// that of the cloud which the configured workspace is on; documented where nothing is configured.
func (c *Chain) account(documented string) (Host, error) {
	configured, err := c.configuredHost()
	switch {
	case errors.Is(err, errNoHost):
		return ParseHost(documented) // a document cannot lead to a stranger either
	case err != nil:
		return Host{}, err
	case configured.isAccount():
		return configured, nil
	case isLoopback(configured.hostname()):
		return configured.workspaceAt("accounts"), nil
	}
	domain := domainOf(configured.hostname())
	if domain == "" {
		return Host{}, provider.Usagef("the account's API is not at the configured host %s", configured).
			Hintf("set --host or DATABRICKS_HOST to the account console's host, such as https://%s", documented)
	}
	return Host{scheme: "https", address: "accounts" + domain}, nil
}

// AccountID is the account that is configured; empty where there is none.
func (c *Chain) AccountID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	cfg, err := c.configured()
	if err != nil {
		return "" // whoever calls the account is told
	}
	return cfg.AccountID
}
