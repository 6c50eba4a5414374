package auth

import (
	"errors"

	"github.com/lakeql/lakeql/provider"
)

// account finds the host of the account's API: the configured host if it serves the account, otherwise
// the account console of the cloud that the configured workspace is on. If no host is configured, it is
// the documented one.
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
	console := Host{scheme: "https", address: "accounts" + domain}
	if c.isUnified(configured) && (domain == "" || len(c.profiles()[console]) == 0) {
		return configured, nil
	}
	if domain == "" {
		return Host{}, provider.Usagef("the account's API is not at the configured host %s", configured).
			Hintf("set --host or DATABRICKS_HOST to the account console's host, such as https://%s; if %s serves the account too, set DATABRICKS_ACCOUNT_ID or account_id in the profile", documented, configured)
	}
	return console, nil
}

// isUnified reports whether the configuration describes a host that serves an account and its workspaces.
// Under a domain of Databricks, both ids say so: a workspace's own host needs no workspace id. A host of
// another domain has no account console beside it.
func (c *Chain) isUnified(host Host) bool {
	l, err := c.login(host)
	if err != nil || l.source.AccountID == "" {
		return false
	}
	return l.source.WorkspaceID != "" || domainOf(host.hostname()) == ""
}

// AccountID returns the configured account id; empty if none is configured.
func (c *Chain) AccountID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id := idsIn(c.options.Host).account; id != "" {
		return id
	}
	cfg, err := c.configured()
	if err != nil {
		return "" // whoever calls the account is told
	}
	return cfg.AccountID
}
