package cli

import (
	"cmp"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// authContext is the credential of one provider in --auth. Keys that are not below are for other
// clouds.
type authContext struct {
	Type         string `yaml:"type"`
	Variable     string `yaml:"credentialsenvvar"`
	File         string `yaml:"credentialsfilepath"`
	FileVariable string `yaml:"credentialsfilepathenvvar"`
	APIKey       string `yaml:"api_key"`
	APIKeyName   string `yaml:"api_key_var"`
	User         string `yaml:"username"`
	UserName     string `yaml:"username_var"`
	Password     string `yaml:"password"`
	PasswordName string `yaml:"password_var"`
	Client       string `yaml:"client_id"`
	ClientName   string `yaml:"client_id_env_var"`
	Secret       string `yaml:"client_secret"`
	SecretName   string `yaml:"client_secret_env_var"`
	Account      string `yaml:"account_id"`
	AccountName  string `yaml:"account_id_env_var"`
}

// useAuth puts the credential of --auth into the variables in which the Databricks CLI and SDKs look for
// it. The rules for which host it may go to are then the same. Contexts of other providers are passed
// over. No error shows a value, which may be a credential.
func (c *command) useAuth() error {
	var contexts map[string]authContext
	if err := yaml.Unmarshal([]byte(c.auth), &contexts); err != nil {
		return provider.Usagef(`--auth is not of the form {"databricks_workspace": {"type": "bearer", "credentialsenvvar": "MY_TOKEN"}}`)
	}
	var variables map[string]string
	for _, name := range slices.Sorted(maps.Keys(contexts)) {
		if !strings.HasPrefix(name, "databricks") || c.emulator {
			continue
		}
		found, err := contexts[name].variables()
		switch {
		case err != nil:
			return provider.Usagef("--auth: %s: %v", provider.Printable(name), err).Because(err)
		case variables != nil && !maps.Equal(variables, found):
			return provider.Usagef("--auth has two credentials, and a command takes one").
				Hintf("give the workspace and the account profiles in ~/.databrickscfg")
		}
		variables = found
	}
	if len(variables) > 0 && c.profile != "" {
		return provider.Usagef("--auth and --profile both name a credential").Hintf("give one of them")
	}
	for name, value := range variables {
		if err := os.Setenv(name, value); err != nil {
			return provider.Usagef("--auth: the value for %s cannot be a credential", name)
		}
	}
	return nil
}

// variables returns the environment that the credential stands for.
func (a authContext) variables() (map[string]string, error) {
	var found map[string]string
	switch kind := strings.ToLower(a.Type); kind {
	case "null_auth":
		return nil, nil //nolint:nilnil // no credential is no fault
	case "bearer", "api_key":
		token, err := a.token()
		if err != nil {
			return nil, err
		}
		found = map[string]string{"DATABRICKS_AUTH_TYPE": "pat", "DATABRICKS_TOKEN": token}
	case "basic":
		found = map[string]string{"DATABRICKS_AUTH_TYPE": "basic", "DATABRICKS_USERNAME": named(a.UserName, a.User), "DATABRICKS_PASSWORD": named(a.PasswordName, a.Password)}
	case "oauth2":
		found = map[string]string{"DATABRICKS_AUTH_TYPE": "oauth-m2m", "DATABRICKS_CLIENT_ID": named(a.ClientName, a.Client), "DATABRICKS_CLIENT_SECRET": named(a.SecretName, a.Secret)}
	default:
		return nil, provider.Usagef("type %s logs in to no Databricks host; use bearer, oauth2, or basic", provider.Quote(kind))
	}
	for name, value := range found {
		if value == "" {
			return nil, provider.Usagef("it has no value for %s, or the environment variable that it names is empty", name)
		}
	}
	if account := named(a.AccountName, a.Account); account != "" {
		found["DATABRICKS_ACCOUNT_ID"] = account
	}
	return found, nil
}

// token returns the token of the context, from the first place that it names.
func (a authContext) token() (string, error) {
	if a.Variable != "" {
		return os.Getenv(a.Variable), nil
	}
	if file := cmp.Or(os.Getenv(a.FileVariable), a.File); file != "" {
		data, err := os.ReadFile(file)
		return strings.TrimSpace(string(data)), err
	}
	return named(a.APIKeyName, a.APIKey), nil
}

// named returns the value of an environment variable, or the value itself if none is named.
func named(variable, value string) string {
	if variable != "" {
		return os.Getenv(variable)
	}
	return value
}
