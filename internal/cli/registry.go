package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// registryCommand is StackQL's command for the statements REGISTRY LIST and REGISTRY PULL.
func (c *command) registryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "registry (list [provider] | pull provider version)",
		Short: "Run REGISTRY LIST and REGISTRY PULL",
		Long: `Run the statement REGISTRY LIST or REGISTRY PULL, as StackQL's command does.

The documents of all providers are part of lakeql: pull checks the name and the
version, and fetches nothing.`,
		Args:   cobra.RangeArgs(1, 3),
		Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			args[0] = strings.ToUpper(args[0])
			return c.exec([]string{"REGISTRY " + strings.Join(args, " ")})
		},
	}
	c.connectionFlags(cmd)
	c.outputFlags(cmd)
	c.notesFlag(cmd)
	return cmd
}
