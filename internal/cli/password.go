package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/provider"
)

// endpointNames is the part of the help that says how to name an endpoint.
const endpointNames = `ENDPOINT is one of:

  projects/P/branches/B/endpoints/E   the name in the API; P/B/E for short
  P/B                                 the only endpoint of the branch, or the one that writes
  P                                   the same, of the project's default branch
  I                                   an instance of the older database service
  (nothing)                           the only project or instance of the workspace

If several endpoints fit, the error lists them. projects/P and instances/I tell a
project from an instance with the same name. Connecting wakes a suspended endpoint.
A disabled endpoint is an error, which shows the statement that enables it.`

// endpointFlags adds the flags of every command that logs in to an endpoint.
func (c *command) endpointFlags(cmd *cobra.Command) *endpointOptions {
	o := &endpointOptions{}
	c.workspaceFlags(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&o.readOnly, "read-only", nil, "limit the token to reading these tables of Unity Catalog: catalog.schema.table,…")
	f.DurationVar(&o.Life, "ttl", 0, "life of the token, from 5m to 1h (default 1h)")
	f.StringVar(&o.User, "user", "", "role to log in as (default: the identity of the credential)")
	f.StringVar(&o.Database, "database", lakebase.Database, "database to connect to")
	f.BoolVar(&o.Pooled, "pooled", false, "connect to the host that pools connections")
	f.Uint16Var(&o.Port, "endpoint-port", lakebase.Port, "port of the endpoint's server")
	cmd.ValidArgsFunction = c.completeEndpoint
	return o
}

// endpointOptions hold the flags of commands that log in to an endpoint.
type endpointOptions struct {
	lakebase.Options

	readOnly []string
}

// check reads the flags.
func (o *endpointOptions) check() error {
	for _, table := range o.readOnly {
		if parts := strings.Split(table, "."); len(parts) != 3 || slices.Contains(parts, "") {
			return provider.Usagef("--read-only %s is not a table of Unity Catalog", provider.Quote(table)).
				Hintf("write catalog.schema.table, and commas between tables")
		}
	}
	o.ReadOnly = o.readOnly
	if o.Life != 0 && (o.Life < 5*time.Minute || o.Life > time.Hour || o.Life%time.Second != 0) {
		return provider.Usagef("--ttl %s is not from 5m to 1h, in whole seconds", o.Life)
	}
	if o.Database == "" || o.Port == 0 {
		return provider.Usagef("--database is empty, or --endpoint-port is 0")
	}
	return nil
}

// first returns the first argument, and "" if there is none.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func (c *command) passwordCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "password [ENDPOINT]",
		Short: "Print a password for a Lakebase endpoint",
		Long: `Mint a token for an endpoint of Lakebase and print it. The token is the password of
the Postgres role with the name of your identity. PostgreSQL checks it at login only.

` + endpointNames + `

If there is no token, nothing is printed to standard output and the exit status is
not 0. --format prints more than the token:

  token    the token alone
  env      export statements of PGHOST, PGUSER, PGPASSWORD, … for a shell
  pgpass   a line for ~/.pgpass
  dsn      a connection string, postgresql://…
  json     an object with endpoint, host, port, user, database, token, and expire_time`,
		Example: `  PGPASSWORD=$(lakeql password orders) psql -h HOST -U ME databricks_postgres
  eval "$(lakeql password orders/production --format env)" && psql

  # without an account
  lakeql password --emulator orders`,
		Args: cobra.MaximumNArgs(1),
	}
	options := c.endpointFlags(cmd)
	cmd.Flags().StringVar(&format, "format", "token", "what to print: token, env, pgpass, dsn, json")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(passwordFormats(), cobra.ShellCompDirectiveNoFileComp)) // the flag exists
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if !slices.Contains(passwordFormats(), format) {
			return provider.Usagef("unknown format %s", provider.Quote(format)).Hintf("use %s", strings.Join(passwordFormats(), ", "))
		}
		if err := options.check(); err != nil {
			return err
		}
		return c.password(first(args), options.Options, format)
	}
	return cmd
}

func passwordFormats() []string { return []string{"token", "env", "pgpass", "dsn", "json"} }

func (c *command) password(name string, o lakebase.Options, format string) error {
	found, err := c.connectToMint()
	if err != nil {
		return err
	}
	defer found.close()
	ctx, stop := interruptible()
	defer stop()
	endpoint, err := found.Lakebase("").Open(ctx, name, o)
	if err != nil {
		return err
	}
	login, err := endpoint.Login(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.stdout, passwordText(endpoint.Name().String(), login, format))
	return err
}

// mintPatience is how long a refused call is repeated before a login fails: somebody waits for it.
const mintPatience = 30 * time.Second

// connectToMint opens the connection to the workspace that mints passwords.
func (c *command) connectToMint() (*connection, error) {
	return c.connect(func(o *connect.Options) { o.Retry.Budget = mintPatience })
}

// passwordText writes a login in a format, without the last newline.
func passwordText(endpoint string, l lakebase.Login, format string) string {
	port := strconv.Itoa(int(l.Port))
	switch format {
	case "env":
		var lines []string
		for _, v := range [][2]string{
			{"PGHOST", l.Host},
			{"PGPORT", port},
			{"PGUSER", l.User},
			{"PGDATABASE", l.Database},
			{"PGPASSWORD", l.Password.Reveal()},
			{"PGSSLMODE", sslMode(l)},
			{"PGSSLROOTCERT", rootCertificates()},
		} {
			lines = append(lines, "export "+v[0]+"="+shellQuoted(v[1]))
		}
		return strings.Join(lines, "\n")
	case "pgpass":
		escape := strings.NewReplacer(`\`, `\\`, `:`, `\:`)
		return escape.Replace(l.Host) + ":" + port + ":*:" + escape.Replace(l.User) + ":" + escape.Replace(l.Password.Reveal())
	case "dsn":
		query := url.Values{"sslmode": {sslMode(l)}, "sslrootcert": {rootCertificates()}}
		u := url.URL{Scheme: "postgresql", User: url.UserPassword(l.User, l.Password.Reveal()), Host: l.Host + ":" + port, Path: "/" + l.Database}
		if l.IsSocket() {
			query.Set("host", l.Host)
			query.Set("port", port)
			u.Host = ""
		}
		u.RawQuery = query.Encode()
		return u.String()
	case "json":
		text, _ := json.Marshal(struct { // texts and numbers can be written
			Endpoint string    `json:"endpoint"`
			Host     string    `json:"host"`
			Port     uint16    `json:"port"`
			User     string    `json:"user"`
			Database string    `json:"database"`
			Token    string    `json:"token"`
			Expires  time.Time `json:"expire_time"`
		}{endpoint, l.Host, l.Port, l.User, l.Database, l.Password.Reveal(), l.Expires.UTC()})
		return string(text)
	}
	return l.Password.Reveal()
}

// sslMode is how clients encrypt connections. The servers of an emulator are on this machine, and
// need no encryption.
func sslMode(l lakebase.Login) string {
	if l.IsLocal() {
		return "prefer"
	}
	return "verify-full"
}

// rootCertificates names the certificates that this machine trusts, as sslrootcert. libpq knows the name
// system from version 16 on only, so it is a file where one is known.
func rootCertificates() string {
	for _, name := range []string{
		os.Getenv("SSL_CERT_FILE"),
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Arch
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
		"/etc/ssl/ca-bundle.pem",                            // SUSE
		"/etc/ssl/cert.pem",                                 // macOS, Alpine, BSD
	} {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			return name
		}
	}
	return "system"
}

// shellQuoted quotes a value for POSIX shells, if it has a character that needs it.
func shellQuoted(value string) string {
	if regexp.MustCompile(`^[\w@%+=:,./-]+$`).MatchString(value) {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// completionTime bounds the calls for one completion.
const completionTime = 3 * time.Second

// completeEndpoint completes the name of an endpoint: projects and instances, then branches, then endpoints.
func (c *command) completeEndpoint(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 && cmd.Name() != "proxy" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	found, err := c.connectToMint()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer found.close()
	ctx, cancel := context.WithTimeout(context.Background(), completionTime)
	defer cancel()
	names, err := found.Lakebase("").Complete(ctx, word)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	directive := cobra.ShellCompDirectiveNoFileComp
	if strings.Count(word, "/") < 2 {
		directive |= cobra.ShellCompDirectiveNoSpace // more may follow
	}
	return names, directive
}
