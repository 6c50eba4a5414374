package cli_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// stackqlFlags are StackQL's flags, each with a value that it takes there, and which of them have an
// effect here. No value stands for a flag without one.
func stackqlFlags(t *testing.T) (with, without map[string]string) {
	t.Helper()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	certificate, _ := selfSigned(t, dir)
	with = map[string]string{
		"auth": `{"google": {"type": "service_account"}}`, "tls.CABundle": certificate, "configfile": file("stackqlrc", "gc = {}\n"),
		"cpuprofile": filepath.Join(dir, "profile"), "delimiter": ";", "dryrun": "", "env.file": filepath.Join(dir, "none.env"),
		"execution.concurrency.limit": "-1", "export.alias": "public", "hideheaders": "", "http.log.enabled": "=false", "http.proxy.host": "localhost",
		"http.proxy.password": "p", "http.proxy.port": "-1", "http.proxy.scheme": "https", "http.proxy.user": "u", "http.response.pageLimit": "-1",
		"infile": "stdin", "iqldata": file("data.json", "{}"), "loglevel": "warn", "offline": "", "outfile": "stdout", "output": "csv",
		"apirequesttimeout": "0", "sqlBackend": `{}`, "var": "a=1", "verbose": "=false",
	}
	without = map[string]string{
		"acid": `{}`, "approot": dir, "approotfilemode": "0755", "approotfilepermissions": "493", "cachekeycount": "100", "cachettl": "-1", "colorscheme": "dark",
		"dataflow.components.max": "50", "dataflow.dependency.max": "50", "dbInternal": "{tableRegex: x}", "errorpresentation": "stderr", "gc": `{"isEager": true}`,
		"http.response.maxResults": "-1", "indirect.depth.max": "5", "mcp.config": "{}", "mcp.server.type": "http", "metadatattl": "3600", "namespaces": `{}`,
		"pgsrv.debug.enable": "", "pgsrv.loglevel": "WARN", "pgsrv.sundry": "{}", "preview": "{}", "provider": "google", "querycachesize": "10000",
		"registry": `{"url": "https://registry.stackql.app/providers"}`, "session": `{"isolation_level": "READ_COMMITTED"}`, "store.txn": "{}", "tls.allowInsecure": "",
		"usenonpreferredapis": "", "viperconfigfilename": "x",
	}
	return with, without
}

// words returns the command line of some flags.
func words(flags map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		switch value := flags[name]; {
		case value == "" || value[0] == '=':
			all = append(all, "--"+name+value)
		default:
			all = append(all, "--"+name, value)
		}
	}
	return all
}

// TestStackQLFlags shows that every command takes every flag of StackQL, before or behind its name,
// without a word on standard error.
func TestStackQLFlags(t *testing.T) {
	t.Parallel()
	with, without := stackqlFlags(t)
	all := maps.Clone(with)
	maps.Copy(all, without)
	flags := append(words(all), "--pgsrv.address", "127.0.0.1", "--pgsrv.port", "5466", "--cabundle", with["tls.CABundle"], "--TestWithoutAPICalls")
	for name, test := range map[string]struct {
		args        []string
		stdin, want string
	}{
		"exec":       {append([]string{"exec", "SHOW PROVIDERS"}, flags...), "", "databricks_account;v00.00.00000\ndatabricks_workspace;v00.00.00000\n"},
		"flags":      {append(flags, "exec", "SHOW PROVIDERS"), "", "databricks_account;v00.00.00000\ndatabricks_workspace;v00.00.00000\n"},
		"a file":     {append(slices.Clone(flags), "exec", "--infile=/dev/stdin", "--dryrun=false"), "SELECT {{ .a }} AS a", "1\n"},
		"shell":      {append(append([]string{"shell"}, flags...), "--dryrun=false"), "SELECT 7 AS a;", "7\n"},
		"registry":   {append(append([]string{"registry"}, flags...), "list", "databricks_workspace"), "", "databricks_workspace;v00.00.00000\n"},
		"shorthands": {strings.Fields("exec -o csv -H -d ; -v=false -f stdout -i /dev/stdin -q " + with["iqldata"]), "SELECT 7 AS a, 8", "7;8\n"},
	} {
		if got := (run{args: test.args, stdin: test.stdin}).do(t); got.status != 0 || got.stdout != test.want || got.stderr != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, name := range []string{"exec", "shell", "srv", "mcp", "registry"} {
		got := run{args: append(append([]string{name}, flags...), "--pgsrv.tls", "{}", "--help")}.do(t)
		if got.status != 0 || got.stderr != "" {
			t.Errorf("%s: %+v", name, got)
		}
		for flag := range without {
			if strings.Contains(got.stdout, "--"+flag+" ") {
				t.Errorf("the help of %s lists --%s", name, flag)
			}
		}
	}
	guide, err := os.ReadFile("../../docs/from-stackql.md")
	if err != nil {
		t.Fatal(err)
	}
	for flag := range all {
		row := regexp.MustCompile("(?m)^\\|[^|]*`--" + regexp.QuoteMeta(flag) + "`[^|]*\\| (none)?").FindSubmatch(guide)
		if prefix, last, _ := strings.Cut(flag, "http.proxy"); row == nil && prefix == "" {
			row = regexp.MustCompile("(?m)^\\|[^|]*`" + regexp.QuoteMeta(last) + "`[^|]*\\| (none)?").FindSubmatch(guide)
		}
		if row == nil {
			t.Errorf("docs/from-stackql.md does not list --%s", flag)
			continue
		}
		if _, idle := without[flag]; idle != (len(row[1]) > 0) {
			t.Errorf("docs/from-stackql.md: --%s has an effect, or none: %s", flag, row[0])
		}
	}
}

// TestStackQLFlagValues shows that a wrong value of a flag is an error, with or without an effect, and
// that no error shows it.
func TestStackQLFlagValues(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{"unknown.rc": "# comment\nhunter2 = 1\n", "broken.rc": "hunter2\n", "bad.rc": "cachettl = hunter2\n", "broken.env": "A=1\nhunter2\n", "no.pem": "hunter2"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]string{
		"--apirequesttimeout hunter2":                             `invalid argument for "--apirequesttimeout" flag`,
		"--cachettl 1.5":                                          `invalid argument for "--cachettl" flag`,
		"--approotfilemode -1":                                    `invalid argument for "--approotfilemode" flag`,
		"--http.response.maxResults hunter2":                      `invalid argument for "--http.response.maxResults" flag`,
		"--tls.allowInsecure=hunter2":                             `invalid argument for "--tls.allowInsecure" flag`,
		"--http.log.enabled=hunter2":                              `invalid argument for "--http.log.enabled" flag`,
		"--gc hunter2":                                            `invalid argument for "--gc" flag: it is not an object of JSON or YAML`,
		"--registry {":                                            "it is not an object",
		"--session []":                                            "it is not an object",
		"--loglevel hunter2":                                      "--loglevel is none of panic, fatal, error,",
		"--http.proxy.scheme hunter2":                             "--http.proxy.scheme is none of http, https and socks5",
		"--http.proxy.port 65536 --emulator":                      "--http.proxy.port is above 65535",
		"--http.proxy.host a:hunter2@b":                           "--http.proxy.host is not the name or address of a host",
		"--http.proxy.host http://a":                              "--http.proxy.host is not the name",
		"--tls.CABundle /nowhere/x.pem":                           "read --tls.CABundle: open /nowhere/x.pem",
		"--cabundle no.pem":                                       "--tls.CABundle no.pem has no certificate in PEM",
		"--configfile /nowhere/rc":                                "read --configfile: open /nowhere/rc",
		"--configfile unknown.rc":                                 `--configfile unknown.rc: line 2: there is no flag "hunter2"`,
		"--configfile broken.rc":                                  "--configfile broken.rc: line 1 is not name = value",
		"--configfile bad.rc":                                     `--configfile bad.rc: line 1: invalid argument for "--cachettl" flag`,
		"--env.file broken.env":                                   "--env.file broken.env: line 2 is not name = value",
		"--cpuprofile /nowhere/p":                                 "write --cpuprofile: open /nowhere/p",
		"--auth hunter2":                                          "--auth is not of the form",
		`--auth {"databricks_workspace":{"type":"hunter"}}`:       `--auth: databricks_workspace: type "hunter" logs in to no Databricks host`,
		`--auth {"databricks_account":{"credentialsenvvar":"X"}}`: `type "" logs in to no`,
		`--auth {"databricks_workspace":{"type":"bearer","api_key":""}}`:                                                             "it has no value for DATABRICKS_TOKEN",
		`--auth {"databricks":{"type":"oauth2","client_id":"hunter2"}}`:                                                              "it has no value for DATABRICKS_CLIENT_SECRET",
		`--auth {"databricks":{"type":"basic","username":"hunter2"}}`:                                                                "it has no value for DATABRICKS_PASSWORD",
		`--profile p --auth {"databricks":{"type":"api_key","api_key":x}}`:                                                           "--auth and --profile both name a credential",
		`--auth {"databricks_workspace":{"type":"bearer","api_key":"hunter2"},"databricks_account":{"type":"bearer","api_key":"x"}}`: "--auth has two credentials",
	}
	for flags, want := range tests {
		got := run{args: append(append([]string{"exec"}, strings.Fields(flags)...), "SHOW PROVIDERS"), dir: dir}.do(t)
		shown := strings.ReplaceAll(got.stderr, `flag "hunter2"`, "")
		if got.status != 2 || got.stdout != "" || !strings.Contains(got.stderr, want) || strings.Contains(shown, "hunter2") {
			t.Errorf("%s: %+v", flags, got)
		}
	}
}

// TestStackQLCredential shows that the credential of --auth goes to the configured host and no other, and
// before that of the environment; and that a file can hold flags and variables.
func TestStackQLCredential(t *testing.T) {
	t.Parallel()
	server, env := workspace(t, emulator.Options{})
	const text = "SELECT count(*) > 0 AS ok FROM " + projects
	dir := t.TempDir()
	for name, content := range map[string]string{
		"token": server.Token() + "\n", "my.env": "# credentials\nexport MY_TOKEN='" + server.Token() + "'\r\nEMPTY=\n", "my.rc": "output: json\n\nenv.file = none\nhideheaders=true\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wrong := []string{env[0], "DATABRICKS_TOKEN=wrong", "MY_TOKEN=" + server.Token(), "MY_FILE=token", "MY_ID=" + server.ClientID(), "MY_SECRET=" + server.ClientSecret()}
	const yes = "[{\"ok\":1}]\n"
	for name, test := range map[string]struct {
		args   []string
		status int
		want   string
	}{
		"the environment":    {nil, 4, ""},
		"a variable":         {[]string{"--auth", `{"databricks_workspace": {"type": "bearer", "credentialsenvvar": "MY_TOKEN"}}`}, 0, yes},
		"YAML":               {[]string{"--auth", `{databricks_workspace: {type: api_key, credentialsfilepath: token}, github: {type: basic}}`}, 0, yes},
		"a file's variable":  {[]string{"--auth", `{"databricks_workspace": {"type": "bearer", "credentialsfilepathenvvar": "MY_FILE"}}`}, 0, yes},
		"an OAuth client":    {[]string{"--auth", `{"databricks_workspace": {"type": "oauth2", "grant_type": "client_credentials", "client_id_env_var": "MY_ID", "client_secret_env_var": "MY_SECRET"}}`}, 0, yes},
		"other providers":    {[]string{"--auth", `{"github": {"type": "bearer", "credentialsenvvar": "MY_TOKEN"}}`}, 4, ""},
		"an env file":        {[]string{"--env.file", "my.env", "--auth", `{"databricks_workspace": {"type": "bearer", "credentialsenvvar": "MY_TOKEN"}}`}, 0, yes},
		"a config file":      {[]string{"--configfile", "my.rc", "--auth", `{"databricks_workspace": {"type": "bearer", "credentialsenvvar": "MY_TOKEN"}}`}, 0, yes},
		"flags go before it": {[]string{"--configfile", "my.rc", "-o", "csv", "--auth", `{"databricks_workspace": {"type": "bearer", "credentialsenvvar": "MY_TOKEN"}}`}, 0, "1\n"},
	} {
		args := append([]string{"exec", text}, test.args...)
		if !slices.Contains(args, "--configfile") {
			args = append(args, "-o", "json")
		}
		got := run{args: args, env: wrong, dir: dir}.do(t)
		if got.status != test.status || got.stdout != test.want || test.status == 0 && got.stderr != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	other := run{args: []string{"exec", "SELECT name FROM " + projects + " WHERE deployment_name = 'other.cloud.databricks.com'", "--auth", `{"databricks_workspace": {"type": "bearer", "credentialsenvvar": "MY_TOKEN"}}`}, env: wrong}.do(t)
	if other.status != 4 || !strings.Contains(other.stderr, "is not sent to another host") {
		t.Errorf("another host: %+v", other)
	}
}
