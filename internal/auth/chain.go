package auth

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/databricks/databricks-sdk-go/config"

	"github.com/lakeql/lakeql/provider"
)

// Options say where credentials come from. The zero value is the SDK's default: environment
// variables, then the default profile of ~/.databrickscfg.
type Options struct {
	// Profile names a profile of the configuration file, which then is the only source.
	Profile string
	// Host is the workspace for calls without a deployment name. If it is empty, the host that is
	// configured with the credential is called.
	Host string
	// Transport sends the requests for OAuth tokens. Nil means [http.DefaultTransport].
	Transport http.RoundTripper
}

// Chain finds the credential for each host, once, when it is first needed. It may be used by
// several goroutines.
type Chain struct {
	options   Options
	transport http.RoundTripper // for OAuth tokens

	mu     sync.Mutex
	base   *config.Config // as configured, wherever its host is
	hosts  map[Host]*login
	byHost map[Host][]profile // the configuration file's profiles
}

// NewChain makes a chain. It reads nothing: a statement that makes no call needs no credential.
func NewChain(options Options) *Chain {
	transport := options.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &Chain{options: options, transport: guarded{transport}, hosts: map[Host]*login{}}
}

// Direct sets the scheme and host of a request for a deployment name; see [ParseHost]. An empty
// one means the configured host. A request for a workspace also gets the workspace's id, if one is
// configured.
func (c *Chain) Direct(r *http.Request, deployment string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var host Host
	var err error
	ofAccount := r.URL.Host != "" // the document's own host, which has no deployment name
	if ofAccount {
		host, err = c.account(r.URL.Host)
	} else {
		host, err = c.resolve(deployment)
	}
	if err != nil {
		return err
	}
	r.URL.Scheme, r.URL.Host, r.Host = host.scheme, host.address, host.name
	if !ofAccount {
		c.identify(r, host)
	}
	return nil
}

// workspaceHeader has the id of the workspace that a request is for, as the official SDK sends it.
// One host may serve all workspaces of an account.
const workspaceHeader = "X-Databricks-Workspace-Id"

// identify adds the id of the workspace that is configured with the credential for a host. Authorize
// reports a host without a credential.
func (c *Chain) identify(r *http.Request, host Host) {
	if l, err := c.login(host); err == nil && l.source.WorkspaceID != "" {
		r.Header.Set(workspaceHeader, l.source.WorkspaceID)
	}
}

// resolve finds the host for a deployment name. A label that is the configured host's first one,
// or a profile's, means that host, whatever cloud it is on.
func (c *Chain) resolve(deployment string) (Host, error) {
	if deployment == "" {
		return c.configuredHost()
	}
	host, err := ParseHost(deployment)
	if err != nil {
		return Host{}, err
	}
	if strings.Contains(deployment, ".") {
		return host, nil
	}
	configured, err := c.configuredHost()
	switch {
	case errors.Is(err, errNoHost): // the label alone says it
	case err != nil:
		return Host{}, err
	case isLoopback(configured.hostname()):
		return configured.workspaceAt(host.firstLabel()), nil
	case configured.firstLabel() == host.firstLabel():
		return configured, nil
	}
	return c.profileHost(host)
}

// configuredHost is the host for calls without a deployment name.
func (c *Chain) configuredHost() (Host, error) {
	if c.options.Host != "" {
		return parseConfigured(c.options.Host)
	}
	base, err := c.configured()
	if err != nil {
		return Host{}, err
	}
	if base.Host == "" {
		return Host{}, provider.Errorf(provider.Unauthorized, "no workspace to call: the statement has no deployment_name, and no host is configured").
			Hintf("add @deployment_name = '…', or --host, or --profile, or set DATABRICKS_HOST; to try without an account, add --emulator").
			Because(errNoHost)
	}
	return parseConfigured(base.Host)
}

// errNoHost is the cause of an error where no host is configured.
var errNoHost = errors.New("no host is configured")

// configured reads the configuration without any call over the network.
func (c *Chain) configured() (*config.Config, error) {
	if c.base != nil {
		return c.base, nil
	}
	cfg := c.newConfig()
	if c.options.Profile != "" {
		if _, err := config.LoadFile(configFile()); errors.Is(err, fs.ErrNotExist) { // the SDK goes on without
			return nil, configurationError(err)
		}
		cfg.Profile = c.options.Profile
		cfg.ConfigFile = configFile()
		cfg.Loaders = []config.Loader{config.ConfigFile}
	}
	if err := resolve(cfg); err != nil {
		return nil, err
	}
	if err := separate(cfg); err != nil {
		return nil, err
	}
	c.base = cfg
	return cfg, nil
}

// newConfig makes a configuration that does not ask the host for its description, because most calls do
// not need it.
func (c *Chain) newConfig() *config.Config {
	return &config.Config{
		HostMetadataResolver: func(context.Context, string) (*config.HostMetadata, error) { return nil, nil }, //nolint:nilnil // the SDK's way to say unknown
		HTTPTransport:        c.transport,
		HTTPTimeoutSeconds:   tokenTimeoutSeconds,
		RetryTimeoutSeconds:  tokenTimeoutSeconds,
	}
}

// resolve reads a configuration.
func resolve(cfg *config.Config) error {
	if len(cfg.Loaders) == 0 { // the SDK's own
		cfg.Loaders = []config.Loader{config.ConfigAttributes, config.ConfigFile}
	}
	sources := cfg.Loaders // which say where a configuration comes from
	defer func() { cfg.Loaders = sources }()
	cfg.Loaders = append(slices.Clip(sources), hostCheck{})
	if err := cfg.EnsureResolved(); err != nil {
		return configurationError(redact(err, cfg))
	}
	return nil
}

// tokenTimeoutSeconds bounds how long fetching an OAuth token may take, repetitions included.
const tokenTimeoutSeconds = 10

// Authorize adds the credential for the request's host.
func (c *Chain) Authorize(r *http.Request) error {
	host := Host{scheme: r.URL.Scheme, address: r.URL.Host}
	c.mu.Lock()
	l, err := c.login(host)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	// The SDK fetches tokens without regard to the request's context. The copy keeps a late
	// answer from writing to a request that was given up.
	signed := &http.Request{Method: r.Method, URL: r.URL, Host: r.Host, Header: http.Header{}}
	done := make(chan error, 1)
	go func() { done <- l.sign(signed) }() // ends by itself: every call in it has a time-out
	select {
	case <-r.Context().Done():
		return context.Cause(r.Context())
	case err := <-done:
		if err != nil {
			return l.failed(host, err)
		}
	}
	for name, values := range signed.Header {
		r.Header[name] = values
	}
	return nil
}

// login returns the login to a host, made when the host is first called. The caller holds the lock.
func (c *Chain) login(host Host) (*login, error) {
	host = host.server()
	if l, ok := c.hosts[host]; ok {
		return l, nil
	}
	cfg, err := c.find(host)
	if err != nil {
		return nil, err
	}
	if ids := c.idsOfFlag(host); ids != (hostIDs{}) {
		cfg.WorkspaceID, cfg.AccountID = cmp.Or(ids.workspace, cfg.WorkspaceID), cmp.Or(ids.account, cfg.AccountID)
	}
	if err := resolve(cfg); err != nil {
		return nil, err
	}
	l := &login{chain: c, source: cfg}
	c.hosts[host] = l
	return l, nil
}

// find searches for a credential: first one that is configured for this host, then one that may serve
// any host.
func (c *Chain) find(host Host) (*config.Config, error) {
	base, err := c.configured()
	if err != nil {
		return nil, err
	}
	var baseHost Host
	if base.Host != "" {
		if baseHost, err = parseConfigured(base.Host); err != nil {
			return nil, err
		}
		baseHost = baseHost.server()
	}
	wanted := c.idsOfFlag(host).workspace
	named, isNamed := c.profileOf(host, wanted)
	switch {
	case baseHost == host && isNamed && base.WorkspaceID != wanted && !c.hasChosen():
		return c.fromProfile(named), nil // the default profile is for another workspace of the host
	case baseHost == host && (hasCredential(base) || base.Profile != "" || base.AuthType != ""):
		return base, nil // told to, as by a profile for the CLI's login that shares its host with another
	case base.Host == "" && hasCredential(base): // configured without a host
		return c.copyFor(base, host), nil
	case len(c.profiles()[host]) > 0:
		if baseHost == host {
			wanted = cmp.Or(wanted, base.WorkspaceID)
		}
		name, err := c.chooseProfile(host, wanted)
		if err != nil {
			return nil, err
		}
		cfg := c.fromProfile(name)
		if baseHost == host {
			addSettings(cfg, base)
		}
		return cfg, nil
	case baseHost == host:
		return base, nil
	case base.Host == "":
		return c.copyFor(base, host), nil
	case servesMany(base, baseHost, host):
		return c.copyFor(base, host, "account_id"), nil // a workspace's own host does not need it
	}
	return nil, provider.Errorf(provider.Unauthorized, "no credential for %s: the configured one is for %s and is not sent to another host", host, baseHost).
		Hintf("add a profile with host = %s to ~/.databrickscfg, or configure that host's own credential", host)
}

// hasCredential reports whether anything of a configuration could serve to log in.
func hasCredential(cfg *config.Config) bool {
	for _, attribute := range config.ConfigAttributes {
		if attribute.HasAuthAttribute() && !attribute.IsZero(cfg) {
			return true
		}
	}
	return false
}

// servesMany reports whether a credential is that of an account's OAuth client, which may serve
// the workspaces of the account. They are under the same domain.
func servesMany(cfg *config.Config, account, workspace Host) bool {
	domain := domainOf(account.hostname())
	return account.isAccount() && slices.Equal(kinds(cfg), []string{"oauth-m2m"}) &&
		domain != "" && domain == domainOf(workspace.hostname())
}

// copyFor returns the same credential for another host, without the attributes to skip. The id of a
// workspace comes along, as in the official SDK, which sends the configured one to every host.
func (c *Chain) copyFor(base *config.Config, host Host, skip ...string) *config.Config {
	cfg := c.newConfig()
	cfg.Host = host.String()
	cfg.Loaders = []config.Loader{copied{from: base, skip: append(skip, "azure_workspace_resource_id", "profile")}}
	return cfg
}

// copied is a loader that takes every attribute that is still open from another configuration.
type copied struct {
	from *config.Config
	skip []string
}

func (copied) Name() string { return "copied" }

func (l copied) Configure(cfg *config.Config) error {
	for _, attribute := range config.ConfigAttributes {
		if slices.Contains(l.skip, attribute.Name) || !attribute.IsZero(cfg) || attribute.IsZero(l.from) {
			continue
		}
		if err := attribute.SetS(cfg, attribute.GetString(l.from)); err != nil {
			return err
		}
	}
	return nil
}
