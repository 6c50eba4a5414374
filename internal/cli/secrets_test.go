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
