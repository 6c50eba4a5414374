package cli

import (
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/mcp"
	"github.com/lakeql/lakeql/provider"
)

// agents holds the flags of mcp.
type agents struct {
	stdio             bool
	revealSecrets     bool
	maxRows, maxBytes int
	running           int
	timeout           time.Duration
	audit             string
}

func (c *command) mcpCommand() *cobra.Command {
	var o agents
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Serve statements to agents by the Model Context Protocol",
		Long: `Serve statements to agents and other clients of the Model Context Protocol, over
standard input and output.

The tools find and describe resources, explain the calls of a statement, and run
queries. Answers are limited in rows and bytes, and say what was left out.
Credentials in rows are masked.`,
		Example: `  lakeql mcp --profile production

  # without an account
  lakeql mcp --emulator`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return c.mcp(o) },
	}
	c.connectionFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.stdio, "stdio", true, "serve standard input and output")
	f.BoolVar(&o.revealSecrets, "reveal-secrets", false, "return credentials as they are; without it, they are masked")
	f.IntVar(&o.maxRows, "max-rows", 1000, "maximum number of rows that a tool may be asked to return")
	f.IntVar(&o.maxBytes, "max-bytes", 64<<10, "maximum size of the rows of an answer, in bytes")
	f.IntVar(&o.running, "max-statements", 8, "maximum number of statements that run at once; others wait. Each takes up to --memory")
	f.DurationVar(&o.timeout, "statement-timeout", 5*time.Minute, "end a statement after that long; 0 sets no limit")
	f.StringVar(&o.audit, "audit", "", "file to which a line of JSON is appended for each statement, with credentials masked; - is standard error")
	return cmd
}

func (c *command) mcp(o agents) error {
	if o.maxRows < 1 || o.maxBytes < 1024 || o.running < 1 || o.timeout < 0 {
		return provider.Usagef("--max-rows or --max-statements is below 1, --max-bytes below 1024, or --statement-timeout negative")
	}
	options := mcp.Options{Version: versionNumber(), Running: o.running, Timeout: o.timeout, MaxRows: o.maxRows, MaxBytes: o.maxBytes}
	if o.audit != "" {
		write, err := c.auditTo(o.audit)
		if err != nil {
			return err
		}
		options.Audit = func(r mcp.Record) {
			write(map[string]any{
				"time": r.Time.UTC(), "client": r.Client, "tool": r.Tool,
				"statement": r.Text, "rows": r.Rows, "seconds": r.Duration.Seconds(), "outcome": r.Outcome,
			})
		}
	}
	found, newSession, err := c.sessions(engine.MemoryStore)
	if err != nil {
		return err
	}
	defer found.close()
	options.Catalogue = found.Catalogue
	options.Session = func(dryRun bool, note func(string)) mcp.Runner {
		session := newSession()
		session.DryRun = session.DryRun || dryRun
		session.Masked, session.Client.Masked = !o.revealSecrets, !o.revealSecrets
		session.Note = note
		return session
	}
	ctx, stop := interruptible()
	defer stop()
	return mcp.New(options).ServeStdio(ctx, closable(c.stdin), writable{c.stdout})
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
