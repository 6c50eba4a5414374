package auth

import (
	"net/http"
	"os"

	"github.com/lakeql/lakeql/provider"
)

// configFile is the configuration file that the environment names; empty for the usual one.
func configFile() string { return os.Getenv("DATABRICKS_CONFIG_FILE") }

// Static sends every call to one host with one token: an emulator in the same process.
type Static struct {
	// Account is the id of the account that the host serves; empty: none.
	Account string

	host  Host
	token provider.Secret
}

// AccountID is the account's id.
func (s *Static) AccountID() string { return s.Account }

// NewStatic makes an authorizer for a host, which plain http is for only on this machine.
func NewStatic(host string, token provider.Secret) (*Static, error) {
	parsed, err := parseConfigured(host)
	if err != nil {
		return nil, err
	}
	return &Static{host: parsed, token: token}, nil
}

// Direct sets the scheme and host of a request. A deployment name selects a workspace at the host; an
// invalid one is an error, as in [Chain.Direct].
func (s *Static) Direct(r *http.Request, deployment string) error {
	host := s.host
	if deployment != "" {
		workspace, err := ParseHost(deployment)
		if err != nil {
			return err
		}
		host = host.workspaceAt(workspace.firstLabel())
	}
	r.URL.Scheme, r.URL.Host, r.Host = host.scheme, host.address, host.name
	return nil
}

// Authorize adds the token.
func (s *Static) Authorize(r *http.Request) error {
	r.Header.Set("Authorization", "Bearer "+s.token.Reveal())
	return nil
}
