package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSQLBackend shows that the file of StackQL's --sqlBackend is the store, and that a value which
// cannot be one is an error that shows no password.
func TestSQLBackend(t *testing.T) {
	t.Parallel()
	for value, file := range map[string]string{
		`{"dsn": "file:stackql.db"}`:                             "stackql.db",
		`{"dsn": "file:./my%20db.sqlite?loc=auto"}`:              "my db.sqlite",
		`{"dbEngine": "sqlite3_embedded", "dsn": "plain.db"}`:    "plain.db",
		`{dsn: "file:yaml.db", schemata: {tableSchema: public}}`: "yaml.db",
		`{"dsnEnvVar": "MY_DSN"}`:                                "env.db",
		`{"dsn": "file::memory:?cache=shared"}`:                  "",
		`{"dsn": "file:x?mode=memory&cache=shared"}`:             "",
		`{}`: "",
		``:   "",
	} {
		dir := t.TempDir()
		got := run{args: []string{"exec", "--emulator", "--sqlBackend", value, "--export.alias", "public", "CREATE TABLE t AS SELECT 7 AS a; SELECT a FROM t"}, env: []string{"MY_DSN=file:env.db"}, dir: dir}.do(t)
		if got.status != 0 || got.stderr != "" || !strings.Contains(got.stdout, "7") {
			t.Errorf("%s: %+v", value, got)
		}
		var files []string
		entries, err := os.ReadDir(dir)
		for _, entry := range entries {
			files = append(files, entry.Name())
		}
		if err != nil || strings.Join(files, " ") != file {
			t.Errorf("%s: the files are %q, %v; want %q", value, files, err, file)
		}
	}
	for value, want := range map[string]string{
		`{"dns": "hunter2"}`: `not of the form {"dsn": "file:stackql.db"}`,
		`{"dsn": `:           "not of the form",
		`[hunter2]`:          "not of the form",
		`{"dbEngine": "snowflake_tcp", "dsn": "x"}`:       `dbEngine "snowflake_tcp" is not supported`,
		`{"dsnEnvVar": "NO_DSN"}`:                         "environment variable NO_DSN, which is empty",
		`{"dsn": "file:` + filepath.Join("a", "b") + `"}`: "--store and --sqlBackend name different stores",
	} {
		got := run{args: []string{"exec", "--emulator", "--sqlBackend", value, "--store", "c", "SELECT 1"}, dir: t.TempDir()}.do(t)
		if got.status != 2 || !strings.Contains(got.stderr, want) || strings.Contains(got.stderr, "hunter2") {
			t.Errorf("%s: %+v, want %s", value, got, want)
		}
	}
}
