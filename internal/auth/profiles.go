package auth

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/databricks/databricks-sdk-go/config"

	"github.com/lakeql/lakeql/provider"
)

// settingsSection is the section of the configuration file that holds settings of tools, and is not a
// profile. Its key default_profile names the profile that is used if no other one is chosen.
const settingsSection = "__settings__"

// profile is a profile of the configuration file. Several profiles may share a host that serves all
// workspaces of an account; the workspace id distinguishes them.
type profile struct {
	name        string
	workspaceID string
}

// profiles returns the configuration file's profiles by host: the default profile first, the others in
// the order of the file. The caller holds the lock.
func (c *Chain) profiles() map[Host][]profile {
	if c.byHost != nil {
		return c.byHost
	}
	c.byHost = map[Host][]profile{}
	file, err := config.LoadFile(configFile())
	if err != nil {
		return c.byHost // there is no file, or the SDK reports its mistake when the file is needed
	}
	preferred := defaultProfile(file)
	for _, section := range file.Sections() {
		keys := section.KeysHash() // without those of other sections, as the SDK reads them
		host, err := parseConfigured(keys["host"])
		if err != nil || section.Name() == settingsSection {
			continue
		}
		server := host.server()
		found := profile{section.Name(), cmp.Or(keys["workspace_id"], idsIn(keys["host"]).workspace)}
		if found.name == preferred {
			c.byHost[server] = slices.Insert(c.byHost[server], 0, found)
		} else {
			c.byHost[server] = append(c.byHost[server], found)
		}
	}
	return c.byHost
}

// Profiles lists the names of the configuration file's profiles in its order; none if it cannot be read.
func Profiles() []string {
	file, err := config.LoadFile(configFile())
	if err != nil {
		return nil
	}
	var names []string
	for _, section := range file.Sections() {
		if section.Name() != settingsSection && len(section.KeysHash()) > 0 {
			names = append(names, section.Name())
		}
	}
	return names
}

// defaultProfile returns the profile that the file itself selects; empty if it selects none.
func defaultProfile(file *config.File) string {
	if !file.HasSection(settingsSection) {
		return ""
	}
	return strings.TrimSpace(file.Section(settingsSection).KeysHash()["default_profile"])
}

// hasChosen reports whether the user named a profile.
func (c *Chain) hasChosen() bool {
	return c.options.Profile != "" || os.Getenv("DATABRICKS_CONFIG_PROFILE") != ""
}

// profileOf returns the profile for a workspace of a host.
func (c *Chain) profileOf(host Host, workspaceID string) (name string, ok bool) {
	for _, p := range c.profiles()[host] {
		if workspaceID != "" && p.workspaceID == workspaceID {
			return p.name, true
		}
	}
	return "", false
}

// chooseProfile returns the profile that supplies the credential for a host that has profiles. Without a
// workspace id, profiles of several workspaces are an error: each would call another workspace.
func (c *Chain) chooseProfile(host Host, workspaceID string) (string, error) {
	if name, ok := c.profileOf(host, workspaceID); ok {
		return name, nil
	}
	known := c.profiles()[host]
	if workspaceID != "" {
		return known[0].name, nil
	}
	for _, p := range known[1:] {
		if p.workspaceID != known[0].workspaceID {
			return "", provider.Usagef("%s serves several workspaces: the profiles %s and %s of %s have different ids for it", host,
				provider.Quote(known[0].name), provider.Quote(p.name), cmp.Or(configFile(), "~/.databrickscfg")).
				Hintf("choose one by --profile, or by --host '%s/?w=<workspace id>'", host)
		}
	}
	return known[0].name, nil
}

// fromProfile makes a configuration from a profile alone: variables meant for another host stay out.
func (c *Chain) fromProfile(name string) *config.Config {
	cfg := c.newConfig()
	cfg.Profile = name
	cfg.ConfigFile = configFile()
	cfg.Loaders = []config.Loader{config.ConfigFile}
	return cfg
}

// addSettings copies the attributes that are not part of a credential, such as the ids of workspace,
// account and group, from another configuration of the same host.
func addSettings(cfg, from *config.Config) {
	for _, attribute := range config.ConfigAttributes {
		if attribute.HasAuthAttribute() || !attribute.IsZero(cfg) || attribute.IsZero(from) || attribute.Name == "host" {
			continue
		}
		_ = attribute.SetS(cfg, attribute.GetString(from)) // the text comes from a value of the same type
	}
}

// hostIDs are the ids in a host's query. Databricks writes them into the addresses of workspaces on a host
// that serves several: https://acme.databricks.com/?o=1234567890123456.
type hostIDs struct{ workspace, account string }

// idsIn reads the ids in a host's query as the official SDK reads them.
func idsIn(host string) hostIDs {
	cfg := &config.Config{Host: host}
	_ = cfg.CanonicalHostName() // the host is not needed here
	return hostIDs{cfg.WorkspaceID, cfg.AccountID}
}

// idsOfFlag returns the ids in the query of the host that Options name, if that is this host. They go
// before ids of the environment and of profiles, as that host goes before theirs.
func (c *Chain) idsOfFlag(host Host) hostIDs {
	if c.options.Host == "" {
		return hostIDs{}
	}
	if flag, err := parseConfigured(c.options.Host); err != nil || flag.server() != host {
		return hostIDs{}
	}
	return idsIn(c.options.Host)
}

// profileHost returns the host that a label means among the profiles of the configuration file;
// the label's own where it means none of them.
func (c *Chain) profileHost(host Host) (Host, error) {
	var found []Host
	for known := range c.profiles() {
		switch {
		case known.firstLabel() != host.firstLabel() || domainOf(known.hostname()) == "":
		case known == host:
			return host, nil
		default:
			found = append(found, known)
		}
	}
	switch len(found) {
	case 0:
		return host, nil
	case 1:
		return found[0], nil
	}
	return Host{}, provider.Usagef("deployment_name: %s may mean several hosts of ~/.databrickscfg", provider.Quote(host.firstLabel())).
		In("deployment_name").
		Hintf("give the whole host")
}

// separate keeps the credential of a profile from the host of DATABRICKS_HOST, where that is
// another one than the profile's: the SDK takes each attribute from the environment first, then
// from the profile that DATABRICKS_CONFIG_PROFILE names.
func separate(cfg *config.Config) error {
	if cfg.Profile == "" {
		return nil
	}
	file, err := config.LoadFile(configFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil // so there is no such profile, and the credential is the environment's
	}
	if err != nil {
		return configurationError(err)
	}
	own, err := parseConfigured(file.Section(cfg.Profile).KeysHash()["host"])
	if err != nil {
		return nil //nolint:nilerr // a profile without a host of its own says nothing about where it may go
	}
	if host, err := parseConfigured(cfg.Host); err != nil || host.server() == own.server() {
		return err
	}
	inEnvironment := 0
	for _, attribute := range config.ConfigAttributes {
		if !attribute.HasAuthAttribute() || attribute.IsZero(cfg) {
			continue
		}
		if value, _ := attribute.ReadEnv(); value == "" {
			inEnvironment = 0
			break
		}
		inEnvironment++
	}
	if inEnvironment == 0 {
		return provider.Errorf(provider.Unauthorized, "the credential of profile %s is for %s and is not sent to the host in DATABRICKS_HOST", provider.Quote(cfg.Profile), own).
			Hintf("unset DATABRICKS_HOST or DATABRICKS_CONFIG_PROFILE")
	}
	cfg.Profile = "" // the credential is the environment's, as the host is
	return nil
}
