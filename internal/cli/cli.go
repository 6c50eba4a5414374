// Package cli is the command: its flags, the assembly of the packages behind it, and its error messages.
// Only this package turns errors into exit statuses.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/internal/redact"
	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/internal/terminal"
	"github.com/lakeql/lakeql/provider"
)

// Main runs the command with its arguments and returns the exit status; see [exitStatus].
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	auth.SilenceSDK()
	log.SetOutput(io.Discard) // net/http writes what a server sends unasked there
	c := &command{stdin: stdin, stdout: stdout, stderr: stderr}
	root := c.root()
	root.SetArgs(arranged(root, args))
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(context.Background())
	if stopped := c.stop(); err == nil {
		err = stopped
	}
	if err != nil && isCobraUsage(err) { // it repeats the word, which may be a whole statement
		err = unknownCommand(root, err)
	}
	c.report(err)
	return exitStatus(err)
}

// interruptible is a context that ends with Ctrl-C or SIGTERM.
func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// command holds the flags and streams of one run.
type command struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	profile, host  string
	emulator       bool
	dryRun         bool
	verbose        bool
	requestTimeout int
	endpointPort   uint16 // see liveFlags
	endpointRoots  string
	retryTimeout   time.Duration
	onError        string
	adopt          bool
	store          string
	backend        string // --sqlBackend
	exportAlias    string
	pageLimit      int
	parallel       int
	memory         string
	output         string
	outfile        string
	hideHeaders    bool
	delimiter      string
	infile         string
	dataFile       string
	vars           []string
	network        network
	auth           string // StackQL's JSON
	configFile     string
	envFile        string
	cpuProfile     string
	stopProfile    func() error // nil: there is no profile
	logLevel       string
	httpLog        bool
	notes          bool
	held           []string     // notes for the case that an error follows
	source         string       // the text that runs
	foreign        []string     // the values that were put into it
	shown          *redact.Text // what may be shown of it below an error; nil: nothing
}

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "lakeql",
		Short: "Run SQL against the Databricks API",
		Long: `lakeql runs SQL statements against the Databricks API.

Run a first statement against a workspace inside the command. This needs no account:

  lakeql exec --emulator "EXEC databricks_workspace.postgres.postgres_projects.list"

Run it against your workspace, with the credentials of the Databricks CLI and SDKs:

  export DATABRICKS_HOST=https://dbc-abcd0123-a1bc.cloud.databricks.com DATABRICKS_TOKEN=…
  lakeql exec "EXEC databricks_workspace.postgres.postgres_projects.list"`,
		Version:       shortVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.Flags().BoolP("version", "v", false, "print the version, as StackQL's clients read it")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return provider.Usagef("%s", flagFault(err)).Hintf("see %s --help", cmd.CommandPath())
	})
	root.AddCommand(c.execCommand(), c.shellCommand(), c.pipelineCommand(), c.workerCommand(), c.docsCommand(), c.emulatorCommand(), c.srvCommand(), c.mcpCommand(), c.passwordCommand(), c.psqlCommand(), c.proxyCommand(), c.registryCommand(), c.manCommand(), c.versionCommand())
	for _, cmd := range root.Commands() {
		if cmd.Flags().Lookup("sqlBackend") != nil { // it runs statements, as StackQL's commands do
			idleFlags(cmd)
		}
	}
	root.SetHelpCommand(c.helpCommand())
	usageErrors(root)
	completeFlags(root)
	root.SuggestionsMinimumDistance = 2
	return root
}

// flagFault describes an invalid flag without its value, because cobra takes a misplaced statement for a
// flag.
func flagFault(err error) string {
	text := regexp.MustCompile(`^invalid argument "(?s:.*)" for ("[^"]*" flag)`).ReplaceAllString(err.Error(), "invalid argument for $1")
	text = regexp.MustCompile(`(?s) in -[^ ].*$`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`: strconv\.\w+: parsing "(?s:.*)"`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`: time: .*"(?s:.*)"`).ReplaceAllString(text, ": not a duration such as 30s")
	text = regexp.MustCompile(`(?s)^(unknown flag: --[\w.-]{0,40}|unknown shorthand flag: .{0,6}).*$`).ReplaceAllString(text, "$1")
	return text
}

// usageErrors turns cobra's errors about arguments into usage errors.
func usageErrors(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		usageErrors(sub)
		args := sub.Args
		if args == nil {
			continue
		}
		sub.Args = func(cmd *cobra.Command, given []string) error {
			if err := args(cmd, given); err != nil {
				return provider.Usagef("%v", err).Hintf("see %s --help", cmd.CommandPath())
			}
			return nil
		}
	}
}

// workspaceFlags adds the flags of every command that calls a workspace.
func (c *command) workspaceFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.profile, "profile", "", "profile of ~/.databrickscfg that supplies host and credential, in place of the environment")
	f.StringVar(&c.host, "host", "", "workspace for statements without deployment_name, such as https://dbc-abcd0123-a1bc.cloud.databricks.com; ?o=ID at its end sets the workspace id")
	f.BoolVar(&c.emulator, "emulator", false, "call a new workspace inside this command; it creates each Lakebase endpoint that a credential is minted for")
	f.BoolVarP(&c.verbose, "verbose", "v", false, "log each request to standard error, without its credential, and print notes")
	f.IntVar(&c.requestTimeout, "apirequesttimeout", 45, "seconds to wait for the start of a response, and for each further part; 0 and below: no limit")
	f.IntVar(&c.parallel, "execution.concurrency.limit", 16, "maximum number of concurrent requests to one workspace, 16 for 0 and below; lakeql sends fewer while the workspace answers 429")
	c.networkFlags(cmd)
}

// connectionFlags adds the flags of every command that runs statements.
func (c *command) connectionFlags(cmd *cobra.Command) {
	c.workspaceFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&c.dryRun, "dryrun", false, "print each request with its credential masked, and send none")
	f.DurationVar(&c.retryTimeout, "retry-timeout", 5*time.Minute, "how long to retry a request that the workspace answers with 429 or 503; 0 disables retries")
	f.StringVar(&c.onError, "on-error", string(engine.Fail), "effect of a failed call: fail ends the statement; partial returns the available rows, reports the failed calls, and exits with status 3")
	f.StringVar(&c.store, "store", "", "store of tables and views: an SQLite file, postgres://…, or lakebase://projects/…; :memory: keeps them until the command ends (default "+defaultStoreText+")")
	f.IntVar(&c.pageLimit, "http.response.pageLimit", 0, "maximum number of pages to read of a list; a truncated list is reported, and the exit status is 3; 0 and below: all pages")
	f.StringVar(&c.memory, "memory", fmt.Sprintf("%dMiB", engine.UsualMemory>>20), "memory of a statement for its responses, and as much for SQLite, such as 1GiB; responses beyond it are in an encrypted temporary file")
	c.liveFlags(cmd)
	c.backendFlags(cmd)
	c.startFlags(cmd)
}

// liveFlags adds the flags that say how the tables of Lakebase endpoints reach these.
func (c *command) liveFlags(cmd *cobra.Command) {
	cmd.Flags().Uint16Var(&c.endpointPort, "endpoint-port", lakebase.Port, "port of the servers of Lakebase endpoints, for the tables that connect to them")
	rootsFlag(cmd, &c.endpointRoots)
}

// outputFlags adds the flags of every command that shows rows.
func (c *command) outputFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&c.output, "output", "o", string(render.Table), "output format: "+strings.Join(render.FormatNames(), ", ")+"; ndjson is jsonl")
	f.StringVarP(&c.outfile, "outfile", "f", "", "write the rows to this file; an interrupted or failed command leaves the file unchanged")
	f.BoolVarP(&c.hideHeaders, "hideheaders", "H", false, "omit the column names from table, csv, text, pptext, and html")
	f.StringVarP(&c.delimiter, "delimiter", "d", ",", "character that separates csv fields")
}

// renderOptions reads the output flags.
func (c *command) renderOptions() (render.Options, error) {
	format, err := render.ParseFormat(c.output)
	if err != nil {
		return render.Options{}, err
	}
	if format == render.Parquet && c.outfile == "" && terminal.Is(c.stdout) {
		return render.Options{}, provider.Usagef("a Parquet file is not for a terminal").Hintf("write it to a file with -f, or to a pipe")
	}
	delimiter := []rune(strings.ReplaceAll(c.delimiter, `\t`, "\t"))
	if len(delimiter) != 1 || strings.ContainsRune("\"\r\n\uFFFD", delimiter[0]) {
		return render.Options{}, provider.Usagef("--delimiter %s is not one character that can stand between fields", provider.Quote(c.delimiter)).
			Hintf("use , ; | or \\t")
	}
	return render.Options{Format: format, Header: !c.hideHeaders, Delimiter: delimiter[0]}, nil
}

// exitStatus returns the status for an error: 0 done and complete, 1 the statement failed, 2 bad
// usage or SQL, 3 a partial result that was asked for, 4 not authenticated or not allowed.
func exitStatus(err error) int {
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[exited](err); ok {
		return e.status
	}
	if _, ok := errors.AsType[*provider.Error](err); !ok {
		return 1
	}
	switch provider.CodeOf(err) {
	case provider.Usage, provider.Unknown:
		return 2
	case provider.Partial:
		return 3
	case provider.Unauthorized:
		return 4
	case provider.Internal, provider.API, provider.Network, provider.Canceled:
		return 1
	}
	return 1
}

// unknownCommand words an error about a command that does not exist.
func unknownCommand(root *cobra.Command, err error) error {
	name := regexp.MustCompile(`^unknown command "([a-z-]{1,20})" for "lakeql([a-z -]*)"`).FindStringSubmatch(err.Error())
	if name == nil {
		return provider.Usagef("the first argument is no command").Hintf("a statement stands behind exec: lakeql exec \"…\"; see lakeql --help")
	}
	e := provider.Usagef("%s", strings.TrimSpace(err.Error()))
	parent, _, lost := root.Find(strings.Fields(name[2]))
	if lost != nil {
		parent = root
	}
	parent.SuggestionsMinimumDistance = root.SuggestionsMinimumDistance // each command has its own
	if near := parent.SuggestionsFor(name[1]); len(near) > 0 {
		return e.Hintf("did you mean %s? See %s --help", strings.Join(near, " or "), parent.CommandPath())
	}
	return e.Hintf("see %s --help", parent.CommandPath())
}

// isCobraUsage recognises the only usage error of cobra that cannot be wrapped.
func isCobraUsage(err error) bool { return strings.HasPrefix(err.Error(), "unknown command ") }
