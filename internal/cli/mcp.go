package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/docgen"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/mcp"
	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/internal/terminal"
	"github.com/lakeql/lakeql/provider"
)

// agents holds the flags of mcp.
type agents struct {
	stdio, http       bool
	address           string
	port              int
	certificate, key  string
	tokenFile         string
	allowWrites       bool
	revealSecrets     bool
	history           string
	maxRows, maxBytes int
	running           int
	timeout, drain    time.Duration
	audit             string
	// StackQL's flags.
	stackqlType, stackqlConfig string
}

// tokenVariable is where the token of mcp may stand in the environment.
const tokenVariable = "LAKEQL_MCP_TOKEN" //nolint:gosec // a name

func (c *command) mcpCommand() *cobra.Command {
	var o agents
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Serve statements to agents by the Model Context Protocol",
		Long: `Serve statements to agents and other clients of the Model Context Protocol, over
standard input and output, or over HTTP (--http).

The tools find and describe resources, explain the calls of a statement, run
queries, and list the changes that a pipeline recorded. Answers are limited in rows
and bytes, and say what was left out. Credentials in rows are masked.

With --allow-writes, agents may also run statements that change something. Each
shows its requests to the user of the client, and runs only if the user agrees.

Over HTTP, each request needs a token: that of --token-file or the environment
variable ` + tokenVariable + `. Without one, lakeql makes a token and prints it
once. An address that is not loopback requires a token and TLS.`,
		Example: `  lakeql mcp --profile production

  # without an account
  lakeql mcp --emulator

  # over HTTP, with the history of a pipeline
  lakeql mcp --http --port 5468 --token-file token --history inventory`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("stdio") && o.stdio && o.http {
				return provider.Usagef("--stdio and --http are two transports").Hintf("give one of them")
			}
			if cmd.Flags().Changed("mcp.server.type") || cmd.Flags().Changed("mcp.config") {
				return c.mcpAsStackQL(o, cmd.Flags().Changed)
			}
			return c.mcp(o, false)
		},
	}
	c.connectionFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.stdio, "stdio", true, "serve standard input and output")
	f.BoolVar(&o.http, "http", false, "serve HTTP at "+mcp.Path+" of --address and --port, in place of --stdio")
	f.StringVar(&o.address, "address", "127.0.0.1", "address to listen on")
	f.IntVar(&o.port, "port", 5468, "port to listen on; 0 selects a free port")
	f.StringVar(&o.certificate, "tls-cert", "", "file of the server's certificate (PEM)")
	f.StringVar(&o.key, "tls-key", "", "file of the certificate's private key (PEM)")
	f.StringVar(&o.tokenFile, "token-file", "", "file with the token that clients send, of 16 characters or more")
	f.BoolVar(&o.allowWrites, "allow-writes", false, "let agents run statements that change something, after the user of the client agreed to each")
	f.BoolVar(&o.revealSecrets, "reveal-secrets", false, "return credentials as they are; without it, they are masked")
	f.StringVar(&o.history, "history", "", "folder of a pipeline, or its store, whose changes agents may read")
	f.IntVar(&o.maxRows, "max-rows", 1000, "maximum number of rows that an agent may ask for")
	f.IntVar(&o.maxBytes, "max-bytes", 64<<10, "maximum size of the rows of an answer, in bytes")
	f.IntVar(&o.running, "max-statements", 8, "maximum number of statements that run at once; others wait. Each takes up to --memory")
	f.DurationVar(&o.timeout, "statement-timeout", 5*time.Minute, "end a statement after that long; 0 sets no limit")
	f.DurationVar(&o.drain, "drain-timeout", 10*time.Second, "how long running statements may go on when the server ends")
	f.StringVar(&o.audit, "audit", "", "file to which a line of JSON is appended for each statement, with credentials masked; - is standard error")
	f.StringVar(&o.stackqlType, "mcp.server.type", "", "transport as StackQL names it: stdio or http")
	f.StringVar(&o.stackqlConfig, "mcp.config", "", "settings as StackQL has them, in JSON")
	for _, name := range []string{"mcp.server.type", "mcp.config"} {
		_ = f.MarkHidden(name) // fails for an unknown flag only
	}
	return cmd
}

// mcp serves agents. With stackql, the tools are listed under StackQL's names.
func (c *command) mcp(o agents, stackql bool) error {
	if o.maxRows < 1 || o.maxBytes < 1024 || o.running < 1 || o.timeout < 0 || o.drain < 0 || o.port < 0 || o.port > 65535 {
		return provider.Usagef("--port is no port, --max-rows or --max-statements is below 1, --max-bytes below 1024, or a time-out negative")
	}
	if !o.stdio && !o.http {
		return provider.Usagef("--stdio=false leaves no transport").Hintf("serve HTTP with --http")
	}
	var over mcp.HTTPOptions
	var made bool
	if o.http {
		var err error
		if over, made, err = httpOptions(o); err != nil {
			return err
		}
	}
	server, end, err := c.agentServer(o, stackql)
	if err != nil {
		return err
	}
	defer end()
	ctx, stop := interruptible()
	defer stop()
	if !o.http {
		if terminal.Is(c.stdin) {
			c.note("waiting for a client of the Model Context Protocol on standard input; clients start this command themselves, or connect to --http")
		}
		return server.ServeStdio(ctx, closable(c.stdin), writable{c.stdout})
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", net.JoinHostPort(o.address, strconv.Itoa(o.port)))
	if err != nil {
		return provider.Errorf(provider.Network, "listen: %v", err).Hintf("choose another --port, or 0 for a free one")
	}
	scheme := "http"
	if over.TLS != nil {
		scheme = "https"
	}
	_, err = fmt.Fprintf(c.stdout, "listening on %s://%s%s\n", scheme, listener.Addr(), mcp.Path)
	if err == nil && made {
		_, err = fmt.Fprintf(c.stdout, "token: %s\n", over.Token.Reveal())
	}
	if err != nil {
		_ = listener.Close() // the error at hand counts
		return err
	}
	return server.ServeHTTP(ctx, listener, over)
}

// httpOptions reads who may connect, and refuses a server that strangers could use. made reports whether there
// is a new token, which nobody knows yet.
func httpOptions(o agents) (over mcp.HTTPOptions, made bool, err error) {
	over.Drain = o.drain
	if over.TLS, err = certificateOf(o.certificate, o.key); err != nil {
		return over, false, err
	}
	token, err := secretFrom("--token-file", o.tokenFile, tokenVariable)
	if err != nil {
		return over, false, err
	}
	over.Token = provider.Secret(token)
	if !isLoopback(o.address) && (over.TLS == nil || token == "") {
		return over, false, provider.Usagef("--address %s is not a loopback address: anybody who reaches it could use your credentials", provider.Printable(o.address)).
			Hintf("give --tls-cert, --tls-key, and a token by --token-file or %s", tokenVariable)
	}
	if token == "" {
		over.Token, made = provider.Secret(rand.Text()), true
	}
	if err := mcp.CheckToken(over.Token); err != nil {
		return over, false, provider.Usagef("the token cannot be used: %v", err).Hintf("make one with openssl rand -hex 32")
	}
	return over, made, nil
}

// agentServer makes the server. The function that it returns ends its connections.
func (c *command) agentServer(o agents, stackql bool) (*mcp.Server, func(), error) {
	options := mcp.Options{
		Version: versionNumber(), AllowWrites: o.allowWrites, StackQLNames: stackql,
		Running: o.running, Timeout: o.timeout, MaxRows: o.maxRows, MaxBytes: o.maxBytes,
	}
	if o.audit != "" {
		write, err := c.auditTo(o.audit)
		if err != nil {
			return nil, nil, err
		}
		options.Audit = func(r mcp.Record) {
			write(map[string]any{
				"time": r.Time.UTC(), "client": r.Client, "tool": r.Tool,
				"statement": r.Text, "rows": r.Rows, "seconds": r.Duration.Seconds(), "outcome": r.Outcome,
			})
		}
	}
	if o.history != "" {
		store, err := historyStore(o.history)
		if err != nil {
			return nil, nil, err
		}
		options.Changes = c.changesIn(store)
	}
	found, newSession, err := c.sessions(engine.MemoryStore)
	if err != nil {
		return nil, nil, err
	}
	documents, err := connect.Catalogue()
	if err != nil {
		found.close()
		return nil, nil, err
	}
	options.Catalogue = found.Catalogue
	options.Page = func(name, service, resource string) (string, error) {
		described := found.Catalogue
		if resource == "" { // lists, which are the pages of docs/
			described = documents
		}
		return docgen.Page(described, name, service, resource, docgen.Options{Extended: true})
	}
	if !o.revealSecrets {
		options.LooksSecret = dispatch.LooksSecret
	}
	options.Session = func(dryRun bool, note func(string)) mcp.Runner {
		session := newSession()
		session.DryRun = session.DryRun || dryRun
		session.Masked, session.Client.Masked = !o.revealSecrets, !o.revealSecrets
		session.Note = note
		return session
	}
	return mcp.New(options), found.close, nil
}

// historyStore is the store of a pipeline, which is named by itself or by its pipeline's folder.
func historyStore(name string) (string, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		d, err := pipeline.Load(context.Background(), name)
		if err != nil {
			return "", err
		}
		name = pipeline.StoreOf(d)
	}
	return name, pipeline.StoreExists(name)
}

// changesIn reads the changes of tables in a store.
func (c *command) changesIn(store string) func(context.Context, string, string, func(string), func(provider.Rows) error) (bool, error) {
	return func(ctx context.Context, table, since string, note func(string), read func(provider.Rows) error) (bool, error) {
		from, err := parseSince(since, time.Now())
		if err != nil {
			return false, err
		}
		s, err := pipeline.OpenStore(ctx, store, c.minter(nil))
		if err != nil {
			return false, err
		}
		defer s.Close()
		var tables []string
		if table != "" {
			tables = []string{table}
		}
		missing, err := noteGaps(ctx, s, tables, note)
		if err != nil {
			return false, err
		}
		var rows provider.Rows
		if table == "" {
			rows, err = s.StatusTables(ctx, "")
		} else {
			rows, err = diff(ctx, s, table, from, note)
		}
		if err != nil {
			return false, err
		}
		return len(missing) == 0, errors.Join(read(rows), rows.Close())
	}
}

// stackqlMCP is what StackQL's --mcp.config may hold, as far as it has a meaning here.
type stackqlMCP struct {
	Server struct {
		Transport, Address, Mode string
		ReadOnly                 *bool  `json:"read_only"`
		TLSCertFile              string `json:"tls_cert_file"`
		TLSKeyFile               string `json:"tls_key_file"`
		MaxConcurrentRequests    int    `json:"max_concurrent_requests"`
		RequestTimeout           string `json:"request_timeout"`
		Audit                    struct {
			Disabled bool
			File     struct{ Path string }
		}
	}
}

// mcpAsStackQL serves with the flags of StackQL's command. Our own flags win.
func (c *command) mcpAsStackQL(o agents, changed func(string) bool) error {
	var config stackqlMCP
	if o.stackqlConfig != "" {
		if err := json.Unmarshal([]byte(o.stackqlConfig), &config); err != nil {
			return provider.Usagef("--mcp.config is not what StackQL takes: %v", err).
				Hintf(`an example is {"server": {"transport": "http", "address": "127.0.0.1:5468", "mode": "read_only"}}`)
		}
	}
	s := config.Server
	switch transport := cmp.Or(o.stackqlType, s.Transport, "stdio"); transport {
	case "stdio":
	case "http":
		o.http = true
	default:
		return provider.Usagef("the transport %s is neither stdio nor http", provider.Quote(transport))
	}
	modes := []string{"", "read_only", "safe", "delete_safe", "full_access"}
	switch {
	case !slices.Contains(modes, s.Mode):
		return provider.Usagef("--mcp.config: the mode %s is none of read_only, safe, delete_safe, full_access", provider.Quote(s.Mode))
	case s.Mode != "" && s.Mode != "read_only" && !changed("allow-writes"):
		o.allowWrites = true
	}
	if s.Mode == "delete_safe" || s.Mode == "full_access" {
		c.note("the user is asked before each write, as in the mode safe: %s has no other meaning here", s.Mode)
	}
	if s.ReadOnly != nil && *s.ReadOnly && s.Mode == "" {
		o.allowWrites = false
	}
	if s.Address != "" && !changed("address") && !changed("port") {
		host, port, err := net.SplitHostPort(s.Address)
		if err != nil {
			return provider.Usagef("--mcp.config: the address %s is not of the form 127.0.0.1:5468", provider.Quote(s.Address))
		}
		if o.port, err = strconv.Atoi(port); err != nil {
			return provider.Usagef("--mcp.config: the address %s has no port", provider.Quote(s.Address))
		}
		o.address = cmp.Or(host, o.address)
	}
	o.certificate, o.key = cmp.Or(o.certificate, s.TLSCertFile), cmp.Or(o.key, s.TLSKeyFile)
	if s.MaxConcurrentRequests > 0 && !changed("max-statements") {
		o.running = min(o.running, s.MaxConcurrentRequests)
	}
	if s.RequestTimeout != "" && !changed("statement-timeout") {
		timeout, err := time.ParseDuration(s.RequestTimeout)
		if err != nil {
			return provider.Usagef("--mcp.config: request_timeout %s is not a duration such as 30s", provider.Quote(s.RequestTimeout))
		}
		o.timeout = timeout
	}
	if o.audit == "" && !s.Audit.Disabled {
		o.audit = s.Audit.File.Path
	}
	return c.mcp(o, true)
}

// closable returns a reader that closes if what it reads does, which ends a read that waits.
func closable(r io.Reader) io.ReadCloser {
	if rc, ok := r.(io.ReadCloser); ok {
		return rc
	}
	return io.NopCloser(r)
}

// writable is an output that stays open.
type writable struct{ io.Writer }

func (writable) Close() error { return nil }
