package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHostWithPassword runs the command with a host that has a password in it, from each source.
// Neither the command nor the SDK below it prints the password.
func TestHostWithPassword(t *testing.T) {
	for _, host := range []string{
		"https://user:s3cret@example.com", "https://user:s3cret%zz@example.com", "user:s3cret@example.com", "https://user:s3cret @example.com:x",
		"https://s3cret@example.com", "https://user:@s3cret@example.com",
	} {
		config := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(config, []byte("[p]\nhost = "+host+"\ntoken = s3cret-token\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, r := range map[string]run{
			"environment": {env: []string{"DATABRICKS_HOST=" + host, "DATABRICKS_TOKEN=s3cret-token"}},
			"flag":        {args: []string{"--host", host}, env: []string{"DATABRICKS_TOKEN=s3cret-token"}},
			"profile":     {args: []string{"--profile", "p"}, env: []string{"DATABRICKS_CONFIG_FILE=" + config}},
		} {
			r.args = append([]string{"exec", "-v", "EXEC databricks_workspace.postgres.postgres_projects.list"}, r.args...)
			got := r.do(t)
			if all := got.stdout + got.stderr; strings.Contains(all, "s3cret") || strings.Contains(all, "[WARN]") {
				t.Errorf("%s in the %s: %s", host, name, all)
			}
			if got.status != 2 || !strings.Contains(got.stderr, "example.com") || !strings.Contains(got.stderr, "hint: set --host") {
				t.Errorf("%s in the %s: status %d, %s", host, name, got.status, got.stderr)
			}
		}
	}
}

// TestMistakesKeepSecrets makes mistakes on the command line. The messages have no secret, and name the
// place of the mistake.
func TestMistakesKeepSecrets(t *testing.T) {
	const secret = "qz9x-wy7v-ut5s"
	const put = "EXEC databricks_workspace.workspace.secrets.put @scope='s', @key='k', @string_value="
	data := filepath.Join(t.TempDir(), "data.json")
	if err := os.WriteFile(data, []byte(`{"v": {"inner": ["`+secret+`"]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no command":                 {[]string{put + "'" + secret + "'"}, "a statement stands behind exec"},
		"a value for a variable":     {[]string{"exec", "--var", secret, "SHOW PROVIDERS"}, "--var is not name=value"},
		"a value for another flag":   {[]string{"exec", "--apirequesttimeout", secret, "SHOW PROVIDERS"}, `invalid argument for "--apirequesttimeout" flag`},
		"a statement as a flag":      {[]string{"exec", "-x" + secret}, "unknown shorthand flag"},
		"a flag with a value":        {[]string{"exec", "--tokn=" + secret}, "unknown flag: --tokn"},
		"a variable without quotes":  {[]string{"exec", "--emulator", "--var", "v=" + secret, put + "{{ v }}"}, "line 1, column 85"},
		"a variable in a bad name":   {[]string{"exec", "--emulator", "--var", "v=" + secret, "EXEC databricks_workspace.workspace.secrets.pit @string_value='{{ v }}'"}, `unknown method "pit"`},
		"a variable with a quote":    {[]string{"exec", "--emulator", "--var", "v=" + secret + "'", put + "'{{ v }}'"}, "the quote that opens here is not closed"},
		"a variable that is missing": {[]string{"exec", "--emulator", "--var", "v=" + secret, put + "'{{ w }}', @other='" + secret + "'"}, "--var w=VALUE"},
		"a value in a file":          {[]string{"exec", "--emulator", "-q", data, put + "{{ .v }}"}, "line 1, column 8"},
		"a wrong template":           {[]string{"exec", "--emulator", "--var", "v=1", put + "'{{ " + secret + " }}'"}, "fill in the statement"},
		"a word as a value":          {[]string{"exec", "--emulator", "--var", "v=swordfish", "SELECT {{ v }} FROM databricks_workspace.jobs.jobs"}, "no such column"},
	} {
		got := run{args: test.args}.do(t)
		all := got.stdout + got.stderr
		if got.status != 2 || !strings.Contains(got.stderr, test.want) {
			t.Errorf("%s: status %d, %s", name, got.status, all)
		}
		for _, piece := range []string{secret, "qz9x", "ut5s", "swordfish"} {
			if strings.Contains(all, piece) {
				t.Errorf("%s: %q is shown: %s", name, piece, all)
			}
		}
	}
}
