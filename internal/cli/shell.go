package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/internal/shell"
	"github.com/lakeql/lakeql/internal/terminal"
	"github.com/lakeql/lakeql/provider"
)

func (c *command) shellCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "shell",
		Short: "Type statements at a prompt",
		Long: `Read statements from a prompt and print their rows. A semicolon ends a statement.

A statement may have several lines. The arrow keys move between them, and recall earlier
statements. Ctrl-R searches those, Tab completes names, Ctrl-C cancels the running
statement, and Ctrl-D exits. The command \? lists the shell's own commands: psql's \d,
\dt, \x, \i, \e, \watch, and others. The history masks what may be a credential.`,
		Example: `  lakeql shell --emulator
  lakeql shell --profile production`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return c.shell() },
	}
	c.connectionFlags(cmd)
	c.outputFlags(cmd)
	c.notesFlag(cmd)
	return cmd
}

func (c *command) shell() error {
	c.stackqlFiles()
	opts, err := c.renderOptions()
	if err != nil {
		return err
	}
	display := c.newDisplay()
	session, closeSession, err := c.session()
	if err != nil {
		return err
	}
	defer closeSession()
	display.watch(c, session)
	where := connectionText(session) + "\n" + storeText(session.StorePath)
	opts.Screen = display.layout()
	options := shell.Options{
		Runner: session,
		In:     c.stdin,
		Err:    c.stderr,
		Render: opts,
		Show:   display.show,
		Begin:  display.begin,
		Banner: "lakeql " + versionNumber() + "\n" + where +
			"\n\\? lists the commands, and \\q ends. A semicolon ends a statement.",
		Connection: where,
		History:    stateFile("history"),
		// Without an excerpt: the statement stands on the screen already.
		PrintError: c.report,
	}
	err = c.toOutput(func(w io.Writer) error {
		options.Out = w
		return shell.Run(context.Background(), options)
	})
	if err == nil && session.Incomplete() && !terminal.Is(c.stdin) {
		return incomplete() // a person has been told
	}
	return err
}

// storeText says where tables and views are kept.
func storeText(store string) string {
	if store == "" || store == engine.MemoryStore {
		return "tables and views in memory, until the shell ends"
	}
	return provider.Printable("tables and views in " + postgres.Place(store))
}

// connectionText describes the workspace and the credential of a session. It makes no call.
func connectionText(session *engine.Session) string {
	principals, ok := session.Client.Authorizer.(engine.Principals)
	if !ok {
		return "no workspace"
	}
	principal, kind, source, err := principals.Principal()
	host := session.Client.HostOf("")
	switch {
	case err != nil:
		return "no workspace: " + provider.Printable(err.Error())
	case host == "" || kind == "none":
		return "no workspace: set DATABRICKS_HOST and DATABRICKS_TOKEN, or choose a profile with --profile"
	}
	text := "workspace " + host + ", credential " + kind
	if principal != "" {
		text += " of " + principal
	}
	return provider.Printable(text + " (" + source + ")")
}
