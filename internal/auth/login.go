package auth

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"

	"github.com/databricks/databricks-sdk-go/config"

	"github.com/lakeql/lakeql/provider"
)

// login is how one host is logged in to.
type login struct {
	chain  *Chain
	source *config.Config // what was configured

	mu    sync.Mutex
	ready *config.Config // the kind of credential that worked
}

// sign adds the credential to a request. The first time it finds the kind that works.
func (l *login) sign(r *http.Request) error {
	l.mu.Lock()
	ready := l.ready
	if ready != nil {
		l.mu.Unlock()
		return ready.Authenticate(r)
	}
	defer l.mu.Unlock() // others wait for the first login rather than log in as well
	var errs []error
	for _, kind := range kinds(l.source) {
		cfg := l.chain.newConfig()
		cfg.AuthType = kind
		cfg.Loaders = []config.Loader{copied{from: l.source}}
		err := cfg.Authenticate(r)
		if err == nil {
			l.ready = cfg
			return nil
		}
		errs = append(errs, err)
	}
	switch len(errs) {
	case 0:
		return errNone
	case 1:
		return errs[0]
	}
	return errors.Join(errs...)
}

// errNone is the error that nothing is configured to log in with.
var errNone = errors.New("none is configured")

// kinds names the kinds of credential that a configuration and the environment allow for, in the
// SDK's order of preference. The SDK's own chain tries them all, and asks the host for its OAuth
// endpoints on the way even when none of what would use them is there.
func kinds(cfg *config.Config) []string {
	if cfg.AuthType != "" {
		return []string{cfg.AuthType}
	}
	github := cfg.ActionsIDTokenRequestURL != "" && cfg.ActionsIDTokenRequestToken != ""
	candidates := []struct {
		kind     string
		possible bool
	}{
		{"pat", cfg.Token != ""},
		{"basic", cfg.Username != "" && cfg.Password != ""},
		{"oauth-m2m", cfg.ClientID != "" && cfg.ClientSecret != ""},
		{"databricks-cli", cfg.DatabricksCliPath != "" || hasCLI()},
		{"metadata-service", cfg.MetadataServiceURL != ""},
		{"github-oidc", github},
		{"azure-devops-oidc", os.Getenv("SYSTEM_OIDCREQUESTURI") != ""},
		{"env-oidc", cfg.OIDCTokenEnv != "" || os.Getenv("DATABRICKS_OIDC_TOKEN") != ""},
		{"file-oidc", cfg.OIDCTokenFilepath != ""},
		{"github-oidc-azure", github && cfg.IsAzure()},
		{"azure-msi", cfg.AzureUseMSI},
		{"azure-client-secret", cfg.AzureClientID != "" && cfg.AzureClientSecret != ""},
		{"azure-cli", cfg.IsAzure()},
		{"google-credentials", cfg.GoogleCredentials != ""},
		{"google-id", cfg.GoogleServiceAccount != ""},
	}
	var possible []string
	for _, c := range candidates {
		if c.possible {
			possible = append(possible, c.kind)
		}
	}
	if len(possible) > 0 && (possible[0] == "pat" || possible[0] == "basic" || possible[0] == "oauth-m2m") {
		return possible[:1] // meant to be used: another kind would only hide what is wrong with it
	}
	return possible
}

// configurationError words why a configuration cannot be read.
func configurationError(err error) error {
	return &provider.Error{
		Code:    provider.Unauthorized,
		Message: "read the Databricks configuration: " + provider.Printable(err.Error()),
		Err:     err,
	}
}

// authError words why a credential could not be had.
func authError(host Host, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return &provider.Error{
			Code:    provider.Network,
			Message: fmt.Sprintf("log in at %s: %v", host, op),
			Hint:    "check the deployment name or host, and that this machine can reach it",
			Err:     err,
		}
	}
	return &provider.Error{
		Code:    provider.Unauthorized,
		Message: fmt.Sprintf("no credential for %s: %s", host, provider.Printable(err.Error())),
		Hint:    "set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, or name a profile of ~/.databrickscfg with --profile; to try without an account, add --emulator",
		Err:     err,
	}
}

// hasCLI reports whether the Databricks CLI, which keeps the logins of people, is installed.
func hasCLI() bool {
	_, err := exec.LookPath("databricks")
	return err == nil
}
