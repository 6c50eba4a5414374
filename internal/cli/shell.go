package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/shell"
	"github.com/lakeql/lakeql/provider"
)

func (c *command) shellCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "shell",
		Short: "Type statements at a prompt",
		Long: `Read statements from a prompt, each to its semicolon, and show their rows.

The arrow keys recall statements, Tab completes names, Ctrl-C stops the statement
that runs and not the shell, Ctrl-D leaves. Statements that hold a credential are
kept out of the history.`,
		Example: `  lakeql shell --emulator
  lakeql shell --profile production`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return c.shell() },
	}
	c.connectionFlags(cmd)
	c.outputFlags(cmd)
	_ = cmd.Flags().MarkHidden("outfile") // fails for an unknown flag only
	return cmd
}

func (c *command) shell() error {
	if c.outfile != "" {
		return &provider.Error{Code: provider.Usage, Message: "the shell writes to the terminal, not to a file", Hint: "use lakeql exec -f"}
	}
	opts, err := c.renderOptions()
	if err != nil {
		return err
	}
	session, closeSession, err := c.session()
	if err != nil {
		return err
	}
	defer closeSession()
	return shell.Run(context.Background(), shell.Options{
		Runner:  session,
		In:      c.stdin,
		Out:     c.stdout,
		Err:     c.stderr,
		Render:  opts,
		History: historyFile(),
		PrintError: func(err error) {
			c.sourceSensitive = true // the statement stands on the screen already
			c.report(err)
		},
	})
}

// historyFile is where the shell keeps statements, by the XDG base directory specification;
// empty where there is no home.
func historyFile() string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "lakeql", "history")
	}
	home, err := os.UserHomeDir()
	if err != nil || errors.Is(err, os.ErrNotExist) {
		return ""
	}
	return filepath.Join(home, ".local", "state", "lakeql", "history")
}
