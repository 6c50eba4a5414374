package auth

import (
	"cmp"

	"github.com/databricks/databricks-sdk-go/config"
)

// Principal returns the owner of the configured credential as far as the configuration says, the
// kind of the credential, and its source. It makes no call.
func (c *Chain) Principal() (principal, kind, source string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cfg, err := c.configured()
	if err != nil {
		return "", "", "", err
	}
	possible := kinds(cfg)
	if len(possible) == 0 {
		return "", "none", "", nil
	}
	return cmp.Or(cfg.ClientID, cfg.AzureClientID, cfg.Username, cfg.GoogleServiceAccount), possible[0], sourceOf(cfg), nil
}

// sourceOf names where the credential was read: a profile, or the environment.
func sourceOf(cfg *config.Config) string {
	switch {
	case cfg.Profile != "":
		return "profile " + cfg.Profile
	case !hasCredential(cfg):
		return "login of the machine"
	}
	return "environment"
}

// Principal says that the emulator's token is used.
func (s *Static) Principal() (principal, kind, source string, err error) {
	return "", "pat", "emulator", nil
}
