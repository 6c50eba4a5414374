package auth

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"github.com/databricks/databricks-sdk-go/config"

	"github.com/lakeql/lakeql/provider"
)

// login is how one host is logged in to.
type login struct {
	chain  *Chain
	source *config.Config // what was configured

	mu       sync.Mutex
	ready    *config.Config       // the kind of credential that worked
	metadata *config.HostMetadata // what the host says about itself, once it was asked
}

// sign adds the credential to a request. The first time it finds the kind that works.
func (l *login) sign(r *http.Request) error {
	l.mu.Lock()
	ready := l.ready
	if ready != nil {
		l.mu.Unlock()
		return redact(ready.Authenticate(r), ready)
	}
	defer l.mu.Unlock() // others wait for the first login rather than log in as well
	var errs []error
	for _, kind := range kinds(l.source) {
		cfg := l.chain.newConfig()
		cfg.AuthType = kind
		cfg.Loaders = []config.Loader{copied{from: l.source}}
		err := l.describe(cfg)
		if err == nil {
			err = cfg.Authenticate(r)
		}
		if err == nil {
			l.ready = cfg
			return nil
		}
		errs = append(errs, withCode(redact(err, cfg), err))
	}
	switch len(errs) {
	case 0:
		return errNone
	case 1:
		return errs[0]
	}
	return errors.Join(errs...)
}

// describe lets the SDK read the host's description if the host may serve an account and its workspaces:
// an OAuth client then logs in at the account's endpoint. Such a host needs an id in each call, so
// describe asks only if an id is configured. Tokens and passwords need no endpoint. A host that does not
// answer is an error; a host without a description is not.
func (l *login) describe(cfg *config.Config) error {
	host, err := parseConfigured(l.source.Host)
	if err != nil || host.isAccount() || l.source.AccountID == "" && l.source.WorkspaceID == "" ||
		slices.Contains([]string{"pat", "basic", "databricks-cli", "metadata-service"}, cfg.AuthType) {
		return nil //nolint:nilerr // Authenticate reports a wrong host
	}
	var unreachable error
	cfg.HostMetadataResolver = func(ctx context.Context, host string) (*config.HostMetadata, error) {
		if l.metadata != nil {
			return l.metadata, nil
		}
		metadata, err := cfg.DefaultHostMetadataResolver()(ctx, host)
		if _, ok := errors.AsType[*net.OpError](err); ok || err != nil && timedOut(err) {
			unreachable = err
		}
		l.metadata = metadata
		return metadata, err
	}
	if err := cfg.EnsureResolved(); err != nil {
		return err
	}
	return unreachable
}

// errNone is the error that nothing is configured to log in with.
var errNone = errors.New("none is configured")

// isAzure reports whether a configuration is one of Azure. The SDK's method writes the host anew, which
// other calls may read at that time, so it gets a copy of what it looks at.
func isAzure(cfg *config.Config) bool {
	return (&config.Config{
		Host: cfg.Host, Cloud: cfg.Cloud, DatabricksEnvironment: cfg.DatabricksEnvironment,
		AzureResourceID: cfg.AzureResourceID, AzureEnvironment: cfg.AzureEnvironment,
	}).IsAzure()
}

// kinds names the kinds of credential that the configuration and the environment allow, in the SDK's
// order of preference. The SDK's own chain tries all kinds. On the way it asks the host for its OAuth
// endpoints, even if no kind that needs them is configured.
func kinds(cfg *config.Config) []string {
	if cfg.AuthType != "" {
		return []string{cfg.AuthType}
	}
	environment := !onlyProfile(cfg) // or variables meant for another host would mix in
	github := cfg.ActionsIDTokenRequestURL != "" && cfg.ActionsIDTokenRequestToken != ""
	candidates := []struct {
		kind     string
		possible bool
	}{
		{"pat", cfg.Token != ""},
		{"basic", cfg.Username != "" && cfg.Password != ""},
		{"oauth-m2m", cfg.ClientID != "" && cfg.ClientSecret != ""},
		{"databricks-cli", cfg.DatabricksCliPath != "" || installed("databricks")},
		{"metadata-service", cfg.MetadataServiceURL != ""},
		{"github-oidc", github},
		{"azure-devops-oidc", environment && os.Getenv("SYSTEM_OIDCREQUESTURI") != ""},
		{"env-oidc", cfg.OIDCTokenEnv != "" || environment && os.Getenv("DATABRICKS_OIDC_TOKEN") != ""},
		{"file-oidc", cfg.OIDCTokenFilepath != ""},
		{"github-oidc-azure", github && isAzure(cfg)},
		{"azure-msi", cfg.AzureUseMSI},
		{"azure-client-secret", cfg.AzureClientID != "" && cfg.AzureClientSecret != ""},
		{"azure-cli", isAzure(cfg) && installed("az")},
		{"google-credentials", cfg.GoogleCredentials != ""},
		{"google-id", cfg.GoogleServiceAccount != ""},
	}
	var possible []string
	for _, c := range candidates {
		if c.possible {
			possible = append(possible, c.kind)
		}
	}
	if cfg.GroupID != "" {
		able := slices.DeleteFunc(slices.Clone(possible), func(kind string) bool { return !assumesGroup(kind) })
		if len(able) > 0 {
			possible = able // the SDK refuses the others
		}
	}
	if len(possible) > 0 && (possible[0] == "pat" || possible[0] == "basic" || possible[0] == "oauth-m2m") {
		return possible[:1] // meant to be used: another kind would only hide what is wrong with it
	}
	return possible
}

// assumesGroup reports whether a kind of credential can take the role of a group: the kinds that get
// their token from Databricks' own OAuth endpoints.
func assumesGroup(kind string) bool {
	return slices.Contains([]string{"oauth-m2m", "github-oidc", "azure-devops-oidc", "env-oidc", "file-oidc"}, kind)
}

// onlyProfile reports whether a configuration comes from a profile alone, without the environment.
func onlyProfile(cfg *config.Config) bool {
	if len(cfg.Loaders) != 1 {
		return false
	}
	if copy, ok := cfg.Loaders[0].(copied); ok {
		return onlyProfile(copy.from)
	}
	return cfg.Loaders[0] == config.Loader(config.ConfigFile)
}

// configurationError words why a configuration cannot be read.
func configurationError(err error) error {
	file, broken := config.LoadFile(configFile())
	if _, unread := errors.AsType[*fs.PathError](broken); broken != nil && !unread {
		// The SDK's error repeats a line of the file, and that line may hold a token.
		return provider.Errorf(provider.Unauthorized, "read the Databricks configuration: %s has a line that is neither a [profile] nor key = value", cmp.Or(configFile(), "~/.databrickscfg"))
	}
	if ours, ok := errors.AsType[*provider.Error](err); ok {
		return ours // without what the SDK adds: the whole configuration
	}
	wrong := provider.Errorf(provider.Unauthorized, "read the Databricks configuration: %s", brief(err)).
		Because(err)
	if broken == nil && os.Getenv("DATABRICKS_CONFIG_PROFILE") == "" {
		if name := defaultProfile(file); name != "" && !file.HasSection(name) {
			return wrong.Hintf("default_profile in [%s] of %s names a profile that does not exist: %s", settingsSection, file.Path(), provider.Quote(name))
		}
	}
	return wrong
}

// failed words why a credential could not be had.
func (l *login) failed(host Host, err error) error {
	op, unreachable := errors.AsType[*net.OpError](err)
	if unreachable || timedOut(err) {
		reason := "no answer in time"
		if unreachable {
			reason = brief(op)
		}
		return provider.Errorf(provider.Network, "log in at %s: %s", host, reason).
			Hintf("check the deployment name or host, and that this machine can reach it").
			Because(err)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return provider.Errorf(provider.Network, "log in at %s: %s", host, brief(err)).
			Hintf("check the host; if a proxy on the way has certificates of its own, name those of its authority with --tls.CABundle FILE").
			Because(err)
	}
	return provider.Errorf(provider.Unauthorized, "no credential for %s: %s", host, brief(err)).
		Hintf("%s", l.remedy(err)).
		Because(err)
}

// remedy returns a hint for a login that failed.
func (l *login) remedy(err error) string {
	cfg := l.source
	first, second, group := "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_GROUP_ID"
	if onlyProfile(cfg) {
		first, second, group = "client_id", "client_secret", "group_id"
	}
	switch {
	case cfg.GroupID != "" && !slices.ContainsFunc(kinds(cfg), assumesGroup):
		return fmt.Sprintf("%s asks for the role of a group, which only an OAuth client or a workload identity can take: set %s and %s, or remove %s", group, first, second, group)
	case !errors.Is(err, errNone):
		by, _ := errors.AsType[refused](err)
		for _, known := range refusals {
			if known.code == by.code {
				return fmt.Sprintf(known.hint, first, second)
			}
		}
		return "a credential is configured, and logging in with it failed: check it, and that it is for this host"
	case cfg.ClientID != "" && cfg.ClientSecret == "":
		return first + " is set, and " + second + " is not: set both"
	case cfg.ClientID == "" && cfg.ClientSecret != "":
		return second + " is set, and " + first + " is not: set both"
	case onlyProfile(cfg):
		return fmt.Sprintf("the profile %s of %s has no credential, and with a profile none is taken from the environment: add token, or client_id and client_secret, to the profile",
			provider.Quote(profileOf(cfg)), cmp.Or(configFile(), "~/.databrickscfg"))
	}
	return "set DATABRICKS_TOKEN, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, or name a profile of ~/.databrickscfg with --profile; to try without an account, add --emulator"
}

// refusals are the OAuth codes (RFC 6749 §5.2) with which a host refuses a client, each with a hint. The
// hint takes the names of the client's id and secret.
var refusals = []struct{ code, hint string }{
	{"invalid_client", "the host does not accept the OAuth client: the value of %s or %s is wrong, or the secret has expired or was deleted"},
	{"unauthorized_client", "the OAuth client of %s and %s may not log in at this host: add the service principal to the workspace or account"},
	{"invalid_scope", "the OAuth client of %s and %s may not have the scope that was asked for"},
	{"invalid_grant", "the host does not accept this login any more: log in again (databricks auth login), or set %s and %s"},
}

// profileOf returns the name of the profile that a configuration is read from.
func profileOf(cfg *config.Config) string {
	if from, ok := cfg.Loaders[0].(copied); ok {
		return profileOf(from.from)
	}
	return cfg.Profile
}

// refused is an error by which a host refused a client, with the code of OAuth in it, which a mask may
// have hidden.
type refused struct {
	error
	code string
}

func (e refused) Unwrap() error { return e.error }

// withCode keeps the code of OAuth that is in an error, for the error with its secrets masked.
func withCode(masked, err error) error {
	for _, known := range refusals {
		if strings.Contains(err.Error(), known.code) {
			return refused{masked, known.code}
		}
	}
	return masked
}

// timedOut reports whether a login failed because the host did not answer. The SDK reports its own
// time-out only in words.
func timedOut(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) ||
		strings.Contains(err.Error(), fmt.Sprintf("request timed out after %ds of inactivity", tokenTimeoutSeconds))
}

// brief shortens the text of an error for a message. The text may be a whole page.
func brief(err error) string {
	const limit = 800
	text := []rune(provider.Printable(err.Error()))
	if len(text) > limit {
		return string(text[:limit]) + "…"
	}
	return string(text)
}

// installed reports whether a CLI that keeps the logins of people is there to be asked: the SDK calls
// the host before it finds that Azure's is not.
func installed(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}
