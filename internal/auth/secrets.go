package auth

import (
	"cmp"
	"context"
	"os"
	"strings"

	"github.com/databricks/databricks-sdk-go/config"
	"github.com/databricks/databricks-sdk-go/logger"

	"github.com/lakeql/lakeql/provider"
)

// redact masks the secrets of a configuration in an error. A server may repeat a secret to explain its
// mistake.
func redact(err error, cfg *config.Config) error {
	if err == nil {
		return nil
	}
	secrets := secretsOf(cfg)
	if token := os.Getenv(cmp.Or(cfg.OIDCTokenEnv, "DATABRICKS_OIDC_TOKEN")); token != "" {
		secrets = append(secrets, token)
	}
	if cfg.OIDCTokenFilepath != "" {
		if token, err := os.ReadFile(cfg.OIDCTokenFilepath); err == nil {
			secrets = append(secrets, strings.TrimSpace(string(token)))
		}
	}
	return provider.NewMask(secrets...).Error(err)
}

// secretsOf returns the secrets of a configuration. The text before the @ of a host may be a password.
func secretsOf(cfg *config.Config) []string {
	var secrets []string
	for _, attribute := range config.ConfigAttributes {
		if attribute.Sensitive && !attribute.IsZero(cfg) {
			secrets = append(secrets, attribute.GetString(cfg))
		}
	}
	if i := strings.LastIndexByte(cfg.Host, '@'); i >= 0 {
		_, user, found := strings.Cut(cfg.Host[:i], "://")
		if !found {
			user = cfg.Host[:i]
		}
		_, password, _ := strings.Cut(user, ":")
		secrets = append(secrets, user, password)
	}
	return secrets
}

// Secrets lists the secrets of the logins that were used. They are sent, or tokens are had for them.
func (c *Chain) Secrets() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var secrets []string
	for _, l := range c.hosts {
		secrets = append(secrets, secretsOf(l.source)...)
	}
	return secrets
}

// Secrets lists the token.
func (s *Static) Secrets() []string { return []string{s.token.Reveal()} }

// hostCheck is the last loader of a configuration. It rejects an invalid host before the SDK sees it: the
// SDK would log the host, with a password in it.
type hostCheck struct{}

func (hostCheck) Name() string { return "host check" }

func (hostCheck) Configure(cfg *config.Config) error {
	if cfg.Host == "" {
		return nil
	}
	_, err := parseConfigured(cfg.Host)
	return err
}

// SilenceSDK makes the official SDK log nothing, in the whole process. Its lines go to standard error
// with hosts, answers and commands as they are. It is for programs that nothing but lakeql runs in.
func SilenceSDK() { logger.DefaultLogger = silent{} }

// silent is a logger that drops everything.
type silent struct{}

func (silent) Enabled(context.Context, logger.Level) bool { return false }
func (silent) Tracef(context.Context, string, ...any)     {}
func (silent) Debugf(context.Context, string, ...any)     {}
func (silent) Infof(context.Context, string, ...any)      {}
func (silent) Warnf(context.Context, string, ...any)      {}
func (silent) Errorf(context.Context, string, ...any)     {}
